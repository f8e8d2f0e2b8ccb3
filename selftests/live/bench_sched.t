#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# xebec-bench sched: makes pods of each kind, sees them bound by whoever does it, and counts right. The scheduler here is a loop
# with curl that binds what it finds.
. "$(dirname "$0")/../lib.sh"

sched() { in_ns node timeout 60 "$BIN/xebec-bench" sched -o json "$@" 2>>"$TMP/bench.log"; }
said() { is "$(jq -c "$1" <<<"$report" 2>&1)" "$2" "$3"; }
bind_all() {
	local name next=
	for name in $(k get pods -o json | jq -r '.items[] | select(.spec.schedulerName == "loop" and .spec.nodeName == null) | .metadata.name'); do
		printf '%surl = "%s/api/v1/namespaces/default/pods/%s/binding"\ndata = "%s"\n' "$next" "$API" "$name" \
			"{\\\"metadata\\\":{\\\"name\\\":\\\"$name\\\"},\\\"target\\\":{\\\"kind\\\":\\\"Node\\\",\\\"name\\\":\\\"hollow-1\\\"}}"
		printf 'cacert = "%s"\nheader = "Authorization: Bearer admintoken"\nheader = "Content-Type: application/json"\n' "$TMP/pki/ca.crt"
		next=$'next\n'
	done >"$TMP/bindings"
	[ ! -s "$TMP/bindings" ] || in_ns node curl -sS --config "$TMP/bindings" >>"$TMP/bound.log"
}
binder() { while :; do bind_all; done; }
count() { k get pods -l "xebec-bench/kind=$1" -o json | jq -c "[.items[] | select(.spec.schedulerName == \"loop\" and ($2))] | length"; }

node_up
apiserver_start
report=$(sched --pods 3 --seconds 1 --scheduler-name nobody --prefix stay-)
is $? 1 'without a scheduler it fails'
said '[.pods, .bound, .failed, .podsPerSecond]' '[3,0,0,0]' 'as nothing is bound in time'

binder &
BINDER=$!
report=$(sched --pods 60 --scheduler-name loop --kind basic,anti-affinity,affinity,spread,preemptible,preemption --server-pid "$APISERVER_PID" --scheduler-pid "$BINDER")
is $? 0 'with one it succeeds'
said '[.pods, .bound, .failed, .boundSinceCreated.count, .boundSinceSent.count, .podsPerSecond > 0, .boundSinceSent.p99Milliseconds >= .boundSinceCreated.p50Milliseconds]' \
	'[60,60,0,60,60,true,true]' 'and counts each pod'
said '[.server.rssBytesMost > 1000000, .scheduler.rssBytesMost > 100000]' '[true,true]' 'and what the server and the scheduler used'
is "$(k get pods --field-selector spec.nodeName=hollow-1 -o name | wc -l)" 60 'they are bound'
is "$(count basic true) $(count spread '.spec.topologySpreadConstraints[0].maxSkew == 5')" '10 10' 'kinds come in turn'
is "$(count anti-affinity '.spec.affinity.podAntiAffinity != null') $(count affinity '.spec.affinity.podAffinity != null')" '10 10' 'each asks for what it is named after'
is "$(count preemption '.spec.priority == 1000 and .spec.containers[0].resources.requests.cpu == "3"') $(count preemptible '.spec.priority == 0')" '10 10' 'preemption has a priority'

report=$(sched --pods 5 --first 58 --scheduler-name loop)
is $? 1 'pods that are there already are failures'
said '[.bound, .failed, .firstError]' '[3,2,"POST /api/v1/namespaces/default/pods: 409: pods \"sched-58\" already exists"]' 'which are told, and the others counted'
is "$(in_ns node "$BIN/xebec-bench" sched --kind fast 2>&1)" \
	'xebec-bench: --kind: "fast" is none of basic, anti-affinity, affinity, spread, preemptible, preemption' 'an unknown kind is named'
done_testing
