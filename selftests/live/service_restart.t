#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kill -9 and restart of kube-proxy under 2,000 new connections a second: not one fails.
. "$(dirname "$0")/../lib.sh"

node_up
web_up a; a=$POD_IP
web_up b; b=$POD_IP
apiserver_start
proxy_start
service web 80:80 "$a" "$b"
vip=$(cluster_ip web)
ok 'the service answers' busywait 5 get "http://$vip/"
XB_EXEC=exec on_node "$BIN/xebec-bench" connect --to "$vip:80" --rate 2000 --seconds 60 >"$TMP/load" 2>&1 &
load=$!
for i in 1 2 3 4 5; do
	kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
	[ $i != 3 ] || slice web 80 "$b" "$a" | k replace -f - >/dev/null
	proxy_start
done
stop "$PROXY_PID"
proxy_start
kill -TERM $load; wait $load
like "$(cat "$TMP/load")" 'failed 0 ' 'no connection failed over six restarts'
note "$(cat "$TMP/load")"
is "$(in_ns node "$BIN/xebec" flows -o json --bpffs-path="$BPFFS" | jq -c .flows)" '[]' 'and no start left a flow of its own'
done_testing
