#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The figures of the service data plane, from the API down: a service's address by each path, ours and its peers', in turns with the
# pod's own address; what a large world costs to program, and what one change costs in it.   service.sh BIN_FOLDER [SERVICES...]
# Beyond PEERS_MOST services the peers are left out: each takes minutes to load them.
#
# Four stands that differ in nothing but what their node does with services, each of three namespaces:
#   client 198.51.100.2 -- node 198.51.100.1, 10.244.1.1 -- pod 10.244.1.2
# "bare" has nothing, "node" our programs, "nft" our nftables mode, "ipt" rules as kube-proxy's iptables mode makes them.
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"
shift
[ $# -gt 0 ] || set -- 1 1000 10000
POD=10.244.1.2 PORT=5201 SINK=5301 ENDPOINTS=${ENDPOINTS:-10} PEERS_MOST=${PEERS_MOST:-30000}
KMEM=/sys/fs/cgroup/memory
# Both ends on one processor: whether a wake-up crosses to another one is chance, and dearer than all that is compared here.
ONE=(taskset -c "${CPU:-0}")
declare -A server

# link NS DEVICE ADDRESS NS DEVICE ADDRESS
link() {
	in_ns "$1" ip link add "$2" type veth peer name "$5" netns "xb-$T-$4"
	in_ns "$1" ip addr add "$3" dev "$2"; in_ns "$4" ip addr add "$6" dev "$5"
	in_ns "$1" ip link set "$2" up; in_ns "$4" ip link set "$5" up
}
stand() { # NAME; the server in the pod is started by the rest
	local name=$1 end; shift
	[ "$name" = node ] || ns_add "$name"
	for end in client pod; do ns_add "$name-$end"; done
	link "$name" client 198.51.100.1/24 "$name-client" eth0 198.51.100.2/24
	link "$name" pod 10.244.1.1/24 "$name-pod" eth0 $POD/24
	in_ns "$name" sysctl -qw net.ipv4.ip_forward=1
	in_ns "$name-client" ip route add default via 198.51.100.1
	in_ns "$name-pod" ip route add default via 10.244.1.1
	XB_EXEC=exec "$@" "$name-pod" "${ONE[@]}" "$BIN/xebec-bench" serve --echo 0.0.0.0:$PORT --sink 0.0.0.0:$SINK 2>"$TMP/serve-$name.log" &
	server[$name]=$!
	busywait 5 in_ns "$name-client" bash -c "exec 3<>/dev/tcp/$POD/$PORT" || bail "no server in $name"
}
metric() { in_ns "$1" curl -fsS --max-time 5 http://127.0.0.1:10249/metrics | awk -v m="$2" '$1 == m { print $2; found = 1 } END { exit !found }'; }
rss() { awk '/VmRSS/ { print $2 * 1024 }' "/proc/$1/status"; }
programmed() { [ "$(metric "$1" 'xebec_proxy_table_entries{table="ports"}' 2>/dev/null || echo 0)" -ge "$2" ]; }
cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$1/stat"; }
# in_kmem NAME COMMAND...: in a cgroup that counts the memory that the kernel takes for it, where there is one (cgroup v1)
in_kmem() {
	local folder=$KMEM/${CG##*/}-pods/$1; shift
	[ -d $KMEM ] || exec "$@"
	mkdir -p "$folder" && echo $BASHPID >"$folder/cgroup.procs" && exec "$@"
}
kmem() { cat "$KMEM/${CG##*/}-pods/$1/memory.kmem.usage_in_bytes" 2>/dev/null || echo null; }
proxy_figures() { # NAME PID MILLISECONDS KERNEL_BYTES
	jq -n --arg name "$1" --argjson cpu "$(cpu_ms "$2")" --argjson ms "$3" --argjson kernel "$4" --argjson rss "$(rss "$2")" \
		--argjson sync "$(metric "$1" kubeproxy_sync_proxy_rules_duration_seconds_sum)" \
		'{ ($name): { startToProgrammedMilliseconds: $ms, cpuMilliseconds: $cpu, syncMilliseconds: ($sync * 1000), residentBytes: $rss, kernelBytes: $kernel } }'
}

node_up
stand node in_pod
for name in bare nft ipt; do stand $name in_ns; done
link node uplink 172.30.0.1/24 nft uplink 172.30.0.2/24
in_ns nft ip route add default via 172.30.0.1
mkdir -p "$TMP/bpf-nft" "$CG/nft" && mount -t bpf bpf "$TMP/bpf-nft"
apiserver_start
echo "kernel $(uname -r), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Service","metadata":{"name":"bench"},"spec":{"ports":[{"name":"p","port":5201},{"name":"u","port":5201,"protocol":"UDP"}]}}'
# endpoints VERB ADDRESS...: of both ports, on this node
endpoints() {
	local verb=$1; shift
	slice bench $PORT "$@" | jq '.ports += [.ports[0] + {name: "u", protocol: "UDP"}] | .endpoints[].nodeName = "node"' | k "$verb" -f - >/dev/null
}
endpoints create $POD
vip=$(cluster_ip bench)

start_nft() {
	XB_EXEC=exec in_ns nft bash -c "$(declare -f in_kmem); CG=$CG KMEM=$KMEM in_kmem nft \"\$@\"" - "$BIN/kube-proxy" --proxy-mode=nftables --kubeconfig="$TMP/admin.conf" \
		--hostname-override=node --cgroup-path="$CG/nft" --bpffs-path="$TMP/bpf-nft" >>"$TMP/proxy-nft.log" 2>&1 &
}
since_ms() { echo $((($(date +%s%N) - $1) / 1000000)); }
to() { # NAME STAND ADDRESS:PORT [CGROUP]
	echo "--to=$1=$3,netns=/run/netns/xb-$T-$2-client,server=${server[$2]}${4:+,cgroup=$4}"
}
# the endpoint that was added and taken away again, where nobody answers, is not chosen any more
settled() { in_ns "$1-client" timeout 5 bash -c "for i in {1..30}; do exec 3<>/dev/tcp/$vip/$PORT || exit; done"; }
caught_up() { [ "$(metric nft "$1")" = "$(metric node "$1")" ]; }
# talk FILE TO...: the report of a measurement
talk() {
	local file=$1; shift
	timeout 900 "${ONE[@]}" "$BIN/xebec-bench" service --rounds "${ROUNDS:-40}" --seconds "${SECONDS_EACH:-0.1}" -o json "$@" >"$file" || bail 'measuring failed'
}
# restore: what a sync of kube-proxy's would load, and how long the kernel's side of it takes
restore() {
	in_ns ipt bash -c "$(declare -f in_kmem); CG=$CG KMEM=$KMEM in_kmem ipt bash -c 'TIMEFORMAT=\"%R %U %S\"; time iptables-restore' <'$TMP/rules'" 2>"$TMP/restore" ||
		bail "iptables-restore: $(cat "$TMP/restore")"
	awk -v kernel="$(kmem ipt)" '{ printf "{ \"ipt\": { \"startToProgrammedMilliseconds\": %d, \"cpuMilliseconds\": %d, \"kernelBytes\": %s } }\n",
		$1 * 1000, ($2 + $3) * 1000, kernel }' "$TMP/restore"
}

loaded=1
for n in "$@"; do
	if [ "$n" -gt $loaded ]; then
		in_ns node python3 "$ROOT/tools/bench/load_services.py" --url $API --ca "$TMP/pki/ca.crt" --token admintoken --first $loaded \
			--services $((n - loaded)) --endpoints "$ENDPOINTS" || bail 'loading failed'
		loaded=$n
	fi
	echo
	echo "--- $n services x $ENDPOINTS endpoints"
	start=$(date +%s%N)
	proxy_start
	busywait 60 programmed node $((n + 1)) || bail 'kube-proxy did not program everything in 60 s'
	proxy_figures node "$PROXY_PID" "$(since_ms "$start")" "$(metric node xebec_proxy_table_memory_bytes)" >"$TMP/programming"
	peers=()
	if [ "$n" -le "$PEERS_MOST" ]; then
		start=$(date +%s%N)
		start_nft; nft_pid=$!
		busywait 120 programmed nft $((n + 1)) || bail "nftables mode did not program everything in 120 s: $(tail -3 "$TMP/proxy-nft.log")"
		proxy_figures nft $nft_pid "$(since_ms "$start")" "$(kmem nft)" >>"$TMP/programming"
		python3 "$ROOT/tools/bench/iptables_rules.py" --services "$n" --endpoints "$ENDPOINTS" --vip "$vip" --pod $POD --port $PORT >"$TMP/rules"
		restore >>"$TMP/programming"
		peers=("$(to nftables nft "$vip:$PORT")" "$(to iptables ipt "$vip:$PORT")")
	fi

	endpoints replace $POD 10.244.1.3
	before=$(cpu_ms "$PROXY_PID")
	in_ns node python3 "$ROOT/selftests/tools/churn.py" --rounds 500 --url $API --ca "$TMP/pki/ca.crt" --token admintoken \
		--metrics http://127.0.0.1:10249/metrics --name bench-1 --keep $POD --flap 10.244.1.3 --windows /dev/null
	echo "1000 changes: $(($(cpu_ms "$PROXY_PID") - before)) ms of kube-proxy's CPU, its watch and the metrics page asked for each included"
	endpoints replace $POD
	if [ ${#peers[@]} -gt 0 ]; then
		busywait 120 caught_up kubeproxy_sync_proxy_rules_endpoint_changes_total || bail 'nftables mode did not follow the changes'
		busywait 20 settled nft || bail 'nftables mode does not serve'
	fi
	busywait 20 settled node || bail 'kube-proxy does not serve'
	talk "$TMP/talk" "$(to pod bare $POD:$PORT)" "$(to socket node "$vip:$PORT" "$CG/node")" "$(to tc node "$vip:$PORT")" \
		"$(to tc-pod node $POD:$PORT)" "${peers[@]}"
	# what a socket's service costs, and not what it costs that the node looks at packets
	talk "$TMP/socket" "$(to pod node $POD:$PORT "$CG/node")" "$(to socket node "$vip:$PORT" "$CG/node")"
	talk "$TMP/stream" --kind stream --seconds "${STREAM_SECONDS:-0.3}" "$(to pod bare $POD:$SINK)" "$(to tc-pod node $POD:$SINK)"
	jq -n --argjson n "$n" --argjson endpoints "$ENDPOINTS" --slurpfile programming "$TMP/programming" --slurpfile talk "$TMP/talk" \
		--slurpfile stream "$TMP/stream" --slurpfile socket "$TMP/socket" \
		'{ services: $n, endpoints: $endpoints, programming: ($programming | add), talk: ($talk[0] + $stream[0]), sameNode: $socket[0] }' >>"$TMP/figures"
	stop "$PROXY_PID"; [ ${#peers[@]} = 0 ] || stop $nft_pid
	on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" 2>/dev/null
	in_ns nft "$BIN/kube-proxy" --cleanup --bpffs-path="$TMP/bpf-nft" 2>/dev/null
done

mkdir -p "$XB_BUILD/bench"
jq -s --arg kernel "$(uname -r)" --argjson cores "$(nproc)" --arg load "$(cut -d' ' -f1-3 /proc/loadavg)" \
	'{ kernel: $kernel, cores: $cores, loadAverage: $load, worlds: . }' "$TMP/figures" >"$XB_BUILD/bench/service.json"
jq -r -f "$ROOT/tools/bench/service_table.jq" "$XB_BUILD/bench/service.json" | column -t -s $'\t'
python3 "$ROOT/tools/bench/service_plot.py" "$XB_BUILD/bench/service.json" >"$XB_BUILD/bench/service.svg"
