#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Pods that nobody else would delete go: of nodes that are gone, the oldest of too many that are over. It takes the 40 s that a node
# has to come back, and the 20 s between two looks.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false --controllers=pod-garbage-collector-controller --terminated-pod-gc-threshold=2

gone() { ! k get pod "$1" -o name; }
pod() { # name, node
	echo "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"$1\"},\"spec\":{\"nodeName\":\"$2\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}" |
		k create -f - >/dev/null
}
over() { k patch pod "$1" --subresource=status --type=merge -p "{\"status\":{\"phase\":\"$2\"${3:-}}}" >/dev/null; }
node() { echo "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"$1\"}}" | k create -f - >/dev/null; }

node here
node dies
for p in a b c d; do pod $p here; done
over a Succeeded
over b Failed
over c Failed ',"reason":"Evicted"'
over d Succeeded
pod lost dies
pod astray nowhere
pod running here
XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' \
	"$API/api/v1/namespaces/default/pods?watch=true" >"$TMP/watch" &
k delete node dies >/dev/null
ok 'when too many are over, one that was evicted goes first' busywait 30 gone c
ok 'then the oldest' busywait 5 gone a
is "$(k get pods -o name | tr '\n' ' ')" 'pod/astray pod/b pod/d pod/lost pod/running ' 'the others stay'
ok 'a pod whose node was deleted goes' busywait 60 gone lost
ok 'and one whose node never was' busywait 10 gone astray
is "$(jq -c 'select(.type == "MODIFIED" and .object.metadata.name == "lost" and .object.status.phase == "Failed") |
	[.object.status.conditions[] | select(.type == "DisruptionTarget") | [.status, .reason, .message]]' "$TMP/watch" | head -1)" \
	'[["True","DeletionByPodGC","PodGC: node no longer exists"]]' 'which tells why'
is "$(k get pods -o name | tr '\n' ' ')" 'pod/b pod/d pod/running ' 'pods of nodes that are there stay'
done_testing
