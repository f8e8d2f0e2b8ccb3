#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ReplicationControllers and ReplicaSets keep their number of pods: kubectl makes, scales, relabels and deletes; the controller
# manager is killed in the middle. There are no nodes: pods stay Pending, and a deletion of one is at once.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false

pods() { k get pods -l "app=$1" -o name | wc -l; }
has() { [ "$(pods "$1")" = "$2" ]; } # label, number
status() { k get "$1" -o "jsonpath={.status.$2}"; }
events() { k get events -o json | jq -c "[.items[] | select(.involvedObject.name == \"$1\" and .reason == \"$2\")]"; }
set_of() { # kind, apiVersion, name, replicas, selector
	cat <<EOF
{"apiVersion":"$2","kind":"$1","metadata":{"name":"$3"},"spec":{"replicas":$4,"selector":$5,
"template":{"metadata":{"labels":{"app":"$3","tier":"front"},"annotations":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"nginx:1.14"}]}}}}
EOF
}
rc() { set_of ReplicationController v1 "$1" "$2" "{\"app\":\"$1\"}"; }
rs() { set_of ReplicaSet apps/v1 "$1" "$2" "{\"matchLabels\":{\"app\":\"$1\"}}"; }

# --- a replication controller of one ---
rc web 1 | k create -f - >/dev/null
ok 'a pod is made' busywait 5 has web 1
pod=$(k get pods -l app=web -o json | jq '.items[0]')
uid=$(k get rc web -o 'jsonpath={.metadata.uid}')
is "$(jq -cS .metadata.ownerReferences <<<"$pod")" \
	"[{\"apiVersion\":\"v1\",\"blockOwnerDeletion\":true,\"controller\":true,\"kind\":\"ReplicationController\",\"name\":\"web\",\"uid\":\"$uid\"}]" \
	'it is owned'
is "$(jq -c '[.metadata.generateName, .metadata.labels, .metadata.annotations, .spec.containers[0].image]' <<<"$pod")" \
	'["web-",{"app":"web","tier":"front"},{"a":"b"},"nginx:1.14"]' 'it is what the template says'
ok 'the status tells' busywait 5 eval '[ "$(k get rc web -o json | jq -c .status)" = "{\"fullyLabeledReplicas\":1,\"observedGeneration\":1,\"replicas\":1}" ]'
ok 'an event tells' busywait 5 eval '[ "$(events web SuccessfulCreate | jq length)" = 1 ]'
is "$(events web SuccessfulCreate | jq -c '.[0] | [.message, .source, .type, .count, .involvedObject.kind, .involvedObject.uid]')" \
	"[\"Created pod: $(jq -r .metadata.name <<<"$pod")\",{\"component\":\"replication-controller\"},\"Normal\",1,\"ReplicationController\",\"$uid\"]" \
	'which pod, and who made it'

# --- scale, delete, relabel ---
k scale rc web --replicas=3 >/dev/null
ok 'scaled to three' busywait 5 has web 3
ok 'and it is observed' busywait 5 eval '[ "$(status rc/web replicas) $(status rc/web observedGeneration)" = "3 2" ]'
k delete "$(k get pods -l app=web -o name | head -1)" --wait=false >/dev/null
ok 'a pod that is deleted is made anew' busywait 5 has web 3
away=$(k get pods -l app=web -o name | head -1)
k label "$away" app=debug --overwrite >/dev/null
ok 'a pod that is relabelled is let go' busywait 5 eval '[ -z "$(k get $away -o "jsonpath={.metadata.ownerReferences}")" ]'
ok 'and another takes its place' busywait 5 has web 3
k label "$away" app=web --overwrite >/dev/null
ok 'when it comes back, it is adopted or one goes' busywait 5 eval 'has web 3 && [ "$(k get pods -l app=web -o json | jq "[.items[].metadata.ownerReferences[0].uid] | unique | length")" = 1 ]'
k scale rc web --replicas=1 >/dev/null
ok 'scaled to one' busywait 5 has web 1
ok 'an event tells of each deletion' busywait 5 eval '[ "$(events web SuccessfulDelete | jq "[.[].count] | add")" -ge 2 ]'
like "$(events web SuccessfulDelete | jq -r '.[0].message')" '^Deleted pod: web-.....$' 'in these words'
done_testing
