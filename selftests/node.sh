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
# containerd_start: sets CONTAINERD_PID; waits until it answers. The first time it imports the two images.
containerd_start() {
	local first=
	if [ ! -e "$TMP/containerd.toml" ]; then
		first=1
		mkdir -p /run/containerd "$TMP/cni/bin" "$TMP/cni/net.d"
		mount -t tmpfs none /run/containerd || bail 'cannot mount over /run/containerd'
		containerd_config
	fi
	containerd --config "$TMP/containerd.toml" >>"$TMP/containerd.log" 2>&1 &
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
