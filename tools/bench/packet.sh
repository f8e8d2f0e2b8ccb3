#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What one packet costs in the programs of a device, beside doing nothing and beside other ways to find a backend.   packet.sh BIN_FOLDER
#
#   lan, a bridge, with client 172.30.0.2, node 172.30.0.1 (kube-proxy, XDP), far 172.30.0.3 with pod 10.244.2.2
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"

join() { # NAME NUMBER
	[ "$1" = node ] || ns_add "$1"
	in_ns lan ip link add "$1" type veth peer name eth0 netns "xb-$T-$1"
	in_ns lan ip link set "$1" master br0 up
	in_ns "$1" ip addr add "172.30.0.$2/24" dev eth0
	in_ns "$1" ip link set eth0 up
}
ns_add lan
in_ns lan ip link add br0 type bridge
in_ns lan ip link set br0 up
node_up
join node 1; join client 2; join far 3
in_ns node ip route add 10.244.2.0/24 via 172.30.0.3
apiserver_start
service web 80:8080 10.244.2.2
proxy_start --xdp-devices=eth0
# neighbours that XDP does not ask for
for n in 2 3; do in_ns node busybox ping -c1 -W5 172.30.0.$n >/dev/null || bail "no way to 172.30.0.$n"; done
in_ns node taskset -c "${CPU:-0}" "$TOOLS/tools/packet_bench" "$BPFFS" eth0 172.30.0.2 "$(cluster_ip web):80" 172.30.0.3
