#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Services for whoever passed no socket of the node: a client outside, pods of other runtimes, backends on another node.
#
#   client 198.51.100.2 -- node 192.0.2.1, 198.51.100.1, 172.30.0.1 -- far 172.30.0.2: another node, whose pod r is 10.244.2.2
#                            |-- pods a, b
. "$(dirname "$0")/../lib.sh"

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

node_up
link client 198.51.100.1/24 2001:db8:1::1/64 198.51.100.2/24 2001:db8:1::2/64
link far 172.30.0.1/24 2001:db8:2::1/64 172.30.0.2/24 2001:db8:2::2/64
in_ns far ip addr add 10.244.2.2/32 dev lo
in_ns far ip -6 addr add fd00:10:244:2::2/128 dev lo nodad
in_ns node ip route add 10.244.2.0/24 via 172.30.0.2
in_ns node ip -6 route add fd00:10:244:2::/64 via 2001:db8:2::2
pod_up a; a=$POD_IP a6=$POD_IP6
pod_up b; b=$POD_IP b6=$POD_IP6
r=10.244.2.2 r6=fd00:10:244:2::2
serve a a; serve b b; serve far r; serve node n
for at in "$a" "$b" "$r" 192.0.2.1; do busywait 5 in_ns node curl -fsS --max-time 1 "http://$at:8080/" || bail "no server at $at"; done
apiserver_start
proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48

# from WHERE URL...: by a process that no hook knows
from() { local where=$1; shift; in_ns "$where" curl -sS --max-time 3 "$@" 2>&1; }
udp() { local where=$1; shift; in_ns "$where" python3 "$ROOT/selftests/tools/ask_udp.py" "$@"; }
says() { [[ $(from "$1" "http://$2/") =~ $3 ]]; }
spread() { for _ in $(seq "${3:-40}"); do from "$1" "http://$2/"; done | awk '{ print $1 }' | sort -u | tr '\n' ' '; }

SPEC='"type":"NodePort","externalIPs":["203.0.113.7"],' service web 80:8080 "$a" "$b" "$r"
vip=$(cluster_ip web)
np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}')
ok 'node port: a client outside is answered' busywait 5 says client "198.51.100.1:$np" '^(a|b|r) '
is "$(spread client "198.51.100.1:$np")" 'a b r ' 'by all pods, on this node and the other'
is "$(spread client "192.0.2.1:$np")" 'a b r ' 'at each address of the node'
is "$(spread client 203.0.113.7)" 'a b r ' 'external IP'
is "$(spread client "$vip")" 'a b r ' 'cluster IP, from outside'
is "$(spread a "$vip")" 'a b r ' 'cluster IP from a pod whose sockets are not ours, itself among the backends'
for _ in $(seq 40); do from client "http://198.51.100.1:$np/"; done >"$TMP/seen"
is "$(awk '$1 != "r" { print $2 }' "$TMP/seen" | sort -u)" 198.51.100.2 'backends on this node see the client itself'
is "$(awk '$1 == "r" { print $2 }' "$TMP/seen" | sort -u)" 192.0.2.1 'backends elsewhere see this node, through which the answer must come'
for _ in $(seq 40); do from a "http://$vip/"; done >"$TMP/seen"
is "$(awk '$1 != "a" { print $2 }' "$TMP/seen" | sort -u)" "$a" 'backends of a pod see the pod'
is "$(awk '$1 == "a" { print $2 }' "$TMP/seen" | sort -u)" 192.0.2.1 'itself as a backend sees the node'
is "$(from client "http://198.51.100.1:$np/big" | wc -c | awk '{ print ($1 > 1000000) }')" 1 'a megabyte comes through'
done_testing
