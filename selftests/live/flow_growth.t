#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A node that many connections of clients outside go through: its table of flows grows several times while they come and go on, and while
# the agent is killed. None is refused, none breaks.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

# no process has more than 20,000 open files
EACH=${EACH:-13700}
FLOWS=$((3 * EACH))
RATE=${RATE:-2000}
fast_nodes_up
web_up b; b=$POD_IP
web_up c; c=$POD_IP
in_ns client sysctl -qw net.ipv4.ip_local_port_range='1024 64511'
apiserver_start
proxy_start --cluster-cidr=10.244.0.0/16
serves here 5201 TCP "node=$a" "node=$b" "node=$c"
serves there 5201 TCP "far=$r"
node=198.51.100.1
metric() { in_ns node curl -sS --max-time 3 http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
is_more() { [ "$(metric "$1")" -gt "$2" ]; }
sets() { bpftool -j map show pinned "$BPFFS/xebec/v3/maps/$1" | jq .max_entries; }
grows() { [ "$(sets xb_flow4)" -gt 8192 ]; }
idle() { [ "$(sets xb_flow4_old)" = 1 ]; }
all_say() { [ "$(cat "$TMP"/many-* | grep -cx "$1 $EACH.*")" = 3 ]; }

is "$(sets xb_flow4)" 8192 'a table of flows is small at first'
memory=$(metric xebec_proxy_table_memory_bytes)
XB_EXEC=exec in_ns client python3 "$ROOT/selftests/tools/traffic.py" --hold "$node:${node_port[here]}" --hold "$node:${node_port[there]}" >"$TMP/held" 2>&1 &
held=$! many=
mkfifo "$TMP/go-1" "$TMP/go-2" "$TMP/go-3"
# at an address of the node each: a client looks long for the last of the ports to one
at=($node 192.0.2.1 172.30.0.1)
for i in 1 2 3; do
	XB_EXEC=exec in_ns client python3 "$ROOT/selftests/tools/many.py" "${at[i - 1]}" "${node_port[here]}" "$EACH" "$RATE" <"$TMP/go-$i" >"$TMP/many-$i" &
	many="$many $!"
done
exec 7>"$TMP/go-1" 8>"$TMP/go-2" 9>"$TMP/go-3"
ok 'it grows' busywait 10 grows
kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
proxy_start --cluster-cidr=10.244.0.0/16 7>&- 8>&- 9>&-
ok 'each connection is made' busywait 30 all_say open
note "$(cat "$TMP"/many-*)"
ok 'the agent sees how many there are' busywait 5 is_more 'xebec_proxy_table_entries{table="flows4"}' $((FLOWS * 9 / 10))
ok 'and the growth comes to its end' busywait 10 idle
ok 'there is a set for each flow' [ "$(sets xb_flow4)" -ge "$FLOWS" ]
note "dropped for want of a place: $(metric 'xebec_proxy_decisions_total{reason="dropped-flows-full"}')"
note "$("$BIN/xebec" map --bpffs-path "$BPFFS" | grep -E 'TABLE|xb_flow')"
is "$(metric xebec_proxy_full_flow_tables)" 0 'nothing is full'
echo >&7; echo >&8; echo >&9
ok 'each is answered' busywait 10 all_say answered
ok 'they take 2 kB each, at most' [ $(($(metric xebec_proxy_table_memory_bytes) - memory)) -lt $((FLOWS * 2048)) ]
exec 7>&- 8>&- 9>&-
wait $many
kill -TERM $held; wait $held
is "$(jq '[.held[] | select(.broken == null and .returned > 50)] | length' "$TMP/held")" 2 'two that were held all the while lost nothing'
note "$(grep -E 'xb_flow' "$TMP/proxy.log")"
done_testing
