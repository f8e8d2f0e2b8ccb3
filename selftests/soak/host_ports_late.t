#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kube-proxy with --host-ports that never learns of the node's pods: after a minute what an earlier run left goes.
. "$(dirname "$0")/../lib.sh"

node_up
web_up a; a=$POD_IP
echo 'admintoken,admin,1,"system:masters"
proxytoken,system:kube-proxy,2' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=RBAC
k create -f - >/dev/null <<'JSON'
{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"port"},"spec":{"nodeName":"node","containers":[{"name":"c","image":"x","ports":[{"containerPort":80,"hostPort":8081}]}]}}
JSON
k patch pod port --subresource=status -p '{"status":{"phase":"Running","podIP":"'"$a"'","podIPs":[{"ip":"'"$a"'"}]}}' >/dev/null
service goes 80:80 "$a"
service stays 80:80 "$a"
goes=$(cluster_ip goes) stays=$(cluster_ip stays)
answers() { on_node curl -fsS --max-time 2 "http://$1/"; }
down() { ! answers "$1"; }
proxy_start --host-ports
ok 'a host port' busywait 5 answers 192.0.2.1:8081
ok 'a Service' busywait 5 answers "$goes"
stop "$PROXY_PID"

k delete service goes >/dev/null
sed 's/client-certificate-data: .*/token: proxytoken/; /client-key-data/d' "$TMP/admin.conf" >"$TMP/proxy.conf"
proxy_start --host-ports --kubeconfig="$TMP/proxy.conf"
ok 'another Service stays' busywait 5 answers "$stays"
ok 'so does the host port' answers 192.0.2.1:8081
ok 'for a minute' busywait 80 down 192.0.2.1:8081
ok 'the Service that went meanwhile goes with it' down "$goes"
ok 'the other stays' answers "$stays"
ok 'the log says so' grep -q 'the pods of this node are still not known: their hostPorts are not served' "$TMP/proxy.log"
k create clusterrole xebec:host-ports --verb=get,list,watch --resource=pods >/dev/null
k create clusterrolebinding xebec:host-ports --clusterrole=xebec:host-ports --user=system:kube-proxy >/dev/null
ok 'with the right the host port is back' busywait 60 answers 192.0.2.1:8081
done_testing
