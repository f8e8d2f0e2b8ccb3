#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kube-proxy is killed with -9 or upgraded at random points, also of its start, the API server is killed once, endpoints change; all the
# while clients connect anew as often as the machine can, first on the node by its sockets, then outside by packets: not one fails, and
# connections that are held go on. The one that it is upgraded to has a program more.
#   CONNECTIONS=N of either kind. PAUSE=MS: the longest between a start and a kill. SEED=N: the same points again
# alone
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

RATE=25000
CONNECTIONS=${CONNECTIONS:-50000} PAUSE=${PAUSE:-500} SEED=${SEED:-$RANDOM}
RANDOM=$SEED
slice_path=/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-1

# hold WHERE HERE THERE: two connections to servers that echo, until let_go, which sets HELD
hold() {
	XB_EXEC=exec $1 python3 "$ROOT/selftests/tools/traffic.py" --hold "$2" --hold "$3" >"$TMP/held" 2>&1 &
	held=$!
}
let_go() {
	kill -TERM $held; wait $held
	note "$(jq -c .held "$TMP/held")"
	HELD=$(jq '[.held[] | select(.broken == null and .returned > 0)] | length' "$TMP/held")
}
pause() { local ms=$((RANDOM % PAUSE)); sleep $((ms / 1000)).$(printf %03d $((ms % 1000))); }
run() { proxy_run --cluster-cidr=10.244.0.0/16 "$@"; }
change() { api PUT $slice_path -H 'Content-Type: application/json' --data @"$TMP/endpoints-$1" | tail -1 | grep -qx 200 || bail "cannot change endpoints"; }
agrees() { in_ns node "$BIN/xebec" check --hostname-override=node --bpffs-path "$BPFFS" | grep -qx 'No differences found.'; }
flows() { in_ns node "$BIN/xebec" flows -o json --bpffs-path="$BPFFS" | jq -c .flows; }

# restart N: one kill -9 or upgrade; at the second the API server is away
restart() {
	kill -0 "$PROXY_PID" 2>/dev/null || ended=$((ended + 1))
	if [ $1 = 2 ]; then kill -9 "$APISERVER_PID"; wait "$APISERVER_PID" 2>/dev/null; fi
	if [ $(($1 % 3)) = 0 ]; then
		stop "$PROXY_PID"
		BIN=$TMP/next run --xdp-devices=to-client
	else
		kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
		run
	fi
	pause
	[ $1 != 2 ] || apiserver_start
	change $(($1 % 2))
}
# restarts_under_load PATH TO WHERE...
restarts_under_load() {
	local path=$1 to=$2 load n=0 syns; shift 2
	syns=$("$@" nstat -asz TcpExtTCPSynRetrans)
	XB_EXEC=exec "$@" "$BIN/xebec-bench" connect --to "$to" --clients 16 --rate $RATE --seconds $((CONNECTIONS / RATE)) >"$TMP/load" 2>&1 &
	load=$!
	while kill -0 $load 2>/dev/null; do restart $((++n)); done
	wait $load
	like "$(cat "$TMP/load")" "connections $CONNECTIONS failed 0 " "$path: no connection failed"
	is "$("$@" nstat -asz TcpExtTCPSynRetrans)" "$syns" "$path: and no SYN was lost"
	note "$n times killed or upgraded; $(cat "$TMP/load")"
	ok "$path: the API server was killed too" [ $n -ge 2 ]
}

fast_nodes_up
mkdir "$TMP/next"
cp "$BIN/kube-proxy" "$TMP/next/"
apiserver_start
node_object
run
serves here 5201 TCP "node=$a"
serves there 5201 TCP "far=$r"
# the last: when it answers, so do the others
serves web 80 TCP "node=$a" "far=$r"
raw $slice_path | jq 'del(.metadata.resourceVersion)' >"$TMP/endpoints-0"
jq '.endpoints |= .[1:]' "$TMP/endpoints-0" >"$TMP/endpoints-1"
vip=$(cluster_ip web) node=198.51.100.1 ended=0
note "SEED=$SEED"

ok 'a client on the node is answered' busywait 5 get "http://$vip/"
hold on_node "$(cluster_ip here):5201" "$(cluster_ip there):5201"
restarts_under_load sockets "$vip:80" on_node
let_go
is "$HELD" 2 'sockets: both connections held'
is "$(flows)" '[]' 'sockets: and no start left a flow of its own'

ok 'a client outside is answered' busywait 5 in_ns client curl -fsS --max-time 2 "http://$node:${node_port[web]}/"
hold 'in_ns client' "$node:${node_port[here]}" "$node:${node_port[there]}"
restarts_under_load packets "$node:${node_port[web]}" in_ns client
let_go
is "$HELD" 2 'packets: both connections held'

is $ended 0 'no kube-proxy ended by itself'
ok 'the last one brings in all changes' busywait 10 agrees
done_testing
