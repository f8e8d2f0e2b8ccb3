#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a container runtime sees of xebec-cni: pods that reach each other and the node, nothing left of those that went, and calls that
# die anywhere.
. "$(dirname "$0")/../lib.sh"

node_up
store=$TMP/networks
ranges='[[{"subnet":"10.244.1.0/24"}],[{"subnet":"fd00:10:244:1::/64"}]]'
conf() { jq -nc --argjson r "$ranges" --arg d "$store" '{cniVersion: "1.0.0", name: "pods", type: "xebec-cni", ipam: {dataDir: $d, ranges: $r}}'; }
CONF=$(conf)
# cni VERB CONTAINER: with $CONF; the namespace is of the container's name. AT: something to call it by; IFNAME: eth0
cni() {
	in_ns node env CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/xb-$T-${NETNS:-$2}" CNI_IFNAME="${IFNAME:-eth0}" CNI_PATH="$BIN" \
		${AT:-} "$BIN/xebec-cni" <<<"$CONF"
}
with() { jq -c "$1" <<<"$CONF"; }
ip_of() { jq -r ".ips[$1].address | split(\"/\")[0]"; }
pings() { in_ns "$1" busybox ping -c 1 -W 2 "${@:2}"; }
veths() { in_ns node ip -br link show type veth | grep -c '^xb'; }
files() { find "$store/pods" -name '*[.:]*' ! -name 'last*' | wc -l; }
# what: how many devices, routes to pods, neighbours and address files there are
left() { echo "$(veths) $(in_ns node ip route | grep -c '^10.244') $(in_ns node ip -6 route | grep -c '^fd00') $(in_ns node ip neigh | grep -c PERMANENT) $(files)"; }

# --- pods
for p in a b; do ns_add $p; in_ns $p ip link set lo down; done
a=$(cni ADD a) && b=$(cni ADD b) || bail "ADD: $a $b"
a4=$(ip_of 0 <<<"$a") a6=$(ip_of 1 <<<"$a") b4=$(ip_of 0 <<<"$b") b6=$(ip_of 1 <<<"$b")
is "$a4 $a6 $b4 $b6" '10.244.1.1 fd00:10:244:1::1 10.244.1.2 fd00:10:244:1::2' 'ADD: addresses in their order'
is "$(jq -c '[.cniVersion, .interfaces[1].name, .interfaces[1].sandbox, .ips[0], .routes, .dns]' <<<"$a")" \
	"[\"1.0.0\",\"eth0\",\"/run/netns/xb-$T-a\",{\"address\":\"10.244.1.1/32\",\"gateway\":\"169.254.1.1\",\"interface\":1},[{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"},{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}],{}]" \
	'ADD: the result'
host=$(jq -r '.interfaces[0].name' <<<"$a")
is "$(in_ns node ip -j link show "$host" | jq -r '.[].address')" "$(jq -r '.interfaces[0].mac' <<<"$a")" 'ADD: the device on the node is the one that it names'
is "$(in_ns a ip -6 addr show dev eth0 | grep -c tentative)" 0 'no duplicate address detection'
for to in "$b4" "$b6" 192.0.2.1 2001:db8::1; do ok "pod to $to" pings a "$to"; done
for to in "$a4" "$a6"; do ok "node to $to" pings node "$to"; done
ok 'a full packet' pings a -s 1472 "$b4"
ok 'a fragmented one' pings a -s 4000 "$b4"
ok 'a fragmented one, IPv6' pings a -s 4000 "$b6"
is "$(in_ns a ip neigh | awk '{print $1, $NF}' | sort | tr '\n' ' ')" '169.254.1.1 PERMANENT fe80::1 PERMANENT ' 'nobody was asked for a hardware address'
in_ns a ip addr add 10.244.1.77/32 dev eth0
asked() { in_ns b awk '/^Icmp: [0-9]/ { print $10 }' /proc/net/snmp; } # echo requests that b has got
dropped() { local n=$(asked); pings a "$b4" && [ "$(asked)" = $((n + 1)) ] && ! pings a -I 10.244.1.77 "$b4" && [ "$(asked)" = $((n + 1)) ]; }
ok 'a pod cannot send from an address that is not its own' dropped
in_ns a ip addr del 10.244.1.77/32 dev eth0
lo() { CONF='{"cniVersion":"0.3.1","name":"cni-loopback","type":"loopback"}' IFNAME=lo cni "$1" a; }
is "$(lo ADD | jq -c '[.interfaces[0].name, .ips[0].address]')" '["lo","127.0.0.1/8"]' 'loopback: the result'
ok 'loopback: up' pings a 127.0.0.1

# --- CHECK finds what is broken
check() { CONF=$(with ".prevResult = $a") cni CHECK a | jq -r .msg; }
is "$(check)" '' 'CHECK: all is well'
broken() { # WHERE NETNS COMMAND... -- what it says
	local ns=$1 want=$2; shift 2
	in_ns "$ns" "$@" || note "cannot break: $*"
	is "$(check)" "$want" "CHECK: after $*"
	cni DEL a >/dev/null; a=$(cni ADD a); host=$(jq -r '.interfaces[0].name' <<<"$a"); a4=$(ip_of 0 <<<"$a") a6=$(ip_of 1 <<<"$a")
}
broken a "eth0 has no address $a6" ip addr del "$a6/128" dev eth0
broken a 'eth0 has no permanent neighbour 169.254.1.1' ip neigh del 169.254.1.1 dev eth0
broken a 'eth0 has no default route by fe80::1' ip -6 route del default
broken node "$host has no route to $a4" ip route del "$a4"
broken node "the interface $host on the node is down" ip link set "$host" down
broken a 'there is no interface eth0 in the pod' ip link del eth0
broken a 'eth0 has MTU 1400, not 1500' ip link set eth0 mtu 1400
broken node "no IPv4 address is reserved for container a in $store/pods" rm "$store/pods/$a4"
is "$(check)" '' 'CHECK: well again'

# --- DEL
cni DEL a; cni DEL b
is "$(left)" '0 0 0 0 0' 'DEL leaves nothing'
ok 'DEL of what is gone' cni DEL a
without_netns() { NETNS=gone cni DEL a; }
ok 'DEL without a network namespace' without_netns
mtu() { in_ns a ip -j link show eth0 | jq '.[].mtu'; }
is "$(CONF=$(with '.mtu = 1380') cni ADD a >/dev/null; mtu)" 1380 'mtu: of the configuration'
cni DEL a
in_ns node ip link add up0 mtu 1430 type bridge; in_ns node ip link set up0 up; in_ns node ip route add default dev up0
is "$(cni ADD a >/dev/null; mtu)" 1430 'mtu: of the default route'
cni DEL a
in_ns node ip link del up0
is "$(CONF=$(with '.ipam.ranges = [.ipam.ranges[1]]') cni ADD a | jq -c '[.ips[].address[:17], .routes[].dst]')" '["fd00:10:244:1::d/","::/0"]' 'IPv6 alone'
ok 'IPv6 alone: reaches the node' pings a 2001:db8::1
cni DEL a
is "$(CONF=$(with '.cniVersion = "0.4.0" | .ipam.ranges = [.ipam.ranges[0]]') cni ADD a | jq -c '[.cniVersion, .ips[].version]')" '["0.4.0","4"]' '0.4.0, IPv4 alone'
cni DEL a

# --- killed at every system call
bad= points=0
for at in $(seq 43 400); do
	AT="$TOOLS/tools/kill_at $at" cni ADD a >"$TMP/killed" 2>&1
	[ $? = 3 ] && break
	points=$((points + 1))
	before=$(files)
	again=$(cni ADD a) || bad="$bad ADD-after-$at"
	a4=$(ip_of 0 <<<"$again")
	[ "$(files)" = 2 ] || bad="$bad addresses-after-$at"
	# what was reserved is kept: no address is spent by a crash
	[ "$before" = 0 ] || [ -e "$store/pods/$a4" ] || bad="$bad moved-after-$at"
	[ $((at % 10)) != 0 ] || pings a 192.0.2.1 >/dev/null || bad="$bad unreachable-after-$at"
	if [ $((at % 3)) = 0 ]; then AT="$TOOLS/tools/kill_at $((at / 2 + 20))" cni DEL a >/dev/null 2>&1; fi
	cni DEL a >/dev/null || bad="$bad DEL-after-$at"
	[ "$(veths) $(files)" = '0 0' ] || bad="$bad left-after-$at"
done
cni DEL a
is "$bad" '' "killed at each of $points system calls: the next call makes it whole"
ok 'those were enough points' [ $points -ge 80 ]
is "$(left)" '0 0 0 0 0' 'killed: DEL leaves nothing'

# --- many at once
for i in $(seq 20); do ns_add "m$i"; done
for i in $(seq 20); do cni ADD "m$i" >"$TMP/m$i.json" & done
wait
is "$(cat "$TMP"/m*.json | jq -r '.ips[0].address' | sort -u | wc -l) $(files)" '20 40' '20 at once: 20 addresses of each family'
reach() { for i in 2 9 20; do pings m1 "$(ip_of 0 <"$TMP/m$i.json")" && pings m1 "$(ip_of 1 <"$TMP/m$i.json")" || return; done; }
ok '20 at once: they reach each other' reach
# GC keeps what the runtime still has
CONF=$(with '.cniVersion = "1.1.0" | ."cni.dev/valid-attachments" = [{"containerID":"m7","ifname":"eth0"}]') cni GC x
is "$(veths) $(files)" '1 2' 'GC: what the runtime does not name is gone'
ok 'GC: what it names works' pings m7 192.0.2.1
ip netns del "xb-$T-m7"
no_veths() { [ "$(veths)" = 0 ]; }
busywait 5 no_veths
cni DEL m7
is "$(left)" '0 0 0 0 0' 'a pod whose namespace went first: DEL frees its addresses'

# --- faults, in words
msg() { jq -r '"\(.code) \(.msg)"'; }
CONF=$(with '.ipam.ranges = [[{"subnet":"10.9.0.0/30"}]]')
cni ADD m1 >/dev/null; cni ADD m2 >/dev/null
is "$(cni ADD m3 | msg)" '101 no IP addresses available in range set: 10.9.0.1-10.9.0.2' 'no address is left'
cni DEL m1
is "$(cni ADD m3 | ip_of 0)" 10.9.0.1 'one is given back'
cni DEL m2; cni DEL m3
CONF=$(conf)
is "$(NETNS=gone cni ADD a | msg)" "3 CNI_NETNS: there is no /run/netns/xb-$T-gone" 'no namespace'
in_ns a ip link add eth0 type bridge
is "$(cni ADD a | msg)" "100 CNI_IFNAME: there is an interface eth0 in /run/netns/xb-$T-a already" 'an interface by that name'
in_ns a ip link del eth0
is "$(CONF=$(with '.cniVersion = "0.2.0"') cni ADD a | msg)" '1 cniVersion: "0.2.0" is not one of 0.3.1, 0.4.0, 1.0.0, 1.1.0' 'a version'
is "$(left)" '0 0 0 0 0' 'what fails leaves nothing'
is "$(CONF='{"cniVersion":"1.0.0"}' cni VERSION a | jq -c .supportedVersions)" '["0.3.1","0.4.0","1.0.0","1.1.0"]' 'VERSION'
is "$(CONF=$(with '.cniVersion = "1.1.0"') cni STATUS a)" '' 'STATUS: ready'
is "$(CONF=$(with '.ipam.dataDir = "/proc/nowhere"') cni STATUS a | jq .code)" 50 'STATUS: not ready'

# --- what it costs
for i in $(seq 20); do
	s=$(date +%s%N); cni ADD "m$i" >/dev/null; e=$(date +%s%N)
	echo $(((e - s) / 1000)) >>"$TMP/times"
done
s=$(date +%s%N); for i in $(seq 5); do in_ns node env true </dev/null; done; e=$(date +%s%N)
note "ADD, median of 20: $(sort -n "$TMP/times" | sed -n 10p) us, of which starting it by nsenter and env $(((e - s) / 5000)) us"
ok 'ADD does not wait for anything' [ "$(sort -n "$TMP/times" | sed -n 10p)" -lt 100000 ]
done_testing
