#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kube-proxy --dry-run: what an agent would change, beside one that runs and without one.
. "$(dirname "$0")/../lib.sh"

node_up
web_up a; a=$POD_IP
web_up b; b=$POD_IP
apiserver_start
# the exit code, with what was printed in $TMP/dry
dry() { on_node timeout 10 "$BIN/kube-proxy" --dry-run --kubeconfig="$TMP/admin.conf" --hostname-override=node --cgroup-path="$CG/node" --bpffs-path="$BPFFS" >"$TMP/dry" 2>"$TMP/dry.log"; }
code() { dry; echo $?; }
says() { grep -qxF -- "$1" "$TMP/dry" || { cat "$TMP/dry"; return 1; }; }
equal() { dry; }

service web 80:80 "$a" "$b"
service gone 81:80 "$a"
vip=$(cluster_ip web)
is "$(code)" 2 'nothing is in the tables yet: exit code 2'
ok 'a port would be added' says 'add default/web:p TCP IPv4'
ok 'with its cluster IP' says "  + cluster IP $vip:80"
ok 'and its backends' says "  + internal $b:80"
is "$(find "$BPFFS" -mindepth 1 ! -name '*.debug')" '' 'nothing was pinned'

proxy_start
ok 'once an agent has them in the tables' busywait 5 get "http://$vip/"
ok 'nothing would be changed, beside the agent: exit code 0' busywait 5 equal
is "$(cat "$TMP/dry")" '' 'and nothing is printed'

kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
slice web 80 "$b" | k apply -f - >/dev/null 2>&1
k patch service web -p '{"spec":{"externalIPs":["203.0.113.7"],"sessionAffinity":"ClientIP"}}' >/dev/null
k delete service gone >/dev/null
service new 82:80 "$a"
sum() { find "$BPFFS/xebec" -path '*/maps/*' \( -name 'xb_fe?' -o -name 'xb_svc' -o -name 'xb_name' -o -name 'xb_be?' \) | sort | while read -r m; do bpftool -j map dump pinned "$m"; done | cksum; }
before=$(sum)
is "$(code)" 2 'after changes that no agent saw: exit code 2'
ok 'a port would be changed' says 'change default/web:p TCP IPv4'
ok 'a backend would go' says "  - internal $a:80"
ok 'an external IP would come' says '  + external IP 203.0.113.7:80'
ok 'session affinity too' says '  ~ session affinity: 10800 s (was 0)'
ok 'a port would be added' says 'add default/new:p TCP IPv4'
ok 'and one removed' says 'remove default/gone:p TCP IPv4'
is "$(grep -c "$b:80" "$TMP/dry")" 0 'what stays is not told of'
is "$(sum)" "$before" 'the tables are as they were'
is "$(k get events -o name)" '' 'and the API server has no Event'
proxy_start
ok 'an agent brings it all in' busywait 5 equal
done_testing
