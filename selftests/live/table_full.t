#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Tables that cannot grow, and a Service that does not fit: what its owner and the operator see.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/table_full" "$BPFFS" "$CG/node" >"$TMP/full.tap"
status=$?
grep -v '^1\.\.' "$TMP/full.tap"
tests_run=$(grep -cE '^(not )?ok ' "$TMP/full.tap")
tests_failed=$(grep -c '^not ok ' "$TMP/full.tap")
is $status 0 'the program ends well'

node_up
web_up a
apiserver_start
proxy_start
metric() { in_ns node curl -fsS http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }

# more endpoints than a set of backends takes: 66 slices of 1000
service big 80:80 "$POD_IP"
vip=$(cluster_ip big)
ok 'a Service serves' busywait 5 get "http://$vip/"
jq -nc '{apiVersion:"v1", kind:"List", items:[range(66) as $s | {apiVersion:"discovery.k8s.io/v1", kind:"EndpointSlice",
	metadata:{name:"big-more-\($s)", labels:{"kubernetes.io/service-name":"big"}}, addressType:"IPv4", ports:[{name:"p", port:80, protocol:"TCP"}],
	endpoints:[range(1000) as $e | {addresses:["10.\(100+$s).\($e/250|floor).\($e%250+1)"], conditions:{ready:true}}]}]}' >"$TMP/big.json"
k create -f "$TMP/big.json" >/dev/null
ok 'with more endpoints than fit: one Service is left out' busywait 10 metric_is xebec_proxy_unprogrammed_services 1
warned() { k get events -o json | jq -e '.items[] | select(.reason == "ServiceTableFull" and .type == "Warning" and .involvedObject.name == "big") | select(.message | test("65535 backends"))'; }
ok 'a Warning on the Service says why' busywait 5 warned
like "$(cat "$TMP/proxy.log")" 'service default/big is not served in full: default/big:p has more than 65535 backends' 'so does the log'
k delete endpointslices -l kubernetes.io/service-name=big --field-selector metadata.name!=big-1 >/dev/null
ok 'it fits again: nothing is left out' busywait 10 metric_is xebec_proxy_unprogrammed_services 0
ok 'and it serves' busywait 5 get "http://$vip/"

# more flows are open than the tables of flows may grow for
stop "$PROXY_PID"
on_node "$TOOLS/tools/flow_growth" "$BPFFS" "$CG/node" fill 10000 2>"$TMP/fill.log" || bail "$(cat "$TMP/fill.log")"
: >"$TMP/proxy.log"
proxy_start --conntrack-max-per-core=100 --conntrack-min=8192
ok 'more flows than --conntrack-max-per-core and --conntrack-min allow: a metric says so' busywait 5 metric_is xebec_proxy_full_flow_tables 1
like "$(cat "$TMP/proxy.log")" 'xb_flow4 should grow beyond 8192 sets, as some [0-9]+ flows are open, and cannot: --conntrack-max-per-core' 'so does the log'
stop "$PROXY_PID"
: >"$TMP/proxy.log"
proxy_start
grown() { [ "$(metric 'xebec_proxy_table_room{table="flows4"}')" -ge 16384 ]; }
ok 'without these limits they grow' busywait 5 grown
ok 'and nothing is full' busywait 5 metric_is xebec_proxy_full_flow_tables 0
done_testing
