#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The main job, end to end: a real kubectl makes a replication controller and a Service; pods are made, get a node, and answer
# behind the Service's address; one that is deleted is replaced.
#
#   main_job.sh BIN_FOLDER        KEEP=1: leave everything up and print how to use it
#   main_job.sh BIN_FOLDER down   take down what KEEP=1 left
#
# There is no kubelet yet: "xebec-bench hollow" says of pods that they run, and this script gives each a network namespace with
# its address and a server. Everything lives in a sandbox: a network namespace for the node, one for each stand-in pod, a cgroup-v2 subtree to which
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

ip netns add $node
in_ns $node ip link set lo up
in_ns $node ip addr add $node_ip/32 dev lo
in_ns $node sysctl -qw net.ipv4.ip_forward=1

say 'The control plane, and kube-proxy on the node'
in_ns $node "$bin/kube-apiserver" --bind-address=$node_ip --advertise-address=$node_ip --cert-dir="$dir/pki" --data-dir="$dir/data" \
	--kubeconfig-out="$dir/admin.conf" --service-cluster-ip-range=10.96.0.0/12 2>"$dir/kube-apiserver.log" &
wait_for in_ns $node curl -fs --max-time 1 --cacert "$dir/pki/ca.crt" https://$node_ip:6443/readyz || fail 'kube-apiserver is not ready'
for program in kube-controller-manager kube-scheduler; do
	in_ns $node "$bin/$program" --kubeconfig="$dir/admin.conf" 2>"$dir/$program.log" &
done
wait_for in_ns $node curl -kfs --max-time 1 https://127.0.0.1:10257/healthz || fail 'kube-controller-manager is not healthy'
wait_for in_ns $node curl -kfs --max-time 1 https://127.0.0.1:10259/healthz || fail 'kube-scheduler is not healthy'
in_ns $node "$bin/xebec-bench" hollow --kubeconfig "$dir/admin.conf" --nodes 1 --prefix node- >"$dir/hollow.log" 2>&1 &
in_ns $node "$bin/kube-proxy" --kubeconfig="$dir/admin.conf" --hostname-override=node-0 --cgroup-path="$cgroup" --bpffs-path="$dir/bpf" \
	2>"$dir/kube-proxy.log" &
wait_for in_ns $node curl -fs --max-time 1 http://127.0.0.1:10256/healthz || fail 'kube-proxy is not healthy'
kq() { in_ns $node env HOME="$dir" KUBECONFIG="$dir/admin.conf" "$kubectl" "$@"; } # quietly
wait_for kq wait --for=condition=Ready node/node-0 --timeout=10s || fail 'node-0 is not ready'
k version
k cluster-info
k get nodes

say 'The introduction, by kubectl'
cat >"$dir/development-ns.yaml" <<'EOF'
kind: "Namespace"
apiVersion: "v1"
metadata:
  name: "development"
  labels:
    name: "development"
EOF
cat >"$dir/nginx-rc.yaml" <<'EOF'
apiVersion: v1
kind: ReplicationController
metadata:
  name: my-nginx
spec:
  replicas: 1
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx
        ports:
        - containerPort: 80
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
running() { kq get pods -n development -l app=nginx -o json | jq -r '.items[] | select(.status.podIP and .metadata.deletionTimestamp == null) | .metadata.name + " " + .status.podIP'; }
are_running() { [ "$(running | wc -l)" = "$1" ]; }
n_networks=0
# what a kubelet and a container would do: the pod's network, and a server in it that says the pod's name
give_network() { # pod, address
	local ns=$name-pod-$1 veth
	[ ! -e /run/netns/"$ns" ] || return 0
	n_networks=$((n_networks + 1)) veth=veth$n_networks
	ip netns add "$ns"
	in_ns $node ip link add $veth type veth peer name eth0 netns "$ns"
	in_ns $node ip link set $veth up
	in_ns $node ip addr add 169.254.1.1/32 dev $veth
	in_ns $node ip route add "$2/32" dev $veth src $node_ip
	in_ns "$ns" ip link set lo up
	in_ns "$ns" ip link set eth0 up
	in_ns "$ns" ip addr add "$2/32" dev eth0
	in_ns "$ns" ip route add 169.254.1.1 dev eth0 scope link
	in_ns "$ns" ip route add default via 169.254.1.1 dev eth0
	in_ns "$ns" "$bin/xebec-bench" serve --http 0.0.0.0:80 --text "$1" 2>"$dir/pod-$1.log" &
	wait_for in_ns $node curl -fs --max-time 1 "http://$2/" || fail "pod $1 does not answer at $2"
}
take_networks() { # of pods that are gone
	local ns
	for ns in $(ip netns list 2>/dev/null | awk '{ print $1 }' | grep "^$name-pod-"); do
		running | grep -q "^${ns#"$name-pod-"} " && continue
		ip netns pids "$ns" | xargs -r kill
		ip netns del "$ns"
	done
}
give_networks() { # to so many pods
	wait_for are_running "$1" || fail "there are not $1 running pods"
	while read -r pod address; do give_network "$pod" "$address"; done < <(running)
}
k create -f "$dir/nginx-rc.yaml" -n development
k scale rc my-nginx --replicas=3 -n development
give_networks 3
k get pods -n development -o wide
k create -f "$dir/nginxsvc.yaml" -n development
vip=$(kq get service nginxsvc -n development -o 'jsonpath={.spec.clusterIP}')
endpoints() { kq get endpointslices -n development -l kubernetes.io/service-name=nginxsvc -o json | jq -r '.items[].endpoints[]? | select(.conditions.ready) | .targetRef.name' | sort; }
follow() { [ "$(endpoints)" = "$(running | cut -d' ' -f1 | sort)" ]; } # do they follow the pods
wait_for follow || fail 'the EndpointSlices do not follow the pods'
k get service nginxsvc -n development
k get endpointslices -n development
first=$name-pod-$(running | head -1 | cut -d' ' -f1)

requests() {
	say "300 requests to http://$vip/ from a pod"
	wait_for in_ns "$first" curl -fs --max-time 1 "http://$vip/" || fail "no answer at $vip"
	for _ in $(seq 300); do in_ns "$first" curl -fsS --max-time 3 "http://$vip/" || fail "a request to $vip"; done | sort | uniq -c
}
requests

say 'A pod is deleted; another takes its place'
k delete "$(kq get pods -n development -l app=nginx -o name | tail -1)" -n development
take_networks
give_networks 3
wait_for follow || fail 'the EndpointSlices do not follow the pods'
k get pods -n development
requests

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
  sudo sh -c 'echo \$\$ > $cgroup/cgroup.procs; exec nsenter --net=/run/netns/$first curl http://$vip/'
  bpftool map dump pinned $(find "$dir/bpf" -name xb_svc)
  logs: $dir/*.log
  take it down:  sudo make down
EOF
	exit 0
fi
sweep
say 'Done; the sandbox is gone.'
