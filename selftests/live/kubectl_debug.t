#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kubectl debug, 1.32 and 1.20: a container in a running pod, a copy of a pod, a pod that looks into a node.
. "$(dirname "$0")/../cluster.sh"

cluster_up
k run web --image=nginx --image-pull-policy=IfNotPresent --labels=app=web >/dev/null
ok 'a pod runs' k wait pod/web --for=condition=Ready --timeout=20s

# --- in the pod ---
# in_pod NAME COMMAND: once kubectl is attached. Its input has no end, for with that containerd lets go of the output, too
mkfifo "$TMP/input"
exec 8<>"$TMP/input"
in_pod() { echo go >&8; timeout 20 "$KUBECTL" debug web -q -i --image=busybox --image-pull-policy=IfNotPresent --profile=general --target=web -c "$1" -- sh -c "read -r go; $2" <&8 2>&1; }
like "$(in_pod net 'wget -qO- http://127.0.0.1/')" 'Welcome to nginx' '1.32: a container in the network of the pod'
like "$(in_pod pid 'cat /proc/1/comm')" nginx 'and among the processes of the container that it targets'
is "$(pod web '[.status.ephemeralContainerStatuses[] | .name, .state.terminated.reason] | join(" ")')" 'net Completed pid Completed' 'the pod says what became of them'
is "$(pod web .status.containerStatuses[0].restartCount)" 0 'and its own container runs on'
# As upstream's servers: that client sends a kind which was alpha and is no more.
is "$(k120 debug web -c shell --image=busybox --attach=false 2>&1)" \
	'error: error updating ephemeral containers: EphemeralContainers in version "v1" cannot be handled as a Pod: no kind "EphemeralContainers" is registered for version "v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"' \
	'1.20: the kind it sends is refused in words'
is "$(pod web '.spec.ephemeralContainers | length')" 2 'and changes nothing'

# debugs CLIENT KUBECTL FLAGS...
debugs() {
	local v=$1 kubectl=$2 name
	shift 2
	# --- a copy ---
	"$kubectl" debug web --copy-to="copy-$v" --share-processes -c shell --image=busybox --attach=false "$@" -- sleep 1000 >/dev/null
	ok "$v: a copy with another container" k wait "pod/copy-$v" --for=condition=Ready --timeout=20s
	like "$("$kubectl" exec "copy-$v" -c shell -- sh -c 'wget -qO- http://127.0.0.1/; cat /proc/*/comm')" 'Welcome to nginx.*nginx' "$v: which sees the other's processes and network"
	is "$(pod "copy-$v" '.metadata.labels.app, .spec.nodeName' | tr '\n' ' ')" 'null node-1 ' "$v: nobody's Service takes it for the pod"
	# --- a node ---
	name=$("$kubectl" debug node/node-1 --image=busybox --attach=false "$@" -- sleep 1000 | grep -o 'node-debugger-[a-z0-9-]*')
	ok "$v: a pod on a node" k wait "pod/$name" --for=condition=Ready --timeout=20s
	is "$(pod "$name" .status.podIP)" "$(k get node node-1 -o jsonpath='{.status.addresses[0].address}')" "$v: in its network"
	is "$("$kubectl" exec "$name" -- cat /host/proc/sys/kernel/random/boot_id)" "$(cat /proc/sys/kernel/random/boot_id)" "$v: with its files"
	is "$("$kubectl" exec "$name" -- cat /proc/1/comm)" "$(cat /proc/1/comm)" "$v: and its processes"
}
debugs 1.32 "$KUBECTL" --profile=general
debugs 1.20 "$KUBECTL_120"
done_testing
