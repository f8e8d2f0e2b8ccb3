#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --use-service-account-credentials: each loop writes as its own service account, and its default role is enough for it.
. "$(dirname "$0")/../lib.sh"

node_up
# as who it is in a cluster, with the rights of its role and no more
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'kcmtoken,system:kube-controller-manager,2' >"$TMP/tokens.csv"
NO_ACCOUNTS= apiserver_start --authorization-mode=Node,RBAC -v=3
sed "s/client-certificate-data:.*/token: kcmtoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/kcm.conf"
kcm() {
	kcm_start --kubeconfig="$TMP/kcm.conf" --leader-elect=false --use-service-account-credentials --enable-hostpath-provisioner \
		--node-monitor-period=100ms --node-startup-grace-period=1s --allocate-node-cidrs --cluster-cidr=10.244.0.0/16
}
k create -f - >/dev/null <<'YAML'
{"apiVersion":"v1","kind":"Node","metadata":{"name":"mute"}}
YAML
kcm

# writers: "account verb resource" of every write that kube-controller-manager made
writers() {
	grep -F '"HTTP"' "$TMP/apiserver.log" | grep -F kube-controller-manager/ | grep -Ev 'verb="(GET|LIST|WATCH)"' |
		sed -E 's/.* verb="([^"]*)" URI="([^"?]*).* user="([^"]*)".*/\3 \1 \2/'
}
is_writer() { writers | grep -qxE "system:serviceaccount:kube-system:$1 $2"; }
api_of() { echo "/(api|apis/[^/]+)/v[12](/namespaces/[^/]+)?/$1"; }
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
k create -f - >/dev/null <<'YAML'
{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"dir"},"provisioner":"kubernetes.io/host-path"}
---
{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db"},"spec":{"serviceName":"db","selector":{"matchLabels":{"app":"db"}},
"template":{"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"c","image":"i"}]}},
"volumeClaimTemplates":[{"metadata":{"name":"d"},"spec":{"storageClassName":"dir","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]}}
---
{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"each"},"spec":{"selector":{"matchLabels":{"app":"each"}},
"template":{"metadata":{"labels":{"app":"each"}},"spec":{"tolerations":[{"operator":"Exists"}],"containers":[{"name":"c","image":"i"}]}}}}
---
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"scratch"},"spec":{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":
{"spec":{"storageClassName":"none","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}}}]}}
---
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"there","finalizers":["example.com/stay"]},"spec":{"nodeName":"mute","containers":[{"name":"c","image":"i"}]}}
---
{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"some"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"web"}}}}
---
{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"few"},"spec":{"hard":{"count/secrets":"99","pods":"99"}}}
---
{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"more"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},
"minReplicas":3,"maxReplicas":5}}
---
{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"new-year"},"spec":{"schedule":"0 0 1 1 *",
"jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}}}
YAML
api PATCH /apis/batch/v1/namespaces/default/cronjobs/new-year/status -H 'Content-Type: application/merge-patch+json' \
	-d '{"status":{"active":[{"apiVersion":"batch/v1","kind":"Job","namespace":"default","name":"gone","uid":"gone"}]}}' >/dev/null
k create namespace short >/dev/null
busywait 5 k get configmap kube-root-ca.crt -n short
k patch configmap kube-root-ca.crt -n short --type merge -p '{"data":{"other":"y"}}' >/dev/null
ok 'a job runs' busywait 5 eval 'k get pods -l job-name=once -o name | grep -q pod/'
finish "$(k get pods -l job-name=once -o 'jsonpath={.items[0].metadata.name}')" Succeeded >/dev/null
ok 'and goes when it is over' busywait 5 eval '! k get job once'
ok 'a deployment tells its status' busywait 5 eval '[ "$(k get deployment web -o "jsonpath={.status.updatedReplicas}")" = 3 ]'
ok 'so does a replication controller' busywait 5 eval '[ "$(k get rc old -o "jsonpath={.status.replicas}")" = 1 ]'
is "$(k get pod -l app=web -o json | jq -c '.items[0].spec | [.serviceAccountName, .serviceAccount, (.volumes[0] | .name |= sub("-.....$"; ""))]')" \
	'["default","default",{"name":"kube-api-access","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}},{"downwardAPI":{"items":[{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"},"path":"namespace"}]}}]}}]' \
	'its pods run as the service account that was made for them'
ok 'a claim gets its volume' busywait 5 eval '[ "$(k get pvc d-db-0 -o "jsonpath={.status.phase}")" = Bound ]'
volume=$(k get pvc d-db-0 -o 'jsonpath={.spec.volumeName}')
k delete pvc d-db-0 --wait=false >/dev/null
ok 'which goes with it' busywait 5 eval '! k get pv "$volume"'
finish there Running >/dev/null
k taint node mute away=now:NoExecute >/dev/null
ok 'a pod goes that does not tolerate its node' busywait 5 eval '[ -n "$(k get pod there -o "jsonpath={.metadata.deletionTimestamp}")" ]'
k taint node mute node.kubernetes.io/out-of-service=yes:NoExecute >/dev/null
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
daemon-set-controller POST controllerrevisions
daemon-set-controller POST pods
daemon-set-controller PUT daemonsets/each/status
statefulset-controller POST controllerrevisions
statefulset-controller POST persistentvolumeclaims
statefulset-controller POST pods
statefulset-controller PUT statefulsets/db/status
persistent-volume-binder POST persistentvolumes
persistent-volume-binder PUT persistentvolumes/pvc-[a-z0-9-]+/status
persistent-volume-binder PUT persistentvolumeclaims/d-db-0
persistent-volume-binder PUT persistentvolumeclaims/d-db-0/status
persistent-volume-binder DELETE persistentvolumes/pvc-[a-z0-9-]+
pv-protection-controller PUT persistentvolumes/pvc-[a-z0-9-]+
pvc-protection-controller PUT persistentvolumeclaims/d-db-0
ephemeral-volume-controller POST persistentvolumeclaims
node-controller PATCH nodes/mute
node-controller PATCH nodes/mute/status
node-controller PATCH pods/there/status
node-controller DELETE pods/there
node-controller POST events
pod-garbage-collector PATCH pods/there/status
pod-garbage-collector DELETE pods/there
disruption-controller PUT poddisruptionbudgets/some/status
resourcequota-controller PUT resourcequotas/few/status
horizontal-pod-autoscaler PUT deployments/web/scale
horizontal-pod-autoscaler PUT horizontalpodautoscalers/more/status
cronjob-controller PUT cronjobs/new-year/status
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
