#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The figures of the API server, from an empty disk to a restart with 12,000 pods of 5 KB.   api.sh BIN_FOLDER
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"

ms() { echo $((($(date +%s%N) - $1) / 1000000)); }
rss() { awk '/VmRSS/ { printf "%.1f MiB", $2 / 1024 }' "/proc/$1/status"; }
load() { in_ns node "$BIN/xebec-bench" api "$@" --server-pid "$APISERVER_PID" || failed=1; }

failed=0
node_up
echo "kernel $(uname -r), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
start=$(date +%s%N)
apiserver_start
echo "empty disk, certificates to make: ready in $(ms "$start") ms, as seen by a new curl every 20 ms; idle RSS $(rss "$APISERVER_PID")"
echo
load watch --kind configmaps --watches 1000 --events 100
stop "$APISERVER_PID" # what watches leave in the heap would hide what pods take
apiserver_start
echo
load fill --clients 64
echo "kube-apiserver RSS with 12,000 pods: $(rss "$APISERVER_PID")"
load get --clients 64 --count 60000 --objects 12000
load list --count 5
load list --count 100 --query limit=500
load mixed --clients 64 --count 20000 --objects 12000 --size 5120 # as fill made them: a pod's spec may not change
echo
load create --kind configmaps --clients 1 --count 2000
load create --kind configmaps --clients 16 --count 10000 --first 2000
load create --kind configmaps --clients 64 --count 20000 --first 12000
load get --kind configmaps --clients 64 --count 60000 --objects 20000
load update --kind configmaps --clients 64 --count 20000
load delete --kind configmaps --clients 64 --count 32000
echo
stop "$APISERVER_PID"
start=$(date +%s%N)
apiserver_start
echo "12,000 pods on disk: ready in $(ms "$start") ms; RSS $(rss "$APISERVER_PID")"
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
exit $failed
