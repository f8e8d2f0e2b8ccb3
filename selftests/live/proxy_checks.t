#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# healthCheckNodePort: what a load balancer is told of a Service with externalTrafficPolicy Local.
. "$(dirname "$0")/../lib.sh"

node_up
ns_add outside
apiserver_start
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}'
proxy_start

lb() {
	k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Service","metadata":{"name":"$1"},"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local",
 "healthCheckNodePort":$2,"ports":[{"name":"p","port":80}]}}
EOF
}
here() { slice "$1" 80 "${@:3}" | jq -c --arg n "$2" '.endpoints[].nodeName=$n' | k apply -f - >/dev/null 2>&1; }
check() { in_ns node curl -sS --max-time 2 "$@" 2>&1; }
code_is() { [ "$(check -o /dev/null -w '%{http_code}' "$1")" = "$2" ]; }
refused() { [[ $(check "$1") =~ 'Failed to connect' ]]; }

lb web 31000
ok 'without endpoints: 503' busywait 5 code_is http://192.0.2.1:31000/ 503
here web elsewhere 10.1.0.9
ok 'endpoints elsewhere: 503' busywait 5 code_is http://192.0.2.1:31000/ 503
here web node 10.1.0.1 10.1.0.2
ok 'endpoints here: 200' busywait 5 code_is http://192.0.2.1:31000/ 200
is "$(check http://192.0.2.1:31000/healthz | jq -c .)" '{"service":{"namespace":"default","name":"web"},"localEndpoints":2,"serviceProxyHealthy":true}' "upstream's body, at any path"
is "$(check -D - -o /dev/null http://127.0.0.1:31000/ | tr -d '\r' | grep -i '^\(x-\|content-type\)' | sort -f)" \
	$'Content-Type: application/json\nX-Content-Type-Options: nosniff\nX-Load-Balancing-Endpoint-Weight: 2' "upstream's headers"
ok 'at IPv6 addresses, too' code_is 'http://[2001:db8::1]:31000/' 200
slice web 80 10.1.0.1 | jq -c '.endpoints[0] += {nodeName: "node", conditions: {ready: false, serving: true, terminating: true}}' | k apply -f - >/dev/null 2>&1
ok 'only draining ones: 503, though they serve on' busywait 5 code_is http://192.0.2.1:31000/ 503

# a port that somebody has
XB_EXEC=exec in_ns node python3 -c 'import socket,time; s=socket.socket(); s.bind(("192.0.2.1",31001)); s.listen(); print("up",flush=True); time.sleep(60)' >"$TMP/taken" & taken=$!
busywait 5 grep -q up "$TMP/taken"
lb other 31001
event() { k get events -o 'jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.name}: {.message}{"\n"}{end}' | grep -q "$1"; }
ok 'port in use: a Warning' busywait 5 event 'Warning FailedToStartServiceHealthcheck other: healthCheckNodePort: cannot listen at port 31001 of .*: Address already in use'
kill $taken; wait $taken 2>/dev/null
k label service other touched=1 >/dev/null
ok 'and served once it is free' busywait 5 code_is http://192.0.2.1:31001/ 503
like "$(cat "$TMP/proxy.log")" 'service default/other is served in full now' 'which the log tells'

k patch service web -p '{"spec":{"externalTrafficPolicy":"Cluster"}}' >/dev/null
ok 'policy Cluster: not served any more' busywait 5 refused http://192.0.2.1:31000/
k delete service other >/dev/null
ok 'nor when the Service is gone' busywait 5 refused http://192.0.2.1:31001/

# at the addresses of node ports alone
stop "$PROXY_PID"
in_ns node ip addr add 192.0.2.2/32 dev lo
proxy_start --nodeport-addresses=192.0.2.2/32,198.51.100.0/24
lb third 31002
ok '--nodeport-addresses: at that address' busywait 5 code_is http://192.0.2.2:31002/ 503
ok 'and not at another' refused http://192.0.2.1:31002/
in_ns node ip addr add 198.51.100.9/32 dev lo
ok 'an address that comes is served' busywait 5 code_is http://198.51.100.9:31002/ 503
ok 'the other still is' code_is http://192.0.2.2:31002/ 503
in_ns node ip addr del 192.0.2.2/32 dev lo
ok 'one that goes is not' busywait 5 refused http://192.0.2.2:31002/
done_testing
