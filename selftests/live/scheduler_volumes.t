#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Pods with claims: where their volumes are; what waits for a pod is bound or made where the pod goes, before it goes there; and
# why a pod waits, in upstream's words. Hollow nodes, as one process; the controller manager binds.
. "$(dirname "$0")/../lib.sh"

node_up
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'schedulertoken,system:kube-scheduler,2' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=Node,RBAC
sed "s/client-certificate-data:.*/token: schedulertoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/scheduler.conf"
XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow --nodes 6 --zones 3 --untaint >"$TMP/hollow.json" 2>"$TMP/hollow.log" &
busywait 20 grep -q registered "$TMP/hollow.json" || bail 'the hollow nodes do not register'
kcm_start --leader-elect=false --enable-hostpath-provisioner
scheduler() { scheduler_start --kubeconfig="$TMP/scheduler.conf" --leader-elect=false; }
scheduler

volume() { # name, class, node
	cat <<EOT
{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"$1"},"spec":{"capacity":{"storage":"${4:-1Gi}"},"accessModes":["ReadWriteOnce"],
"local":{"path":"/mnt/$1"},"storageClassName":"$2","nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[
{"key":"kubernetes.io/hostname","operator":"In","values":["$3"]}]}]}}}}
EOT
}
claim() { # name, class, access mode
	cat <<EOT
{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"$1"},"spec":{"accessModes":["${3:-ReadWriteOnce}"],
"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"$2"}}
EOT
}
class() { # name, provisioner, binding mode
	echo "{\"apiVersion\":\"storage.k8s.io/v1\",\"kind\":\"StorageClass\",\"metadata\":{\"name\":\"$1\"},\"provisioner\":\"$2\",\"volumeBindingMode\":\"$3\"${4:+,$4}}"
}
pod() { # name, claims
	local volumes= c
	for c in $2; do volumes="$volumes${volumes:+,}{\"name\":\"v-$c\",\"persistentVolumeClaim\":{\"claimName\":\"$c\"}}"; done
	echo "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"$1\"},\"spec\":{\"terminationGracePeriodSeconds\":0,\"containers\":[{\"name\":\"c\",\"image\":\"i\"}],\"volumes\":[$volumes]${3:+,$3}}}"
}
make() { k create -f - >/dev/null; }
where() { raw "$CORE/pods/$1" | jq -r '.spec.nodeName // empty'; }
is_at() { [ "$(where "$1")" = "$2" ]; }
placed() { [ -n "$(where "$1")" ]; }
pvc_is() { [ "$(raw "$CORE/persistentvolumeclaims/$1" | jq -c "$2")" = "$3" ]; }
waits() { # pod, why
	local m='preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.'
	raw $CORE/events | jq -e --arg p "$1" --arg m "0/6 nodes are available: $2. ${3:-$m}" \
		'.items | any(.involvedObject.name == $p and .reason == "FailedScheduling" and .message == $m)' &&
		[ "$(raw "$CORE/pods/$1" | jq -r '.status.conditions[] | select(.type == "PodScheduled").reason')" = Unschedulable ]
}
{ class local kubernetes.io/no-provisioner WaitForFirstConsumer; class host kubernetes.io/host-path WaitForFirstConsumer
	class now kubernetes.io/host-path Immediate; class hand kubernetes.io/no-provisioner Immediate
	class zoned example.com/slow WaitForFirstConsumer '"allowedTopologies":[{"matchLabelExpressions":[{"key":"topology.kubernetes.io/zone","values":["zone-2"]}]}]'; } | make

# --- why it waits ---
pod early missing | make
ok 'a claim that is not there' busywait 5 waits early 'persistentvolumeclaim "missing" not found'
claim missing hand | make
ok 'one that is not bound' busywait 5 waits early 'pod has unbound immediate PersistentVolumeClaims'
volume by-hand hand hollow-3 | make
ok 'when it is, the pod goes where the volume is' busywait 5 is_at early hollow-3
pod elsewhere missing '"nodeSelector":{"kubernetes.io/hostname":"hollow-1"}' | make
ok 'and nowhere else' busywait 5 waits elsewhere \
	"1 node(s) had volume node affinity conflict, 5 node(s) didn't match Pod's node affinity/selector"

# --- volumes that are there ---
claim found local | make
pod finds found | make
ok 'no volume, and nobody to make one' busywait 5 waits finds "6 node(s) didn't find available persistent volumes to bind"
is "$(k get pvc found -o 'jsonpath={.status.phase}')" Pending 'the claim waits'
volume near local hollow-4 | make
ok 'one comes, and the pod goes to it' busywait 5 is_at finds hollow-4
ok 'its claim is bound' busywait 5 pvc_is found '[.status.phase, .spec.volumeName]' '["Bound","near"]'
{ volume left local hollow-0; volume right local hollow-1; volume both-1 local hollow-2; volume both-2 local hollow-2 2Gi; } | make
{ claim a local; claim b local; } | make
pod pair 'a b' | make
ok 'two claims of a pod find their volumes on one node' busywait 5 is_at pair hollow-2
ok 'one each' busywait 5 pvc_is a .status.phase '"Bound"'
is "$(k get pvc a b -o json | jq -c '[.items[].spec.volumeName] | sort')" '["both-1","both-2"]' 'that are there'

# --- volumes that are made ---
claim made host | make
pod makes made '"nodeSelector":{"kubernetes.io/hostname":"hollow-5"}' | make
ok 'a volume is made where the pod goes' busywait 5 is_at makes hollow-5
is "$(k get pvc made -o json | jq -c '[.metadata.annotations["volume.kubernetes.io/selected-node"], .status.phase]')" '["hollow-5","Bound"]' \
	'before it is bound'
is "$(k get pv "$(k get pvc made -o 'jsonpath={.spec.volumeName}')" -o json | jq -c '.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values')" \
	'["hollow-5"]' 'on that node'
like "$(k get events -o json | jq -r '.items[] | select(.involvedObject.name == "makes" and .reason == "Scheduled").message')" \
	'^Successfully assigned default/makes to hollow-5$' 'and that is told'
k delete pod makes >/dev/null
busywait 5 eval '! k get pod makes'
pod again made | make
ok 'the next pod follows the volume' busywait 5 is_at again hollow-5
claim quick now | make
pod takes quick | make
ok 'an immediate claim is no hindrance' busywait 5 placed takes
claim slow zoned | make
pod asks slow | make
ok 'where another provisioner can make it a node is selected' busywait 5 eval \
	'[ "$(k get node "$(k get pvc slow -o json | jq -r ".metadata.annotations[\"volume.kubernetes.io/selected-node\"]")" -o json | jq -r ".metadata.labels[\"topology.kubernetes.io/zone\"]")" = zone-2 ]'
is "$(where asks)" '' 'and the pod waits'
node=$(k get pvc slow -o json | jq -r '.metadata.annotations["volume.kubernetes.io/selected-node"]')
k annotate pvc slow volume.kubernetes.io/selected-node- >/dev/null
ok 'who gives up is told' busywait 5 eval 'raw $CORE/events | jq -e ".items | any(.involvedObject.name == \"asks\" and .message == \"running PreBind plugin \\\"VolumeBinding\\\": binding volumes: provisioning failed for PVC \\\"slow\\\"\")"'
busywait 5 eval '[ -n "$(k get pvc slow -o json | jq -r ".metadata.annotations[\"volume.kubernetes.io/selected-node\"] // empty")" ]'

# --- killed while it waits ---
kill -9 "$SCHEDULER_PID"; wait "$SCHEDULER_PID" 2>/dev/null
node=$(k get pvc slow -o json | jq -r '.metadata.annotations["volume.kubernetes.io/selected-node"]')
scheduler
uid=$(k get pvc slow -o 'jsonpath={.metadata.uid}')
volume "pvc-$uid" zoned "$node" | jq -c --arg uid "$uid" '.spec.claimRef = {namespace: "default", name: "slow", uid: $uid}' | make
ok 'the next process binds the pod where the volume was made' busywait 5 is_at asks "$node"

# --- for one pod only ---
volume single hand hollow-1 | jq -c '.spec.accessModes = ["ReadWriteOncePod"]' | make
claim one hand ReadWriteOncePod | make
pod first one | make
ok 'a claim for one pod' busywait 5 is_at first hollow-1
pod second one | make
ok 'keeps others waiting' busywait 5 waits second '6 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode' \
	'preemption: 0/6 nodes are available: 6 No preemption victims found for incoming pod.'
k delete pod first >/dev/null
ok 'until that is gone' busywait 5 is_at second hollow-1

# --- many at once, and killed ---
for i in $(seq 30); do claim "many-$i" host; pod "many-$i" "many-$i"; done | make &
making=$!
for i in 1 2 3; do
	kill -9 "$SCHEDULER_PID"; wait "$SCHEDULER_PID" 2>/dev/null
	scheduler
	sleep "0.$((i * 15))"
done
wait "$making"
all_placed() { [ "$(raw $CORE/pods | jq '[.items[] | select((.metadata.name | startswith("many-")) and .spec.nodeName != null)] | length')" = 30 ]; }
ok 'killed in the middle, all are placed' busywait 15 all_placed
is "$({ k get pods -o json; k get pv -o json; } | jq -s '([.[0].items[] | select(.metadata.name | startswith("many-")) | {(.metadata.name): .spec.nodeName}] | add) as $at
	| [.[1].items[] | select(.spec.claimRef.name // "" | startswith("many-")) | select(.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0] == $at[.spec.claimRef.name])] | length')" \
	30 'each where its volume is'

# --- told to end while one waits ---
claim never zoned | make
pod forever never | make
busywait 5 pvc_is never '.metadata.annotations | has("volume.kubernetes.io/selected-node")' true
kill "$SCHEDULER_PID"; wait "$SCHEDULER_PID"
is $? 0 'it ends when it is told to'
done_testing
