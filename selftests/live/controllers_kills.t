#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kill -9 of API server, controller manager and scheduler at random, KILLS times, while a Deployment rolls without end on hollow nodes:
# never a pod too many, never one available too few, none made twice, and at the end nothing is left over.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow --nodes 6 --untaint --start-delay 20ms --stop-delay 20ms >"$TMP/hollow.log" 2>&1 &
HOLLOW=$!
busywait 20 grep -q registered "$TMP/hollow.log" || bail "hollow nodes do not register: $(cat "$TMP/hollow.log")"
stop "$APISERVER_PID"
client="--kubeconfig=$TMP/admin.conf --leader-elect=false"
in_ns node python3 "$ROOT/selftests/tools/rollout_kills.py" --kills "${KILLS:-10}" ${SEED:+--seed "$SEED"} --url "$API" --token admintoken --ca "$TMP/pki/ca.crt" \
	--run "kube-apiserver $BIN/kube-apiserver --bind-address=192.0.2.1 --advertise-address=192.0.2.1 --cert-dir=$TMP/pki --data-dir=$TMP/data \
		--token-auth-file=$TMP/tokens.csv ${XB_APISERVER_FLAGS:-}" \
	--run "kube-controller-manager $BIN/kube-controller-manager $client" --run "kube-scheduler $BIN/kube-scheduler $client" \
	>"$TMP/books" 2>"$TMP/kills.log"
is "$?" 0 'every promise is kept'
note "$(cat "$TMP/books")"
[ "$tests_failed" = 0 ] || note "$(tail -20 "$TMP/kills.log")"
kill -0 $HOLLOW || note "$(tail -3 "$TMP/hollow.log")"
done_testing
