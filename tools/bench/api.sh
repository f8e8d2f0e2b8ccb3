#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The figures of the API server, from an empty disk to a restart with 150,000 objects: one table (api_table.jq), and all
# reports as JSON in bench/api.json of the build.   api.sh BIN_FOLDER
# At other sizes: WATCHES=500 EVENTS=10 PODS=1000 OBJECTS=4000 REQUESTS=2000 api.sh BIN_FOLDER
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"

WATCHES=${WATCHES:-10000} EVENTS=${EVENTS:-100} PODS=${PODS:-12000} OBJECTS=${OBJECTS:-150000} REQUESTS=${REQUESTS:-20000}
failed=0

# measure NAME VERB FLAGS...: the report goes to the figures under that name
measure() {
	local name=$1; shift
	echo "$name: $*" >&2
	in_ns node "$BIN/xebec-bench" api "$1" -o json "${@:2}" >"$TMP/report" 2>>"$TMP/bench.log" ||
		{ failed=1; jq -r .firstError "$TMP/report" >&2; tail -3 "$TMP/bench.log" >&2; }
	jq -c --arg name "$name" --argjson load "$(cut -d' ' -f1 /proc/loadavg)" '{ ($name): (. + { loadAverage: $load }) }' "$TMP/report" >>"$TMP/figures"
}
load() { measure "$@" --seconds 600 --server-pid "$SERVER"; }
configmaps() { load "$@" --kind configmaps; }

start() {
	measure "$1" start -- "$BIN/kube-apiserver" --secure-port=6443 --bind-address=192.0.2.1 --advertise-address=192.0.2.1 --cert-dir="$TMP/pki" \
		--data-dir="$TMP/data" --token-auth-file="$TMP/tokens.csv" --kubeconfig-out="$KUBECONFIG" $NO_ACCOUNTS
	SERVER=$(jq .pid "$TMP/report")
	kill -0 "$SERVER" 2>/dev/null || bail 'kube-apiserver did not start'
}
gone() { ! kill -0 "$SERVER" 2>/dev/null; }
stop_server() { kill "$SERVER"; busywait 60 gone || bail 'kube-apiserver does not stop'; }
restart() { stop_server; start "$1"; }
# Each figure of memory has a server of its own: what a heap held before would hide what comes next.
fresh() {
	[ -z "${SERVER:-}" ] || stop_server
	rm -rf "$TMP/pki" "$TMP/data" "$KUBECONFIG"
	start "$1"
}

node_up
echo 'admintoken,admin,1,"system:masters"' >"$TMP/tokens.csv"
for i in 1 2 3 4 5; do fresh "empty disk $i"; done

configmaps 'watches' watch --http2 --watches "$WATCHES" --events "$EVENTS"
fresh 'empty disk 6'
"$KUBECTL" config view --raw -o json | jq '.users[0].user = { token: "admintoken" }' >"$TMP/token.conf"
configmaps 'watches by token' watch --http2 --watches "$WATCHES" --events "$EVENTS" --kubeconfig "$TMP/token.conf"
fresh 'empty disk 7'
configmaps 'watches on few connections' watch --http2 --streams 250 --watches "$WATCHES" --events "$EVENTS"

fresh 'empty disk 8'
load 'pods' fill --clients 64 --count "$PODS"
load 'gets of pods' get --clients 64 --count $((REQUESTS * 3)) --objects "$PODS"
load 'list' list --count 5
load 'pages' list --count 100 --query limit=500
load 'ten lists' list --http2 --clients 10 --count 10
load 'ten slow lists' list --http2 --clients 10 --count 10 --read-rate 200 --seconds 5
load 'mixed' mixed --clients 64 --count "$REQUESTS" --objects "$PODS" --size 5120 # as fill made them: a pod's spec may not change
restart 'restart with pods'

fresh 'empty disk 9'
configmaps 'creates, 1 client' create --clients 1 --count $((REQUESTS / 10))
configmaps 'creates, 16 clients' create --clients 16 --count $((REQUESTS / 2)) --first $((REQUESTS / 10))
configmaps 'creates' create --clients 64 --count "$REQUESTS" --first "$REQUESTS"
configmaps 'gets' get --clients 64 --count $((REQUESTS * 3)) --objects "$REQUESTS" --first "$REQUESTS"
configmaps 'gets by HTTP/2' get --http2 --clients 64 --count $((REQUESTS * 3)) --objects "$REQUESTS" --first "$REQUESTS"
configmaps 'updates' update --clients 64 --count "$REQUESTS" --first "$REQUESTS"
configmaps 'deletes' delete --clients 64 --count "$REQUESTS" --first "$REQUESTS"

fresh 'empty disk 10'
# 5 KB each as they are kept, with the fields that the server adds
load 'many pods' fill --clients 64 --size 1000 --count $((OBJECTS / 2))
configmaps 'many ConfigMaps' fill --clients 64 --size 3500 --count $((OBJECTS / 2))
load 'list of many pods' list --count 1
configmaps 'list of many ConfigMaps' list --count 1
restart 'restart with many'
stop_server

mkdir -p "$XB_BUILD/bench"
jq -s --arg kernel "$(uname -r)" --argjson cores "$(nproc)" '{ kernel: $kernel, cores: $cores, figures: add }' "$TMP/figures" >"$XB_BUILD/bench/api.json"
jq -r -f "$ROOT/tools/bench/api_table.jq" "$XB_BUILD/bench/api.json" | column -t -s $'\t'
exit $failed
