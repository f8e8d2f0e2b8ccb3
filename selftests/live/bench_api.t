#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# xebec-bench api at small sizes: each way to measure comes to an end and counts what was done.
. "$(dirname "$0")/../lib.sh"

# bench VERB FLAGS...: the JSON report
bench() { in_ns node timeout 60 "$BIN/xebec-bench" api "$1" -o json "${@:2}" 2>>"$TMP/bench.log"; }
# said JQ_EXPRESSION WHAT: of the last report
said() { is "$(jq -c "$1" <<<"$report" 2>&1)" "$2" "$3"; }

node_up
echo 'admintoken,admin,1,"system:masters"' >"$TMP/tokens.csv"
report=$(bench start -- "$BIN/kube-apiserver" --secure-port=6443 --bind-address=192.0.2.1 --advertise-address=192.0.2.1 --cert-dir="$TMP/pki" \
	--data-dir="$TMP/data" --token-auth-file="$TMP/tokens.csv" --kubeconfig-out="$KUBECONFIG" $NO_ACCOUNTS)
said '[.failed, .readyMilliseconds > 0, .server.rssBytesAfter > 0]' '[0,true,true]' 'start: a server is ready, and how soon'
server=$(jq .pid <<<"$report")
ok 'and goes on running' kill -0 "$server"
report=$(bench start -- /bin/false)
said '[.failed, .firstError, .pid]' '[1,"a server is ready there already",0]' 'a second one is not started where one answers'

for protocol in HTTP/1.1 HTTP/2; do
	flags=(--kind configmaps --server-pid "$server" "--http2=$([ $protocol = HTTP/2 ] && echo true || echo false)")
	report=$(bench create --count 300 --clients 5 --size 3000 "${flags[@]}")
	said '[.protocol, .failed, .operations.create.count, .server.rssBytesMost >= .server.rssBytesBefore]' "[\"$protocol\",0,300,true]" "$protocol: create"
	is "$(k get configmaps -o name | grep -c /bench-)" 300 "$protocol: and the objects are there"
	report=$(bench mixed --count 200 --clients 5 --objects 300 --size 3000 "${flags[@]}")
	said '[.failed, .requests >= 200]' '[0,true]' "$protocol: a mix of all"
	report=$(bench list --count 2 --clients 2 "${flags[@]}")
	said '[.failed, .unfinished, .operations.list.count, .bytesReceived > 1000000]' '[0,0,2,true]' "$protocol: lists, whole"
	report=$(bench list --count 2 --clients 2 --read-rate 100 --seconds 1 "${flags[@]}")
	said '[.failed, .unfinished, .bytesReceived > 50000 and .bytesReceived < 300000]' '[0,2,true]' "$protocol: slow readers read slowly"
	report=$(bench watch --watches 20 --events 5 --prefix watched- "${flags[@]}")
	said '[.failed, .watches, .connections, .receiptSinceAck.count, .lastReceiptSinceAck.count]' '[0,20,20,100,5]' "$protocol: a connection each watch"
	report=$(bench delete --count 300 "${flags[@]}")
	said '[.failed, .operations.delete.count]' '[0,300]' "$protocol: delete"
done
report=$(bench watch --http2 --kind configmaps --watches 20 --streams 8 --events 5)
said '[.failed, .watches, .connections, .receiptSinceAck.count]' '[0,20,3,100]' 'HTTP/2: eight watches on a connection'
report=$(bench get --kind secrets --count 3 --first 7 --clients 1)
said '[.failed, .firstError]' '[3,"GET /api/v1/namespaces/default/secrets/bench-00000007: 404: secrets \"bench-00000007\" not found"]' 'what the server refuses is told'
kill "$server"
busywait 10 bash -c "! kill -0 $server"
report=$(bench start -- /bin/false)
said '[.failed, .firstError]' '[1,"the server has ended"]' 'a server that ends was not ready'
done_testing
