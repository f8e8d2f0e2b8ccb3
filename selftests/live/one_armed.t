#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One network, in which clients, nodes and backends are: XDP sends back by the device it came in by, and with direct server
# return the backend's node answers by itself.
#
#   lan: a bridge
#    |-- node 172.30.0.1   kube-proxy with --xdp-devices=eth0
#    |-- client 172.30.0.2
#    |-- far 172.30.0.3    another node, with its own kube-proxy; its pod r is 10.244.2.2
. "$(dirname "$0")/../lib.sh"

join() { # NAME NUMBER
	[ "$1" = node ] || ns_add "$1"
	in_ns lan ip link add "$1" type veth peer name eth0 netns "xb-$T-$1"
	in_ns lan ip link set "$1" master br0 up
	in_ns "$1" sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	in_ns "$1" ip addr add "172.30.0.$2/24" dev eth0
	in_ns "$1" ip -6 addr add "2001:db8:2::$2/64" dev eth0 nodad
	in_ns "$1" ip link set eth0 up
}
ns_add lan
in_ns lan ip link add br0 type bridge
in_ns lan ip link set br0 up
node_up
join node 1; join client 2; join far 3
for ns in client far; do in_ns $ns python3 "$ROOT/selftests/tools/checksums.py" eth0 made; done
XB_EXEC=exec in_ns lan python3 "$ROOT/selftests/tools/xdp_pass.py" node >"$TMP/xdp_pass.log" 2>&1 &
busywait 30 grep -q ready "$TMP/xdp_pass.log" || bail "$(cat "$TMP/xdp_pass.log")"
for ns in client far; do in_ns $ns ip route add default via 172.30.0.1; in_ns $ns ip -6 route add default via 2001:db8:2::1; done
in_ns far sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
in_ns far ip addr add 10.244.2.2/32 dev lo
in_ns far ip -6 addr add fd00:10:244:2::2/128 dev lo nodad
in_ns node ip route add 10.244.2.0/24 via 172.30.0.3
in_ns node ip -6 route add fd00:10:244:2::/64 via 2001:db8:2::3
# what answers without a connection does so from the pod's address
in_ns far ip route replace 172.30.0.0/24 dev eth0 src 10.244.2.2
in_ns far ip -6 route replace 2001:db8:2::/64 dev eth0 src fd00:10:244:2::2
r=10.244.2.2 r6=fd00:10:244:2::2
XB_EXEC=exec in_ns far python3 "$ROOT/selftests/tools/who.py" r 8080 >"$TMP/who.log" 2>&1 &
busywait 30 in_ns node curl -fsS --max-time 1 "http://$r:8080/" || bail 'no server'
apiserver_start
proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48 --xdp-devices=eth0

from() { local where=$1; shift; in_ns "$where" curl -sS --max-time 3 "$@" 2>&1; }
udp() { local where=$1; shift; in_ns "$where" python3 "$ROOT/selftests/tools/ask_udp.py" "$@"; }
says() { [[ $(from "$1" "http://$2/") =~ $3 ]]; }
path_of() { "$BIN/xebec" flows --bpffs-path "$BPFFS" -o json >/dev/null; bpftool map dump pinned "$BPFFS/xebec/v3/maps/xb_new" -j | jq -r '[.[] | .formatted.value | select(.seq != 0)] | max_by(.seq).path'; }
k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"ipFamilyPolicy":"RequireDualStack","type":"NodePort","ports":[
 {"name":"p","port":80},{"name":"u","port":80,"protocol":"UDP"}]}}
EOF
for family in IPv4:$r:1 IPv6:$r6:2; do
	type=${family%%:*} ip=${family#*:} ip=${ip%:*}
	k create -f - >/dev/null <<EOF
{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"web-${family##*:}","labels":{"kubernetes.io/service-name":"web"}},"addressType":"$type",
"ports":[{"name":"p","port":8080,"protocol":"TCP"},{"name":"u","port":8080,"protocol":"UDP"}],"endpoints":[{"addresses":["$ip"],"conditions":{"ready":true},"nodeName":"far"}]}
EOF
done
np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}') unp=$(k get service web -o 'jsonpath={.spec.ports[1].nodePort}')
ok 'node port' busywait 5 says client "172.30.0.1:$np" '^r 172.30.0.1 '
is "$(path_of)" XB_PATH_XDP 'by XDP'
ok 'a megabyte' [ "$(from client "http://172.30.0.1:$np/big" | wc -c)" -gt 1000000 ]
ok 'IPv6' says client "[2001:db8:2::1]:$np" '^r 2001:db8:2::1 '
is "$(path_of)" XB_PATH_XDP 'by XDP'
like "$(udp client 172.30.0.1 "$unp")" '^r 172.30.0.1 ' 'UDP'
like "$(udp client 172.30.0.1 "$unp" 4000)" '^r ' 'UDP in fragments, which tc takes'
refused() { [[ $(in_ns "$1" bash -c "exec 3<>/dev/tcp/$2/$3" 2>&1) =~ 'Connection refused' ]]; }
ok 'another port of the cluster IP is refused, by tc' refused client "$(cluster_ip web)" 81

mkdir -p "$TMP/bpf-far" "$CG/far" && mount -t bpf bpf "$TMP/bpf-far"
XB_EXEC=exec in_ns far "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=far --cgroup-path="$CG/far" \
	--bpffs-path="$TMP/bpf-far" --cluster-cidr=10.244.0.0/16,fd00:10:244::/48 >"$TMP/proxy-far.log" 2>&1 &
busywait 20 in_ns far curl -fsS --max-time 1 http://127.0.0.1:10256/healthz || bail "$(tail "$TMP/proxy-far.log")"
k annotate service web xebec.io/dsr=true >/dev/null
ok 'direct server return: the backend sees the client' busywait 5 says client "172.30.0.1:$np" '^r 172.30.0.2 '
ok 'a megabyte' [ "$(from client "http://172.30.0.1:$np/big" | wc -c)" -gt 1000000 ]
ok 'IPv6' busywait 5 says client "[2001:db8:2::1]:$np" '^r 2001:db8:2::2 '
like "$(udp client 172.30.0.1 "$unp")" '^r 172.30.0.2 ' 'UDP'
like "$(udp client 172.30.0.1 "$unp" 1400)" '^r 172.30.0.2 ' 'UDP, nearly too large'
sees() { "$BIN/xebec" flows --bpffs-path "$BPFFS" --service default/web; }
like "$(sees)" '172.30.0.2' 'and xebec shows it'
done_testing
