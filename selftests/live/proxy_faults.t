#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is taken from kube-proxy while it runs: the API server, one of its lists, devices, its BPF file system, its cgroup. What it
# served it serves on, here to a client outside.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../two_nodes.sh"

node_up
link client 198.51.100.1/24 2001:db8:1::1/64 198.51.100.2/24 2001:db8:1::2/64
pod_up a; a=$POD_IP
pod_up b; b=$POD_IP
serve a a; serve b b
for at in "$a" "$b"; do busywait 5 in_ns node curl -fsS --max-time 1 "http://$at/" || bail "no server at $at"; done
{ echo 'admintoken,admin,1,"system:masters"'; echo 'halftoken,half,2'; } >"$TMP/tokens.csv"
apiserver_start --authorization-mode=RBAC
k create clusterrole half --verb=get,list,watch --resource=services,nodes,servicecidrs.networking.k8s.io >/dev/null
k create clusterrolebinding half --clusterrole=half --user=half >/dev/null
half() { KUBECONFIG=$TMP/half.conf k config "$@" >/dev/null; }
half set-cluster c --server=$API --certificate-authority="$TMP/pki/ca.crt"
half set-credentials u --token=halftoken
half set-context x --cluster=c --user=u
half use-context x
start() { : >"$TMP/proxy.log"; proxy_start --cluster-cidr=10.244.0.0/16 "$@"; }
says() { [[ $(in_ns client curl -fsS --max-time 1 "http://198.51.100.1:$np/" 2>/dev/null) == "$1 "* ]]; }
to() { slice web 80 "$1" | k replace -f - >/dev/null; }
said() { grep -q "$1" "$TMP/proxy.log"; }
kills() { kill -9 "$1"; wait "$1" 2>/dev/null; }

start
SPEC='"type":"NodePort",' service web 80:80 "$a"
np=$(k get service web -o 'jsonpath={.spec.ports[0].nodePort}')
ok 'a client outside is answered' busywait 5 says a
XB_EXEC=exec in_ns client python3 "$ROOT/selftests/tools/traffic.py" --ask "198.51.100.1:$np" >"$TMP/asked" 2>&1 &
asked=$!

# --- the API server
kills "$PROXY_PID"
to "$b"
kills "$APISERVER_PID"
start
ok 'started without an API server: serves what it finds' says a
ok 'and says what it waits for' busywait 5 said 'services: .*trying on, the tables stay as they are'
apiserver_start --authorization-mode=RBAC
ok 'when it comes, with another state: follows' busywait 40 says b

# --- one of two lists
stop "$PROXY_PID"
to "$a"
start --kubeconfig="$TMP/half.conf"
ok 'endpoints may not be listed: said' busywait 5 said 'endpointslices.*forbidden'
k create service clusterip other --tcp=80 >/dev/null
ok 'endpoints may not be listed: serves what it finds' says b
k create clusterrole rest --verb=get,list,watch --resource=endpointslices.discovery.k8s.io >/dev/null
k create clusterrolebinding rest --clusterrole=rest --user=half >/dev/null
ok 'when they may: follows' busywait 40 says a

# --- devices
in_ns node ip link set to-client name uplink
pod_up other
in_ns node ip link del xbp3
ok 'a device is renamed, others come and go' says a
kill -TERM $asked; wait $asked
is "$(jq -c '.asked[0] | [.requests > 50, .failed]' "$TMP/asked")" '[true,[]]' 'so far no connection has failed'
ns_add away
in_ns node ip link set uplink netns "xb-$T-away"
in_ns away ip link set uplink netns "xb-$T-node"
in_ns node ip addr add 198.51.100.1/24 dev uplink
in_ns node ip link set uplink up
ok 'a device is taken to another network namespace and brought back: served' busywait 5 says a

# --- the cgroup
mkdir "$CG/brief"
stop "$PROXY_PID"
start --cgroup-path="$CG/brief"
rmdir "$CG/brief"
to "$b"
ok 'the cgroup is removed: clients outside are served, and changes followed' busywait 5 says b

# --- the BPF file system
programs() {
	bpftool -j cgroup show "$CG/node" | jq -c '[.[].name] | sort'
	in_ns node bpftool -j net show | jq -c '[.[0].tc[] | [.devname, .kind, .name]] | sort'
	for dev in uplink xbp1; do in_ns node python3 "$ROOT/selftests/tools/foreign.py" ingress $dev 2>/dev/null; done # by tcx
}
inside() { [[ $(get "http://$vip/") == "$1 "* ]]; }
vip=$(cluster_ip web)
stop "$PROXY_PID"
start
ok 'and a client inside' busywait 5 inside b
XB_EXEC=exec in_ns client python3 "$ROOT/selftests/tools/traffic.py" --ask "198.51.100.1:$np" >"$TMP/asked" 2>&1 &
asked=$!
umount -l "$BPFFS"
ok 'the BPF file system is unmounted: said' busywait 5 said 'the tables are pinned nowhere, and what runs ends with this process: .* is not a folder in a BPF file system'
to "$a"
ok 'it serves on, and follows' busywait 5 says a
pod_up late
ok 'what cannot be done is said' busywait 5 said 'xbp4: .*cannot be pinned: its folder is gone'
mount -t bpf bpf "$BPFFS"
ok 'mounted again: all is pinned there' busywait 5 said 'another BPF file system was mounted: tables and links are pinned in '
ok 'the late device is served' busywait 5 said 'xbp4: all programs are in place now'
before=$(programs)
kills "$PROXY_PID"
is "$(programs)" "$before" 'so that they run on without the agent'
to "$b"
start
ok 'and the next one has them' busywait 5 says b
is "$(programs)" "$before" 'and no others'
# one that cannot be reached any more, and is kept all the same
XB_EXEC=exec unshare --mount --propagation private sleep 60 & keeper=$!
kept() { [ "$(readlink /proc/$keeper/ns/mnt)" != "$(readlink /proc/$$/ns/mnt)" ]; }
busywait 5 kept
kills "$PROXY_PID"
umount -l "$BPFFS"
mount -t bpf bpf "$BPFFS"
to "$a"
is "$(programs)" "$before" 'programs that no name leads to run on'
start
ok 'the next one serves clients inside' busywait 5 inside a
ok 'and outside' busywait 5 says a
is "$(programs)" "$before" 'and what ran before is detached'
kill $keeper
kill -TERM $asked; wait $asked
is "$(jq -c '.asked[0] | [.requests > 20, .failed]' "$TMP/asked")" '[true,[]]' 'all the while no connection failed'
done_testing
