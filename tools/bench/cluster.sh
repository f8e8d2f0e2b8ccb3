#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The figures of the control plane at size, on nodes that exist in the API alone: how fast pods are bound, what a large cluster takes
# of memory and of processor time when nothing happens, and a large rollout.   cluster.sh BIN_FOLDER
# At other sizes: NODES=100 PODS=500 DEPLOYMENTS=50 REPLICAS=5 ROLLOUT=20 IDLE_SECONDS=5 cluster.sh BIN_FOLDER
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"

NODES=${NODES:-5000} PODS=${PODS:-10000} DEPLOYMENTS=${DEPLOYMENTS:-10000} REPLICAS=${REPLICAS:-15} ROLLOUT=${ROLLOUT:-1000}
IDLE_SECONDS=${IDLE_SECONDS:-30} KINDS=${KINDS-basic anti-affinity affinity spread preemption}
failed=0

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
rss() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$1/status"; }
server_metric() { api GET /metrics | awk -v m="$1" 'index($1, m) == 1 { n += $2 } END { print n + 0 }'; }
world_up() {
	rm -rf "$TMP/pki" "$TMP/data" "$KUBECONFIG"
	apiserver_start --authorization-mode=Node,RBAC
	XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow --nodes "$NODES" --zones 3 "$@" >"$TMP/hollow.log" 2>>"$TMP/bench.log" &
	HOLLOW_PID=$!
	busywait 120 grep -q registered "$TMP/hollow.log" || bail 'the hollow nodes do not register'
	scheduler_start
}
world_down() { stop "$SCHEDULER_PID"; stop "$HOLLOW_PID"; stop "$APISERVER_PID"; }

# sched KIND PODS: what the scheduler does with them
sched() {
	in_ns node timeout 600 "$BIN/xebec-bench" sched -o json --kind "$1" --prefix "$1-" --pods "$2" --server-pid "$APISERVER_PID" \
		--scheduler-pid "$SCHEDULER_PID" >"$TMP/report" 2>>"$TMP/bench.log" || { failed=1; jq -r .firstError "$TMP/report"; }
	jq -r --arg kind "$1" '"\($kind): \(.podsPerSecond | floor) pods/s, p50 \(.boundSinceCreated.p50Milliseconds | floor) ms, p99 \(
		.boundSinceCreated.p99Milliseconds | floor) ms from creation to binding; scheduler \(.scheduler.cpuSeconds * 1e6 / .pods | floor
		) us a pod, \(.scheduler.rssBytesMost / 1048576 | floor) MB; API server \(.server.cpuSeconds * 1e6 / .pods | floor) us a pod"' "$TMP/report"
}

node_up
echo "kernel $(uname -r), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
echo
echo "--- $NODES nodes, scheduling"
for kind in $KINDS; do
	# the pods begin to run when they are bound, all of them: as in upstream's scheduler_perf nothing else is measured
	if [ "$kind" = preemption ]; then
		world_up --untaint
		sched preemptible $((NODES * 4)) >/dev/null
		sched preemption $((NODES * 2 / 5))
	else
		world_up --untaint --start-delay 30s
		# a node each
		[ "$kind" = anti-affinity ] && most=$((NODES * 9 / 10)) || most=$PODS
		sched "$kind" $((PODS < most ? PODS : most))
	fi
	world_down
done

# every pod is there and runs, and the loops have nothing left to do
settled() {
	[ "$(server_metric 'apiserver_storage_objects{resource="pods"')" -ge "$1" ] &&
		[ "$(api GET '/api/v1/pods?limit=1&fieldSelector=status.phase!=Running' -H 'Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' |
			head -1 | jq '.items | length')" = 0 ] &&
		[ "$(in_ns node curl -ksS https://127.0.0.1:10257/metrics | awk '/^workqueue_depth/ { n += $2 } END { print n + 0 }')" = 0 ]
}
seconds() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }
memory() {
	echo "resident: API server $(rss "$APISERVER_PID") MB, controller manager $(rss "$KCM_PID") MB, scheduler $(rss "$SCHEDULER_PID") MB, together" \
		"$(($(rss "$APISERVER_PID") + $(rss "$KCM_PID") + $(rss "$SCHEDULER_PID"))) MB"
}

all=$((DEPLOYMENTS * REPLICAS))
echo
echo "--- $NODES nodes, $DEPLOYMENTS Deployments of $REPLICAS, each with a Service: $all pods"
world_up --cpu 64
kcm_start
start=$(date +%s%N)
in_ns node python3 "$ROOT/tools/bench/load_workloads.py" --url $API --ca "$TMP/pki/ca.crt" --token admintoken --deployments "$DEPLOYMENTS" \
	--replicas "$REPLICAS" || failed=1
busywait 900 settled $all || failed=1
echo "all run after $(seconds "$start") s"
memory

for p in "$APISERVER_PID" "$KCM_PID" "$SCHEDULER_PID"; do before+=("$(ticks "$p")"); done
sleep "$IDLE_SECONDS"
for p in "$APISERVER_PID" "$KCM_PID" "$SCHEDULER_PID"; do after+=("$(ticks "$p")"); done
awk -v s="$IDLE_SECONDS" -v n="$NODES" -v a=$((after[0] - before[0])) -v k=$((after[1] - before[1])) -v c=$((after[2] - before[2])) 'BEGIN {
	printf "idle, %d leases renewed every 10 s: API server %.2f %%, controller manager %.2f %%, scheduler %.2f %% of a core\n", n, a / s, k / s, c / s }'

k create deployment large --image=registry.example.com/large:1 --replicas="$ROLLOUT" >/dev/null
busywait 300 k rollout status deployment/large --timeout=300s >/dev/null || failed=1
gone=$(server_metric 'apiserver_request_total{code="410"')
start=$(date +%s%N)
k set image deployment/large '*=registry.example.com/large:2' >/dev/null
k rollout status deployment/large --timeout=300s >/dev/null || failed=1
echo "a Deployment of $ROLLOUT rolled in $(seconds "$start") s; watches that fell behind: $(($(server_metric 'apiserver_request_total{code="410"') - gone))"
memory
exit $failed
