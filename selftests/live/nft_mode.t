#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Services by nftables (--proxy-mode=nftables), as clients see them: on the node, in pods, and on a machine outside.
#
#   client  198.51.100.2, 2001:db8:c::2 -- veth -- 198.51.100.1, 2001:db8:c::1  node, with 192.0.2.1 and its pods
. "$(dirname "$0")/../lib.sh"

node_up
ns_add client
in_ns node ip link add out type veth peer name eth0 netns "xb-$T-client"
for a in 'node out 198.51.100.1/24 2001:db8:c::1/64' 'client eth0 198.51.100.2/24 2001:db8:c::2/64'; do
	read -r ns dev v4 v6 <<<"$a"
	in_ns "$ns" sysctl -qw "net.ipv6.conf.$dev.accept_dad=0"
	in_ns "$ns" ip link set "$dev" up
	in_ns "$ns" ip addr add "$v4" dev "$dev"
	in_ns "$ns" ip -6 addr add "$v6" dev "$dev" nodad
done
# as nodes have one: what is for a Service must have some way out before it is rewritten
in_ns node ip route add default via 198.51.100.2; in_ns node ip -6 route add default via 2001:db8:c::2
in_ns client ip route add default via 198.51.100.1; in_ns client ip -6 route add default via 2001:db8:c::1
web_up a; a=$POD_IP a6=$POD_IP6
web_up b; b=$POD_IP b6=$POD_IP6
web_up c; c=$POD_IP
apiserver_start
proxy_start --proxy-mode=nftables

from() { local where=$1; shift; case $where in client) in_ns client curl -sS --max-time 2 "$@";; node) on_node curl -sS --max-time 2 "$@";; *) in_pod "$where" curl -sS --max-time 2 "$@";; esac 2>&1; }
answers() { from "$1" -f "http://$2/" 2>/dev/null; }
silent() { ! answers "$@"; }
spread() { for _ in $(seq 30); do answers "$1" "$2"; done | sort | uniq -c | awk '{ printf "%s ", $2 }'; }
only() { [ "$(spread "$1" "$2")" = "$3 " ]; }
# tries WHERE HOST PORT: what bash says of a connection: "" when it was made
tries() { local cmd=(bash -c "exec 3<>/dev/tcp/$2/$3"); case $1 in client) in_ns client timeout 1 "${cmd[@]}";; node) on_node timeout 1 "${cmd[@]}";; *) in_pod "$1" timeout 1 "${cmd[@]}";; esac 2>&1; }
refuses() { [[ $(tries "$@") =~ 'Connection refused' ]]; }
# neither an answer nor a refusal
drops() { local said; said=$(tries "$@"); [ $? = 124 ] && ! [[ $said =~ refused ]]; }
metric() { get http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
status() { api PATCH "/api/v1/namespaces/default/services/$1/status" -H 'Content-Type: application/merge-patch+json' --data "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"$2\"}]}}}" >/dev/null; }

is "$(get http://127.0.0.1:10249/proxyMode)" nftables 'it says which mode it is in'
service web 80:80 "$a" "$b" "$c"
vip=$(cluster_ip web)
ok 'the cluster IP answers' busywait 5 answers node "$vip:80"
is "$(spread node "$vip")" 'a b c ' 'from the node, all three pods answer'
is "$(spread a "$vip")" 'a b c ' 'from a pod too, itself among them'
ok 'another port of the cluster IP is refused, at once, on the node' refuses node "$vip" 81
ok 'and in a pod' refuses a "$vip" 81

slice web 80 "$b" | k apply -f - >/dev/null 2>&1
ok 'endpoints taken away are not used again' busywait 5 only node "$vip" b
ok 'a pod reaches itself by its Service alone' only b "$vip" b
slice web 80 | k apply -f - >/dev/null 2>&1
ok 'without endpoints: refused' busywait 5 refuses node "$vip" 80
ok 'and in a pod' refuses a "$vip" 80
slice web 80 "$a" "$c" | k apply -f - >/dev/null 2>&1
ok 'new endpoints are used' busywait 5 only a "$vip" 'a c'

k patch service web -p '{"spec":{"type":"NodePort","externalIPs":["203.0.113.7"]}}' >/dev/null
np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}')
for where in node b client; do
	ok "node port, from $where" busywait 5 answers $where "192.0.2.1:$np"
	ok "external IP, from $where" answers $where 203.0.113.7
done
ok 'node port at the other address of the node' answers client "198.51.100.1:$np"
k patch service web -p '{"spec":{"type":"LoadBalancer","loadBalancerSourceRanges":["198.51.100.0/30"]}}' >/dev/null
status web 203.0.113.99
ok 'load balancer IP, from a client in its source ranges' busywait 5 answers client 203.0.113.99
k patch service web -p '{"spec":{"loadBalancerSourceRanges":["198.51.100.3/32"," 203.0.113.0/24"]}}' >/dev/null
ok 'not from one outside of them: silence' busywait 8 drops client 203.0.113.99 80
ok 'which does not concern the node port' answers client "192.0.2.1:$np"
k patch service web -p '{"spec":{"loadBalancerSourceRanges":null,"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":1}}}}' >/dev/null
sticks() { [ "$(spread "$1" "$2" | wc -w)" = 1 ]; }
ok 'session affinity: one pod only' busywait 8 sticks node "$vip"
ok 'for a client outside as well' sticks client 203.0.113.99
first=$(answers node "$vip")
moved() { sleep 1.1; [ "$(answers node "$vip")" != "$first" ]; }
ok 'and forgotten after its timeout' busywait 15 moved
k delete service web >/dev/null
ok 'after its deletion nothing answers' busywait 8 silent client "192.0.2.1:$np"

# whom a pod sees
cat >"$TMP/who.py" <<'EOF'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(s.client_address[0].encode())
    def log_message(s, *a): pass
http.server.HTTPServer(("0.0.0.0", int(sys.argv[1])), H).serve_forever()
EOF
for pod in a b; do XB_EXEC=exec in_pod $pod python3 "$TMP/who.py" 8000 & done
for ip in "$a" "$b"; do busywait 30 in_ns node curl -fsS --max-time 1 "http://$ip:8000/" || bail 'no server'; done
SPEC='"type":"NodePort",' service who 80:8000 "$a" "$b"
# on_nodes NODE NODE: where the two endpoints are
on_nodes() { slice who 8000 "$a" "$b" | jq -c --arg a "$1" --arg b "$2" '.endpoints[0].nodeName=$a | .endpoints[1].nodeName=$b' | k apply -f - >/dev/null 2>&1; }
wnp=$(k get service who -o 'jsonpath={.spec.ports[0].nodePort}')
wip=$(cluster_ip who)
on_nodes elsewhere elsewhere
sees() { [ "$(answers "$1" "$2")" = "$3" ]; }
ok 'with endpoints elsewhere a client outside is masqueraded' busywait 8 sees client "192.0.2.1:$wnp" 169.254.1.1
on_nodes node node
ok 'with all on this node it keeps its address' busywait 8 sees client "192.0.2.1:$wnp" 198.51.100.2
is "$(answers c "$wip")" "$c" 'a pod keeps it too'
k patch service who -p '{"spec":{"externalTrafficPolicy":"Local"}}' >/dev/null
on_nodes node elsewhere
kept() { for _ in 1 2 3 4 5; do sees client "192.0.2.1:$wnp" 198.51.100.2 || return 1; done; }
ok 'externalTrafficPolicy Local: the one here, with the address of the client' busywait 8 kept
on_nodes elsewhere elsewhere
ok 'none here: silence for who is outside' busywait 8 drops client 192.0.2.1 "$wnp"
ok 'and all of them for the node itself' answers node "192.0.2.1:$wnp"
k patch service who -p '{"spec":{"internalTrafficPolicy":"Local"}}' >/dev/null
ok 'internalTrafficPolicy Local, none here: silence' busywait 8 drops c "$wip" 80

# both families; the IPv6 servers are at 8080
k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Service","metadata":{"name":"dual"},"spec":{"ipFamilyPolicy":"RequireDualStack","type":"NodePort","ports":[{"name":"p","port":80}]}}
EOF
slice dual 80 "$a" | k create -f - >/dev/null
ADDRESS_TYPE=IPv6 slice dual 8080 "$b6" | sed 's/dual-1/dual-2/' | k create -f - >/dev/null
read -r v4 v6 < <(k get service dual -o 'jsonpath={.spec.clusterIPs[0]} {.spec.clusterIPs[1]}')
dnp=$(k get service dual -o 'jsonpath={.spec.ports[0].nodePort}')
ok 'dual-stack: IPv6 cluster IP' busywait 8 answers node "[$v6]:80"
is "$(answers c "[$v6]") $(answers c "$v4")" 'b a' 'dual-stack: each family its own, from a pod'
is "$(answers client "[2001:db8::1]:$dnp") $(answers client "192.0.2.1:$dnp")" 'b a' 'dual-stack: node port of each, from outside'
ok 'dual-stack: another port of the IPv6 cluster IP is refused' refuses node "$v6" 81

# more backends than rules choose among: each pod at four addresses
all=
for i in 1 2 3 4; do
	for pod in 1:a 2:b 3:c; do
		in_ns "${pod#*:}" ip addr add "10.244.2.${pod%:*}$i/32" dev eth0
		in_ns node ip route add "10.244.2.${pod%:*}$i/32" dev "xbp${pod%:*}" src 192.0.2.1
		all="$all 10.244.2.${pod%:*}$i"
	done
done
# shellcheck disable=SC2086
service many 80:80 $all
mip=$(cluster_ip many)
ok 'twelve endpoints' busywait 8 answers node "$mip"
is "$(spread node "$mip")" 'a b c ' 'all are used'
# shellcheck disable=SC2046
slice many 80 $(tr ' ' '\n' <<<"$all" | grep -v '4$' | tac) | k apply -f - >/dev/null 2>&1
ok 'nine of them, in another order' busywait 8 answers c "$mip"
is "$(spread node "$mip")" 'a b c ' 'and all of those'
# shellcheck disable=SC2046
slice many 80 $(tr ' ' '\n' <<<"$all" | grep -v '\.1[1-4]$') | k apply -f - >/dev/null 2>&1
ok 'eight, none of the first pod' busywait 8 only node "$mip" 'b c'
done_testing
