#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Recorded exchanges of a real API server, replayed against ours: same codes, same bodies, same messages, but for what is listed.
API_PORT=16443 # as recorded: it shows in the Service "kubernetes"
. "$(dirname "$0")/../lib.sh"
[ -e "$DATA/replay.py" ] || { echo "1..0 # SKIP no recorded exchanges at $DATA (XB_K8S_DATA names another place)"; exit 0; }

node_up
# recorded ages grow: the tool's pattern of an age knows no days behind the years; and it is to show every difference
sed -e 's/\[smh\])?)\$/[smhd])?)$/' -e 's/)\[:8\]: print/): print/' "$DATA/replay.py" >"$TMP/replay.py"
# replay SCENARIO: what differs, a line each: the step, then what of it; texts are cut where they tell of one server only
replay() {
	in_ns node python3 "$TMP/replay.py" -v --token admintoken "$API" "$DATA/exchanges/$1.json" >"$TMP/replay.out" 2>&1
	sed -nE -e 's/^note [a-z]+\.json: (.*): [A-Z]+ \/.*/words: \1/p' -e 's/^FAIL [a-z]+\.json: .*: ([A-Z]+ \/.*)/\1/p' \
		-e 's/^ +(status: want [0-9]+, got [0-9]+).*/\1/p' -e 's/^ +([a-z]+[.[].*: missing) .*/\1/p' -e '/: missing /d' \
		-e 's/^ +([a-z]+[.[].*)/\1/p' -e '/^[0-9]+ passed/p' "$TMP/replay.out"
}
# Where v1.33 itself answers otherwise than the recorded 1.20: other words, and versions of groups that came or went. And
# what is not here yet: groups of webhooks, custom resources and aggregation.
differences=$(cat <<'EOF'
discovery: GET /apis
discovery: body.groups: no element apiregistration.k8s.io
discovery: body.groups[events.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[authentication.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[authorization.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[autoscaling].versions: want 3 elements, got 2
discovery: body.groups[certificates.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[networking.k8s.io].versions: want 2 elements, got 1
discovery: body.groups: no element extensions
discovery: body.groups[policy].versions: want 1 elements, got 2
discovery: body.groups[rbac.authorization.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[storage.k8s.io].versions: want 2 elements, got 1
discovery: body.groups: no element admissionregistration.k8s.io
discovery: body.groups: no element apiextensions.k8s.io
discovery: body.groups[scheduling.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[coordination.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[node.k8s.io].versions: want 2 elements, got 1
discovery: body.groups[discovery.k8s.io].versions[0].groupVersion: want "discovery.k8s.io/v1beta1", got "discovery.k8s.io/v1"
discovery: body.groups[discovery.k8s.io].versions[0].version: want "v1beta1", got "v1"
discovery: body.groups: no element flowcontrol.apiserver.k8s.io
discovery: GET /api/v1
discovery: body.resources[pods/eviction].version: want "v1beta1", got "v1"
discovery: body.resources[services].verbs: want 7 elements, got 8
discovery: GET /apis/discovery.k8s.io
discovery: body.versions[0].groupVersion: want "discovery.k8s.io/v1beta1", got "discovery.k8s.io/v1"
discovery: body.versions[0].version: want "v1beta1", got "v1"
discovery: GET /apis/policy
discovery: body.versions: want 1 elements, got 2
discovery: GET /apis/apiextensions.k8s.io/v1
discovery: status: want 200, got 404
discovery: body.kind: want "APIResourceList", got "Status"
discovery: body.groupVersion: missing
discovery: body.resources: missing
discovery: GET /apis/admissionregistration.k8s.io/v1
discovery: status: want 200, got 404
discovery: body.kind: want "APIResourceList", got "Status"
discovery: body.groupVersion: missing
discovery: body.resources: missing
discovery: 27 passed, 6 failed
namespaces: 18 passed, 0 failed
replicationcontrollers: 16 passed, 0 failed
services: words: same ip
services: words: ip out of range
services: words: invalid: bad external ip
services: words: endpoints loopback
services: 39 passed, 0 failed
watch: words: list at future version
watch: 20 passed, 0 failed
config: words: bad base64
config: words: big configmap
config: 14 passed, 0 failed
pods: words: create: bad quantity
pods: words: create: request over limit
pods: words: create: wrong type
pods: words: create: string for int
pods: words: list labelSelector=a b
pods: words: put forbidden change
pods: 94 passed, 0 failed
apply: 10 passed, 0 failed
apps: words: StatefulSet change selector
apps: 37 passed, 0 failed
others: 40 passed, 0 failed
EOF
)
for scenario in discovery namespaces replicationcontrollers services watch config pods apply apps others; do
	apiserver_start --authorization-mode=Node,RBAC
	is "$(replay $scenario)" "$(sed -n "s/^$scenario: //p" <<<"$differences")" "$scenario"
	stop "$APISERVER_PID"
	rm -rf "$TMP/data"
done
done_testing
