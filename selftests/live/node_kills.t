#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A cluster of two nodes whose programs are killed with -9 in any order, many at once: under traffic, of which nothing is lost; while
# pods come and go, of which nothing is left; and all with their containers, as when the power fails.
#   KILLS=5: so often; SEED=N: in another order
. "$(dirname "$0")/../lib.sh"

KILLS=${KILLS:-5} SEED=${SEED:-$((RANDOM % 1000))}
NAME=nk-${T##*-} # of the cluster
mkdir -p /run/containerd
ROOT_DIR=/var/lib/xebec/clusters/$NAME RUN_DIR=/run/xebec/$NAME IMAGE=localhost/busybox:test
xebec() { in_ns host "$BIN/xebec" "$@"; }
clean() {
	ip netns list | grep -qw "xb-$T-host" || ns_add host
	xebec down --name "$NAME"
}
trap 'status=$?; clean >/dev/null 2>&1; (exit $status); _leave' EXIT
ns_add host # stands for the machine that "xebec up" is called on
mount -t tmpfs none /run/containerd || bail 'cannot mount over /run/containerd' # which shims and runc have compiled in
clean >/dev/null 2>&1
RANDOM=$SEED
note "KILLS=$KILLS SEED=$SEED"

k() { in_ns host "$KUBECTL" --kubeconfig "$ROOT_DIR/admin.conf" "$@"; }
up() { xebec up --name "$NAME" >"$TMP/up.log" 2>&1 || { cat "$TMP/up.log"; return 1; }; }
pods() { k get pods -o json | jq -r "[.items[] | select(.metadata.labels.app | test(\"$1\"))] | $2"; }
NODE_UNITS='kubelet kube-proxy xebec-netd containerd' CONTROL_UNITS='kube-apiserver kube-controller-manager kube-scheduler'
UNITS=(supervisor)
for u in $CONTROL_UNITS; do UNITS+=("node-1/$u"); done
for u in $NODE_UNITS; do UNITS+=("node-1/$u" "node-2/$u"); done
pid_of() {
	if [ "$1" = supervisor ]; then cat "$CGROUP2/xebec/$NAME/supervisor/cgroup.procs"; return; fi
	local pid started
	# the file outlives its process, and the number may be another's
	read -r pid started <"$RUN_DIR/$1.pid" && [ "$(cut -d' ' -f22 "/proc/$pid/stat")" = "$started" ] && echo "$pid"
} 2>/dev/null
# one that was killed is there for a moment yet, and one that nobody has waited for may be there for long
runs() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"; }
dead() { ! runs "$1"; }
# the processes of units, when all run
pids() { for u; do pid=$(pid_of "$u") && [ -n "$pid" ] && runs "$pid" && echo "$pid" || return; done; }
# all at once, and they are gone when it returns
kill9() {
	local u pids=()
	for u; do pids+=($(pid_of "$u")); done
	[ "${#pids[@]}" = 0 ] || kill -9 "${pids[@]}" 2>/dev/null
	for u in "${pids[@]}"; do busywait 5 dead "$u"; done
}
# some_units N: so many, at random, in victims
some_units() {
	local i j t
	for ((i = ${#UNITS[@]} - 1; i > 0; i--)); do j=$((RANDOM % (i + 1))) t=${UNITS[i]} UNITS[i]=${UNITS[j]} UNITS[j]=$t; done
	victims=("${UNITS[@]:0:$1}")
}
nodes_ready() { [ "$(k get nodes -o json | jq -r '[.items[].status.conditions[] | select(.type == "Ready").status] | join(" ")')" = 'True True' ]; }
all_ready() { [ "$(pods "$1" '"\(length) \([.[] | select(any(.status.conditions[]?; .type == "Ready" and .status == "True"))] | length)"')" = "$2 $2" ]; }
# at_rest KIND N: all programs run, and so do N pods of the kind, no more
at_rest() { pids "${UNITS[@]}" && nodes_ready && all_ready "$1" "$2"; }
clean_nodes() { PATH=$(dirname "$KUBECTL"):$PATH KUBECONFIG=$ROOT_DIR/admin.conf in_ns host "$ROOT/selftests/tools/node_leaks.py" "$NAME" 2; }
# What is made and never started goes after two minutes, when nobody waits for it any more.
nothing_leaks() { busywait 150 clean_nodes || { clean_nodes; return 1; }; }

# workload NAME REPLICAS [VOLUMES MOUNTS]
workload() {
	k apply -f - >/dev/null <<YAML
{apiVersion: apps/v1, kind: Deployment, metadata: {name: $1}, spec: {replicas: $2, selector: {matchLabels: {app: $1}}, template: {
  metadata: {labels: {app: $1}}, spec: {terminationGracePeriodSeconds: 1,
  volumes: [{name: disk, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}], containers: [{name: c, image: $IMAGE,
  volumeMounts: [{name: disk, mountPath: /disk}, {name: memory, mountPath: /memory}], command: [sh, -c,
  'mkdir /www; echo ok >/www/index.html; echo >>/disk/starts; echo >>/memory/starts; httpd -p 80 -h /www; exec nc -ll -p 7 -e cat']}]}}}}
YAML
}

ok 'a cluster of two nodes' in_ns host "$BIN/xebec" up --name "$NAME" --nodes 2
"$ROOT/selftests/tools/image.py" "$TMP/image.tar" $IMAGE sh
xebec images import --name "$NAME" "$TMP/image.tar" >/dev/null || bail 'cannot import the image'
workload echo 4
workload other 2
k create service clusterip echo --tcp=80 --tcp=7 >/dev/null
ok 'pods run' busywait 60 at_rest '^(echo|other)$' 6
vip=$(k get service echo -o 'jsonpath={.spec.clusterIP}')

# --- under traffic ---
# in_pod_of UID COMMAND...: in its network namespace, and in its cgroup, to which Services are attached
in_pod_of() {
	local cg=$(find "$CGROUP2/xebec/$NAME" -type d -path "*pod$1/*" | head -1) pid; shift
	pid=$(head -1 "$cg/cgroup.procs")
	${XB_EXEC:-} bash -c 'echo $$ >"$1"/cgroup.procs; shift; exec nsenter --net=/proc/'"$pid"'/ns/net "$@"' - "$cg" "$@"
}
mapfile -t ips < <(pods echo '.[].status.podIP')
first=$(pods echo '.[0] | .metadata.uid')
HOLD=() ASK=(--ask "$vip:80")
for ip in "${ips[@]}" "$vip" "$vip"; do HOLD+=(--hold "$ip:7"); done
busywait 10 in_ns host "$BIN/xebec" exec --name "$NAME" -- curl -fs --max-time 1 "http://$vip/"
busywait 10 in_ns host "$BIN/xebec" exec --name "$NAME" --node 2 -- curl -fs --max-time 1 "http://$vip/"
traffic=$ROOT/selftests/tools/traffic.py
XB_EXEC=exec in_ns host "$BIN/xebec" exec --name "$NAME" --node 1 -- "$traffic" "${HOLD[@]}" "${ASK[@]}" >"$TMP/traffic-node-1" 2>&1 & TRAFFIC=($!)
XB_EXEC=exec in_ns host "$BIN/xebec" exec --name "$NAME" --node 2 -- "$traffic" "${HOLD[@]}" "${ASK[@]}" >"$TMP/traffic-node-2" 2>&1 & TRAFFIC+=($!)
XB_EXEC=exec in_pod_of "$first" "$traffic" "${HOLD[@]}" "${ASK[@]}" >"$TMP/traffic-pod" 2>&1 & TRAFFIC+=($!)

same='[.[] | .metadata.uid, .status.podIP, (.status.containerStatuses[0] | .containerID, .state, .restartCount)]'
before=$(pods echo "$same | tojson")
replicas=2 slow='' changed=''
for ((n = 0; n < KILLS; n++)); do
	some_units $((1 + RANDOM % 6))
	replicas=$((1 + (replicas + RANDOM % 4) % 5))
	early=$((RANDOM % 2))
	[ $early = 0 ] || k scale deployment other --replicas=$replicas >/dev/null || slow+=" $n:scale"
	kill9 "${victims[@]}"
	note "$n: ${victims[*]}; other has $replicas"
	pids node-1/kube-apiserver >/dev/null || if [[ " ${victims[*]} " = *' supervisor '* ]]; then up; else busywait 30 pids node-1/kube-apiserver; fi
	[ $early = 1 ] || busywait 15 k scale deployment other --replicas=$replicas || slow+=" $n:scale"
	[[ " ${victims[*]} " != *' supervisor '* ]] || up || { note "$(cat "$TMP/up.log")"; slow+=" $n:up"; }
	busywait 60 at_rest '^(echo|other)$' $((4 + replicas)) || { slow+=" $n"; note "$(k get nodes,pods -o wide)"; }
	now=$(pods echo "$same | tojson")
	[ "$now" = "$before" ] || { changed+=" $n"; note "was $before"; note "now $now"; before=$now; }
done
is "$slow" '' "programs are killed $KILLS times, some at once: all of them come back, nodes are ready, and what changed meanwhile is done"
is "$changed" '' 'no container that ran was touched'
kill "${TRAFFIC[@]}" && wait "${TRAFFIC[@]}"
is "$(jq -r '.held[] | if .broken or .returned < 50 then tojson else "goes on" end' "$TMP"/traffic-* | sort | uniq -c | xargs)" '18 goes on' \
	'no established connection broke or stood still: from both nodes and a pod, to pods and the Service'
is "$(jq -r '.asked[] | if .failed != [] or .requests < 50 then tojson else "all answered" end' "$TMP"/traffic-* | sort | uniq -c | xargs)" \
	'3 all answered' 'and no new one failed'
ok 'nothing is left behind' nothing_leaks

# --- while pods come and go ---
workload wave 0
stray=''
for ((n = 0; n < (KILLS + 2) / 3; n++)); do
	for replicas in 20 0 20; do
		k scale deployment wave --replicas=$replicas >/dev/null
		for i in 1 2; do
			sleep 0.$((RANDOM % 9)) # a random moment is what is wanted
			node=node-$((1 + RANDOM % 2))
			case $((RANDOM % 3)) in 0) kill9 $node/kubelet;; 1) kill9 $node/containerd;; 2) kill9 $node/kubelet $node/containerd;; esac
		done
	done
	busywait 120 at_rest '^wave$' 20 || { stray+=" $n"; note "$(k get nodes,pods -o wide)"; }
done
is "$stray" '' 'kubelet and containerd are killed while 20 pods come and go: in the end all run'
ok 'nothing is left behind' nothing_leaks
k scale deployment wave --replicas=0 >/dev/null
sleep 0.$((RANDOM % 9))
kill9 node-1/kubelet node-1/containerd node-2/containerd
ok 'or all are gone' busywait 120 at_rest '^wave$' 0
ok 'with everything of them' nothing_leaks

# --- the power fails ---
fail_power() {
	echo 1 >"$CGROUP2/xebec/$NAME/cgroup.kill"
	busywait 10 grep -q 'populated 0' "$CGROUP2/xebec/$NAME/cgroup.events"
}
# what a reboot leaves: what is on the disk
reboot() {
	awk -v a="$RUN_DIR/" -v b="$ROOT_DIR/" 'index($2, a) == 1 || index($2, b) == 1 { print $2 }' /proc/mounts | tac | xargs -r -n 1 umount -l
	local ns
	for ns in net node-1 node-2; do umount "/run/netns/xb-$NAME-$ns"; rm "/run/netns/xb-$NAME-$ns"; done
	rm -rf "$RUN_DIR"
	umount -l /run/containerd
	mount -t tmpfs none /run/containerd
	find /sys/fs/cgroup "$CGROUP2" -depth -type d -path "*/xebec/$NAME*" -exec rmdir {} + 2>/dev/null
}
uids='sort_by(.metadata.uid) | [.[] | .metadata.uid, .status.containerStatuses[0].restartCount] | tojson'
again='sort_by(.metadata.uid) | [.[] | .metadata.uid, .status.containerStatuses[0].restartCount + 1] | tojson'
starts() { for uid in $(pods "$1" '.[].metadata.uid'); do wc -l <"$(echo "$ROOT_DIR"/node-*/kubelet/pods/"$uid"/volumes/kubernetes.io~empty-dir/"$2"/starts)"; done | sort -n | uniq | xargs; }
came_back() { [ "$(pods echo "$uids")" = "$expected" ] && at_rest '^(echo|other)$' $((4 + others)); }
comes_back() {
	ok "$1: xebec up" up
	ok 'the same pods come back, each container started once more' busywait 90 came_back || note "$(k get pods -o wide 2>&1)"
	is "$(pods 'echo|other' '[.[].status.podIP] | length - (unique | length)')" 0 'no address is used twice'
	ok 'Services lead to them' busywait 10 in_ns host "$BIN/xebec" exec --name "$NAME" --node 2 -- curl -fs --max-time 1 "http://$vip/"
	ok 'nothing is left behind' nothing_leaks
}
others=$(pods other length)
expected=$(pods echo "$again")
fail_power
comes_back 'everything is killed at once'
is "$(starts echo disk)" 2 'what was on a disk is there'
expected=$(pods echo "$again")
fail_power
reboot
comes_back 'the machine starts anew'
is "$(starts echo disk)/$(starts echo memory)" 3/1 'what was on a disk is there, what was in memory is not'

# --- it fails while pods come and go ---
workload wave 20
sleep 0.$((RANDOM % 9))
fail_power
ok 'killed while pods are made' up
ok 'they run' busywait 120 at_rest '^(echo|other|wave)$' $((24 + others)) || note "$(k get pods -o wide 2>&1)"
ok 'nothing is left behind' nothing_leaks
k scale deployment wave --replicas=5 >/dev/null
sleep 0.$((RANDOM % 9))
fail_power
reboot
ok 'killed while they end' up
ok 'those that are to run do' busywait 120 at_rest '^(echo|other|wave)$' $((9 + others)) || note "$(k get pods -o wide 2>&1)"
ok 'nothing is left behind' nothing_leaks

ok 'xebec down' xebec down --name "$NAME"
is "$(grep -c "$NAME" /proc/mounts; find /sys/fs/cgroup "$CGROUP2" -type d -name "$NAME" | wc -l; ls -d "$ROOT_DIR" "$RUN_DIR" /run/netns/xb-"$NAME"-* 2>/dev/null)" $'0\n0' 'leaves nothing'
done_testing
