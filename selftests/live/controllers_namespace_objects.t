#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every namespace has its service account and the cluster's CA: made, kept, and nothing written for nothing.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false

there() { k get serviceaccount default -n "$1" && k get configmap kube-root-ca.crt -n "$1"; }
ca() { k get configmap kube-root-ca.crt -n "$1" -o 'jsonpath={.data.ca\.crt}'; }
for ns in default kube-system kube-public kube-node-lease; do
	ok "$ns has both" busywait 5 there $ns
done
k create namespace demo >/dev/null
ok 'so has a new namespace' busywait 5 there demo
is "$(ca demo)" "$(cat "$TMP/pki/ca.crt")" 'the CA is the one that signed the API server’s certificate'
like "$(k get configmap kube-root-ca.crt -n demo -o json | jq -r '.metadata.annotations["kubernetes.io/description"]')" \
	'^Contains a CA bundle that can be used to verify the kube-apiserver' 'and says what it is for'

k delete serviceaccount default -n demo >/dev/null
ok 'a service account that is deleted is made anew' busywait 5 there demo
k patch configmap kube-root-ca.crt -n demo --type merge -p '{"data":{"ca.crt":"x","other":"y"}}' >/dev/null
ok 'a CA that is changed is put right' busywait 5 eval '[ "$(ca demo)" = "$(cat "$TMP/pki/ca.crt")" ]'
is "$(k get configmap kube-root-ca.crt -n demo -o json | jq -c '.data | keys')" '["ca.crt"]' 'with nothing beside it'

version() { api GET /api/v1/namespaces | head -n -1 | jq -r .metadata.resourceVersion; }
was=$(version)
stop "$KCM_PID"
kcm_start --leader-elect=false
k create configmap mark -n demo >/dev/null
k delete serviceaccount default -n demo >/dev/null
ok 'after a restart it goes on' busywait 5 there demo
is "$(version)" $((was + 3)) 'and what is right is not written again'
done_testing
