#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Nodes that fall silent, are tainted, lose their pods, and come back; their zones; their ranges of addresses; what kubectl does to them;
# the controller manager is killed meanwhile.
. "$(dirname "$0")/../lib.sh"

controllers_start() {
	kcm_start --leader-elect=false --node-monitor-period=100ms --node-monitor-grace-period=2500ms --node-startup-grace-period=1s --node-eviction-rate=100 \
		--allocate-node-cidrs --cluster-cidr=10.244.0.0/20,fd00:244::/56 --service-cluster-ip-range=10.244.2.0/25,fd00:10:96::/108 "$@"
}
# hollow_start NAME NODES ZONE: nodes NAME-0...; sets HOLLOW_NAME
hollow_start() {
	local name=$1
	XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow -o json --prefix "$name-" --nodes "$2" --lease-seconds 1 --labels "topology.kubernetes.io/zone=$3" \
		>"$TMP/hollow-$name.json" 2>>"$TMP/hollow.log" &
	printf -v "HOLLOW_$name" %d $!
	busywait 20 grep -q registered "$TMP/hollow-$name.json" || { note "$(cat "$TMP/hollow.log")"; bail 'the hollow nodes do not register'; }
}
die() { kill -9 "$1"; wait "$1" 2>/dev/null; }
# pod NAME NODE [TOLERATIONS]
pod() {
	k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$1"},"spec":{"nodeName":"$2","terminationGracePeriodSeconds":1,"tolerations":[${3:-}],"containers":[{"name":"c","image":"i"}]}}
EOF
}
node_is() { [ "$(raw "/api/v1/nodes/$1" | jq -rc "$2")" = "$3" ]; } # node, filter, value
pod_is() { [ "$(raw "$CORE/pods/$1" | jq -rc "$2")" = "$3" ]; }
gone() { ! k get "$@" -o name; }
taints='[.spec.taints[]? | (.key | ltrimstr("node.kubernetes.io/")) + ":" + .effect] | sort | join(" ")'
conditions='[.status.conditions[] | .type + "=" + .status] | sort | join(" ")'
ready='.status.conditions[] | select(.type == "Ready") | .status'
healthy='DiskPressure=False MemoryPressure=False PIDPressure=False Ready=True'
silent='DiskPressure=Unknown MemoryPressure=Unknown PIDPressure=Unknown Ready=Unknown'
# events NAME REASON: "Type|component|message" of each
events() { raw $CORE/events | jq -r --arg n "$1" --arg r "$2" '.items[] | select(.involvedObject.name == $n and .reason == $r) | [.type, .source.component, .message] | join("|")'; }
told() { events "$1" "$2" | grep -qxF "$3"; }

node_up
apiserver_start
controllers_start
hollow_start a 2 here
hollow_start b 2 there
hollow_start c 3 there

# --- new nodes ---
ok 'a new node loses the taint that it came with' busywait 10 node_is b-1 "$taints" ''
ok 'and is registered' busywait 5 told b-1 RegisteredNode 'Normal|node-controller|Node b-1 event: Registered Node b-1 in Controller'
ok 'each has a range of each family' busywait 5 eval '[ "$(raw /api/v1/nodes | jq "[.items[] | select(.spec.podCIDRs | length == 2)] | length")" = 7 ]'
is "$(k get nodes -o json | jq -c '[.items[].spec | select(.podCIDR == .podCIDRs[0]) | .podCIDRs[0]] | sort')" \
	'["10.244.0.0/24","10.244.1.0/24","10.244.3.0/24","10.244.4.0/24","10.244.5.0/24","10.244.6.0/24","10.244.7.0/24"]' 'no two the same, and none that is the Services'"'"
is "$(k get nodes -o json | jq -c '[.items[].spec.podCIDRs[1]] | unique | [length, .[0], .[6]]')" '[7,"fd00:244:0:1::/64","fd00:244::/64"]' 'of IPv6 as well'
k label node a-0 beta.kubernetes.io/os- kubernetes.io/arch=arm64 --overwrite >/dev/null
ok 'labels with two names say the same' busywait 5 node_is a-0 '.metadata.labels | .["beta.kubernetes.io/os"] + .["beta.kubernetes.io/arch"]' linuxarm64

# --- a node falls silent ---
pod forever b-0 '{"operator":"Exists"}'
pod brief b-0 '{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":1}'
pod patient b-0
pod eternal b-0 '{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":9223372036854775807}'
pod elsewhere a-0
for p in forever brief patient eternal elsewhere; do busywait 30 pod_is $p "$ready" True || bail "pod $p does not run"; done
cidrs=$(k get node b-0 -o json | jq -c .spec.podCIDRs)
die "$HOLLOW_b"
ok 'of a silent node all is unknown' busywait 10 node_is b-0 "$conditions" "$silent"
is "$(k get node b-0 -o json | jq -c '[.status.conditions[] | [.reason, .message]] | unique')" '[["NodeStatusUnknown","Kubelet stopped posting node status."]]' 'with reason and message'
ok 'it is tainted' busywait 5 node_is b-0 "$taints" 'unreachable:NoExecute unreachable:NoSchedule'
is "$(k get node b-0 -o json | jq -c '[.spec.taints[] | .timeAdded != null] | unique')" '[true]' 'with the time'
ok 'that is told' busywait 5 told b-0 NodeNotReady 'Normal|node-controller|Node b-0 status is now: NodeNotReady'
ok 'its pods are not ready' busywait 5 pod_is forever "$ready" False
ok 'and that is told' busywait 5 told forever NodeNotReady 'Warning|node-controller|Node is not ready'
ok 'a pod goes when it does not tolerate that any longer' busywait 5 pod_is brief '.metadata.deletionTimestamp != null' true
is "$(k get pod brief -o json | jq -c '.status.conditions[] | select(.type == "DisruptionTarget") | [.status, .reason, .message]')" \
	'["True","DeletionByTaintManager","Taint manager: deleting due to NoExecute taint"]' 'says why'
ok 'and that is told, too' busywait 5 told brief TaintManagerEviction 'Normal|taint-eviction-controller|Marking for deletion Pod default/brief'
is "$(k get pods patient forever eternal elsewhere -o json | jq -c '[.items[].metadata.deletionTimestamp] | unique')" '[null]' 'those that tolerate it stay, for five minutes or ever'
pod_is elsewhere "$ready" True; is $? 0 'on other nodes all is well'

# --- the controller manager is killed; the node comes back; a new one comes, and one by hand ---
die "$KCM_PID"
before=$(k get node b-0 -o 'jsonpath={.metadata.resourceVersion}')
controllers_start
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"mute"}}'
ok 'a node that never said anything is unknown as well' busywait 10 node_is mute "$conditions" "$silent"
is "$(k get node mute -o json | jq -c '[.status.conditions[] | [.reason, .message]] | unique')" '[["NodeStatusNeverUpdated","Kubelet never posted node status."]]' 'with reason and message'
is "$(k get node b-0 -o 'jsonpath={.metadata.resourceVersion}')" "$before" 'of what was written before, nothing is written again'
ok 'a new one has a range that nobody else has' busywait 5 eval '[ "$(raw /api/v1/nodes | jq "[.items[].spec.podCIDRs | select(length == 2)[]] | unique | length")" = 16 ]'
hollow_start b 2 there
ok 'a node that comes back is ready' busywait 10 node_is b-0 "$conditions" "$healthy"
ok 'and has no taint' busywait 5 node_is b-0 "$taints" ''
ok 'nor is a pod on it deleted' busywait 5 told patient TaintManagerEviction 'Normal|taint-eviction-controller|Cancelling deletion of Pod default/patient'
ok 'its pods are ready' busywait 10 pod_is forever "$ready" True
ok 'and what was deleted is gone' busywait 10 gone pod brief
is "$(k get node b-0 -o json | jq -c .spec.podCIDRs)" "$cidrs" 'it keeps its range'
die "$HOLLOW_c"

# --- kubectl ---
k cordon a-1 >/dev/null
ok 'cordon: a taint' busywait 5 node_is a-1 "$taints" 'unschedulable:NoSchedule'
k uncordon a-1 >/dev/null
ok 'uncordon: none' busywait 5 node_is a-1 "$taints" ''
pod stays a-1 '{"key":"mine","operator":"Exists"}'
pod goes a-1
busywait 10 pod_is goes "$ready" True
k taint node a-1 mine=yes:NoExecute >/dev/null
ok 'taint: a pod that does not tolerate it goes' busywait 10 gone pod goes
pod_is stays .metadata.deletionTimestamp null; is $? 0 'one that does stays'
k taint node a-1 mine- >/dev/null
ok 'drain' k drain a-1 --force --timeout=20s
ok 'drained: no pods' gone pod stays
k uncordon a-1 >/dev/null
api PATCH /api/v1/nodes/a-1/status -H 'Content-Type: application/strategic-merge-patch+json' -d '{"status":{"conditions":[
	{"type":"MemoryPressure","status":"True"},{"type":"DiskPressure","status":"True"},{"type":"PIDPressure","status":"True"},{"type":"NetworkUnavailable","status":"True"}]}}' >/dev/null
ok 'what presses a node is a taint' busywait 5 node_is a-1 "$taints" 'disk-pressure:NoSchedule memory-pressure:NoSchedule network-unavailable:NoSchedule pid-pressure:NoSchedule'

# --- ranges run out, and come back ---
for i in {1..8}; do echo "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"more-$i\"}}"; done | k create -f - >/dev/null
ok 'more nodes than ranges: that is told' busywait 5 told more-8 CIDRNotAvailable 'Normal|cidrAllocator|Node more-8 status is now: CIDRNotAvailable'
cidr=$(k get node mute -o 'jsonpath={.spec.podCIDR}')
k delete node mute >/dev/null
ok 'the range of a node that is gone is given again' busywait 5 node_is more-8 .spec.podCIDR "$cidr"
ok 'it is told, too' busywait 5 told mute RemovingNode 'Normal|node-controller|Node mute event: Removing Node mute from Controller'

# --- most of a zone falls silent, then all do ---
of_c() { raw /api/v1/nodes | jq -c "[.items[] | select(.metadata.name | startswith(\"c-\")) | $1]"; }
ok 'of a small zone that is in trouble' busywait 10 eval '[ "$(of_c "$ready")" = "[\"Unknown\",\"Unknown\",\"Unknown\"]" ]'
ok 'all that is silent is tainted' busywait 5 eval '[ "$(of_c ".spec.taints[] | select(.effect == \"NoSchedule\")" | jq length)" = 3 ]'
[ "$(of_c '.spec.taints[] | select(.effect == "NoExecute")' | jq length)" -lt 3 ]; is $? 0 'but not all is emptied'
is "$(events a-0 NodeNotReady)" '' 'of a node that renews its lease nothing is told'
die "$HOLLOW_a"
die "$HOLLOW_b"
ok 'when no node is ready' busywait 10 node_is b-1 "$ready" Unknown
ok 'none is emptied' busywait 10 eval '[ -z "$(k get nodes -o "jsonpath={.items[*].spec.taints[?(@.effect==\"NoExecute\")].key}")" ]'
done_testing
