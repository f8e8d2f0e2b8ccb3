#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kill -9 of the API server at random, KILLS times, under writers, lists and watches: what they did and saw is a history that
# a store which loses, repeats and reorders nothing can have.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
stop "$APISERVER_PID"
in_ns node python3 "$ROOT/selftests/tools/api_crash.py" --kills "${KILLS:-20}" --url "$API" --token admintoken --ca "$TMP/pki/ca.crt" \
	--data-dir "$TMP/data" -- "$BIN/kube-apiserver" --bind-address=192.0.2.1 --advertise-address=192.0.2.1 --cert-dir="$TMP/pki" \
	--data-dir="$TMP/data" --token-auth-file="$TMP/tokens.csv" $NO_ACCOUNTS ${XB_APISERVER_FLAGS:-} >"$TMP/books" 2>"$TMP/crash.log"
is "$?" 0 'the history holds'
note "$(cat "$TMP/books")"
rows=$(sqlite3 "$TMP/data/store.db" 'SELECT count(*) || " of " || max(revision) FROM revision')
note "rows in the file, of revisions: $rows"
[ "${KILLS:-20}" -lt 500 ] || ok 'old revisions have gone from the file' [ "${rows% of *}" -lt "${rows#* of }" ]
[ "$tests_failed" = 0 ] || note "$(tail -5 "$TMP/crash.log")"
done_testing
