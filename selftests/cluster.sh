# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# For live tests with a whole cluster, made by "xebec up": source it instead of lib.sh. The test gets a network namespace of its
# own for a host, so that the cluster's device and routes are there; the cluster is named after the test. All clusters of
# the test go when it ends; what a killed run left goes when it starts again.

OWN_NET=1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# At most 18 letters: 12 of the test's name and the mark of its checkout; a second one may be $CLUSTER-2.
CLUSTER=$(basename "$0" .t | tr _ - | cut -c1-12)-${T##*-}
CLUSTERS=/var/lib/xebec/clusters
xebec() { "$BIN/xebec" "$@"; }
_clusters_down() {
	local name
	for name in "$CLUSTER" "$CLUSTER-2"; do
		[ ! -e "$CLUSTERS/$name" ] && [ ! -e "/run/xebec/$name" ] || xebec down --name "$name" >/dev/null
	done
}
_leave_clusters() {
	local status=$?
	trap - EXIT
	_clusters_down
	(exit $status)
	_leave
}
_clusters_down
trap _leave_clusters EXIT
ip link set lo up

k() { "$KUBECTL" "$@"; }
k120() { "$KUBECTL_120" "$@"; }
# cluster_up FLAGS...: the test's cluster, with images of nginx and busybox; sets KUBECONFIG. What it said is in $TMP/up.out, up.err
cluster_up() {
	xebec images build-demo >/dev/null || bail 'cannot make images'
	xebec up --name "$CLUSTER" "$@" >"$TMP/up.out" 2>"$TMP/up.err" || { note "$(cat "$TMP/up.err")"; bail 'xebec up failed'; }
	export KUBECONFIG=$CLUSTERS/$CLUSTER/admin.conf
}
# as a process of a node: on N COMMAND...
on() { local node=$1; shift; xebec exec --name "$CLUSTER" --node "$node" -- "$@"; }
# of a pod, as the API server tells it: pod NAME FILTER
pod() { k get pod "$1" -o json 2>/dev/null | jq -r "$2"; }
pod_is() { [ "$(pod "$1" "$2")" = "$3" ]; }
# ready N SELECTOR: so many pods of that label are, and none else is there
ready() { [ "$(k get pods -l "$2" -o json | jq '[.items[] | any(.status.conditions[]?; .type == "Ready" and .status == "True")] | (length == '"$1"' and all)')" = true ]; }
no_pods() { [ -z "$(k get pods -o name "$@")" ]; }
