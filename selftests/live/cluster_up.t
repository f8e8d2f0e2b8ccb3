#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A cluster in a box: made, made again, grown, used from the host; killed in every way, and gone without a trace.
. "$(dirname "$0")/../cluster.sh"

NAME=$CLUSTER
OTHER=$CLUSTER-2
up() { xebec up --name "$@" >"$TMP/up.out" 2>"$TMP/up.err"; }
status() { xebec status --name "${OF:-$NAME}" -o json | jq -r "$1"; }
all_run() { [ "$(status '.programsNotRunning == 0 and .controlPlane == "ready" and .supervisor == "running"')" = true ]; }
# every program's pid
all_pids() { status '.. | .pid? // empty' | sort -n | tr '\n' ' '; }
unit() { status ".\"node-1\".\"$1\".pid"; }
# left NAME: whatever there is of a cluster
left() {
	local pid cg shim
	for pid in /proc/[0-9]*; do
		if grep -q "/xebec/$1\(/\|$\)" "$pid/cgroup" || tr '\0' ' ' <"$pid/cmdline" | grep -q "/xebec/\(clusters/\)\?$1/"; then
			echo "process ${pid#/proc/}: $(tr '\0' ' ' <"$pid/cmdline")"
		fi
	done 2>/dev/null
	find /run/netns -name "xb-$1-*" 2>/dev/null
	grep -E "/(clusters|run/xebec)/$1/" /proc/self/mounts
	awk '$3 ~ /^cgroup/ { print $2 }' /proc/self/mounts | while read -r cg; do [ ! -e "$cg/xebec/$1" ] || echo "$cg/xebec/$1"; done
	ls -d "$CLUSTERS/$1" "/run/xebec/$1" 2>/dev/null
	for shim in $SHIMS; do [ ! -e "$shim" ] || echo "$shim"; done
	ip -o link show 2>/dev/null | grep xebec
	ip route show; ip -6 route show | grep -v 'dev lo'
}
nothing_left() { [ -z "$(left "$1")" ]; }
# what shims and runc have outside of the cluster's folders: sets SHIMS
SHIMS=
note_shims() {
	local d=/run/xebec/${1:-$NAME}/node-1/containerd/io.containerd.runtime.v2.task/k8s.io
	SHIMS=$(sed 's,^unix://,,; s,$,\n,' "$d"/*/address 2>/dev/null | tr '\n' ' ')
	for d in "$d"/[0-9a-f]*; do [ ! -d "$d" ] || SHIMS="$SHIMS /run/containerd/runc/k8s.io/${d##*/}"; done
}
goes() { # description
	note_shims
	ok "$1: down" xebec down --name "$NAME"
	ok "$1: nothing is left" busywait 15 nothing_left "$NAME"
	nothing_left "$NAME" || note "$(left "$NAME")"
}
nginx() {
	k create -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: nginx}
spec:
  containers: [{name: nginx, image: nginx, imagePullPolicy: IfNotPresent}]
YAML
}
# refused DESCRIPTION PATTERN ARGUMENTS...
refused() { local d=$1 p=$2; shift 2; if xebec "$@" >"$TMP/out" 2>&1; then _result 1 "$d"; else like "$(cat "$TMP/out")" "$p" "$d"; fi; }

# --- one node ---
xebec images build-demo >/dev/null || bail 'cannot make images'
start=$(date +%s%N)
ok 'up' up "$NAME"
control=$(sed -n 's/^ *\([0-9.]*\) s  control plane ready/\1/p' "$TMP/up.err")
export KUBECONFIG=$(xebec kubeconfig --name "$NAME")
busywait 5 k get serviceaccount default
nginx >/dev/null
ok 'a pod of it runs' busywait 40 pod_is nginx .status.phase Running
note "control plane ready after $control s, the first pod runs after $((($(date +%s%N) - start) / 1000000)) ms"
is "$(stat -c %a "$KUBECONFIG")" 600 'its kubeconfig is for root alone'
is "$(k get nodes -o 'jsonpath={.items[*].metadata.name}')" node-1 'kubectl'
is "$(status '[.controlPlane, .supervisor, ."node-1".ready, .programsNotRunning] | join(" ")')" 'ready running True 0' 'status'
like "$(xebec status --name "$NAME")" "name: $NAME"$'\n'.*'server: https://172\.28\.[0-9]+\.2:6443' 'status for people'
ip=$(pod nginx .status.podIP)
like "$(curl -fsS --max-time 3 "http://$ip/")" 'Welcome to nginx' 'the host reaches a pod'
k expose pod nginx --port=80 >/dev/null 2>&1 || { k label pod nginx app=nginx >/dev/null && k expose pod nginx --port=80 >/dev/null; }
vip=$(k get service nginx -o 'jsonpath={.spec.clusterIP}')
ok 'so does a process of the node, by a Service' busywait 5 on 1 curl -fsS --max-time 2 -o "$TMP/page" "http://$vip/"
ok "a node's tables are what the API server says" busywait 5 xebec check --name "$NAME" --node node-1
like "$(xebec services default/nginx --name "$NAME" --node node-1)" "default/nginx +TCP +$vip:80 " 'and are shown by its name'
answers() { curl -fsS --max-time 2 "http://$1/" | grep -q 'Welcome to nginx'; }
ok 'and the host itself' answers "$vip"
k patch service nginx -p '{"spec":{"type":"NodePort","ipFamilyPolicy":"PreferDualStack"}}' >/dev/null
port=$(k get service nginx -o 'jsonpath={.spec.ports[0].nodePort}')
vip6=$(k get service nginx -o 'jsonpath={.spec.clusterIPs[1]}')
address() { status ".\"node-$1\".address"; }
ok "by a node's port" busywait 5 answers "$(address 1):$port"
ok 'by IPv6' busywait 5 answers "[$vip6]"
is "$(k auth can-i list pods -A --as=system:kube-proxy)$(k auth can-i list secrets -A --as=system:kube-proxy)" yesno 'kube-proxy may read pods for their hostPorts, and no secrets'
is "$(on 1 sh -c 'exit 7'; echo $?)" 7 'exec ends as its program does'
is "$(on 1 sh -c 'echo $KUBECONFIG')" "$KUBECONFIG" 'and has the kubeconfig'

# --- again ---
before=$(all_pids)
ok 'up again' up "$NAME"
is "$(all_pids)" "$before" 'changes no program'
is "$(pod nginx .status.containerStatuses[0].restartCount)" 0 'and no pod'

# --- bad input ---
refused 'a name with capitals' '^xebec: --name: "Up" is no name for a cluster: at most 20 of a-z, 0-9 and .-.$' up --name Up
refused 'a path' 'is no name' up --name ../x
refused 'one that is too long' 'is no name' up --name abcdefghijklmnopqrstu
refused 'an empty one' 'is no name' up --name=
refused 'fewer nodes than there are not' '--nodes' up --name "$NAME" --nodes=-1
refused 'too many' '--nodes' up --name "$NAME" --nodes 1000
refused 'no such cluster: status' '^xebec: there is no cluster "none": "xebec up --name none" makes it$' status --name none
refused 'kubeconfig' 'there is no cluster "none"' kubeconfig --name none
refused 'exec' 'there is no cluster "none"' exec --name none -- true
refused 'import' 'there is no cluster "none"' images import --name none x.tar
refused 'no such node' '^xebec: --node: 9 is more than the 1 that the cluster has$' exec --name "$NAME" --node 9 -- true
refused 'no such program' "cannot run 'nosuchprogram': No such file or directory" exec --name "$NAME" -- nosuchprogram
refused 'no tables here: it says which nodes there are' "no kube-proxy has tables at .*; here there is .*--name $NAME --node node-1" services --bpffs-path "$TMP"
refused 'another cluster' "there is no cluster \"none\".*; here there is .*--name $NAME --node node-1" services --name none --node node-1
like "$(xebec services --name "$NAME" --node node-1)" "default/nginx +TCP +$vip:80 +" "a node's services"
for verb in up down; do
	setpriv --reuid=65534 --clear-groups "$BIN/xebec" $verb --name "$NAME" >"$TMP/out" 2>&1
	like "$?$(cat "$TMP/out")" "^1xebec: .*need.* root: sudo xebec $verb" "not as root: $verb"
done
ok 'down of none is well' xebec down --name "$OTHER"
ok 'and leaves others alone' k get nodes

# --- images ---
refused 'no such archive' "node-1: cannot open '$TMP/none.tar': No such file" images import --name "$NAME" "$TMP/none.tar"
head -c 30000 /dev/urandom >"$TMP/noise.tar"
refused 'noise' "is no archive of images" images import --name "$NAME" "$TMP/noise.tar"
: >"$TMP/empty.tar"
refused 'an empty file' "is no tar archive" images import --name "$NAME" "$TMP/empty.tar"
head -c 100000 /var/lib/xebec/images/busybox.tar >"$TMP/short.tar"
refused 'a part of an archive' "'$TMP/short.tar' is no archive of images" images import --name "$NAME" "$TMP/short.tar"
"$ROOT/selftests/tools/image.py" "$TMP/own.tar" localhost/own:1 sleep 1000
is "$(xebec images import --name "$NAME" "$TMP/own.tar" -o json | jq -c '[.images, .nodes]')" '[1,1]' 'an image of one'"'"'s own'
k run own --image=localhost/own:1 --restart=Never >/dev/null
ok 'runs' busywait 30 pod_is own .status.phase Running

registry=http://$(status '."node-1".address'):5000/v2
code() { curl -s -o "$TMP/page" -w '%{http_code}' --max-time 3 "$@"; }
is "$(code "$registry/library/nginx/manifests/latest?ns=docker.io")" 200 'the registry has what "build-demo" made'
digest=$(jq -r '.config.digest // .manifests[0].digest' "$TMP/page")
is "$(code "$registry/library/nginx/blobs/$digest") sha256:$(sha256sum <"$TMP/page" | cut -d' ' -f1)" "200 $digest" 'and its parts'
is "$(code "$registry/library/nginx/manifests/latest") $(code "$registry/library/nginx/manifests/9?ns=docker.io") $(code "$registry/x?ns=")" '404 404 404' 'not those of another registry, nor other versions'
is "$(code "$registry/library/nginx/blobs/sha256:../../etc/passwd") $(code -X PUT "$registry/library/nginx/manifests/latest?ns=docker.io")" '404 405' 'nor can it be written'
k run pulled --image=nginx >/dev/null
ok 'an image of no version is pulled from it' busywait 30 pod_is pulled .status.phase Running

# --- three nodes, and another cluster beside them ---
up "$OTHER" 2>"$TMP/other.err" &
ok 'grows' up "$NAME" --nodes 3
wait $! || note "$(cat "$TMP/up.err")"
ok 'nodes are ready' k wait --for=condition=Ready node/node-1 node/node-2 node/node-3 --timeout=60s
now=" $(all_pids)"
is "$(for pid in $before; do [[ $now = *" $pid "* ]] || echo "$pid"; done)" '' 'what ran goes on'
ok 'the host reaches a Service by the port of a node without its pod' busywait 5 answers "$(address 3):$port"
is "$(k get nodes -o json | jq -c '[.items[].metadata.labels."kubernetes.io/hostname"]')" '["node-1","node-2","node-3"]' 'each is a host to the scheduler'
refused 'it does not shrink' '--nodes: the cluster has 3 nodes, and does not shrink' up --name "$NAME" --nodes 2
OF=$OTHER ok 'another cluster beside it' busywait 10 all_run
[ "$(status .server)" != "$(OF=$OTHER status .server)" ]
is $? 0 'with a network of its own'
is "$(KUBECONFIG=$(xebec kubeconfig --name "$OTHER") k get pods -o name)" '' 'and no pods'
xebec down --name "$OTHER" >/dev/null
is "$(ls -d "$CLUSTERS/$OTHER" "/run/xebec/$OTHER" 2>/dev/null)" '' 'the other goes'
ok 'this one stays' busywait 10 all_run

# --- killed ---
kill -9 "$(cat /sys/fs/cgroup/unified/xebec/"$NAME"/supervisor/cgroup.procs "$CGROUP2/xebec/$NAME/supervisor/cgroup.procs" 2>/dev/null | head -1)"
unsupervised() { [ "$(status .supervisor)" = 'not running' ]; }
busywait 5 unsupervised
is "$(status '[.controlPlane, .supervisor, .programsNotRunning] | join(" ")')" 'ready not running 0' 'without its supervisor all goes on'
before=$(all_pids)
ok 'up' up "$NAME"
ok 'another takes over' busywait 10 all_run
is "$(all_pids)" "$before" 'what runs'
victim=$(unit kubelet)
kill -9 "$victim"
back() { all_run && [ "$(unit kubelet)" != "$victim" ]; }
ok 'and starts again what ends' busywait 10 back
note_shims
echo 1 >"$CGROUP2/xebec/$NAME/cgroup.kill"
ok 'all is killed: up' up "$NAME"
ok 'all runs again' busywait 40 all_run
ok 'pods too' busywait 40 pod_is nginx '[.status.containerStatuses[0].restartCount, .status.phase] | join(" ")' '1 Running'
goes 'three nodes'

# --- killed on the way ---
for ms in 5 40 150; do
	"$BIN/xebec" up --name "$NAME" --nodes 2 2>/dev/null &
	pid=$!
	sleep 0.$(printf %03d $ms)
	kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
	goes "up killed after $ms ms"
done
"$BIN/xebec" up --name "$NAME" 2>/dev/null &
pid=$!
sleep 0.05
kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
ok 'up after one that was killed' up "$NAME"
ok 'is whole' busywait 10 all_run
kill -9 "$(cat "$CGROUP2/xebec/$NAME/supervisor/cgroup.procs")"
echo 1 >"$CGROUP2/xebec/$NAME/cgroup.kill"
goes 'all killed'
echo broken >"$TMP/x"; mkdir -p "$CLUSTERS/$NAME" && cp "$TMP/x" "$CLUSTERS/$NAME/cluster.json"
refused 'a broken state is told' "cluster.json" up --name "$NAME"
goes 'a broken state'

# --- at once ---
for i in 1 2 3; do "$BIN/xebec" up --name "$NAME" >/dev/null 2>"$TMP/up$i.err" & pids[i]=$!; done
wait "${pids[@]}"
ok 'three at once make one' busywait 20 all_run
like "$(cat "$TMP"/up?.err)" 'waiting for another "xebec up" or "down" of this cluster to end' 'and say for what they wait'
"$BIN/xebec" down --name "$NAME" >/dev/null 2>&1 & pids[1]=$!
"$BIN/xebec" up --name "$NAME" >/dev/null 2>&1 & pids[2]=$!
"$BIN/xebec" down --name "$NAME" >/dev/null 2>&1 & pids[3]=$!
wait "${pids[@]}"
goes 'up and down at once'
done_testing
