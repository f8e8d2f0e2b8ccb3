#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# xebec-bench hollow: nodes and pods that exist in the API alone behave there as a kubelet's; also across a restart of the server.
. "$(dirname "$0")/../lib.sh"

# pod NAME SPEC [ANNOTATIONS]: made with kubectl; SPEC and ANNOTATIONS are members of JSON objects
pod() {
	k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$1","annotations":{${3:-}}},
"spec":{${2:+$2,}"terminationGracePeriodSeconds":30,"initContainers":[{"name":"before","image":"example.com/before"}],"containers":[{"name":"c","image":"example.com/c:1"}]}}
EOF
}
bind() {
	api POST "/api/v1/namespaces/default/pods/$1/binding" -H 'Content-Type: application/json' \
		-d "{\"apiVersion\":\"v1\",\"kind\":\"Binding\",\"metadata\":{\"name\":\"$1\"},\"target\":{\"kind\":\"Node\",\"name\":\"$2\"}}" | tail -1
}
# pod_is NAME JSONPATH VALUE
pod_is() { [ "$(k get pod "$1" -o "jsonpath=$2")" = "$3" ]; }
all_ready() { [ "$(k get nodes --no-headers | awk '$2 == "Ready"' | wc -l)" = "$1" ]; }
untainted() { [ -z "$(k get nodes -o 'jsonpath={.items[*].spec.taints[*].key}')" ]; }
lease_time() { k get lease -n kube-node-lease "$1" -o 'jsonpath={.spec.renewTime}'; }
renewed_since() { [[ "$(lease_time "$1")" > "$2" ]]; }
gone() { ! k get "$@"; }
hollow_start() {
	XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow -o json --nodes 20 --zones 3 --lease-seconds 1 --labels role=web --pods-per-node 3 --untaint "$@" \
		>"$TMP/hollow.json" 2>>"$TMP/hollow.log" &
	HOLLOW=$!
	busywait 20 grep -q registered "$TMP/hollow.json" || { note "$(cat "$TMP/hollow.log")"; bail 'the hollow nodes do not register'; }
}
hollow_stop() { kill -TERM "$HOLLOW"; wait "$HOLLOW"; }
said() { is "$(tail -1 "$TMP/hollow.json" | jq -c "$1")" "$2" "$3"; }

node_up
apiserver_start
hollow_start
is "$(jq -c '[.registered, .registeredMilliseconds > 0]' "$TMP/hollow.json")" '[20,true]' 'it says when all are registered'

# nodes
ok 'kubectl sees 20 ready nodes' all_ready 20
is "$(k get node hollow-4 -o json | jq -c '[.metadata.labels["topology.kubernetes.io/zone", "kubernetes.io/hostname", "role"], .status.capacity.pods,
	.status.allocatable.cpu, .status.nodeInfo.kubeletVersion]')" '["zone-1","hollow-4","web","3","4","v1.33.0"]' 'with zone, host name, label and capacity'
ok 'without the taint of a new node' busywait 10 untainted
is "$(k get lease -n kube-node-lease hollow-4 -o json | jq -c '[.spec.holderIdentity, .spec.leaseDurationSeconds, .metadata.ownerReferences[0].name]')" \
	'["hollow-4",4,"hollow-4"]' 'each has a lease'
before=$(lease_time hollow-4)
ok 'and renews it' busywait 5 renewed_since hollow-4 "$before"

# pods
pod web ''
is "$(bind web hollow-4)" 201 'a pod is bound'
ok 'and runs' k wait --for=condition=Ready pod/web --timeout=10s
is "$(k get pod web -o json | jq -c '.status | [.phase, .podIP, .podIPs[0].ip, .hostIP, .startTime != null, .containerStatuses[0].ready,
	.containerStatuses[0].restartCount, .initContainerStatuses[0].state.terminated.exitCode]')" \
	'["Running","10.244.4.2","10.244.4.2","100.64.0.5",true,true,0,0]' 'with addresses and containers'
is "$(k get pod web -o json | jq -c '[.status.conditions[] | select(.status == "True") | .type] | sort')" \
	'["ContainersReady","Initialized","PodReadyToStartContainers","PodScheduled","Ready"]' 'and all conditions'
is "$(k get pod web -o 'jsonpath={.metadata.generation}{.spec.nodeName}' | tr -d 0-9)" hollow- 'on its node'
k patch node hollow-5 -p '{"spec":{"podCIDR":"10.99.5.0/24","podCIDRs":["10.99.5.0/24","fd00:99:5::/64"]}}' >/dev/null
pod both '"nodeName":"hollow-5"'
ok 'a pod that names its node runs in the ranges of that node' busywait 10 pod_is both '{.status.podIPs[*].ip}' '10.99.5.2 fd00:99:5::2'
pod host '"nodeName":"hollow-5","hostNetwork":true'
ok 'on the host network it has the address of the node' busywait 10 pod_is host '{.status.podIP}' 100.64.0.6
for i in 1 2; do pod "more$i" '"nodeName":"hollow-5"'; done
ok 'a full node refuses a pod' busywait 10 eval '[ "$(k get pods --no-headers | grep -c OutOfpods)" = 1 ]'

# pods that end
never='"nodeName":"hollow-6","restartPolicy":"Never"' short='"xebec-bench/run-seconds":"1"'
pod done "$never" "$short"
pod fails "$never" "$short,\"xebec-bench/exit-code\":\"3\""
pod again '"nodeName":"hollow-7","restartPolicy":"OnFailure"' "$short,\"xebec-bench/exit-code\":\"1\""
pod stays "$never"
pod always '"nodeName":"hollow-7"' "$short"
ok 'a pod that runs to its end succeeds' busywait 10 pod_is done '{.status.phase} {.status.containerStatuses[0].state.terminated.exitCode}' 'Succeeded 0'
ok 'one with an exit code fails' busywait 10 pod_is fails '{.status.phase} {.status.containerStatuses[0].state.terminated.exitCode}' 'Failed 3'
ok 'with OnFailure it is started again' busywait 10 eval '[ "$(k get pod again -o "jsonpath={.status.containerStatuses[0].restartCount}")" -ge 2 ]'
is "$(k get pod done -o json | jq -c '[.status.conditions[] | select(.type == "Ready") | .status, .reason]')" '["False","PodCompleted"]' 'what has ended is not ready'

# the server restarts
stop "$APISERVER_PID"
apiserver_start
before=$(lease_time hollow-4)
ok 'after a restart of the server leases are renewed' busywait 15 renewed_since hollow-4 "$before"
pod late '"nodeName":"hollow-8"'
ok 'and new pods run' k wait --for=condition=Ready pod/late --timeout=15s

# deletion
k delete pod web --wait=false >/dev/null
ok 'a deleted pod goes, with a grace period of 30 s' busywait 10 gone pod web
pod web2 '"nodeName":"hollow-4"'
ok 'and its address is given out again' busywait 10 pod_is web2 '{.status.podIP}' 10.244.4.2
pod web3 '"nodeName":"hollow-4"'
ok 'a second pod has another' busywait 10 pod_is web3 '{.status.podIP}' 10.244.4.3
k patch pod late -p '{"metadata":{"finalizers":["example.com/hold"]}}' >/dev/null
k delete pod late --wait=false >/dev/null
ok 'before it goes it has ended' busywait 10 pod_is late '{.status.phase} {.status.containerStatuses[0].state.terminated.exitCode}' 'Failed 143'
k patch pod late --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]' >/dev/null
ok 'and goes when its finalizers have' busywait 10 gone pod late
ok 'a pod that runs on does' pod_is stays '{.status.phase}' Running
ok 'restartPolicy Always has no end' pod_is always '{.status.phase} {.status.containerStatuses[0].restartCount}' 'Running 0'

ok 'SIGTERM ends it' hollow_stop
said '[.nodes, .registered, .pods.removed, .pods.rejected, .pods.ended, .requests.failed, .leases.renewed > 20, .copyBytes > 1000]' \
	'[20,20,2,1,2,0,true,true]' 'and it reports what it did'

# again, with what is there
api PATCH /api/v1/nodes/hollow-4/status -H 'Content-Type: application/strategic-merge-patch+json' \
	-d '{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}' >/dev/null
hollow_start --start-delay 1s
ok 'a second run takes over its nodes and makes them ready' busywait 10 all_ready 20
pod web4 '"nodeName":"hollow-4"'
ok 'it gives no address twice' busywait 10 pod_is web4 '{.status.podIP}' 10.244.4.4
k delete node hollow-9 >/dev/null
k delete lease -n kube-node-lease hollow-10 >/dev/null
ok 'a lease that went away is made again' busywait 5 k get lease -n kube-node-lease hollow-10
ok 'a node that was deleted stays so' gone node hollow-9
hollow_stop
said '[.requests.failed, .requests.firstError]' '[1,"PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/hollow-10: 500: resourceVersion should not be set on objects to be created"]' \
	'what the server refuses is told'
said '[.pods.started, .pods.start.p50Milliseconds > 1000]' '[1,true]' '--start-delay passes before a pod runs'
ok 'cleanup' in_ns node "$BIN/xebec-bench" hollow --nodes 20 --cleanup
is "$(k get nodes,leases -n kube-node-lease -o name)" '' 'leaves neither nodes nor leases'

is "$(in_ns node "$BIN/xebec-bench" hollow --cpu many 2>&1)" 'xebec-bench: --cpu: "many" is not a quantity, such as 4 or 500m' 'a bad flag is named'
done_testing
