#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ReplicationControllers and ReplicaSets keep their number of pods: kubectl makes, scales, relabels and deletes; the controller
# manager is killed in the middle. There are no nodes: pods stay Pending, and a deletion of one is at once.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
# without the garbage collector and the namespace loop, so that what they would take away can be looked at
kcm_start --leader-elect=false --controllers='*,-garbage-collector-controller,-namespace-controller'

pods() { raw "$CORE/pods?labelSelector=app=$1" | jq '.items | length'; }
has() { [ "$(pods "$1")" = "$2" ]; } # label, number
status() { # rc/NAME or rs/NAME, field
	case $1 in rc/*) set -- "$CORE/replicationcontrollers/${1#*/}" "$2" ;; rs/*) set -- "$APPS/replicasets/${1#*/}" "$2" ;; esac
	raw "$1" | jq -r ".status.$2 // empty"
}
events() { raw $CORE/events | jq -c "[.items[] | select(.involvedObject.name == \"$1\" and .reason == \"$2\")]"; }
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
ok 'when it comes back, it is adopted or one goes' busywait 5 eval 'has web 3 && [ "$(raw "$CORE/pods?labelSelector=app=web" | jq "[.items[].metadata.ownerReferences[0].uid] | unique | length")" = 1 ]'
k scale rc web --replicas=1 >/dev/null
ok 'scaled to one' busywait 5 has web 1
ok 'an event tells of each deletion' busywait 5 eval '[ "$(events web SuccessfulDelete | jq "[.[].count] | add")" -ge 2 ]'
like "$(events web SuccessfulDelete | jq -r '.[0].message')" '^Deleted pod: web-.....$' 'in these words'

# --- a replica set: who goes first, who counts as available, what is told when pods are refused ---
MERGE='Content-Type: application/merge-patch+json'
ready() { # pod, seconds ago
	local at; at=$(date -u -d "-$2 seconds" +%FT%TZ)
	api PATCH "/api/v1/namespaces/default/$1/status" -H "$MERGE" \
		-d '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"'"$at"'"}]}}' >/dev/null
}
rs set 3 | k create -f - >/dev/null
ok 'a replica set' busywait 5 has set 3
is "$(k get pods -l app=set -o json | jq -r '[.items[].metadata.ownerReferences[0] | .apiVersion + " " + .kind] | unique[]')" 'apps/v1 ReplicaSet' 'owns its pods'
is "$(busywait 5 eval '[ "$(events set SuccessfulCreate | jq length)" = 3 ]'; events set SuccessfulCreate | jq -r '.[0].source.component')" \
	replicaset-controller 'and tells of each'
one=$(k get pods -l app=set -o name | sed -n 2p)
ready "${one/pod/pods}" 0
ok 'a ready pod is counted' busywait 5 eval '[ "$(status rs/set readyReplicas) $(status rs/set availableReplicas)" = "1 1" ]'
k scale rs set --replicas=1 >/dev/null
ok 'scaled down' busywait 5 has set 1
is "$(k get pods -l app=set -o name)" "$one" 'the ready one stays'
k patch rs set --type merge -p '{"spec":{"minReadySeconds":3600}}' >/dev/null
ready "${one/pod/pods}" 0
ok 'ready, not yet available' busywait 5 eval '[ "$(status rs/set readyReplicas) $(status rs/set availableReplicas)" = "1 " ]'
k patch rs set --type merge -p '{"spec":{"minReadySeconds":2}}' >/dev/null
ok 'available when it was ready for minReadySeconds' busywait 5 eval '[ "$(status rs/set availableReplicas)" = 1 ]'

k create namespace small >/dev/null
k create quota two --hard=pods=2 -n small >/dev/null
rs full 4 | k create -n small -f - >/dev/null
failure() { raw /apis/apps/v1/namespaces/small/replicasets/full | jq -r '.status.conditions[]? | select(.type == "ReplicaFailure") | .status + " " + .reason + " " + .message'; }
ok 'a quota is met' busywait 5 eval '[ -n "$(failure)" ]'
like "$(failure)" '^True FailedCreate pods "full-[^"]*" is forbidden: exceeded quota: two' 'the condition says why'
is "$(k get pods -n small -o name | wc -l)" 2 'with what could be made'
like "$(k get events -n small -o json | jq -r '[.items[] | select(.reason == "FailedCreate")][0].message')" '^Error creating: pods "full-' 'and so does an event'
k delete quota two -n small >/dev/null
ok 'without it the rest follows' busywait 10 eval '[ "$(k get pods -n small -o name | wc -l)" = 4 ]'
ok 'and the condition goes' busywait 5 eval '[ -z "$(failure)" ]'
k delete namespace small --wait=false >/dev/null
k scale rs full -n small --replicas=6 >/dev/null
ok 'a namespace that goes is observed, and no failure' busywait 5 eval '[ "$(k get rs full -n small -o "jsonpath={.status.observedGeneration}")" = 2 ] && [ -z "$(failure)" ]'

# --- made anew by the same name: another's pods are left alone ---
k delete rc web >/dev/null
old=$(k get pods -l app=web -o name)
rc web 1 | k create -f - >/dev/null
ok 'a new object makes its own pod' busywait 5 has web 2
is "$(k get "$old" -o 'jsonpath={.metadata.ownerReferences[0].uid}')" "$uid" 'and leaves the old one to its owner'

# --- nothing is written for nothing ---
watch_of() { XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API/$1watch=true"; }
rc counted 0 | k create -f - >/dev/null
busywait 5 eval '[ "$(status rc/counted observedGeneration)" = 1 ]'
watch_of 'api/v1/namespaces/default/replicationcontrollers?fieldSelector=metadata.name%3Dcounted&' >"$TMP/counted" &
busywait 5 grep -q ADDED "$TMP/counted"
k scale rc counted --replicas=20 >/dev/null
ok 'twenty pods' busywait 5 eval '[ "$(status rc/counted replicas)" = 20 ]'
k delete rc counted >/dev/null
busywait 5 grep -q DELETED "$TMP/counted"
is "$(grep -c MODIFIED "$TMP/counted")" 2 'are one change of what is asked for and one status'

# --- killed in the middle, three times: no pod too many ---
k create -f - >/dev/null < <(rs big 0)
watch_pods() { watch_of 'api/v1/namespaces/default/pods?labelSelector=app%3Dbig&'; }
watch_pods >"$TMP/big" &
for at in 3 15 31; do
	[ $at = 3 ] && k scale rs big --replicas=50 >/dev/null &
	while read -r _; do [ "$(grep -c '"type":"ADDED"' "$TMP/big")" -lt $at ] || { kill -9 "$KCM_PID"; break; }; done < <(watch_pods 2>/dev/null)
	wait "$KCM_PID" 2>/dev/null
	kcm_start --leader-elect=false
done
ok 'killed three times while it made 50 pods, it made 50 pods' busywait 10 has big 50
ok 'and tells so' busywait 5 eval '[ "$(status rs/big replicas)" = 50 ]'
is "$(grep -c '"type":"ADDED"' "$TMP/big")" 50 'not one more was made'
written() { in_ns node curl -kfsS https://127.0.0.1:10257/metrics | awk '$1 == "workqueue_adds_total{name=\"replicaset\"}" { print $2 }'; }
like "$(written)" '^[1-9][0-9]*$' 'its queue is in the metrics'
stop "$KCM_PID"

# --- one leads ---
fast="--leader-elect-lease-duration=4s --leader-elect-renew-deadline=3s --leader-elect-retry-period=200ms"
holder() { k get lease kube-controller-manager -n kube-system -o 'jsonpath={.spec.holderIdentity}'; }
leads() { in_ns node curl -kfsS "https://127.0.0.1:$1/metrics" | grep -qx 'leader_election_master_status{name="kube-controller-manager"} 1'; }
kcm_start $fast
first=$KCM_PID
ok 'a first one leads' busywait 5 leads 10257
was=$(holder)
like "$(k get events -n kube-system -o json | jq -r '.items[] | select(.reason == "LeaderElection").message')" '_[0-9a-f-]{36} became leader$' 'an event tells who'
XB_EXEC=exec on_node "$BIN/kube-controller-manager" --kubeconfig="$TMP/admin.conf" $fast --secure-port=10258 >>"$TMP/kcm2.log" 2>&1 &
second=$!
busywait 5 grep -q 'new leader elected: ' "$TMP/kcm2.log"
ok 'a second one waits' eval '! leads 10258'
kill -STOP "$first"
ok 'and takes over when the first is not heard of any more' busywait 15 leads 10258
kill -CONT "$first"; wait "$first"
is $? 1 'which ends when it finds out'
is "$([ "$(holder)" != "$was" ] && k get lease kube-controller-manager -n kube-system -o 'jsonpath={.spec.leaseTransitions}')" 1 'by the lease'
k scale rs big --replicas=2 >/dev/null
ok 'and works' busywait 5 has big 2
kill "$second"; wait "$second"
is "$? $(holder)" '0 ' 'told to end, it gives the lease up'
done_testing
