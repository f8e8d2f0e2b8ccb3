#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Pods without a node get one: the right one, told in upstream's words; one that fits nowhere waits, and says why, until a node
# fits; a more important one makes room; and killed in the middle of 200 pods, all of them are bound once and no node is overfull.
. "$(dirname "$0")/../lib.sh"

node_up
# as who it is in a cluster, with the rights of its role and no more
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'schedulertoken,system:kube-scheduler,2' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=Node,RBAC
sed "s/client-certificate-data:.*/token: schedulertoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/scheduler.conf"
scheduler() { scheduler_start --kubeconfig="$TMP/scheduler.conf" "$@"; }
scheduler --leader-elect=false

node() { # name, cpu, labels, taints
	cat <<EOT
{"apiVersion":"v1","kind":"Node","metadata":{"name":"$1","labels":{"kubernetes.io/hostname":"$1"${3:+,$3}}},
"status":{"capacity":{"cpu":"$2","memory":"8Gi","pods":"110"},"allocatable":{"cpu":"$2","memory":"8Gi","pods":"110"},
"conditions":[{"type":"Ready","status":"True"}]}}
EOT
}
# a node that is ready, without the taint that every new one has
add_node() {
	node "$@" | k create -f - >/dev/null
	k patch node "$1" --type merge -p '{"spec":{"taints":['"${4:-}"']}}' >/dev/null
}
pod() { # name, cpu, more of the spec
	cat <<EOT
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$1","labels":{"app":"$1"}},"spec":{${3:-}${3:+,}"containers":[{"name":"c","image":"nginx:1.14",
"resources":{"requests":{"cpu":"$2"}}}]}}
EOT
}
where() { raw "$CORE/pods/$1" | jq -r '.spec.nodeName // empty'; }
is_at() { [ "$(where "$1")" = "$2" ]; }
condition() { raw "$CORE/pods/$1" | jq -c '.status.conditions[]? | select(.type == "PodScheduled") | [.status, .reason, .message]'; }
events() { raw $CORE/events | jq -c "[.items[] | select(.involvedObject.name == \"$1\" and .reason == \"$2\")]"; }

# --- no node ---
pod first 100m | k create -f - >/dev/null
ok 'without nodes it says so' busywait 5 eval '[ "$(condition first)" = "[\"False\",\"Unschedulable\",\"no nodes available to schedule pods\"]" ]'

# --- the right node ---
add_node a 4 '"disk":"ssd"'
add_node b 4 '' '{"key":"dedicated","value":"db","effect":"NoSchedule"}'
ok 'with the first node it is bound' busywait 5 is_at first a
ok 'an event tells where' busywait 5 eval '[ "$(events first Scheduled | jq -r ".[0] | .message, .type, .reportingComponent")" = "Successfully assigned default/first to a
Normal
default-scheduler" ]'
pod tolerant 100m '"tolerations":[{"key":"dedicated","value":"db","effect":"NoSchedule"}],"nodeSelector":{"kubernetes.io/hostname":"b"}' | k create -f - >/dev/null
ok 'what tolerates a taint goes where it asks to' busywait 5 is_at tolerant b

# --- one that fits nowhere ---
pod big 1000 | k create -f - >/dev/null
says='0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {dedicated: db}. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.'
ok 'an event says why' busywait 5 eval '[ "$(events big FailedScheduling | jq -r ".[0] | .message, .type")" = "$says
Warning" ]'
ok 'and so does the condition' busywait 5 eval '[ "$(condition big)" = "$(jq -nc --arg m "$says" "[\"False\",\"Unschedulable\",\$m]")" ]'
add_node c 2
ok 'a node whose taint goes may help, and brings a new try' busywait 5 eval '[[ "$(condition big)" == *"0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: db}, 2 Insufficient cpu."* ]]'
version=$(k get pod big -o 'jsonpath={.metadata.resourceVersion}')
k label node c color=blue >/dev/null
pod small 1 | k create -f - >/dev/null
ok 'others are bound meanwhile' busywait 5 eval '[ -n "$(where small)" ]'
is "$(k get pod big -o 'jsonpath={.metadata.resourceVersion}')" "$version" 'a label that it does not ask for brings none'
add_node huge 2000
ok 'as soon as a node fits it is bound' busywait 5 is_at big huge
is "$(k get pod big -o json | jq -r '.status.conditions[] | select(.type == "PodScheduled").status')" True 'and the condition is true'

# --- gates, other schedulers, deletion of the reason ---
pod gated 100m '"schedulingGates":[{"name":"example.com/wait"}]' | k create -f - >/dev/null
pod other 100m '"schedulerName":"another"' | k create -f - >/dev/null
pod after 100m | k create -f - >/dev/null
ok 'a pod after them is bound' busywait 5 eval '[ -n "$(where after)" ]'
is "$(where gated)$(where other)" '' 'one with a gate is not, nor is another scheduler'"'"'s'
k patch pod gated --type json -p '[{"op":"remove","path":"/spec/schedulingGates"}]' >/dev/null
ok 'without its gate it is' busywait 5 eval '[ -n "$(where gated)" ]'
k cordon a >/dev/null
pod cordoned 100m '"nodeSelector":{"disk":"ssd"}' | k create -f - >/dev/null
ok 'nothing goes to a node that is cordoned' busywait 5 eval '[[ "$(condition cordoned)" == *"1 node(s) were unschedulable"* ]]'
k uncordon a >/dev/null
ok 'until it is no more' busywait 5 is_at cordoned a

# --- room for the more important ---
k create -f - >/dev/null <<<'{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"high"},"value":1000}'
add_node d 2 '"only":"d"'
pod low 2 '"nodeSelector":{"only":"d"},"terminationGracePeriodSeconds":0' | k create -f - >/dev/null
ok 'a node is full' busywait 5 is_at low d
pod polite 1 '"nodeSelector":{"only":"d"}' | k create -f - >/dev/null
ok 'one as important waits' busywait 5 eval '[[ "$(condition polite)" == *"preemption: 0/5 nodes are available: 1 No preemption victims found for incoming pod, 4 Preemption is not helpful for scheduling."* ]]'
k delete pod polite --wait=false --grace-period=0 --force >/dev/null 2>&1
pod high 2 '"nodeSelector":{"only":"d"},"priorityClassName":"high"' | k create -f - >/dev/null
ok 'one more important says on which node room is made' busywait 5 eval '[ "$(k get pod high -o "jsonpath={.status.nominatedNodeName}")" = d ]'
ok 'an event tells the one that goes' busywait 5 eval '[[ "$(events low Preempted | jq -r ".[0].message")" == "Preempted by pod "*" on node d" ]]'
gone() { local s; s=$(k get pod low -o json 2>/dev/null) || return 0; [ "$(jq -r '.metadata.deletionTimestamp // ""' <<<"$s")" ]; }
ok 'it is deleted' busywait 5 gone
is "$(k get pod low -o json 2>/dev/null | jq -r '.status.conditions[] | select(.type == "DisruptionTarget") | .status + " " + .reason')" "$(k get pod low >/dev/null 2>&1 && echo 'True PreemptionByScheduler')" 'marked, as long as it is there'
k delete pod low --grace-period=0 --force --wait=false >/dev/null 2>&1
ok 'and the other takes its place' busywait 10 is_at high d

# --- killed in the middle ---
for n in 1 2 3 4; do add_node "n$n" 10 '"pool":"crash"'; done
many() { local i; for i in $(seq 200); do pod "p$i" 200m '"nodeSelector":{"pool":"crash"}' | sed 's/"labels":{[^}]*}/"labels":{"set":"crash"}/'; done; }
bound() { k get pods -l set=crash -o json | jq '[.items[] | select(.spec.nodeName)] | length'; }
many | k create -f - >/dev/null &
creator=$!
busywait 20 eval '[ "$(bound)" -ge 40 ]'
kill -9 "$SCHEDULER_PID"; wait "$SCHEDULER_PID" 2>/dev/null
scheduler --leader-elect=false
wait "$creator"
ok 'killed in the middle of 200 pods, all are bound' busywait 20 eval '[ "$(bound)" = 200 ]'
is "$(k get pods -l set=crash -o json | jq -c '[.items[].spec.nodeName] | group_by(.) | map(length)')" '[50,50,50,50]' 'and every node is as full as it can be, not more'
like "$(in_ns node curl -kfsS https://127.0.0.1:10259/metrics | grep '^scheduler_schedule_attempts_total.*result="scheduled"')" ' [1-9][0-9]*$' 'what it did is in the metrics'

# --- profiles ---
stop "$SCHEDULER_PID"
cat >"$TMP/scheduler.yaml" <<EOT
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection:
  leaderElect: false
profiles:
- schedulerName: default-scheduler
- schedulerName: another
  plugins:
    filter:
      disabled:
      - name: NodeResourcesFit
EOT
scheduler --config="$TMP/scheduler.yaml"
ok 'a profile of that name takes the pods that ask for it' busywait 5 eval '[ -n "$(where other)" ]'
is "$(events other Scheduled | jq -r '.[0].reportingComponent')" another 'in its name'
pod greedy 1000 '"schedulerName":"another","nodeSelector":{"disk":"ssd"}' | k create -f - >/dev/null
ok 'a filter that it turned off refuses nothing' busywait 5 is_at greedy a
k delete pod greedy --grace-period=0 --force >/dev/null 2>&1
sed 's/NodeResourcesFit/Nope/' "$TMP/scheduler.yaml" >"$TMP/bad.yaml"
like "$(on_node "$BIN/kube-scheduler" --config="$TMP/bad.yaml" 2>&1)" "--config: '$TMP/bad.yaml': profiles\[0*1\].plugins.filter: plugin \"Nope\" does not exist" 'what it does not know is refused'

# --- one leads ---
stop "$SCHEDULER_PID"
scheduler --leader-elect-retry-period=200ms
pod led 100m '"nodeSelector":{"disk":"ssd"}' | k create -f - >/dev/null
ok 'with election it works too' busywait 10 is_at led a
like "$(k get lease kube-scheduler -n kube-system -o 'jsonpath={.spec.holderIdentity}')" '_[0-9a-f-]{36}$' 'by the lease'
kill "$SCHEDULER_PID"; wait "$SCHEDULER_PID"
is "$? $(k get lease kube-scheduler -n kube-system -o 'jsonpath={.spec.holderIdentity}')" '0 ' 'told to end, it gives the lease up'
done_testing
