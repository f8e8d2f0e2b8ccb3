#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# StatefulSets: pods in order and by name, their claims, rolling updates with a partition, revisions; kubectl rolls, undoes, restarts;
# the controller manager is killed in the middle. There are no nodes: the test makes pods ready, or selftests/tools/rollout.py does,
# which also checks how many are there. A watch notes all that happens to pods, and their order is checked at the end.
. "$(dirname "$0")/../lib.sh"

node_up
# claims are not protected: whether pods use them is another loop's
apiserver_start --disable-admission-plugins=StorageObjectInUseProtection
kcm_start --leader-elect=false

XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API/api/v1/namespaces/default/pods?watch=true" >"$TMP/pods" &

MERGE='Content-Type: application/merge-patch+json'
sts() { # name, replicas, more of the spec, more of the template's spec
	cat <<EOF
{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"$1"},"spec":{"serviceName":"$1","replicas":$2,"selector":{"matchLabels":{"app":"$1"}}${3:-},
"template":{"metadata":{"labels":{"app":"$1"}},"spec":{"containers":[{"name":"c","image":"nginx:1.14"}]${4:-}}}}}
EOF
}
CLAIMS=',"volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]'
names() { raw "$CORE/pods?labelSelector=app=$1" | jq -r '[.items[].metadata.name | sub(".*-"; "") | tonumber] | sort | map(tostring) | join(" ")'; }
named() { [ "$(names "$1")" = "$2" ]; }
status() { raw "$APPS/statefulsets/$1" | jq -cS ".status | $2"; }
told() { [ "$(status "$1" "$2")" = "$3" ]; }
claims() { raw "$CORE/persistentvolumeclaims" | jq -r '.items[].metadata.name' | grep "$1" | sed 's/.*-//' | sort -n | xargs; }
rolled() { k rollout status "sts/$1" --timeout=20s; }
images() { raw "$CORE/pods?labelSelector=app=$1" | jq -r '[.items | sort_by(.metadata.name)[] | .spec.containers[0].image | sub("nginx:"; "")] | join(" ")'; }
revisions() { raw "$APPS/controllerrevisions?labelSelector=app=$1" | jq -c "[.items | sort_by(.revision)[] | $2]"; }
uid() { raw "$CORE/pods/$1" | jq -r .metadata.uid; }
messages() { raw "$CORE/events" | jq -r ".items[] | select(.involvedObject.name == \"$1\" and .reason == \"$2\") | .message"; }
set_status() { api PATCH "/api/v1/namespaces/default/pods/$1/status" -H "$MERGE" -d "{\"status\":$2}" >/dev/null; }
ready() { # pod, seconds ago
	set_status "$1" '{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"'"$(date -u -d "-${2:-0} seconds" +%FT%TZ)"'"}]}'
}
play() {
	promise "$2" "$3"
	XB_EXEC=exec in_ns node "$ROOT/selftests/tools/rollout.py" "$KUBECONFIG" "$1" "$TMP/bounds" "$TMP/faults" >>"$TMP/rollout.log" 2>&1 &
	PLAYER=$!
}
promise() { echo "$1 $2" >"$TMP/bounds.new" && mv "$TMP/bounds.new" "$TMP/bounds"; }
kept() { is "$(cat "$TMP/faults" "$TMP/rollout.log" 2>/dev/null)" '' "$1"; }

# --- one after the other ---
sts web 3 "$CLAIMS" ',"volumes":[{"name":"data","emptyDir":{}},{"name":"tmp","emptyDir":{}}]' | k create -f - >/dev/null
ok 'the first pod is made' busywait 5 named web 0
ok 'and told of' busywait 5 told web '[.replicas, .currentReplicas, .updatedReplicas, .readyReplicas, .observedGeneration]' '[1,1,1,null,1]'
is "$(names web)" 0 'alone'
revision=$(revisions web .metadata.name | jq -r '.[]') set_uid=$(k get sts web -o 'jsonpath={.metadata.uid}')
like "$revision" '^web-[bcdfghjklmnpqrstvwxz2456789]{6,10}$' 'its revision is named after a hash'
is "$(k get pod web-0 -o json | jq -cS '[.metadata.labels, .metadata.ownerReferences, .spec.hostname, .spec.subdomain, (.spec.volumes | map(select(.name | startswith("kube") | not)))]')" \
	"[{\"app\":\"web\",\"apps.kubernetes.io/pod-index\":\"0\",\"controller-revision-hash\":\"$revision\",\"statefulset.kubernetes.io/pod-name\":\"web-0\"},[{\"apiVersion\":\"apps/v1\",\"blockOwnerDeletion\":true,\"controller\":true,\"kind\":\"StatefulSet\",\"name\":\"web\",\"uid\":\"$set_uid\"}],\"web-0\",\"web\",[{\"name\":\"data\",\"persistentVolumeClaim\":{\"claimName\":\"data-web-0\"}},{\"emptyDir\":{},\"name\":\"tmp\"}]]" \
	'it has its name, its owner and its claim'
is "$(k get pvc data-web-0 -o json | jq -cS '[.metadata.labels, .metadata.ownerReferences, .spec.accessModes, .spec.resources]')" \
	'[{"app":"web"},null,["ReadWriteOnce"],{"requests":{"storage":"1Gi"}}]' 'which is there'
is "$(k get controllerrevision "$revision" -o json | jq -cS '[.revision, .metadata.labels["controller.kubernetes.io/hash"], .metadata.ownerReferences[0].name, .data.spec.template.spec.containers[0].image, .data.spec.template["$patch"]]')" \
	"[1,\"${revision#web-}\",\"web\",\"nginx:1.14\",\"replace\"]" 'the revision says what it was made from'
ready web-0
ok 'ready: the second is made' busywait 5 named web '0 1'
ready web-1
ok 'and the third' busywait 5 named web '0 1 2'
ready web-2
ok 'all ready, and told of' busywait 5 told web 'del(.conditions)' "{\"availableReplicas\":3,\"collisionCount\":0,\"currentReplicas\":3,\"currentRevision\":\"$revision\",\"observedGeneration\":1,\"readyReplicas\":3,\"replicas\":3,\"updateRevision\":\"$revision\",\"updatedReplicas\":3}"
ok 'Events tell' busywait 5 eval '[ "$(messages web SuccessfulCreate | wc -l)" = 6 ]'
is "$(messages web SuccessfulCreate | grep -- -0 | sort)" 'create Claim data-web-0 Pod web-0 in StatefulSet web success
create Pod web-0 in StatefulSet web successful' 'in these words'
is "$(k get events -o json | jq -r '[.items[] | select(.involvedObject.name == "web") | .source.component] | unique[]')" statefulset-controller 'and who it was'

# --- what goes comes back by the same name ---
old=$(uid web-1)
k delete pod web-1 >/dev/null
ok 'a pod that is deleted is made anew' busywait 5 eval 'named web "0 1 2" && [ "$(uid web-1)" != "$old" ]'
is "$(claims data-web)" '0 1 2' 'with the same claim'
ready web-1
for phase in Failed Succeeded; do
	old=$(uid web-0)
	set_status web-0 "{\"phase\":\"$phase\"}"
	ok "one that ended is replaced ($phase)" busywait 5 eval 'new=$(uid web-0) && [ "${new:-$old}" != "$old" ]'
	ready web-0
done
k label pod web-2 statefulset.kubernetes.io/pod-name=other --overwrite >/dev/null
ok 'a pod that lost its identity gets it back' busywait 5 eval '[ "$(raw $CORE/pods/web-2 | jq -r ".metadata.labels[\"statefulset.kubernetes.io/pod-name\"]")" = web-2 ]'
ok 'which is told of' busywait 5 eval '[ "$(messages web SuccessfulUpdate)" = "update Pod web-2 in StatefulSet web successful" ]'
k label pod web-2 app=debug --overwrite >/dev/null
ok 'a pod that is relabelled is let go' busywait 5 eval '[ "$(raw $CORE/pods/web-2 | jq .metadata.ownerReferences)" = null ]'
k label pod web-2 app=web --overwrite >/dev/null
ok 'and taken back' busywait 5 eval '[ "$(raw $CORE/pods/web-2 | jq -r ".metadata.ownerReferences[0].name")" = web ]'

# --- scaled ---
play web - 6
k scale sts web --replicas=5 >/dev/null
ok 'scaled to five' rolled web
k scale sts web --replicas=2 >/dev/null
ok 'scaled to two' busywait 5 named web '0 1'
ok 'and told of' busywait 5 told web '[.replicas, .readyReplicas, .observedGeneration]' '[2,2,3]'
is "$(claims data-web)" '0 1 2 3 4' 'all claims are kept'
k scale sts web --replicas=4 >/dev/null
ok 'scaled to four' rolled web

# --- rolled, the partition first ---
promise 3 4
k patch sts web --type merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}},"template":{"spec":{"containers":[{"name":"c","image":"nginx:1.15"}]}}}}' >/dev/null
ok 'a new image rolls out' rolled web
like "$(k rollout status sts/web)" '^partitioned roll out complete: 2 new pods have been updated' 'down to the partition'
is "$(images web)" '1.14 1.14 1.15 1.15' 'the lower ones are as they were'
new=$(revisions web .metadata.name | jq -r '.[1]')
ok 'the status tells' busywait 5 told web '[.currentReplicas, .updatedReplicas, .currentRevision, .updateRevision]' "[2,2,\"$revision\",\"$new\"]"
k delete pod web-0 >/dev/null
ok 'one of those comes back as it was' busywait 5 eval 'named web "0 1 2 3" && [ "$(images web)" = "1.14 1.14 1.15 1.15" ] && told web .readyReplicas 4'
k patch sts web --type merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}' >/dev/null
ok 'without it all roll' busywait 10 told web '[.currentReplicas, .updatedReplicas, .currentRevision, .updateRevision]' "[4,4,\"$new\",\"$new\"]"
is "$(images web)" '1.15 1.15 1.15 1.15' 'every pod is new'

# --- history ---
k rollout undo sts/web >/dev/null
ok 'undone' busywait 10 told web '[.readyReplicas, .currentRevision, .updateRevision]' "[4,\"$revision\",\"$revision\"]"
is "$(revisions web '[.metadata.name, .revision]')" "[[\"$new\",2],[\"$revision\",3]]" 'the first revision is the newest, no third is made'
is "$(images web)" '1.14 1.14 1.14 1.14' 'and the pods are by it'
is "$(k rollout history sts/web | awk '/^[0-9]/ { print $1 }' | xargs)" '2 3' 'the history tells'
k120 rollout undo sts/web --to-revision=2 >/dev/null
ok 'kubectl 1.20 undoes to a revision' k120 rollout status sts/web --timeout=20s
is "$(k120 rollout history sts/web | awk '/^[0-9]/ { print $1 }' | xargs)" '3 4' 'and tells the history'
k rollout restart sts/web >/dev/null
ok 'restarted' rolled web
is "$(revisions web .revision)" '[3,4,5]' 'which is a revision, too'
kept 'one pod at a time, never too many'

# --- killed in the middle ---
k set image sts/web c=nginx:1.16-slow >/dev/null
for _ in 1 2 3 4; do
	sleep "0.0$((RANDOM % 90 + 10))"
	kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
	halfway="${halfway:-}$(images web), "
	kcm_start --leader-elect=false
done
ok 'killed four times, it rolls out' rolled web
note "the pods when it was killed: $halfway"
is "$(images web)" '1.16-slow 1.16-slow 1.16-slow 1.16-slow' 'as it should be'
kept 'one pod at a time'

# --- stuck ---
promise 3 4
k set image sts/web c=nginx:1-stuck >/dev/null
ok 'an image that never runs' busywait 5 eval '[ "$(images web)" = "1.16-slow 1.16-slow 1.16-slow 1-stuck" ] && told web .updatedReplicas 1'
k rollout undo sts/web >/dev/null
ok 'undone' busywait 5 eval '[ "$(status web .observedGeneration)" = "$(k get sts web -o "jsonpath={.metadata.generation}")" ]'
is "$(images web)" '1.16-slow 1.16-slow 1.16-slow 1-stuck' 'waits for the stuck pod'
k delete pod web-3 >/dev/null
ok 'until somebody deletes that' rolled web
is "$(images web)" '1.16-slow 1.16-slow 1.16-slow 1.16-slow' 'then all are as before'
k patch sts web --type merge -p '{"spec":{"revisionHistoryLimit":1}}' >/dev/null
ok 'the history is cut' busywait 5 eval '[ "$(revisions web .revision | jq length)" = 2 ]'

# --- orphaned, and taken over ---
before=$(k get pods -l app=web -o json | jq -c '[.items[].metadata.uid]')
k delete sts web --cascade=orphan >/dev/null
ok 'orphaned' busywait 5 eval '[ -z "$(k get pods,controllerrevisions -l app=web -o json | jq -r ".items[].metadata.ownerReferences[]?.name")" ]'
sts web 4 "$CLAIMS" ',"volumes":[{"name":"tmp","emptyDir":{}}]' | jq -c '.spec.updateStrategy.type = "OnDelete"' | k create -f - >/dev/null
ok 'one by the same name takes over' busywait 5 told web '.readyReplicas' 4
is "$(k get pods -l app=web -o json | jq -c '[.items[].metadata.uid]')" "$before" 'the very pods'
is "$(k get pods,controllerrevisions -l app=web -o json | jq -r '[.items[].metadata.ownerReferences[].name] | unique[]')" web 'and revisions'
k delete pod web-1 >/dev/null
ok 'OnDelete: a pod is new when the old one was deleted' busywait 5 eval 'told web .readyReplicas 4 && [ "$(images web)" = "1.16-slow 1.14 1.16-slow 1.16-slow" ]'
kill $PLAYER; wait $PLAYER 2>/dev/null
k delete sts web >/dev/null
ok 'deleted, the pods go' busywait 5 named web ''
is "$(claims data-web)" '0 1 2 3 4' 'the claims do not'
ok 'the revisions do' busywait 5 eval '[ "$(revisions web .revision)" = "[]" ]'

# --- side by side, and claims that go ---
POLICY=',"podManagementPolicy":"Parallel","persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete","whenScaled":"Delete"},"ordinals":{"start":7}'
sts all 4 "$POLICY$CLAIMS" | k create -f - >/dev/null
ok 'Parallel: all at once, from the first ordinal on' busywait 5 named all '7 8 9 10'
is "$(claims data-all)" '7 8 9 10' 'with their claims'
is "$(k get pvc -l app=all -o json | jq -c '[.items[].metadata.ownerReferences[] | [.kind, .name, .controller]] | unique')" '[["StatefulSet","all",true]]' 'which are the set'"'"'s'
ok 'and told of' busywait 5 told all '[.replicas, .currentReplicas]' '[4,4]'
k scale sts all --replicas=1 >/dev/null
ok 'scaled down at once' busywait 5 named all 7
ok 'the claims go with the pods' busywait 5 eval '[ "$(claims data-all)" = 7 ]'
k scale sts all --replicas=2 >/dev/null
ok 'scaled up again, with a new claim' busywait 5 eval 'named all "7 8" && [ "$(claims data-all)" = "7 8" ]'
k patch sts all --type merge -p '{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain"}}}' >/dev/null
ready all-7; ready all-8
ok 'another policy, other owners' busywait 5 eval '[ "$(k get pvc -l app=all -o json | jq -c "[.items[].metadata.ownerReferences[]?]")" = "[]" ]'
k patch sts all --type merge -p '{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}}' >/dev/null
ok 'and back' busywait 5 eval '[ "$(k get pvc -l app=all -o json | jq "[.items[].metadata.ownerReferences[]?] | length")" = 2 ]'
k delete sts all >/dev/null
ok 'deleted, the claims go as well' busywait 5 eval '[ -z "$(claims data-all)$(names all)" ]'

# --- ready, not yet available ---
sts slow 2 ',"minReadySeconds":3600' | k create -f - >/dev/null
ok 'minReadySeconds' busywait 5 named slow 0
ready slow-0
ok 'ready is not available' busywait 5 told slow "[.readyReplicas, .availableReplicas]" "[1,null]"
is "$(names slow)" 0 'the next one waits'
k patch sts slow --type merge -p '{"spec":{"minReadySeconds":2}}' >/dev/null
ok 'until it is' busywait 5 named slow '0 1'
ok 'which is told' busywait 5 told slow '[.replicas, .availableReplicas]' '[2,1]'

# --- refused ---
k create namespace poor >/dev/null
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"l","namespace":"poor"},"spec":{"limits":[{"type":"Container","max":{"cpu":"1"}}]}}
EOF
sts big 1 | jq -c '.spec.template.spec.containers[0].resources.limits.cpu = "2"' | k create -n poor -f - >/dev/null
refused() { k get events -n poor -o json | jq -r '.items[] | select(.reason == "FailedCreate") | .message'; }
ok 'pods that are refused' busywait 5 eval '[ "$(refused)" = "create Pod big-0 in StatefulSet big failed error: pods \"big-0\" is forbidden: maximum cpu usage per Container is 1, but limit is 2" ]'
ok 'are told of' busywait 5 eval '[ "$(k get sts big -n poor -o "jsonpath={.status.observedGeneration}")" = 1 ]'
k delete limitrange l -n poor >/dev/null
ok 'until they are not' busywait 10 k get pod big-0 -n poor

# --- as a real one was seen to do ---
RECORD=$DATA/behaviour/controllers.json
if [ -r "$RECORD" ]; then
	substance='[.[].object | select(.kind == "StatefulSet") | [.metadata.generation, (.status | del(.availableReplicas))]]'
	expected=$(jq -cS ".[] | select(.title == \"statefulset\") | .events | $substance" "$RECORD")
	k create namespace demo >/dev/null
	XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API/apis/apps/v1/namespaces/demo/statefulsets?watch=true" >"$TMP/sets" &
	jq -c '.[] | select(.title == "statefulset") | .calls[0].body' "$RECORD" | k create -n demo -f - >/dev/null
	for i in 0 1; do
		busywait 5 eval '[ "$(k get sts ss -n demo -o "jsonpath={.status.replicas}")" = $((i + 1)) ]'
		api PATCH "/api/v1/namespaces/demo/pods/ss-$i/status" -H "$MERGE" -d '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}' >/dev/null
	done
	ours() { jq -cS -s "$substance" "$TMP/sets"; }
	busywait 5 eval '[ "$(ours)" = "$expected" ]'
	is "$(ours)" "$expected" 'a StatefulSet goes the way of the recorded one, revision and all'
fi

# --- never two by one name, never one before the one before it ---
order='reduce .[] as $e ({ there: {}, faults: [] };
	($e.object.metadata.name) as $n | ($n | sub("-[0-9]+$"; "")) as $set | ($n | sub(".*-"; "") | tonumber) as $i |
	if $e.type == "ADDED" then
		(if .there[$n] then .faults += ["\($n) is there twice"] else . end) |
		(.there as $t | if $set == "web" then [range($i) | "\($set)-\(.)" | select($t[.] != "ready")] | map("\($n) before \(.)") else [] end) as $f |
		.faults += $f | .there[$n] = "there"
	elif $e.type == "DELETED" then
		.there[$n] = null
	else
		.there[$n] = (if ($e.object.status.conditions // [] | any(.type == "Ready" and .status == "True")) then "ready" else "there" end)
	end) | .faults'
is "$(jq -c -s "$order" "$TMP/pods")" '[]' 'in all this, pods were in order'
kill "$KCM_PID"; wait "$KCM_PID"
is $? 0 'it ends when it is told'
done_testing
