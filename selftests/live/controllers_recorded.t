#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a real controller manager was seen to do with a ReplicationController, ours does: the recorded calls are made again, and
# pods, owners, labels, Events and the object's end are compared. Left out: names, times, and what nodes do to pods.
. "$(dirname "$0")/../lib.sh"
RECORD=$DATA/behaviour/controllers.json
[ -r "$RECORD" ] || { echo "1..0 # SKIP no recorded behaviour at $RECORD"; exit 0; }

node_up
apiserver_start
kcm_start --leader-elect=false
k create namespace demo >/dev/null

substance='{
	made: [.[] | select(.type == "ADDED" and .object.kind == "Pod") | .object.metadata |
		{ generateName, labels, owners: [.ownerReferences[]? | { apiVersion, kind, name, controller, blockOwnerDeletion }] }],
	released: [.[] | select(.type == "MODIFIED" and .object.kind == "Pod" and .object.metadata.ownerReferences == null) |
		.object.metadata | { labels, generateName }] | unique,
	told: [.[] | select(.type == "ADDED" and .object.kind == "Event" and .object.involvedObject.kind == "ReplicationController") | .object |
		{ type, reason, message: (.message | sub("-[a-z0-9]{5}$"; "")), component: .source.component, of: .involvedObject.name, count }],
	last: [.[] | select(.object.kind == "ReplicationController") | .object] | last |
		{ spec: .spec.replicas, generation: .metadata.generation, replicas: .status.replicas,
		  labelled: .status.fullyLabeledReplicas, observed: .status.observedGeneration } }'
recorded() { jq -cS --arg t "$1" ".[] | select(.title == \$t) | .events | $substance" "$RECORD"; }

# --- our side: three watches, of which each manipulation sees what came since the one before, and the object as it is now ---
declare -A mark
for kind in pods events replicationcontrollers; do
	XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' \
		"$API/api/v1/namespaces/demo/$kind?watch=true" >"$TMP/$kind" &
	mark[$kind]=0
done
ours() { for kind in "${!mark[@]}"; do tail -n +$((mark[$kind] + 1)) "$TMP/$kind"; done | jq -cS -s "$substance"; }
same() { [ "$(ours)" = "$expected" ]; }
manipulation() { # title, path instead of the recorded one
	local call method path body type='application/merge-patch+json'
	expected=$(recorded "$1")
	call=$(jq -c --arg t "$1" '.[] | select(.title == $t) | .calls[0]' "$RECORD")
	method=$(jq -r .method <<<"$call") path=${2:-$(jq -r .path <<<"$call")} body=$(jq -c .body <<<"$call")
	[ "$method" = PATCH ] || type=application/json
	if [ "$body" = null ]; then api "$method" "$path" >/dev/null; else api "$method" "$path" -H "Content-Type: $type" -d "$body" >/dev/null; fi
	busywait 5 same
	is "$(ours)" "$expected" "$1"
	for kind in pods events; do mark[$kind]=$(wc -l <"$TMP/$kind"); done
}
a_pod() { echo "/api/v1/namespaces/demo/pods/$(k get pods -n demo -l app=nginx -o 'jsonpath={.items[0].metadata.name}')"; }

manipulation 'rc of one and its service'
manipulation 'scale rc to three'
manipulation 'delete one pod' "$(a_pod)"
manipulation 'relabel one pod away' "$(a_pod)"
manipulation 'scale rc to one'
manipulation 'delete rc, background'
done_testing
