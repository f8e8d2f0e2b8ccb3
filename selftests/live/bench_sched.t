#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# xebec-bench sched: makes pods of each kind, sees them bound by whoever does it, and counts right. The scheduler here is a loop
# with curl that binds what it finds.
. "$(dirname "$0")/../lib.sh"

sched() { in_ns node timeout 60 "$BIN/xebec-bench" sched -o json "$@" 2>>"$TMP/bench.log"; }
said() { is "$(jq -c "$1" <<<"$report" 2>&1)" "$2" "$3"; }
# one after the other, so that a pod counted twice would end the run before the last is bound
binder() {
	local name
	while :; do
		name=$(k get pods -o json | jq -r '[.items[] | select(.spec.schedulerName == "loop" and .spec.nodeName == null)][0].metadata.name // empty')
		[ -z "$name" ] || api POST "/api/v1/namespaces/default/pods/$name/binding" -H 'Content-Type: application/json' \
			-d "{\"metadata\":{\"name\":\"$name\"},\"target\":{\"kind\":\"Node\",\"name\":\"hollow-1\"}}" >>"$TMP/bound.log"
	done
}
count() { k get pods -l "xebec-bench/kind=$1" -o json | jq -c "[.items[] | select(.spec.schedulerName == \"loop\" and ($2))] | length"; }

node_up
apiserver_start
report=$(sched --pods 3 --seconds 1 --scheduler-name nobody --prefix stay-)
is $? 1 'without a scheduler it fails'
said '[.pods, .bound, .failed, .podsPerSecond]' '[3,0,0,0]' 'as nothing is bound in time'

# what is bound changes once more, as it runs
in_ns node "$BIN/xebec-bench" hollow --nodes 2 >"$TMP/hollow.log" 2>&1 &
busywait 30 grep -q registered "$TMP/hollow.log" || bail 'the hollow nodes do not register'
binder &
BINDER=$!
report=$(sched --pods 12 --scheduler-name loop --kind basic,anti-affinity,affinity,spread,preemptible,preemption --server-pid "$APISERVER_PID" --scheduler-pid "$BINDER")
is $? 0 'with one it succeeds'
said '[.pods, .bound, .failed, .boundSinceCreated.count, .boundSinceSent.count, .podsPerSecond > 0, .boundSinceSent.p99Milliseconds >= .boundSinceCreated.p50Milliseconds]' \
	'[12,12,0,12,12,true,true]' 'and counts each pod'
said '[.server.rssBytesMost > 1000000, .scheduler.rssBytesMost > 100000]' '[true,true]' 'and what the server and the scheduler used'
is "$(k get pods --field-selector spec.nodeName=hollow-1 -o name | wc -l)" 12 'they are bound'
is "$(count basic true) $(count spread '.spec.topologySpreadConstraints[0].maxSkew == 5')" '2 2' 'kinds come in turn'
is "$(count anti-affinity '.spec.affinity.podAntiAffinity != null') $(count affinity '.spec.affinity.podAffinity != null')" '2 2' 'each asks for what it is named after'
is "$(count preemption '.spec.priority == 1000 and .spec.containers[0].resources.requests.cpu == "3"') $(count preemptible '.spec.priority == 0')" '2 2' 'preemption has a priority'

report=$(sched --pods 3 --first 10 --scheduler-name loop)
is $? 1 'pods that are there already are failures'
said '[.bound, .failed, (.firstError | sub("sched-1[01]"; "sched-1x"))]' \
	'[1,2,"POST /api/v1/namespaces/default/pods: 409: pods \"sched-1x\" already exists"]' 'which are told, and the others counted'
is "$(in_ns node "$BIN/xebec-bench" sched --kind fast 2>&1)" \
	'xebec-bench: --kind: "fast" is none of basic, anti-affinity, affinity, spread, preemptible, preemption' 'an unknown kind is named'
done_testing
