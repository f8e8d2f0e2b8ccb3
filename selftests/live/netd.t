#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What pods see of xebec-netd: each other on other nodes, directly and by VXLAN, and the world outside by their node's address; and what
# of it stays when netd is killed, when somebody else tears it down, and when it is told to clean up.
#
#   n1 n2 n3  10.0.0.N, fd00:c::N    on a bridge
#   node      10.0.0.254 there       router, and the API server's place; n4 (10.0.4.4) and ext (203.0.113.9) are behind it
. "$(dirname "$0")/../lib.sh"

# --- machines
# cable A DEV B DEV
cable() { ip -n "xb-$T-$1" link add "$2" type veth peer name "$4" netns "xb-$T-$3" && ip -n "xb-$T-$1" link set "$2" up && ip -n "xb-$T-$3" link set "$4" up; }
# addr NS DEV ADDRESS...
addr() { local ns=$1 dev=$2 a; shift 2; for a in "$@"; do case $a in *:*) set -- nodad;; *) set --;; esac; ip -n "xb-$T-$ns" addr add "$a" dev "$dev" "$@"; done; }
node_up
# machine NAME: a namespace whose links can be used at once
machine() { [ "$1" = node ] || ns_add "$1"; in_ns "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0; }
ns_add switch
ip -n "xb-$T-switch" link add br0 type bridge && ip -n "xb-$T-switch" link set br0 up
for m in node n1 n2 n3; do
	machine $m
	cable switch "to-$m" $m lan
	ip -n "xb-$T-switch" link set "to-$m" master br0
	[ $m = node ] || { addr $m lan "10.0.0.${m#n}/24" "fd00:c::${m#n}/64"; ip -n "xb-$T-$m" route add default via 10.0.0.254; ip -n "xb-$T-$m" -6 route add default via fd00:c::fe; }
done
addr node lan 10.0.0.254/24 fd00:c::fe/64
machine n4; cable node far n4 lan
addr node far 10.0.4.254/24 fd00:c4::fe/64; addr n4 lan 10.0.4.4/24 fd00:c4::4/64
ip -n "xb-$T-n4" route add default via 10.0.4.254; ip -n "xb-$T-n4" -6 route add default via fd00:c4::fe
machine ext; cable node out ext lan
addr node out 203.0.113.254/24 2001:db8:e::fe/64; addr ext lan 203.0.113.9/24 2001:db8:e::9/64
ip -n "xb-$T-ext" route add 10.0.0.0/16 via 203.0.113.254; ip -n "xb-$T-ext" -6 route add fd00:c::/31 via 2001:db8:e::fe

# whoami: says by UDP from where it was asked; sink, source: a stream of 3 MB, and its checksum
cat >"$TMP/net.py" <<'PY'
import hashlib, socket, sys
def data(): return b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(100000))
what, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
if what == "whoami":
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind((host, port))
    while True:
        _, a = s.recvfrom(100); s.sendto((a[0] + "\n").encode(), a)
elif what == "ask":
    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(.3); s.sendto(b"?", (host, port)); print(s.recv(100).decode().strip())
elif what == "sink":
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((host, port)); s.listen(1)
    while True:
        c, _ = s.accept(); h = hashlib.sha256()
        while b := c.recv(65536): h.update(b)
        c.sendall(h.hexdigest().encode()); c.close()
else:
    s = socket.create_connection((host, port), 5); s.settimeout(5); d = data(); s.sendall(d); s.shutdown(socket.SHUT_WR)
    assert s.recv(100).decode() == hashlib.sha256(d).hexdigest()
PY
py() { local ns=$1; shift; in_ns "$ns" python3 "$TMP/net.py" "$@"; }
serve() { XB_EXEC=exec py "$@" 2>/dev/null & }

# --- the cluster
apiserver_start
# node_object N IP IP6 [CONDITIONS]
node_object() {
	jq -n --arg n "n$1" --arg i "$1" --arg ip "$2" --arg ip6 "$3" --argjson c "${4:-[]}" '{apiVersion: "v1", kind: "Node", metadata: {name: $n},
		spec: {podCIDR: "10.244.\($i).0/24", podCIDRs: ["10.244.\($i).0/24", "fd00:10:244:\($i)::/64"]},
		status: {addresses: [{type: "InternalIP", address: $ip}, {type: "InternalIP", address: $ip6}], conditions: $c}}' | k create -f - >/dev/null
}
# netd_start N FLAGS...: sets NETD_PID
netd_start() {
	local n=$1; shift
	XB_EXEC=exec in_ns "n$n" "$BIN/xebec-netd" --kubeconfig="$TMP/admin.conf" --hostname-override="n$n" --cni-conf-dir="$TMP/n$n/net.d" \
		--cni-bin-dir="$TMP/n$n/bin" --cni-data-dir="$TMP/n$n/networks" --cluster-cidr=10.244.0.0/16 "$@" >>"$TMP/netd$n.log" 2>&1 &
	NETD_PID=$!
	busywait 30 test -s "$TMP/n$n/net.d/10-xebec.conflist" || { note "$(tail -20 "$TMP/netd$n.log")"; bail "netd of n$n does not write its conflist"; }
}
# pod NAME N: as the runtime makes one, by what netd wrote; sets POD_IP and POD_IP6
pod() {
	local made
	ns_add "$1"
	made=$(jq -c '.plugins[0] + {cniVersion, name}' "$TMP/n$2/net.d/10-xebec.conflist" | in_ns "n$2" env CNI_COMMAND=ADD CNI_CONTAINERID="$1" \
		CNI_NETNS="/run/netns/xb-$T-$1" CNI_IFNAME=eth0 "$TMP/n$2/bin/xebec-cni") || bail "CNI: $made"
	POD_IP=$(jq -r '.ips[0].address | split("/")[0]' <<<"$made") POD_IP6=$(jq -r '.ips[1].address | split("/")[0]' <<<"$made")
}
pings() { in_ns "$1" busybox ping -W 1 -c "${COUNT:-1}" "${@:2}"; }
mtu() { in_ns "$1" ip -j link show eth0 | jq '.[].mtu'; }
ours() { in_ns "$1" ip route show proto 88; in_ns "$1" ip -6 route show proto 88; }
has_route() { ours "$1" | grep -q "^$2"; }
no_route() { ! has_route "$1" "$2"; }
metric() { in_ns n1 curl -fsS http://127.0.0.1:10269/metrics | awk -v m="$1" '$1 == m { print $2 }'; }

node_object 1 10.0.0.1 fd00:c::1 '[{"type":"NetworkUnavailable","status":"True","reason":"NoRouteCreated"}]'
node_object 2 10.0.0.2 fd00:c::2
node_object 3 10.0.0.3 fd00:c::3
netd_start 1; netd1=$NETD_PID
netd_start 2; netd_start 3
available() { [ "$(k get node n1 -o 'jsonpath={.status.conditions[?(@.type=="NetworkUnavailable")].status}')" = False ]; }
ok 'NetworkUnavailable is False when routes are there' busywait 5 available
is "$(jq -c '[.name, .plugins[0].mtu, .plugins[0].ipam.ranges]' "$TMP/n1/net.d/10-xebec.conflist")" \
	'["xebec",1500,[[{"subnet":"10.244.1.0/24"}],[{"subnet":"fd00:10:244:1::/64"}]]]' 'the conflist'
is "$(readlink "$TMP/n1/bin/loopback")" xebec-cni 'the plugin is there by both names'
is "$(ours n1 | sed 's/ metric.*//; s/ *$//' | sort | tr '\n' ';')" \
	"10.244.2.0/24 via 10.0.0.2 dev lan;10.244.3.0/24 via 10.0.0.3 dev lan;fd00:10:244:2::/64 via fd00:c::2 dev lan;fd00:10:244:3::/64 via fd00:c::3 dev lan;unreachable 10.244.1.0/24;unreachable fd00:10:244:1::/64 dev lo;" \
	'direct routes, both families'

# --- on a shared link
pod a 1; a4=$POD_IP a6=$POD_IP6
pod b 2; b4=$POD_IP b6=$POD_IP6
for to in "$b4" "$b6"; do
	ok "pod to pod, $to" pings a "$to"
	ok "a full packet, $to" pings a -s $([[ $to = *:* ]] && echo 1452 || echo 1472) "$to"
	ok "fragments, $to" pings a -s 4000 "$to"
done
ok 'node to pod of another' pings n1 "$b4"
ok 'pod to another node' pings a 10.0.0.2
refused() { in_ns a bash -c 'exec 3<>/dev/tcp/10.244.1.200/80' 2>&1 | grep -q 'No route to host'; }
ok 'a pod that is not there: refused' refused

# --- masquerade
serve ext whoami 203.0.113.9 999; serve ext whoami 2001:db8:e::9 999
serve b whoami "$b4" 999; serve b whoami "$b6" 999; serve n2 whoami 10.0.0.2 999
asked() { [ "$(py "$1" ask "$2" 999)" = "$3" ]; }
ok 'outside sees the node, IPv4' busywait 5 asked a 203.0.113.9 10.0.0.1
ok 'outside sees the node, IPv6' busywait 5 asked a 2001:db8:e::9 fd00:c::1
ok 'a pod sees the pod, IPv4' busywait 5 asked a "$b4" "$a4"
ok 'a pod sees the pod, IPv6' busywait 5 asked a "$b6" "$a6"
ok 'a node sees the pod' busywait 5 asked a 10.0.0.2 "$a4"

# --- behind a router
node_object 4 10.0.4.4 fd00:c4::4
netd_start 4
pod d 4; d4=$POD_IP d6=$POD_IP6
ok 'VXLAN: a route' busywait 5 has_route n1 '10.244.4.0/24 via 10.244.4.0 dev xebec-vxlan'
is "$(in_ns n1 bridge fdb show dev xebec-vxlan)" '0a:58:0a:00:04:04 dst 10.0.4.4 self permanent' 'VXLAN: one forwarding entry, nothing flooded'
ok 'those on the link stay direct' has_route n1 '10.244.2.0/24 via 10.0.0.2'
is "$(mtu d)" 1450 'MTU of pods: less by what a VXLAN adds'
lower() { [ "$(jq '.plugins[0].mtu' "$TMP/n1/net.d/10-xebec.conflist")" = 1450 ]; }
ok 'MTU of pods to come, on the others' busywait 5 lower
for to in "$d4" "$d6"; do
	ok "VXLAN: pod to pod, $to" busywait 5 pings a "$to"
	COUNT=3 ok "VXLAN: a pod of greater MTU learns the path's, $to" pings a -i 0.1 -s 1440 "$to"
	ok "VXLAN: fragments, $to" pings a -s 4000 "$to"
done
ok 'VXLAN: node to pod' pings n1 "$d4"
serve d sink "$d4" 7000; serve d sink "$d6" 7000; serve d whoami "$d4" 999
ok 'VXLAN: a stream, IPv4' busywait 5 py a source "$d4" 7000
ok 'VXLAN: a stream, IPv6' busywait 5 py a source "$d6" 7000
ok 'VXLAN: a pod sees the pod' busywait 5 asked a "$d4" "$a4"

# --- killed under traffic
device=$(in_ns n1 ip -j link show xebec-vxlan | jq '.[].ifindex')
XB_EXEC=exec in_ns d "$BIN/xebec-bench" serve --echo "$d4:5201" 2>/dev/null & busywait 5 in_ns d bash -c "exec 3<>/dev/tcp/$d4/5201"
XB_EXEC=exec in_ns n1 ip -o monitor route link neigh >"$TMP/monitor" 2>&1 & monitor=$!
in_ns a busybox ping -i 0.02 -c 60 "$d4" >"$TMP/pings" 2>&1 & pinging=$!
# the stream spans the death, the absence and the next netd
stream() { in_ns a bash -c 'exec 3<>/dev/tcp/'"$d4"'/5201; for i in $(seq 40); do echo $i >&3; read -t 2 -u 3 x && [ "$x" = $i ] || exit 1; sleep 0.03; done'; }
stream & streaming=$!
kill -9 "$netd1"; wait "$netd1" 2>/dev/null
netd_start 1; netd1=$NETD_PID
said() { grep -q "$2" "$TMP/netd$1.log"; }
again() { [ "$(grep -c 'other nodes:' "$TMP/netd1.log")" = 2 ]; }
ok 'killed: the next one is ready' busywait 5 again
ok 'killed: a stream goes on' wait $streaming
wait $pinging
like "$(cat "$TMP/pings")" ' 0% packet loss' 'killed: no packet is lost'
kill $monitor; wait $monitor 2>/dev/null
is "$(grep -v REACHABLE "$TMP/monitor" | grep -E 'proto 88|xebec-vxlan|10\.244')" '' 'killed: the next one touches nothing'
is "$(in_ns n1 ip -j link show xebec-vxlan | jq '.[].ifindex')" "$device" 'killed: the device is the same'

# --- what others take away
in_ns n1 ip route del 10.244.2.0/24
in_ns n1 ip -6 route del fd00:10:244:3::/64
ok 'a route that was deleted is back' busywait 5 has_route n1 '10.244.2.0/24 via 10.0.0.2'
ok 'and one of IPv6' busywait 5 has_route n1 'fd00:10:244:3::/64 via fd00:c::3'
in_ns n1 ip route replace 10.244.2.0/24 via 10.0.0.3
ok "somebody's route in place of ours is told" busywait 5 said 1 'node n2: its pods cannot be reached: there is a route to 10.244.2.0/24 that is none of ours'
ok 'and left alone' has_route n1 '10.244.3.0/24'
in_ns n1 ip route del 10.244.2.0/24
ok 'and ours is back when it goes' busywait 15 has_route n1 '10.244.2.0/24 via 10.0.0.2'
in_ns n1 bridge fdb del 0a:58:0a:00:04:04 dev xebec-vxlan
ok 'a forwarding entry is back' busywait 5 pings a "$d4"
in_ns n1 "$BIN/xebec-netd" --cleanup --cni-conf-dir="$TMP/n1/net.d"
ok 'all of it torn down: routes are back' busywait 5 has_route n1 '10.244.4.0/24'
ok 'all of it torn down: pods reach each other' busywait 5 pings a "$d4"
ok 'all of it torn down: so is masquerade' busywait 5 asked a 203.0.113.9 10.0.0.1
ok 'all of it torn down: so is the conflist' busywait 5 test -s "$TMP/n1/net.d/10-xebec.conflist"
in_ns n1 ip link set lan down; in_ns n1 ip link set lan up; addr n1 lan fd00:c::1/64
in_ns n1 ip route add default via 10.0.0.254; in_ns n1 ip -6 route add default via fd00:c::fe
ok 'a link that was down: routes are back' busywait 15 has_route n1 '10.244.2.0/24 via 10.0.0.2'
ok 'a link that was down: IPv6 as well' busywait 15 has_route n1 'fd00:10:244:2::/64 via fd00:c::2'
like "$(metric xebec_netd_repairs_total)" '^[1-9]' 'metrics: repairs are counted'

# --- nodes come and go
quiet() { local n=$(metric xebec_netd_reconciles_total); sleep 0.3; [ "$n" = "$(metric xebec_netd_reconciles_total)" ]; }
ok 'nothing happens when nothing happens' busywait 5 quiet
before=$(metric xebec_netd_reconciles_total)
k delete node n3 n4 >/dev/null
ok 'a node that is gone: its route is' busywait 5 no_route n1 10.244.3.0/24
ok 'and that by VXLAN' busywait 5 no_route n1 fd00:10:244:4::/64
is "$(in_ns n1 bridge fdb show dev xebec-vxlan)$(in_ns n1 ip neigh show dev xebec-vxlan nud permanent)" '' 'and its entries'
node_object 3 10.0.0.3 fd00:c::3
ok 'a node that is new: its route is there' busywait 5 has_route n1 '10.244.3.0/24 via 10.0.0.3'
is "$(metric xebec_netd_reconciles_total)" "$before" 'a change of a node touches that node alone'
ok 'pods of the others do not notice' pings a "$b4"
is "$(in_ns n1 curl -fsS http://127.0.0.1:10268/healthz)" ok '/healthz'
k delete node n1 >/dev/null
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}'
node_object 5 10.0.4.5 fd00:c4::5
ok "this node's own Node made anew, without a range: others are followed" busywait 5 has_route n1 10.244.5.0/24
ok 'and its own routes stay' has_route n1 '10.244.2.0/24 via 10.0.0.2'
k delete node n1 >/dev/null; node_object 1 10.0.0.1 fd00:c::1
ok 'and pods reach each other when it has its range again' busywait 5 pings a "$b4"
note "resident: $(awk '/VmRSS/ { print $2 }' /proc/$netd1/status) KB"

# --- the end
stop "$netd1"
ok 'after it has ended pods reach each other' pings a "$b4"
in_ns n1 "$BIN/xebec-netd" --cleanup --cni-conf-dir="$TMP/n1/net.d"
is "$(ours n1; in_ns n1 ip -br link show type vxlan; ls "$TMP/n1/net.d")" '' '--cleanup leaves nothing'
unmasked() { ! py a ask 203.0.113.9 999; }
ok '--cleanup: nothing is masqueraded' unmasked
ok '--cleanup again' in_ns n1 "$BIN/xebec-netd" --cleanup --cni-conf-dir="$TMP/n1/net.d"
fails() { local want=$1 out; shift; out=$(in_ns n1 "$BIN/xebec-netd" "$@" 2>&1) && return 1; [[ $out == *"$want"* ]]; }
ok 'a wrong network' fails '--cluster-cidr: "10.0.0.0/99"' --cluster-cidr=10.0.0.0/99
ok 'a wrong mode' fails mode --mode=bgp
done_testing
