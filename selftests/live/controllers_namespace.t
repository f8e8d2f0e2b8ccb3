#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A namespace is deleted with everything in it: of many kinds, with finalizers and grace periods, told of by conditions in
# upstream's words; the controller manager is killed in the middle.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false

gone() { [ "$(api GET "/api/v1/namespaces/$1" | tail -1)" = 404 ]; }
condition() { raw "/api/v1/namespaces/$1" | jq -r ".status.conditions[]? | select(.type == \"$2\") | \"\(.status) \(.reason) \(.message)\""; }
told() { [ "$(condition "$1" "$2")" = "$3" ]; } # namespace, type, status reason message
left() { k get configmaps,services,pods,secrets,serviceaccounts,roles,deployments -n "$1" -o name --ignore-not-found; }

# --- content of many kinds; one object that somebody holds; a pod that takes its time ---
k create namespace full >/dev/null
k create configmap a -n full >/dev/null
k create secret generic b -n full >/dev/null
k create service clusterip c -n full --tcp=80 >/dev/null
k create role d -n full --verb=get --resource=pods >/dev/null
k create deployment e -n full --image=nginx --replicas=0 >/dev/null
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"held","namespace":"full","finalizers":["example.com/hold"]}}
EOF
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"slow","namespace":"full"},"spec":{"nodeName":"n","terminationGracePeriodSeconds":3,
"containers":[{"name":"c","image":"i"}]}}
EOF
api PATCH /api/v1/namespaces/full/pods/slow/status -H 'Content-Type: application/merge-patch+json' -d '{"status":{"phase":"Running"}}' >/dev/null
k create namespace empty >/dev/null
k create namespace other >/dev/null
k create configmap a -n other >/dev/null
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kept"},"spec":{"finalizers":["example.com/keep"]}}
EOF
k delete namespace full empty kept --wait=false >/dev/null
ok 'an empty namespace goes' busywait 10 gone empty
ok 'a pod has its grace period' busywait 10 told full NamespaceContentRemaining 'True SomeResourcesRemain Some resources are remaining: pods. has 1 resource instances'
is "$(k get configmap a -n full -o name)" configmap/a 'and while there are pods, all else stays'
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
k delete pod slow -n full --grace-period=0 --force >/dev/null 2>&1
kcm_start --leader-elect=false
ok 'the next process goes on, and tells what is left' busywait 10 told full NamespaceContentRemaining \
	'True SomeResourcesRemain Some resources are remaining: configmaps. has 1 resource instances'
is "$(condition full NamespaceFinalizersRemaining)" \
	'True SomeFinalizersRemain Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances' \
	'and who holds it'
is "$(condition full NamespaceDeletionContentFailure)" 'False ContentDeleted All content successfully deleted, may be waiting on finalization' \
	'that is no failure'
is "$(condition full NamespaceDeletionDiscoveryFailure)" 'False ResourcesDiscovered All resources successfully discovered' 'all kinds are known'
is "$(condition full NamespaceDeletionGroupVersionParsingFailure)" 'False ParsedGroupVersions All legacy kube types successfully parsed' \
	'and their versions'
is "$(left full)" configmap/held 'nothing else is left'
like "$(k create configmap late -n full 2>&1)" 'because it is being terminated' 'nothing new comes in'
k patch configmap held -n full --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
ok 'when it is let go, the namespace goes' busywait 15 gone full
is "$(k get configmap a -n other -o name)" configmap/a 'other namespaces are left alone'

is "$(k get namespace kept -o json | jq -c .spec.finalizers)" '["example.com/keep"]' 'a finalizer of somebody else stays, and keeps the namespace'
done_testing
