#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a list or a watch may ask, and what comes of it: revisions, pages, selectors, forms.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
maps=/api/v1/namespaces/default/configmaps
make() { api POST $maps -H 'Content-Type: application/json' -d "{\"metadata\":{\"name\":\"$1\",\"labels\":{\"odd\":\"$2\"}}}" | head -n -1 | jq -r .metadata.resourceVersion; }
make c1 1 >/dev/null
make c2 0 >/dev/null
at=$(make c3 1)
last=$(make c4 0)
# list QUERY [curl arguments...]: revision, names, what is left; or the code and the message
list() {
	api GET "$maps?$1" "${@:2}" | head -n -1 | jq -r 'if .kind == "Status" then "\(.code) \(.message)" else
		"\(.metadata.resourceVersion) \([(.items // [.rows[].object])[].metadata.name] | join(",")) \(.metadata.remainingItemCount // "-") \(.metadata.continue != null)" end'
}
# watch NAME QUERY [curl arguments...]: in the background, for a second; watched NAME: type, kind and name of each event
watch() {
	in_ns node curl -sN --max-time 1 --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "${@:3}" "$API$maps?watch=1&$2" >"$TMP/watch-$1" &
	watches="${watches:-} $!"
}
watched() { jq -rc '"\(.type) \(.object.kind) \(.object.metadata.name // .object.rows[0].cells[0]?) \(.object.metadata.annotations // "")"' "$TMP/watch-$1"; }
token() { api GET "$maps?$1" | head -n -1 | jq -r '.metadata.continue | @uri'; }
invalid='422 ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch:'

# --- at which revision ---
is "$(list "resourceVersion=$at&resourceVersionMatch=Exact")" "$at c1,c2,c3 - false" 'exactly at a revision'
is "$(list "resourceVersion=$at&resourceVersionMatch=NotOlderThan")" "$last c1,c2,c3,c4 - false" 'not older than one'
is "$(list resourceVersion=0)" "$last c1,c2,c3,c4 - false" 'any'
is "$(list "resourceVersion=$at&limit=2")" "$at c1,c2 - true" 'a page at a revision is of that revision'
like "$(list resourceVersion=99999999)" "^504 Timeout: Too large resource version: 99999999, current: $last" 'one to come'
is "$(list resourceVersionMatch=Exact)" "$invalid Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided" 'a match of nothing'
is "$(list 'resourceVersion=1&resourceVersionMatch=x')" "$invalid Unsupported value: \"x\": supported values: \"Exact\", \"NotOlderThan\", \"\"" 'an unknown match'
is "$(list 'resourceVersion=0&resourceVersionMatch=Exact')" "$invalid Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"" 'exactly any'
is "$(list sendInitialEvents=true)" '422 ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list' 'a list has no events'

# --- pages ---
is "$(list limit=3)" "$last c1,c2,c3 1 true" 'a page, and how many are left'
is "$(list 'limit=1&labelSelector=odd%3D1')" "$last c1 - true" 'with a selector nobody counts what is left'
more=$(token limit=2)
odd=$(token 'limit=1&labelSelector=odd%3D1')
make c5 1 >/dev/null
is "$(list "limit=2&continue=$more")" "$last c3,c4 - false" 'the next page is of the same revision'
is "$(list "limit=5&labelSelector=odd%3D1&continue=$odd")" "$last c3 - false" 'so is one with a selector'
is "$(list "limit=2&continue=$more&resourceVersion=$at")" '400 specifying resource version is not allowed when using continue' 'a token is of one revision'
is "$(list "limit=2&continue=$more&resourceVersion=1&resourceVersionMatch=Exact")" "$invalid Forbidden: resourceVersionMatch is forbidden when continue is provided" 'and matches none'
like "$(list 'continue=abc')" '^400 invalid continue token: continue key is not valid' 'a token that is none'
table='Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
is "$(list limit=2 -H "$table" | cut -d' ' -f2-)" 'c1,c2 3 true' 'a table has pages as well'
is "$(list "limit=9&continue=$more" -H "$table")" "$last c3,c4 - false" 'which go on'

# --- watches ---
watch list 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=odd%3D0'
watch one 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3Dc1'
watch since "resourceVersion=$at"
watch metadata 'fieldSelector=metadata.name%3Dc2' -H 'Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
watch table 'fieldSelector=metadata.name%3Dc2' -H "$table"
# shellcheck disable=SC2086 # a list
wait $watches
is "$(watched list)" $'ADDED ConfigMap c2 \nADDED ConfigMap c4 \nBOOKMARK ConfigMap null {"k8s.io/initial-events-end":"true"}' 'a list by watching, and its end'
is "$(watched one)" 'ADDED ConfigMap c1 ' 'without bookmarks no end'
is "$(watched since)" $'ADDED ConfigMap c4 \nADDED ConfigMap c5 ' 'from a revision on'
is "$(watched metadata)" 'ADDED PartialObjectMetadata c2 ' 'metadata alone'
is "$(watched table)" 'ADDED Table c2 ' 'rows of a table'
at=$(api POST $maps -H 'Content-Type: application/json' -d '{"metadata":{"name":"held","finalizers":["example.com/hold"]}}' | head -n -1 | jq -r .metadata.resourceVersion)
api DELETE $maps/held >/dev/null
api PATCH $maps/held -H 'Content-Type: application/merge-patch+json' -d '{"metadata":{"finalizers":null}}' >/dev/null
watch held "resourceVersion=$at&fieldSelector=metadata.name%3Dheld"
wait $!
is "$(jq -c '[.type, .object.metadata.finalizers]' "$TMP/watch-held" | xargs)" '[MODIFIED,[example.com/hold]] [DELETED,[example.com/hold]]' \
	'what ends with its last finalizer is told as it last was'
is "$(list 'watch=1&sendInitialEvents=true&resourceVersionMatch=Exact')" \
	'422 ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]' 'initial events of no older revision only'
is "$(list 'watch=1&resourceVersionMatch=NotOlderThan')" "$invalid Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided" 'and no match without them'

# --- fields ---
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"nodeName":"n1","serviceAccountName":"a","containers":[{"name":"c","image":"i"}]}}
EOF
# by PATH SELECTOR: names, or the message
by() { api GET "/$1" -G --data-urlencode "fieldSelector=$2" | head -n -1 | jq -r '.message // ([.items[].metadata.name] | join(","))'; }
for field in spec.nodeName=n1 spec.host=n1 spec.restartPolicy=Always spec.schedulerName=default-scheduler spec.serviceAccountName=a spec.hostNetwork=false \
	status.phase=Pending status.podIP= 'status.podIPs!=10.0.0.1' status.nominatedNodeName= 'status.phase!=Running,metadata.name=p'; do
	is "$(by api/v1/pods "$field")" p "a pod by $field"
done
is "$(by api/v1/pods spec.nodeName!=n1)" '' 'and none by what is not so'
is "$(by api/v1/pods spec.image=i)" 'field label not supported: spec.image' 'by no other'
is "$(by api/v1/configmaps data.a=b)" '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"' 'most kinds have two'
while read -r path field; do
	is "$(by "$path" "$field")" '' "$path $field"
done <<'EOF'
api/v1/nodes spec.unschedulable=true
api/v1/namespaces status.phase=Terminating
api/v1/secrets type=Opaque
api/v1/services spec.type=NodePort
api/v1/services spec.clusterIP=None
api/v1/replicationcontrollers status.replicas=1
apis/apps/v1/replicasets status.replicas=1
apis/batch/v1/jobs status.successful=1
apis/certificates.k8s.io/v1/certificatesigningrequests spec.signerName=x
api/v1/events involvedObject.kind=Pod,involvedObject.name=x,reason=y,source=z,reportingComponent=k,type=Normal
apis/events.k8s.io/v1/events regarding.name=x,reportingController=y
EOF
is "$(k get namespaces --field-selector status.phase=Active,metadata.name!=default -o name | wc -l)" 3 'and kubectl asks so'

# --- what the history no longer holds ---
stop "$APISERVER_PID"
apiserver_start --etcd-compaction-interval=1s
old=$(token 'limit=2')
api DELETE $maps/c1 >/dev/null
make c5 1 >/dev/null
expired() { list "limit=2&continue=$old" | grep -q '^410 '; }
ok 'a page too old is refused' busywait 20 expired
answer=$(api GET "$maps?limit=2&continue=$old" | head -n -1)
is "$(jq -r '"\(.reason) \(.message)"' <<<"$answer" | cut -c1-91)" 'Expired The provided continue parameter is too old to display a consistent list result. You' 'in words'
is "$(list "limit=9&continue=$(jq -r '.metadata.continue | @uri' <<<"$answer")" | cut -d' ' -f2)" c3,c4,c5 'its token goes on with what there is now'
is "$(list "resourceVersion=$at&resourceVersionMatch=Exact" | cut -c1-3)" 410 'so is a list as of then'
watch compacted "resourceVersion=$at"
wait $watches
is "$(jq -rc '"\(.type) \(.object.code) \(.object.reason)"' "$TMP/watch-compacted")" 'ERROR 410 Expired' 'a watch from then is told so'
done_testing
