#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Pods of a Deployment or a Service are spread over zones without a word of it, as upstream's PodTopologySpread does by default; a
# configuration may ask for other constraints, or none. One zone is emptier than the others, so that it draws what is not spread.
. "$(dirname "$0")/../lib.sh"

node_up
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'schedulertoken,system:kube-scheduler,2' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=Node,RBAC
sed "s/client-certificate-data:.*/token: schedulertoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/scheduler.conf"
XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow --nodes 6 --zones 3 --cpu 100 --memory 100Gi --untaint >"$TMP/hollow.json" 2>"$TMP/hollow.log" &
busywait 20 grep -q registered "$TMP/hollow.json" || bail 'the hollow nodes do not register'
kcm_start --leader-elect=false
scheduler() { scheduler_start --kubeconfig="$TMP/scheduler.conf" --leader-elect=false "$@"; }

ballast() { # of a node: a fifth of it
	cat <<EOT
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"ballast-$1"},"spec":{"nodeName":"$1","containers":[{"name":"c","image":"i",
"resources":{"requests":{"cpu":"20","memory":"20Gi"}}}]}}
EOT
}
deployment() { # name
	cat <<EOT
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"$1"},"spec":{"replicas":6,"selector":{"matchLabels":{"app":"$1"}},
"template":{"metadata":{"labels":{"app":"$1"}},"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"c","image":"i"}]}}}}
EOT
}
pod() { # name, app
	echo "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"$1\",\"labels\":{\"app\":\"$2\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"
}
make() { k create -f - >/dev/null; }
# how many pods of an app each zone has: "2 2 2"
by_zone() { k get pods -l "app=$1" -o json | jq -r '[.items[].spec.nodeName // "none-9" | ltrimstr("hollow-") | tonumber % 3] as $z
	| [range(3) as $i | $z | map(select(. == $i)) | length] | join(" ")'; }
placed() { [ "$(k get pods -l "app=$1" -o json | jq '[.items[] | select(.spec.nodeName)] | length')" = "${2:-6}" ]; }
config() { # args of PodTopologySpread
	cat <<EOT
{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"KubeSchedulerConfiguration","leaderElection":{"leaderElect":false},
"profiles":[{"pluginConfig":[{"name":"PodTopologySpread","args":$1}]}]}
EOT
}

for n in 0 1 3 4; do ballast "hollow-$n"; done | make
scheduler
deployment web | make
ok 'pods of a Deployment are bound' busywait 10 placed web
is "$(by_zone web)" '2 2 2' 'in every zone as many'
for i in 1 2 3 4 5 6; do pod "lone-$i" lone; done | make
ok 'pods that belong to nothing are bound' busywait 10 placed lone
is "$(by_zone lone)" '0 0 6' 'where there is most room'
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Service","metadata":{"name":"served"},"spec":{"selector":{"app":"served"},"ports":[{"port":80}]}}'
for i in 1 2 3 4 5 6; do pod "served-$i" served; done | make
ok 'pods of a Service are bound' busywait 10 placed served
is "$(by_zone served)" '2 2 2' 'in every zone as many'

# --- killed: what is there counts for the next process ---
kill -9 "$SCHEDULER_PID"; wait "$SCHEDULER_PID" 2>/dev/null
k delete pod served-1 served-2 served-3 served-4 served-5 --grace-period=0 --force >/dev/null 2>&1
left=$(k get pod served-6 -o json | jq -r '.spec.nodeName | ltrimstr("hollow-") | tonumber % 3')
pod served-7 served | make; pod served-8 served | make
scheduler
ok 'the next process binds' busywait 10 placed served 3
is "$(by_zone served)" '1 1 1' "beside the one that is left in zone $left"

# --- as the configuration says ---
stop "$SCHEDULER_PID"
config '{"defaultingType":"List"}' >"$TMP/none.json"
scheduler --config="$TMP/none.json"
deployment none | make
ok 'without constraints by default pods are bound' busywait 10 placed none
is "$(by_zone none)" '0 0 6' 'where there is most room'
stop "$SCHEDULER_PID"
config '{"defaultingType":"List","defaultConstraints":[{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule"}]}' >"$TMP/list.json"
scheduler --config="$TMP/list.json"
for n in 0 3; do k cordon "hollow-$n"; done >/dev/null
deployment hard | make
ok 'with a hard one some wait' busywait 10 eval \
	'k get events -o json | jq -e ".items | any(.reason == \"FailedScheduling\" and (.message | contains(\"4 node(s) didn'"'"'t match pod topology spread constraints\")))"'
is "$(by_zone hard | cut -d' ' -f1)" 0 'for a zone whose nodes are cordoned'
for n in 0 3; do k uncordon "hollow-$n"; done >/dev/null
ok 'until they are not' busywait 10 placed hard
is "$(by_zone hard)" '2 2 2' 'in every zone as many'
stop "$SCHEDULER_PID"
config '{"defaultConstraints":[{"maxSkew":1}]}' >"$TMP/bad.json"
like "$(on_node "$BIN/kube-scheduler" --config="$TMP/bad.json" --kubeconfig="$TMP/scheduler.conf" 2>&1)" \
	'PodTopologySpread: defaultingType: Invalid value: "System": when .defaultConstraints are specified' 'a list without the type List is refused'
done_testing
