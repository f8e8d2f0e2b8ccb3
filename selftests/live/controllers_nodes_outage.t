#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The API server is away for longer than nodes may be silent: when it is back, only those that are dead are given up.
. "$(dirname "$0")/../lib.sh"

hollow_start() { # name; sets HOLLOW_PID
	XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow -o json --prefix "$1-" --nodes 20 --lease-seconds 1 >"$TMP/hollow-$1.json" 2>>"$TMP/hollow.log" &
	HOLLOW_PID=$!
	busywait 20 grep -q registered "$TMP/hollow-$1.json" || { note "$(cat "$TMP/hollow.log")"; bail 'the hollow nodes do not register'; }
}
die() { kill -9 "$1"; wait "$1" 2>/dev/null; }
count() { [ "$(k get nodes -o json | jq "[.items[] | select(.metadata.name | startswith(\"$1-\")) | .status.conditions[] | select(.type == \"Ready\" and .status == \"$2\")] | length")" = 20 ]; }
seconds_ago() { [ $(($(date +%s) - $1)) -ge "$2" ]; }

node_up
apiserver_start
kcm_start --leader-elect=false --controllers=node-lifecycle-controller --node-monitor-period=100ms --node-monitor-grace-period=2500ms
hollow_start lives
hollow_start dies
ok 'all nodes are ready' busywait 10 eval 'count lives True && count dies True'

die "$HOLLOW_PID"
die "$APISERVER_PID"
now=$(date +%s)
busywait 10 seconds_ago "$now" 4
apiserver_start
ok 'the dead are unknown' busywait 20 count dies Unknown
ok 'the others are ready' count lives True
is "$(k get events -o json | jq -r '[.items[] | select(.reason == "NodeNotReady") | .involvedObject.name | split("-")[0]] | unique | join(" ")')" dies 'all the time'
done_testing
