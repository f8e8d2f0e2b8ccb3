#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kill -9 of the API server at random under a write load: nothing acknowledged is lost, and a watch that resumes misses,
# repeats and reorders nothing.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
stop "$APISERVER_PID"
in_ns node python3 "$ROOT/selftests/tools/api_crash.py" --kills "${KILLS:-100}" --url "$API" --token admintoken --ca "$TMP/pki/ca.crt" -- \
	"$BIN/kube-apiserver" --bind-address=192.0.2.1 --advertise-address=192.0.2.1 --cert-dir="$TMP/pki" --data-dir="$TMP/data" \
	--token-auth-file="$TMP/tokens.csv" >"$TMP/books" 2>"$TMP/crash.log"
is "$?" 0 'the books agree'
note "$(cat "$TMP/books")"
[ "$tests_failed" = 0 ] || note "$(tail -5 "$TMP/crash.log")"
done_testing
