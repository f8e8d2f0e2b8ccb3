#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What traffic of no service pays for the programs of a node that it crosses: one byte to and from a pod through its two devices, and
# back, beside a node without programs and one whose programs do nothing.   bystander.sh BIN_FOLDER [OTHER_BIN_FOLDER]
#
# Stands that differ in nothing else, each of three namespaces; those with kube-proxy have 100 services, of which the pod is none.
#   client 198.51.100.2 -- node 198.51.100.1, 10.244.1.1 -- pod 10.244.1.2
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"
POD=10.244.1.2 PORT=5201
ONE=(nice -n "${NICE:--15}" taskset -c "${CPU:-0}")
targets=()

# link NS DEVICE ADDRESS NS DEVICE ADDRESS
link() {
	in_ns "$1" ip link add "$2" type veth peer name "$5" netns "xb-$T-$4"
	in_ns "$1" ip addr add "$3" dev "$2"; in_ns "$4" ip addr add "$6" dev "$5"
	in_ns "$1" ip link set "$2" up; in_ns "$4" ip link set "$5" up
}
stand() { # NAME
	[ "$1" = node ] || ns_add "$1"
	ns_add "$1-client"; ns_add "$1-pod"
	link "$1" client 198.51.100.1/24 "$1-client" eth0 198.51.100.2/24
	link "$1" pod 10.244.1.1/24 "$1-pod" eth0 $POD/24
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1
	in_ns "$1-client" ip route add default via 198.51.100.1
	in_ns "$1-pod" ip route add default via 10.244.1.1
	XB_EXEC=exec in_ns "$1-pod" "${ONE[@]}" "$BIN/xebec-bench" serve --echo 0.0.0.0:$PORT 2>"$TMP/serve-$1.log" &
	targets+=("--to=$1=$POD:$PORT,netns=/run/netns/xb-$T-$1-client,server=$!")
	busywait 5 in_ns "$1-client" bash -c "exec 3<>/dev/tcp/$POD/$PORT" || bail "no server in $1"
}
on_devices() { [ "$(find "$BPFFS/xebec" "$TMP/bpf-other" -name 'dev*gress' | wc -l)" -ge "$1" ]; }

mkdir -p "$TMP/bpf-other" "$CG/other" && mount -t bpf bpf "$TMP/bpf-other"
node_up
for name in bare empty node ${2:+other}; do stand $name; done
XB_EXEC=exec in_ns empty python3 "$ROOT/tools/bench/empty_hooks.py" client pod >"$TMP/empty" &
busywait 5 grep -q ready "$TMP/empty" || bail 'no empty programs'
apiserver_start
in_ns node python3 "$ROOT/tools/bench/load_services.py" --url $API --ca "$TMP/pki/ca.crt" --token admintoken --first 1 --services 100 \
	--endpoints 4 || bail 'loading failed'
proxy_start
if [ -n "${2:-}" ]; then
	link node uplink 172.30.0.1/24 other uplink 172.30.0.2/24
	in_ns other ip route add default via 172.30.0.1
	XB_EXEC=exec in_ns other "$2/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=node --cgroup-path="$CG/other" \
		--bpffs-path="$TMP/bpf-other" >>"$TMP/proxy-other.log" 2>&1 &
fi
busywait 20 on_devices $((${2:+6} + 4)) || bail 'the programs are not on the devices'
timeout 900 "${ONE[@]}" "$BIN/xebec-bench" service --rounds "${ROUNDS:-100}" --seconds "${SECONDS_EACH:-0.03}" --kind tcp_rr --kind udp_rr "${targets[@]}"
