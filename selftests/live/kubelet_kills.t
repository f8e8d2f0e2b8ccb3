#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kubelet, or containerd, is killed with -9 at any moment of pods' beginnings and ends: the next one finishes what was begun;
# nothing runs twice, nothing is left over. A start that is cut off containerd itself undoes, so a container may begin once more;
# and 1.6 may lose track of it, so that it is not to be removed before containerd is started anew: then that is done here.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"
ROUNDS=${ROUNDS:-4}

node_up
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
containerd_start
cni_none
kubelet_start

kill9() { { kill -9 "$1"; wait "$1"; } 2>/dev/null; }
kubelet_again() { kill9 "$KUBELET_PID"; kubelet_start; }
containerd_again() { kill9 "$CONTAINERD_PID"; containerd_start; }
# kills WHOM MS...: each so many milliseconds after it came back
kills() {
	local whom=$1 ms; shift
	for ms; do
		sleep "0.$(printf %03d "$ms")" # the moment is what is tried
		"${whom}_again"
	done
}
make() { # name: an init container, a sidecar and a main one
	local stay='"image":"'$BUSYBOX_IMAGE'","command":["sh","-c","trap \"exit 0\" TERM; sleep 1000 & wait"]'
	pod "$1" "\"initContainers\":[{\"name\":\"i\",\"image\":\"$BUSYBOX_IMAGE\",\"command\":[\"true\"]},{\"name\":\"s\",$stay,\"restartPolicy\":\"Always\"}],
		\"containers\":[{\"name\":\"c\",$stay}]"
}
all_run() { [ "$(raw "$CORE/pods" | jq '[.items[] | select(.status.phase == "Running" and (.status.containerStatuses[0].ready))] | length')" = "$1" ]; }
run() { [ "$(ctr tasks ls | grep -c RUNNING)" = "$1" ]; }

for round in $(seq "$ROUNDS"); do
	ms=$((round * 37)) whom=kubelet
	[ $((round % 2)) = 1 ] || whom=containerd
	for n in 1 2 3; do make "r$round-$n"; done
	kills $whom $((ms % 200)) $(((ms * 3) % 250)) $(((ms * 7) % 300))
	# a start that was cut off counts as one that failed: three of them wait 10, 20 and 40 s
	ok "$whom killed: pods run" busywait 100 all_run 3
	ok 'three sandboxes, three sidecars and three main containers' busywait 10 run 9 || note "$(ctr tasks ls)"
	k delete pods --all --wait=false >/dev/null
	kills $whom $((ms % 150)) $(((ms * 5) % 200)) $(((ms * 11) % 250))
	ok 'pods go' busywait 40 none_left
	busywait 30 nothing_runs || { note "$(grep -o 'cannot delete running task.*' "$TMP/kubelet.log" | tail -1)"; containerd_again; }
	ok 'with all of theirs' busywait 30 nothing_runs
done
ok 'nor are volumes and logs left' busywait 10 bash -c "[ -z \"\$(ls -A '$TMP/kubelet/pods' '$TMP/logs' | grep -v ':\$' | grep .)\" ]"
done_testing
