#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What kube-proxy knows of its node, as the tables show it: zone, pod and service networks, what to masquerade as.
. "$(dirname "$0")/../lib.sh"

node_up
web_up a; a=$POD_IP
web_up b; b=$POD_IP
apiserver_start
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Node","metadata":{"name":"node","labels":{"topology.kubernetes.io/zone":"z1"}},
 "spec":{"podCIDR":"10.244.3.0/24","podCIDRs":["10.244.3.0/24","fd00:10:244:3::/64"]}}
EOF
k patch node node --subresource=status -p '{"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"},{"type":"InternalIP","address":"2001:db8::1"}]}}' >/dev/null
proxy_start

# fact FILTER: of the only record of xb_node. addr4 and addr6 are "192.0.2.1" and bytes; networks "address/bits", those in use
fact() {
	bpftool -j map dump pinned "$BPFFS/xebec/v3/maps/xb_node" | jq -rc '
		def num: if type == "string" then ltrimstr("0x") | explode | reduce .[] as $c (0; . * 16 + (if $c < 58 then $c - 48 else $c - 87 end)) else . end;
		def bits: [.[] | num | while(. > 0; . / 2 | floor) | . % 2] | add // 0;
		def addr: map(num | tostring) | join(".");
		def nets: [.[] | {a: (.addr.b | addr), m: (.mask.b | bits)} | select(.m > 0) | "\(.a)/\(.m)"] | join(" ");
		.[0].formatted.value | '"$1"
}
fact_is() { [ "$(fact "$1")" = "$2" ]; }
ok 'pods are where the Node says' busywait 5 fact_is '.pods4 | nets' 10.244.3.0/24
is "$(fact '.pods6 | nets')" '253.0.0.16.2.68.0.3.0.0.0.0.0.0.0.0/64' 'in IPv6, too'
is "$(fact '.services4 | nets')" 10.96.0.0/12 'cluster IPs are where the ServiceCIDR says'
is "$(fact '.addr4.b | addr') $(fact '.addr6.b | addr')" '192.0.2.1 32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1' "masquerading is as the Node's InternalIPs"
read -r low high </proc/sys/net/ipv4/ip_local_port_range
outside() { (( $1 + $2 - 1 < low || $1 > high )) && (( $1 + $2 - 1 < 30000 || $1 > 32767 )) && (( $1 > 1023 )); }
ok 'by ports that no socket of the node takes by itself' outside $(fact '"\(.nat_first) \(.nat_count)"')
is "$(fact .masquerade_all)" 0 'and what pods send is left alone'
like "$(cat "$TMP/proxy.log")" 'pods are in 10.244.3.0/24, fd00:10:244:3::/64, cluster IPs are in 10.96.0.0/12, .*; masquerading as 192.0.2.1, 2001:db8::1 by ports' 'the log says so'
k create -f - >/dev/null <<<'{"apiVersion":"networking.k8s.io/v1","kind":"ServiceCIDR","metadata":{"name":"more"},"spec":{"cidrs":["10.112.0.0/16"]}}'
ok 'another ServiceCIDR is followed' busywait 5 fact_is '.services4 | nets' '10.96.0.0/12 10.112.0.0/16'

agrees() { in_ns node "$BIN/xebec" check --hostname-override=node --bpffs-path="$BPFFS" | grep -qx 'No differences found.'; }
ok 'xebec check agrees' busywait 5 agrees

# zones
hinted() {
	slice web 80 "$a" "$b" | jq -c --arg x "$1" --arg y "$2" '.endpoints[0].hints.forZones=[{name:$x}] | .endpoints[1].hints.forZones=[{name:$y}]'
}
answers() { on_node curl -fsS --max-time 2 "http://$vip/" 2>/dev/null; }
only() { for _ in 1 2 3 4 5 6 7 8; do [ "$(answers)" = "$1" ] || return 1; done; }
both() { [ "$(for _ in $(seq 20); do answers; done | sort -u | tr -d '\n')" = ab ]; }
service web 80:80 "$a" "$b"; service other 80:80 "$a"
vip=$(cluster_ip web)
ok 'without hints both answer' busywait 5 both
hinted z1 z2 | k apply -f - >/dev/null 2>&1
ok 'with hints the one for this zone' busywait 5 only a
publishes() { in_ns node curl -sS http://127.0.0.1:10249/metrics | awk '$1 == "xebec_proxy_publishes_total" { print $2 }'; }
before=$(publishes)
k label node node --overwrite topology.kubernetes.io/zone=z2 >/dev/null
ok 'the node moves to another zone' busywait 5 only b
is $(($(publishes) - before)) 4 'which changes the sets of that Service alone'
k label node node topology.kubernetes.io/zone- >/dev/null
ok 'a node without a zone: both' busywait 5 both

# the Node's networks go on when it is deleted: its pods are still there
k delete node node >/dev/null
service marker 80:80 "$a"; vip=$(cluster_ip marker)
ok 'the Node is deleted' busywait 5 only a
is "$(fact '.pods4 | nets')" 10.244.3.0/24 'what was known of it stays'

# by flags
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"},"spec":{"podCIDR":"10.244.4.0/24"}}'
stop "$PROXY_PID"
proxy_start --cluster-cidr=10.244.0.0/16 --detect-local-mode=NodeCIDR --nodeport-addresses=192.0.2.1/32,2001:db8::/64 --masquerade-all
ok '--detect-local-mode=NodeCIDR' busywait 5 fact_is '.pods4 | nets' 10.244.4.0/24
ok 'xebec check agrees with what kube-proxy was told' busywait 5 agrees
k delete node node >/dev/null
stop "$PROXY_PID"
proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48 --masquerade-all
ok '--cluster-cidr' busywait 5 fact_is '.pods4 | nets' 10.244.0.0/16
is "$(fact .masquerade_all)" 1 '--masquerade-all'
is "$(fact '.addr4.b | addr')" 192.0.2.1 'without a Node, masquerading is as the first address of the machine'
refuses() { on_node "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --bpffs-path="$BPFFS" --cgroup-path="$CG/node" "$1" 2>&1; }
stop "$PROXY_PID"
like "$(refuses --cluster-cidr=10.244.0.0)" '--cluster-cidr: "10.244.0.0" is no list of networks' 'a network that is none is refused'
like "$(refuses --detect-local-mode=BridgeInterface)" '--detect-local-mode: BridgeInterface tells pods by their devices' 'what cannot be done is refused'
done_testing
