#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# DaemonSets: a pod on each node that fits; nodes come, go, are labelled and tainted; kubectl rolls, undoes and restarts; the
# controller manager is killed in the middle. The scheduler binds; selftests/tools/rollout.py is the kubelet, and checks at each
# event how many pods there are and how many are available.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
scheduler_start --leader-elect=false
kcm_start --leader-elect=false

MERGE='Content-Type: application/merge-patch+json'
node() { # name, more of its metadata; without the taint not-ready, which a new one gets
	local can='{"cpu":"4","memory":"8Gi","pods":"110"}'
	api POST /api/v1/nodes -H 'Content-Type: application/json' -d "{\"metadata\":{\"name\":\"$1\"${2:-}}}" >/dev/null
	api PATCH "/api/v1/nodes/$1/status" -H "$MERGE" -d "{\"status\":{\"capacity\":$can,\"allocatable\":$can,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}" >/dev/null
	api PATCH "/api/v1/nodes/$1" -H "$MERGE" -d '{"spec":{"taints":null}}' >/dev/null
}
ds() { # name, image, more of its spec, more of its pods' spec
	cat <<EOF
{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"$1"},"spec":{"selector":{"matchLabels":{"app":"$1"}}${3:-},
"template":{"metadata":{"labels":{"app":"$1"},"annotations":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"$2"}]${4:-}}}}}
EOF
}
play() { # name, least available, most pods, namespace
	promise "$2" "$3"
	XB_EXEC=exec in_ns node "$ROOT/selftests/tools/rollout.py" "$KUBECONFIG" "$1" "$TMP/bounds" "$TMP/faults" "${4:-default}" >>"$TMP/rollout.log" 2>&1 &
	PLAYER=$!
}
promise() { echo "$1 $2" >"$TMP/bounds.new" && mv "$TMP/bounds.new" "$TMP/bounds"; }
kept() { is "$(cat "$TMP/faults" "$TMP/rollout.log" 2>/dev/null)" '' "$1"; }
rolled() { k rollout status "ds/$1" --timeout=20s; }
pods_of() { raw "$CORE/pods?labelSelector=app%3D$1"; }
set_of() { raw "$APPS/daemonsets/$1"; }
on() { pods_of "$1" | jq -r '[.items[] | select(.metadata.deletionTimestamp == null) | .spec.nodeName // "-"] | sort | join(" ")'; }
runs_on() { [ "$(on "$1")" = "$2" ]; } # name, nodes
images() { pods_of "$1" | jq -r '[.items[].spec.containers[0].image] | unique | join(" ")'; }
status() { set_of "$1" | jq -cS .status; }
tells() { [ "$(set_of "$1" | jq -c "[.status | $2]")" = "$3" ]; } # name, fields, values
revisions() { raw "$APPS/controllerrevisions?labelSelector=app%3D$1" | jq -c "[.items | sort_by(.revision) | .[] | $2]"; }
events() { raw $CORE/events | jq -r ".items[] | select(.involvedObject.name == \"$1\" and .reason == \"$2\") | .message"; }

# --- as a real one was seen to do ---
node node-0
node node-1
RECORD=$DATA/behaviour/controllers.json
substance='{ set: ([.[] | select(.kind == "DaemonSet")] | last | { annotations: .metadata.annotations, generation: .metadata.generation, status,
		spec: (.spec | del(.template.metadata.creationTimestamp, .updateStrategy.rollingUpdate.maxSurge)) }),
	pods: [.[] | select(.kind == "Pod") | { labels: .metadata.labels, generateName: .metadata.generateName,
		owners: [.metadata.ownerReferences[] | del(.uid)], spec: (.spec | { nodeName, affinity, tolerations }) }] | unique,
	told: [.[] | select(.kind == "Event" and .involvedObject.kind == "DaemonSet") |
		{ type, reason, message: (.message | sub("-[a-z0-9]{5}$"; "")), component: .source.component, of: .involvedObject.name, count }] } |
	reduce (.pods[].labels["controller-revision-hash"] // empty) as $hash (tostring; gsub($hash; "HASH")) | fromjson'
recorded() { jq -cS ".[] | select(.title == \"daemonset\") | [.events[].object | select(.kind != \"Pod\" or .spec.nodeName)] | $substance" "$RECORD"; }
ours() { k get ds,pods,events -n demo -o json | jq -cS ".items | $substance"; }
if [ -r "$RECORD" ]; then
	k create namespace demo >/dev/null
	play ds - - demo
	jq -c '.[] | select(.title == "daemonset") | .calls[0].body' "$RECORD" | k create -n demo -f - >/dev/null
	busywait 10 eval '[ "$(ours)" = "$(recorded)" ]'
	is "$(ours)" "$(recorded)" 'a DaemonSet on two nodes ends as the recorded one'
	stop $PLAYER
	k delete namespace demo --wait=false >/dev/null
fi

# --- made ---
node node-3
k taint node node-3 own=yes:NoSchedule >/dev/null
play web - -
ds web nginx:1.14 | k create -f - >/dev/null
ok 'it rolls out' rolled web
ok 'on each node that it bears' runs_on web 'node-0 node-1'
pod=$(pods_of web | jq '.items | sort_by(.spec.nodeName) | .[0]')
name=$(revisions web .metadata.name | jq -r '.[0]') hash=$(jq -r '.metadata.labels["controller-revision-hash"]' <<<"$pod")
is "$name" "web-$hash" 'its revision is named after a hash of the template'
is "$(jq -cS '[.metadata.generateName, .metadata.labels, .metadata.annotations]' <<<"$pod")" \
	"[\"web-\",{\"app\":\"web\",\"controller-revision-hash\":\"$hash\",\"pod-template-generation\":\"1\"},{\"a\":\"b\"}]" 'its pods say so'
is "$(jq -c '.metadata.ownerReferences[0] | [.apiVersion, .kind, .name, .controller, .blockOwnerDeletion]' <<<"$pod")" '["apps/v1","DaemonSet","web",true,true]' 'and whose they are'
is "$(jq -cS '.spec.affinity' <<<"$pod")" \
	'{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-0"]}]}]}}}' \
	'each is for one node'
is "$(jq -r '.spec.tolerations[] | [.key, .operator, .effect, .tolerationSeconds] | join(" ")' <<<"$pod" | sed 's,node.kubernetes.io/,,; s/ $//')" \
	'not-ready Exists NoExecute
unreachable Exists NoExecute
disk-pressure Exists NoSchedule
memory-pressure Exists NoSchedule
pid-pressure Exists NoSchedule
unschedulable Exists NoSchedule' 'and bears what ails it'
is "$(status web)" \
	'{"currentNumberScheduled":2,"desiredNumberScheduled":2,"numberAvailable":2,"numberMisscheduled":0,"numberReady":2,"observedGeneration":1,"updatedNumberScheduled":2}' \
	'the status tells'
ok 'an event tells of each' busywait 5 eval '[ "$(events web SuccessfulCreate | grep -c "^Created pod: web-.....\$")" = 2 ]'

# --- nodes come, go, and change ---
node node-4 ',"labels":{"disk":"ssd"}'
ok 'a new node gets one' busywait 5 runs_on web 'node-0 node-1 node-4'
k taint node node-1 maintenance=yes:NoSchedule >/dev/null
ok 'where it may not be, but is, it stays, and is told of' busywait 5 tells web .numberMisscheduled,.desiredNumberScheduled '[1,2]'
is "$(on web)" 'node-0 node-1 node-4' 'and is there'
k taint node node-1 maintenance=yes:NoExecute >/dev/null
ok 'until it may not stay' busywait 5 runs_on web 'node-0 node-4'
k taint node node-1 maintenance- >/dev/null
ok 'it comes back' busywait 5 runs_on web 'node-0 node-1 node-4'
k cordon node-1 >/dev/null
ds fast nginx:1.14 '' ',"nodeSelector":{"disk":"ssd"}' | k create -f - >/dev/null
ok 'another is on the nodes with a label only' busywait 5 runs_on fast node-4
k label node node-0 disk=ssd >/dev/null
ok 'also when a node gets it' busywait 5 runs_on fast 'node-0 node-4'
k label node node-0 node-4 disk- >/dev/null
ok 'and on none without' busywait 5 runs_on fast ''
k delete ds fast >/dev/null
k delete node node-4 --wait=false >/dev/null
ok 'a node that went is not counted' busywait 5 tells web .desiredNumberScheduled,.currentNumberScheduled '[2,2]'
k delete pod -l app=web --field-selector spec.nodeName=node-4 --force --grace-period=0 >/dev/null 2>&1
for n in node-4 node-5; do node $n; done
ok 'two more nodes' rolled web
is "$(on web)" 'node-0 node-1 node-4 node-5' 'have one each'

# --- rolled, with one less at a time: never fewer than 3 available, never more than 4 ---
promise 3 4
k set image ds/web c=nginx:1.15 >/dev/null
ok 'a new image rolls out' rolled web
is "$(images web) $(revisions web .revision)" 'nginx:1.15 [1,2]' 'as revision 2'
is "$(pods_of web | jq -c '[.items[].metadata.labels | [."controller-revision-hash", ."pod-template-generation"]] | unique')" \
	"$(revisions web '[.metadata.labels["controller-revision-hash"], "2"]' | jq -c '[.[1]]')" 'which the pods name'
k rollout undo ds/web >/dev/null
ok 'undone' rolled web
is "$(images web) $(revisions web '[.metadata.name, .revision]' | jq -c '.[1]')" "nginx:1.14 [\"$name\",3]" 'the first revision is the present one, as 3'
is "$(k rollout history ds/web | awk '/^[0-9]/ { print $1 }' | xargs)" '2 3' 'the history tells'
k120 rollout undo ds/web --to-revision=2 >/dev/null
ok 'kubectl 1.20 undoes to a revision' k120 rollout status ds/web --timeout=20s
is "$(images web) $(k120 rollout history ds/web | awk '/^[0-9]/ { print $1 }' | xargs)" 'nginx:1.15 3 4' 'and tells the history'
k rollout restart ds/web >/dev/null
ok 'restarted' rolled web
is "$(revisions web .revision)" '[3,4,5]' 'as a revision of its own'
kept 'never fewer available than promised, never more pods'

# --- rolled, with one more at a time ---
promise 4 5
k patch ds web -p '{"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}' >/dev/null
k set image ds/web c=nginx:1.16-slow >/dev/null
ok 'with maxSurge a new pod comes before the old one goes' rolled web
is "$(images web) $(on web)" 'nginx:1.16-slow node-0 node-1 node-4 node-5' 'on each node'
kept 'and all are available all the time'

# --- killed in the middle, three times ---
promise 3 4
k patch ds web -p '{"spec":{"revisionHistoryLimit":2,"updateStrategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}' >/dev/null
XB_EXEC=exec in_ns node curl -sSN --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' \
	"$API/api/v1/namespaces/default/pods?labelSelector=app%3Dweb&watch=true" >"$TMP/web" &
busywait 5 eval '[ "$(grep -c "\"type\":\"ADDED\"" "$TMP/web")" = 4 ]'
k set image ds/web c=nginx:1.17-slow >/dev/null
for made in 5 6 7; do
	busywait 5 eval '[ "$(grep -c "\"type\":\"ADDED\"" "$TMP/web")" -ge $made ]'
	kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
	kcm_start --leader-elect=false
done
ok 'killed three times while it rolls, it rolls out' rolled web
is "$(grep -c '"type":"ADDED"' "$TMP/web") $(on web)" '8 node-0 node-1 node-4 node-5' 'and no pod too many was made'
kept 'nor were too few available'
ok 'the history is cut' busywait 5 eval '[ "$(revisions web .revision)" = "[5,6,7]" ]'

# --- on deletion ---
promise - -
k patch ds web -p '{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}' >/dev/null
k set image ds/web c=nginx:1.18 >/dev/null
ok 'with OnDelete' busywait 5 tells web '.observedGeneration == '"$(k get ds web -o 'jsonpath={.metadata.generation}')"',.updatedNumberScheduled' '[true,null]'
k delete pod -l app=web --field-selector spec.nodeName=node-0 >/dev/null
ok 'only a pod that is deleted is made anew by the new template' busywait 5 tells web .updatedNumberScheduled,.numberAvailable '[1,4]'
stop $PLAYER

# --- what a node tells of itself costs nothing; one pod too many, or failed ---
adds() { in_ns node curl -kfsS https://127.0.0.1:10257/metrics | awk '$1 == "workqueue_adds_total{name=\"daemonset\"}" { print $2 }'; }
before=$(adds)
for n in node-0 node-1 node-4 node-5; do
	api PATCH "/api/v1/nodes/$n/status" -H 'Content-Type: application/strategic-merge-patch+json' \
		-d '{"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T00:00:00Z"}]}}' >/dev/null
done
is "$(adds)" "$before" 'the status of a node brings no work'
k get pods -l app=web -o json | jq -c '.items[] | select(.spec.nodeName == "node-1") | del(.metadata.name, .metadata.uid, .metadata.resourceVersion, .status)' |
	k create -f - >/dev/null
going() { pods_of web | jq -r '[.items[] | select(.metadata.deletionTimestamp) | .spec.nodeName] | join(" ")'; }
ok 'one of two pods on a node goes' busywait 5 eval '[ "$(going)" = node-1 ]'
is "$(on web)" 'node-0 node-1 node-4 node-5' 'the other stays'
fail() { bad_pods | while read -r pod; do set_status "$pod" '"phase":"Failed"'; done; }
set_status() { # pod, of its status
	api PATCH "/api/v1/namespaces/default/$1/status" -H "$MERGE" -d "{\"status\":{$2}}" >/dev/null
}
bad_pods() { pods_of bad | jq -r '.items[] | "pods/" + .metadata.name'; }
remade() { [ "$(bad_pods)" != "$1" ] && runs_on bad node-5; }
ds bad nginx:1.14 ',"minReadySeconds":1' ',"nodeSelector":{"bad":"yes"}' | k create -f - >/dev/null
k label node node-5 bad=yes >/dev/null
ok 'one on node-5' busywait 5 runs_on bad node-5
first=$(bad_pods) since=$(date +%s%3N)
fail
ok 'a failed pod is made anew' busywait 5 remade "$first"
is "$(events bad FailedDaemonPod)" "Found failed daemon pod default/${first#pods/} on node node-5, will try to kill it" 'an event tells why'
second=$(bad_pods)
fail
ok 'and again' busywait 5 remade "$second"
ok 'not before a second has passed' [ $(($(date +%s%3N) - since)) -ge 1000 ]
set_status "$(bad_pods)" '"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"'"$(date -u +%FT%TZ)"'"}]'
ok 'it is available when it was ready for minReadySeconds' busywait 5 tells bad .numberReady,.numberAvailable,.numberUnavailable '[1,1,null]'
k create namespace small >/dev/null
k create quota two --hard=pods=2 -n small >/dev/null
ds full nginx:1.14 | k create -n small -f - >/dev/null
told() { raw /api/v1/namespaces/small/events | jq -r '[.items[] | select(.reason == "FailedCreate") | .message][0]'; }
ok 'what is refused' busywait 5 eval '[[ "$(told)" == "Error creating: pods \"full-"*" is forbidden: exceeded quota: two"* ]]'
ok 'is told of' busywait 5 eval '[ "$(raw /apis/apps/v1/namespaces/small/daemonsets/full | jq -c "[.status | .desiredNumberScheduled,.currentNumberScheduled]")" = "[4,2]" ]'
k delete quota two -n small >/dev/null
ok 'and made when it is not' busywait 10 eval '[ "$(raw /api/v1/namespaces/small/pods | jq ".items | length")" = 4 ]'
kill "$KCM_PID"; wait "$KCM_PID"
is $? 0 'it ends when it is told'
done_testing
