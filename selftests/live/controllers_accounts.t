#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --use-service-account-credentials: each loop writes as its own service account, and its default role is enough for it.
. "$(dirname "$0")/../lib.sh"

node_up
# as who it is in a cluster, with the rights of its role and no more
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'kcmtoken,system:kube-controller-manager,2' >"$TMP/tokens.csv"
NO_ACCOUNTS= apiserver_start --authorization-mode=Node,RBAC -v=3
sed "s/client-certificate-data:.*/token: kcmtoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/kcm.conf"
kcm() { kcm_start --kubeconfig="$TMP/kcm.conf" --leader-elect=false --use-service-account-credentials; }
kcm

# writers: "account verb resource" of every write that kube-controller-manager made
writers() {
	grep -F '"HTTP"' "$TMP/apiserver.log" | grep -F kube-controller-manager/ | grep -Ev 'verb="(GET|LIST|WATCH)"' |
		sed -E 's/.* verb="([^"]*)" URI="([^"?]*).* user="([^"]*)".*/\3 \1 \2/'
}
is_writer() { writers | grep -qxE "system:serviceaccount:kube-system:$1 $2"; }
api_of() { echo "/(api|apis/[^/]+)/v1(/namespaces/[^/]+)?/$1"; }
finish() { # a pod, as a kubelet would
	k patch pod "$1" --subresource=status --type merge -p "{\"status\":{\"phase\":\"$2\"}}" 2>/dev/null ||
		api PATCH "/api/v1/namespaces/default/pods/$1/status" -H 'Content-Type: application/merge-patch+json' -d "{\"status\":{\"phase\":\"$2\"}}"
}

accounts() { k get serviceaccounts -n kube-system -o 'jsonpath={.items[*].metadata.name}'; }
ok 'it makes the accounts that are missing' busywait 5 eval '[[ " $(accounts) " == *" ttl-after-finished-controller "* ]]'
ok 'works in their names' busywait 5 k get serviceaccount default

k create deployment web --image=nginx --replicas=2 >/dev/null
k expose deployment web --port=80 >/dev/null
k create -f - >/dev/null 2>&1 <<'YAML'
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec: {replicas: 1, selector: {app: old}, template: {metadata: {labels: {app: old}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {ttlSecondsAfterFinished: 0, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
---
apiVersion: v1
kind: Endpoints
metadata: {name: outside}
subsets: [{addresses: [{ip: 192.0.2.9}], ports: [{port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {ports: [{port: 80}]}
YAML
k create namespace short >/dev/null
busywait 5 k get configmap kube-root-ca.crt -n short
k patch configmap kube-root-ca.crt -n short --type merge -p '{"data":{"other":"y"}}' >/dev/null
ok 'a job runs' busywait 5 eval 'k get pods -l job-name=once -o name | grep -q pod/'
finish "$(k get pods -l job-name=once -o 'jsonpath={.items[0].metadata.name}')" Succeeded >/dev/null
ok 'and goes when it is over' busywait 5 eval '! k get job once'
ok 'a deployment tells its status' busywait 5 eval '[ "$(k get deployment web -o "jsonpath={.status.updatedReplicas}")" = 2 ]'
ok 'so does a replication controller' busywait 5 eval '[ "$(k get rc old -o "jsonpath={.status.replicas}")" = 1 ]'
is "$(k get pod -l app=web -o json | jq -c '.items[0].spec | [.serviceAccountName, .serviceAccount, (.volumes[0] | .name |= sub("-.....$"; ""))]')" \
	'["default","default",{"name":"kube-api-access","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}},{"downwardAPI":{"items":[{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"},"path":"namespace"}]}}]}}]' \
	'its pods run as the service account that was made for them'
k delete deployment web --cascade=foreground --wait=false >/dev/null
ok 'what has lost its owner goes' busywait 5 eval '! k get deployment web && [ -z "$(k get pods -l app=web -o name)" ]'
ok 'a namespace that is deleted goes' k delete namespace short --timeout=10s

while read -r account verb resource; do
	ok "$account: $verb $resource" busywait 5 is_writer "$account" "$verb $(api_of "$resource")"
done <<'ROWS'
service-account-controller POST serviceaccounts
root-ca-cert-publisher POST configmaps
root-ca-cert-publisher PUT configmaps/kube-root-ca.crt
deployment-controller POST replicasets
deployment-controller PUT deployments/web/status
replicaset-controller POST pods
replicaset-controller PUT replicasets/web-[a-z0-9]+/status
replicaset-controller POST events
replication-controller POST pods
replication-controller PUT replicationcontrollers/old/status
endpoint-controller POST endpoints
endpointslice-controller POST endpointslices
endpointslicemirroring-controller POST endpointslices
job-controller POST pods
job-controller PUT jobs/once/status
ttl-after-finished-controller DELETE jobs/once
generic-garbage-collector DELETE pods/[a-z0-9-]+
namespace-controller PUT namespaces/short/finalize
ROWS
is "$(writers | grep -v '^system:serviceaccount:kube-system:' | grep -vE ' POST /api/v1/namespaces/kube-system/serviceaccounts(/[a-z-]+/token)?$')" '' \
	'the process’s own name asks for accounts and tokens only'
is "$(grep -F '"HTTP"' "$TMP/apiserver.log" | grep -F kube-controller-manager/ | grep -E ' resp=(401|403)')" '' 'nobody asked for what their role does not give'
is "$(in_ns node ss -Htnp state established "dport = :$API_PORT" | grep -c "pid=$KCM_PID,")" 2 'one connection for the copies, one for all accounts'

k delete serviceaccount replicaset-controller -n kube-system >/dev/null
k create deployment again --image=nginx >/dev/null
ok 'an account that somebody deletes is made anew' busywait 5 eval '[ "$(k get pods -l app=again -o name | wc -l)" = 1 ]'
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
kcm
k scale deployment again --replicas=3 >/dev/null
ok 'after kill -9 the next one goes on' busywait 5 eval '[ "$(k get pods -l app=again -o name | wc -l)" = 3 ]'
done_testing
