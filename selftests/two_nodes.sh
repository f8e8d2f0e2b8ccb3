# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# For live tests, after lib.sh: a client outside, a second node, and servers that say who they are and whom they see (tools/who.py).
#
#   client 198.51.100.2 -- node 192.0.2.1, 198.51.100.1, 172.30.0.1 -- far 172.30.0.2: another node, whose pod r is 10.244.2.2
#                            |-- pods a, b

# link NAME ADDRESS4 ADDRESS6 THEIRS4 THEIRS6: a namespace with a veth to the node
link() {
	ns_add "$1"
	in_ns node ip link add "to-$1" type veth peer name eth0 netns "xb-$T-$1"
	for at in "node to-$1 $2 $3" "$1 eth0 $4 $5"; do
		read -r ns dev four six <<<"$at"
		in_ns "$ns" sysctl -qw "net.ipv6.conf.$dev.accept_dad=0"
		in_ns "$ns" ip addr add "$four" dev "$dev"
		in_ns "$ns" ip -6 addr add "$six" dev "$dev" nodad
		in_ns "$ns" ip link set "$dev" up
	done
	in_ns "$1" ip route add default via "${2%/*}"
	in_ns "$1" ip -6 route add default via "${3%/*}"
}
serve() { XB_EXEC=exec in_ns "$1" python3 "$ROOT/selftests/tools/who.py" "$2" 80 8080 >"$TMP/who-$2.log" 2>&1 & }

# two_nodes_up: all of the above; servers a, b, r, and n in the network of the node; sets a a6 b b6 r r6
two_nodes_up() {
	node_up
	link client 198.51.100.1/24 2001:db8:1::1/64 198.51.100.2/24 2001:db8:1::2/64
	link far 172.30.0.1/24 2001:db8:2::1/64 172.30.0.2/24 2001:db8:2::2/64
	in_ns far ip addr add 10.244.2.2/32 dev lo
	in_ns far ip -6 addr add fd00:10:244:2::2/128 dev lo nodad
	# what asks does so from the pod's address
	in_ns far ip route replace default via 172.30.0.1 src 10.244.2.2
	in_ns far ip -6 route replace default via 2001:db8:2::1 src fd00:10:244:2::2
	in_ns far ip route replace 172.30.0.0/24 dev eth0 src 10.244.2.2
	in_ns far ip -6 route replace 2001:db8:2::1 dev eth0 src fd00:10:244:2::2
	in_ns node ip route add 10.244.2.0/24 via 172.30.0.2
	in_ns node ip -6 route add fd00:10:244:2::/64 via 2001:db8:2::2
	pod_up a; a=$POD_IP a6=$POD_IP6
	pod_up b; b=$POD_IP b6=$POD_IP6
	r=10.244.2.2 r6=fd00:10:244:2::2
	serve a a; serve b b; serve far r; serve node n
	for at in "$a" "$b" "$r" 192.0.2.1; do busywait 30 in_ns node curl -fsS --max-time 1 "http://$at:8080/" || bail "no server at $at"; done
}
# node_object: the node as the API server has it, with its addresses; in zone z1
node_object() {
	k create -f - >/dev/null <<-END
	{"apiVersion":"v1","kind":"Node","metadata":{"name":"node","labels":{"topology.kubernetes.io/zone":"z1"}}}
	END
	api PATCH /api/v1/nodes/node/status -H 'Content-Type: application/merge-patch+json' --data \
		'{"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"},{"type":"InternalIP","address":"2001:db8::1"}]}}' >/dev/null
}

# fast_nodes_up: the same networks with pods a and r alone, and servers for many connections: names at 80, echo at 5201 (TCP), 5201 answers
# a name (UDP). Sets a r
fast_nodes_up() {
	node_up
	link client 198.51.100.1/24 2001:db8:1::1/64 198.51.100.2/24 2001:db8:1::2/64
	link far 172.30.0.1/24 2001:db8:2::1/64 172.30.0.2/24 2001:db8:2::2/64
	in_ns far ip addr add 10.244.2.2/32 dev lo
	in_ns node ip route add 10.244.2.0/24 via 172.30.0.2
	web_up a; a=$POD_IP r=10.244.2.2
	XB_EXEC=exec in_ns far "$BIN/xebec-bench" serve --text r --http $r:80 --echo $r:5201 2>"$TMP/web-r.log" &
	busywait 30 in_ns node curl -fsS --max-time 1 http://$r/ || bail "no server at $r"
}
# serves NAME TARGET PROTOCOL NODE=ADDRESS...: a Service with these endpoints and a node port, whose number is then in node_port[NAME]
declare -A node_port
serves() {
	local name=$1 target=$2 proto=$3; shift 3
	PROTO=$proto SPEC='"type":"NodePort",' service "$name" "$target:$target"
	printf '%s\n' "$@" | jq -Rn --argjson s "$(PROTO=$proto slice "$name" "$target")" \
		'$s | .endpoints = [inputs / "=" | {nodeName: .[0], addresses: [.[1]], conditions: {ready: true}}]' | k replace -f - >/dev/null
	node_port[$name]=$(k get service "$name" -o 'jsonpath={.spec.ports[0].nodePort}')
}
