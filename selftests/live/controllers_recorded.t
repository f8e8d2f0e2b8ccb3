#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What real controllers were seen to do, ours do: selftests/tools/recorded.pl makes the recorded manipulations again, on a cluster of
# two hollow nodes, and compares.
. "$(dirname "$0")/../lib.sh"
RECORD=$DATA/behaviour/controllers.json
[ -r "$RECORD" ] || { echo "1..0 # SKIP no recorded behaviour at $RECORD"; exit 0; }

node_up
apiserver_start --disable-admission-plugins=ServiceAccount # as the recorded one
kcm_start --leader-elect=false
scheduler_start --leader-elect=false
XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow --nodes 2 --prefix node- --cpu 1 --memory 3840Mi --untaint >"$TMP/hollow.log" 2>&1 &
busywait 30 eval '[ "$(k get nodes --no-headers | grep -c " Ready ")" = 2 ]' || bail 'the hollow nodes are not ready'
in_ns node "$ROOT/selftests/tools/recorded.pl" --record "$RECORD" --api "$API" --ca "$TMP/pki/ca.crt" --token admintoken "$@"
