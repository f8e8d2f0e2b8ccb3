#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kubectl port-forward to a container, MIB each way at once: all of it comes, and neither the API server nor the kubelet grows.
. "$(dirname "$0")/../cluster.sh"
MIB=${MIB:-32}

cluster_up
k run echo --image=busybox --image-pull-policy=IfNotPresent --command -- nc -ll -p 7000 -e cat >/dev/null
ok 'an echo runs' k wait pod/echo --for=condition=Ready --timeout=20s
memory() { awk '/^RssAnon/ { print $2 }' "/proc/$(xebec status --name "$CLUSTER" -o json | jq ".\"node-1\".\"$1\".pid")/status"; }
# through CLIENT PORT KUBECTL
through() {
	local api kubelet forward
	"$3" port-forward pod/echo "$2:7000" >"$TMP/$1" 2>&1 & forward=$!
	busywait 5 grep -q Forwarding "$TMP/$1"
	is "$("$ROOT/selftests/tools/echo_through.py" "$2" 4)" '4194304 the same' "$1: there and back"
	api=$(memory kube-apiserver) kubelet=$(memory kubelet)
	is "$("$ROOT/selftests/tools/echo_through.py" "$2" "$MIB")" "$((MIB << 20)) the same" "$1: $MIB MiB each way"
	note "API server: $api kB before, $(memory kube-apiserver) after; kubelet: $kubelet kB before, $(memory kubelet) after"
	ok "$1: the API server does not grow" test "$(memory kube-apiserver)" -lt $((api + 1500))
	ok "$1: the kubelet does not grow" test "$(memory kubelet)" -lt $((kubelet + 1500))
	kill $forward; wait $forward 2>/dev/null
}
through 1.32 7132 "$KUBECTL"
through 1.20 7120 "$KUBECTL_120"
done_testing
