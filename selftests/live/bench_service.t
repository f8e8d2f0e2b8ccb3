#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# xebec-bench service at small sizes: each kind of talk comes to an end, from where it is told to, and is compared with the first.
. "$(dirname "$0")/../lib.sh"

node_up
pod_up pod
XB_EXEC=exec in_ns pod "$BIN/xebec-bench" serve --echo 0.0.0.0:5201 --sink 0.0.0.0:5301 2>"$TMP/serve.log" & server=$!
busywait 5 in_ns node bash -c "exec 3<>/dev/tcp/$POD_IP/5301" || bail "no server: $(cat "$TMP/serve.log")"

# bench FLAGS...: the JSON report. It runs where there is no way to the pod
bench() { timeout 60 "$BIN/xebec-bench" service -o json --rounds 3 --seconds 0.05 "$@" 2>"$TMP/words"; }
# said JQ_EXPRESSION WHAT: of the last report
said() { is "$(jq -c "$1" <<<"$report" 2>&1)" "$2" "$3"; }
NODE=netns=/run/netns/xb-$T-node POD=netns=/run/netns/xb-$T-pod

report=$(bench --to "near=127.0.0.1:5201,$POD,server=$server" --to "far=$POD_IP:5201,$NODE,server=$server,cgroup=$CG/node")
said '[.rounds, (del(.rounds) | keys)]' '[3,["connect","tcp_crr","tcp_rr","udp_rr"]]' 'all kinds but streams'
said '[del(.rounds)[] | .near.ratio.median, (.far | .ratio.quartiles[0] > 0, .perSecond.median > 100, .processorNanoseconds.median > 100)] | unique' '[true,1]' \
	'each is compared with the first, by processor time'
like "$(cat "$TMP/words")" 'udp_rr +far +[0-9]+/s .* ratio [0-9.]+ \(quartiles' 'and words say the same'
report=$(bench --kind stream --to "a=$POD_IP:5301,$NODE" --to "b=$POD_IP:5301,$NODE")
said '[keys, .stream.b.perSecond.median > 1e6, (.stream.b | has("nanoseconds"))]' '[["rounds","stream"],true,true]' 'streams, by the clock where no server is named'

is "$(bench --to "a=$POD_IP:5201,$NODE,cgroup=/nowhere" || cat "$TMP/words")" 'xebec-bench: /nowhere: No such file or directory
xebec-bench: a tcp_crr has failed' 'a place that is none is named'
is "$(bench --to "a=$POD_IP" || cat "$TMP/words")" \
	"xebec-bench: --to: \"$POD_IP\" is not ADDRESS:PORT, such as 10.96.0.10:80 or [fd00::1]:80" 'an address without a port is named'
is "$(bench --kind ping --to "a=$POD_IP:5201" || cat "$TMP/words")" 'xebec-bench: --kind: "ping" is none of the kinds that --help lists' 'so is a kind that is none'

python3 "$ROOT/tools/bench/iptables_rules.py" --services 20 --endpoints 3 --vip 10.96.0.9 --pod "$POD_IP" --port 5201 >"$TMP/rules"
is "$(grep -c '^-A KUBE-SERVICES' "$TMP/rules")" 22 'rules like those of iptables mode: one a port, and one for node ports'
is "$(grep -c 'DNAT' "$TMP/rules")" 59 'and one an endpoint'
done_testing
