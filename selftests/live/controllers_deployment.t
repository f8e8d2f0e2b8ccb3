#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Deployments: kubectl makes, rolls, pauses, scales, undoes and restarts them; the controller manager is killed in the middle.
# There are no nodes: selftests/tools/rollout.py makes pods ready, and checks at each event that there are never more pods than
# replicas + maxSurge, and never fewer available than replicas - maxUnavailable.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false

# play NAME MIN MAX: a kubelet for its pods, and what is promised of them
play() {
	promise "$2" "$3"
	XB_EXEC=exec in_ns node "$ROOT/selftests/tools/rollout.py" "$KUBECONFIG" "$1" "$TMP/bounds" "$TMP/faults" >>"$TMP/rollout.log" 2>&1 &
	PLAYER=$!
}
promise() { echo "$1 $2" >"$TMP/bounds.new" && mv "$TMP/bounds.new" "$TMP/bounds"; }
kept() { is "$(cat "$TMP/faults" "$TMP/rollout.log" 2>/dev/null)" '' "$1"; }
status() { raw "$APPS/deployments/$1" | jq -r ".status.$2 // empty"; }
condition() { raw "$APPS/deployments/$1" | jq -r ".status.conditions[] | select(.type == \"$2\") | [.status, .reason, .message] | join(\" \")"; }
sets() { raw "$APPS/replicasets?labelSelector=app=$1" | jq -c "[.items | sort_by(.metadata.annotations[\"deployment.kubernetes.io/revision\"] | tonumber) | .[] | $2]"; }
rolled() { k rollout status "deployment/$1" --timeout=20s; }
scaled() { raw "$CORE/events" | jq -r ".items[] | select(.involvedObject.name == \"$1\" and .reason == \"ScalingReplicaSet\") | .message"; }

# --- made ---
play web - -
k create deployment web --image=nginx:1.14 --replicas=4 >/dev/null
ok 'it rolls out' rolled web
name=$(sets web .metadata.name | jq -r '.[0]') hash=${name#web-}
like "$hash" '^[bcdfghjklmnpqrstvwxz2456789]{6,10}$' 'its set is named after a hash of the template'
is "$(k get rs "$name" -o json | jq -cS '[.metadata.labels, .metadata.annotations, .spec.replicas, .spec.selector, .spec.template.metadata.labels]')" \
	"[{\"app\":\"web\",\"pod-template-hash\":\"$hash\"},{\"deployment.kubernetes.io/desired-replicas\":\"4\",\"deployment.kubernetes.io/max-replicas\":\"5\",\"deployment.kubernetes.io/revision\":\"1\"},4,{\"matchLabels\":{\"app\":\"web\",\"pod-template-hash\":\"$hash\"}},{\"app\":\"web\",\"pod-template-hash\":\"$hash\"}]" \
	'it says what it is for'
is "$(k get rs "$name" -o json | jq -c '.metadata.ownerReferences[0] | [.apiVersion, .kind, .name, .controller, .blockOwnerDeletion]')" \
	'["apps/v1","Deployment","web",true,true]' 'it is owned'
is "$(k get deployment web -o json | jq -cS '.status | del(.conditions)')" \
	'{"availableReplicas":4,"observedGeneration":1,"readyReplicas":4,"replicas":4,"updatedReplicas":4}' 'the status tells'
is "$(condition web Progressing)" "True NewReplicaSetAvailable ReplicaSet \"$name\" has successfully progressed." 'that it progressed'
is "$(condition web Available)" 'True MinimumReplicasAvailable Deployment has minimum availability.' 'and is available'
is "$(k get deployment web -o 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')" 1 'at revision 1'
ok 'an event tells' busywait 5 eval '[ "$(scaled web)" = "Scaled up replica set $name from 0 to 4" ]'

# --- rolled, with 25% over and under: 5 pods at most, 3 available at least ---
promise 3 5
k set image deployment/web nginx=nginx:1.15 >/dev/null
ok 'a new image rolls out' rolled web
is "$(sets web '[.metadata.annotations["deployment.kubernetes.io/revision"], .spec.replicas]')" '[["1",0],["2",4]]' 'as revision 2'
is "$(k get pods -l app=web -o json | jq -c '[.items[].spec.containers[0].image] | unique')" '["nginx:1.15"]' 'no old pod is left'
k rollout undo deployment/web >/dev/null
ok 'undone' rolled web
is "$(sets web '[.metadata.name, .metadata.annotations["deployment.kubernetes.io/revision"], .metadata.annotations["deployment.kubernetes.io/revision-history"], .spec.replicas]' | jq -c '.[1]')" \
	"[\"$name\",\"3\",\"1\",4]" 'the first set is current again, as revision 3'
is "$(k rollout history deployment/web | awk '/^[0-9]/ { print $1 }' | xargs)" '2 3' 'the history tells'
k120 rollout undo deployment/web --to-revision=2 >/dev/null
ok 'kubectl 1.20 undoes to a revision' k120 rollout status deployment/web --timeout=20s
is "$(k120 rollout history deployment/web | awk '/^[0-9]/ { print $1 }' | xargs)" '3 4' 'and tells the history'
k rollout restart deployment/web >/dev/null
ok 'restarted' rolled web

# --- paused ---
k rollout pause deployment/web >/dev/null
ok 'paused' busywait 5 eval '[ "$(condition web Progressing)" = "Unknown DeploymentPaused Deployment is paused" ]'
before=$(sets web .metadata.name)
k set image deployment/web nginx=nginx:1.16 >/dev/null
ok 'what changes is observed' busywait 5 eval '[ "$(status web observedGeneration)" = "$(k get deployment web -o "jsonpath={.metadata.generation}")" ]'
is "$(sets web .metadata.name)" "$before" 'and waits'
k rollout resume deployment/web >/dev/null
ok 'resumed, it rolls out' rolled web
kept 'never more pods than promised, never fewer available'

# --- scaled while rolling: in proportion ---
promise 4 -
k scale deployment/web --replicas=10 >/dev/null
ok 'scaled' rolled web
k patch deployment web -p '{"spec":{"progressDeadlineSeconds":2,"strategy":{"rollingUpdate":{"maxSurge":3,"maxUnavailable":2}}}}' >/dev/null
promise 8 13
k set image deployment/web nginx=nginx:1-stuck >/dev/null
ok 'stuck half-way' busywait 10 eval '[ "$(sets web .spec.replicas | jq -c "map(select(. > 0))")" = "[8,5]" ]'
ok 'it says so when its time is over' busywait 10 eval 'condition web Progressing | grep -q "^False ProgressDeadlineExceeded ReplicaSet \"web-.*\" has timed out progressing.$"'
ok 'kubectl fails then' eval '! rolled web'
promise 8 18
k scale deployment/web --replicas=15 >/dev/null
ok 'scaled, both sets grow' busywait 10 eval '[ "$(sets web .spec.replicas | jq -c "map(select(. > 0))")" = "[11,7]" ]'
k rollout undo deployment/web >/dev/null
ok 'undone' rolled web
kept 'that, too, as promised'

# --- killed in the middle, five times ---
k patch deployment web -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":2,"maxUnavailable":0}}}}' >/dev/null
promise 15 17
k set image deployment/web nginx=nginx:1.17-slow >/dev/null
for _ in 1 2 3 4 5; do
	sleep "0.0$((RANDOM % 90 + 10))"
	kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
	halfway="${halfway:-}$(k get pods -l app=web -o json | jq '[.items[] | select(.spec.containers[0].image == "nginx:1.17-slow")] | length') "
	kcm_start --leader-elect=false
done
ok 'killed five times, it rolls out' rolled web
note "new pods when it was killed: $halfway"
is "$(k get pods -l app=web -o json | jq -c '[.items[].spec.containers[0].image] | group_by(.) | map([.[0], length])')" '[["nginx:1.17-slow",15]]' 'as it should be'
kept 'as promised'

# --- the history is cut ---
k patch deployment web -p '{"spec":{"revisionHistoryLimit":1}}' >/dev/null
ok 'the oldest sets go' busywait 5 eval '[ "$(sets web .spec.replicas)" = "[0,15]" ]'

stop $PLAYER

# --- sets that are there already ---
play twin - -
deployment() { # name, namespace, more of its template's container
	cat <<EOF
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"$1","namespace":"$2"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"twin"}},
"template":{"metadata":{"labels":{"app":"twin"}},"spec":{"containers":[{"name":"c","image":"nginx:1.14"${3:-}}]}}}}
EOF
}
deployment twin default | k create -f - >/dev/null
ok 'a twin' rolled twin
twin=$(sets twin .metadata.name | jq -r '.[0]')
k label rs "$twin" app=debug --overwrite >/dev/null
ok 'a set that is relabelled is let go' busywait 5 eval '[ "$(raw "$APPS/replicasets/$twin" | jq .metadata.ownerReferences)" = null ]'
ok 'and another is made: its name is taken' busywait 5 eval '[ "$(status twin collisionCount)$(sets twin .spec.replicas)" = "1[2]" ]'
k label rs "$twin" app=twin --overwrite >/dev/null
ok 'one that comes back is adopted' busywait 5 eval '[ "$(raw "$APPS/replicasets/$twin" | jq -r ".metadata.ownerReferences[0].name")" = twin ]'
ok 'and one of the two is current, by its template' rolled twin
k patch deployment twin -p '{"spec":{"minReadySeconds":1}}' >/dev/null
ok 'its set gets minReadySeconds' busywait 5 eval 'sets twin "[.spec.replicas, .spec.minReadySeconds]" | grep -q "\[2,1\]"'
stop $PLAYER

# --- refused ---
k create namespace poor >/dev/null
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"l","namespace":"poor"},"spec":{"limits":[{"type":"Container","max":{"cpu":"1"}}]}}
EOF
deployment twin poor ',"resources":{"limits":{"cpu":"2"}}' | k create -f - >/dev/null
refused() { raw /apis/apps/v1/namespaces/poor/deployments/twin | jq -r '.status.conditions[] | select(.type == "ReplicaFailure") | [.status, .reason, .message] | join(" ")'; }
ok 'pods that are refused' busywait 5 eval '[[ "$(refused)" == "True FailedCreate pods \"twin-"*" is forbidden: maximum cpu usage per Container is 1, but limit is 2" ]]'
k delete limitrange l -n poor >/dev/null
ok 'until they are not' busywait 10 eval '[ "$(k get deployment twin -n poor -o "jsonpath={.status.replicas}")$(refused)" = 2 ]'

# --- all at once ---
play old - -
k create -f - >/dev/null <<'EOF'
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"old"},"spec":{"replicas":3,"strategy":{"type":"Recreate"},"selector":{"matchLabels":{"app":"old"}},
"template":{"metadata":{"labels":{"app":"old"}},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"nginx:1.14"}]}}}}
EOF
ok 'Recreate rolls out' rolled old
promise - 3
kill -STOP $PLAYER
k set image deployment/old c=nginx:1.15 >/dev/null
ok 'the old pods are told to go' busywait 5 eval '[ "$(sets old .spec.replicas)" = "[0]" ]'
ok 'and while they do' busywait 5 eval '[ "$(raw "$CORE/pods?labelSelector=app=old" | jq "[.items[].metadata.deletionTimestamp // empty] | length")" = 3 ]'
is "$(sets old .spec.replicas)" '[0]' 'nothing is made'
kill -CONT $PLAYER
ok 'then the new ones are' rolled old
is "$(sets old .spec.replicas)" '[0,3]' 'in a set of their own'
kept 'never both'
stop $PLAYER

# --- as a real one was seen to do ---
RECORD=$DATA/behaviour/controllers.json
substance='[.[] | select(.kind == "Deployment" or .kind == "ReplicaSet") | del(.metadata.resourceVersion, .metadata.uid, .metadata.creationTimestamp,
	.metadata.managedFields, .metadata.ownerReferences[]?.uid, .spec.template.metadata.creationTimestamp,
	.status.conditions[]?.lastUpdateTime, .status.conditions[]?.lastTransitionTime)]'
# of sets, how many steps there were is a matter of time: what counts is that the last one was seen
substance() { jq -cS "$substance | map(if .kind == \"ReplicaSet\" then .status.observedGeneration = (.metadata.generation == .status.observedGeneration) |
	del(.metadata.generation) else . end) | sort_by(.kind, .metadata.annotations[\"deployment.kubernetes.io/revision\"]) |
	reduce (.[].metadata.labels[\"pod-template-hash\"] // empty) as \$hash (tostring; gsub(\$hash; \"HASH\")) | fromjson"; }
recorded() { jq -c --arg t "$1" '[.[] | select(.title == "deployment" or .title == $t) | .events[].object | select(.metadata.name | startswith("web"))]
	| group_by(.kind + .metadata.name) | map(last)' "$RECORD" | substance; }
body() { jq -c --arg t "$1" '.[] | select(.title == $t) | .calls[0].body' "$RECORD"; }
if [ -r "$RECORD" ]; then
	k create namespace demo >/dev/null
	ours() { k get deployments,replicasets -n demo -o json | jq -c .items | substance; }
	XB_EXEC=exec in_ns node "$ROOT/selftests/tools/rollout.py" "$KUBECONFIG" web "$TMP/bounds" "$TMP/faults" demo >>"$TMP/rollout.log" 2>&1 &
	promise - -
	body deployment | k create -n demo -f - >/dev/null
	busywait 10 eval '[ "$(ours)" = "$(recorded deployment)" ]'
	is "$(ours)" "$(recorded deployment)" 'a Deployment ends as the recorded one'
	body 'rolling update' | k patch deployment web -n demo --patch-file /dev/stdin >/dev/null
	busywait 10 eval '[ "$(ours)" = "$(recorded "rolling update")" ]'
	is "$(ours)" "$(recorded 'rolling update')" 'and so does its rolling update'
fi
kill "$KCM_PID"; wait "$KCM_PID"
is $? 0 'it ends when it is told'
done_testing
