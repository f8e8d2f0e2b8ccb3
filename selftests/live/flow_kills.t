#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Tables of flows that grow while Services come, by an agent that is killed with -9 between two steps: the next one makes it whole, and no
# flow is lost.
#   STEP=1: at each call that changes the kernel
. "$(dirname "$0")/../lib.sh"

STEP=${STEP:-140}
FLOWS=10000
flows() { on_node "$TOOLS/tools/flow_growth" "$BPFFS" "$CG/node" "$@" 2>>"$TMP/log"; }
killed_at() { on_node "$TOOLS/tools/kill_at" --changes "$1" "$TOOLS/tools/flow_growth" "$BPFFS" "$CG/node" grow 530 >>"$TMP/log" 2>&1; }
bad() { note "killed at $at: $*"; wrong=$((wrong + 1)); }
# what the pinned tables hold, "FLOWS4 FLOWS6 of SETS4 SETS6 old SETS4 SETS6"
known() { flows known $FLOWS; }

node_up
wrong=0 points=0
for ((at = STEP; ; at += STEP)); do
	flows fill $FLOWS
	before=$(known)
	[ "${before#* of }" = '8192 1024 old 1 1' ] || bad "at first: $before"
	killed_at $at
	status=$?
	now=$(known)
	[ "${now%% of *}" = "${before%% of *}" ] || bad "there were $before, and are $now"
	flows grow 0 >>"$TMP/log" || bad "the next one: $(tail -1 "$TMP/log")"
	now=$(known)
	[ "$now" = "${before%% of *} of 16384 4096 old 1 1" ] || bad "there were $before, and after the next start are $now"
	"$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS"
	[ $status = 0 ] || break
	points=$((points + 1))
done
is "$wrong" 0 "killed at $points points: all flows are there, before and after the next start has made the tables whole"
ok 'those were enough points' [ $points -ge $((500 / STEP)) ]
done_testing
