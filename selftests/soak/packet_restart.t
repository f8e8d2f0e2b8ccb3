#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A million new connections of a client outside, as many a second as the machine gives, while the agent is killed, started again and
# upgraded again and again: not one fails, and two that are held go on. CONNECTIONS=N for another number.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

fast_nodes_up
apiserver_start
proxy_start --cluster-cidr=10.244.0.0/16
serves web 80 TCP "node=$a" "far=$r"
serves here 5201 TCP "node=$a"
serves there 5201 TCP "far=$r"
to=198.51.100.1:${node_port[web]}
ok 'a client outside is answered' busywait 5 in_ns client curl -fsS --max-time 2 "http://$to/"
XB_EXEC=exec in_ns client python3 "$ROOT/selftests/tools/traffic.py" --hold "198.51.100.1:${node_port[here]}" --hold "198.51.100.1:${node_port[there]}" >"$TMP/held" 2>&1 &
held=$!
XB_EXEC=exec in_ns client "$BIN/xebec-bench" connect --to "$to" --rate 20000 --seconds $((${CONNECTIONS:-1000000} / 20000)) >"$TMP/load" 2>&1 &
load=$!
mkdir "$TMP/next"
cp "$BIN/kube-proxy" "$TMP/next/"
restarts=0
while kill -0 $load 2>/dev/null; do
	kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
	at=$BIN
	[ $((restarts++ % 2)) = 0 ] || at=$TMP/next
	BIN=$at proxy_start --cluster-cidr=10.244.0.0/16
done
wait $load
like "$(cat "$TMP/load")" 'connections [0-9]+ failed 0 ' 'no connection failed'
note "$restarts times killed and started; $(cat "$TMP/load")"
note "$("$BIN/xebec" drops --bpffs-path "$BPFFS" | head -8)"
kill -TERM $held; wait $held
is "$(jq '[.held[] | select(.broken == null and .returned > 50)] | length' "$TMP/held")" 2 'both connections held'
done_testing
