#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Disruption budgets tell how many of their pods may go, kubectl drain keeps to them; hollow nodes run the pods.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm() { kcm_start --leader-elect=false; }
kcm
scheduler_start --leader-elect=false
XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow -o json --nodes 2 --untaint >"$TMP/hollow.json" 2>"$TMP/hollow.log" &
busywait 20 grep -q registered "$TMP/hollow.json" || bail 'the hollow nodes do not register'

MERGE='Content-Type: application/merge-patch+json' JSON='Content-Type: application/json'
budget() { raw "/apis/policy/v1/namespaces/default/poddisruptionbudgets/$1" | jq -c ".status | $2"; }
counts() { budget "$1" '[.expectedPods, .currentHealthy, .desiredHealthy, .disruptionsAllowed]'; }
counted() { [ "$(counts "$1")" = "$2" ]; } # budget, counts
allowed() { budget "$1" '.conditions[] | select(.type == "DisruptionAllowed") | [.status, .reason]'; }
evict() { api POST "/api/v1/namespaces/default/pods/$1/eviction" -H "$JSON" -d "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"$1\"}}"; }
told() { raw $CORE/events | jq -e --arg o "$1" --arg r "$2" --arg m "$3" '.items | any(.involvedObject.name == $o and .reason == $r and .message == $m)'; }
pods() { raw "$CORE/pods?labelSelector=app=$1" | jq -r '.items[] | select(.metadata.deletionTimestamp == null).metadata.name'; }
on() { raw "$CORE/pods?fieldSelector=spec.nodeName=$1" | jq '[.items[] | select(.metadata.deletionTimestamp == null)] | length'; }
deployment() { k create deployment "$1" --image=nginx --replicas="$2" >/dev/null; }

# --- what may go ---
k create pdb web --selector=app=web --min-available=2 >/dev/null
ok 'a budget without pods is counted' busywait 5 counted web '[0,0,2,0]'
ok 'an event tells of that' busywait 5 told web NoPods 'No matching pods found'
is "$(budget web .observedGeneration)" 1 'it was seen as it is'
deployment web 3
ok 'with three pods one may go' busywait 5 counted web '[3,3,2,1]'
is "$(allowed web)" '["True","SufficientPods"]' 'a condition tells'
like "$(k get pdb web --no-headers)" '^web +2 +N/A +1 ' 'kubectl prints it'
read -rd '' a b _ <<<"$(pods web)"
k cordon hollow-0 >/dev/null; k cordon hollow-1 >/dev/null
like "$(evict "$a")" '"status":"Success".*201$' 'one is evicted'
like "$(evict "$b")" 'Cannot evict pod as it would violate the pod.s disruption budget.*"reason":"DisruptionBudget".*429$' 'the next is not'
ok 'two are left' busywait 5 counted web '[3,2,2,0]'
is "$(allowed web)" '["False","InsufficientPods"]' 'the condition tells'
is "$(budget web .disruptedPods)" null 'what went is awaited no more'
k uncordon hollow-0 >/dev/null; k uncordon hollow-1 >/dev/null
ok 'with another one in its place' busywait 5 counted web '[3,3,2,1]'
like "$(evict "$b")" '"status":"Success".*201$' 'the next may go'
busywait 5 counted web '[3,3,2,1]'

# --- parts of what controllers ask for ---
k patch pdb web --type merge -p '{"spec":{"minAvailable":null,"maxUnavailable":"34%"}}' >/dev/null
ok 'a part of the Deployment is counted from its replicas' busywait 5 counted web '[3,3,1,2]'
k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"rc"},"spec":{"replicas":2,"selector":{"app":"rc"},
"template":{"metadata":{"labels":{"app":"rc"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}
EOF
k patch pdb web --type merge -p '{"spec":{"maxUnavailable":1,"selector":{"matchLabels":null,"matchExpressions":[{"key":"app","operator":"In","values":["rc","web"]}]}}}' >/dev/null
ok 'together with those of a ReplicationController' busywait 5 counted web '[5,5,4,1]'
k create configmap odd >/dev/null
k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"odd","labels":{"app":"rc"},"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"odd",
"uid":"$(k get configmap odd -o 'jsonpath={.metadata.uid}')","controller":true}]},"spec":{"containers":[{"name":"c","image":"nginx"}]}}
EOF
ok 'a pod whose controller has no scale fails it' busywait 5 eval '[ "$(allowed web)" = "[\"False\",\"SyncFailed\"]" ]'
is "$(budget web '[.disruptionsAllowed, .conditions[0].message]')" '[0,"configmaps does not implement the scale subresource"]' 'and says so'
ok 'an event as well' busywait 5 told web CalculateExpectedPodCountFailed \
	'Failed to calculate the number of expected pods: configmaps does not implement the scale subresource'
k delete pod odd --grace-period=0 --force >/dev/null 2>&1
ok 'without it all is well' busywait 5 counted web '[5,5,4,1]'
k delete rc rc >/dev/null

# --- what did not go ---
pod=$(pods web | head -1)
status() { api PATCH "$1/status" -H "$MERGE" -d "{\"status\":$2}" >/dev/null; }
status /apis/policy/v1/namespaces/default/poddisruptionbudgets/web "{\"disruptedPods\":{\"$pod\":\"$(date -u -d '-121 seconds' +%FT%TZ)\"}}"
ok 'a pod that was evicted and is there after two minutes counts again' busywait 5 eval '[ "$(budget web .disruptedPods)" = null ]'
ok 'an event tells of it' busywait 5 told "$pod" NotDeleted "Pod was expected by PDB default/web to be deleted but it wasn't"
target() { raw "$CORE/pods/$1" | jq -c '.status.conditions[] | select(.type == "DisruptionTarget") | [.status, .reason]'; }
api PATCH "/api/v1/namespaces/default/pods/$pod/status" -H 'Content-Type: application/strategic-merge-patch+json' -d "{\"status\":{\"conditions\":[
	{\"type\":\"DisruptionTarget\",\"status\":\"True\",\"reason\":\"EvictionByEvictionAPI\",\"lastTransitionTime\":\"$(date -u -d '-121 seconds' +%FT%TZ)\"}]}}" >/dev/null
ok 'nor is it said to be disrupted any more' busywait 5 eval '[ "$(target "$pod")" = "[\"False\",\"EvictionByEvictionAPI\"]" ]'

# --- kubectl drain ---
k delete pdb web >/dev/null
k delete deployment web >/dev/null
k cordon hollow-1 >/dev/null
deployment db 2
k create pdb db --selector=app=db --min-available=2 >/dev/null
ok 'two pods are on a node' busywait 5 counted db '[2,2,2,0]'
k uncordon hollow-1 >/dev/null
like "$(k drain hollow-0 --timeout=1s 2>&1)" 'Cannot evict pod as it would violate the pod.s disruption budget' 'a drain is held up by the budget'
is "$(on hollow-0)" 2 'and took nothing away'
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
k patch pdb db --type merge -p '{"spec":{"minAvailable":"0%"}}' >/dev/null
kcm
ok 'with another budget, seen by the next process' busywait 5 counted db '[2,2,0,2]'
ok 'it goes on' k drain hollow-0 --timeout=10s
is "$(on hollow-0)" 0 'and leaves nothing'
ok 'the pods are on the other node' busywait 5 eval '[ "$(on hollow-1)" = 2 ]'
ok 'and count' busywait 5 counted db '[2,2,0,2]'
k uncordon hollow-0 >/dev/null
ok 'kubectl 1.20 drains as well' k120 drain hollow-1 --timeout=10s
is "$(on hollow-1)" 0 'to the last'
done_testing
