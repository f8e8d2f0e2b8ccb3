#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Storms settle with the writes that they need and at most 5 % more. Counted are all writes of all processes and nodes, by the store, and those that were refused; without Events and Leases. On ten
# hollow nodes a pod takes three to make (its creation, its binding, its status when it runs), and three to go (it is told to, its status
# when it has, its removal).
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false
scheduler_start --leader-elect=false
XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow --nodes 10 --untaint >"$TMP/hollow.log" 2>&1 &
untainted() { [ "$(raw /api/v1/nodes | jq '[.items[] | select(.spec.taints == null)] | length')" = 10 ]; }
busywait 30 untainted || bail 'the hollow nodes are not ready'
MAKE=3 GO=3

metrics() { in_ns node curl -sS --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API/metrics"; }
# counted: a line for each resource, verb and code with how often, and one, "all", of the writes that were done or refused
counted() {
	metrics | awk '
		function label(name) { return match($0, "[,{]" name "=\"[^\"]*") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : "" }
		/^xebec_store_writes_total / { all += $2 }
		/^apiserver_request_total/ && label("verb") ~ /^(POST|PUT|PATCH|DELETE|DELETECOLLECTION)$/ {
			what = label("resource") "/" label("subresource")
			refused = label("code") >= 300
			if (what ~ /^(events|leases)\/$/) { if (!refused) all -= $NF; next }
			if (refused) all += $NF
			n[what " " label("verb") " " label("code")] += $NF
		}
		END { print "all", all; for (i in n) print i, n[i] }' | sort
}
counted_all() { awk '$1 == "all" { print $2 }' <<<"$1"; }
quiet() { # until nothing is written for a third of a second; what was counted then is in $now
	local last= n=0
	while [ $n -lt 3 ]; do
		now=$(counted)
		if [ "$now" = "$last" ]; then n=$((n + 1)); else n=0; fi
		last=$now
		sleep 0.1
	done
}
# storm NAME NEEDED CONDITION COMMAND...: the command, and what it sets off until the condition holds and all is quiet
storm() {
	local name=$1 needed=$2 condition=$3 before n; shift 3
	quiet
	before=$now
	"$@" >/dev/null
	busywait 60 eval "$condition" || bail "$name: it does not come to this: $condition"
	quiet
	n=$(($(counted_all "$now") - $(counted_all "$before")))
	ok "$name: $n writes, $needed are needed" test $n -le $((needed + needed * 5 / 100)) || note "$(grown "$before" "$now")"
}
grown() { awk '{ key = $0; sub(/ [^ ]*$/, "", key) } NR == FNR { was[key] = $NF; next } $NF != was[key] { print key, $NF - was[key] }' <(echo "$1") <(echo "$2"); }
template() { # NAME [MORE OF THE POD'S SPEC]
	echo "{\"metadata\":{\"labels\":{\"app\":\"$1\"}},\"spec\":{\"terminationGracePeriodSeconds\":1,\"containers\":[{\"name\":\"c\",\"image\":\"nginx:1\"}]${2:-}}}"
}
owner() { # KIND NAME REPLICAS
	case $1 in ReplicationController) version=v1 selector="{\"app\":\"$2\"}" ;; *) version=apps/v1 selector="{\"matchLabels\":{\"app\":\"$2\"}}" ;; esac
	echo "{\"apiVersion\":\"$version\",\"kind\":\"$1\",\"metadata\":{\"name\":\"$2\"},\"spec\":{\"replicas\":$3,\"selector\":$selector,\"template\":$(template "$2")}}"
}
status() { raw "$1" | jq -r '.status | "\(.replicas) \(.readyReplicas // 0)"'; }
ready() { # rs, rc or deployment; name; number
	case $1 in rs) set -- "$APPS/replicasets" "$2" "$3" ;; rc) set -- "$CORE/replicationcontrollers" "$2" "$3" ;; *) set -- "$APPS/deployments" "$2" "$3" ;; esac
	[ "$(status "$1/$2")" = "$3 $3" ]
}
none() { [ "$(raw "$CORE/pods?labelSelector=app=$1" | jq '.items | length')" = 0 ] && ready rs "$1" 0; }

# --- a set: the scale, its pods, one status ---
owner ReplicaSet set 0 | k create -f - >/dev/null
storm 'a set from 0 to 200' $((1 + 200 * MAKE + 1)) 'ready rs set 200' k scale rs set --replicas=200
storm 'and back' $((1 + 200 * GO + 1)) 'none set' k scale rs set --replicas=0

# --- 20 deployments of 20: each its creation, a set, pods; it tells thrice (it has a set, which has pods, which are ready), its set twice ---
twenty() { for i in $(seq 20); do owner Deployment "d$i" 20; done | k create -f -; }
storm '20 deployments of 20' $((20 * (1 + 1 + 20 * MAKE + 3 + 2))) \
	'[ "$(raw $APPS/deployments | jq "[.items[] | select(.status.availableReplicas == 20 and .status.updatedReplicas == 20)] | length")" = 20 ]' twenty
# all deleted: they and their sets, each at once
storm 'and deleted' $((20 * (1 + 1 + 20 * GO))) '[ -z "$(k get pods,rs,deployments -o name | grep -v set$)" ]' k delete deployments --all --wait=false

# --- a rolling update of 150, by quarters: the template, a set, pods; four times both sets are scaled and both and the deployment tell ---
owner Deployment roll 150 | k create -f - >/dev/null
busywait 20 ready deployment roll 150
storm 'a rolling update of 150' $((1 + 1 + 150 * (MAKE + GO) + 4 * 2 + 4 * 3)) 'k rollout status deployment/roll --timeout=30s' k set image deployment/roll c=nginx:2
k delete deployment roll --wait=false >/dev/null

# --- a job: its pods run, end, are named in its status, let go, and counted ---
job() { echo "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"j\"},\"spec\":{\"completions\":200,\"parallelism\":200,
	\"template\":{\"metadata\":{\"annotations\":{\"xebec-bench/run-seconds\":\"1\"}},\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}" | k create -f -; }
storm 'a job of 200' $((1 + 200 * (MAKE + 2) + 2)) 'k wait --for=condition=Complete job/j --timeout=30s' job
k delete job j --cascade=background >/dev/null

# --- 300 pods deleted at once: they go, others are made, each owner tells when they are gone and when others are there ---
for i in 1 2 3; do owner ReplicationController "rc$i" 100; done | k create -f - >/dev/null
for i in 1 2 3; do busywait 20 ready rc "rc$i" 100; done
storm '300 pods deleted' $((300 * (GO + MAKE) + 3 * 2)) 'ready rc rc1 100 && ready rc rc2 100 && ready rc rc3 100' \
	api DELETE '/api/v1/namespaces/default/pods?labelSelector=app+in+(rc1,rc2,rc3)'
for i in 1 2 3; do k delete rc "rc$i" --wait=false >/dev/null; done

# --- a service of two sets, so 300 endpoints in three slices: each of them and the Endpoints follow what comes and what goes ---
k create -f - >/dev/null <<'E'
{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"selector":{"tier":"web"},"ports":[{"port":80}]}}
E
for i in web1 web2; do owner ReplicaSet $i 0 | sed 's/"labels":{/&"tier":"web",/'; done | k create -f - >/dev/null
listed() { [ "$(raw "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=s" | jq '[.items[].endpoints[]? | select(.conditions.ready)] | length')" = "$1" ]; }
web() { k scale rs web1 --replicas="$1"; k scale rs web2 --replicas="$2"; }
storm 'a service gets 300 endpoints' $((2 + 300 * MAKE + 2 + 4)) 'listed 300' web 150 150
storm '150 of 300 are replaced' $((150 * (MAKE + GO) + 2 + 2 * 4)) 'listed 300' api DELETE '/api/v1/namespaces/default/pods?labelSelector=app=web2'
storm 'it loses all' $((2 + 300 * GO + 2 + 4)) 'listed 0' web 0 0

# --- a namespace of 500 objects and what every namespace has: told to go, all is removed, told that it is, let go ---
k create namespace full >/dev/null
for i in $(seq 500); do
	printf 'next\nurl=%s/api/v1/namespaces/full/configmaps\nheader="Authorization: Bearer admintoken"\nheader="Content-Type: application/json"\ncacert=%s\noutput=/dev/null\ndata={"metadata":{"name":"c%d"}}\n' \
		"$API" "$TMP/pki/ca.crt" "$i"
done >"$TMP/five-hundred"
in_ns node curl -sS --no-progress-meter -K "$TMP/five-hundred"
is "$(k get configmaps -n full -o name | wc -l)" 501 'there are 500 objects'
storm 'a namespace of 500' $((1 + 500 + 2 + 1 + 1)) '! k get namespace full' k delete namespace full --wait=false
done_testing
