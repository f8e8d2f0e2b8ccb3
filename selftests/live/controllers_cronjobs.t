#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# CronJobs make Jobs. Nobody waits for a minute to pass: schedules are of the year, and a status says that the last job was made
# long ago. There are no nodes: what becomes of the pods is written by this test.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm_start --leader-elect=false

cron() { # name, schedule, more of the spec
	k create -f - >/dev/null <<EOF
{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"$1"},"spec":{"schedule":"$2",${3:+$3,}"jobTemplate":{"metadata":{"labels":{"of":"$1"},"annotations":{"a":"b"}},
"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"busybox"}]}}}}}}
EOF
}
last_was() { api PATCH "/apis/batch/v1/namespaces/default/cronjobs/$1/status" -H 'Content-Type: application/merge-patch+json' -d "{\"status\":{\"lastScheduleTime\":\"$2\"}}" >/dev/null; }
BATCH=/apis/batch/v1/namespaces/default
jobs_of() { raw "$BATCH/jobs?labelSelector=of=$1" | jq '.items | length'; }
has() { [ "$(jobs_of "$1")" = "$2" ]; }
status() { raw "$BATCH/cronjobs/$1" | jq -c ".status | $2"; }
says() { [ "$(status "$1" "$2")" = "$3" ]; }
told() { raw $CORE/events | jq -e --arg o "$1" --arg r "$2" --arg m "$3" '.items | any(.involvedObject.name == $o and .reason == $r and (.message | startswith($m)))'; }
end_pods() { # job
	local p
	for p in $(raw "$CORE/pods?labelSelector=job-name=$1" | jq -r '.items[].metadata.name'); do
		api PATCH "/api/v1/namespaces/default/pods/$p/status" -H 'Content-Type: application/merge-patch+json' -d '{"status":{"phase":"Succeeded"}}' >/dev/null
	done
}
ends() { end_pods "$1"; [ "$(raw "$BATCH/jobs/$1" | jq .status.completionTime)" != null ]; }
year=$(date -u +%Y) before=$(($(date -u +%Y) - 1))-06-01T00:00:00Z
name=c-$(($(date -u -d "$year-01-01" +%s) / 60))

cron c '@yearly' '"timeZone":"Etc/UTC"'
ok 'nothing is due yet' busywait 1 has c 0
last_was c "$before"
ok 'a job is made when its time has passed' busywait 5 has c 1
job=$(k get job "$name" -o json)
is "$(jq -c '[.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"], .metadata.annotations.a, .metadata.labels.of]' <<<"$job")" \
	"[\"$year-01-01T00:00:00Z\",\"b\",\"c\"]" 'named after the time, from the template'
is "$(jq -cS .metadata.ownerReferences <<<"$job")" \
	"[{\"apiVersion\":\"batch/v1\",\"blockOwnerDeletion\":true,\"controller\":true,\"kind\":\"CronJob\",\"name\":\"c\",\"uid\":\"$(k get cronjob c -o 'jsonpath={.metadata.uid}')\"}]" 'owned'
ok 'the status tells' busywait 5 says c '[.lastScheduleTime, [.active[] | .kind, .name, .uid]]' \
	"[\"$year-01-01T00:00:00Z\",[\"Job\",\"$name\",$(jq .metadata.uid <<<"$job")]]"
ok 'an event tells' busywait 5 told c SuccessfulCreate "Created job $name"

# --- a second time while the first runs ---
k patch cronjob c -p '{"spec":{"schedule":"0 0 2 1 *","concurrencyPolicy":"Forbid"}}' >/dev/null
if [ "$(date -u +%m%d)" -gt 0102 ]; then
	ok 'Forbid starts none beside it' busywait 5 told c JobAlreadyActive 'Not starting job because prior execution is running'
	k patch cronjob c -p '{"spec":{"concurrencyPolicy":"Replace"}}' >/dev/null
	ok 'Replace deletes it and starts the next' busywait 5 eval "k get job c-$(($(date -u -d "$year-01-02" +%s) / 60)) && ! k get job $name"
	ok 'an event tells' busywait 5 told c SuccessfulDelete "Deleted job $name"
	name=c-$(($(date -u -d "$year-01-02" +%s) / 60))
fi
ok 'one is active' busywait 5 says c '[.active[].name]' "[\"$name\"]"
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
last_was c "$before"
kcm_start --leader-elect=false
ok 'the job ends' busywait 8 ends "$name"
ok 'it is active no more' busywait 5 says c '[.active, (.lastSuccessfulTime != null)]' '[null,true]'
ok 'an event tells' busywait 5 told c SawCompletedJob "Saw completed job: $name, condition: Complete"
is "$(jobs_of c)" 1 'a new process makes no second one'
k patch cronjob c -p '{"spec":{"successfulJobsHistoryLimit":0}}' >/dev/null
ok 'jobs beyond the limit go' busywait 5 has c 0

# --- not now ---
cron paused '@yearly' '"suspend":true'
cron late '@yearly' '"startingDeadlineSeconds":60'
cron lost '@yearly' '"timeZone":"Mars/Olympus"'
cron often '* * * * *' '"suspend":true'
for c in paused late lost often; do last_was $c "$before"; done
ok 'a zone that there is not is told' busywait 5 told lost UnknownTimeZone 'invalid timeZone: "Mars/Olympus": unknown time zone Mars/Olympus'
k patch cronjob often -p '{"spec":{"suspend":false}}' >/dev/null
ok 'times that were missed are told' busywait 5 told often TooManyMissedTimes 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds'
ok 'and the last is made up for' busywait 5 eval '[ "$(jobs_of often)" -ge 1 ]'
is "$(jobs_of paused) $(jobs_of late) $(jobs_of lost)" '0 0 0' 'suspended, too late, in no zone: no job'

# --- by hand ---
k create cronjob hello --image=busybox --schedule='0 0 1 1 *' -- echo hi >/dev/null
if [ "$(kubectl_minor)" -ge 21 ]; then # older ones do not know CronJobs of batch/v1
	k create job byhand --from=cronjob/hello >/dev/null
	ok 'kubectl create job --from runs' busywait 5 ends byhand
	is "$(k get job byhand -o 'jsonpath={.metadata.annotations.cronjob\.kubernetes\.io/instantiate}')" manual 'and is marked'
fi
done_testing
