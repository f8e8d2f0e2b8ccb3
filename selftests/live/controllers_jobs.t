#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Jobs run to their end: kubectl makes, suspends and deletes them; what a kubelet would say of their pods is written by this
# test. There are no nodes: a pod that is deleted goes at once, when its finalizer is gone.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false

job() { # name, spec besides the template, more of the pod's spec
	cat <<EOF
{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"$1"},"spec":{${2:+$2,}
"template":{"spec":{"restartPolicy":"Never",${3:+$3,}"containers":[{"name":"c","image":"busybox"}]}}}}
EOF
}
make_job() { job "$@" | k create -f - >/dev/null; }
JOBS=/apis/batch/v1/namespaces/default/jobs
pods() { raw "$CORE/pods?labelSelector=job-name=$1"; }
# the names of those that are not over
running() { pods "$1" | jq -r '.items[] | select((.status.phase == "Pending" or .status.phase == "Running") and .metadata.deletionTimestamp == null).metadata.name'; }
runs() { [ "$(running "$1" | wc -l)" = "$2" ]; } # job, number of pods
# end_pod NAME PHASE [EXIT CODE [SECONDS AGO]]: what a kubelet says of a pod whose container ended
end_pod() {
	api PATCH "/api/v1/namespaces/default/pods/$1/status" -H 'Content-Type: application/merge-patch+json' -d \
		"{\"status\":{\"phase\":\"$2\",\"containerStatuses\":[{\"name\":\"c\",\"image\":\"busybox\",\"imageID\":\"\",\"ready\":false,\"restartCount\":0,
		\"state\":{\"terminated\":{\"exitCode\":${3:-0},\"finishedAt\":\"$(date -u -d "-${4:-0} seconds" +%FT%TZ)\"}}}]}}" >/dev/null
}
end_all() { local p; for p in $(running "$1"); do end_pod "$p" "$2" "${3:-0}" "${4:-0}"; done; }
status() { raw "$JOBS/$1" | jq -cS ".status | $2"; }
says() { [ "$(status "$1" "$2")" = "$3" ]; } # job, filter, value
conditions() { status "$1" '[(.conditions // [])[] | select(.status == "True") | "\(.type) \(.reason)"]'; }
told() { raw "$CORE/events" | jq -e --arg j "$1" --arg r "$2" --arg m "$3" '.items | any(.involvedObject.name == $j and .reason == $r and .message == $m)'; }
freed() { [ "$(pods "$1" | jq '[.items[] | select(.metadata.finalizers)] | length')" = 0 ]; }
completes() { k wait --for=condition=complete "job/$1" --timeout=10s >/dev/null; }

# --- as recorded: one after the other, two completions ---
make_job j '"completions":2'
ok 'a pod is made' busywait 5 runs j 1
pod=$(pods j | jq -c '.items[0]')
uid=$(k get job j -o 'jsonpath={.metadata.uid}')
is "$(jq -cS .metadata.ownerReferences <<<"$pod")" \
	"[{\"apiVersion\":\"batch/v1\",\"blockOwnerDeletion\":true,\"controller\":true,\"kind\":\"Job\",\"name\":\"j\",\"uid\":\"$uid\"}]" 'it is owned'
is "$(jq -cS '[.metadata.generateName, .metadata.labels, .metadata.finalizers]' <<<"$pod")" \
	"[\"j-\",{\"batch.kubernetes.io/controller-uid\":\"$uid\",\"batch.kubernetes.io/job-name\":\"j\",\"controller-uid\":\"$uid\",\"job-name\":\"j\"},[\"batch.kubernetes.io/job-tracking\"]]" \
	'labelled, and tracked by a finalizer'
ok 'the status tells' busywait 5 says j 'del(.startTime)' '{"active":1,"ready":0,"terminating":0,"uncountedTerminatedPods":{}}'
like "$(status j .startTime)" '^"20' 'and when it began'
ok 'an event tells' busywait 5 told j SuccessfulCreate "Created pod: $(jq -r .metadata.name <<<"$pod")"
end_all j Succeeded
ok 'the second follows' busywait 5 says j '[.active, .succeeded]' '[1,1]'
end_all j Succeeded
ok 'kubectl wait sees it complete' completes j
is "$(conditions j)" '["SuccessCriteriaMet CompletionsReached","Complete CompletionsReached"]' 'conditions tell'
is "$(status j '[.active, .succeeded, .ready, .terminating, .uncountedTerminatedPods, (.completionTime != null), .conditions[1].message]')" \
	'[null,2,0,0,{},true,"Reached expected number of succeeded pods"]' 'and counts'
ok 'an event tells of the end' busywait 5 told j Completed 'Job completed'
ok 'no pod is held any more' busywait 5 freed j
like "$(k get job j --no-headers)" '^j +(Complete +)?2/2 ' 'kubectl prints it'
like "$(k120 get job j --no-headers)" '^j +2/2 ' 'so does kubectl 1.20'

# --- failures ---
make_job fails '"backoffLimit":1'
busywait 5 runs fails 1
end_all fails Failed 1 9
ok 'a failure is counted' busywait 5 says fails .failed 1
ok 'another try follows 10 s after it' busywait 5 runs fails 1
end_all fails Failed 1
ok 'the second failure is one too many' busywait 5 says fails '[.failed, .active]' '[2,null]'
ok 'the job fails' k wait --for=condition=failed job/fails --timeout=10s
is "$(conditions fails)" '["FailureTarget BackoffLimitExceeded","Failed BackoffLimitExceeded"]' 'conditions tell why'
ok 'an event as well' busywait 5 told fails BackoffLimitExceeded 'Job has reached the specified backoff limit'
is "$(running fails | wc -l)" 0 'nothing is tried any more'

make_job late '"activeDeadlineSeconds":1,"parallelism":2,"completions":2'
busywait 5 runs late 2
ok 'a deadline ends a job' k wait --for=condition=failed job/late --timeout=10s
is "$(status late '[.failed, .active, .terminating, .conditions[1].reason, .conditions[1].message]')" \
	'[2,null,0,"DeadlineExceeded","Job was active longer than specified deadline"]' 'its pods count as failed'
ok 'and go' busywait 5 eval '[ "$(pods late | jq ".items | length")" = 0 ]'

make_job policy '"podFailurePolicy":{"rules":[{"action":"Ignore","onExitCodes":{"operator":"In","values":[3]}},{"action":"FailJob","onExitCodes":{"containerName":"c","operator":"In","values":[42]}}]}'
busywait 5 runs policy 1
end_all policy Failed 3 11
ok 'a failure is ignored by policy' busywait 5 eval 'freed_one=$(pods policy | jq "[.items[] | select(.metadata.finalizers == null)] | length"); [ "$freed_one" = 1 ] && runs policy 1'
is "$(status policy .failed)" null 'and does not count'
pod=$(running policy)
end_pod "$pod" Failed 42
ok 'another ends the job' k wait --for=condition=failed job/policy --timeout=10s
is "$(status policy '.conditions[1] | [.reason, .message]')" \
	"[\"PodFailurePolicy\",\"Container c for pod default/$pod failed with exit code 42 matching FailJob rule at index 1\"]" 'it says by which rule'

# --- lets go and takes over, with the finalizer ---
make_job takes
busywait 5 runs takes 1
pod=$(running takes) uid=$(k get job takes -o 'jsonpath={.metadata.uid}')
held_by() { [ "$(raw "$CORE/pods/$pod" | jq -c '.metadata | [.ownerReferences[]?.uid, .finalizers[]?]')" = "$1" ]; }
k label pod "$pod" controller-uid- >/dev/null
ok 'a pod that is not selected any more is let go' busywait 5 held_by '[]'
ok 'another is made instead' busywait 5 runs takes 2
end_pod "$(running takes | grep -v "$pod")" Failed 1
ok 'and fails' busywait 5 says takes '[.failed, .active]' '[1,null]'
k label pod "$pod" controller-uid="$uid" >/dev/null
ok 'the first is taken over again' busywait 5 held_by "[\"$uid\",\"batch.kubernetes.io/job-tracking\"]"
end_pod "$pod" Succeeded
ok 'and completes the job' completes takes

# --- suspended ---
make_job paused '"suspend":true,"parallelism":2,"completions":2'
ok 'a suspended job waits' busywait 5 says paused '[.active, .startTime, .conditions[0].type, .conditions[0].reason]' '[null,null,"Suspended","JobSuspended"]'
k patch job paused -p '{"spec":{"suspend":false}}' >/dev/null
ok 'resumed it runs' busywait 5 says paused '[.active, .conditions[0].status, .conditions[0].reason, (.startTime != null)]' '[2,"False","JobResumed",true]'
ok 'an event tells' busywait 5 told paused Resumed 'Job resumed'
k patch job paused -p '{"spec":{"suspend":true}}' >/dev/null
ok 'suspended its pods go and count as nothing' busywait 5 says paused '[.active, .failed, .conditions[0].status]' '[null,null,"True"]'
ok 'all of them' busywait 5 eval '[ "$(pods paused | jq ".items | length")" = 0 ]'

# --- indexed, killed in the middle ---
make_job many '"completions":20,"parallelism":5,"completionMode":"Indexed"'
busywait 5 runs many 5
pod=$(pods many | jq -c '[.items[] | select(.metadata.labels["batch.kubernetes.io/job-completion-index"] == "0")][0]')
is "$(jq -c '[.metadata.generateName, .metadata.annotations["batch.kubernetes.io/job-completion-index"], .spec.hostname, .spec.containers[0].env]' <<<"$pod")" \
	'["many-0-","0","many-0",[{"name":"JOB_COMPLETION_INDEX","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.labels['"'batch.kubernetes.io/job-completion-index'"']"}}}]]' \
	'a pod knows its index'
for round in 1 2 3 4; do
	busywait 5 runs many 5
	ends=()
	for p in $(running many); do
		end_pod "$p" Succeeded &
		ends+=($!)
	done
	sleep "0.0$((round * 3))"
	kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
	kcm_start --leader-elect=false
	wait "${ends[@]}"
	busywait 5 eval '[ "$(status many .succeeded)" = $((round * 5)) ]'
done
ok 'it completes all the same' completes many
is "$(status many '[.succeeded, .completedIndexes, .active, .failed, .uncountedTerminatedPods]')" '[20,"0-19",null,null,{}]' 'twenty are counted'
is "$(pods many | jq -c '[.items[].metadata.labels["batch.kubernetes.io/job-completion-index"]] | [length, (unique | length)]')" '[20,20]' 'by one pod an index'
ok 'no pod is held' busywait 5 freed many

make_job each '"completions":3,"parallelism":3,"completionMode":"Indexed","backoffLimitPerIndex":1'
busywait 5 runs each 3
index() { pods each | jq -r --arg i "$1" '.items[] | select(.metadata.labels["batch.kubernetes.io/job-completion-index"] == $i and .status.phase == "Pending").metadata.name'; }
end_pod "$(index 1)" Failed 1 11
ok 'a failed index is tried again' busywait 5 eval '[ -n "$(index 1)" ]'
is "$(k get pod "$(index 1)" -o json | jq -r '.metadata.annotations["batch.kubernetes.io/job-index-failure-count"]')" 1 'and counts on'
end_pod "$(index 1)" Failed 1
end_pod "$(index 0)" Succeeded
ok 'more failures than its limit end the index alone' busywait 5 says each '[.active, .completedIndexes, .failedIndexes, .failed]' '[1,"0","1",2]'
end_pod "$(index 2)" Succeeded
ok 'when all others are done the job fails' k wait --for=condition=failed job/each --timeout=10s
is "$(status each '[.completedIndexes, .failedIndexes, .conditions[1].reason, .conditions[1].message]')" '["0,2","1","FailedIndexes","Job has failed indexes"]' 'and says so'

# --- made by kubectl, deleted ---
k create job hello --image=busybox -- echo hi >/dev/null
k120 create job hello120 --image=busybox -- echo hi >/dev/null
ok 'kubectl create job' busywait 5 runs hello 1
ok 'of 1.20 as well' busywait 5 runs hello120 1
k delete job hello120 --wait=false >/dev/null
ok 'pods of a job that is deleted are let go, and go with it' busywait 5 eval '[ "$(pods hello120 | jq ".items | length")" = 0 ]'
end_all hello Succeeded
ok 'it completes' completes hello

# --- deleted some time after ---
make_job brief '"ttlSecondsAfterFinished":1'
busywait 5 runs brief 1
end_all brief Succeeded
ok 'a job with a time to live completes' busywait 5 told brief Completed 'Job completed'
ok 'and is deleted after that, with its pod' busywait 5 eval '! raw $JOBS/brief && [ "$(pods brief | jq ".items | length")" = 0 ]'
is "$(k get job j -o 'jsonpath={.metadata.deletionTimestamp}')" '' 'one without is not'
is "$(grep -c 'it comes again' "$TMP/kcm.log")" 0 'nothing had to be tried twice'
done_testing
