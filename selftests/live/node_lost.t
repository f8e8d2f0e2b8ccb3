#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kubelet or containerd of a node is killed at moments after which containerd, left to itself, would keep something for ever, or
# harm what runs: each of them held, by runc and the shim of the test's own, until the kill is done.
. "$(dirname "$0")/../cluster.sh"

# --- runc and the shim, which wait where a container's command or its pod's name says so ---
for program in runc containerd-shim-runc-v2; do
	mkdir -p "$TMP/real"
	real=$(command -v $program)
	cp "$real" "$TMP/real/$program"
	cat >"$TMP/$program" <<SH
#!/bin/bash
# hold WHERE: while the test holds what is named hold-WHERE
hold() {
	[ -e "$TMP/hold-\$1" ] || return
	grep -q "hold-\$1" "\$bundle/config.json" || return
	touch "$TMP/held-\$1"
	while [ -e "$TMP/hold-\$1" ]; do sleep 0.02; done
}
bundle=\$PWD
for a; do [ "\$last" != --bundle ] || bundle=\$a; last=\$a; done
case " \$* " in
*" create "*) hold before; "$TMP/real/$program" "\$@" || exit; hold after; exit 0;;
*" start "*) [ $program = runc ] || { "$TMP/real/$program" "\$@" || exit; hold shim; exit 0; };;
esac
exec "$TMP/real/$program" "\$@"
SH
	chmod +x "$TMP/$program"
	mount --bind "$TMP/$program" "$real" || bail "cannot mount over $real"
done
hold() { touch "$TMP/hold-$1"; }
held() { busywait 15 test -e "$TMP/held-$1"; }
release() { rm -f "$TMP/hold-$1" "$TMP/held-$1"; }

cluster_up
RUN=/run/xebec/$CLUSTER/node-1 TASKS=/run/xebec/$CLUSTER/node-1/containerd/io.containerd.runtime.v2.task/k8s.io
unit_pid() { xebec status --name "$CLUSTER" -o json | jq -r ".\"node-1\".\"$1\".pid // empty"; }
kill9() { # UNIT: and another one is there
	local old=$(unit_pid "$1") now
	kill -9 "$old"
	another() { now=$(unit_pid "$1") && [ -n "$now" ] && [ "$now" != "$old" ]; }
	busywait 15 another "$1"
}
clean_node() { PATH=$(dirname "$KUBECTL"):$PATH "$ROOT/selftests/tools/node_leaks.py" "$CLUSTER" 1; }
# nothing_lost DESCRIPTION
nothing_lost() { ok "$1: nothing is left of it" busywait 15 clean_node || note "$(clean_node)"; }
# make NAME CONTAINER...: the command of each has its name in it, and so has all of the pod that of the pod
make() {
	local name=$1 c containers=; shift
	for c; do containers+="{\"name\":\"$c\",\"image\":\"busybox\",\"command\":[\"sh\",\"-c\",\": $c; sleep 1000\"]},"; done
	k create -f - >/dev/null <<JSON
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$name"},"spec":{"terminationGracePeriodSeconds":0,"containers":[${containers%,}]}}
JSON
}
all_run() { pod_is "$1" '[.status.containerStatuses[]?.ready] | length == '"$2"' and all' true; }
busywait 5 k get serviceaccount default

# --- containerd, while a second container of a pod is made ---
hold before
make first a hold-before
ok 'a container is being made beside another' held before
a='.status.containerStatuses[] | select(.name == "a") | .containerID, .restartCount'
before=$(pod first "$a")
kill9 containerd
release before
ok 'containerd is killed: it comes to run' busywait 20 all_run first 2
is "$(pod first "$a")" "$before" 'the other goes on'
nothing_lost 'a container that was being made'

# --- the kubelet, while a shim starts: containerd gives the task up, and the shim runs ---
hold shim
make hold-shim c
ok 'a shim is being started' held shim
kill9 kubelet
release shim
ok 'the kubelet is killed: the pod comes to run' busywait 20 all_run hold-shim 1
nothing_lost 'a shim that was being started'

# --- the kubelet, while runc makes a container for so long that containerd no longer waits for it ---
hold after
make second a hold-after
ok 'a container is made, and runc does not end' held after
kill9 kubelet
bundle=$TASKS/$(basename "$(dirname "$(grep -l hold-after "$TASKS"/*/config.json)")")
busywait 15 grep -q 'failed to create shim task' "$CLUSTERS/$CLUSTER/logs/node-1/containerd.log"
release after
ok 'the kubelet is killed: another container runs' busywait 30 all_run second 2
[ ! -e "$bundle" ] || touch -d '3 minutes ago' "$bundle" # in two nobody waits for its start
nothing_lost 'a container that was not started'

# --- both, while a sandbox is made of a pod that is deleted meanwhile ---
hold before
make hold-before c
ok 'a sandbox is being made' held before
kill9 kubelet
k delete pod hold-before --grace-period=0 --force >/dev/null 2>&1
ok 'the kubelet is killed, and the pod deleted' busywait 10 grep -q 'node node-1' "$CLUSTERS/$CLUSTER/logs/node-1/kubelet.log"
kill9 containerd
release before
nothing_lost 'a sandbox that comes to light later'

# --- what a containerd leaves that is killed while it removes or notes something ---
id=$(printf '%064d' 1) first=$(k get pod first -o 'jsonpath={.metadata.uid}')
mkdir -p "$TASKS/.$id/rootfs"
for cg in /sys/fs/cgroup/*/xebec/$CLUSTER/node-1 "$CGROUP2/xebec/$CLUSTER/node-1"; do
	pod=$(find "$cg" -maxdepth 3 -type d -name "pod$first" 2>/dev/null) && [ -z "$pod" ] || mkdir -p "$pod/$id"
done
note=$(grep -l "$first" /var/lib/cni/results/xebec-*-eth0)
: >"$note"
kill9 containerd
nothing_lost 'a folder and a cgroup of a task'
k delete pod first --wait=false >/dev/null
gone() { ! k get pod first; }
ok 'a pod whose network was noted by half goes' busywait 15 gone
stays=$(k get pod hold-shim -o 'jsonpath={.metadata.uid}')
notes() { grep -ls "$stays" /var/lib/cni/results/* | wc -l; }
is "$(notes)" 2 'those of another are there'
ok 'down' xebec down --name "$CLUSTER"
is "$(notes)" 0 'until their cluster goes'
done_testing
