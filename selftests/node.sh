# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# For live tests with real containers: source it after lib.sh. A containerd of the test's own, that shares nothing with the
# machine's: root, state and socket lie in $TMP, and what it has compiled in (/run/containerd) is the test's own mount. Its
# shims and all containers live in $CG and in the cgroup that CRI is told, so that they end with the test.

CONTAINERD_SOCKET=$TMP/containerd.sock
PODS_CGROUP=/$(basename "$CG")-pods # a sandbox's cgroup_parent; lib.sh ends what is in there
PAUSE_IMAGE=localhost/pause:test
BUSYBOX_IMAGE=localhost/busybox:test

# containerd_config: to $TMP/containerd.toml
containerd_config() {
	cat >"$TMP/containerd.toml" <<TOML
version = 2
root = "$TMP/containerd/root"
state = "$TMP/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
	"io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "$CONTAINERD_SOCKET"
[plugins."io.containerd.internal.v1.opt"]
  path = "$TMP/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true
  stats_collect_period = 1
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$TMP/cni/bin"
    conf_dir = "$TMP/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${SNAPSHOTTER:-overlayfs}"
TOML
}
# containerd_start: sets CONTAINERD_PID; waits until it answers. The first time it imports the two images. With CONTAINERD_NS=node it is in
# that network namespace, as its stream server must be where the kubelet is.
containerd_start() {
	local first=
	if [ ! -e "$TMP/containerd.toml" ]; then
		first=1
		mkdir -p /run/containerd "$TMP/cni/bin" "$TMP/cni/net.d"
		mount -t tmpfs none /run/containerd || bail 'cannot mount over /run/containerd'
		containerd_config
	fi
	${CONTAINERD_NS:+nsenter --net="/run/netns/xb-$T-$CONTAINERD_NS"} containerd --config "$TMP/containerd.toml" >>"$TMP/containerd.log" 2>&1 &
	CONTAINERD_PID=$!
	busywait 20 ctr version || { note "$(tail -20 "$TMP/containerd.log")"; bail 'containerd does not answer after 20 s'; }
	[ -z "$first" ] || { image_import "$PAUSE_IMAGE" sleep infinity; image_import "$BUSYBOX_IMAGE" sh; }
}
# ctr ARGUMENTS...: in the namespace of CRI
ctr() { command ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }
# image_import NAME COMMAND...: an image of busybox that runs it
image_import() {
	"$ROOT/selftests/tools/image.py" "$TMP/image.tar" "$@" && ctr images import --snapshotter "${SNAPSHOTTER:-overlayfs}" "$TMP/image.tar" \
		>"$TMP/import.log" 2>&1 || { note "$(cat "$TMP/import.log")"; bail "cannot import $1"; }
	rm "$TMP/image.tar"
}
# cni_none: pods get an address of 10.88.0.0/24 that leads nowhere
cni_none() {
	cat >"$TMP/cni/bin/none" <<'SH'
#!/bin/bash
# the plugin "loopback" is asked for as well
case $CNI_COMMAND in
ADD)
	if [ "${0##*/}" = loopback ]; then echo '{"cniVersion":"0.3.1"}'; exit; fi
	exec 9>"${0%/*}/lock"; flock 9
	n=$(($(cat "${0%/*}/last" 2>/dev/null || echo 1) + 1)); echo $n >"${0%/*}/last"
	echo '{"cniVersion":"1.0.0","interfaces":[{"name":"'"$CNI_IFNAME"'","sandbox":"'"$CNI_NETNS"'"}],"ips":[{"address":"10.88.0.'$n'/24","interface":0}]}';;
VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","1.0.0"]}';;
esac
SH
	chmod +x "$TMP/cni/bin/none"
	ln -sf none "$TMP/cni/bin/loopback"
	echo '{"cniVersion":"1.0.0","name":"none","plugins":[{"type":"none"}]}' >"$TMP/cni/net.d/10-none.conflist"
}
# kubelet_start FLAGS...: as system:node:n1 in the node's namespace; sets KUBELET_PID; waits until it is healthy
kubelet_start() {
	if [ ! -e "$TMP/kubelet.conf" ]; then
		mkdir -p "$TMP/kubelet" "$TMP/logs"
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/kubelet.key" -subj /O=system:nodes/CN=system:node:n1 \
			2>/dev/null | openssl x509 -req -CA "$TMP/pki/ca.crt" -CAkey "$TMP/pki/ca.key" -CAcreateserial -days 1 -out "$TMP/kubelet.crt" 2>/dev/null
		cat >"$TMP/kubelet.conf" <<JSON
{"clusters":[{"name":"x","cluster":{"server":"$API","certificate-authority":"$TMP/pki/ca.crt"}}],"contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
"current-context":"x","users":[{"name":"x","user":{"client-certificate":"$TMP/kubelet.crt","client-key":"$TMP/kubelet.key"}}]}
JSON
	fi
	XB_EXEC=exec in_ns node "$BIN/kubelet" --kubeconfig="$TMP/kubelet.conf" --hostname-override=n1 --node-ip=192.0.2.1 --root-dir="$TMP/kubelet" \
		--pod-logs-dir="$TMP/logs" --container-runtime-endpoint="unix://$CONTAINERD_SOCKET" --cgroup-root="$PODS_CGROUP" \
		--pod-infra-container-image="$PAUSE_IMAGE" --cert-dir="$TMP/kubelet/pki" "$@" >>"$TMP/kubelet.log" 2>&1 &
	KUBELET_PID=$!
	busywait 20 in_ns node curl -fsS --max-time 1 http://127.0.0.1:10248/healthz ||
		{ note "$(tail -20 "$TMP/kubelet.log")"; bail "kubelet is not healthy after 20 s"; }
}
# pod NAME SPEC: bound to n1
pod() {
	k create -f - >/dev/null <<JSON
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$1"},"spec":{"nodeName":"n1","terminationGracePeriodSeconds":5,$2}}
JSON
}
status() { raw "$CORE/pods/$1" 2>/dev/null | jq -c ".status | $2"; }
says() { [ "$(status "$1" "$2")" = "$3" ]; }
# becomes POD FILTER VALUE DESCRIPTION: its status soon says so
becomes() {
	if busywait "${WAIT:-15}" says "$1" "$2" "$3"; then
		_result 0 "$4"
	else
		_result 1 "$4"
		note "expected: $3"
		note "     got: $(status "$1" "$2")"
		note "$(status "$1" .)"
		note "$(tail -5 "$TMP/kubelet.log")"
	fi
}
gone() { [ "$(api GET "$CORE/pods/$1" | tail -1)" = 404 ]; }
none_left() { [ "$(raw "$CORE/pods" | jq '.items | length')" = 0 ]; }
nothing_runs() { [ -z "$(ctr containers ls -q)" ]; }
# told POD FIELD_PATH REASON...: Events of all these reasons on that part of the pod
told() {
	local pod=$1 path=$2 r; shift 2
	for r; do raw "$CORE/events" | jq -e --arg p "$pod" --arg f "$path" --arg r "$r" '.items | any(.involvedObject.name == $p and .involvedObject.fieldPath == $f and .reason == $r)' || return; done
}
# said POD MESSAGE: an Event says so
said() { raw "$CORE/events" | jq -e --arg p "$1" --arg m "$2" '.items | any(.involvedObject.name == $p and (.message | contains($m)))'; }
