#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Sets of fields, and what the pods of a template have alike, are kept once in the store. No client may notice: not in any form of
# an answer, not in an event, not after a restart.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
cm=/api/v1/namespaces/default/configmaps
JSON='Content-Type: application/json'
labels='"labels":{"app.kubernetes.io/name":"shop","app.kubernetes.io/component":"web","app.kubernetes.io/part-of":"demo"}'
object() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\",$labels},\"data\":{\"first-setting\":\"$1\",\"second-setting\":\"2\"}}"; }
body() { head -n -1 <<<"$1"; }
fields() { jq -cS '.metadata.managedFields[0].fieldsV1'; }
in_file() { sqlite3 "file:$TMP/data/store.db?mode=ro" "$1"; }
parts() { in_file "SELECT count(*) FROM revision WHERE parts IS NOT NULL AND key = 'configmaps/default/$1'"; }

want=$(jq -cnS '{"f:data":{".":{},"f:first-setting":{},"f:second-setting":{}},"f:metadata":{"f:labels":{".":{},"f:app.kubernetes.io/component":{},"f:app.kubernetes.io/name":{},"f:app.kubernetes.io/part-of":{}}}}')
for name in a b c; do
	is "$(body "$(api POST $cm -H "$JSON" -d "$(object $name)")" | fields)" "$want" "created: $name"
done
is "$(parts a)$(parts b)$(parts c)" 011 'the second and the third share theirs'

see() { # when
	local name
	for name in a b c; do is "$(body "$(api GET $cm/$name)" | fields)" "$want" "$1: get $name"; done
	is "$(body "$(api GET $cm)" | jq -cS '[.items[] | select(.metadata.name | test("^[abc]$")) | .metadata.managedFields[0].fieldsV1] | unique')" "[$want]" "$1: list"
	is "$(body "$(api GET $cm/c -H 'Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1')" | fields)" "$want" "$1: metadata alone"
	is "$(body "$(api GET $cm/c -H 'Accept: application/json;as=Table;g=meta.k8s.io;v=v1')" | jq -cS '.rows[0].object.metadata.managedFields[0].fieldsV1')" "$want" "$1: in a row"
	is "$(body "$(api GET "$cm?watch=1&timeoutSeconds=1&resourceVersion=0&fieldSelector=metadata.name=c")" | jq -cS '.object.metadata.managedFields[0].fieldsV1' | head -1)" "$want" "$1: in an event"
}
see 'as made'
stop "$APISERVER_PID"
apiserver_start
see 'after a restart'

# --- writing over what is shared ---
version() { body "$(api GET $cm/c)" | jq -r .metadata.resourceVersion; }
before=$(version)
is "$(body "$(api PUT $cm/c -H "$JSON" -d "$(body "$(api GET $cm/c)")")" | jq -r .metadata.resourceVersion)" "$before" 'a PUT of what is there writes nothing'
is "$(body "$(api PATCH "$cm/c?dryRun=All" -H 'Content-Type: application/merge-patch+json' -d '{"data":{"third":"3"}}')" |
	jq -c '[.metadata.managedFields[].fieldsV1 | type] | unique')" '["object"]' 'a dry run'
patched=$(body "$(api PATCH $cm/c -H 'Content-Type: application/json-patch+json' -d '[
	{"op": "test", "path": "/metadata/managedFields/0/fieldsV1/f:data/f:second-setting", "value": {}},
	{"op": "remove", "path": "/data/second-setting"}]')")
is "$(fields <<<"$patched")" "$(jq -cS 'del(."f:data"."f:second-setting")' <<<"$want")" 'a JSON patch sees it, and changes this object alone'
is "$(body "$(api GET $cm/b)" | fields)" "$want" 'the other keeps its own'
k apply --server-side --field-manager=shop -f - <<<"$(object b)" >/dev/null 2>&1
is "$(body "$(api GET $cm/b)" | jq -c '[.metadata.managedFields[] | [.manager, .operation, (.fieldsV1 | type)]]')" \
	'[["shop","Apply","object"],["curl","Update","object"]]' 'server-side apply beside it'
is "$(body "$(api DELETE $cm/b)" | jq -r .status)" Success 'deleted'
is "$(body "$(api GET "$cm?watch=1&timeoutSeconds=1&resourceVersion=$before&fieldSelector=metadata.name=b")" |
	jq -c 'select(.type == "DELETED") | [.object.metadata.managedFields[].fieldsV1 | type] | unique')" '["object"]' 'the last state in the event'

# --- pods, and templates of them ---
pods=/api/v1/namespaces/default/pods
all() { # NAME: a container with everything that is shared, its members in an order of their own
	echo "{\"readinessProbe\":{\"periodSeconds\":7,\"httpGet\":{\"port\":8080,\"path\":\"/ready\",\"httpHeaders\":[{\"name\":\"Host\",\"value\":\"shop\"}]}},
		\"name\":\"$1\",\"command\":[\"/usr/bin/shop\",\"--settings=/etc/shop/settings.yaml\",\"--state-in=/var/lib/shop\"],
		\"env\":[{\"name\":\"PASSWORD\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"shop\",\"key\":\"password\"}}},{\"name\":\"LEVEL\",\"value\":\"1\"}],
		\"image\":\"shop\",\"livenessProbe\":{\"tcpSocket\":{\"port\":8080},\"initialDelaySeconds\":30},
		\"startupProbe\":{\"exec\":{\"command\":[\"/usr/bin/shop\",\"has-started\"]},\"failureThreshold\":30},
		\"lifecycle\":{\"preStop\":{\"exec\":{\"command\":[\"/usr/bin/shop\",\"drain\",\"--connections\",\"--for=30s\"]}}},
		\"args\":[\"--listen=:8080\",\"--metrics=:9090\",\"--log-level=information\",\"\\u00e9\\u0001\"],
		\"securityContext\":{\"capabilities\":{\"drop\":[\"ALL\"]},\"readOnlyRootFilesystem\":true,\"allowPrivilegeEscalation\":false},
		\"envFrom\":[{\"prefix\":\"A_\",\"configMapRef\":{\"name\":\"settings-of-the-shop\",\"optional\":true}}]}"
}
spec="{\"initContainers\":[{\"name\":\"first\",\"image\":\"shop\",\"args\":[],\"env\":[],\"command\":[\"/usr/bin/shop\",\"--settings=/etc/shop/settings.yaml\",\"--state-in=/var/lib/shop\"]}],
	\"containers\":[$(all web),{\"name\":\"plain\",\"image\":\"shop\"},$(all log)]}"
pod() { echo "{\"spec\":$spec,\"metadata\":{\"name\":\"$1\"},\"kind\":\"Pod\",\"apiVersion\":\"v1\"}"; }
template="{\"metadata\":{\"labels\":{\"app\":\"shop\"}},\"spec\":$spec}"
once="{\"metadata\":{\"labels\":{\"app\":\"shop\"}},\"spec\":$(jq -c '.restartPolicy = "Never"' <<<"$spec")}"
made() { body "$(api POST "$1" -H "$JSON" -d "$2")" >"$TMP/made-$3"; } # PATH BODY NAME
# what differs between the copies taken out, everything else byte for byte
same() { sed -E 's/"(name|uid|creationTimestamp|resourceVersion|time)":"(one|two|three|[0-9a-f-]{36}|[0-9TZ:.-]{20}|[0-9]+)"/"\1":""/g'; }
for name in one two three; do made $pods "$(pod $name)" $name; done
like "$(cat "$TMP/made-one")" '"env":\[\{"name":"PASSWORD"' 'a pod is made'
is "$(same <"$TMP/made-three")" "$(same <"$TMP/made-one")" 'the answer to the third is that to the first'
rows=$(in_file "SELECT group_concat(json_array_length(parts) || ' ' || (length(value) < 2500), ', ') FROM (SELECT * FROM revision WHERE key LIKE 'pods/default/%' ORDER BY revision)")
like "$rows" ', 21 1, 21 1$' 'the second and the third refer to all that can be shared, and are small'
made /apis/apps/v1/namespaces/default/deployments \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"shop\"},\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}},\"template\":$template}}" deployment
made /apis/batch/v1/namespaces/default/cronjobs \
	"{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\",\"metadata\":{\"name\":\"shop\"},\"spec\":{\"schedule\":\"1 1 1 1 1\",\"jobTemplate\":{\"spec\":{\"template\":$once}}}}" cronjob
for key in deployments.apps cronjobs.batch; do
	is "$(in_file "SELECT json_array_length(parts) FROM revision WHERE key = '$key/default/shop'")" 19 "$key share with the pods"
done

unchanged() { # when
	local name
	for name in one two three; do is "$(body "$(api GET $pods/$name)")" "$(cat "$TMP/made-$name")" "$1: get $name"; done
	is "$(body "$(api GET /apis/apps/v1/namespaces/default/deployments/shop)")" "$(cat "$TMP/made-deployment")" "$1: a Deployment"
	is "$(body "$(api GET /apis/batch/v1/namespaces/default/cronjobs/shop)")" "$(cat "$TMP/made-cronjob")" "$1: a CronJob"
	is "$(body "$(api GET $pods)" | jq -cS '.items[] | select(.metadata.name == "three") | [.spec, .metadata]')" "$(jq -cS '[.spec, .metadata]' "$TMP/made-three")" "$1: list"
	is "$(body "$(api GET "$pods?watch=1&timeoutSeconds=1&resourceVersion=0&fieldSelector=metadata.name=three")" | head -1)" \
		"{\"type\":\"ADDED\",\"object\":$(cat "$TMP/made-three")}" "$1: in an event"
	is "$(body "$(api GET "$pods/three?includeObject=Object" -H 'Accept: application/json;as=Table;g=meta.k8s.io;v=v1')" | jq -cS '[.rows[0].cells[0:3], .rows[0].object]')" \
		"$(jq -cS '[["three", "0/3", "Pending"], .]' "$TMP/made-three")" "$1: in a row"
	is "$(body "$(api GET $pods/three -H 'Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1')" | jq -cS .metadata)" "$(jq -cS .metadata "$TMP/made-three")" "$1: metadata alone"
}
unchanged 'pods as made'
kill -9 "$APISERVER_PID"; stop "$APISERVER_PID"
apiserver_start
unchanged 'pods after kill -9'

version=$(jq -r .metadata.resourceVersion "$TMP/made-two")
is "$(body "$(api PUT $pods/two -H "$JSON" -d "$(cat "$TMP/made-two")")")" "$(cat "$TMP/made-two")" 'a PUT of a pod as it is writes nothing'
is "$(body "$(api PATCH $pods/two -H 'Content-Type: application/json-patch+json' -d '[
	{"op": "test", "path": "/spec/containers/2/env/1", "value": {"name": "LEVEL", "value": "1"}},
	{"op": "replace", "path": "/spec/containers/2/env/1/value", "value": "2"}]')" | jq -r .reason)" Invalid 'a pod keeps its environment'
body "$(api PATCH $pods/two -H 'Content-Type: application/strategic-merge-patch+json' -d '{"spec":{"containers":[{"name":"web","image":"shop:2"}]}}')" >"$TMP/patched"
is "$(jq -cS '.spec | .containers[0].image = "shop"' "$TMP/patched")" "$(jq -cS .spec "$TMP/made-two")" 'a patch of the image changes the image'
is "$(body "$(api GET $pods/two)")" "$(cat "$TMP/patched")" 'and that is what is there'
is "$(body "$(api PATCH "/apis/apps/v1/namespaces/default/deployments/shop" -H 'Content-Type: application/strategic-merge-patch+json' \
	-d '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"LEVEL","value":"2"}]}]}}}}')" | jq -cS '.spec.template.spec.containers[0].env | sort_by(.name)')" \
	"$(jq -cS '.spec.template.spec.containers[0].env | .[1].value = "2" | sort_by(.name)' "$TMP/made-deployment")" 'a strategic patch merges into what is shared'
apply() { body "$(api PATCH "/apis/apps/v1/namespaces/default/deployments/shop?fieldManager=shop&force=true" -H 'Content-Type: application/apply-patch+yaml' -d "$1")"; }
applied=$(apply '{"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":{"spec":{"containers":[{"name":"log","args":["--none"],"readinessProbe":{"periodSeconds":9}}]}}}}')
is "$(jq -cS '.spec.template.spec.containers[2] | [.args, .readinessProbe.periodSeconds, .readinessProbe.httpGet.path, (.env | length)]' <<<"$applied")" \
	'[["--none"],9,"/ready",2]' 'server-side apply too'
is "$(body "$(api GET $pods/three)")" "$(cat "$TMP/made-three")" 'no other pod has changed'
is "$(body "$(api DELETE "$pods/three?gracePeriodSeconds=0")" | jq -cS .spec)" "$(jq -cS .spec "$TMP/made-three")" 'the answer to a deletion'
is "$(body "$(api DELETE "$pods?gracePeriodSeconds=0")" | jq -r .kind)" PodList 'and the rest at once'
is "$(body "$(api GET "$pods?watch=1&timeoutSeconds=1&resourceVersion=$version")" | jq -cS 'select(.type == "DELETED") | .object.spec.containers[2]' | sort -u)" \
	"$(jq -cS .spec.containers[2] "$TMP/made-three")" 'last states in events'
done_testing
