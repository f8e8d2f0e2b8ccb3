#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Services of SCTP, by real associations, where the kernel has SCTP: a client outside, pods, the node; backends here and elsewhere.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

modprobe sctp || bail 'this kernel has no SCTP'
SCTP=$ROOT/selftests/tools/sctp.py
from() { local where=$1; shift; in_ns "$where" python3 "$SCTP" ask "$@"; }
serve_sctp() { # WHERE NAME HOST PORT
	XB_EXEC=exec in_ns "$1" python3 "$SCTP" serve "$2" "$3" "$4" >"$TMP/sctp-$2-$3-$4" 2>&1 &
	busywait 20 grep -q ready "$TMP/sctp-$2-$3-$4" || bail "no SCTP server $2: $(cat "$TMP/sctp-$2-$3-$4")"
}
says() { local want=$1; shift; said=$(from "$@"); echo "$said"; [[ $said =~ $want ]]; }
checksums() { in_ns "$1" python3 "$ROOT/selftests/tools/checksums.py" "$2" "$3"; }
# hold WHERE HOST PORT: an association in the background
hold() {
	rm -f "$TMP/held"
	XB_EXEC=exec in_ns "$1" python3 "$SCTP" hold "$2" "$3" "$TMP/held" >"$TMP/holder" 2>&1 &
	HOLDER=$!
}
held() { [ "$(cat "$TMP/held" 2>/dev/null || echo 0)" -gt "$1" ]; }
let_go() { kill "$HOLDER" 2>/dev/null; wait "$HOLDER"; cat "$TMP/holder"; [[ $(cat "$TMP/holder") =~ $1 ]]; }
# while heartbeats go to each address that is known of the other end
held_or_lost() { held "$1" || ! kill -0 "$HOLDER"; }
lasts() { local want=$1; shift; hold "$@" && busywait 20 held_or_lost 150; let_go "$want"; }

two_nodes_up
for ns in client node a b far; do in_ns $ns sysctl -qw net.sctp.rto_min=500 net.sctp.rto_initial=500 net.sctp.hb_interval=300; done
for at in "a a $a" "a a $a6" "far r $r" "far r $r6"; do read -r ns name ip <<<"$at"; serve_sctp "$ns" "$name" "$ip" 8080; done
serve_sctp far r '*' 8090
apiserver_start
node_object
proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48

# dual NAME PORT:TARGET ADDRESS4 ADDRESS6: a node port of SCTP in both families, whose number is in np[NAME], its cluster IPs in vip, vip6
declare -A np vip vip6
dual() {
	local name=$1 port=${2%:*} target=${2#*:} family
	k create -f - >/dev/null <<-END
	{"apiVersion":"v1","kind":"Service","metadata":{"name":"$name"},"spec":{"ipFamilyPolicy":"RequireDualStack","type":"NodePort",
	"ports":[{"name":"p","port":$port,"protocol":"SCTP"}]}}
	END
	for family in 4 6; do
		[ "$family" = 4 ] && shift 2
		endpoints "$name" "$target" "$family" "$1" | k create -f - >/dev/null
		shift
	done
	read -r np["$name"] vip["$name"] vip6["$name"] < <(k get service "$name" -o 'jsonpath={.spec.ports[0].nodePort} {.spec.clusterIPs[0]} {.spec.clusterIPs[1]}')
}
endpoints() { # NAME TARGET FAMILY ADDRESS
	local node=node
	[ "$4" = "$r" ] || [ "$4" = "$r6" ] && node=far
	jq -n --arg name "$1" --argjson port "$2" --arg family "$3" --arg ip "$4" --arg node "$node" '{apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice",
		addressType: "IPv\($family)", metadata: {name: "\($name)-\($family)", labels: {"kubernetes.io/service-name": $name}},
		ports: [{name: "p", port: $port, protocol: "SCTP"}],
		endpoints: [select($ip != "") | {addresses: [$ip], conditions: {ready: true}, nodeName: $node}]}'
}
dual near 80:8080 "$a" "$a6"
dual away 81:8080 "$r" "$r6"
dual same 8080:8080 "$a" "$a6"
dual homes 90:8090 "$r" "$r6"
dual none 82:8080 '' ''

all=94/94
for how in left made; do
	for at in 'client eth0' 'far eth0' 'a eth0' 'b eth0' 'node to-client' 'node to-far' 'node xbp1' 'node xbp2'; do checksums $at $how; done
	note "checksums are $how"
	ok 'a client outside, a node port, a backend here: it sees the client, and all messages come back' \
		says "^a 198.51.100.2 [0-9]+ $all 198.51.100.1$" client 198.51.100.1 "${np[near]}"
	ok 'a backend on the other node: it sees this node' says "^r 192.0.2.1 [0-9]+ $all 198.51.100.1$" client 198.51.100.1 "${np[away]}"
	ok 'IPv6' says "^a 2001:db8:1::2 [0-9]+ $all 2001:db8:1::1$" client 2001:db8:1::1 "${np[near]}"
	ok 'IPv6, on the other node' says "^r 2001:db8::1 [0-9]+ $all 2001:db8:1::1$" client 2001:db8:1::1 "${np[away]}"
	ok 'a pod, by the cluster IP' says "^a $b [0-9]+ $all ${vip[near]}$" b "${vip[near]}" 80
	ok 'to the other node, by IPv6' says "^r $b6 [0-9]+ $all ${vip6[away]}$" b "${vip6[away]}" 81
	ok 'the same port' says "^a $b [0-9]+ $all ${vip[same]}$" b "${vip[same]}" 8080
	ok 'hairpin: a pod reaches itself' says "^a 192.0.2.1 [0-9]+ $all ${vip[near]}$" a "${vip[near]}" 80
	ok 'no endpoints: refused at once' says ECONNREFUSED client 198.51.100.1 "${np[none]}"
	ok 'by IPv6 too' says ECONNREFUSED b "${vip6[none]}" 82
	ok 'another port of the cluster IP: refused' says ECONNREFUSED b "${vip[near]}" 99
done
in_ns node ip route add default via 172.30.0.2
ok 'the node itself' says "^a 172.30.0.1 [0-9]+ $all ${vip[near]}$" node "${vip[near]}" 80
in_cgroup() { [[ $(in_pod b python3 "$SCTP" ask "${vip[near]}" 80) =~ ^a\ $b\ [0-9]+\ $all\ ${vip[near]}$ ]]; }
ok 'a pod whose sockets are ours goes by packets, too' in_cgroup
ends() { grep -h after "$TMP"/sctp-*-8080 | sort | uniq -c | sed 's/^ *//'; }
ended() { [ "$(ends)" = "$1" ]; }
busywait 5 ended '18 shut down after 183170'
is "$(ends)" '18 shut down after 183170' 'each association was shut down, with all bytes'

ok 'a backend with several addresses' lasts "^r $b" b "${vip[homes]}" 90
ok 'a client with addresses of both families' lasts '^a 2001:db8:1::2' client 2001:db8:1::1 "${np[near]}"
in_ns client ip addr add 198.51.100.77/24 dev eth0
ok 'a client with two addresses' lasts '^a 198.51.100.2' client 198.51.100.1 "${np[near]}"
ok 'to the other node' lasts '^r 192.0.2.1' client 198.51.100.1 "${np[away]}"
ok 'the node itself, which has many' lasts '^a 172.30.0.1' node "${vip[near]}" 80

hold client 198.51.100.1 "${np[away]}"
busywait 5 held 10
kill -9 $PROXY_PID
wait $PROXY_PID 2>/dev/null
n=$(cat "$TMP/held")
ok 'an association goes on while the agent is dead' busywait 5 held $((n + 50))
proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48
n=$(cat "$TMP/held")
ok 'and when it is back' busywait 5 held $((n + 50))
ok 'to its end' let_go '^r 192.0.2.1'

ok 'a client with a port of its own' says '^a 198.51.100.2 36412 ' client 198.51.100.1 "${np[near]}" 198.51.100.2 36412
endpoints near 8080 4 "$r" | k replace -f - >/dev/null
moved() { says '^r 192.0.2.1 ' client 198.51.100.1 "${np[near]}" 198.51.100.2 36412; }
ok 'has another backend from it when its own is gone' busywait 5 moved

XB_EXEC=exec in_ns far python3 "$ROOT/selftests/tools/xdp_pass.py" eth0 >"$TMP/xdp_pass.log" 2>&1 &
PASS_PID=$!
busywait 30 grep -q ready "$TMP/xdp_pass.log" || bail "$(cat "$TMP/xdp_pass.log")"
sysctl -qw kernel.bpf_stats_enabled=1
runs() { bpftool prog show -j | jq --arg name "$1" '[.[] | select(.name == $name) | .run_cnt // 0] | add'; }
# packets that XDP takes no program of tc sees
by_xdp() {
	local xdp=$(runs xb_xdp) tc=$(runs xb_ingress)
	says "^r 192.0.2.1 [0-9]+ $all $1$" far "$1" "${np[away]}" "$2" && [ $(($(runs xb_xdp) - xdp - $(runs xb_ingress) + tc)) -gt 150 ]
}
# an agent takes its programs from devices that it is not told to have them on; then more than a page is too much for veth's own XDP
no_native() {
	stop $PROXY_PID
	proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48
	stop $PASS_PID
	in_ns far ip link set eth0 mtu 9000 && in_ns node ip link set to-far mtu 9000
}
for how in native generic; do
	[ $how = native ] || no_native
	stop $PROXY_PID
	proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48 --xdp-devices=to-far
	like "$(in_ns node ip link show to-far)" "$([ $how = native ] && echo ' xdp ' || echo ' xdpgeneric ')" "XDP, $how"
	ok 'a client and a backend at one device' by_xdp 172.30.0.1 172.30.0.2
done
done_testing
