#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The figures of a node with real containers, in a cluster of this machine (xebec up): how soon it is there, how soon a pod runs beside
# what containerd alone needs, a node full of pods at once, and what its agents take when nothing happens.   node.sh BIN_FOLDER
# The report is BIN_FOLDER/../bench/node.json. In less time: ROUNDS=5 PODS=20 BESIDE=10 IDLE_SECONDS=10 node.sh BIN_FOLDER
set -euo pipefail
bin=$(realpath "$1") here=$(dirname "$(realpath "$0")") name=bench
ROUNDS=${ROUNDS:-50} BESIDE=${BESIDE:-50} PODS=${PODS:-110} PROBED=10 IDLE_SECONDS=${IDLE_SECONDS:-60}
AGENTS=(kubelet kube-proxy xebec-netd)
[ "$(id -u)" = 0 ] || { echo 'node.sh: needs root: sudo make bench' >&2; exit 1; }
dir=$(mktemp -d)
trap '"$bin/xebec" down --name $name >/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
export HOME=$dir KUBECONFIG=/var/lib/xebec/clusters/$name/admin.conf

pid() { cut -d' ' -f1 "/run/xebec/$name/node-1/$1.pid"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$(pid "$1")/stat"; }
kilobytes() { awk -v f="$2:" '$1 == f { print $2; exit }' "/proc/$(pid "$1")/$3"; }
since() { echo $((($(date +%s%N) - $1) / 1000000)); }
# usage PROGRAM...: {"PROGRAM": ticks of 10 ms, ...}
usage() { for p; do echo "\"$p\":$(ticks "$p")"; done | jq -sRc '"{\(rtrimstr("\n") | gsub("\n"; ","))}" | fromjson'; }
credential() { kubectl config view --raw -o json | jq -r "$1" | base64 -d >"$dir/$2"; }
# deployment NAME REPLICAS COMMAND PROBE
deployment() {
	kubectl apply -f - >/dev/null <<JSON
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"$1"},"spec":{"replicas":$2,"progressDeadlineSeconds":600,"selector":{"matchLabels":{"app":"$1"}},
"template":{"metadata":{"labels":{"app":"$1"}},"spec":{"terminationGracePeriodSeconds":0,
"containers":[{"name":"c","image":"busybox","imagePullPolicy":"IfNotPresent","command":$3$4}]}}}}
JSON
	kubectl rollout status deployment/"$1" --timeout=600s >/dev/null
}
plain() { deployment plain "$1" '["sleep","36000"]' ''; }

"$bin/xebec" down --name $name >/dev/null
"$bin/xebec" images build-demo >/dev/null
start=$(date +%s%N)
"$bin/xebec" up --name $name 2>"$dir/up" >/dev/null || { cat "$dir/up" >&2; exit 1; }
ready=$(since "$start")
kubectl run first --image=busybox --image-pull-policy=IfNotPresent --command -- sleep 36000 >/dev/null
kubectl wait pod/first --for=jsonpath='{.status.phase}'=Running --timeout=60s >/dev/null
first=$(since "$start")
control=$(awk '/control plane ready/ { print int($1 * 1000) }' "$dir/up")
kubectl delete pod first --grace-period=1 >/dev/null

credential '.clusters[0].cluster["certificate-authority-data"]' ca
credential '.users[0].user["client-certificate-data"]' cert
credential '.users[0].user["client-key-data"]' key
plain $((BESIDE - 1))
load=$(cut -d' ' -f1-3 /proc/loadavg)
pods=$(python3 "$here/pods.py" --url "$(kubectl config view -o json | jq -r '.clusters[0].cluster.server')" --ca "$dir/ca" --cert "$dir/cert" \
	--key "$dir/key" --image busybox --rounds "$ROUNDS" -- "$bin/../selftests/tools/runtime_calls" "unix:///run/xebec/$name/node-1/containerd.sock" \
	"/xebec/$name/node-1/alone" "$dir")
plain 0
kubectl wait pods -l app=plain --for=delete --timeout=120s >/dev/null

programs=("${AGENTS[@]}" containerd kube-apiserver)
before=$(usage "${programs[@]}")
start=$(date +%s%N)
plain $((PODS - PROBED))
together=$(since "$start")
started=$(usage "${programs[@]}")
deployment probed $PROBED '["busybox","httpd","-f","-p","8080","-h","/"]' ',"readinessProbe":{"periodSeconds":10,"httpGet":{"port":8080,"path":"/etc/hostname"}}'
sleep 15 # the last of it is told and written
idle=$(usage "${programs[@]}")
sleep "$IDLE_SECONDS"
after=$(usage "${programs[@]}")
memory=$(for p in "${AGENTS[@]}"; do
	jq -nc --arg p "$p" --argjson r "$(kilobytes "$p" VmRSS status)" --argjson a "$(kilobytes "$p" RssAnon status)" \
		--argjson s "$(kilobytes "$p" Pss smaps_rollup)" '{($p): {rssBytes: ($r * 1024), anonymousBytes: ($a * 1024), pssBytes: ($s * 1024)}}'
done | jq -sc add)

mkdir -p "$bin/../bench"
jq -n --arg load "$load" --arg kernel "$(uname -r)" --argjson cores "$(nproc)" --argjson control "$control" --argjson ready "$ready" --argjson first "$first" \
	--argjson pods "$pods" --argjson beside "$BESIDE" --argjson n "$PODS" --argjson probed $PROBED --argjson together "$together" --argjson before "$before" \
	--argjson started "$started" --argjson idle "$idle" --argjson after "$after" --argjson seconds "$IDLE_SECONDS" --argjson memory "$memory" '
	def used($a; $b): reduce ($a | keys[]) as $p ({}; .[$p] = ($b[$p] - $a[$p]) / 100);
	{kernel: $kernel, cores: $cores, loadAverage: $load,
	 up: {controlPlaneMilliseconds: $control, readyMilliseconds: $ready, firstPodMilliseconds: $first},
	 single: ($pods + {podsBeside: $beside}),
	 full: {pods: $n, together: ($n - $probed), milliseconds: $together, cpuSeconds: used($before; $started)},
	 idle: {pods: $n, probed: $probed, seconds: $seconds, cpuSeconds: used($idle; $after), memory: $memory}}' >"$bin/../bench/node.json"
jq -r -f "$here/node_table.jq" "$bin/../bench/node.json" | column -ts $'\t'
