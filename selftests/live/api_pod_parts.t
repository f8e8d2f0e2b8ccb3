#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The parts of a pod that have paths of their own: ephemeral containers, resources, status.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
pod=/api/v1/namespaces/default/pods/p
MERGE='Content-Type: application/strategic-merge-patch+json'
patch() { api PATCH "$1" -H "$MERGE" -d "$2" | head -n -1; } # path, patch: the answer
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"}},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1"}}}]}}
EOF

# --- resize ---
if [ "$(kubectl_minor)" -ge 32 ]; then
	is "$(k patch pod p --subresource=resize -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1500m"}}}]}}')" 'pod/p patched' \
		'kubectl patch --subresource=resize'
	is "$(k get pod p -o 'jsonpath={.spec.containers[0].resources.requests.cpu} {.metadata.generation}')" '1500m 2' 'it asks for more, and is of another generation'
fi
is "$(patch $pod/resize '{"metadata":{"labels":{"a":"x"}},"spec":{"containers":[{"name":"c","image":"x","resources":{"requests":{"cpu":"2"}}}]}}' |
	jq -c '[.metadata.labels.a, .spec.containers[0].image, .spec.containers[0].resources.requests.cpu]')" '["b","i","2"]' 'resize changes resources and no more'
is "$(patch $pod '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"3"}}}]}}' | jq -r '.details.causes[0].field, .code')" $'spec\n422' \
	'the pod itself takes no other resources'
is "$(api GET $pod | head -n -1 | jq -c '[.metadata.managedFields[] | select(.subresource == "resize")] | length > 0')" true 'managedFields name the subresource'

# --- ephemeral containers ---
is "$(patch $pod '{"spec":{"ephemeralContainers":[{"name":"e","image":"b"}]}}' | jq .code)" 422 'the pod itself takes no ephemeral container'
if [ "$(kubectl_minor)" -ge 25 ]; then
	ok 'kubectl debug' k debug p --image=busybox --target=c --container=e -q
else
	patch $pod/ephemeralcontainers '{"spec":{"ephemeralContainers":[{"name":"e","image":"busybox","targetContainerName":"c"}]}}' >/dev/null
fi
is "$(k get pod p -o 'jsonpath={.spec.ephemeralContainers[*].name} {.spec.ephemeralContainers[*].targetContainerName}')" 'e c' 'it has its container'
is "$(patch $pod/ephemeralcontainers '{"spec":{"ephemeralContainers":[{"name":"e","image":"x"}]}}' | jq -r .message)" \
	$'Pod "p" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be changed' 'which stays as it is'
is "$(api GET $pod/ephemeralcontainers | head -n -1 | jq -r .kind)" Pod 'the part reads as the pod'

# --- status ---
patch $pod/status '{"status":{"containerStatuses":[{"name":"c","image":"i","imageID":"","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":0}}}]}}' >/dev/null
is "$(patch $pod/status '{"status":{"containerStatuses":[{"name":"c","image":"i","imageID":"","ready":true,"restartCount":0,"state":{"running":{}}}]}}' | jq -r .message)" \
	'Pod "p" is invalid: status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state' 'what ended and never restarts stays ended'
is "$(patch $pod/status '{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x","uid":"u"}]},"status":{"phase":"Succeeded"}}' |
	jq -c '[.metadata.ownerReferences, .status.phase, .status.qosClass]')" '[null,"Succeeded","Burstable"]' 'a status says nothing of owners, and keeps the class'
done_testing
