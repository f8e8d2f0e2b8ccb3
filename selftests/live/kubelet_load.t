#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Many pods at once, on the hollow runtime: all run, the node's room is kept to, and when nothing happens nothing is done.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"

node_up
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
CONTAINERD_SOCKET=
kubelet_start --container-runtime-endpoint='fake://?cidr=10.244.1.0/24' --cgroups-per-qos=false --max-pods=110
PODS=110
list() { # first, last, more of the container
	local i
	echo '{"apiVersion":"v1","kind":"List","items":['
	for i in $(seq "$1" "$2"); do
		[ "$i" = "$1" ] || echo ,
		echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p'"$i"'","labels":{"app":"many"}},"spec":{"nodeName":"n1","terminationGracePeriodSeconds":'"${3:+2}"'1,
			"containers":[{"name":"c","image":"web"'"${3:-}"'}]}}'
	done
	echo ']}'
}
phases() { raw "$CORE/pods" | jq -c '[.items[] | .status.phase] | group_by(.) | map({(.[0]): length}) | add'; }
are() { [ "$(phases)" = "$1" ]; }
ticks() { awk '{ print $14 + $15 }' "/proc/$KUBELET_PID/stat"; }
resident() { awk '/VmRSS/ { print $2 }' "/proc/$KUBELET_PID/status"; }
below() { [ "$(resident)" -lt "$1" ]; }
calls() { awk '/^syscr|^syscw/ { n += $2 } END { print n }' "/proc/$KUBELET_PID/io"; }
# over three seconds; used: ticks in them
quiet() { local n=$(calls) t=$(ticks); sleep 3; used=$(($(ticks) - t)); [ $(($(calls) - n)) -lt 60 ]; }

list 1 $PODS | k create -f - >/dev/null
ok "$PODS pods run" busywait 15 are "{\"Running\":$PODS}"
list 111 112 | k create -f - >/dev/null
for p in p111 p112; do
	becomes $p '[.phase, .reason, .message]' '["Failed","OutOfpods","Pod was rejected: Node didn'"'"'t have enough resource: pods, requested: 1, used: 110, capacity: 110"]' 'one more is refused'
done
is "$(raw "$CORE/pods" | jq '[.items[] | .status.podIP | select(.)] | unique | length')" $PODS 'each has an address of its own'
note "started: $(ticks) ticks, $(resident) kB"
ok 'when nothing happens nothing is read or written but the Lease and the node' busywait 15 quiet
ok 'nor does it take processor time' test $used -le 3

# --- a controller's life: some go, others come ---
k delete pod $(seq -f 'p%g' 1 30) --wait=false >/dev/null
list 201 230 ',"lifecycle":{"preStop":{"sleep":{"seconds":20}}}' | k create -f - >/dev/null
ok '30 go and 30 come' busywait 15 are "{\"Failed\":2,\"Running\":$PODS}"
# what was deleted by force goes on for its grace, and its place is another's meanwhile
k delete pod $(seq -f 'p%g' 201 230) --force --grace-period=0 --wait=false >/dev/null 2>&1
list 231 260 | k create -f - >/dev/null
ok '30 are gone by force and 30 come' busywait 15 are "{\"Failed\":2,\"Running\":$PODS}"
ok 'what their beginnings took goes back to the system' busywait 12 below 14000
note "resident: $(resident) kB"
stop "$KUBELET_PID"
is $? 0 'it leaves with 0 when it is told to'
done_testing
