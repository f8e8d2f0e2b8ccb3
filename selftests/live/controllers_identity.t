#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who one is: a node gets its certificate and renews it, others when somebody approves; what cannot be signed says why.
. "$(dirname "$0")/../lib.sh"

node_up
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'boottoken,system:bootstrap:abcdef,2,"system:bootstrappers"' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=Node,RBAC
kcm() {
	kcm_start --leader-elect=false --use-service-account-credentials --cluster-signing-cert-file="$TMP/pki/ca.crt" \
		--cluster-signing-key-file="$TMP/pki/ca.key" --cluster-signing-duration=24h "$@"
}
kcm
csrs=/apis/certificates.k8s.io/v1/certificatesigningrequests
KUBELET='"digital signature","key encipherment","client auth"'
mkdir "$TMP/keys"

# ask NAME SUBJECT SIGNER USAGES [openssl arguments...]: as WHO=, with more of the spec by SPEC='"x": 1,'
ask() {
	local name=$1 subject=$2 signer=$3 usages=$4; shift 4
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/keys/$name.key" -subj "$subject" "$@" >"$TMP/keys/$name.csr" 2>/dev/null
	as ${WHO:-admin} -X POST -H 'Content-Type: application/json' "$API$csrs" -d '{"metadata":{"name":"'"$name"'"},"spec":{'"${SPEC:-}"'"signerName":"kubernetes.io/'"$signer"'",
		"request":"'"$(base64 -w0 <"$TMP/keys/$name.csr")"'","usages":['"$usages"']}}'
}
as() { local who=$1; shift; in_ns node curl -sS --max-time 5 --cacert "$TMP/pki/ca.crt" -K "$TMP/keys/$who.who" "$@"; }
echo 'header = "Authorization: Bearer admintoken"' >"$TMP/keys/admin.who"
echo 'header = "Authorization: Bearer boottoken"' >"$TMP/keys/boot.who"
by_certificate() { printf 'cert = "%s"\nkey = "%s"\n' "$TMP/keys/$1.crt" "$TMP/keys/$1.key" >"$TMP/keys/$1.who"; }
condition() { raw "$csrs/$1" | jq -c '[.status.conditions[]? | [.type, .reason, .message]]'; }
issued() { raw "$csrs/$1" | jq -r '.status.certificate // empty' | base64 -d >"$TMP/keys/$1.crt"; [ -s "$TMP/keys/$1.crt" ]; }
x509() { openssl x509 -in "$TMP/keys/$1.crt" -noout "${@:2}"; }
seconds() { x509 "$1" -startdate -enddate | cut -d= -f2 | { read -r from; read -r to; echo $(($(date -d "$to" +%s) - $(date -d "$from" +%s))); }; }

# --- a node's ---
k create clusterrolebinding bootstrap --clusterrole=system:node-bootstrapper --group=system:bootstrappers >/dev/null
WHO=boot ask early /O=system:nodes/CN=system:node:early kube-apiserver-client-kubelet "$KUBELET" >/dev/null
WHO=boot ask wrong /O=system:nodes/CN=early kube-apiserver-client-kubelet "$KUBELET" >/dev/null
k create clusterrolebinding approve --clusterrole=system:certificates.k8s.io:certificatesigningrequests:nodeclient --group=system:bootstrappers >/dev/null
WHO=boot ask n1 /O=system:nodes/CN=system:node:n1 kube-apiserver-client-kubelet "$KUBELET" >/dev/null
ok 'a node that joins gets its certificate' busywait 5 issued n1
is "$(condition n1)" '[["Approved","AutoApproved","Auto approving kubelet client certificate after SubjectAccessReview."]]' 'approved in upstream’s words'
by_certificate n1
like "$(as n1 -X POST -H 'Content-Type: application/json' $API/apis/authentication.k8s.io/v1/selfsubjectreviews -d '{}' | jq -c '.status.userInfo | [.username, .groups[0]]')" \
	'\["system:node:n1","system:nodes"\]' 'and is known by it'
ok 'who asked before leave was given gets it, too' busywait 10 issued early
is "$(condition wrong)" '[]' 'a request that is not of a node is left alone'
k create clusterrolebinding renew --clusterrole=system:certificates.k8s.io:certificatesigningrequests:selfnodeclient --group=system:nodes >/dev/null
WHO=n1 ask n1-again /O=system:nodes/CN=system:node:n1 kube-apiserver-client-kubelet "$KUBELET" >/dev/null
ok 'it renews it by itself' busywait 5 issued n1-again
is "$(condition n1-again)" '[["Approved","AutoApproved","Auto approving self kubelet client certificate after SubjectAccessReview."]]' 'as upstream says'
WHO=n1 ask n2 /O=system:nodes/CN=system:node:n2 kube-apiserver-client-kubelet "$KUBELET" >/dev/null

WHO=n1 SPEC='"expirationSeconds":3600,' ask serving /O=system:nodes/CN=system:node:n1 kubelet-serving '"digital signature","server auth"' \
	-addext subjectAltName=DNS:n1,IP:192.0.2.1 -addext basicConstraints=critical,CA:TRUE >/dev/null
is "$(condition serving)" '[]' 'a serving certificate is somebody’s to approve'
ok 'kubectl certificate approve' k certificate approve serving
ok 'then it is signed' busywait 5 issued serving
is "$(x509 serving -ext keyUsage,extendedKeyUsage,basicConstraints,subjectAltName | tr -s ' \n' ' ')" \
	'X509v3 Key Usage: critical Digital Signature X509v3 Extended Key Usage: TLS Web Server Authentication X509v3 Basic Constraints: critical CA:FALSE X509v3 Subject Alternative Name: DNS:n1, IP Address:192.0.2.1 ' \
	'for what was asked for, and no more'
is "$(seconds serving) $(seconds n1)" '3900 86400' 'for as long as was asked for; for --cluster-signing-duration'
ok 'by the CA' openssl verify -CAfile "$TMP/pki/ca.crt" "$TMP/keys/serving.crt"
is "$(condition n2)" '[]' 'nobody gets another node’s by renewing'
looked() { in_ns node curl -kfsS https://127.0.0.1:10257/metrics | sed -n 's/^workqueue_work_duration_seconds_count{name="certificate_approve"} //p'; }
ok 'and is looked at again less and less often' eval '[ "$(looked)" -lt 200 ]'

# --- others' ---
ask jane /O=dev/CN=jane kube-apiserver-client '"client auth"' >/dev/null
ask bad /CN=joe kube-apiserver-client '"client auth","server auth"' >/dev/null
ask no /CN=eve kube-apiserver-client '"client auth"' >/dev/null
k certificate approve jane bad >/dev/null
ok 'a user’s is signed' busywait 5 issued jane
by_certificate jane
is "$(as jane $API/api/v1/secrets | jq -r .message)" \
	'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" at the cluster scope' 'and names the user'
ok 'one that no signer signs fails' busywait 5 eval '[[ "$(condition bad)" == *SignerValidationFailure* ]]'
is "$(condition bad | jq -c .[1])" '["Failed","SignerValidationFailure","invalid usage for client certificate: server auth"]' 'and says why'
k certificate deny no >/dev/null
is "$(k get csr no bad jane --no-headers | awk '{ print $1, $NF }' | tr '\n' ' ')" 'no Denied bad Approved,Failed jane Approved,Issued ' 'kubectl get csr'

# --- killed; what is over ---
version() { api GET $csrs | head -n -1 | jq -r .metadata.resourceVersion; }
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
ask late /CN=late kube-apiserver-client '"client auth"' >/dev/null
k certificate approve late >/dev/null
was=$(version)
kcm
ok 'after kill -9 the next one goes on' busywait 5 issued late
is "$(($(version) - was))" 1 'and writes nothing else'
old=$(date -u -d '-61 minutes' +%Y-%m-%dT%H:%M:%SZ)
for name in old-denied old-issued; do
	ask $name /CN=$name kube-apiserver-client '"client auth"' >/dev/null
	type=Denied; [ $name = old-denied ] || type=Approved
	api PATCH $csrs/$name/approval -H 'Content-Type: application/merge-patch+json' -d '{"status":{"conditions":[{"type":"'$type'","status":"True","lastUpdateTime":"'"$old"'"}]}}' >/dev/null
done
ok 'what was decided an hour ago goes' busywait 5 eval '! k get csr old-denied && ! k get csr old-issued'
ok 'newer ones stay' k get csr no jane bad
done_testing
