#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Server-side apply and managedFields, as kubectl and controllers use them.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
[ "$(kubectl_minor)" -ge 28 ] || { echo "1..0 # SKIP needs a newer kubectl"; exit 0; }

# raw METHOD PATH TYPE USER-AGENT BODY: the answer's body
raw() { in_ns node curl -sk -X "$1" -H 'Authorization: Bearer admintoken' -H "Content-Type: $3" -H "User-Agent: $4" "$API$2" -d "$5"; }
# owners KIND NAME [SUBRESOURCE]: "manager operation f:... ;" of each entry
owners() { k get "$1" "$2" --show-managed-fields -o json | jq -rc '[(.metadata.managedFields // []) | sort_by(.operation, .manager)[] | "\(.manager) \(.operation)\(if .subresource then "/" + .subresource else "" end) \(.fieldsV1 | tojson)"] | join(" ; ")'; }
# has TEXT PART DESCRIPTION
has() { is "$(grep -oF -- "$2" <<<"$1" | head -1)" "$2" "$3"; }
cm=/api/v1/namespaces/default/configmaps
merge=application/merge-patch+json apply=application/apply-patch+yaml json=application/json

# --- kubectl
config() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {%s}\n' "$1"; }
is "$(config 'a: "1", b: "1"' | k apply --server-side -f - 2>&1)" 'configmap/cm serverside-applied' 'apply --server-side makes what is missing'
is "$(owners cm cm)" 'kubectl Apply {"f:data":{"f:a":{},"f:b":{}}}' 'kubectl owns what it applied'
is "$(k get cm cm -o json | jq '.metadata.managedFields')" null 'get leaves managedFields out'
is "$(config 'c: "1"' | k apply --server-side --field-manager=two -f - 2>&1)" 'configmap/cm serverside-applied' '--field-manager'
is "$(k get cm cm -o json | jq -c .data)" '{"a":"1","b":"1","c":"1"}' 'both are there'
like "$(config 'a: "2", c: "1"' | k apply --server-side --field-manager=two -f - 2>&1)" \
	'Apply failed with 1 conflict: conflict with "kubectl": .data.a' 'a conflict'
is "$(config 'a: "2", c: "1"' | k apply --server-side --field-manager=two --force-conflicts -f - 2>&1)" 'configmap/cm serverside-applied' '--force-conflicts'
is "$(owners cm cm)" 'kubectl Apply {"f:data":{"f:b":{}}} ; two Apply {"f:data":{"f:a":{},"f:c":{}}}' 'force moves the ownership'
is "$(config 'b: "1"' | k diff --server-side -f - 2>&1)" '' 'diff --server-side: nothing'
like "$(config 'b: "7"' | k diff --server-side -f - 2>&1)" '\+  b: "7"' 'diff --server-side: a change'
is "$(config 'b: "7"' | k apply --server-side --dry-run=server -f - 2>&1)" 'configmap/cm serverside-applied (server dry run)' '--dry-run=server'
is "$(k get cm cm -o json | jq -c .data)" '{"a":"2","b":"1","c":"1"}' 'nothing was written'
before=$(k get cm cm -o 'jsonpath={.metadata.resourceVersion}')
config 'b: "1"' | k apply --server-side -f - >/dev/null
is "$(k get cm cm -o 'jsonpath={.metadata.resourceVersion}')" "$before" 'applied again, nothing is written'
config '' | k apply --server-side -f - >/dev/null
is "$(k get cm cm -o json | jq -c .data)" '{"a":"2","c":"1"}' 'what is no longer applied goes'

# --- updates
k create cm up --from-literal=a=1 --from-literal=b=1 >/dev/null
is "$(owners cm up)" 'kubectl-create Update {"f:data":{".":{},"f:a":{},"f:b":{}}}' 'create'
k patch cm up --type=merge -p '{"data":{"a":"2"}}' >/dev/null
is "$(owners cm up)" 'kubectl-create Update {"f:data":{".":{},"f:b":{}}} ; kubectl-patch Update {"f:data":{"f:a":{}}}' 'who changes a field owns it'
raw PATCH $cm/up $merge 'agent/1.0 (x)' '{"data":{"b":null,"c":"1"}}' >/dev/null
is "$(owners cm up)" 'agent Update {"f:data":{"f:c":{}}} ; kubectl-create Update {"f:data":{}} ; kubectl-patch Update {"f:data":{"f:a":{}}}' \
	'the User-Agent is the manager; what is gone nobody owns'
version=$(k get cm up -o 'jsonpath={.metadata.resourceVersion}')
raw PATCH $cm/up $merge other '{"data":{"c":"1"}}' >/dev/null
is "$(k get cm up -o 'jsonpath={.metadata.resourceVersion}')" "$version" 'a patch that changes nothing writes nothing'
like "$(config 'a: "3"' | sed 's/name: cm/name: up/' | k apply --server-side --field-manager=late -f - 2>&1)" \
	'conflict with "kubectl-patch" using v1: .data.a' 'an apply conflicts with an update'
raw PATCH $cm/up $merge x '{"metadata":{"managedFields":[{"manager":"bad"}]},"data":{"d":"1"}}' >/dev/null
has "$(owners cm up)" 'kubectl-patch Update {"f:data":{"f:a":{}}} ; x Update {"f:data":{"f:d":{}}}' 'managedFields that are not well formed are ignored'
raw PATCH $cm/up $merge x '{"metadata":{"managedFields":[{}]}}' >/dev/null
is "$(owners cm up)" '' '[{}] ends the keeping'
k patch cm up --type=merge -p '{"data":{"a":"4"}}' >/dev/null
is "$(owners cm up)" '' 'and it stays ended'
config 'a: "4"' | sed 's/name: cm/name: up/' | k apply --server-side -f - >/dev/null
is "$(owners cm up)" 'kubectl Apply {"f:data":{"f:a":{}}} ; before-first-apply Update {"f:data":{".":{},"f:a":{},"f:c":{},"f:d":{}}}' \
	'an apply finds owners for what was there'
k create cm many >/dev/null
for i in $(seq 12); do raw PATCH $cm/many $merge "m$i" "{\"data\":{\"k$i\":\"1\"}}" >/dev/null; done
is "$(owners cm many | tr ';' '\n' | grep -c Update)" 0 'an object made with nothing to own is not tracked'
k create cm much --from-literal=a=1 >/dev/null
for i in $(seq 12); do raw PATCH $cm/much $merge "m$i" "{\"data\":{\"k$i\":\"1\"}}" >/dev/null; done
is "$(owners cm much | tr ';' '\n' | grep -c Update)" 10 'at most ten updaters'
has "$(owners cm much)" 'ancient-changes Update {"f:data":{".":{},"f:a":{},"f:k' 'the oldest become one'

# --- objects with status, lists by key, subresources
cat >"$TMP/rc.yaml" <<'Y'
apiVersion: v1
kind: ReplicationController
metadata: {name: rc}
spec:
  replicas: 2
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: x, image: "i:1", ports: [{containerPort: 80}]}]}
Y
k apply --server-side -f "$TMP/rc.yaml" >/dev/null
k scale rc rc --replicas=3 >/dev/null
has "$(owners rc rc)" 'kubectl Update/scale {"f:spec":{"f:replicas":{}}}' 'a scale owns replicas'
like "$(k apply --server-side -f "$TMP/rc.yaml" 2>&1)" 'conflict with "kubectl" with subresource "scale" using v1: .spec.replicas' 'and conflicts'
sed -e '/replicas/d' -e 's/name: x/name: z/' -e 's/i:1/i:2/' "$TMP/rc.yaml" | k apply --server-side --field-manager=other -f - >/dev/null
is "$(k get rc rc -o json | jq -rc '[.spec.template.spec.containers[] | .name + " " + .image]')" '["x i:1","z i:2"]' 'another manager adds a container'
raw PATCH /api/v1/namespaces/default/replicationcontrollers/rc/status $merge ctl '{"status":{"replicas":1},"spec":{"replicas":9}}' >/dev/null
has "$(owners rc rc)" 'ctl Update/status {"f:status":{"f:replicas":{}}}' 'status has its own entries'
has "$(owners rc rc)" '"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}' 'keys carry their defaults'

# --- from client-side apply to server-side
config 'a: "1"' | sed 's/name: cm/name: mig/' >"$TMP/mig.yaml"
k apply -f "$TMP/mig.yaml" >/dev/null
is "$(sed 's/"1"/"2"/' "$TMP/mig.yaml" | k apply --server-side -f - 2>&1 | grep -v Warning)" 'configmap/mig serverside-applied' 'what kubectl applied before is no conflict'
like "$(k get cm mig -o json | jq -r '.metadata.annotations[]')" '"a":"2"' 'its annotation follows'

# --- faults
status() { jq -rc '"\(.code) \(.reason) \(.message)"'; }
is "$(raw PATCH $cm/cm $apply x '{"apiVersion":"v1","kind":"ConfigMap"}' | status)" \
	'422 Invalid PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch' 'no manager'
is "$(raw PATCH "$cm/cm?force=true" $merge x '{}' | status)" \
	'422 Invalid PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch' 'force elsewhere'
is "$(raw PATCH "$cm/cm?fieldManager=x" $apply x '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"cm"}}' | status)" \
	'400 BadRequest invalid object type: /v1, Kind=Secret' 'another kind'
is "$(raw PATCH "$cm/cm?fieldManager=x" $apply x '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"managedFields":[]}}' | status)" \
	'400 BadRequest metadata.managedFields must be nil' 'managedFields in a configuration'
is "$(raw PATCH "$cm/cm?fieldManager=x" $apply x '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm"},"daata":{}}' | status)" \
	'500 null failed to create typed patch object (default/cm; /v1, Kind=ConfigMap): .daata: field not declared in schema' 'a field that is none'
is "$(raw PATCH "$cm/new?fieldManager=x" $apply x '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"old"}}' | status)" \
	'400 BadRequest the name of the object (old) does not match the name on the URL (new)' 'another name'
like "$(raw PATCH "$cm/cm?fieldManager=$(printf 'x%.0s' $(seq 129))" $apply x '{"apiVersion":"v1","kind":"ConfigMap"}' | status)" \
	'422 Invalid .*fieldManager: Too long: may not be more than 128 bytes' 'a long name'
done_testing
