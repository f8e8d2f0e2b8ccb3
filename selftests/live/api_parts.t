#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Sets of fields that many objects have alike are kept once in the store. No client may notice: not in any form of an answer,
# not in an event, not after a restart.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
cm=/api/v1/namespaces/default/configmaps
JSON='Content-Type: application/json'
labels='"labels":{"app.kubernetes.io/name":"shop","app.kubernetes.io/component":"web","app.kubernetes.io/part-of":"demo"}'
object() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\",$labels},\"data\":{\"first-setting\":\"$1\",\"second-setting\":\"2\"}}"; }
body() { head -n -1 <<<"$1"; }
fields() { jq -cS '.metadata.managedFields[0].fieldsV1'; }
parts() { sqlite3 "file:$TMP/data/store.db?mode=ro" "SELECT count(*) FROM revision WHERE parts IS NOT NULL AND key = 'configmaps/default/$1'"; }

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
done_testing
