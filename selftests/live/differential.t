#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Services made by chance, tried from everywhere under eBPF and under nftables: both serve the same. SERVICES of them, from SEED.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"
SEED=${SEED:-$RANDOM} SERVICES=${SERVICES:-40}
note "SEED=$SEED SERVICES=$SERVICES"

two_nodes_up
# under nftables what is for a Service must have some way out before it is rewritten
in_ns node ip route add default via 198.51.100.2
in_ns node ip -6 route add default via 2001:db8:1::2
# and what refuses says so each time
for ns in node a b far; do in_ns $ns sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0; done
apiserver_start
node_object
in_ns node "$ROOT/selftests/tools/random_services.py" $API "$TMP/pki/ca.crt" admintoken "$SEED" "$SERVICES" || bail 'the API server does not take the Services'
raw /api/v1/namespaces/default/services >"$TMP/services"
raw /apis/discovery.k8s.io/v1/namespaces/default/endpointslices >"$TMP/slices"

all_from() { # MODE
	proxy_start --proxy-mode="$1" --cluster-cidr=10.244.0.0/16,fd00:10:244::/48
	is "$(in_ns node curl -sS http://127.0.0.1:10249/proxyMode)" "$1" "it serves by $1"
	local pids=()
	take "$1" client in_ns client; take "$1" pod-bare in_ns a; take "$1" pod in_pod b
	take "$1" node on_node; take "$1" node-bare in_ns node; take "$1" far-pod in_ns far
	for pid in "${pids[@]}"; do wait "$pid" || bail "a client failed: $(cat "$TMP/$1".*.log)"; done
	stop "$PROXY_PID"
}
take() { # MODE PLACE HOW...
	XB_EXEC=exec "${@:3}" "$ROOT/selftests/tools/service_matrix.py" "$TMP/services" "$TMP/slices" >"$TMP/$1.$2" 2>"$TMP/$1.$2.log" &
	pids+=($!)
}
all_from ebpf
all_from nftables
done_testing
