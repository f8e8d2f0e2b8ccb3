#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A connection that brings nothing but heartbeats waits a moment for others, and its client never notices when it has work to do.
. "$(dirname "$0")/../lib.sh"

node_up
# within WHAT LEAST|MOST FROM TO: seconds
within() { awk -v what="$1" -v column="$([ "$2" = least ] && echo 2 || echo 3)" -v from="$3" -v to="$4" '
	$1 == what { found = $column >= from && $column <= to } END { exit !found }' "$TMP/seconds" || { cat "$TMP/seconds"; return 1; }; }

apiserver_start
ok 'a client renews its Lease, watches and asks' in_ns node timeout 60 python3 "$ROOT/selftests/tools/heartbeats.py" $API admintoken "$TMP/pki/ca.crt" 2
cp "$TMP/out" "$TMP/seconds"
# a busy machine makes one or the other later, never sooner
ok 'a heartbeat is answered within its 400 ms' within heartbeat least 0 0.5
ok '... none of them late' within heartbeat most 0 2
ok 'the first other request waits as long as a heartbeat, for it comes unannounced' within first least 0.3 0.5
ok 'the next one does not' within next least 0 0.1
ok 'an event of the watch is there at once' within event least 0 0.1
ok '... and what the client asks then is answered at once' within after least 0 0.1
ok 'heartbeats of which each waits for the one before are answered at once' within hurried least 0 0.1
ok 'heartbeats that come together are answered together, however many bytes' within together least 0 0.6
done_testing
