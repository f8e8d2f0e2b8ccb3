#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Services for whoever passed no socket of the node: a client outside, pods of other runtimes, backends on another node.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

two_nodes_up
apiserver_start
node_object
proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48

# from WHERE URL...: by a process that no hook knows
from() { local where=$1; shift; in_ns "$where" curl -sS --max-time 3 "$@" 2>&1; }
udp() { local where=$1; shift; in_ns "$where" python3 "$ROOT/selftests/tools/ask_udp.py" "$@"; }
says() { [[ $(from "$1" "http://$2/") =~ $3 ]]; }
spread() { for _ in $(seq "${3:-40}"); do from "$1" "http://$2/"; done | awk '{ print $1 }' | sort -u | tr '\n' ' '; }

# from now on slices say on which node an endpoint is
slice() { # NAME TARGET ADDRESS...
	local name=$1 target=$2; shift 2
	printf '%s\n' "$@" | jq -Rn --arg name "$name" --argjson port "$target" --arg proto "${PROTO:-TCP}" --arg r "$r" --arg r6 "$r6" \
		--arg type "${ADDRESS_TYPE:-IPv4}" --arg suffix "${SUFFIX:-1}" '{apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: $type,
		metadata: {name: "\($name)-\($suffix)", labels: {"kubernetes.io/service-name": $name}}, ports: [{name: "p", port: $port, protocol: $proto}],
		endpoints: [inputs | select(. != "") | {addresses: [.], conditions: {ready: true}, nodeName: (if . == $r or . == $r6 then "far" else "node" end)}]}'
}
node_port() { k get service "$1" -o 'jsonpath={.spec.ports[0].nodePort}'; }
# ingress SERVICE IP: of a load balancer
ingress() {
	api PATCH "/api/v1/namespaces/default/services/$1/status" -H 'Content-Type: application/merge-patch+json' \
		--data '{"status":{"loadBalancer":{"ingress":[{"ip":"'"$2"'"}]}}}' >/dev/null
}
patch() { k patch service "$1" -p "{\"spec\":{$2}}" >/dev/null; }
# at once, and not as one who waits
refused() { [[ $(in_ns "$1" bash -c "exec 3<>/dev/tcp/$2/$3" 2>&1) =~ 'Connection refused' ]]; }
silent() { local where=$1; shift; [[ $(in_ns "$where" curl -sS --max-time 0.7 "$@" 2>&1) =~ timed\ out|Timeout ]]; }
seen() { for _ in $(seq 40); do from "$1" "http://$2/"; done | awk -v of="$3" '(of ~ /^!/) ? $1 != substr(of, 2) : $1 == of { print $2 }' | sort -u; }

SPEC='"type":"NodePort","externalIPs":["203.0.113.7"],' service web 80:8080 "$a" "$b" "$r"
vip=$(cluster_ip web) np=$(node_port web)
ok 'node port: a client outside is answered' busywait 5 says client "198.51.100.1:$np" '^(a|b|r) '
is "$(spread client "198.51.100.1:$np")" 'a b r ' 'by all pods, on this node and the other'
is "$(spread client "192.0.2.1:$np")" 'a b r ' 'at each address of the node'
is "$(spread client 203.0.113.7)" 'a b r ' 'external IP'
is "$(spread client "$vip")" 'a b r ' 'cluster IP, from outside'
is "$(spread a "$vip")" 'a b r ' 'cluster IP, from a pod whose sockets are not ours and which is a backend too'
is "$(seen client "198.51.100.1:$np" '!r')" 198.51.100.2 'source address: backends on this node see the client'
is "$(seen client "198.51.100.1:$np" r)" 192.0.2.1 'backends elsewhere see this node, through which the answer must come'
is "$(seen a "$vip" '!a')" "$a" 'backends see the pod'
is "$(seen a "$vip" a)" 192.0.2.1 'hairpin: a pod that reaches itself sees the node'
is "$(from client "http://198.51.100.1:$np/big" | wc -c | awk '{ print ($1 > 1000000) }')" 1 'a megabyte comes through'
ok 'another port of the cluster IP is refused' refused client "$vip" 81
is "$(udp client "$vip" 81)" ECONNREFUSED 'by ICMP, where it is no TCP'
ok 'a ping to the cluster IP is answered' in_ns client busybox ping -c1 -W1 "$vip"
ok 'from a pod too' in_ns a busybox ping -c1 -W1 "$vip"
ok 'an address of the service network that no service has is refused' refused client 10.96.77.77 80

slice web 8080 | k apply -f - >/dev/null 2>&1
ok 'without endpoints: refused' busywait 5 refused client 198.51.100.1 "$np"
slice web 8080 "$r" | k apply -f - >/dev/null 2>&1
ok 'with one again: answered' busywait 5 says client "198.51.100.1:$np" '^r '
patch web '"externalTrafficPolicy":"Local"'
ok 'policy Local and backends elsewhere only: silence' busywait 5 silent client "http://198.51.100.1:$np/"
ok 'but not for pods' says a "192.0.2.1:$np" '^r '
slice web 8080 "$b" "$r" | k apply -f - >/dev/null 2>&1
ok 'policy Local: backends of this node' busywait 5 says client "198.51.100.1:$np" '^b 198.51.100.2 '
is "$(spread client "198.51.100.1:$np" 30)" 'b ' 'only'
patch web '"externalTrafficPolicy":"Cluster"'

patch web '"type":"LoadBalancer","loadBalancerSourceRanges":["198.51.100.9/32"]'
ingress web 203.0.113.99
ok 'source ranges: who is not in them is not answered' busywait 5 silent client http://203.0.113.99/
patch web '"loadBalancerSourceRanges":["10.0.0.0/8","198.51.100.0/24"]'
ok 'who is, is' busywait 5 says client 203.0.113.99 '^(b|r) '
clients_most() { "$BIN/xebec" map -o json --bpffs-path="$BPFFS" | jq '.tables[] | select(.table == "xb_aff") | .size'; }
few=$(clients_most)
patch web '"type":"NodePort","loadBalancerSourceRanges":null,"sessionAffinity":"ClientIP"'
slice web 8080 "$a" "$b" "$r" | k apply -f - >/dev/null 2>&1
sticks() { [ "$(spread client "198.51.100.1:$np" | wc -w)" = 1 ]; }
ok 'session affinity: by the client'"'"'s address' busywait 5 sticks
is "$few $(clients_most)" '64 65536' 'there is room for many clients once a Service has it'

PROTO=UDP SPEC='"type":"NodePort",' service dns 53:8080 "$a"
unp=$(node_port dns)
udp_says() { local said; said=$(udp "$1" "$2" "$3" "${@:5}"); echo "$said"; [[ $said =~ $4 ]]; }
ok 'UDP' busywait 5 udp_says client 198.51.100.1 "$unp" '^a 198.51.100.2 '
ok 'a datagram in fragments, and its answer' udp_says client 198.51.100.1 "$unp" '^a 198.51.100.2 ' 5000
ok 'fragments to a pod, by the cluster IP' udp_says b "$(cluster_ip dns)" 53 "^a $b " 5000
ok 'one flow of UDP' udp_says client 198.51.100.1 "$unp" '^a ' 1 5353
PROTO=UDP slice dns 8080 "$r" | k apply -f - >/dev/null 2>&1
ok 'goes to another backend when its own is gone' busywait 5 udp_says client 198.51.100.1 "$unp" '^r ' 1 5353
PROTO=UDP slice dns 9 "$a" | k apply -f - >/dev/null 2>&1
gone() { [ "$(udp client 198.51.100.1 "$unp")" = ECONNREFUSED ]; }
ok 'an ICMP error of the backend reaches the client' busywait 5 gone
PROTO=UDP slice dns 9 "$r" | k apply -f - >/dev/null 2>&1
ok 'of a backend elsewhere too' busywait 5 gone

SPEC='"type":"NodePort",' service host 80:8080 192.0.2.1
hnp=$(node_port host)
ok 'a backend in the network of the node' busywait 5 says client "198.51.100.1:$hnp" '^n 198.51.100.2 '
ok 'from a pod' says a "$(cluster_ip host)" "^n $a "
patch host '"type":"LoadBalancer","loadBalancerSourceRanges":["192.0.2.0/24"]'
ingress host 203.0.113.98
node_says() { [[ $(get http://203.0.113.98/) =~ ^n ]]; }
ok 'from the node itself, which is in the source ranges' busywait 5 node_says

in_ns node ip link set to-client mtu 1300
ok 'a narrow link to the client: the backend is told' [ "$(from client "http://198.51.100.1:$hnp/big" | wc -c)" -gt 1000000 ]
SPEC='"type":"NodePort",' service narrow 80:8080 "$a"
busywait 5 says client "198.51.100.1:$(node_port narrow)" '^a '
ok 'after a connection to a Service, one from the same port to the pod by its own address' in_ns client python3 - "$(cluster_ip narrow)" 80 "$a" 8080 <<'EOF'
import socket, struct, sys
for host, port in zip(sys.argv[1::2], sys.argv[2::2]):
    s = socket.socket()
    s.settimeout(3)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.bind(('', 40001))
    s.connect((host, int(port)))
    s.close()
EOF
ok 'in its pod too' [ "$(from client "http://198.51.100.1:$(node_port narrow)/big" | wc -c)" -gt 1000000 ]
in_ns node ip link set to-client mtu 1500

k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Service","metadata":{"name":"dual"},"spec":{"ipFamilyPolicy":"RequireDualStack","type":"NodePort","ports":[{"name":"p","port":80}]}}
EOF
slice dual 8080 "$a" "$r" | k create -f - >/dev/null
ADDRESS_TYPE=IPv6 SUFFIX=2 slice dual 8080 "$a6" "$b6" "$r6" | k create -f - >/dev/null
vip6=$(k get service dual -o 'jsonpath={.spec.clusterIPs[1]}') dnp=$(node_port dual)
ok 'IPv6: node port' busywait 5 says client "[2001:db8:1::1]:$dnp" '^(a|b|r) '
is "$(spread client "[2001:db8:1::1]:$dnp")" 'a b r ' 'all backends'
is "$(seen client "[2001:db8:1::1]:$dnp" '!r')" 2001:db8:1::2 'source address: the client'
is "$(seen client "[2001:db8:1::1]:$dnp" r)" 2001:db8::1 'elsewhere: this node'
is "$(spread a "[$vip6]")" 'a b r ' 'cluster IP from a pod'
ok 'another port is refused' refused client "$vip6" 81
is "$(udp client "$vip6" 81)" ECONNREFUSED 'by ICMP, where it is no TCP'
ok 'a ping is answered' in_ns client busybox ping -c1 -W1 "$vip6"

filters=$(in_ns node tc filter show dev to-client ingress)
if printf '6.6\n%s\n' "$(uname -r)" | sort -VC; then
	is "$filters" '' 'Linux 6.6 and later: by tcx, which needs no filter'
else
	like "$filters" xb_ingress 'Linux before 6.6: by a filter of clsact'
fi
done_testing
