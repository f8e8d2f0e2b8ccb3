#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The packets' path when something is wrong: the agent dies, floods come, ports of masquerading run out, devices change. All the while two
# connections of a client outside are held, one to a backend on this node and one, masqueraded, to one on another.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

fast_nodes_up
in_ns node sysctl -qw net.ipv4.ip_local_port_range='1024 64511'
in_ns node ip route add 198.18.0.0/15 via 198.51.100.2
node=198.51.100.1
apiserver_start
proxy_start --cluster-cidr=10.244.0.0/16

serves web 80 TCP "node=$a" "far=$r"
serves here 5201 TCP "node=$a"
serves there 5201 TCP "far=$r"
serves dns 5201 UDP "node=$a"

client() { in_ns client "$@"; }
get_outside() { client curl -fsS --max-time 2 "http://$node:${node_port[web]}/"; }
ask_udp() { [ "$(client python3 "$ROOT/selftests/tools/ask_udp.py" $node "${node_port[dns]}")" = a ]; }
metric() { in_ns node curl -sS --max-time 3 http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
reason() { metric "xebec_proxy_decisions_total{reason=\"$1\"}"; }
reason_more() { [ "$(reason "$1")" -gt "$2" ]; }
# load RATE: new connections, until load_ends, which sets LOAD
load() { XB_EXEC=exec in_ns client "$BIN/xebec-bench" connect --to "$node:${node_port[web]}" --rate "$1" --seconds 60 >"$TMP/load" 2>&1 & load=$!; }
load_ends() { kill -TERM $load; wait $load; LOAD=$(cat "$TMP/load"); }
kills() { kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null; }

ok 'a client outside is answered' busywait 5 get_outside
XB_EXEC=exec in_ns client python3 "$ROOT/selftests/tools/traffic.py" --hold "$node:${node_port[here]}" --hold "$node:${node_port[there]}" >"$TMP/held" 2>&1 &
held=$!
busywait 5 ask_udp

# --- the agent
load 2000
for at in "$BIN" "$BIN" "$TMP/next"; do
	kills
	if [ "$at" = "$TMP/next" ]; then mkdir "$at"; cp "$BIN/kube-proxy" "$at/"; fi
	BIN=$at proxy_start --cluster-cidr=10.244.0.0/16
done
out=$(on_node "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=node --cgroup-path="$CG/node" --bpffs-path="$BPFFS" 2>&1)
is $? 1 'two agents: the second ends'
like "$out" "in use by the process with PID $PROXY_PID: two agents cannot write the same tables" 'two agents: and says why'
mkdir "$BPFFS/elsewhere"
out=$(on_node "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=node --cgroup-path="$CG/node" --bpffs-path="$BPFFS/elsewhere" 2>&1)
is $? 1 'also with pins elsewhere'
like "$out" "cgroup '$CG/node' has the programs of another kube-proxy" 'and says why, too'
load_ends
like "$LOAD" 'failed 0 ' 'kill -9, and an upgrade: no new connection of a client outside failed'
note "$LOAD"

# --- floods
memory() { metric xebec_proxy_table_memory_bytes; }
before=$(memory)
load 100
note "flood: $(client "$TOOLS/tools/flood" tcp $node "${node_port[web]}" 60000)"
load_ends
like "$LOAD" 'failed 0 ' 'SYNs, with FINs and ACKs, of clients that there are not: no connection of one that there is failed'
note "$LOAD"
note "flood: $(client "$TOOLS/tools/flood" udp $node "${node_port[dns]}" 60000)"
ok 'questions of 60,000 clients that there are not: another one is answered' ask_udp
ok 'and a connection made' get_outside
is "$(memory)" "$before" 'which took no memory'
ok 'of the 120,000 hardly one was dropped for want of a place or a port' [ $(($(reason dropped-flows-full) + $(reason dropped-no-nat-port))) -lt 60 ]

# --- ports of masquerading: 1024 of them
mkfifo "$TMP/go"
XB_EXEC=exec in_ns client python3 "$ROOT/selftests/tools/many.py" $node "${node_port[there]}" 1400 <"$TMP/go" >"$TMP/many" &
many=$!
exec 9>"$TMP/go"
busywait 10 test -s "$TMP/many"
note "$(cat "$TMP/many")"
opened=$(awk '{ print $2 }' "$TMP/many")
ok 'ports used up: there were nearly as many connections' test "$opened" -gt 900 -a "$opened" -le 1024
ok 'ports used up: said so' reason_more dropped-no-nat-port 0
like "$("$BIN/xebec" drops --bpffs-path "$BPFFS" --reason dropped-no-nat-port | tail -1)" 'dropped-no-nat-port .*198.51.100.2:.*default/there:p' 'ports used up: whose'
ok 'ports used up: other backends are reached' get_outside
exec 9>&-
wait $many
connects() { client timeout 1 bash -c "exec 3<>/dev/tcp/$node/${node_port[there]}" 2>/dev/null; }
ok 'with the connections their ports come back' connects

kill -TERM $held; wait $held
is "$(jq '[.held[] | select(.broken == null and .returned > 50)] | length' "$TMP/held")" 2 'through all of it both connections held'
note "$(cat "$TMP/held")"
done_testing
