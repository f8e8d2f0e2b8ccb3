#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Programs on devices that come and go, beside programs of others, through kill -9, restart and --cleanup. Clients here are in
# no cgroup of the node's, so they are served on devices or not at all.
. "$(dirname "$0")/../lib.sh"

LINKS=$BPFFS/xebec/v3/links
index() { in_ns node cat "/sys/class/net/$1/ifindex" 2>/dev/null || in_ns node ip -j link show dev "$1" | jq '.[0].ifindex'; }
pins() { (cd "$LINKS" && ls) | grep "^dev$1_" | tr '\n' ' '; }
no_pins() { [ -z "$(pins "$1")" ]; }
link_ids() { for at in "$LINKS"/dev"$1"_*; do bpftool -j link show pinned "$at" | jq .id; done | tr '\n' ' '; }
# how many links the program has that is pinned there
links_of() { bpftool -j link show | jq --argjson p "$(bpftool -j link show pinned "$1" | jq .prog_id)" '[.[] | select(.prog_id == $p)] | length'; }
served() { [ "$(in_ns "$1" curl -fsS --max-time 1 "http://$vip/" 2>/dev/null)" = a ]; }
unserved() { ! served "$1"; }
metric() { in_ns node curl -sS --max-time 3 http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
said() { grep -q "$1" "$TMP/proxy.log"; }
foreign() { in_ns node python3 "$ROOT/selftests/tools/foreign.py" "$@"; }

node_up
web_up a; a=$POD_IP
pod_up early
in_ns node tc qdisc add dev xbp2 clsact
in_ns node tc filter add dev xbp2 ingress pref 7 protocol all bpf bytecode '1,6 0 0 0,' classid 1:1
tcx=
if foreign ingress xbp2 "$BPFFS/foreign_in" 2>"$TMP/foreign"; then tcx=yes; foreign egress xbp2 "$BPFFS/foreign_out"; fi
[ -n "$tcx" ] || grep -q 'Errno 22' "$TMP/foreign" || bail "no program of somebody else: $(tail -1 "$TMP/foreign")"
foreign connect4 "$CG/node" "$BPFFS/foreign_connect"
apiserver_start
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}'
proxy_start
service web 80:80 "$a"
vip=$(cluster_ip web)

ok 'a device that was there' busywait 5 served early
[ -z "$tcx" ] || is "$(foreign ingress xbp2) $(foreign egress xbp2)" '2 2' 'programs of others stay, by tcx'
is "$(in_ns node tc filter show dev xbp2 ingress | grep -c bytecode)" 1 'and by clsact'
like "$(grep 'of others' "$TMP/proxy.log")" 'xbp2 ingress filter bpf' 'programs of others: named in one line'
like "$(grep 'of others at hooks' "$TMP/proxy.log")" "'$CG/node' stay, and run too: cgroup/connect4 program [0-9]+ 'foreign'" 'and those of the cgroup in another'
is "$(metric xebec_proxy_foreign_programs)" "$([ -n "$tcx" ] && echo 3 || echo 1)" 'programs of others: counted'
is "$(metric xebec_proxy_devices)" 2 'devices: counted, without loopback'

pod_up late
ok 'a device that comes is served' busywait 2 served late
pod_up gone; gone=$(index xbp4)
busywait 2 served gone
in_ns node ip link del xbp4
ok 'of one that goes nothing is left' busywait 2 no_pins "$gone"
ns_add other
in_ns node ip link add moves type veth peer name stays
moves=$(index moves)
has_pins() { [ -n "$(pins "$1")" ]; }
busywait 2 has_pins "$moves"
in_ns node ip link set moves netns "xb-$T-other"
ok 'of one that moves to another network namespace neither' busywait 2 no_pins "$moves"
if [ -n "$tcx" ]; then
	is "$(links_of "$LINKS/dev$(index xbp1)_ingress")" "$( (cd "$LINKS" && ls) | grep -c '^dev.*_ingress')" 'and no link that nobody knows of holds a program'
fi

# one whose packets begin with IP; restarts and growth find it there
program_on() {
	if [ -n "$tcx" ]; then
		bpftool -j prog show id "$(bpftool -j link show pinned "$LINKS/dev$(index "$1")_$2" | jq .prog_id)" | jq -r .name
	else
		in_ns node tc filter show dev "$1" "$2" | grep -o 'xb_[a-z0-9_]*' | head -1
	fi 2>/dev/null
}
has_program() { [ "$(program_on "$1" "$2")" = "$3" ]; }
in_ns node ip tuntap add dev bare mode tun
ok 'a device without Ethernet headers has programs of its own' busywait 3 has_program bare ingress xb_ingress_l3
is "$(program_on bare egress) $(program_on xbp1 ingress) $(program_on xbp1 egress)" 'xb_egress_l3 xb_ingress xb_egress' 'and the others keep theirs'
is "$(metric xebec_proxy_faulty_devices)" 0 'none lacks one'

# killed; meanwhile one device goes and another comes
early=$(index xbp2) late=$(index xbp3)
ids=$(link_ids "$early")
kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
ok 'kill -9: devices serve on' served early
in_ns node ip link del xbp3
pod_up after
ok 'kill -9: what comes then is not served' unserved after
proxy_start
ok 'started again: it is' busywait 5 served after
ok 'started again: of what went nothing is left' no_pins "$late"
[ -z "$tcx" ] || is "$(link_ids "$early")" "$ids" 'started again: the same links, which were at no moment without a program'
ok 'started again: served' served early
ok 'started again: also without Ethernet headers' has_program bare ingress xb_ingress_l3
in_ns node ip link del bare

# many come at once, and memory follows
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$PROXY_PID/status"; }
before=$(memory)
for i in $(seq 40); do echo "link add many$i type veth peer name m$i"; done | in_ns node ip -batch -
ok 'eighty at once' busywait 5 metric_is xebec_proxy_devices 84
note "memory: $before kB, and $(($(memory) - before)) kB for 80 more devices"
ok 'take little memory' test $(($(memory) - before)) -lt 1024
for i in $(seq 40); do echo "link del many$i"; done | in_ns node ip -batch -
ok 'and go' busywait 5 metric_is xebec_proxy_devices 4
is "$( (cd "$LINKS" && ls) | grep -c '^dev')" "$([ -n "$tcx" ] && echo 8 || echo 0)" 'with all of their links'

# XDP, where it is asked for
stop "$PROXY_PID"
foreign xdp xbp1 "$BPFFS/foreign_xdp"
proxy_start --xdp-devices=xbp2,xbp1
xdp_of() { in_ns node ip -j link show dev "$1" | jq -c '.[0].xdp | [.mode, .prog.name]' 2>/dev/null; }
like "$(xdp_of xbp2)" '"xb_xdp"' 'XDP: on a device that is named'
ok 'XDP: the program of another is said to be there' said "xbp1: .*XDP program of another"
like "$(xdp_of xbp1)" '"foreign"' 'XDP: and is left alone'
is "$(metric xebec_proxy_faulty_devices)" 1 'XDP: and counted'
ok 'XDP: served' served early
rm "$BPFFS/foreign_xdp"
in_ns node ip link add another type veth peer name m1
xdp_is() { [[ $(xdp_of "$1") =~ $2 ]]; }
ok 'XDP: and has its place when that is free' busywait 5 xdp_is xbp1 xb_xdp
stop "$PROXY_PID"
proxy_start
is "$(xdp_of xbp2)" '[null,null]' 'XDP: no longer asked for, no longer there'

# leaving
stop "$PROXY_PID"
ok '--cleanup' on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS"
ok '--cleanup: no pins' test ! -e "$BPFFS/xebec"
ok '--cleanup: devices serve no more' unserved early
is "$(in_ns node bpftool -j net show | jq -c '[.[0].xdp[].devname, .[0].tc[].devname]')" '["xbp2"]' '--cleanup: what is on devices is of others'
is "$(in_ns node tc qdisc show dev xbp2 | grep -c clsact)" 1 '--cleanup: so their qdisc stays'
[ -z "$tcx" ] || is "$(foreign ingress xbp2) $(foreign egress xbp2)" '1 1' '--cleanup: and their programs by tcx'

# tables of another version
mkdir -p "$BPFFS/xebec/v1/maps"
out=$(on_node "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=node --cgroup-path="$CG/node" --bpffs-path="$BPFFS" 2>&1)
like "$out" "/xebec/v1' belongs to another version of kube-proxy .*--cleanup removes it" 'tables of another version: refused, with the way out'
ok 'which is one' on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS"
ok 'and removes them' test ! -e "$BPFFS/xebec"
done_testing
