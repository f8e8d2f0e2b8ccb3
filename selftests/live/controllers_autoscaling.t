#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# HorizontalPodAutoscalers keep a target within its limits, and tell that there are no metrics; with metrics: the unit test.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm() { kcm_start --leader-elect=false --horizontal-pod-autoscaler-sync-period=500ms; }
kcm

condition() { k get hpa "$1" -o json | jq -c --arg t "$2" '.status.conditions[]? | select(.type == $t) | [.status, .reason, .message]'; }
says() { [ "$(condition "$1" "$2")" = "$3" ]; } # name, type, what
replicas() { [ "$(k get "$1" -o 'jsonpath={.spec.replicas}')" = "$2" ]; }
told() { k get events -o json | jq -e --arg o "$1" --arg r "$2" --arg m "$3" '.items | any(.involvedObject.name == $o and .reason == $r and .message == $m)'; }

# --- without metrics ---
k create deployment web --image=nginx --replicas=2 >/dev/null
k set resources deployment web --requests=cpu=100m >/dev/null
k autoscale deployment web --min=1 --max=5 --cpu-percent=50 >/dev/null
why='failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API'
ok 'the scale is had' busywait 5 says web AbleToScale '["True","SucceededGetScale","the HPA controller was able to get the target'"'"'s current scale"]'
ok 'there are no metrics, which a condition tells' busywait 5 says web ScalingActive "[\"False\",\"FailedGetResourceMetric\",\"the HPA was unable to compute the replica count: $why\"]"
ok 'an event as well' busywait 5 told web FailedGetResourceMetric "$why"
ok 'and what came of it' busywait 5 told web FailedComputeMetricsReplicas "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: $why"
like "$(k describe hpa web)" 'ScalingActive +False +FailedGetResourceMetric' 'kubectl describes it'
like "$(k120 get hpa web --no-headers)" '^web +Deployment/web +' 'kubectl 1.20 prints it'
is "$(k get hpa web -o 'jsonpath={.status.currentReplicas}')" 2 'the replicas are told'
version=$(k get hpa web -o 'jsonpath={.metadata.resourceVersion}')
events() { k get events -o json | jq '[.items[] | select(.reason == "FailedGetResourceMetric")][0].count'; }
before=$(events)
ok 'it looks again and again' busywait 5 eval '[ "$(events)" -gt "$before" ]'
is "$(k get hpa web -o 'jsonpath={.metadata.resourceVersion}')" "$version" 'and writes nothing that it said already'

# --- limits ---
k patch hpa web -p '{"spec":{"minReplicas":3}}' >/dev/null
ok 'too few become as many as there must be' busywait 5 replicas deployment/web 3
ok 'an event tells' busywait 5 told web SuccessfulRescale 'New size: 3; reason: Current number of replicas below Spec.MinReplicas'
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
k scale deployment web --replicas=9 >/dev/null
kcm
ok 'too many become as many as there may be, also by the next process' busywait 5 replicas deployment/web 5
ok 'an event tells' busywait 5 told web SuccessfulRescale 'New size: 5; reason: Current number of replicas above Spec.MaxReplicas'
like "$(k get hpa web -o 'jsonpath={.status.lastScaleTime}')" '^20' 'and the status when'
k scale deployment web --replicas=0 >/dev/null
ok 'what was scaled to nothing is left alone' busywait 5 says web ScalingActive '["False","ScalingDisabled","scaling is disabled since the replica count of the target is zero"]'
ok 'it stays' replicas deployment/web 0

# --- other targets ---
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"rc"},"spec":{"replicas":1,"selector":{"app":"rc"},
"template":{"metadata":{"labels":{"app":"rc"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}},
{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db"},"spec":{"replicas":1,"serviceName":"db","selector":{"matchLabels":{"app":"db"}},
"template":{"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}},
{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"rc"},"spec":{"minReplicas":2,"maxReplicas":4,
"scaleTargetRef":{"apiVersion":"v1","kind":"ReplicationController","name":"rc"}}},
{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"db"},"spec":{"minReplicas":3,"maxReplicas":4,
"scaleTargetRef":{"apiVersion":"apps/v1","kind":"StatefulSet","name":"db"}}},
{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"none"},"spec":{"maxReplicas":4,
"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"none"}}},
{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"odd"},"spec":{"maxReplicas":4,
"scaleTargetRef":{"apiVersion":"example.com/v1","kind":"Odd","name":"odd"}}}]}
EOF
ok 'a ReplicationController is scaled' busywait 5 replicas rc/rc 2
ok 'a StatefulSet is' busywait 5 replicas statefulset/db 3
ok 'a target that is not there is told' busywait 5 says none AbleToScale \
	'["False","FailedGetScale","the HPA controller was unable to get the target'"'"'s current scale: deployments.apps \"none\" not found"]'
ok 'so is a kind that is not' busywait 5 says odd AbleToScale \
	'["False","FailedGetScale","the HPA controller was unable to get the target'"'"'s current scale: no matches for kind \"Odd\" in version \"example.com/v1\""]'
k create -f - >/dev/null <<'EOF'
{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"twice"},"spec":{"maxReplicas":4,
"scaleTargetRef":{"apiVersion":"v1","kind":"ReplicationController","name":"rc"}}}
EOF
ok 'two for the same pods are refused' busywait 5 eval '[[ "$(condition twice ScalingActive)" == *"AmbiguousSelector"*"pods by selector app=rc are controlled by multiple HPAs"* ]]'
done_testing
