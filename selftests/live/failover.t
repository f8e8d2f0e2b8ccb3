#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Two controller managers and two schedulers: one of each works. The other takes over when it is killed, or stands still for longer than
# its lease, and one that goes on after that does nothing more. The API server's access log tells who wrote what.
. "$(dirname "$0")/../lib.sh"

KCM=kube-controller-manager SCHED=kube-scheduler
FAST="--leader-elect-lease-duration=4s --leader-elect-renew-deadline=3s --leader-elect-retry-period=200ms"
declare -A PORT=([$KCM-a]=10257 [$KCM-b]=10258 [$SCHED-a]=10259 [$SCHED-b]=10260) PID
config() { KUBECONFIG=$TMP/$1.conf k config "${@:2}" >/dev/null; }
# a program, as user PROGRAM-a or PROGRAM-b
start() {
	local name=$1-$2
	config "$name" set-cluster c --server="$API" --certificate-authority="$TMP/pki/ca.crt"
	config "$name" set-credentials u --token="token-$name"
	config "$name" set-context x --cluster=c --user=u
	config "$name" use-context x
	# shellcheck disable=SC2086
	XB_EXEC=exec in_ns node "$BIN/$1" --kubeconfig="$TMP/$name.conf" --secure-port="${PORT[$name]}" $FAST >>"$TMP/$name.log" 2>&1 &
	PID[$name]=$!
}
leads() { in_ns node curl -kfsS --max-time 1 "https://127.0.0.1:${PORT[$1]}/metrics" | grep -q '^leader_election_master_status{.*} 1$'; }
waits() { grep -q 'new leader elected: ' "$TMP/$1.log" && ! leads "$1"; }
# what a program's processes wrote that is no Lease and no Event: "verb URI user code"
writes() { sed -n "${2:-1},\$p" "$TMP/apiserver.log" | jq -r "select(.msg == \"HTTP\" and (.user // \"\" | startswith(\"$1\")) and .verb != \"GET\"
	and .verb != \"LIST\" and .verb != \"WATCH\" and (.URI | test(\"/(leases|events)\") | not)) | [.verb, .URI, .user, .resp] | join(\" \")" 2>/dev/null; }
writers() { writes "$@" | cut -d' ' -f3 | sort -u | xargs; }
mark() { wc -l <"$TMP/apiserver.log"; }
ready() { [ "$(k get deployment web -o 'jsonpath={.status.readyReplicas}')" = "$1" ]; }
pods() { k get pods --no-headers 2>/dev/null | wc -l; }

node_up
{
	echo 'admintoken,admin,1,"system:masters"'
	for name in "${!PORT[@]}"; do echo "token-$name,$name,$name,\"system:masters\""; done
} >"$TMP/tokens.csv"
apiserver_start --v=3 --logging-format=json
in_ns node "$BIN/xebec-bench" hollow --nodes 4 --untaint >"$TMP/hollow.log" 2>&1 &
for p in $KCM $SCHED; do
	start $p a
	busywait 30 leads $p-a || bail "$p does not lead"
	start $p b
	ok "$p: one leads, another waits" busywait 5 waits $p-b
done
k create deployment web --image=example.com/c --replicas=20 >/dev/null
ok 'they work' busywait 10 ready 20
is "$(writers $KCM) $(writers $SCHED)" "$KCM-a $SCHED-a" 'one of each alone'

# --- killed ---
from=$(mark)
kill -9 "${PID[$KCM-a]}" "${PID[$SCHED-a]}"; wait "${PID[$KCM-a]}" "${PID[$SCHED-a]}" 2>/dev/null
began=$(date +%s%N)
k scale deployment web --replicas=40 >/dev/null
ok 'killed, the others go on' busywait 10 ready 40
note "after $((($(date +%s%N) - began) / 1000000)) ms, with a lease of 4 s"
is "$(writers $KCM "$from") $(writers $SCHED "$from")" "$KCM-b $SCHED-b" 'alone'

# --- they stand still, in the middle of their work ---
start $KCM a
start $SCHED a
for p in $KCM $SCHED; do ok "$p: a new one waits" busywait 5 waits $p-a; done
# the server first, so that they wait for answers, which they find when they go on
k scale deployment web --replicas=400 >/dev/null &
timeout 5 tail -n 0 -F "$TMP/apiserver.log" 2>/dev/null | grep -q -m 1 '"POST".*/binding'
kill -STOP "$APISERVER_PID"
kill -STOP "${PID[$KCM-b]}" "${PID[$SCHED-b]}"
kill -CONT "$APISERVER_PID"
note "$(pods) pods when they stood still"
ok 'standing still, they are relieved' busywait 10 leads $KCM-a
ok 'both' busywait 10 leads $SCHED-a
ok 'and their work is done' busywait 20 ready 400
is "$(pods)" 400 'once'
from=$(mark)
kill -CONT "${PID[$KCM-b]}" "${PID[$SCHED-b]}"
wait "${PID[$KCM-b]}"; status=$?
wait "${PID[$SCHED-b]}"
is "$status $?" '1 1' 'going on, they end'
# one that stood still while it sent sends the rest of that, and is refused
is "$(writes $KCM-b "$from" | grep -v ' 409$')$(writes $SCHED-b "$from" | grep -v ' 409$')" '' 'and have written nothing more'
is "$(pods) $(writes $KCM | grep -c '^POST /api/v1/namespaces/default/pods .* 201$')" '400 400' 'no pod was made twice'
is "$(writes $SCHED | grep -c '^POST .*/binding .* 201$')" 400 'and none bound twice'
done_testing
