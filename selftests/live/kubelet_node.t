#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kubelet's Node, Lease, cgroups and images, by a driver that is these parts without pods: against a real API server as
# system:node:n1, the hollow runtime, then a real containerd with a registry that wants to know who asks.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"

node_up
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
mkdir -p "$TMP/n" "$TMP/root"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/n/key" -subj /O=system:nodes/CN=system:node:n1 2>/dev/null |
	openssl x509 -req -CA "$TMP/pki/ca.crt" -CAkey "$TMP/pki/ca.key" -CAcreateserial -days 1 -out "$TMP/n/crt" 2>/dev/null
cat >"$TMP/n/conf" <<EOF
{"clusters":[{"name":"x","cluster":{"server":"$API","certificate-authority":"$TMP/pki/ca.crt"}}],"contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
"current-context":"x","users":[{"name":"x","user":{"client-certificate":"$TMP/n/crt","client-key":"$TMP/n/key"}}]}
EOF
mkfifo "$TMP/n/in"
exec 7<>"$TMP/n/in"
# kubelet_start FLAGS...: what it prints is in $TMP/n/out, anew
kubelet_start() {
	: >"$TMP/n/out"
	XB_EXEC=exec on_node "$TOOLS/tools/kubelet_node" --kubeconfig "$TMP/n/conf" --root "$TMP/root" --cgroup-root "$PODS_CGROUP" \
		--sandbox-image "$PAUSE_IMAGE" "$@" <"$TMP/n/in" >"$TMP/n/out" 2>>"$TMP/n/err" &
	KUBELET_PID=$!
}
kill9() { { kill -9 "$1"; wait "$1"; } 2>/dev/null; }
tell() { echo "$*" >&7; }
said() { grep -qE -- "$1" "$TMP/n/out"; }
# says PATTERN DESCRIPTION: it prints such a line, soon
says() { if busywait 10 said "$1"; then _result 0 "$2"; else _result 1 "$2"; note "expected a line: $1"; note "$(cat "$TMP/n/out"; tail -n 20 "$TMP/n/err")"; fi; }
node() { raw /api/v1/nodes/n1 2>/dev/null | jq -r "$1"; }
node_is() { [ "$(node "$1")" = "$2" ]; }
ready() { node '.status.conditions[] | select(.type == "Ready") | .'"$1"; }
ready_is() { [ "$(ready status)" = "$1" ]; }
lease() { raw /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1 2>/dev/null | jq -r "$1"; }
lease_is() { [ "$(lease "$1")" = "$2" ]; }
lease_later() { [ "$(lease .spec.renewTime)" \> "$1" ]; }
reason() { k get events -o json | jq -r '.items[] | select(.involvedObject.kind == "Node") | .reason' | grep -qx "$1"; }

# --- the Node
start=$(date +%s%N)
kubelet_start --labels=team=a --taints=dedicated=x:NoExecute
busywait 5 ready_is True
took=$((($(date +%s%N) - start) / 1000000))
is "$(ready message)" 'kubelet is posting ready status' "the node is Ready with its first write ($took ms)"
is "$(node '.metadata.labels | to_entries | map("\(.key)=\(.value)") | sort | join(" ")')" \
	'beta.kubernetes.io/arch=amd64 beta.kubernetes.io/os=linux kubernetes.io/arch=amd64 kubernetes.io/hostname=n1 kubernetes.io/os=linux team=a' 'labels'
like "$(node '.spec.taints | map("\(.key)=\(.value):\(.effect)") | join(" ")')" 'dedicated=x:NoExecute' 'taints'
is "$(node '.status.addresses | map(.address) | join(" ")')" '192.0.2.1 2001:db8::1 n1' 'addresses of both families, and the name'
is "$(node '.status.capacity.memory + " " + .status.allocatable.memory + " " + .status.allocatable.cpu')" '8Gi 7580Mi 1500m' \
	'allocatable is less what is reserved, and what eviction keeps free'
is "$(node '.status.conditions | map("\(.type)=\(.status) \(.reason)") | join(", ")')" \
	'MemoryPressure=False KubeletHasSufficientMemory, DiskPressure=False KubeletHasNoDiskPressure, PIDPressure=False KubeletHasSufficientPID, Ready=True KubeletReady' \
	'conditions'
like "$(k get node n1 --no-headers)" '^n1 +Ready +<none> +[0-9]+s +v1\.33\.0' 'kubectl get nodes'
busywait 5 reason NodeReady
like "$(k describe node n1)" 'Starting kubelet\..*Node n1 status is now: NodeReady' 'kubectl describe node shows its Events'

busywait 5 lease_is .spec.holderIdentity n1
is "$(lease '"\(.spec.leaseDurationSeconds) \(.metadata.ownerReferences[0].kind) \(.metadata.ownerReferences[0].uid)"')" "2 Node $(node .metadata.uid)" \
	'a Lease that is the Node'"'"'s'
ok 'it is renewed' busywait 5 lease_later "$(lease .spec.renewTime)"
ok 'and again' busywait 5 lease_later "$(lease .spec.renewTime)"
version=$(node .metadata.resourceVersion)
busywait 5 lease_later "$(lease .spec.renewTime)"
is "$(node .metadata.resourceVersion)" "$version" 'the Node is not written while nothing changes'

uid=$(node .metadata.uid)
k delete node n1 >/dev/null
ok 'a Node that is deleted is made again' busywait 5 ready_is True
[ "$(node .metadata.uid)" != "$uid" ]; _result $? 'as another one'
ok 'whose Lease it is' busywait 5 lease_is '.metadata.ownerReferences[0].uid' "$(node .metadata.uid)"

uid=$(node .metadata.uid)
kill9 "$KUBELET_PID"
k label --overwrite node n1 kubernetes.io/hostname=wrong team=b >/dev/null
kubelet_start --labels=team=a
ok 'killed and back: labels that say what it is are put right' busywait 5 node_is '.metadata.labels["kubernetes.io/hostname"]' n1
is "$(node '.metadata.labels.team + " " + .metadata.uid')" "b $uid" 'others are the user'"'"'s, and it is the same Node'
kill "$KUBELET_PID"; wait "$KUBELET_PID"
is $? 0 'it ends when it is told to'

# --- pressure
pod() { # UID PRIORITY REQUESTS
	cat >"$TMP/$1.json" <<EOF
{"metadata":{"name":"$1","namespace":"default","uid":"$1","annotations":${NOTES:-null}},"spec":{"priority":$2,"terminationGracePeriodSeconds":7,"containers":[{"name":"main",
"image":"${IMAGE:-x}","imagePullPolicy":"${POLICY:-IfNotPresent}","resources":${3:-{\}}}],"imagePullSecrets":${SECRETS:-[]}}}
EOF
	tell pod "$TMP/$1.json"
	busywait 5 said "^cgroup .*/pod$1 "
}
kubelet_start --thresholds '{"evictionHard":{"memory.available":"100Ti"},"evictionPressureTransitionPeriod":"1s"}'
ok 'little memory is told' busywait 5 node_is '.status.conditions[0].status' True
is "$(node '.status.conditions[0].reason + ": " + .status.conditions[0].message')" \
	'KubeletHasInsufficientMemory: kubelet has insufficient memory available' 'in upstream'"'"'s words'
pod critical 2000000000
pod wanted 10
pod unwanted 0
says '^evict unwanted grace 1 The node was low on resource: memory\. Threshold quantity: 100Ti, available: [0-9]+(Ki|Mi|Gi)\. $' 'the pod of the lowest priority goes'
says '^evict wanted grace 1 ' 'later the next'
said '^evict critical'; is $? 1 'one that is critical never'
ok 'an Event says so' busywait 5 reason EvictionThresholdMet
kill9 "$KUBELET_PID"
kubelet_start
ok 'when there is enough again, that is told' busywait 5 node_is '.status.conditions[0].status' False
NOTES='{"bytes":"2000"}' pod free 0
NOTES='{"bytes":"2000"}' pod over 0 '{"limits":{"ephemeral-storage":"1Ki"}}'
says '^evict over grace 1 Pod ephemeral local storage usage exceeds the total limit of containers 1Ki\. $' 'a pod that takes more of the disk than it may goes'
said '^evict free'; is $? 1 'one that may take any amount stays'
{ kill -9 "$APISERVER_PID"; wait "$APISERVER_PID"; } 2>/dev/null
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
ok 'the API server killed and back: the Lease is renewed' busywait 10 lease_later "$(lease .spec.renewTime)"
is "$(node .metadata.uid)" "$uid" 'of the same Node'
kill9 "$KUBELET_PID"

# --- containerd
kubelet_start --endpoint "unix://$CONTAINERD_SOCKET"
busywait 5 ready_is False
is "$(ready message)" 'container runtime status check may not have completed yet' 'without a containerd the node is not ready'
containerd_start
ok 'with one that has no network neither' busywait 5 bash -c "[[ \$($(declare -f raw in_ns node ready); T=$T TMP=$TMP API=$API ready message) == container*network* ]]"
is "$(ready 'reason + ": " + .message')" \
	'KubeletNotReady: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized' \
	'in upstream'"'"'s words'
cni_none
start=$(date +%s%N)
busywait 5 ready_is True
is "$(ready status)" True "with a network it is ready ($((($(date +%s%N) - start) / 1000000)) ms)"
kill9 "$CONTAINERD_PID"
for i in 1 2 3; do busywait 5 lease_later "$(lease .spec.renewTime)"; done
is "$(ready status)" True 'a containerd that is being restarted is waited for'
containerd_start
like "$(node .status.nodeInfo.containerRuntimeVersion)" '^containerd://1\.' 'the runtime'"'"'s version'

# --- images
"$ROOT/selftests/tools/registry.py" "$TMP/port" "$TMP/registry.log" &
busywait 10 test -s "$TMP/port"
R=127.0.0.1:$(cat "$TMP/port")
secret() { # NAME AUTH
	k create secret docker-registry "$1" --docker-server="$R" --docker-username="${2%:*}" --docker-password="${2#*:}" >/dev/null
}
secret good reader:secret
secret bad reader:wrong
secret other reader:secret
image() { : >"$TMP/n/out"; IMAGE=$1 pod "$2" 0; tell image "$2"; }
image "$R/public/web-1000:1" i1
says "^event Normal Pulled Successfully pulled image \"$R/public/web-1000:1\" in [0-9.]+m?s \([0-9.]+m?s including waiting\)\. Image size: [0-9]+ bytes\.\$" 'an image is pulled'
says '^image sha256:[0-9a-f]{64} user  1000$' 'its user is a number'
says "^event Normal Pulling Pulling image \"$R/public/web-1000:1\"" 'which Pulling announced'
image "$R/public/web-1000:1" i1
says "^event Normal Pulled Container image \"$R/public/web-1000:1\" already present on machine" 'once'
image "$R/public/web-www:1" i2
says '^image sha256:[0-9a-f]{64} user www -1$' 'a user by name'
image "$R/public/absent:1" i3
says "^event Warning Failed Failed to pull image \"$R/public/absent:1\": rpc error: code = NotFound desc = failed to pull and unpack image .*: not found\$" 'one that is not there'
says '^image - ErrImagePull rpc error: code = NotFound' 'is ErrImagePull'
: >"$TMP/n/out"; tell image i3
says "^image - ImagePullBackOff Back-off pulling image \"$R/public/absent:1\": ErrImagePull: rpc error: code = NotFound" 'then ImagePullBackOff'
says '^event Warning Failed Error: ImagePullBackOff' 'with its Events'
image "$R/basic/web:1" i4
says '^image - ErrImagePull .*(401|authorization failed|no basic auth credentials)' 'a private one is not for everybody'
# asked IMAGE UID: again, when the secrets are known
asked() {
	image "$@"
	busywait 10 said '^image'
	said '^image - wait' || return
	busywait 5 said "^changed $2"
	tell image "$2"
}
SECRETS='[{"name":"other"}]' asked "$R/basic/web:1" i5
says '^event Warning FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets \(other\); attempting to pull the image may not succeed\.$' \
	'a secret that no pod of the node names is not for the node'
cat >"$TMP/names.json" <<EOF
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"names","namespace":"default"},"spec":{"nodeName":"n1","imagePullSecrets":[{"name":"good"},{"name":"bad"}],
"containers":[{"name":"main","image":"x"}]}}
EOF
k create -f "$TMP/names.json" >/dev/null
SECRETS='[{"name":"bad"},{"name":"good"}]' asked "$R/basic/web:1" i6
says '^image sha256:' 'with a pod that does it is, also when a wrong one is tried before'
SECRETS='[{"name":"good"}]' asked "$R/token/web:1" i7
says '^image sha256:' 'also where it buys a token'
ok 'the Node lists what is there' busywait 5 node_is '[.status.images[].names[] | select(endswith("public/web-1000:1"))] | length' 1
tell use "$R/public/web-1000:1"
tell use "$BUSYBOX_IMAGE"
tell collect
says '^collected [1-9][0-9]* 0$' 'unused images go'
is "$(ctr images ls -q | grep -v sha256 | sort | xargs)" "$(printf '%s\n' "$R/public/web-1000:1" "$BUSYBOX_IMAGE" "$PAUSE_IMAGE" | sort | xargs)" \
	'used ones stay, and the pause'
ok 'the Node says so' busywait 5 node_is '.status.images | length' 3

# --- cgroups
uid=0b1c-2d
IMAGE=$BUSYBOX_IMAGE pod $uid 0 '{"requests":{"cpu":"500m","memory":"64Mi"},"limits":{"cpu":"1","memory":"64Mi"}}'
P=$PODS_CGROUP/kubepods/burstable/pod$uid
says "^cgroup $P ok\$" 'a burstable pod'"'"'s cgroup'
value() { # CONTROLLER V1-FILE V2-FILE CGROUP: what the kernel has
	if [ -e "/sys/fs/cgroup/$1" ]; then cat "/sys/fs/cgroup/$1$4/$2"; else cat "$CGROUP2$4/$3"; fi
}
v() { if [ -e /sys/fs/cgroup/cpu ]; then echo "$1"; else echo "$2"; fi; }
is "$(value cpu cpu.shares cpu.weight "$P")" "$(v 512 20)" 'has its shares'
is "$(value cpu cpu.cfs_quota_us cpu.max "$P")" "$(v 100000 '100000 100000')" 'its quota'
is "$(value memory memory.limit_in_bytes memory.max "$P")" 67108864 'its limit of memory'
is "$(value cpu cpu.shares cpu.weight "$PODS_CGROUP/kubepods/burstable")" "$(v 512 20)" 'burstable pods together what they ask for'
is "$(value cpu cpu.shares cpu.weight "$PODS_CGROUP/kubepods/besteffort")" "$(v 2 1)" 'best-effort ones next to nothing'
is "$(value memory memory.limit_in_bytes memory.max "$PODS_CGROUP/kubepods")" $((8 * 1024 ** 3 - 512 * 1024 ** 2)) 'all of them what is allocatable'
ctr run -d --cgroup "$P/c1" "$BUSYBOX_IMAGE" c1 sh -c 'while :; do :; done' >"$TMP/run.log" 2>&1 || note "$(cat "$TMP/run.log")"
pid=$(ctr task ls | awk '$1 == "c1" { print $2 }')
is "$(awk -F: '$1 == 0 { print $3 }' "/proc/$pid/cgroup")" "$P/c1" 'a container given it is there in the v2 tree, to which kube-proxy attaches'
tell usage $uid c1
says '^usage [1-9][0-9]* [1-9][0-9]* 1$' 'what it uses is read'
tell usage $uid c2
says '^usage - No such file or directory$' 'of one that is not there nothing'
kill9 "$KUBELET_PID"
kubelet_start --endpoint "unix://$CONTAINERD_SOCKET"
tell remove $uid
says "^removed $uid ok\$" 'killed and back: what is left in a pod'"'"'s cgroup is killed'
[ -d "/proc/$pid" ]; is $? 1 'it has ended'
is "$(find /sys/fs/cgroup -type d -path "*$P*" 2>/dev/null)" '' 'and its cgroup is gone from every tree'
kill "$KUBELET_PID"; wait "$KUBELET_PID"
is $? 0 'nothing is left open'
done_testing
