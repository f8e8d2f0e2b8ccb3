#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Secrets that keep a token of a service account: they have what they need, and go with their account.
. "$(dirname "$0")/../lib.sh"

node_up
# as who it is in a cluster, with the rights of its role and no more
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'kcmtoken,system:kube-controller-manager,2' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=Node,RBAC
sed "s/client-certificate-data:.*/token: kcmtoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/kcm.conf"
kcm() { kcm_start --kubeconfig="$TMP/kcm.conf" --leader-elect=false --use-service-account-credentials; }
kcm

token_of() { # secret, its account
	k create -f - >/dev/null <<EOT
{"apiVersion":"v1","kind":"Secret","metadata":{"name":"$1","annotations":{"kubernetes.io/service-account.name":"$2"}},"type":"kubernetes.io/service-account-token"}
EOT
}
secret() { k get secret "$1" -o json; }
has_all() { [ "$(secret "$1" | jq -c '.data | keys')" = '["ca.crt","namespace","token"]' ]; }
user_of() { k --token="$(secret "$1" | jq -r .data.token | base64 -d)" --kubeconfig=/dev/null --server=$API --certificate-authority="$TMP/pki/ca.crt" get secrets 2>&1; }
k create serviceaccount robot >/dev/null
k create serviceaccount other >/dev/null
token_of kept robot
token_of named robot
token_of others other
token_of nobodys ghost
like "$(user_of kept)" 'User "system:serviceaccount:default:robot" cannot list' 'a secret keeps a token'
ok 'one without an account goes' busywait 5 eval '! secret nobodys'
k patch secret kept --type merge -p '{"data":{"ca.crt":"eA=="}}' >/dev/null
ok 'a CA that is changed is put right' busywait 5 eval '[ "$(secret kept | jq -r ".data[\"ca.crt\"]" | base64 -d)" = "$(cat "$TMP/pki/ca.crt")" ]'
k patch serviceaccount robot --type merge -p '{"secrets":[{"name":"kept"},{"name":"named"}]}' >/dev/null
k delete secret named >/dev/null
ok 'an account names no secret that is gone' busywait 5 eval '[ "$(k get serviceaccount robot -o json | jq -c .secrets)" = "[{\"name\":\"kept\"}]" ]'
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
k delete serviceaccount robot >/dev/null
k create serviceaccount robot >/dev/null
token_of early later
k create serviceaccount later >/dev/null
kcm
ok 'a secret goes with its account, though another has its name' busywait 5 eval '! secret kept'
ok 'one that was there first gets its token when its account comes' busywait 5 has_all early
like "$(user_of early)" 'User "system:serviceaccount:default:later" cannot list' 'and it is good'
k delete serviceaccount later >/dev/null
ok 'an account takes its secrets with it' busywait 5 eval '! secret early'
ok 'and no other' has_all others
is "$(grep -c 'it comes again' "$TMP/kcm.log")" 0 'nothing had to be tried twice'
done_testing
