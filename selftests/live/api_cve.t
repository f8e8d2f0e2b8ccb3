#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Classes of faults that API servers and HTTP servers have had, each by what an attacker would send. More of who may do what is in
# api_access.t, more of what is malformed in api_malformed.t; each parser is fuzzed in soak/fuzz.t.
. "$(dirname "$0")/../lib.sh"

node_up
cat >"$TMP/tokens.csv" <<'EOF'
admintoken,admin,1,"system:masters"
janetoken,jane,2
n1token,system:node:n1,3,"system:nodes"
EOF
start() { apiserver_start --authorization-mode=Node,RBAC -v=10 "$@"; }
start
as() { # token, method, path, curl's arguments...: the body, then the code; the path as it is
	local token=$1 method=$2 path=$3; shift 3
	in_ns node curl -sS --path-as-is --max-time 20 --cacert "$TMP/pki/ca.crt" ${token:+-H "Authorization: Bearer $token"} -X "$method" \
		-w '\n%{http_code}\n' "$@" "$API$path"
}
# way, cases...: lines "case: what came of it", into $TMP/came
raw() { in_ns node python3 "$ROOT/selftests/tools/api_raw.py" 192.0.2.1 "$@" >"$TMP/came" || bail "api_raw.py $1 fails"; }
code() { tail -1 <<<"$1"; }
message() { head -n -1 <<<"$1" | jq -r .message; }
refused() { # description, answer, code, message pattern
	local CODE=$3
	like "$(code "$2") $(message "$2")" "^$CODE .*$4" "$1"
}
JSON='Content-Type: application/json' MERGE='Content-Type: application/merge-patch+json' PATCH='Content-Type: application/json-patch+json'
YAML='Content-Type: application/yaml'
default=/api/v1/namespaces/default
rss() { awk '/VmRSS/ { print $2 }' /proc/"$APISERVER_PID"/status; }

# --- parser bombs: CVE-2019-11253, CVE-2019-1002100 ---
python3 - "$TMP" <<'EOF'
import json, sys
def put(name, text): open(f'{sys.argv[1]}/{name}', 'w').write(text)
put('deep', '[' * 100000)
put('bomb.yaml', 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n' + ''.join(f'a{i}: &a{i} [' + ','.join([f'*a{i-1}'] * 10) + ']\n' for i in range(1, 12)))
put('merge.yaml', 'a: &a {x: y}\nb: {<<: [' + ','.join(['*a'] * 100000) + ']}\n')
put('deep.yaml', 'a: ' + '[' * 5000 + ']' * 5000)
put('wide', '{"metadata":{"name":"x"},"data":[' + ','.join('0' * 1500000) + ']}')
put('members', '{"metadata":{"name":"x"},"data":{' + ','.join(f'"{i}":0' for i in range(250000)) + '}}')
put('copies', json.dumps([{'op': 'add', 'path': '/data', 'value': {'k': 'x' * 100}}] +
                         [{'op': 'copy', 'from': '/data', 'path': f'/data/d{i}'} for i in range(40)]))
put('operations', json.dumps([{'op': 'test', 'path': '/kind', 'value': 'ConfigMap'}] * 10001))
EOF
k create configmap target >/dev/null
post() { as admintoken POST $default/configmaps -H "$2" --data-binary @"$TMP/$1"; }
patch() { as admintoken PATCH $default/configmaps/target -H "$PATCH" --data-binary @"$TMP/$1"; }
refused 'bomb: brackets in JSON' "$(post deep "$JSON")" 400 'depth|nest'
refused 'bomb: aliases in YAML' "$(post bomb.yaml "$YAML")" 400 'alias|excessive'
refused 'bomb: aliases of merge keys' "$(post merge.yaml "$YAML")" 400 'alias|excessive'
refused 'bomb: brackets in YAML' "$(post deep.yaml "$YAML")" 400 'depth|nest'
refused 'bomb: a wide array' "$(post wide "$JSON")" 413 'needs more memory than the 64 MiB that one may have'
refused 'bomb: a wide object' "$(post members "$JSON")" '4(00|13|22)' ''
refused 'bomb: a patch that doubles' "$(patch copies)" '4(00|13|22)' ''
refused 'bomb: a patch of too many operations' "$(patch operations)" 413 'allowed maximum operations in a JSON patch is 10000, got 10001'
round() { for b in deep wide members; do post $b "$JSON"; done; for b in bomb merge deep; do post $b.yaml "$YAML"; done; patch copies; } >/dev/null
round; before=$(rss); round; round; round
note "resident: $before kB, then $(rss) kB"
# what requests work in is kept for those to come, until none has wanted it for a while
as_before() { [ $(($(rss) - before)) -lt $((before / 10 + 2048)) ]; }
ok 'bomb: none leaves memory behind' busywait 30 as_before

# --- HTTP/2 floods: CVE-2023-44487, CVE-2024-28182, CVE-2019-9512, -9515, -9518 ---
raw flood
while IFS=: read -r case came; do like "$came" '^ cut' "flood: $case"; done <"$TMP/came"
is "$(code "$(as admintoken GET $default)")" 200 'flood: others are served'

# --- smuggling: whatever two parsers could cut differently is refused, and nothing behind it is read ---
raw smuggle
while IFS=: read -r case came; do like "$came" '^ (400|501) closed$' "smuggling: $case"; done <"$TMP/came"
raw h2
while IFS=: read -r case came; do
	case $case in 'a fair request') is "$came" ' served' "HTTP/2: $case";; *) like "$came" '^ (reset|closed)$' "smuggling, HTTP/2: $case";; esac
done <"$TMP/came"
raw upgrade /api/v1/namespaces $default/pods/no/exec
while IFS=: read -r case came; do
	like "$came" '^ [24]0. 403 closed$' "CVE-2018-1002105: an upgrade that is none leaves no credentials: $case"
done <"$TMP/came"

# --- paths: what is authorised is what is done ---
k create secret generic hidden --from-literal=k=v >/dev/null
k create role reads-pods --verb=get,list,watch --resource=pods >/dev/null
k create rolebinding jane-reads --role=reads-pods --user=jane >/dev/null
is "$(code "$(as janetoken GET $default/pods)") $(code "$(as janetoken GET $default/%70ods)")" '200 200' 'path: jane reads pods; an escape is the byte it stands for'
is "$(code "$(as admintoken GET $default/%73ecrets/hidden)")" 200 'path: for the administrator too'
for path in $default/secrets $default/%73ecrets $default/secrets/hidden /api//v1/namespaces//default/secrets //api/v1/namespaces/default/secrets \
	/./api/v1/namespaces/default/secrets $default/pods/../secrets $default/pods/%2e%2e/secrets $default/pods%2f..%2fsecrets \
	/api/v1/namespaces/default%2fsecrets /api/v1/namespaces/default%2fpods/secrets "$default/pods/..;/secrets" \
	/api/v1/namespaces/kube-system/../default/secrets /healthz/../api/v1/secrets /version/../api/v1/secrets /API/v1/secrets \
	"$default/secrets?watch=1&fieldSelector=metadata.name%3Dhidden" /api/v1/pods/../secrets $default/pods/x/../../secrets; do
	like "$(code "$(as janetoken GET "$path")")" '^40[0-9]$' "path: jane does not read secrets by $path"
done
for path in /healthz/../api/v1/secrets /readyz%2f..%2fapi%2fv1%2fsecrets /version/..%2fapi/v1/secrets '/readyz?/api/v1/secrets'; do
	ok "path: nor does anybody by $path" [ "$(as '' GET "$path" | grep -c hidden)" = 0 ]
done
is "$(code "$(as admintoken GET $default/secrets/hid%00den)") $(code "$(as admintoken GET $default%00/secrets)")" '400 400' 'path: a NUL'
refused 'path: a name with a slash' "$(as admintoken POST $default/configmaps -H "$JSON" -d '{"metadata":{"name":"../secrets/x"}}')" 422 'metadata.name: Invalid value'
refused 'path: the name of a folder' "$(as admintoken POST $default/configmaps -H "$JSON" -d '{"metadata":{"name":".."}}')" 422 'metadata.name: Invalid value'

# --- redirects: none is sent, and nothing is proxied that could follow one: CVE-2020-8559, CVE-2022-3172 ---
for path in / /api /api/ /apis/ //api /api/v1 /openapi /openapi/v3/ /version/ $default/services/x/proxy/http://192.0.2.9/ /api/v1/nodes/n1/proxy/ //192.0.2.9/..; do
	like "$(code "$(as admintoken GET "$path" -o /dev/null)")" '^[245]..$' "redirect: none from $path"
done

# --- node boundary: CVE-2025-5187, CVE-2025-4563, CVE-2021-25735 ---
uid_of() { k get "$1" "$2" -o jsonpath='{.metadata.uid}'; }
as n1token POST /api/v1/nodes -H "$JSON" -d '{"metadata":{"name":"n1"}}' >/dev/null
k create serviceaccount robot >/dev/null
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"Node","metadata":{"name":"n2"}},
{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"claim"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"here"},"spec":{"nodeName":"n1","serviceAccountName":"robot","containers":[{"name":"c","image":"i"}],
 "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"claim"}}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"there"},"spec":{"nodeName":"n2","serviceAccountName":"robot","containers":[{"name":"c","image":"i"}]}}]}
EOF
change() { as n1token PATCH "$1" -H "$MERGE" -d "$2"; }
owner='{"apiVersion":"v1","kind":"Node","name":"gone","uid":"1-2-3"}'
owned="{\"metadata\":{\"ownerReferences\":[$owner]}}"
refused 'node: an owner that would have it collected' "$(change /api/v1/nodes/n1 "$owned")" 403 'not allowed to modify ownerReferences'
refused 'node: by its status' "$(change /api/v1/nodes/n1/status "$owned")" 403 'not allowed to modify ownerReferences'
k patch node n1 --type=merge -p "{\"metadata\":{\"ownerReferences\":[$owner],\"labels\":{\"node-restriction.kubernetes.io/zone\":\"a\"}}}" >/dev/null
refused 'node: taking its owner away' "$(change /api/v1/nodes/n1 '{"metadata":{"ownerReferences":null}}')" 403 'not allowed to modify ownerReferences'
refused 'node: deleting itself' "$(as n1token DELETE /api/v1/nodes/n1)" 403 'User "system:node:n1" cannot delete'
refused 'node: another node' "$(change /api/v1/nodes/n2 '{"metadata":{"labels":{"a":"b"}}}')" 403 'not allowed to modify node "n2"'
label=/metadata/labels/node-restriction.kubernetes.io~1zone
for way in "[{\"op\":\"replace\",\"path\":\"$label\",\"value\":\"b\"}]" "[{\"op\":\"move\",\"from\":\"$label\",\"path\":\"/metadata/labels/mine\"}]" \
	'[{"op":"replace","path":"/metadata/labels","value":{}}]'; do
	refused "CVE-2021-25735: the old object is the stored one: $way" "$(as n1token PATCH /api/v1/nodes/n1 -H "$PATCH" -d "$way")" 403 'not allowed to modify labels'
	refused 'CVE-2021-25735: by status' "$(as n1token PATCH /api/v1/nodes/n1/status -H "$PATCH" -d "$way")" 403 'not allowed to modify labels'
done
refused 'CVE-2021-25735: a copy from before, without a version' "$(k get node n1 -o json |
	jq -c 'del(.metadata.labels, .metadata.resourceVersion)' | as n1token PUT /api/v1/nodes/n1 -H "$JSON" --data-binary @-)" 403 'not allowed to modify labels'
self="{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n1\",\"controller\":true,\"uid\":\"$(uid_of node n1)\"}"
mirror() { # what the spec has besides; the pod's owner
	as n1token POST $default/pods -H "$JSON" -d "{\"metadata\":{\"name\":\"m$RANDOM\",\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"},
		\"ownerReferences\":[${2-$self}]},\"spec\":{\"nodeName\":\"n1\",$1}}"
}
plain='"containers":[{"name":"c","image":"i"}]'
is "$(code "$(mirror "$plain")")" 201 'node: a mirror pod'
refused 'node: a mirror pod of nobody' "$(mirror "$plain" '')" 403 'can only create pods with an owner reference set to itself'
refused 'node: of another node' "$(mirror "$plain" "${self/n1/n2}")" 403 'can only create pods with an owner reference set to itself'
refused 'node: of another of its name' "$(mirror "$plain" '{"apiVersion":"v1","kind":"Node","name":"n1","controller":true,"uid":"1-2"}')" 403 'node n1 UID mismatch: expected 1-2 got '
refused 'node: a mirror pod that reads a secret into its environment' \
	"$(mirror '"containers":[{"name":"c","image":"i","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"hidden","key":"k"}}}]}]')" 403 'can not create pods that reference secrets'
refused 'node: all of it' "$(mirror '"containers":[{"name":"c","image":"i","envFrom":[{"secretRef":{"name":"hidden"}}]}]')" 403 'that reference secrets'
refused 'node: to pull images' "$(mirror "$plain,\"imagePullSecrets\":[{\"name\":\"hidden\"}]")" 403 'that reference secrets'
volume() { echo "$plain,\"volumes\":[{\"name\":\"v\",$1}]"; }
refused 'node: as a volume' "$(mirror "$(volume '"secret":{"secretName":"hidden"}')")" 403 'that reference secrets'
refused 'node: a projected one' "$(mirror "$(volume '"projected":{"sources":[{"configMap":{"name":"target"}}]}')")" 403 'that reference configmaps'
refused 'node: a claim' "$(mirror "$(volume '"persistentVolumeClaim":{"claimName":"claim"}')")" 403 'that reference persistentvolumeclaims'
refused 'CVE-2025-4563: a claim for devices' "$(mirror "$plain,\"resourceClaims\":[{\"name\":\"d\",\"resourceClaimName\":\"x\"}]")" 403 'that reference resourceclaims'
refused 'node: an account' "$(mirror "$plain,\"serviceAccountName\":\"robot\"")" 403 'that reference a service account'
is "$(code "$(as n1token GET $default/secrets/hidden)")" 403 'node: the secret stays hidden'
refused 'node: the status of a pod elsewhere' "$(change $default/pods/there/status '{"status":{"phase":"Failed"}}')" 403 'can only update pod status for pods with spec.nodeName set to itself'
refused 'node: deleting a pod elsewhere' "$(as n1token DELETE $default/pods/there)" 403 'can only delete pods with spec.nodeName set to itself'
refused 'node: evicting one' "$(as n1token POST $default/pods/there/eviction -H "$JSON" -d '{"metadata":{"name":"there"}}')" 403 'with spec.nodeName set to itself'
refused 'node: a pod’s labels by its status' "$(change $default/pods/here/status '{"metadata":{"labels":{"a":"b"}}}')" 403 'cannot update labels through pod status'
refused 'node: a claim’s finalizers by its status' "$(change $default/persistentvolumeclaims/claim/status '{"metadata":{"finalizers":["a/b"]}}')" 403 'not allowed to update fields other than status.capacity'
is "$(code "$(change $default/persistentvolumeclaims/claim/status '{"status":{"capacity":{"storage":"2Gi"}}}')")" 200 'node: what it reports of a claim'
token_for() { as n1token POST $default/serviceaccounts/robot/token -H "$JSON" -d "{\"spec\":{$1}}"; }
bound() { echo "\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"$1\"${2:+,\"uid\":\"$2\"}}"; }
refused 'node: a token for no pod' "$(token_for '')" 403 'node requested token not bound to a pod'
refused 'node: for a pod without saying which' "$(token_for "$(bound here)")" 403 'with a pod binding without a uid'
refused 'node: for a pod elsewhere' "$(token_for "$(bound there "$(uid_of pod there)")")" 403 'bound to a pod scheduled on a different node'
issued=$(token_for "$(bound here "$(uid_of pod here)")")
is "$(code "$issued")" 201 'node: for its own'
for selector in 'status.phase!=x\,spec.nodeName=n1' 'spec.nodeName!=x,spec.nodeName\=n1' 'spec.nodeName=n1\,n2' 'spec.nodeName=n1x' 'spec.nodeName!=n1'; do
	like "$(code "$(as n1token GET /api/v1/pods -G --data-urlencode "fieldSelector=$selector")")" '^40[03]$' "node: pods by $selector"
done

# --- external addresses: CVE-2020-8554 ---
service() { # method, name, addresses
	as admintoken "$1" "$default/services$([ "$1" = POST ] || echo "/$2")" -H "$([ "$1" = POST ] && echo "$JSON" || echo "$MERGE")" \
		-d "{\"metadata\":{\"name\":\"$2\"},\"spec\":{\"externalIPs\":[$3],\"ports\":[{\"port\":80}]}}"
}
is "$(code "$(service POST x '"198.51.100.1","198.51.100.2"')")" 201 'externalIPs: theirs unless it is forbidden'

# --- certificates: who asks for one of system:masters does not get it ---
csrs=/apis/certificates.k8s.io/v1/certificatesigningrequests client=kubernetes.io/kube-apiserver-client
csr() { # name, subject
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key" -subj "$2" -out "$TMP/csr" 2>/dev/null
	as admintoken POST $csrs -H "$JSON" \
		-d "{\"metadata\":{\"name\":\"$1\"},\"spec\":{\"request\":\"$(base64 -w0 "$TMP/csr")\",\"signerName\":\"$client\",\"usages\":[\"client auth\"]}}"
}
refused 'certificate: of system:masters' "$(csr a /O=system:masters/CN=eve)" 403 "use of $client signer with system:masters group is not allowed"
refused 'certificate: as one of its groups' "$(csr a /O=dev/O=system:masters/CN=eve)" 403 'system:masters group is not allowed'
is "$(code "$(csr good /O=dev/CN=jane)")" 201 'certificate: of others'
k create clusterrole approver --verb=create,get,update,patch --resource=certificatesigningrequests,certificatesigningrequests/approval,certificatesigningrequests/status >/dev/null
k create clusterrolebinding jane-approves --clusterrole=approver --user=jane >/dev/null
approve() { as janetoken PATCH "$csrs/good/$1" -H "$MERGE" -d "$2"; }
approved='{"status":{"conditions":[{"type":"Approved","status":"True","reason":"r"}]}}'
refused 'certificate: approved for a signer that is not hers' "$(approve approval "$approved")" 403 "user not permitted to approve requests with signerName \"$client\""
api POST /apis/rbac.authorization.k8s.io/v1/clusterroles -H "$JSON" -d '{"metadata":{"name":"signers"},
	"rules":[{"verbs":["approve"],"apiGroups":["certificates.k8s.io"],"resources":["signers"],"resourceNames":["kubernetes.io/*"]}]}' >/dev/null
k create clusterrolebinding jane-signers --clusterrole=signers --user=jane >/dev/null
is "$(code "$(approve approval "$approved")")" 200 'certificate: once she may for all of its domain'
refused 'certificate: signed by her' "$(approve status '{"status":{"certificate":"LS0tLS1CRUdJTg=="}}')" 403 "user not permitted to sign requests with signerName \"$client\""

# --- who one is: nothing but what is verified says so ---
proxied=(-H 'X-Remote-User: admin' -H 'X-Remote-Group: system:masters' -H 'X-Remote-Extra-A: b' -H 'X-Forwarded-For: 127.0.0.1')
refused 'identity: headers of a front proxy count for nothing' "$(as '' GET /api/v1/secrets "${proxied[@]}")" 403 'User "system:anonymous" cannot list'
refused 'identity: nor beside a token' "$(as janetoken GET /api/v1/secrets "${proxied[@]}")" 403 'User "jane" cannot list'
refused 'identity: impersonation asks for leave' "$(as janetoken GET /api/v1/secrets -H 'Impersonate-User: admin' -H 'Impersonate-Group: system:masters')" 403 'cannot impersonate'
refused 'identity: in any case of letters' "$(as janetoken GET /api/v1/secrets -H 'impersonate-USER: admin')" 403 'cannot impersonate'
refused 'identity: nobody may' "$(as '' GET /api/v1/secrets -H 'Impersonate-User: admin')" 403 'User "system:anonymous" cannot impersonate'
refused 'identity: a binding asks for leave' "$(as janetoken POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings -H "$JSON" \
	-d '{"metadata":{"name":"x"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin","apiGroup":"rbac.authorization.k8s.io"}}')" 403 'User "jane" cannot create'
for half in admintoke admintokenx 'admintoken,admin' ''; do
	is "$(in_ns node curl -sk -o /dev/null -w '%{http_code}' -H "Authorization: Bearer${half:+ $half}" $API$default)" 401 "identity: the token \"$half\""
done
token=$(as admintoken POST $default/serviceaccounts/robot/token -H "$JSON" -d '{}' | head -n -1 | jq -r .status.token)
is "$(code "$(as "$token" GET /version)") $(code "$(as "$token" GET $default)")" '200 403' 'JWT: a real one is somebody'
raw forge "$token" "$TMP/pki/sa.pub"
while IFS=: read -r how made; do is "$(code "$(as "${made# }" GET $default)")" 401 "JWT: $how"; done <"$TMP/came"
raw tls
is "$(tr '\n' ' ' <"$TMP/came")" 'TLSv1: refused TLSv1_1: refused TLSv1_2: TLSv1.2 TLSv1_3: TLSv1.3 ' 'TLS 1.2 or newer'
raw tls 'TLSv1_2 AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA:NULL:aNULL'
like "$(cat "$TMP/came")" 'refused$' 'TLS: AEAD with forward secrecy only'

# --- logs at the highest level: CVE-2019-11250 ---
as admintoken GET $default -H 'User-Agent: a" user="eve" x="' -H 'Cookie: cookiesecret' >/dev/null
as '' GET $default -u basicuser:basicsecret >/dev/null
as admintoken POST /apis/authentication.k8s.io/v1/tokenreviews -H "$JSON" -d "{\"spec\":{\"token\":\"$token\"}}" >/dev/null
as admintoken POST $default/secrets -H "$JSON" -d '{"metadata":{"name":"logged"},"stringData":{"k":"plainsecret"}}' >/dev/null
ok 'log: requests are in it' grep -q '"HTTP" verb="GET" URI="/api/v1/namespaces/default" ' "$TMP/apiserver.log"
ok 'log: what a client chose cannot pass for another field' grep -qE 'userAgent="a\\" user=\\"eve\\" x=\\"" audit-ID="[0-9a-f-]+" srcIP="[^"]+" user="admin" ' "$TMP/apiserver.log"
issued=$(head -n -1 <<<"$issued" | jq -r .status.token)
for secret in admintoken janetoken n1token "$token" "${token##*.}" "$issued" "${issued##*.}" basicsecret "$(printf basicuser:basicsecret | base64)" cookiesecret \
	plainsecret "$(printf plainsecret | base64)"; do
	is "$(grep -cF -e "$secret" "$TMP/apiserver.log")" 0 "log: no ${secret:0:12}..."
done

stop "$APISERVER_PID"
start --enable-admission-plugins=DenyServiceExternalIPs
refused 'externalIPs: forbidden' "$(service POST y '"198.51.100.1"')" 403 'Use of external IPs is denied by admission control'
refused 'externalIPs: one more' "$(service PATCH x '"198.51.100.1","198.51.100.2","198.51.100.3"')" 403 'Use of external IPs is denied'
is "$(code "$(service PATCH x '"198.51.100.2"')") $(code "$(service PATCH x '')")" '200 200' 'externalIPs: fewer, none'
refused 'externalIPs: not again' "$(service PATCH x '"198.51.100.2"')" 403 'Use of external IPs is denied'
done_testing
