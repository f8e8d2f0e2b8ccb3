#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Many kubelets of one machine, each a node with a certificate of its own and the hollow runtime: as small clusters of many nodes.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"
NODES=${NODES:-20} PODS=${PODS:-200}

node_up
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
kcm_start
scheduler_start
# hollow_start NUMBER: sets PIDS[NUMBER]
hollow_start() {
	local n=h$1 dir=$TMP/h$1
	if [ ! -e "$dir/conf" ]; then
		mkdir -p "$dir/logs"
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/key" -subj /O=system:nodes/CN=system:node:$n 2>/dev/null |
			openssl x509 -req -CA "$TMP/pki/ca.crt" -CAkey "$TMP/pki/ca.key" -CAcreateserial -days 1 -out "$dir/crt" 2>/dev/null
		cat >"$dir/conf" <<-JSON
		{"clusters":[{"name":"x","cluster":{"server":"$API","certificate-authority":"$TMP/pki/ca.crt"}}],"contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
		"current-context":"x","users":[{"name":"x","user":{"client-certificate":"$dir/crt","client-key":"$dir/key"}}]}
		JSON
	fi
	XB_EXEC=exec in_ns node "$BIN/kubelet" --kubeconfig="$dir/conf" --hostname-override="$n" --node-ip=192.0.2.1 --root-dir="$dir" --pod-logs-dir="$dir/logs" \
		--container-runtime-endpoint="fake://?cidr=10.$((64 + $1 / 256)).$(($1 % 256)).0/24" --cgroups-per-qos=false --healthz-port=0 --port=0 >>"$dir/log" 2>&1 &
	PIDS[$1]=$!
}
ready() { [ "$(raw /api/v1/nodes | jq '[.items[] | select(any(.status.conditions[]; .type == "Ready" and .status == "True"))] | length')" = "$NODES" ]; }
run() { [ "$(raw "$CORE/pods" | jq '[.items[] | select(.status.phase == "Running" and .metadata.deletionTimestamp == null)] | length')" = "$1" ]; }
pss() { local p; for p in "${PIDS[@]}"; do awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup"; done | awk '{ n += $1 } END { print int(n / NR) }'; }
ticks() { local p; for p in "${PIDS[@]}"; do awk '{ print $14 + $15 }' "/proc/$p/stat"; done | awk '{ n += $1 } END { print n }'; }

for i in $(seq "$NODES"); do hollow_start "$i"; done
ok "$NODES nodes are ready" busywait 30 ready
note "each $(pss) kB (Pss)"
k create deployment many --image=web --replicas="$PODS" >/dev/null
ok "$PODS pods run on them" busywait 30 run "$PODS"
note "each $(pss) kB (Pss), all together $(ticks) ticks so far"
is "$(raw "$CORE/pods" | jq -c '[.items | group_by(.spec.nodeName)[] | length] | [length, min, max]')" "[$NODES,$((PODS / NODES)),$((PODS / NODES))]" 'the same number on each'
is "$(raw "$CORE/pods" | jq '[.items[].status.podIP] | unique | length')" "$PODS" 'each has an address of its own'

# --- one node is not the others ---
h=$TMP/h1
in_ns node curl -sS -o "$TMP/reply" --cacert "$TMP/pki/ca.crt" --cert "$h/crt" --key "$h/key" -X PATCH -H 'Content-Type: application/merge-patch+json' \
	-d '{"metadata":{"labels":{"a":"b"}}}' $API/api/v1/nodes/h2
is "$(jq -r '.reason' "$TMP/reply")" Forbidden 'it may not write of another node'
# its containers end with a hollow kubelet, as those of a machine that fails: they run again
kill -9 "${PIDS[1]}"
wait "${PIDS[1]}" 2>/dev/null
hollow_start 1
again() { [ "$(raw "$CORE/pods?fieldSelector=spec.nodeName=h1" | jq '[.items[].status.containerStatuses[0] | select(.ready and .restartCount == 1)] | length')" = $((PODS / NODES)) ]; }
ok 'after kill -9 the containers of that node are started again' busywait 30 again
k scale deployment many --replicas=0 >/dev/null
ok 'all go' busywait 60 none_left
failed=0
for p in "${PIDS[@]}"; do stop "$p" || failed=1; done
is $failed 0 'each leaves with 0 when it is told to'
done_testing
