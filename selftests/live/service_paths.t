#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A Service as users of kubectl see it: made through the API server, carried by kube-proxy, reached from the node and from pods.
. "$(dirname "$0")/../lib.sh"

node_up
web_up a; a=$POD_IP a6=$POD_IP6
web_up b; b=$POD_IP b6=$POD_IP6
web_up c; c=$POD_IP c6=$POD_IP6
apiserver_start
proxy_start

from() { local where=$1; shift; if [ "$where" = node ]; then on_node curl -sS --max-time 3 "$@"; else in_pod "$where" curl -sS --max-time 3 "$@"; fi 2>&1; }
answers() { from "$1" -f "http://$2/" 2>/dev/null; }
silent() { ! answers "$@"; }
spread() { for _ in $(seq 60); do answers "$1" "$2"; done | sort | uniq -c | awk '{ printf "%s ", $2 }'; }

service web 80:80 "$a" "$b" "$c"
vip=$(cluster_ip web)
ok 'the cluster IP answers' busywait 5 answers node "$vip:80"
is "$(spread node "$vip")" 'a b c ' 'from the node, all three pods answer'
is "$(spread a "$vip")" 'a b c ' 'from a pod too, itself among them'
refuses() { [[ $(on_node bash -c "exec 3<>/dev/tcp/$1/$2" 2>&1) =~ 'Connection refused' ]]; }
ok 'another port of the cluster IP is refused, at once' refuses "$vip" 81

slice web 80 "$b" | k apply -f - >/dev/null 2>&1
only() { [ "$(spread "$1" "$2")" = "$3 " ]; }
ok 'endpoints taken away are not used again' busywait 5 only node "$vip" b
slice web 80 | k apply -f - >/dev/null 2>&1
ok 'without endpoints: refused' busywait 5 refuses "$vip" 80
slice web 80 "$a" "$c" | k apply -f - >/dev/null 2>&1
ok 'new endpoints are used' busywait 5 answers node "$vip"

k patch service web -p '{"spec":{"type":"NodePort"}}' >/dev/null
np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}')
for at in 127.0.0.1 192.0.2.1; do ok "node port at $at" busywait 5 answers node "$at:$np"; done
ok 'node port from a pod' answers b "192.0.2.1:$np"
k patch service web -p '{"spec":{"externalIPs":["203.0.113.7"]}}' >/dev/null
ok 'external IP' busywait 5 answers b 203.0.113.7
k patch service web -p '{"spec":{"type":"LoadBalancer"}}' >/dev/null
api PATCH /api/v1/namespaces/default/services/web/status -H 'Content-Type: application/merge-patch+json' \
	--data '{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.99"}]}}}' >/dev/null
ok 'load balancer IP' busywait 5 answers node 203.0.113.99
k patch service web -p '{"spec":{"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}}}}' >/dev/null
sticks() { [ "$(spread node "$vip" | wc -w)" = 1 ]; }
ok 'session affinity: one pod only' busywait 5 sticks
k delete service web >/dev/null
ok 'after its deletion nothing answers' busywait 5 silent node "$vip"

# several ports, a named target port that differs by pod, and UDP beside TCP on the same number
k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Service","metadata":{"name":"many"},"spec":{"ports":[
 {"name":"http","port":80,"targetPort":"web"},{"name":"echo","port":7,"targetPort":5201},{"name":"echo-u","port":7,"targetPort":5201,"protocol":"UDP"}]}}
EOF
k create -f - >/dev/null <<EOF
{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"many-1","labels":{"kubernetes.io/service-name":"many"}},"addressType":"IPv4",
 "ports":[{"name":"http","port":80},{"name":"echo","port":5201},{"name":"echo-u","port":5201,"protocol":"UDP"}],
 "endpoints":[{"addresses":["$a"],"conditions":{"ready":true}},{"addresses":["$b"],"conditions":{"ready":false}}]}
EOF
many=$(cluster_ip many)
ok 'a port with a named target' busywait 5 answers node "$many:80"
is "$(spread node "$many:80")" 'a ' 'an endpoint that is not ready gets nothing'
cat >"$TMP/udp.py" <<'EOF'
import socket, sys
host, port, connected = sys.argv[1], int(sys.argv[2]), sys.argv[3] == 'connected'
s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3)
if connected: s.connect((host, port)); s.send(b'x'); data, who = s.recv(99), s.getpeername()
else: s.sendto(b'x', (host, port)); data, who = s.recvfrom(99)
print(data.decode().strip(), who[0], who[1])
EOF
is "$(on_node python3 "$TMP/udp.py" "$many" 7 connected)" "a $many 7" 'UDP, connected: the peer is the service'
is "$(in_pod c python3 "$TMP/udp.py" "$many" 7 open)" "a $many 7" 'UDP, not connected: the answer comes from the service'

k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Service","metadata":{"name":"dual"},"spec":{"ipFamilyPolicy":"RequireDualStack","type":"NodePort","ports":[{"name":"p","port":80}]}}
EOF
slice dual 80 "$a" | k create -f - >/dev/null
ADDRESS_TYPE=IPv6 slice dual 8080 "$b6" | sed 's/dual-1/dual-2/' | k create -f - >/dev/null
read -r v4 v6 < <(k get service dual -o 'jsonpath={.spec.clusterIPs[0]} {.spec.clusterIPs[1]}')
dnp=$(k get service dual -o 'jsonpath={.spec.ports[0].nodePort}')
ok 'dual-stack: IPv6 cluster IP' busywait 5 answers node "[$v6]:80"
is "$(answers c "[$v6]")" b 'dual-stack: IPv6 from a pod'
is "$(answers c "$v4")" a 'dual-stack: IPv4'
is "$(answers c "[::ffff:$v4]")" a 'dual-stack: IPv4 through an IPv6 socket'
is "$(answers node "[::1]:$dnp")" b 'node port at ::1'

# the agent comes to an API server that has changed meanwhile
kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
ok 'without the agent connections go on' answers node "$v4"
k delete service dual >/dev/null
slice many 80 "$c" | jq '.ports=[{"name":"http","port":80,"protocol":"TCP"}]' | k apply -f - >/dev/null 2>&1
proxy_start
ok 'what was deleted meanwhile goes at the restart' busywait 5 silent node "$v4"
ok 'what was changed meanwhile is followed' busywait 5 only node "$many:80" c

stop "$PROXY_PID"
ok 'after a stop everything stays' answers node "$many:80"
ok 'kube-proxy --cleanup' on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" --cgroup-path="$CG/node"
is "$(find "$BPFFS" -mindepth 1 ! -name '*.debug')" '' 'and nothing is left pinned'
ok 'nor answers' silent node "$many:80"
done_testing
