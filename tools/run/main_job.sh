#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The main job, end to end: a real kubectl creates a Service, and the pods behind its address answer.
#
#   main_job.sh BIN_FOLDER        KEEP=1: leave everything up and print how to use it
#   main_job.sh BIN_FOLDER down   take down what KEEP=1 left
#
# Everything lives in a sandbox: a network namespace for the node, one for each stand-in pod, a cgroup-v2 subtree to which
# kube-proxy attaches its programs, a bpffs of its own and a folder in /tmp. The host's network is not touched.
set -euo pipefail

bin=$(realpath "$1")
name=xebec-run
dir=/tmp/$name
node=$name-node
node_ip=192.0.2.1
kubectl=$(command -v kubectl) || { echo 'main job: no kubectl; run "sudo make setup"' >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo 'main job: namespaces, cgroups and BPF need root: sudo make run' >&2; exit 1; }

cgroup2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -z "$cgroup2" ]; then
	cgroup2=/run/xebec-cgroup2
	mkdir -p $cgroup2 && mount -t cgroup2 none $cgroup2
fi
cgroup=$cgroup2/$name

sweep() {
	local ns
	if [ -d "$cgroup" ]; then
		echo 1 >"$cgroup/cgroup.kill"
		for _ in $(seq 500); do grep -q 'populated 0' "$cgroup/cgroup.events" && break; sleep 0.01; done
		rmdir "$cgroup"
	fi
	for ns in $(ip netns list 2>/dev/null | awk '{ print $1 }' | grep "^$name-" || true); do ip netns del "$ns"; done
	if mountpoint -q "$dir/bpf"; then umount "$dir/bpf"; fi
	rm -rf "$dir"
}
fail() {
	echo "main job: failed: $*" >&2
	tail -n 15 "$dir"/*.log >&2 2>/dev/null || true
	sweep
	exit 1
}
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# in NAMESPACE COMMAND...: as a process of the sandbox
in_ns() { local ns=$1; shift; bash -c 'echo $$ >'"$cgroup"'/cgroup.procs; exec nsenter --net=/run/netns/'"$ns"' "$@"' - "$@"; }
wait_for() { local i; for i in $(seq 1000); do "$@" >/dev/null 2>&1 && return 0; sleep 0.02; done; return 1; }
k() {
	printf '$ kubectl %s\n' "$*"
	in_ns $node env HOME="$dir" KUBECONFIG="$dir/admin.conf" "$kubectl" "$@" || fail "kubectl $*"
}

sweep
[ "${2:-}" != down ] || exit 0
trap 'fail "line $LINENO"' ERR
trap 'sweep; exit 130' INT TERM
mkdir -p "$dir/bpf" "$cgroup"
mount -t bpf bpf "$dir/bpf"

say 'A node, and three stand-in pods'
ip netns add $node
in_ns $node ip link set lo up
in_ns $node ip addr add $node_ip/32 dev lo
in_ns $node sysctl -qw net.ipv4.ip_forward=1
pods=(nginx-1 nginx-2 nginx-3)
for i in 1 2 3; do
	ns=$name-pod$i ip=10.244.1.$((i + 1))
	ip netns add $ns
	in_ns $node ip link add veth$i type veth peer name eth0 netns $ns
	in_ns $node ip link set veth$i up
	in_ns $node ip addr add 169.254.1.1/32 dev veth$i
	in_ns $node ip route add $ip/32 dev veth$i src $node_ip
	in_ns $ns ip link set lo up
	in_ns $ns ip link set eth0 up
	in_ns $ns ip addr add $ip/32 dev eth0
	in_ns $ns ip route add 169.254.1.1 dev eth0 scope link
	in_ns $ns ip route add default via 169.254.1.1 dev eth0
	in_ns $ns "$bin/xebec-bench" serve --http 0.0.0.0:80 --text "${pods[i - 1]}" 2>"$dir/pod$i.log" &
	wait_for in_ns $node curl -fs --max-time 1 http://$ip/ || fail "pod $i does not answer at $ip"
	echo "${pods[i - 1]}  $ip"
done

say 'kube-apiserver and kube-proxy'
in_ns $node "$bin/kube-apiserver" --bind-address=$node_ip --advertise-address=$node_ip --cert-dir="$dir/pki" --data-dir="$dir/data" \
	--kubeconfig-out="$dir/admin.conf" --service-cluster-ip-range=10.96.0.0/12 2>"$dir/kube-apiserver.log" &
wait_for in_ns $node curl -fs --max-time 1 --cacert "$dir/pki/ca.crt" https://$node_ip:6443/readyz || fail 'kube-apiserver is not ready'
in_ns $node "$bin/kube-proxy" --kubeconfig="$dir/admin.conf" --hostname-override=node --cgroup-path="$cgroup" --bpffs-path="$dir/bpf" \
	2>"$dir/kube-proxy.log" &
wait_for in_ns $node curl -fs --max-time 1 http://127.0.0.1:10256/healthz || fail 'kube-proxy is not healthy'
k version
k cluster-info

say 'The introduction, by kubectl'
cat >"$dir/development-ns.yaml" <<'EOF'
kind: "Namespace"
apiVersion: "v1"
metadata:
  name: "development"
  labels:
    name: "development"
EOF
cat >"$dir/nginxsvc.yaml" <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: nginxsvc
  labels:
    app: nginx
spec:
  ports:
  - port: 80
    protocol: TCP
  selector:
    app: nginx
EOF
k create -f "$dir/development-ns.yaml"
k get namespaces
for i in 1 2 3; do
	cat <<EOF
---
apiVersion: v1
kind: Pod
metadata:
  name: ${pods[i - 1]}
  namespace: development
  labels:
    app: nginx
spec:
  nodeName: node
  containers:
  - name: nginx-server
    image: nginx
    ports:
    - containerPort: 80
EOF
done >"$dir/pods.yaml"
k create -f "$dir/pods.yaml"
# what a kubelet and the endpoint slice controller would write; both are stand-ins here
echo '# (a kubelet would now report that the containers run)'
kq() { in_ns $node env HOME="$dir" KUBECONFIG="$dir/admin.conf" "$kubectl" "$@"; } # quietly
for i in 1 2 3; do
	kq get pod "${pods[i - 1]}" -n development -o json | jq --arg ip 10.244.1.$((i + 1)) --arg now "$(date -u +%FT%TZ)" '.status += {
		phase: "Running", podIP: $ip, conditions: [{type: "Ready", status: "True"}], containerStatuses: [{name: "nginx-server",
		ready: true, restartCount: 0, image: "nginx", imageID: "", state: {running: {startedAt: $now}}}]}' >"$dir/status.json"
	kq replace --raw "/api/v1/namespaces/development/pods/${pods[i - 1]}/status" -f "$dir/status.json" >/dev/null || fail "status of ${pods[i - 1]}"
done
k get pods -n development -o wide
k create -f "$dir/nginxsvc.yaml" -n development
{
	printf 'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: nginxsvc-1\n  namespace: development\n'
	printf '  labels:\n    kubernetes.io/service-name: nginxsvc\naddressType: IPv4\nports:\n- port: 80\n  protocol: TCP\nendpoints:\n'
	for i in 1 2 3; do printf -- '- addresses: ["10.244.1.%d"]\n  conditions: {ready: true}\n' $((i + 1)); done
} >"$dir/slice.yaml"
k create -f "$dir/slice.yaml"
k get service nginxsvc -n development
k get endpointslices -n development
vip=$(kq get service nginxsvc -n development -o 'jsonpath={.spec.clusterIP}')

say "300 requests to http://$vip/ from the first pod"
wait_for in_ns $name-pod1 curl -fs --max-time 1 "http://$vip/" || fail "no answer at $vip"
for _ in $(seq 300); do in_ns $name-pod1 curl -fsS --max-time 3 "http://$vip/" || fail "a request to $vip"; done | sort | uniq -c

say 'The same service in the BPF tables, as bpftool reads them'
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)
dump() { "$bpftool" -j map dump pinned "$(find "$dir/bpf" -name "$1")" | jq -c '.[] | .formatted // .'; }
echo "\$ bpftool map dump pinned .../xb_fe4        (where clients reach services; entries in use)"
dump xb_fe4 | jq -c '.value.way[] | select(.fe.kind != "XB_FRONTEND_NONE")'
echo "\$ bpftool map dump pinned .../xb_svc        (ports of services: which block of xb_be4 is theirs)"
dump xb_svc | jq -c 'select(.value.internal.count > 0)'
echo "\$ bpftool map dump pinned .../xb_name"
dump xb_name | jq -c 'select(.value.name != "")'

if [ "${KEEP:-}" = 1 ]; then
	trap - ERR INT TERM
	say 'Left up. How to use it:'
	cat <<EOF
  alias k='ip netns exec $node kubectl --kubeconfig $dir/admin.conf'
  k get pods -A
  sudo sh -c 'echo \$\$ > $cgroup/cgroup.procs; exec nsenter --net=/run/netns/$name-pod1 curl http://$vip/'
  bpftool map dump pinned $(find "$dir/bpf" -name xb_svc)
  logs: $dir/kube-apiserver.log $dir/kube-proxy.log
  take it down:  sudo make down
EOF
	exit 0
fi
sweep
say 'Done; the sandbox is gone.'
