#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An endpoint removed and added 1,000 times under load, by a socket of the node and by a client that no hook of it knows: no
# connection fails, and none that begins after a removal was published reaches the removed endpoint.
. "$(dirname "$0")/../lib.sh"

node_up
web_up stays; stays=$POD_IP
web_up flaps; flaps=$POD_IP
pod_up outside
apiserver_start
proxy_start
service web 80:80 "$stays" "$flaps"
vip=$(cluster_ip web)
ok 'the service answers' busywait 5 get "http://$vip/"
declare -A load
for from in on_node 'in_ns outside'; do
	XB_EXEC=exec $from "$BIN/xebec-bench" connect --to "$vip:80" --rate 1500 --seconds 120 --names "$TMP/names-${from##* }" >"$TMP/load-${from##* }" 2>&1 &
	load[${from##* }]=$!
done
out=$(in_ns node python3 "$ROOT/selftests/tools/churn.py" --rounds 1000 --url $API --ca "$TMP/pki/ca.crt" --token admintoken \
	--metrics http://127.0.0.1:10249/metrics --name web-1 --keep "$stays" --flap "$flaps" --windows "$TMP/windows" 2>&1)
is "$?" 0 'a thousand removals and additions'
note "$out"
cat >"$TMP/wrong.py" <<'EOF'
import bisect, sys
windows = [tuple(map(int, l.split())) for l in open(sys.argv[1])]
starts = [w[0] for w in windows]
checked = wrong = 0
for l in open(sys.argv[2]):
    began, ended, who = l.split()
    i = bisect.bisect(starts, int(began)) - 1
    if i >= 0 and int(began) < windows[i][1]: checked += 1; wrong += who == 'flaps'
print(f'{wrong} of {checked}')
EOF
for from in on_node outside; do
	kill -TERM ${load[$from]}; wait ${load[$from]}
	like "$(cat "$TMP/load-$from")" 'failed 0 ' "$from: no connection failed"
	note "$(cat "$TMP/load-$from")"
	ok "$from: both pods were in use" bash -c "grep -q stays '$TMP/names-$from' && grep -q flaps '$TMP/names-$from'"
	wrong=$(python3 "$TMP/wrong.py" "$TMP/windows" "$TMP/names-$from")
	like "$wrong" '^0 of [0-9]{3,}' "$from: connections after a published removal that reached the removed pod"
	note "$wrong"
done
done_testing
