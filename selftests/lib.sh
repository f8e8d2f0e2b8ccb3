# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# For live tests (TAP, bash): source it first. Each test gets, named after itself: a mount namespace, network namespaces, a
# cgroup-v2 subtree in which all its processes live, and a temporary folder. All of that goes when the test ends; what a
# killed run left is swept when the same test starts again.
#
#   node (network namespace)  192.0.2.1 and 2001:db8::1 on lo; the API server and kube-proxy run here
#     |-- veth -- pod a (network namespace)  its address as /32, default route to the node
#     |-- veth -- pod b ...
#
# Node and pods share the cgroup $CG/node, to which kube-proxy attaches.

set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# the test's name and a mark of its checkout, so that two checkouts may test at the same time
T=$(basename "$0" .t)-$(cksum <<<"$ROOT" | cut -c1-5)
BIN=${XB_BUILD:-$ROOT/build}/bin
TOOLS=${XB_BUILD:-$ROOT/build}/selftests
DATA=${XB_K8S_DATA:-$ROOT/../shared/k8s}
KUBECTL=$(command -v kubectl)
# the minor version of the machine's kubectl: Debian's own is 20, and then what only newer ones do is not asked of it
kubectl_minor() { "$KUBECTL" version --client -o json 2>/dev/null | jq -r '.clientVersion.minor' | tr -cd 0-9; }
KUBECTL_120=/var/cache/xebec/kubernetes-client-1.20/usr/bin/kubectl
# that of 1.32, where the machine's is as new: one that only calls the one of the server's version has it beside it
kubectl_132() {
	local new=$(dirname "$(readlink -f "$KUBECTL")")/kubectl.1.32
	[ -x "$new" ] || new=$KUBECTL
	[ "$(KUBECTL=$new kubectl_minor)" -lt 32 ] || echo "$new"
}

if [ "$(id -u)" != 0 ]; then echo "1..0 # SKIP needs root: sudo make test"; exit 0; fi
if [ "${XB_IN_MOUNT_NS:-}" != "$T" ]; then
	XB_IN_MOUNT_NS=$T exec unshare --mount ${OWN_NET:+--net} --propagation private "$0" "$@"
fi

# --- TAP ---
tests_run=0 tests_failed=0
_result() { # ok? description
	tests_run=$((tests_run + 1))
	if [ "$1" = 0 ]; then echo "ok $tests_run - $2"; else echo "not ok $tests_run - $2"; tests_failed=$((tests_failed + 1)); return 1; fi
}
note() { printf '%s\n' "$*" | sed 's/^/# /'; }
ok() { local d=$1; shift; if "$@" >"$TMP/out" 2>&1; then _result 0 "$d"; else _result 1 "$d"; note "failed: $*"; note "$(tail -20 "$TMP/out")"; fi; }
is() { if [ "$1" = "$2" ]; then _result 0 "$3"; else _result 1 "$3"; note "expected: $2"; note "     got: $1"; fi; }
like() { if [[ $1 =~ $2 ]]; then _result 0 "$3"; else _result 1 "$3"; note "expected to match: $2"; note "              got: $1"; fi; }
done_testing() { echo "1..$tests_run"; [ "$tests_failed" = 0 ]; exit; }
bail() { echo "Bail out! $*"; exit 1; }

# busywait SECONDS COMMAND...: until it succeeds; looks every 20 ms. On a machine that is XB_SLOW times as slow it waits so much longer.
busywait() {
	local until=$(($(date +%s%N) + $1 * ${XB_SLOW:-1} * 1000000000)); shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt "$until" ] || return 1
		sleep 0.02
	done
}

# --- what belongs to the test ---
CGROUP2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -z "$CGROUP2" ]; then CGROUP2=/run/xebec-cgroup2; mkdir -p $CGROUP2; mount -t cgroup2 none $CGROUP2; fi
CG=$CGROUP2/xebec-test-$T
_sweep() {
	local ns i cg
	[ ! -d "$CG" ] || echo $$ >"$CGROUP2/cgroup.procs" 2>/dev/null
	for cg in "$CG" "$CG-pods"; do
		[ -d "$cg" ] || continue
		echo 1 >"$cg/cgroup.kill" 2>/dev/null
		for i in $(seq 200); do grep -q 'populated 0' "$cg/cgroup.events" 2>/dev/null && break; sleep 0.02; done
		find "$cg" -depth -type d -exec rmdir {} + 2>/dev/null
	done
	# of containers, where controllers are those of cgroup v1
	for cg in /sys/fs/cgroup/*/"${CG##*/}-pods"; do [ ! -d "$cg" ] || find "$cg" -depth -type d -exec rmdir {} + 2>/dev/null; done
	for ns in $(ip netns list 2>/dev/null | awk '{print $1}' | grep "^xb-$T-"); do ip netns del "$ns" 2>/dev/null; done
	rm -f /run/netns/xb-"$T"-* 2>/dev/null
	awk -v t="/tmp/xebec-test-$T/" 'index($2, t) == 1 { print $2 }' /proc/mounts | tac | xargs -r umount -l 2>/dev/null
	rm -rf "/tmp/xebec-test-$T"
}
_leave() {
	local status=$?
	trap - EXIT
	exec 2>/dev/null
	if [ -n "${KEEP_TMP:-}" ]; then cp -a "$TMP" "/tmp/xebec-kept-$T" 2>/dev/null; fi
	_sweep
	exit $status
}
_sweep
TMP=/tmp/xebec-test-$T
mkdir -p "$TMP" "$CG/node"
trap _leave EXIT
trap 'exit 1' INT TERM HUP
echo $$ >"$CG/cgroup.procs" || bail "cannot use cgroup v2 at $CGROUP2"
BPFFS=$TMP/bpf
mkdir -p "$BPFFS" && mount -t bpf bpf "$BPFFS" || bail "cannot mount bpffs at $BPFFS"
export HOME=$TMP KUBECONFIG=$TMP/admin.conf
# kubectl ends before it is worth collecting its garbage: a fifth of its processor time, which is most of what tests take
export GOGC=off

# --- namespaces ---
# With XB_EXEC=exec before it, a call in the background is the program itself: $! is its pid.
in_ns() { local ns=$1; shift; ${XB_EXEC:-} nsenter --net=/run/netns/xb-"$T"-"$ns" "$@"; }
# as a process of the node or of one of its pods: in the cgroup that kube-proxy attaches to
on_node() { ${XB_EXEC:-} bash -c 'echo $$ >'"$CG"'/node/cgroup.procs; exec nsenter --net=/run/netns/xb-'"$T"'-node "$@"' - "$@"; }
in_pod() { local ns=$1; shift; ${XB_EXEC:-} bash -c 'echo $$ >'"$CG"'/node/cgroup.procs; exec nsenter --net=/run/netns/xb-'"$T-$ns"' "$@"' - "$@"; }

ns_add() {
	ip netns add "xb-$T-$1" || bail "cannot make network namespace xb-$T-$1"
	in_ns "$1" ip link set lo up
}
node_up() {
	ns_add node
	in_ns node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_ns node ip addr add 192.0.2.1/32 dev lo
	in_ns node ip -6 addr add 2001:db8::1/128 dev lo nodad
}
pods=0
# pod_up NAME: a namespace with addresses 10.244.1.N and fd00:10:244:1::N; sets POD_IP and POD_IP6
pod_up() {
	pods=$((pods + 1))
	local veth=xbp$pods
	POD_IP=10.244.1.$((pods + 1)) POD_IP6=fd00:10:244:1::$((pods + 1))
	ns_add "$1"
	in_ns node ip link add $veth type veth peer name eth0 netns "xb-$T-$1"
	in_ns node sysctl -qw net.ipv4.conf.$veth.proxy_arp=1 net.ipv6.conf.$veth.accept_dad=0
	in_ns node ip link set $veth up
	in_ns "$1" sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	in_ns "$1" ip link set eth0 up
	in_ns "$1" ip addr add $POD_IP/32 dev eth0
	in_ns "$1" ip -6 addr add $POD_IP6/128 dev eth0 nodad
	in_ns "$1" ip route add 169.254.1.1 dev eth0 scope link
	in_ns "$1" ip route add default via 169.254.1.1 dev eth0
	in_ns node ip addr add 169.254.1.1/32 dev $veth
	in_ns node ip route add $POD_IP/32 dev $veth src 192.0.2.1
	in_ns node ip -6 addr add fe80::1/64 dev $veth nodad
	in_ns node ip -6 route add $POD_IP6/128 dev $veth src 2001:db8::1
	in_ns "$1" ip -6 route add default via fe80::1 dev eth0
}
# web_up NAME: a pod that answers its name at 80 (HTTP) and echoes at 5201 (TCP), both families; UDP 5201 answers its name
web_up() {
	pod_up "$1"
	XB_EXEC=exec in_pod "$1" "$BIN/xebec-bench" serve --text "$1" --http 0.0.0.0:80 --http '[::]:8080' --echo 0.0.0.0:5201 --echo '[::]:5202' 2>"$TMP/web-$1.log" &
	busywait 30 in_ns node curl -fsS --max-time 1 "http://$POD_IP:80/" || bail "stand-in pod $1 does not answer"
}

# --- programs ---
API_PORT=${API_PORT:-6443}
API=https://192.0.2.1:$API_PORT
# Pods need their service account, which a controller makes. A test that is not about them does without; one that is: NO_ACCOUNTS=
NO_ACCOUNTS=--disable-admission-plugins=ServiceAccount
# apiserver_start FLAGS...: in the node's namespace, data in $TMP/data; waits until it is ready; sets APISERVER_PID. To run a test
# with other flags: XB_APISERVER_FLAGS.
apiserver_start() {
	[ -e "$TMP/tokens.csv" ] || echo 'admintoken,admin,1,"system:masters"' >"$TMP/tokens.csv"
	XB_EXEC=exec in_ns node "$BIN/kube-apiserver" --secure-port=$API_PORT --bind-address=0.0.0.0 --advertise-address=192.0.2.1 --cert-dir="$TMP/pki" \
		--data-dir="$TMP/data" --token-auth-file="$TMP/tokens.csv" --kubeconfig-out="$TMP/admin.conf" \
		--service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/108 $NO_ACCOUNTS "$@" ${XB_APISERVER_FLAGS:-} >>"$TMP/apiserver.log" 2>&1 &
	APISERVER_PID=$!
	busywait 20 api_ready || { note "$(tail -20 "$TMP/apiserver.log")"; bail "kube-apiserver is not ready after 20 s"; }
}
api_ready() { [ -s "$TMP/pki/ca.crt" ] && in_ns node curl -fsS --max-time 2 --cacert "$TMP/pki/ca.crt" $API/readyz; }
# api METHOD PATH [curl arguments...]: the body, then the status code on a line of its own
api() {
	local method=$1 path=$2; shift 2
	in_ns node curl -sS --max-time 20 --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' -X "$method" -w '\n%{http_code}\n' "$@" "$API$path"
}
# raw PATH: kubectl get --raw PATH, at a fifth of its processor time: for what is asked again and again
raw() { in_ns node curl -fsS --max-time 20 --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API$1"; }
CORE=/api/v1/namespaces/default APPS=/apis/apps/v1/namespaces/default
k() { in_ns node "$KUBECTL" "$@"; }
k120() { in_ns node "$KUBECTL_120" "$@"; }
# corpus FLAGS...: the case files of selftests/corpus with kubectl 1.20 and, where there is one, 1.32. TAP; does not return.
corpus() {
	local new=$(kubectl_132) kubectls=(--kubectl "1.20=$KUBECTL_120")
	[ -z "$new" ] || kubectls+=(--kubectl "1.32=$new")
	export -f busywait
	in_ns node "$ROOT/selftests/corpus/run.pl" --server "$BIN/kube-apiserver" --tmp "$TMP" "${kubectls[@]}" "$@" "$ROOT"/selftests/corpus/*.txt
	exit
}
# proxy_run FLAGS...: sets PROXY_PID. proxy_start FLAGS...: and waits until it is healthy
proxy_run() {
	XB_EXEC=exec on_node "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=node --cgroup-path="$CG/node" --bpffs-path="$BPFFS" "$@" \
		>>"$TMP/proxy.log" 2>&1 &
	PROXY_PID=$!
}
proxy_start() {
	proxy_run "$@"
	busywait 20 in_ns node curl -fsS --max-time 1 http://127.0.0.1:10256/healthz ||
		{ note "$(tail -20 "$TMP/proxy.log")"; bail "kube-proxy is not healthy after 20 s"; }
}
# kcm_start FLAGS...: sets KCM_PID; waits until it serves. To run a test with other flags: XB_KCM_FLAGS.
kcm_start() {
	XB_EXEC=exec on_node "$BIN/kube-controller-manager" --kubeconfig="$TMP/admin.conf" "$@" ${XB_KCM_FLAGS:-} >>"$TMP/kcm.log" 2>&1 &
	KCM_PID=$!
	busywait 20 in_ns node curl -kfsS --max-time 1 https://127.0.0.1:10257/healthz ||
		{ note "$(tail -20 "$TMP/kcm.log")"; bail "kube-controller-manager is not healthy after 20 s"; }
}
# scheduler_start FLAGS...: sets SCHEDULER_PID; waits until it serves
scheduler_start() {
	XB_EXEC=exec on_node "$BIN/kube-scheduler" --kubeconfig="$TMP/admin.conf" "$@" >>"$TMP/scheduler.log" 2>&1 &
	SCHEDULER_PID=$!
	busywait 20 in_ns node curl -kfsS --max-time 1 https://127.0.0.1:10259/healthz ||
		{ note "$(tail -20 "$TMP/scheduler.log")"; bail "kube-scheduler is not healthy after 20 s"; }
}
stop() { kill "$1" 2>/dev/null; wait "$1" 2>/dev/null; }

# service NAME PORT:TARGET POD_IP...: a Service without selector and its EndpointSlice; more of the spec by SPEC='"x": 1,'
service() {
	local name=$1 port=${2%:*} target=${2#*:}; shift 2
	k create -f - >/dev/null <<EOF
{"apiVersion":"v1","kind":"Service","metadata":{"name":"$name"},"spec":{${SPEC:-}"ports":[{"name":"p","port":$port,"protocol":"${PROTO:-TCP}"}]}}
EOF
	slice "$name" "$target" "$@" | k create -f - >/dev/null
}
# slice NAME TARGET POD_IP...: the EndpointSlice as JSON on standard output
slice() {
	local name=$1 target=$2 ip endpoints=; shift 2
	for ip in "$@"; do endpoints="$endpoints${endpoints:+,}{\"addresses\":[\"$ip\"],\"conditions\":{\"ready\":true}}"; done
	cat <<EOF
{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"$name-1","labels":{"kubernetes.io/service-name":"$name"}},
"addressType":"${ADDRESS_TYPE:-IPv4}","ports":[{"name":"p","port":$target,"protocol":"${PROTO:-TCP}"}],"endpoints":[$endpoints]}
EOF
}
cluster_ip() { k get service "$1" -o 'jsonpath={.spec.clusterIP}'; }
get() { on_node curl -fsS --max-time "${WAIT:-3}" "$@"; }
