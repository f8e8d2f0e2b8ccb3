#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Deployments, jobs, quotas, budgets and autoscalers with kubectl as the machine has it and with kubectl 1.20; evictions; names.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start

workloads() { # kubectl function, its version
	local k=$1 v=$2 n=$1
	rm -rf "$TMP/.kube"
	$k create namespace "$n" >/dev/null
	is "$($k -n "$n" create deployment web --image=nginx:1.14 --replicas=3 2>&1)" 'deployment.apps/web created' "$v: create deployment"
	is "$($k -n "$n" scale deployment web --replicas=4 2>&1)" 'deployment.apps/web scaled' "$v: scale"
	is "$($k -n "$n" set image deployment/web nginx=nginx:1.15 2>&1)" 'deployment.apps/web image updated' "$v: set image"
	like "$($k -n "$n" get deploy -o wide 2>&1)" 'web +0/4 +0 +0 +[0-9]+s +nginx +nginx:1.15 +app=web' "$v: get deployments"
	is "$($k -n "$n" get deploy web -o 'jsonpath={.metadata.generation}' 2>&1)" 3 "$v: a generation for each change"
	like "$($k -n "$n" describe deploy web 2>&1)" 'StrategyType: +RollingUpdate.*25% max unavailable, 25% max surge' "$v: describe deployment"
	is "$($k -n "$n" rollout restart deploy web 2>&1)" 'deployment.apps/web restarted' "$v: rollout restart"
	is "$($k -n "$n" rollout pause deploy web 2>&1)" 'deployment.apps/web paused' "$v: rollout pause"
	is "$($k -n "$n" autoscale deployment web --min=2 --max=5 --cpu-percent=70 2>&1)" 'horizontalpodautoscaler.autoscaling/web autoscaled' "$v: autoscale"
	like "$($k -n "$n" get hpa 2>&1)" 'web +Deployment/web +cpu: <unknown>/70% +2 +5 +0' "$v: get hpa"
	like "$($k -n "$n" describe hpa web 2>&1)" 'Reference: +Deployment/web.*70%.*Max replicas: +5' "$v: describe hpa"
	is "$($k -n "$n" create job j --image=busybox -- date 2>&1)" 'job.batch/j created' "$v: create job"
	like "$($k -n "$n" get jobs 2>&1)" 'j +0/1 +[0-9]+s' "$v: get jobs"
	is "$($k -n "$n" create cronjob c --image=busybox --schedule='*/5 * * * *' -- date 2>&1)" 'cronjob.batch/c created' "$v: create cronjob"
	like "$($k -n "$n" get cj 2>&1)" 'c +\*/5 \* \* \* \* +<none> +False +0 +<none>' "$v: get cronjobs"
	like "$($k -n "$n" create cronjob d --image=busybox --schedule='99 * * * *' 2>&1)" 'spec.schedule: Invalid value: "99 \* \* \* \*": end of range \(99\) above maximum \(59\)' "$v: a bad schedule"
	is "$($k -n "$n" create quota q --hard=pods=2,limits.cpu=4 2>&1)" 'resourcequota/q created' "$v: create quota"
	is "$($k -n "$n" create pdb p --selector=app=web --min-available=1 2>&1)" 'poddisruptionbudget.policy/p created' "$v: create pdb"
	like "$($k -n "$n" get pdb 2>&1)" 'p +1 +N/A +0' "$v: get pdb"
	is "$($k -n "$n" delete deploy/web job/j cj/c quota/q pdb/p hpa/web --wait=false 2>&1 | wc -l)" 6 "$v: delete them"
}
workloads k 'kubectl'
workloads k120 'kubectl 1.20'

JSON='Content-Type: application/json' MERGE='Content-Type: application/merge-patch+json'
NS=/api/v1/namespaces/default
BUDGET=/apis/policy/v1/namespaces/default/poddisruptionbudgets
evict() { api POST "$NS/pods/$1/eviction" -H "$JSON" -d "{\"apiVersion\":\"policy/$2\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"$1\"}}"; }
for pod in a b; do
	k run $pod --image=nginx -l app=x >/dev/null
	api PATCH $NS/pods/$pod/status -H "$MERGE" -d '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}' >/dev/null
done
k create pdb x --selector=app=x --min-available=1 >/dev/null
like "$(evict a v1)" 'Cannot evict pod as it would violate.*is still being processed by the server.*429$' 'a budget that nobody has looked at lets nothing go'
api PATCH $BUDGET/x/status -H "$MERGE" -d '{"status":{"observedGeneration":1,"disruptionsAllowed":1,"desiredHealthy":1,"currentHealthy":2}}' >/dev/null
like "$(evict a v1beta1)" '"status":"Success".*201$' 'one pod may go, as a client of v1beta1 asks'
like "$(evict b v1)" 'needs 1 healthy pods and has 2 currently.*429$' 'the other may not'
like "$(k get pdb x -o json | jq -c .status)" '"disruptedPods":\{"a":"[^"]+"\},"disruptionsAllowed":0' 'the budget says why'
k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"held","finalizers":["example.com/held"]},"spec":{"containers":[{"name":"c","image":"nginx"}]}}
EOF
like "$(evict held v1)" '"status":"Success".*201$' 'a pod that no budget selects may go'
is "$(k get pod held -o json | jq -c '[.metadata.deletionTimestamp != null, (.status.conditions[] | select(.type == "DisruptionTarget") | .status, .reason, .message)]')" \
	'[true,"True","EvictionByEvictionAPI","Eviction API: evicting"]' 'and tells why it goes'
like "$(evict none v1)" 'pods ..none.. not found.*404$' 'a pod that is not there'

# five letters of 27: of 12,000 names five are there already, and none in 150 runs
is "$(in_ns node curl -sSZ --parallel-max 64 --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' -H "$JSON" -o /dev/null -w '%{http_code}\n' \
	-d '{"metadata":{"generateName":"many-"}}' "$API$NS/configmaps?n=[1-12000]" 2>/dev/null | sort | uniq -c | xargs)" '12000 201' 'a generated name that is taken is generated again'
done_testing
