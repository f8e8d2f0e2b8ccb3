#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a user does with workloads, by kubectl 1.20 and 1.32: the words that it prints, and what becomes of them with controllers,
# scheduler and hollow nodes running. Each kubectl has a namespace and two nodes of its own, and they work at the same time.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false
scheduler_start --leader-elect=false
XB_EXEC=exec in_ns node "$BIN/xebec-bench" hollow --nodes 4 --prefix node- --untaint >"$TMP/hollow.log" 2>&1 &
untainted() { [ "$(k get nodes -o json | jq '[.items[] | select(.spec.taints == null)] | length')" = 4 ]; }
busywait 30 untainted || bail 'the hollow nodes are not ready'

# c: this kubectl in this namespace; v: what it prints on both streams
c() { in_ns node "$kubectl" -n "$space" "$@"; }
v() { c "$@" 2>&1; }
says() { local name=$1 words=$2; shift 2; is "$(v "$@")" "$words" "$version: $name"; } # NAME WORDS ARGUMENTS...
path() { c get "$1" -o "jsonpath=$2"; }                                                # OBJECT PATH
comes() { ok "$version: $1" busywait 10 eval "$2"; }                                   # NAME CONDITION
images() { c get pods -l app=web -o json | jq -r '[.items[] | select(.metadata.deletionTimestamp == null) | .spec.containers[0].image] | unique | join(" ")'; }
rolls_out() { like "$(v rollout status deployment/web --timeout=20s)" 'deployment "web" successfully rolled out$' "$version: $1"; }

rollouts() {
	says 'create deployment' 'deployment.apps/web created' create deployment web --image=nginx:1 --replicas=3
	like "$(v rollout status deployment/web --timeout=20s)" '^(Waiting for deployment .*...
)*deployment "web" successfully rolled out$' "$version: rollout status"
	says 'set image' 'deployment.apps/web image updated' set image deployment/web nginx=nginx:2
	rolls_out 'another image'
	is "$(images)" nginx:2 "$version: is what runs"
	says 'rollout history' $'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>' rollout history deployment/web
	like "$(v rollout history deployment/web --revision=1)" 'deployment.apps/web with revision #1.*Image:	nginx:1' "$version: rollout history of one"
	says 'rollout undo' 'deployment.apps/web rolled back' rollout undo deployment/web
	rolls_out undone
	is "$(images)" nginx:1 "$version: it is as it was"
	says 'to where it is' 'deployment.apps/web skipped rollback (current template already matches revision 3)' rollout undo deployment/web --to-revision=3
	says 'rollout pause' 'deployment.apps/web paused' rollout pause deployment/web
	says 'set env' 'deployment.apps/web env updated' set env deployment/web A=b
	says 'set resources' 'deployment.apps/web resource requirements updated' set resources deployment/web --requests=cpu=10m --limits=memory=1Gi
	comes 'paused, the change is seen' '[ "$(path deployment/web "{.metadata.generation}")" = "$(path deployment/web "{.status.observedGeneration}")" ]'
	is "$(c get rs -l app=web -o name | wc -l)" 2 "$version: and waits"
	like "$(v rollout undo deployment/web)" '^error: (you cannot|.*cannot) rollback a paused deployment; resume it first with ' "$version: no undo meanwhile"
	says 'rollout resume' 'deployment.apps/web resumed' rollout resume deployment/web
	rolls_out resumed
	is "$(c get pods -l app=web -o json | jq -c '[.items[] | select(.metadata.deletionTimestamp == null) | .spec.containers[0] | [.env[0].value, .resources.requests.cpu, .resources.limits.memory]] | unique')" \
		'[["b","10m","1Gi"]]' "$version: with both"
	says 'rollout restart' 'deployment.apps/web restarted' rollout restart deployment/web
	rolls_out restarted
	like "$(path deployment/web '{.spec.template.metadata.annotations}')" 'kubectl.kubernetes.io/restartedAt' "$version: by an annotation"
}

sizes() {
	says 'scale' 'deployment.apps/web scaled' scale deployment/web --replicas=5
	rolls_out 'scaled'
	is "$(path deployment/web '{.status.readyReplicas}')" 5 "$version: there are 5"
	says 'not from another size' 'error: Expected replicas to be 2, was 5' scale deployment/web --replicas=3 --current-replicas=2
	says 'expose' 'service/web exposed' expose deployment/web --port=80
	comes 'its endpoints are the pods' '[ "$(path endpoints/web "{.subsets[0].addresses[*].ip}" | wc -w)" = 5 ]'
	says 'autoscale' 'horizontalpodautoscaler.autoscaling/web autoscaled' autoscale deployment/web --min=2 --max=4 --cpu-percent=80
	is "$(path hpa/web '{.spec.scaleTargetRef.kind} {.spec.scaleTargetRef.name} {.spec.minReplicas} {.spec.maxReplicas}')" 'Deployment web 2 4' "$version: so it says"
	comes 'and so it is done' '[ "$(path deployment/web "{.spec.replicas} {.status.replicas}")" = "4 4" ]'
	says 'and deleted' 'horizontalpodautoscaler.autoscaling "web" deleted' delete hpa web
	says 'scale from what it is' 'deployment.apps/web scaled' scale deployment/web --replicas=5 --current-replicas=4
	rolls_out 'by hand'
}

# the other two that roll out: KIND NAME, as its status and the rest call it, what it says at the end
of_its_own() {
	local kind=$1 called=$2 end=$3
	c create -f - >/dev/null <<-EOT
		{"apiVersion":"apps/v1","kind":"$kind","metadata":{"name":"own"},"spec":{"selector":{"matchLabels":{"app":"$kind"}},"template":{
		"metadata":{"labels":{"app":"$kind"}},"spec":{"terminationGracePeriodSeconds":1,"containers":[{"name":"c","image":"nginx:1"}]}}}}
	EOT
	like "$(v rollout status "$called/own" --timeout=20s)" "$end" "$version: rollout status of a $kind"
	says "set image of a $kind" "$called.apps/own image updated" set image "$called/own" c=nginx:2
	like "$(v rollout status "$called/own" --timeout=20s)" "$end" "$version: it rolls out"
	is "$(c get pods -l "app=$kind" -o json | jq -c '[.items[].spec.containers[0].image] | unique')" '["nginx:2"]' "$version: that is what runs"
	says "rollout history of a $kind" "$called.apps/own "$'\nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>' rollout history "$called/own"
	says "rollout undo of a $kind" "$called.apps/own rolled back" rollout undo "$called/own"
	like "$(v rollout status "$called/own" --timeout=20s)" "$end" "$version: it rolls back"
	says "rollout restart of a $kind" "$called.apps/own restarted" rollout restart "$called/own"
	like "$(v rollout status "$called/own" --timeout=20s)" "$end" "$version: and again"
	is "$(c get pods -l "app=$kind" -o json | jq -c '[.items[].spec.containers[0].image] | unique')" '["nginx:1"]' "$version: as it was"
	c delete "$called" own >/dev/null
}

pods() {
	says 'run' 'pod/one created' run one --image=busybox --restart=Never
	says 'wait for a condition' 'pod/one condition met' wait --for=condition=Ready pod/one --timeout=10s
	says 'label' 'pod/one labeled' label pod one tier=a
	says 'not twice' "error: 'tier' already has a value (a), and --overwrite is false" label pod one tier=b
	says 'label, overwritten' 'pod/one labeled' label pod one tier=b --overwrite
	says 'annotate' 'pod/one annotated' annotate pod one note=x
	is "$(path pod/one '{.metadata.labels.tier} {.metadata.annotations.note}')" 'b x' "$version: both are there"
	c patch pod one --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}' >/dev/null
	c delete pod one --wait=false >/dev/null
	v wait --for=delete pod/one --timeout=10s >"$TMP/waited" &
	c patch pod one --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
	wait $!
	like "$(cat "$TMP/waited")" '^(pod/one condition met|error: no matching resources found|)$' "$version: wait for the end"
	says 'a wait that is over' 'error: timed out waiting for the condition on deployments/web' wait --for=condition=Progressing=False deployment/web --timeout=1s
}

places() { c get pods -l app=web -o json | jq -r '.items[] | select(.status.phase == "Running" and .metadata.deletionTimestamp == null) | .spec.nodeName' | sort | uniq -c | xargs; }
nodes() { # NODE OTHER
	c label node "$1" "$2" "for=$space" >/dev/null
	c patch deployment web -p "{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"for\":\"$space\"}}}}}" >/dev/null
	rolls_out 'to two nodes'
	# what is drained must not be the other kubectl's pod that nothing would make again
	touch "$TMP/moved"
	busywait 60 [ -e "$TMP/../1.20/moved" -a -e "$TMP/../1.32/moved" ]
	says 'cordon' "node/$1 cordoned" cordon "$1"
	says 'cordoned' "node/$1 already cordoned" cordon "$1"
	like "$(v get node "$1" --no-headers)" "^$1 +Ready,SchedulingDisabled " "$version: get node shows it"
	like "$(v drain "$1" --ignore-daemonsets)" "^node/$1 already cordoned
(Warning: .*
)?(evicting pod v[0-9]*/.*
)+(pod/.* evicted
)+node/$1 (drained|evicted)$" "$version: drain"
	comes 'all run on the other' "[ \"\$(places)\" = '5 $2' ]"
	says 'taint' "node/$2 tainted" taint node "$2" key=value:NoSchedule
	c scale deployment/web --replicas=6 >/dev/null
	comes 'nowhere to go' '[[ "$(v get events --field-selector reason=FailedScheduling)" == *"0/4 nodes are available: "*" node(s) had untolerated taint {key: value}"*" node(s) were unschedulable"* ]]'
	says 'uncordon' "node/$1 uncordoned" uncordon "$1"
	comes 'the sixth goes there' "[ \"\$(places)\" = '$(printf '%s\n' "1 $1" "5 $2" | sort -k2 | xargs)' ]"
	says 'untaint' "node/$2 untainted" taint node "$2" key-
	is "$(path "node/$2" '{.spec.taints}')" '' "$version: it is gone"
	c label node "$1" "$2" for- >/dev/null
}

jobs() {
	says 'create cronjob' 'cronjob.batch/tick created' create cronjob tick --image=busybox --schedule='0 0 1 1 *'
	if [ "$version" = 1.20 ]; then # it knows no other than those of batch/v1beta1, which the server of 1.33 has not
		like "$(v create job now --from=cronjob/tick)" '^error: from must be an existing cronjob: no kind "CronJob" is registered for version "batch/v1"' \
			"$version: create job from it"
		return
	fi
	says 'create job from it' 'job.batch/now created' create job now --from=cronjob/tick
	is "$(path job/now '{.metadata.annotations.cronjob\.kubernetes\.io/instantiate} {.metadata.ownerReferences[0].kind} {.spec.template.spec.containers[0].image}')" \
		'manual CronJob busybox' "$version: as it would be made"
	comes 'its pod runs' '[ "$(path job/now "{.status.active}")" = 1 ]'
}

# deleted HOW, of a deployment "old" of two
deleted() {
	c create deployment old --image=nginx:1 --replicas=2 >/dev/null
	c rollout status deployment/old --timeout=20s >/dev/null
	set_=$(c get rs -l app=old -o name)
	says "delete --cascade=$1" 'deployment.apps "old" deleted' delete deployment old "--cascade=$1"
}
left() { c get rs,pods -l app=old -o json | jq '[.items[] | select(.metadata.deletionTimestamp == null)] | length'; }
cascades() {
	deleted foreground
	is "$(c get rs,pods -l app=old -o name | wc -l)" 0 "$version: all went before it"
	deleted background
	comes 'all goes after it' '[ "$(left)" = 0 ]'
	deleted orphan
	is "$(left) $(path "$set_" '{.metadata.ownerReferences}')" '3 ' "$version: all stays, and is nobody's"
	says 'the set is deleted' "${set_/\// \"}\" deleted" delete "$set_"
	comes 'and its pods' '[ "$(left)" = 0 ]'
}

with() { # VERSION KUBECTL NODE OTHER
	version=$1 kubectl=$2 space=v${1/./} TMP=$TMP/$1
	k create namespace "$space" >/dev/null
	rollouts
	sizes
	of_its_own DaemonSet daemonset 'daemon set "own" successfully rolled out$'
	of_its_own StatefulSet statefulset 'partitioned roll out complete: 1 new pods have been updated...$'
	pods
	nodes "$3" "$4"
	jobs
	cascades
}
mkdir "$TMP/1.20" "$TMP/1.32"
with 1.20 "$KUBECTL_120" node-0 node-1 >"$TMP/1.20.tap" &
new=$(kubectl_132)
[ -n "$new" ] || touch "$TMP/1.32/moved"
[ -z "$new" ] || with 1.32 "$new" node-2 node-3 >"$TMP/1.32.tap" &
wait %?1.20 %?1.32 2>/dev/null
awk '/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n) } { print }' "$TMP"/1.*.tap
tests_run=$(cat "$TMP"/1.*.tap | grep -cE '^(not )?ok ') tests_failed=$(cat "$TMP"/1.*.tap | grep -c '^not ok ')
done_testing
