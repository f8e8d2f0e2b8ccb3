#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ResourceQuotas tell what is used, and tell it again when objects come, change and go; also by a process that is new.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm() { kcm_start --leader-elect=false; }
kcm

MERGE='Content-Type: application/merge-patch+json'
used() { raw "$CORE/resourcequotas/$1" | jq -c '.status.used'; }
uses() { [ "$(used "$1")" = "$2" ]; } # quota, what
pod() { # name, cpu, memory, more of the spec
	cat <<EOF
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$1"},"spec":{${4:+$4,}"containers":[{"name":"c","image":"nginx",
"resources":{"requests":{"cpu":"$2","memory":"$3"},"limits":{"cpu":"1"}}}]}}
EOF
}
busywait 30 k get serviceaccount default || bail 'no service account'

# --- compute, and counts ---
k create quota all --hard=pods=10,requests.cpu=1,requests.memory=1Gi,limits.cpu=20,services=5,services.nodeports=2,secrets=10,count/deployments.apps=4,resourcequotas=5 >/dev/null
ok 'a quota in an empty namespace uses itself alone' busywait 5 uses all \
	'{"count/deployments.apps":"0","limits.cpu":"0","pods":"0","requests.cpu":"0","requests.memory":"0","resourcequotas":"1","secrets":"0","services":"1","services.nodeports":"0"}'
is "$(k get quota all -o json | jq -c '.status.hard == .spec.hard')" true 'its limits are told'
pod a 100m 64Mi | k create -f - >/dev/null
pod b 250m 64Mi | k create -f - >/dev/null
k create secret generic s >/dev/null
k create deployment d --image=nginx --replicas=0 >/dev/null
k create service nodeport n --tcp=80 >/dev/null
ok 'what comes is used' busywait 5 uses all \
	'{"count/deployments.apps":"1","limits.cpu":"2","pods":"2","requests.cpu":"350m","requests.memory":"128Mi","resourcequotas":"1","secrets":"1","services":"2","services.nodeports":"1"}'
like "$(k describe quota all)" 'requests.cpu +350m +1' 'kubectl describes it'
like "$(pod c 700m 1Mi | k create -f - 2>&1)" 'exceeded quota: all, requested: requests.cpu=700m, used: requests.cpu=350m, limited: requests.cpu=1' \
	'the API server says the same'
api PATCH /api/v1/namespaces/default/pods/a/status -H "$MERGE" -d '{"status":{"phase":"Succeeded"}}' >/dev/null
ok 'a pod that is over uses nothing' busywait 5 uses all \
	'{"count/deployments.apps":"1","limits.cpu":"1","pods":"1","requests.cpu":"250m","requests.memory":"64Mi","resourcequotas":"1","secrets":"1","services":"2","services.nodeports":"1"}'
k delete pod b --grace-period=0 --force >/dev/null 2>&1
k delete secret s >/dev/null; k delete deployment d >/dev/null
k patch service n -p '{"spec":{"type":"ClusterIP","ports":[{"port":80,"nodePort":null}]}}' >/dev/null
ok 'what goes is used no more' busywait 5 uses all \
	'{"count/deployments.apps":"0","limits.cpu":"0","pods":"0","requests.cpu":"0","requests.memory":"0","resourcequotas":"1","secrets":"0","services":"2","services.nodeports":"0"}'

# --- scopes and storage classes ---
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"deadline"},"spec":{"hard":{"pods":"9"},"scopes":["Terminating"]}},
{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"rest"},"spec":{"hard":{"pods":"9"},"scopes":["NotTerminating","NotBestEffort"]}},
{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"gold"},"spec":{"hard":{"requests.storage":"9Gi","gold.storageclass.storage.k8s.io/requests.storage":"9Gi"}}},
{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"gold","resources":{"requests":{"storage":"1Gi"}}}},
{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"tin","resources":{"requests":{"storage":"2Gi"}}}}]}
EOF
pod e 1m 1Mi '"activeDeadlineSeconds":60' | k create -f - >/dev/null
pod f 1m 1Mi | k create -f - >/dev/null
pod g 1m 1Mi | k create -f - >/dev/null
ok 'a scope counts its pods' busywait 5 uses deadline '{"pods":"1"}'
ok 'another one others' busywait 5 uses rest '{"pods":"2"}'
ok 'storage counts by class' busywait 5 uses gold '{"gold.storageclass.storage.k8s.io/requests.storage":"1Gi","requests.storage":"3Gi"}'

# --- another spec, another process ---
k patch quota deadline --type merge -p '{"spec":{"hard":{"pods":"3","configmaps":null,"requests.cpu":"1"}}}' >/dev/null
ok 'another spec is counted anew' busywait 5 uses deadline '{"pods":"1","requests.cpu":"1m"}'
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
k delete pod f --grace-period=0 --force >/dev/null 2>&1
version=$(k get quota deadline -o 'jsonpath={.metadata.resourceVersion}')
kcm
ok 'what went while nobody looked is seen by the next process' busywait 5 uses rest '{"pods":"1"}'
is "$(k get quota deadline -o 'jsonpath={.metadata.resourceVersion}')" "$version" 'which writes nothing else'

# --- many at once ---
k create namespace many >/dev/null
busywait 5 k -n many get serviceaccount default
k -n many create quota many --hard=pods=1000 >/dev/null
in_ns node timeout 60 "$KUBECTL" -n many get quota many --watch -o name >"$TMP/seen" 2>/dev/null &
watcher=$!
k -n many create deployment m --image=nginx --replicas=300 >/dev/null
used_many() { [ "$(k -n many get quota many -o 'jsonpath={.status.used.pods}')" = "$1" ]; }
ok '300 pods are counted' busywait 10 used_many 300
kill $watcher
note "$(wc -l <"$TMP/seen") versions of the quota"
ok 'in few writes' [ "$(wc -l <"$TMP/seen")" -le 15 ]
k -n many scale deployment m --replicas=0 >/dev/null
ok 'and are used no more' busywait 10 used_many 0
done_testing
