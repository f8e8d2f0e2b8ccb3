#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the server tells of itself, discovery and OpenAPI, and what kubectl does with it: as the machine has it, and 1.20.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
cat >"$TMP/pod.yaml" <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: c
    image: nginx
EOF

raw() { k get --raw "$1"; }
fetch() { # path, curl's options...
	local path=$1; shift
	in_ns node curl -sk -H 'Authorization: Bearer admintoken' "$@" "https://192.0.2.1:$API_PORT$path"
}

# --- discovery ---
is "$(raw /apis | jq -r '.groups[].name' | grep -E '^(apps|events.k8s.io|autoscaling|batch|policy|storage.k8s.io|coordination.k8s.io|discovery.k8s.io)$' | tr '\n' ' ')" \
	'apps events.k8s.io autoscaling batch policy storage.k8s.io coordination.k8s.io discovery.k8s.io ' 'groups stand in order'
is "$(raw /apis | jq -r '.groups[] | select(.name == "autoscaling") | .preferredVersion.version')" v2 'the preferred version comes first'
is "$(raw /api/v1 | jq -c '[.resources[].name] | . == sort')" true "core's resources stand in order"
is "$(raw /api/v1 | jq -c '.resources[] | select(.name == "pods") | [.singularName, .kind, .namespaced, .shortNames, .categories]')" \
	'["","Pod",true,["po"],["all"]]' 'a resource in the plain form'
aggregated='Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
is "$(fetch /api -H "$aggregated" | jq -c '.items[0].versions[0].resources[] | select(.resource == "pods") | [.singularResource, .scope, .categories]')" \
	'["pod","Namespaced",["all"]]' 'a resource in the aggregated form'
is "$(fetch /apis -H "$aggregated" | jq -c '[.items[].metadata.name]')" "$(raw /apis | jq -c '[.groups[].name]')" 'both forms have the same groups in the same order'

# --- OpenAPI v2 ---
protobuf='Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
fetch /openapi/v2 -D "$TMP/headers" -o "$TMP/v2.json"
like "$(cat "$TMP/headers")" 'content-type: application/json' 'v2 is JSON by itself'
is "$(jq -r '.swagger, (.definitions | length > 300), (.paths | length > 100)' "$TMP/v2.json" | tr '\n' ' ')" '2.0 true true ' 'v2 has definitions and paths'
etag=$(sed -n 's/^etag: \(.*\)\r$/\1/Ip' "$TMP/headers")
is "$(fetch /openapi/v2 -H "If-None-Match: $etag" -o /dev/null -w '%{http_code}')" 304 'who has it already gets 304'
fetch /openapi/v2 -H "$protobuf" -D "$TMP/headers" -o "$TMP/v2.pb"
like "$(cat "$TMP/headers")" 'content-type: application/com.github.proto-openapi.spec.v2.v1.0\+protobuf' 'v2 is protobuf when asked for'
ok 'and names the types' grep -qa io.k8s.api.core.v1.PodSpec "$TMP/v2.pb"
is "$(fetch /openapi/v2 -H "$protobuf" -H "If-None-Match: $etag" -o /dev/null -w '%{http_code}')" 200 'the two forms have tags of their own'

# --- OpenAPI v3 ---
url=$(raw /openapi/v3 | jq -r '.paths["apis/apps/v1"].serverRelativeURL')
like "$url" '^/openapi/v3/apis/apps/v1\?hash=[0-9A-F]{64}$' 'v3: the index has hashes'
fetch "$url" -D "$TMP/headers" -o "$TMP/v3.json"
like "$(cat "$TMP/headers")" 'cache-control: public, immutable' 'v3: what is asked by its hash may be kept for ever'
is "$(jq -r '.components.schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"][0].kind' "$TMP/v3.json")" Deployment 'v3: a schema knows its kind'
is "$(fetch /openapi/v3/apis/none/v1 -o /dev/null -w '%{http_code}')" 404 'v3: of a group that is not there'

# --- kubectl ---
explains() { # kubectl function, its version
	local k=$1 v=$2
	rm -rf "$TMP/.kube"
	like "$($k explain rc 2>&1)" 'KIND: +ReplicationController.*VERSION: +v1.*Keeps a number of equal pods running.*spec' "$v: explain rc"
	like "$($k explain pod.spec.containers.image 2>&1)" 'image <string>.*The image to run' "$v: explain a field"
	like "$($k explain pod.spec.containers --recursive 2>&1)" 'volumeMounts.*mountPath.*<string>.*workingDir' "$v: explain --recursive"
	like "$($k explain deployment.spec.strategy 2>&1)" 'rollingUpdate.*Recreate' "$v: explain a kind of a group"
	like "$($k explain pod.spec.nothing 2>&1)" 'field "nothing" does not exist' "$v: explain what is not there"
	is "$($k create -f "$TMP/pod.yaml" --dry-run=server 2>&1)" 'pod/web created (server dry run)' "$v: create --dry-run=server"
	like "$(sed 's/image:/imagee:/' "$TMP/pod.yaml" | $k create -f - 2>&1)" 'unknown field "(spec.containers\[0\].)?imagee"' "$v: a misspelt field is named"
	is "$($k apply -f "$TMP/pod.yaml" 2>&1)" 'pod/web created' "$v: apply"
	like "$(sed 's/nginx$/nginx:2/' "$TMP/pod.yaml" | $k diff -f - 2>&1)" '-  - image: nginx'$'\n''\+  - image: nginx:2' "$v: diff"
	is "$(sed 's/nginx$/nginx:2/' "$TMP/pod.yaml" | $k apply --dry-run=server -f - 2>&1)" 'pod/web configured (server dry run)' "$v: apply --dry-run=server"
	is "$(sed 's/nginx$/nginx:2/' "$TMP/pod.yaml" | $k apply -f - 2>&1)" 'pod/web configured' "$v: apply a change, merged by the schema"
	is "$($k get pod web -o 'jsonpath={.spec.containers[*].image}')" nginx:2 "$v: applied"
	$k delete pod web --grace-period=0 --force >/dev/null 2>&1
}
explains k kubectl
explains k120 'kubectl 1.20'
like "$(sed 's/image:/imagee:/' "$TMP/pod.yaml" | k120 create -f - 2>&1)" 'unknown field "imagee" in io.k8s.api.core.v1.Container' 'kubectl 1.20 checks by the document'
like "$(sed 's/name: c/workingDir: \//' "$TMP/pod.yaml" | k120 create -f - 2>&1)" 'missing required field "name" in io.k8s.api.core.v1.Container' 'and misses what is required'
done_testing
