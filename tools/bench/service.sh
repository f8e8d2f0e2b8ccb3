#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The figures of the service data plane, from the API down: the service's address beside the pod's own, what a large world
# costs to program, and what one change costs in it.   service.sh BIN_FOLDER [SERVICES...]
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"
shift
[ $# -gt 0 ] || set -- 100 10000

metric() { in_ns node curl -fsS --max-time 5 http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2; found = 1 } END { exit !found }'; }
rss() { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }
programmed() { [ "$(metric 'xebec_proxy_table_entries{table="ports"}' 2>/dev/null || echo 0)" -ge "$1" ]; }

node_up
web_up pod; pod=$POD_IP
web_up other; other=$POD_IP
apiserver_start
echo "kernel $(uname -r), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
service bench 5201:5201 "$pod"
k patch service bench --type=json -p '[{"op":"add","path":"/spec/ports/-","value":{"name":"u","port":5201,"protocol":"UDP"}}]' >/dev/null
# endpoints POD_IP...: both ports of the slice follow
endpoints() { slice bench 5201 "$@" | jq '.ports += [.ports[0] + {"name": "u", "protocol": "UDP"}]' | k replace -f - >/dev/null; }
vip=$(cluster_ip bench)
loaded=0
for n in 1 "$@"; do
	if [ "$n" -gt 1 ]; then
		in_ns node python3 "$ROOT/tools/bench/load_services.py" --url $API --ca "$TMP/pki/ca.crt" --token admintoken --first $loaded \
			--services $((n - loaded)) --endpoints 10 || bail 'loading failed'
		loaded=$n
	fi
	echo
	echo "--- $n services x 10 endpoints"
	start=$(date +%s%N)
	proxy_start
	busywait 60 programmed "$n" || bail 'kube-proxy did not program everything in 60 s'
	echo "from start to programmed: $((($(date +%s%N) - start) / 1000000)) ms, of which planning and writing the tables:" \
		"$(metric kubeproxy_sync_proxy_rules_duration_seconds_sum | awk '{ printf "%.1f", $1 * 1000 }') ms"
	echo "kube-proxy RSS $(rss "$PROXY_PID") kB; kernel memory of the tables $(metric xebec_proxy_table_memory_bytes) B; kube-apiserver RSS $(rss "$APISERVER_PID") kB"
	endpoints "$pod" "$other"
	before=$(awk '{ print $14 + $15 }' "/proc/$PROXY_PID/stat")
	in_ns node python3 "$ROOT/selftests/tools/churn.py" --rounds 500 --url $API --ca "$TMP/pki/ca.crt" --token admintoken \
		--metrics http://127.0.0.1:10249/metrics --name bench-1 --keep "$pod" --flap "$other" --windows /dev/null
	after=$(awk '{ print $14 + $15 }' "/proc/$PROXY_PID/stat")
	echo "1000 changes: $(((after - before) * 10)) ms of kube-proxy's CPU, its watch and the metrics page asked for each included"
	endpoints "$pod"
	on_node "$BIN/xebec-bench" service --vip "$vip:5201" --direct "$pod:5201" --rounds "${ROUNDS:-15}" --seconds "${SECONDS_EACH:-0.5}"
	stop "$PROXY_PID"
	on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" 2>/dev/null
done
