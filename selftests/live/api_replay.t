#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Recorded exchanges of a real API server, replayed against ours: same codes, same bodies.
API_PORT=16443 # as recorded: it shows in the Service "kubernetes"
. "$(dirname "$0")/../lib.sh"
[ -e "$DATA/replay.py" ] || { echo "1..0 # SKIP no recorded exchanges at $DATA (XB_K8S_DATA names another place)"; exit 0; }

node_up
# recorded ages grow: the tool's pattern of an age knows no days behind the years
sed 's/\[smh\])?)\$/[smhd])?)$/' "$DATA/replay.py" >"$TMP/replay.py"
for scenario in namespaces replicationcontrollers services watch config pods apply apps others; do
	apiserver_start --authorization-mode=Node,RBAC --disable-admission-plugins=ServiceAccount
	ok "$scenario" in_ns node python3 "$TMP/replay.py" -v --token admintoken "$API" "$DATA/exchanges/$scenario.json"
	stop "$APISERVER_PID"
	rm -rf "$TMP/data"
done
done_testing
