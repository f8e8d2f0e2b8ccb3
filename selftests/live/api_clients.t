#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Python's kubernetes client, unchanged, in the flows people write with it, across kills of the API server. The client of
# Node.js has the same in soak/api_client_node.t: its packages are too heavy for each day.
. "$(dirname "$0")/../lib.sh"

node_up
echo 'admintoken,admin,1,"system:masters"' >"$TMP/tokens.csv"
in_ns node /usr/bin/python3 "$ROOT/selftests/tools/client_python.py" \
	"$BIN/kube-apiserver" --bind-address=192.0.2.1 --advertise-address=192.0.2.1 --cert-dir="$TMP/pki" --data-dir="$TMP/data" \
	--token-auth-file="$TMP/tokens.csv" --kubeconfig-out="$KUBECONFIG" $NO_ACCOUNTS 2>"$TMP/clients.log"
status=$?
[ "$status" = 0 ] || note "$(tail -20 "$TMP/clients.log")"
exit "$status"
