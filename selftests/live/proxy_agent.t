#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What an operator of kube-proxy sees: health, metrics, conflicts, policies, node addresses, an API server that goes away.
. "$(dirname "$0")/../lib.sh"

node_up
web_up a; a=$POD_IP
web_up b; b=$POD_IP
apiserver_start
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}'
proxy_start -v 4

http() { in_ns node curl -sS --max-time 3 "$@"; }
code() { http -o /dev/null -w '%{http_code}' "$1"; }
metric() { http http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
answers() { on_node curl -fsS --max-time 2 "http://$1/" 2>/dev/null; }
refused() { [[ $(on_node bash -c "exec 3<>/dev/tcp/$1/80" 2>&1) =~ 'Connection refused' ]]; }
timed_out() { [[ $(on_node bash -c "exec 3<>/dev/tcp/$1/80" 2>&1) =~ 'timed out' ]]; }

like "$(http http://127.0.0.1:10256/healthz)" '^\{"lastUpdated": ".*Z","currentTime": ".*Z", "nodeEligible": true\}$' '/healthz in upstream'"'"'s form'
is "$(code http://127.0.0.1:10256/livez) $(code http://127.0.0.1:10256/other)" '200 404' '/livez, and nothing else'
is "$(http http://127.0.0.1:10249/proxyMode)" ebpf '/proxyMode'
is "$(http -o /dev/null -w '%{http_code}' -X POST http://127.0.0.1:10249/metrics)" 405 'metrics are for reading'

service web 80:80 "$a" "$b"
vip=$(cluster_ip web)
ok 'the service answers' busywait 5 answers "$vip"
ok 'metrics: no service is left out' metric_is xebec_proxy_unprogrammed_services 0
changes=$(metric kubeproxy_sync_proxy_rules_endpoint_changes_total)
slice web 80 "$a" | k replace -f - >/dev/null
ok 'metrics: one change of a slice is one change' busywait 5 metric_is kubeproxy_sync_proxy_rules_endpoint_changes_total $((changes + 1))

# two services, one address
SPEC='"externalIPs":["203.0.113.5"],' service first 80:80 "$a"
ok 'external IP' busywait 5 answers 203.0.113.5
SPEC='"externalIPs":["203.0.113.5"],' service second 80:80 "$b"
ok 'conflict: counted' busywait 5 metric_is xebec_proxy_unprogrammed_services 1
event() { k get events -o 'jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.name}{"\n"}{end}' | grep -qx "$1"; }
ok 'conflict: a Warning on the later Service' busywait 5 event 'Warning ServiceAddressInUse second'
is "$(answers 203.0.113.5)" a 'conflict: the first keeps the address'
is "$(answers "$(cluster_ip second)")" b 'conflict: what is not in question works'
k delete service first >/dev/null
second_has() { [ "$(answers 203.0.113.5)" = b ]; }
ok 'conflict: the other gets it when the first goes' busywait 5 second_has
ok 'conflict: over' busywait 5 metric_is xebec_proxy_unprogrammed_services 0

# policies
at() { slice web 80 "$a" | jq -c --arg n "$1" --argjson c "$2" '.endpoints[0].nodeName=$n | .endpoints[0].conditions=$c' | k replace -f - >/dev/null; }
k patch service web -p '{"spec":{"internalTrafficPolicy":"Local"}}' >/dev/null
at node '{"ready":true}'
ok 'policy Local: an endpoint here' busywait 5 answers "$vip"
at elsewhere '{"ready":true}'
ok 'policy Local, endpoints elsewhere: timed out' busywait 5 timed_out "$vip"
at elsewhere '{"ready":false}'
ok 'policy Local, endpoints nowhere: refused' busywait 5 refused "$vip"
k patch service web -p '{"spec":{"internalTrafficPolicy":"Cluster"}}' >/dev/null
at elsewhere '{"ready":false,"serving":true,"terminating":true}'
ok 'nothing ready: the terminating one serves on' busywait 5 answers "$vip"

# addresses of the node come and go
k patch service web -p '{"spec":{"type":"NodePort"}}' >/dev/null
port=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}')
ok 'node port' busywait 5 answers "192.0.2.1:$port"
in_ns node ip addr add 198.51.100.9/32 dev lo
ok 'node port at an address that was added' busywait 5 answers "198.51.100.9:$port"
in_ns node ip addr del 198.51.100.9/32 dev lo
gone() { ! answers "198.51.100.9:$port"; }
ok 'and not when it was taken away' busywait 5 gone

# the node is being taken down: load balancers should look elsewhere, nothing else changes
k patch node node -p '{"spec":{"taints":[{"key":"ToBeDeletedByClusterAutoscaler","effect":"NoSchedule"}]}}' >/dev/null
health_is() { [ "$(code "http://127.0.0.1:10256/$1")" = "$2" ]; }
ok 'a node that leaves: /healthz 503' busywait 5 health_is healthz 503
ok 'a node that leaves: /livez 200' health_is livez 200
k patch node node --type=json -p '[{"op":"remove","path":"/spec/taints"}]' >/dev/null
ok 'a node that stays after all' busywait 5 health_is healthz 200

# the API server goes and comes back
lists=$(metric 'xebec_proxy_api_lists_total{resource="services"}')
kill -9 "$APISERVER_PID"; wait "$APISERVER_PID" 2>/dev/null
said() { grep -q "$1" "$TMP/proxy.log"; }
ok 'API server away: said' busywait 5 said 'services: .*trying on, the tables stay as they are'
ok 'API server away: services go on' answers "$vip"
ok 'API server away: healthy' health_is healthz 200
apiserver_start
service later 80:80 "$b"
later=$(cluster_ip later)
ok 'API server back: changes are followed' busywait 40 answers "$later"
is "$(metric 'xebec_proxy_api_lists_total{resource="services"}')" "$lists" 'API server back: resumed, not listed anew'

# restricted node ports, told by a configuration file
stop "$PROXY_PID"
cat >"$TMP/config" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $TMP/admin.conf}
conntrack: {maxPerCore: 0}
mode: iptables
nodePortAddresses: [192.0.2.0/24]
EOF
proxy_start --config="$TMP/config"
like "$(cat "$TMP/proxy.log")" 'there is no mode iptables here: ebpf stands in for it' 'another mode of upstream: said, and served'
ok 'nodePortAddresses: inside' busywait 5 answers "192.0.2.1:$port"
ok 'nodePortAddresses: localhost is always the node' answers "127.0.0.1:$port"
in_ns node ip addr add 198.51.100.9/32 dev lo
in_ns node ip addr add 192.0.2.9/32 dev lo
ok 'nodePortAddresses: inside, added later' busywait 5 answers "192.0.2.9:$port"
ok 'nodePortAddresses: outside' gone

# mistakes are said in one sentence, and end the program
fails() { local want=$1 out; shift; out=$(on_node "$BIN/kube-proxy" "$@" 2>&1) && return 1; [[ $out == *"$want"* ]] && [ "$(wc -l <<<"$out")" -le 2 ]; }
ok 'unknown flag' fails no-such-flag --no-such-flag
ok 'unknown mode' fails proxy-mode --proxy-mode=userspace
ok 'kubeconfig that is not there' fails /nonexistent --kubeconfig=/nonexistent
ok 'no API server named, and not in a pod' fails KUBERNETES_SERVICE_HOST
ok 'cgroup that is none' fails /nonexistent --kubeconfig="$TMP/admin.conf" --cgroup-path=/nonexistent --bpffs-path="$BPFFS"
ok '--version' on_node "$BIN/kube-proxy" --version
done_testing
