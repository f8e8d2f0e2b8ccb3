#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# hostPorts of pods, with --host-ports.
. "$(dirname "$0")/../lib.sh"

node_up
web_up a; a=$POD_IP a6=$POD_IP6
web_up b; b=$POD_IP
echo 'admintoken,admin,1,"system:masters"
proxytoken,system:kube-proxy,2' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=RBAC
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}'
proxy_start --host-ports

# pod NAME PORTS IPS NODE
pod() {
	k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$1"},"spec":{"nodeName":"${4:-node}","containers":[{"name":"c","image":"x","ports":[$2]}]}}
EOF
	phase "$1" Running "$3"
}
phase() { k patch pod "$1" --subresource=status -p "{\"status\":{\"phase\":\"$2\",\"podIP\":\"${3%% *}\",\"podIPs\":[$(printf '{"ip":"%s"},' $3 | sed 's/,$//')]}}" >/dev/null; }
answers() { on_node curl -fsS --max-time 2 "http://$1/" 2>/dev/null; }
is_up() { [ "$(answers "$1")" = "$2" ]; }
down() { ! answers "$1"; }

pod one '{"containerPort":80,"hostPort":8081}' "$a"
ok 'a host port at an address of the node' busywait 5 is_up 192.0.2.1:8081 a
ok 'at localhost' is_up 127.0.0.1:8081 a
is "$(in_pod b curl -fsS --max-time 2 http://192.0.2.1:8081/)" a 'from a pod'
ok "not at another pod's localhost" eval '! in_pod b curl -fsS --max-time 2 http://127.0.0.1:8081/'
pod local '{"containerPort":80,"hostPort":8082,"hostIP":"127.0.0.1"}' "$b"
ok 'a host port at 127.0.0.1' busywait 5 is_up 127.0.0.1:8082 b
ok 'is at no other address' down 192.0.2.1:8082
ok "nor at a pod's localhost" eval '! in_pod a curl -fsS --max-time 2 http://127.0.0.1:8082/'
in_ns node ip addr add 192.0.2.9/32 dev lo
pod there '{"containerPort":80,"hostPort":8083,"hostIP":"192.0.2.9"}' "$b"
ok 'a host port at one address' busywait 5 is_up 192.0.2.9:8083 b
ok 'is not at another' down 192.0.2.1:8083
pod dual '{"containerPort":8080,"hostPort":8084}' "$a6 $a"
ok 'IPv6' busywait 5 is_up '[2001:db8::1]:8084' a
pod elsewhere '{"containerPort":80,"hostPort":8085}' "$b" another

# one address and port, two pods
pod late '{"containerPort":80,"hostPort":8081}' "$b"
event() { k get events -o 'jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.kind}/{.involvedObject.name}: {.message}{"\n"}{end}' | grep -q "$1"; }
ok 'conflict: a Warning on the later pod' busywait 5 event 'Warning HostPortInUse Pod/late: 0.0.0.0 port 8081 of default/late:8081/TCP belongs to default/one:8081/TCP already'
is "$(answers 192.0.2.1:8081)" a 'conflict: the first keeps it'
phase one Succeeded "$a"
ok 'conflict: the other gets it when the first ends' busywait 5 is_up 192.0.2.1:8081 b
SPEC='"type":"NodePort",' service web 80:80 "$a"
np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}')
pod same "{\"containerPort\":80,\"hostPort\":$np}" "$b"
ok "conflict with a Service's node port" busywait 5 event "Warning HostPortInUse Pod/same: .* belongs to default/web:p already"
ok 'another node'"'"'s pod has no port here' down 192.0.2.1:8085
long=$(printf 'long%.0s' $(seq 50))
pod "$long" '{"containerPort":80,"hostPort":8086}' "$a"
ok 'a name too long for the tables: a Warning' busywait 5 event "Warning HostPortNotServed Pod/$long: the name of a service port has .* bytes"

# restart: pods that went meanwhile
kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
ok 'without the agent they stay' is_up 192.0.2.1:8081 b
k delete pod late --grace-period=0 --force >/dev/null 2>&1
proxy_start --host-ports
ok "a pod's that went meanwhile goes" busywait 5 down 192.0.2.1:8081
ok 'the others are there' is_up 192.0.2.9:8083 b
stop "$PROXY_PID"

# as upstream's kube-proxy, which may not read pods
service beside 80:80 "$b"
pod after '{"containerPort":80,"hostPort":8087}' "$a"
sed 's/client-certificate-data: .*/token: proxytoken/; /client-key-data/d' "$TMP/admin.conf" >"$TMP/proxy.conf"
proxy_start --host-ports --kubeconfig="$TMP/proxy.conf"
healthz() { [[ $(in_ns node curl -fsS --max-time 2 http://127.0.0.1:10256/healthz) == *"\"hostPortsSynced\": $1"* ]]; }
ok 'without the right to read pods Services are served' busywait 5 is_up "$(cluster_ip beside)" b
ok '/healthz is well, and says that pods are not known' healthz false
synced() { in_ns node curl -fsS --max-time 2 http://127.0.0.1:10249/metrics | awk '$1 == "xebec_proxy_host_ports_synced" { print $2 }'; }
is "$(synced)" 0 'metrics: so do they'
lists() { in_ns node curl -fsS --max-time 2 http://127.0.0.1:10249/metrics | awk -v r="$1" '$1 == "xebec_proxy_api_lists_total{resource=\"" r "\"}" { print $2 }'; }
is "$(lists services) $(lists pods)" '1 0' 'metrics: Services were listed, pods were not'
ok "an earlier run's host ports stay" is_up 192.0.2.9:8083 b
ok 'the log names the right' grep -q '/api/v1/pods: pods is forbidden: User "system:kube-proxy" cannot list .*; trying on, hostPorts stay as they are' "$TMP/proxy.log"
k create clusterrole xebec:host-ports --verb=get,list,watch --resource=pods >/dev/null
k create clusterrolebinding xebec:host-ports --clusterrole=xebec:host-ports --user=system:kube-proxy >/dev/null
ok 'with it host ports are served as well' busywait 15 is_up 192.0.2.1:8087 a
ok '/healthz tells' healthz true
is "$(synced)" 1 'metrics: so do they'
stop "$PROXY_PID"
proxy_start
ok 'without --host-ports there are none' busywait 5 down 192.0.2.9:8083
done_testing
