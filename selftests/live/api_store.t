#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The store from outside: snapshots of a running server and what comes of them, the quota, and Events that expire.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start --event-ttl=2s
xebec() { "$BIN/xebec" "$@"; }
map() { printf '{"metadata":{"name":"%s"},"data":{"a":"%s"}}' "$1" "${2:-}"; }
maps=/api/v1/namespaces/default/configmaps
post() { api POST "$1" -H 'Content-Type: application/json' -d @-; }
names() { api GET $maps | head -n -1 | jq -r '[.items[].metadata.name] | join(" ")'; }
revision() { api GET "$maps?limit=1" | head -n -1 | jq -r .metadata.resourceVersion; }

# --- Events ---
event() { # NAME, API version
	local about='regarding' note='note'
	[ "$2" = v1 ] && about=involvedObject note=message
	printf '{"apiVersion":"%s","kind":"Event","metadata":{"name":"%s"},"%s":{"kind":"Pod","name":"p","namespace":"default"},"%s":"x","reason":"R","action":"A",
		"type":"Normal","eventTime":"2026-01-01T00:00:00.000000Z","reportingController":"example.com/c","reportingComponent":"example.com/c","reportingInstance":"i"}' \
		"$2" "$1" "$about" "$note"
}
core=/api/v1/namespaces/default/events new=/apis/events.k8s.io/v1/namespaces/default/events
XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API$core?watch=true" >"$TMP/events" &
is "$(event one v1 | post $core | tail -1)" 201 'an Event of core/v1'
is "$(event two events.k8s.io/v1 | sed 's/"reportingComponent":"[^"]*",//' | post $new | tail -1)" 201 'an Event of events.k8s.io/v1'
gone() { [ "$(api GET "$core/$1" | tail -1)" = 404 ]; }
ok 'they expire' busywait 10 eval 'gone one && gone two'
deleted() { jq -es "any(.[]; .type == \"DELETED\" and .object.metadata.name == \"$1\")" <"$TMP/events"; }
ok 'and a watch sees each deleted' busywait 5 eval 'deleted one && deleted two'
stop "$APISERVER_PID"
apiserver_start --event-ttl=1h
event kept v1 | post $core >/dev/null
stop "$APISERVER_PID"
apiserver_start --event-ttl=1s
ok 'one that was written before a restart expires after it' busywait 10 gone kept

# --- snapshots ---
for i in 1 2 3; do map "before-$i" | post $maps >/dev/null; done
(while map "w-$RANDOM$RANDOM" | post /api/v1/namespaces/kube-public/configmaps; do :; done) >/dev/null 2>&1 &
writer=$!
ok 'a snapshot beside a writer' xebec store snapshot --data-dir "$TMP/data" "$TMP/snap"
kill $writer; wait $writer 2>/dev/null
is "$(stat -c %a "$TMP/snap") $(ls "$TMP"/snap*)" "600 $TMP/snap" 'it is one file, for its owner alone'
before=$(xebec store status "$TMP/snap" -o json)
is "$(jq -c '[.check, .kinds.namespaces, .kinds["priorityclasses.scheduling.k8s.io"], .keys > 70]' <<<"$before")" '["ok",4,2,true]' 'its status as JSON'
like "$(xebec store status "$TMP/snap")" "kinds:.*  namespaces: 4.*check: ok" 'and as text'
map after | post $maps >/dev/null
seen=$(revision)
is "$(xebec store status "$TMP/data" -o json | jq -c "[.check, .revision >= $seen]")" '["ok",true]' 'the status of a store that is served'
like "$(xebec store snapshot --data-dir "$TMP/nowhere" "$TMP/x" 2>&1; echo $?)" "cannot read '$TMP/nowhere': No such file.*1$" 'a store that is not there'
like "$(xebec store restore "$TMP/snap" --data-dir "$TMP/data" 2>&1; echo $?)" "'$TMP/data' is not empty.*1$" 'nothing is restored over a store'

head -c 100000 "$TMP/snap" >"$TMP/short"
like "$(xebec store restore "$TMP/short" --data-dir "$TMP/new" 2>&1; echo $?)" "store '$TMP/short' is damaged: .*1$" 'nor out of half a snapshot'
ok 'which leaves nothing behind' test ! -e "$TMP/new"
stop "$APISERVER_PID"
mv "$TMP/data" "$TMP/old"
restored=$(xebec store restore "$TMP/snap" --data-dir "$TMP/data" -o json)
is "$(jq .revision <<<"$restored")" $(($(jq .revision <<<"$before") + 1000000000)) 'a restored store goes on at a higher revision'
apiserver_start
is "$(names)" 'before-1 before-2 before-3' 'it holds what there was at the snapshot'
ok 'revisions do not go back' test "$(revision)" -gt "$seen"
like "$(api GET "$maps?watch=true&resourceVersion=$seen")" '"code":410' 'a watch from the old world is told to list again'
like "$(map again | post $maps | tail -1)" 201 'writes go on'
stop "$APISERVER_PID"

# --- quota ---
apiserver_start --quota-backend-bytes=3000000 --etcd-compaction-interval=1s
big=$(head -c 60000 /dev/zero | tr '\0' x)
for i in $(seq 100); do
	answer=$(map "big-$i" "$big" | post $maps)
	[ "$(tail -1 <<<"$answer")" = 201 ] || break
done
is "$(head -n -1 <<<"$answer" | jq -c '[.code, .reason, .message]')" '[500,null,"etcdserver: mvcc: database space exceeded"]' 'a full database refuses writes in the words that clients know'
like "$(k create configmap x 2>&1)" 'etcdserver: mvcc: database space exceeded$' 'kubectl shows them'
ok 'the operator is told' grep -q 'has reached --quota-backend-bytes=3000000' "$TMP/apiserver.log"
is "$(api GET "$maps/again" | tail -1)" 200 'reads go on'
is "$(api GET /metrics | awk '$1 == "xebec_store_quota_bytes" { print $2 }')" 3000000 'the quota is a metric'
is "$(api DELETE "$maps" | tail -1)" 200 'so do deletions'
ok 'which make room' busywait 20 eval '[ "$(map roomy | post $maps | tail -1)" = 201 ]'
ok 'and metrics show it' eval 'api GET /metrics | awk "\$1 == \"xebec_store_used_bytes\" { exit \$2 < 2900000 ? 0 : 1 }"'
stop "$APISERVER_PID"
done_testing
