#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What xebec shows of a node's data plane, with and without an agent.
#
#   client 198.51.100.2 -- node 192.0.2.1, 198.51.100.1 -- pods a, b
. "$(dirname "$0")/../lib.sh"

node_up
ns_add client
in_ns node ip link add to-client type veth peer name eth0 netns "xb-$T-client"
in_ns node ip addr add 198.51.100.1/24 dev to-client
in_ns node ip link set to-client up
in_ns client ip addr add 198.51.100.2/24 dev eth0
in_ns client ip link set eth0 up
in_ns client ip route add default via 198.51.100.1
web_up a; a=$POD_IP a6=$POD_IP6
web_up b; b=$POD_IP b6=$POD_IP6
apiserver_start
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}'
proxy_start --cluster-cidr=10.244.0.0/16,fd00:10:244::/48

x() { in_ns node "$BIN/xebec" "$@" --bpffs-path="$BPFFS" 2>&1; }
xj() { x "$@" -o json; }
# shows QUERY EXPECTED ARGUMENTS...: what jq finds in a command's JSON
shows() { local q=$1 expected=$2; shift 2; [ "$(xj "$@" | jq -rc "$q")" = "$expected" ]; }
check() { x check --hostname-override=node "$@"; }
agrees() { check | grep -qx 'No differences found.'; }

# two endpoints, of which a is on this node
SPEC='"type":"NodePort","externalIPs":["203.0.113.7"],"sessionAffinity":"ClientIP",' service web 80:80 "$a" "$b"
slice web 80 "$a" "$b" | jq '.endpoints[0].nodeName="node"' | k replace -f - >/dev/null
service plain 80:80 "$a"
SPEC='"type":"NodePort","externalTrafficPolicy":"Local",' service local 80:80 "$b"
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Service","metadata":{"name":"six"},"spec":{"ipFamilies":["IPv6"],"ports":[{"name":"p","port":80}]}}'
ADDRESS_TYPE=IPv6 slice six 8080 "$b6" | k create -f - >/dev/null
web=$(cluster_ip web) plain=$(cluster_ip plain) six=$(cluster_ip six)
np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}') lnp=$(k get service local -o 'jsonpath={.spec.ports[0].nodePort}')

# --- services, backends
of_web='.services[0] | [.name, .protocol, .clusterIPs[0], .nodePorts[0], .externalIPs[0], .internalBackends, .localBackends, .affinitySeconds] | @csv'
ok 'services: addresses, backends, affinity' busywait 5 \
	shows "$of_web" "\"default/web:p\",\"TCP\",\"$web:80\",\"*:$np\",\"203.0.113.7:80\",2,1,10800" services default/web
like "$(x services default/six)" "NAME +PROTO .*default/six:p +TCP +\[$six\]:80 +<none>" 'services: a table of IPv6 addresses as people write them'
is "$(x services default/web default/nope)" 'xebec: service "default/nope" is not in the tables' 'services: one that is not there'
ok 'backends: where they are' shows '[.backends[] | .backend, .local]' "[\"$a:80\",true,\"$b:80\",false]" backends default/web
ok 'backends: the set for clients outside is empty, and silent' \
	shows '.backends[] | select(.set == ["outside"]) | .whenEmpty' drop backends default/local:p

# --- explain
like "$(x explain "$web:80")" "entry +$web:80/TCP is ClusterIP of default/web:p.*verdict: translated" 'explain: from the node'
like "$(x explain "$web:81" from "$a")" 'verdict: refused'$'\n''reason: refused-no-port' 'explain: another port'
like "$(x explain "198.51.100.1:$lnp" from 198.51.100.2)" 'policy is Local.*reason: dropped-no-local-backend' 'explain: policy Local'
like "$(x explain "198.51.100.1:$np" from 198.51.100.2 -o json | jq -r '.steps[].what')" 'outside the cluster.*NodePort of default/web:p' 'explain: from outside'
like "$(x explain "$plain:80" from "$b")" "in a network of pods.*masquerade +no: the client is a pod's" 'explain: a pod is not masqueraded'
like "$(x explain 8.8.8.8:53 --proto udp)" 'verdict: passed' 'explain: no service'
like "$(x explain 8.8.8.8)" 'is not IP:PORT' 'explain: what it takes'

# --- flows, drops: a client outside
x flows --watch -o json --service default/plain >"$TMP/flows" &
x drops --watch --address 198.51.100.2 >"$TMP/drops" &
in_ns client curl -sS --max-time 3 "http://$plain/" >/dev/null # the watch may not have begun
ask() { in_ns client curl -sS --max-time 1 "$@" >/dev/null 2>&1; }
seen() { ask "http://$plain/"; grep -q "$1" "$2"; }
ok 'flows --watch: a new flow is shown as it comes' busywait 5 seen "\"service\":\"default/plain:p\",\"address\":\"$plain:80\",\"backend\":\"$a:80\"" "$TMP/flows"
ok 'flows: with what was sent both ways' \
	shows '.flows | map(select(.packets > 3 and .replyPackets > 2 and .replyBytes > 100)) | length > 0' true flows --address 198.51.100.2
ok 'flows: other filters leave it out' shows '.flows | length' 0 flows --address 198.51.100.2 --proto udp
ok 'flows: another service has none' shows '.flows | length' 0 flows --service default/six
ask "http://$plain:81/"; ask "http://198.51.100.1:$lnp/"
ok 'drops: refused' shows '[.drops[] | select(.reason == "refused-no-port") | .address][0]' "$plain:81" drops
ok 'drops: of a service, by reason' \
	shows '.drops[0] | [.service, .path]' '["default/local:p","tc"]' drops --reason dropped-no-local-backend --service default/local
ok 'drops: counted' shows '.counters[] | select(.reason == "dropped-no-local-backend") | .count > 0' true drops
like "$(x drops -o wide)" 'set the policy to Cluster' 'drops: with what to do about it'
ok 'drops --watch: as they come' busywait 3 grep -q "dropped-no-local-backend +TCP +198.51.100.2:[0-9]* +198.51.100.1:$lnp +default/local:p" -E "$TMP/drops"
like "$(x drops --reason nope)" 'is none of refused-no-backend, ' 'drops: reasons have names'
on_node curl -s --max-time 1 "http://$plain:81/"
ok 'drops: of a socket, too' shows '[.drops[] | select(.path == "socket") | .client[:6]][0]' netns: drops

# --- top
in_ns client python3 -c "
import socket, time
s = socket.create_connection(('$plain', 80)); end = time.time() + 8
while time.time() < end: s.sendall(b'x' * 1000); time.sleep(0.01)" 2>/dev/null &
sender=$!
busiest() { shows '.services[0] | .service == "default/plain:p" and .bytesPerSecond > 5000' true top --interval 300ms; }
ok 'top: the service that is busy' busywait 5 busiest
ok 'top --flows: and its flow' shows '.flows | length' 1 top --flows --limit 1 --interval 200ms --address 198.51.100.2
stop $sender

# --- map
ok 'map: how full the tables are' shows '.tables[] | select(.table == "xb_svc") | [.used, .growsAt]' '[5,511]' map
ok 'map: kernel memory, all of it, and of that a port' shows '(([.memory[].memoryBytes] | add) == ([.tables[].memoryBytes] | add)),
	(.memory[] | select(.per == "port of a service") | .number == 5 and .bytesEach == (.memoryBytes / 5 | floor))' 'true
true' map
ok 'map: flows by their heads' shows '.tables[] | select(.table == "xb_flow4") | .used >= 2' true map
ok 'map: programs on devices' shows '[.programs[] | select(.where == "to-client" and .ours) | .program]' '["xb_ingress","xb_egress"]' map
ok 'map: and on the cgroup' shows '[.programs[] | select(.hook == "connect4") | [.where, .ours]]' "[[\"$CG/node\",true]]" map
in_ns node tc qdisc add dev to-client clsact && in_ns node tc filter add dev to-client ingress bpf bytecode '1,6 0 0 4294967295,'
ok "map: somebody else's" shows '[.programs[] | select(.ours | not) | [.hook, .program]]' '[["tc-ingress","bpf"]]' map
in_ns node tc qdisc del dev to-client clsact

# --- check
ok 'check: the tables are what they should be' busywait 5 agrees
kill -STOP "$PROXY_PID"
slice plain 80 "$b" | k replace -f - >/dev/null
k delete service six >/dev/null
check >"$TMP/check"; is $? 1 'check: status 1 when something differs'
like "$(<"$TMP/check")" "default/plain:p TCP IPv4 +external: backend $b:80 is missing +[0-9]+s" 'check: a backend that is missing, and since when'
like "$(<"$TMP/check")" "default/plain:p TCP IPv4 +external: backend $a:80 is too much" 'check: one that is too much'
like "$(<"$TMP/check")" 'default/six:p TCP IPv6 +is in the tables, and nothing in the API has it' 'check: a service that is gone'
like "$(<"$TMP/check")" 'answers: no.*notCompared: what follows from the node' 'check: that the agent does not answer, and what cannot be compared then'
kill -CONT "$PROXY_PID"
ok 'check: all well when the agent has caught up' busywait 5 agrees
maps=$BPFFS/xebec/v3/maps
for i in $(seq 0 255); do echo "map update pinned $maps/xb_fe4 key $i 0 0 0 value $(printf '0 %.0s' {1..64})"; done >"$TMP/batch"
bpftool batch file "$TMP/batch" >/dev/null 2>&1
like "$(check --tables-only)" 'No differences found' 'check --tables-only: a table without frontends contradicts nothing'
check >"$TMP/check"
like "$(<"$TMP/check")" "default/web:p TCP IPv4 +ClusterIP $web:80 is missing" 'check: a frontend that somebody removed'
like "$(<"$TMP/check")" 'xb_fe4 192.0.2.1:0 \(address\) +is missing: no node port answers' "check: an address of the node that is missing"
ok 'nothing answers there' bash -c "! nsenter --net=/run/netns/xb-$T-client curl -s --max-time 1 http://$plain/"
like "$(check --fix)" 'renewed: yes.*No differences found' 'check --fix: the agent writes them anew'
ok 'and clients are answered' ask "http://$plain/"
bpftool map update pinned $maps/xb_node key 0 0 0 0 value $(printf '0 %.0s' {1..672})
check >"$TMP/check"
like "$(<"$TMP/check")" 'xb_node +masquerades as nothing, and should as 198.51.100.1' 'check: as what the node masquerades'
like "$(<"$TMP/check")" 'xb_node +masquerades by 0 ports from 0 on, and should by [0-9]+ from [0-9]+ on' 'check: by which ports'
like "$(<"$TMP/check")" 'xb_node +where pods are: fd00:10:244::/48 is missing' 'check: where pods are'
like "$(<"$TMP/check")" 'xb_node +where cluster IPs are: 10.96.0.0/12 is missing' 'check: where cluster IPs are'
like "$(check --fix)" 'renewed: yes.*No differences found' 'check --fix: and that'
is "$(in_ns client curl -s -o /dev/null -w '%{http_code}' -X POST http://198.51.100.1:10249/renew)" 000 'nobody outside can ask for that'

# --- without an agent
kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
ok 'without the agent: services' shows '.services | length' 4 services
ok 'without the agent: explain, and no difference' agrees
on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" --cgroup-path="$CG/node" >/dev/null 2>&1
like "$(x services)" 'no kube-proxy has tables at' 'after --cleanup there is nothing to show'
done_testing
