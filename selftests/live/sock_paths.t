#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every way to a service through the socket programs, and what the pinned tables look like to a person.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/sock_paths" "$BPFFS" "$CG/node" >"$TMP/paths.tap"
status=$?
grep -v '^1\.\.' "$TMP/paths.tap"
tests_run=$(grep -cE '^(not )?ok ' "$TMP/paths.tap")
tests_failed=$(grep -c '^not ok ' "$TMP/paths.tap")
is $status 0 'the program ends well'

maps=$(echo "$BPFFS"/xebec/v*/maps)
dump() { bpftool -j map dump pinned "$maps/$1" | jq -c '.[].formatted.value'; }
like "$(dump xb_name)" '\{"name":"default/web:http"\}' 'xb_name: names as text'
like "$(dump xb_be4)" '"b":\[10,1,0,1\]\},"port":8080' 'xb_be4: addresses as octets, ports as numbers'
like "$(dump xb_be6)" '"b":\[253,16,0,0,0,0,0,0,0,0,0,0,0,0,0,1\]\},"port":8080' 'xb_be6 too'
like "$(dump xb_fe4)" '"port":80,"proto":"XB_PROTO_TCP","kind":"XB_FRONTEND_CLUSTER_IP","svc":1\},"addr":\{"be32":[0-9]+,"b":\[10,96,0,10\]' 'xb_fe4: kinds and protocols by name'
like "$(dump xb_fe4)" '"port":30080,"proto":"XB_PROTO_TCP","kind":"XB_FRONTEND_NODE_PORT"' 'xb_fe4: node ports'
like "$(dump xb_svc)" '"set":\[\{"base":[0-9]+,"count":3,"gen":[0-9]+\}.*"family":"XB_IPV4","proto":"XB_PROTO_TCP"' 'xb_svc: sets of backends as numbers'
like "$(bpftool -j map dump pinned "$maps/xb_metrics" | jq -c '.[].formatted.values[].value')" '"tcp_connect":[1-9]' 'xb_metrics: counters by name'
long=$(ls "$maps" | awk 'length > 15')
is "$long" '' 'no map name is cut off'
done_testing
