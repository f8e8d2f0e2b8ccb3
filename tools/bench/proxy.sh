#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What kube-proxy takes of time, processor and memory in worlds of several sizes: from its start, and from asking for the lists, until all
# is programmed; one endpoint's change; its own memory and the tables'.   proxy.sh BIN_FOLDER [SERVICES...]
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"
shift
[ $# -gt 0 ] || set -- 1 100 1000 10000 30000
ENDPOINTS=${ENDPOINTS:-4} CHANGES=${CHANGES:-2000}

# of all its threads, in microseconds
cpu_us() { cat "/proc/$PROXY_PID"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum / 1000 }'; }
kilobytes() { awk -v m="$1:" '$1 == m { print $2 }' "/proc/$PROXY_PID/status"; }
metric() { in_ns node curl -fsS --max-time 5 http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2; found = 1 } END { exit !found }'; }
# The moment of a line of its log, in microseconds of the day.
moment() { awk -v what="$1" 'index($0, what) { split($2, t, ":"); printf "%.0f\n", ((t[1] * 60 + t[2]) * 60 + t[3]) * 1e6; exit }' "$TMP/proxy.log"; }
bench_services() {
	in_ns node python3 "$ROOT/tools/bench/load_services.py" --url $API --ca "$TMP/pki/ca.crt" --token admintoken --endpoints "$ENDPOINTS" "$@" >"$TMP/load" ||
		bail "$(cat "$TMP/load")"
}
seen() { metric kubeproxy_sync_proxy_rules_endpoint_changes_total; }
# until its processor time stands still
quiet() {
	local now=
	while [ "$(cpu_us)" != "$now" ]; do now=$(cpu_us); sleep 0.2; done
}
# changes N COMMAND...: what it takes in microseconds to follow changes of N services, in $spent; the command comes after them
changes() {
	local n=$1 before; shift
	before=$(cpu_us)
	bench_services --services "$n" --changes "$CHANGES"
	"$@"; quiet
	spent=$(($(cpu_us) - before))
}

node_up
apiserver_start
load=$(cut -d' ' -f1-3 /proc/loadavg) loaded=0
for n in "$@"; do
	bench_services --first $loaded --services $((n - loaded)); loaded=$n
	rm -f "$TMP/proxy.log"
	proxy_start
	busywait 60 grep -q 'are in the tables' "$TMP/proxy.log" || bail 'kube-proxy did not program everything in 60 s'
	cpu=$(cpu_us)
	first=$(moment "node node,") asked=$(moment 'programs are on') done=$(moment 'are in the tables')
	sync=$(metric kubeproxy_sync_proxy_rules_duration_seconds_sum)
	seen=$(seen)
	changes "$n" true; alone=$spent
	kill -STOP "$PROXY_PID"
	changes "$n" kill -CONT "$PROXY_PID"; together=$spent
	seen=$(($(seen) - seen))
	[ "$seen" = $((2 * CHANGES)) ] || bail "$seen of $((2 * CHANGES)) changes were seen"
	jq -n --argjson n "$n" --argjson m "$ENDPOINTS" --argjson start $((done - first)) --argjson asked $((done - asked)) --argjson sync "$sync" \
		--argjson cpu "$cpu" --argjson alone "$alone" --argjson together "$together" --argjson changes "$CHANGES" \
		--argjson rss "$(kilobytes VmRSS)" --argjson anon "$(kilobytes RssAnon)" --argjson most "$(kilobytes VmHWM)" \
		--argjson kernel "$(metric xebec_proxy_table_memory_bytes)" '
		{ services: $n, endpoints: $m, milliseconds: { fromStart: ($start / 1000), fromLists: ($asked / 1000), plansAndTables: ($sync * 1000) },
		  cpuMilliseconds: ($cpu / 1000), changeMicroseconds: { alone: ($alone / $changes), amongOthers: ($together / $changes) },
		  memoryBytes: { resident: ($rss * 1024), anonymous: ($anon * 1024), most: ($most * 1024), tables: $kernel } }' >>"$TMP/worlds"
	stop "$PROXY_PID"
	on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" 2>/dev/null
done

mkdir -p "$XB_BUILD/bench"
jq -s --arg kernel "$(uname -r)" --argjson cores "$(nproc)" --arg load "$load" '{ kernel: $kernel, cores: $cores, loadAverage: $load, worlds: . }' "$TMP/worlds" \
	>"$XB_BUILD/bench/proxy.json"
jq -r -f "$ROOT/tools/bench/proxy_table.jq" "$XB_BUILD/bench/proxy.json" | column -t -s $'\t'
