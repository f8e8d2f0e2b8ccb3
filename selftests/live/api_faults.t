#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A disk that is full, read-only, or broken: the client and the operator are told, reads and watches go on, nothing that was
# acknowledged is lost, and writes go on by themselves when the fault is gone. And a file that was damaged while nobody ran.
. "$(dirname "$0")/../lib.sh"

node_up
${CC:-cc} -shared -fPIC -O1 -D_GNU_SOURCE -o "$TMP/disk_faults.so" "$ROOT/selftests/tools/disk_faults.c" -ldl || bail 'cannot build the faulty disk'
mkdir "$TMP/data"
mount -t tmpfs -o size=6m none "$TMP/data" || bail 'cannot mount a small disk'
export XB_DISK_FAULT=$TMP/fault
fault() { printf '%s' "$1" >"$XB_DISK_FAULT"; }
start() { ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 LD_PRELOAD=$TMP/disk_faults.so apiserver_start; }
fault ''
start

maps=/api/v1/namespaces/default/configmaps
# put NAME [FILE]: the answer's code; what was acknowledged is noted
put() {
	local body code
	body="{\"metadata\":{\"name\":\"$1\"},\"data\":{\"a\":\"$([ -z "${2:-}" ] || cat "$2")\"}}"
	api POST $maps -H 'Content-Type: application/json' -d @- <<<"$body" >"$TMP/answer"
	code=$(tail -1 "$TMP/answer")
	[ "$code" = 201 ] && echo "$1" >>"$TMP/acked"
	[ "$code" = 201 ]
}
message() { head -n -1 "$TMP/answer" | jq -r .message; }
names() { api GET $maps | head -n -1 | jq -r '.items[].metadata.name' | sort; }
said() { tail -n +"$((log_lines + 1))" "$TMP/apiserver.log" | grep -qF "$1"; }

# fails DESCRIPTION TEXT: what must hold while writes fail
fails() {
	local acked; acked=$(sort "$TMP/acked")
	like "$(tail -1 "$TMP/answer") $(message)" "^500 Internal error occurred: the store cannot write: $2" "$1: the client is told"
	ok "$1: the operator is told" busywait 2 said "cannot write: $2"
	is "$(names)" "$acked" "$1: reads go on"
	is "$(api GET /livez | tail -1)" 200 "$1: the server is alive"
}
# heals NAME DESCRIPTION: what must hold when the fault is gone
heals() {
	ok "$2: writes go on by themselves" busywait 10 put "$1"
	ok "$2: the operator is told of that, too" said 'writes again'
	ok "$2: the watch went on" busywait 5 grep -q "\"name\":\"$1\"" "$TMP/watch"
	is "$(names)" "$(sort "$TMP/acked")" "$2: what was acknowledged is there, and nothing else"
}
log_lines=0
XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API$maps?watch=true" >"$TMP/watch" 2>/dev/null &
put first || bail 'the first write fails'

n=0
# with_fault FAULT TEXT DESCRIPTION
with_fault() {
	n=$((n + 1))
	log_lines=$(wc -l <"$TMP/apiserver.log")
	fault "$1"
	put "fails-$n"
	fails "$3" "$2"
	is "$(api GET /readyz/store | tail -1)" 500 "$3: and not ready"
	fault ''
	heals "after-$n" "$3"
}
with_fault 'write 5' 'Input/output error' 'EIO'
with_fault 'sync 5' 'Input/output error' 'EIO of a sync'
with_fault 'torn 5' 'Input/output error' 'a torn write'
with_fault 'write 30' 'Read-only file system' 'read-only disk'

log_lines=$(wc -l <"$TMP/apiserver.log")
fault 'short 0'
ok 'short writes are gone on with' put short
fault ''

head -c 700000 /dev/zero | tr '\0' x >"$TMP/big"
for i in $(seq 20); do put "big-$i" "$TMP/big" || break; done
fails 'full disk' 'No space left on device'
mount -o remount,size=64m "$TMP/data"
heals after-full 'full disk'

# --- and all of it is on the disk, which may be full at the start ---
kill -9 "$APISERVER_PID"; wait "$APISERVER_PID" 2>/dev/null
dd if=/dev/zero of="$TMP/data/filler" bs=64k status=none 2>/dev/null
log_lines=$(wc -l <"$TMP/apiserver.log")
start
is "$(names)" "$(sort "$TMP/acked")" 'after kill -9, and on a full disk, everything that was acknowledged is there'
for i in $(seq 40); do put "late-$i" "$TMP/big" || break; done
fails 'a start on a full disk' 'No space left on device'
rm "$TMP/data/filler"
ok 'writes go on when there is room' busywait 10 put after-start
stop "$APISERVER_PID"

# --- damage ---
cp "$TMP/data/store.db" "$TMP/good.db"
at=$(grep -abo '"name":"after-1"' "$TMP/data/store.db" | head -1 | cut -d: -f1)
printf X | dd of="$TMP/data/store.db" bs=1 seek=$((at + 9)) conv=notrunc status=none
refused() { timeout 20 "$BIN/kube-apiserver" --data-dir="$TMP/data" --cert-dir="$TMP/pki" --secure-port=1 2>&1; }
out=$(refused); code=$?
is "$code" 1 'a damaged store is not served'
like "$out" "store '$TMP/data/store.db' is damaged: .*revision [0-9]+ has changed.*xebec store restore" 'the file, the row and what to do are said'
out=$("$BIN/xebec" store status "$TMP/data" 2>&1); code=$?
like "$code $out" "^1 xebec: store '$TMP/data/store.db' is damaged" 'xebec store status says it, too'
printf 'not a database at all' | dd of="$TMP/data/store.db" conv=notrunc status=none
like "$(refused)" "store '$TMP/data/store.db' is damaged: file is not a database" 'a file that is none is told'
cp "$TMP/good.db" "$TMP/data/store.db"
start
is "$(names)" "$(sort "$TMP/acked")" 'with the good file it goes on'
stop "$APISERVER_PID"
umount -l "$TMP/data"
done_testing
