#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# STORMS storms of pods across several Services: when the pods have come to rest the slices and Endpoints are the ready ones.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
in_ns node "$BIN/xebec-bench" hollow --nodes 6 --untaint --start-delay 20ms --stop-delay 20ms >"$TMP/hollow.log" 2>&1 &
scheduler_start --leader-elect=false
in_ns node python3 "$ROOT/selftests/tools/endpoints_storm.py" --storms "${STORMS:-3}" ${SEED:+--seed "$SEED"} --url "$API" --token admintoken \
	--ca "$TMP/pki/ca.crt" -- "$BIN/kube-controller-manager" --kubeconfig="$TMP/admin.conf" --leader-elect=false >"$TMP/books" 2>"$TMP/kcm.log"
is "$?" 0 'endpoints are the ready pods'
note "$(cat "$TMP/books")"
[ "$tests_failed" = 0 ] || note "$(tail -20 "$TMP/kcm.log")"
done_testing
