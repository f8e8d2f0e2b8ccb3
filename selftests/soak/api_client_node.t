#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The client of Node.js, unchanged, in the flows people write with it, across kills of the API server. It is here and not in
# live/, where Python's is, since Debian's npm is 350 packages, over 300 MB, and the client another 70 MB from npm's registry.
. "$(dirname "$0")/../lib.sh"

version=1.4.0 # the last that runs on Debian 12's Node.js 18
cache=/var/cache/xebec/node-client-$version
skip() { echo "1..0 # SKIP $*"; exit 0; }
{ command -v node && command -v npm; } >/dev/null || "$ROOT/tools/setup/install.sh" nodejs npm >/dev/null || skip 'needs node and npm'
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] || skip "needs Node.js 18 or newer, this is $(node --version)"
if [ ! -e "$cache/done" ]; then
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$cache" "@kubernetes/client-node@$version" >/dev/null ||
		skip "cannot get @kubernetes/client-node $version from npm's registry"
	touch "$cache/done"
fi

node_up
echo 'admintoken,admin,1,"system:masters"' >"$TMP/tokens.csv"
in_ns node node "$ROOT/selftests/tools/client_node.mjs" "$cache" \
	"$BIN/kube-apiserver" --bind-address=192.0.2.1 --advertise-address=192.0.2.1 --cert-dir="$TMP/pki" --data-dir="$TMP/data" \
	--token-auth-file="$TMP/tokens.csv" --kubeconfig-out="$KUBECONFIG" $NO_ACCOUNTS 2>"$TMP/clients.log"
status=$?
[ "$status" = 0 ] || note "$(tail -20 "$TMP/clients.log")"
exit "$status"
