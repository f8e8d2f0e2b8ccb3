#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kube-proxy killed with -9 between two steps: of its first start, of one that adopts tables, brings in changes and lets the tables grow,
# and of --cleanup. What was served is served all the while; the next one makes it whole, with nothing left over.
#   STEP=1: at each call that changes the kernel
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

STEP=${STEP:-52}
node_up
link client 198.51.100.1/24 2001:db8:1::1/64 198.51.100.2/24 2001:db8:1::2/64
web_up a; a=$POD_IP
web_up b; b=$POD_IP
apiserver_start
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}'
SPEC='"type":"NodePort",' service web 80:80 "$a"
vip=$(cluster_ip web) np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}')
slices=/apis/discovery.k8s.io/v1/namespaces/default/endpointslices
slice web 80 "$a" >"$TMP/before"
slice web 80 "$a" "$b" >"$TMP/after"
slice grown 80 "$b" >"$TMP/grown-slice"
# its Maglev table is larger than a new xb_mag
cat >"$TMP/grown" <<END
{"apiVersion":"v1","kind":"Service","metadata":{"name":"grown","annotations":{"xebec.io/maglev":"true"}},
 "spec":{"type":"NodePort","ports":[{"name":"p","port":80}]}}
END

send() { api "$1" "$2" -H 'Content-Type: application/json' --data @"$TMP/$3" | tail -1 | grep -q '^20' || bail "$*"; }
change() { send PUT "$slices/web-1" after; send POST "$CORE/services" grown; send POST "$slices" grown-slice; }
change_back() {
	send PUT "$slices/web-1" before
	api DELETE "$CORE/services/grown" >/dev/null
	api DELETE "$slices/grown-1" >/dev/null
}
applied() { grep -q 'are in the tables' "$TMP/proxy.log"; }
start() { : >"$TMP/proxy.log"; proxy_start --cluster-cidr=10.244.0.0/16; busywait 10 applied; }
kills() { kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null; }
ends() { applied || ! kill -0 $killer 2>/dev/null; }
# dies AT FLAGS...: a kube-proxy that is killed at so many changes. 1: it served, or ended, before
dies() {
	: >"$TMP/proxy.log"
	XB_EXEC=exec on_node "$TOOLS/tools/kill_at" --changes "$1" "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=node \
		--cgroup-path="$CG/node" --bpffs-path="$BPFFS" --cluster-cidr=10.244.0.0/16 "${@:2}" >>"$TMP/proxy.log" 2>&1 & killer=$!
	busywait 20 ends || bail "neither killed at $1 nor at work: $(tail -3 "$TMP/proxy.log")"
	if applied; then kill -9 $killer 2>/dev/null; fi
	wait $killer 2>/dev/null
}
outside() { in_ns client curl -fsS --max-time 2 "http://198.51.100.1:$np/"; }
inside() { WAIT=2 get "http://$vip/"; }
served() { inside && outside; }
grows() { [ "$(bpftool -j map show pinned "$BPFFS/xebec/v3/maps/xb_mag" | jq .max_entries)" -gt 1 ]; }
check() { in_ns node "$BIN/xebec" check --hostname-override=node --bpffs-path "$BPFFS"; }
agrees() { check | grep -qx 'No differences found.'; }
traces() {
	find "$BPFFS" -mindepth 1 | sort
	bpftool -j cgroup show "$CG/node" | jq -c '[.[]?.name] | sort'
	in_ns node bpftool -j net show | jq -c '[.[0].tc[] | [.devname, .kind, .name]] | sort'
	in_ns node python3 "$ROOT/selftests/tools/foreign.py" ingress to-client 2>/dev/null # how many, by tcx
}
bad() { note "killed at $at: $*: $(tail -2 "$TMP/proxy.log")"; wrong=$((wrong + 1)); }
load() {
	XB_EXEC=exec on_node "$BIN/xebec-bench" connect --to "$vip:80" --rate 500 --seconds 60 >"$TMP/load-node" 2>&1 & loads=$!
	XB_EXEC=exec in_ns client "$BIN/xebec-bench" connect --to "198.51.100.1:$np" --rate 500 --seconds 60 >"$TMP/load-client" 2>&1 & loads="$loads $!"
}
load_ends() { kill -TERM $loads; wait $loads; [ "$(grep -c 'failed 0 ' "$TMP/load-node" "$TMP/load-client" | grep -c ':1')" = 2 ]; }

nothing=$(traces)
start
whole=$(traces)
ok 'served' busywait 5 served
kills

wrong=0 points=0 first=1 next=1 cleanup=1
for ((at = STEP; first + next + cleanup > 0; at += STEP)); do
	if [ $cleanup = 1 ]; then
		dies $at --cleanup || cleanup=0
		points=$((points + cleanup))
	fi
	on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" >"$TMP/proxy.log" 2>&1 || bad cleanup
	[ "$(traces)" = "$nothing" ] || bad "left after cleanup: $(traces)"

	if [ $first = 1 ]; then
		dies $at || first=0
		points=$((points + first))
		in_ns client curl -fsS --max-time 2 "http://$a/" >/dev/null || bad 'first start: a pod is not reached'
	fi
	start
	[ "$(traces)" = "$whole" ] || bad "first start, left over: $(diff <(traces) <(echo "$whole"))"
	served >/dev/null || bad 'first start: not served'
	kills

	[ $next = 1 ] || continue
	load
	change
	dies $at || next=0
	points=$((points + next))
	served >/dev/null || bad 'next start: not served by what was left'
	start
	served >/dev/null || bad 'next start: not served'
	grows || bad 'next start: not grown'
	[ "$(traces)" = "$whole" ] || bad "next start, left over: $(diff <(traces) <(echo "$whole"))"
	agrees || bad "next start: $(check)"
	kills
	load_ends || bad "connections failed: $(cat "$TMP/load-node" "$TMP/load-client")"
	change_back
done
is "$wrong" 0 "killed at $points points: served on, and made whole by the next start"
ok 'those were enough points' [ $points -ge $((200 / STEP)) ]
done_testing
