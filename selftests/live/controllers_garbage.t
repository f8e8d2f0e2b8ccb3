#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What has lost its owners goes: in the background, in the foreground, orphaned; across kinds; an owner made anew by the same name,
# owners in other namespaces, circles; the controller manager is killed meanwhile.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false

has() { [ "$(raw "$CORE/pods?labelSelector=app=$1" | jq '.items | length')" = "$2" ]; } # label, number
gone() { ! k get "$@" -o name; }
uid() { k get "$@" -o 'jsonpath={.metadata.uid}'; }
ref() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"$1\",\"uid\":\"$2\"${3:-}}"; } # name, uid, more
made() { # name, owner references, more metadata
	echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\",\"ownerReferences\":[$2]${3:-}}}" | k create -f - >/dev/null
}
rc() { # name, replicas
	k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"$1"},"spec":{"replicas":$2,"selector":{"app":"$1"},
"template":{"metadata":{"labels":{"app":"$1"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}
EOF
	busywait 10 has "$1" "$2"
}

# --- the three ways ---
rc back 3
k delete rc back --cascade=background >/dev/null
ok 'in the background: pods go after their owner' busywait 10 has back 0
rc fore 3
pod=$(k get pods -l app=fore -o 'jsonpath={.items[0].metadata.name}')
k patch pod "$pod" --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}' >/dev/null
k delete rc fore --cascade=foreground --wait=false >/dev/null
ok 'in the foreground: pods go first' busywait 10 has fore 1
is "$(k get rc fore -o json | jq -c .metadata.finalizers)" '["foregroundDeletion"]' 'their owner waits for the last'
k patch pod "$pod" --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
ok 'and goes after it' busywait 10 gone rc fore
rc orphan 3
k delete rc orphan --cascade=orphan >/dev/null
ok 'orphaned: the owner goes' busywait 10 gone rc orphan
is "$(k get pods -l app=orphan -o json | jq -c '[.items[].metadata | [.ownerReferences, .deletionTimestamp]] | unique')" '[[null,null]]' 'its pods stay, and have no owner'
is "$(k get pods -l app=orphan -o name | wc -l)" 3 'all of them'

# --- a chain of different kinds; somebody else's object between them ---
k create configmap top >/dev/null
echo "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"middle\",\"ownerReferences\":[$(ref top "$(uid configmap top)" ',"blockOwnerDeletion":true')]},
\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"middle\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"middle\"}},
\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}" | k create -f - >/dev/null
busywait 10 has middle 2
k delete configmap top --cascade=foreground --wait=false >/dev/null
ok 'a chain goes from its end' busywait 10 gone configmap top
ok 'and is gone' gone rs middle
has middle 0; is $? 0 'with its pods'

# --- made anew by the same name, while nobody looks ---
k create configmap again >/dev/null
old=$(uid configmap again)
made dependent "$(ref again "$old")"
k create configmap solid >/dev/null
made both "$(ref again "$old"),$(ref solid "$(uid configmap solid)")"
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
k delete configmap again >/dev/null
k create configmap again >/dev/null
made young "$(ref again "$(uid configmap again)")"
kcm_start --leader-elect=false
ok 'the owner of the same name is not the owner' busywait 10 gone configmap dependent
ok 'a reference to one that is gone goes, when another holds' busywait 10 eval '[ "$(raw $CORE/configmaps/both | jq -c "[.metadata.ownerReferences[].name]")" = "[\"solid\"]" ]'
is "$(k get configmap young -o name)" configmap/young 'what the new one owns stays'

# --- references that are wrong ---
k create namespace elsewhere >/dev/null
k create configmap far -n elsewhere >/dev/null
made crossing "$(ref far "$(uid configmap far -n elsewhere)")"
ok 'an owner in another namespace is none' busywait 10 gone configmap crossing
ok 'and that is told' busywait 5 eval 'raw $CORE/events | jq -e ".items[] | select(.reason == \"OwnerRefInvalidNamespace\")"'
is "$(k get events -o json | jq -r '.items[] | select(.reason == "OwnerRefInvalidNamespace") | [.type, .message, .source.component, .involvedObject.name] | join("|")')" \
	"Warning|ownerRef [v1/ConfigMap, namespace: default, name: far, uid: $(uid configmap far -n elsewhere)] does not exist in namespace \"default\"|garbage-collector-controller|crossing" \
	'in these words'
made unknown '{"apiVersion":"example.com/v1","kind":"Nothing","name":"x","uid":"not-a-uuid"}'
made never "$(ref never-was 11111111-2222-3333-4444-555555555555)"
ok 'one that never was is none' busywait 10 gone configmap never
is "$(k get configmap unknown -o name)" configmap/unknown 'of a kind that the server does not know nothing is concluded'

# --- a circle that blocks itself ---
k create configmap one >/dev/null
made two "$(ref one "$(uid configmap one)" ',"blockOwnerDeletion":true')"
k patch configmap one --type=merge -p "{\"metadata\":{\"ownerReferences\":[$(ref two "$(uid configmap two)" ',"blockOwnerDeletion":true')]}}" >/dev/null
k delete configmap one --cascade=foreground --wait=false >/dev/null
ok 'a circle goes in the foreground' busywait 10 eval 'gone configmap one && gone configmap two'

# --- pods that nobody else would delete ---
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Node","metadata":{"name":"dead"},"spec":{"taints":[{"key":"node.kubernetes.io/out-of-service","effect":"NoExecute"}]}}
EOF
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"stuck"},"spec":{"nodeName":"dead","containers":[{"name":"c","image":"i"}],
"tolerations":[{"operator":"Exists"}]}}
EOF
k delete pod stuck --wait=false >/dev/null
ok 'a pod that hangs on a node out of service is ended' busywait 10 gone pod stuck
done_testing
