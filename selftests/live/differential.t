#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Services made by chance, tried from everywhere under eBPF and under nftables: both serve the same. SERVICES of them, from SEED.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"
# always the same ones here; the soak takes others each time
SEED=${SEED:-4} SERVICES=${SERVICES:-40}
note "SEED=$SEED SERVICES=$SERVICES"

two_nodes_up
# under nftables what is for a Service must have some way out before it is rewritten
in_ns node ip route add default via 198.51.100.2 src 192.0.2.1
in_ns node ip -6 route add default via 2001:db8:1::2 src 2001:db8::1
# and what refuses says so each time
for ns in node a b far; do in_ns $ns sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratemask=0; done
apiserver_start
node_object
in_ns node "$ROOT/selftests/tools/random_services.py" $API "$TMP/pki/ca.crt" admintoken "$SEED" "$SERVICES" || bail 'the API server does not take the Services'
raw /api/v1/namespaces/default/services >"$TMP/services"
raw /apis/discovery.k8s.io/v1/namespaces/default/endpointslices >"$TMP/slices"

PLACES='client pod-bare pod node far-pod'
declare -A AT=([client]='in_ns client' [pod-bare]='in_ns a' [pod]='in_pod b' [node]=on_node [far-pod]='in_ns far')
tried_by() { # MODE
	local place pids=()
	proxy_start --proxy-mode="$1" --cluster-cidr=10.244.0.0/16,fd00:10:244::/48
	is "$(in_ns node curl -sS http://127.0.0.1:10249/proxyMode)" "$1" "all Services are served by $1"
	for place in $PLACES; do
		XB_EXEC=exec ${AT[$place]} "$ROOT/selftests/tools/service_matrix.py" "$TMP/services" "$TMP/slices" >"$TMP/$1.$place" 2>"$TMP/$1.$place.log" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || bail "a client failed: $(tail -n1 "$TMP/$1".*.log)"; done
	stop "$PROXY_PID"
}
tried_by ebpf
tried_by nftables
for place in $PLACES; do
	is "$("$ROOT/selftests/tools/service_compare.py" "$place" "$TMP/ebpf.$place" "$TMP/nftables.$place" 2>"$TMP/wanted")" '' "from $place: the same by both"
	note "$(cat "$TMP/wanted")"
done
done_testing
