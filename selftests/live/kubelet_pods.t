#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kubelet runs pods and says what becomes of them: a real API server, as system:node:n1, and a real containerd; pods are
# bound by spec.nodeName. All begin at once; what they do is looked at one after the other.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"

node_up
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
containerd_start
cni_none
mkdir -p "$TMP/seen"
kubelet_start

SEEN='"volumes":[{"name":"seen","hostPath":{"path":"'$TMP/seen'"}}]'
# c NAME COMMAND [MORE]: a container that may write to /seen
c() { printf '{"name":"%s","image":"%s","command":["sh","-c",%s],"volumeMounts":[{"name":"seen","mountPath":"/seen"}]%s}' "$1" "${IMAGE:-$BUSYBOX_IMAGE}" "$(jq -n --arg c "$2" '$c')" "${3:+,$3}"; }
# terminates at once
stay() { c "$1" 'trap "exit 0" TERM; sleep 1000 & wait' "${2:-}"; }

# --- all of them ---
pod plain "$SEEN,\"containers\":[$(stay c)]"
pod two "$SEEN,\"containers\":[$(stay b),$(stay a '"readinessProbe":{"exec":{"command":["test","-e","/seen/ready"]},"periodSeconds":1}')]"
pod done "$SEEN,\"restartPolicy\":\"Never\",\"containers\":[$(c c 'echo bye >/dev/termination-log')]"
pod failed "$SEEN,\"restartPolicy\":\"Never\",\"containers\":[$(c c 'exit 3')]"
pod again "$SEEN,\"restartPolicy\":\"OnFailure\",\"containers\":[$(c c 'test -e /seen/again || { touch /seen/again; exit 1; }')]"
pod crash "$SEEN,\"containers\":[$(c c 'exit 1')]"
pod order "$SEEN,\"restartPolicy\":\"Never\",\"initContainers\":[$(c i 'echo i >>/seen/order'),$(c s 'echo s >>/seen/order; touch /seen/order-s; trap "echo s-end >>/seen/order; exit 0" TERM; sleep 1000 & wait' '"restartPolicy":"Always","startupProbe":{"exec":{"command":["test","-e","/seen/order-s"]},"periodSeconds":1}'),$(c j 'echo j >>/seen/order')],\"containers\":[$(c m 'echo m >>/seen/order')]"
pod broken "$SEEN,\"restartPolicy\":\"Never\",\"initContainers\":[$(c i 'exit 4')],\"containers\":[$(stay c)]"
pod live "$SEEN,\"containers\":[$(c c 'sleep 1000' '"livenessProbe":{"exec":{"command":["sh","-c","! test -e /seen/sick || { rm /seen/sick; false; }"]},"periodSeconds":1,"failureThreshold":1}')]"
pod hooks "$SEEN,\"containers\":[$(c c 'trap "echo term >>/seen/hooks; exit 0" TERM; while :; do sleep 0.1; done' '"lifecycle":{"postStart":{"exec":{"command":["sh","-c","echo post >>/seen/hooks"]}},"preStop":{"exec":{"command":["sh","-c","echo pre >>/seen/hooks"]}}}')]"
pod killed "$SEEN,\"containers\":[$(c c 'exec sleep 4711')]"
pod unreachable "$SEEN,\"containers\":[$(IMAGE=127.0.0.1:1/none:1 stay c)]"
pod never "$SEEN,\"containers\":[$(IMAGE=localhost/none:1 stay c '"imagePullPolicy":"Never"')]"
pod nocommand '"containers":[{"name":"c","image":"'"$BUSYBOX_IMAGE"'","command":["/no/such/command"]}]'
pod noconfig "$SEEN,\"containers\":[$(stay c '"envFrom":[{"configMapRef":{"name":"late"}}]')]"
pod novolume '"volumes":[{"name":"v","configMap":{"name":"later"}}],"containers":[{"name":"c","image":"'"$BUSYBOX_IMAGE"'","command":["sleep","1000"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}]'
pod deadline "$SEEN,\"activeDeadlineSeconds\":1,\"containers\":[$(stay c)]"
pod elsewhere "$SEEN,\"nodeSelector\":{\"disk\":\"ssd\"},\"containers\":[$(stay c)]"
k create -f - >/dev/null <<JSON
{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"plain"},"handler":"runc"}
JSON
k create -f - >/dev/null <<JSON
{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"odd"},"handler":"no-such-handler"}
JSON
pod classy "$SEEN,\"runtimeClassName\":\"plain\",\"containers\":[$(stay c)]"
pod odd "$SEEN,\"runtimeClassName\":\"odd\",\"containers\":[$(stay c)]"
pod huge "$SEEN,\"containers\":[$(stay c '"resources":{"requests":{"cpu":"1000"}}')]"

# --- running ---
uid=$(k get pod crash -o 'jsonpath={.metadata.uid}')
becomes crash '[.phase, .containerStatuses[0].restartCount, (.containerStatuses[0].state.waiting | .reason, .message), .containerStatuses[0].lastState.terminated.exitCode]' \
	"[\"Running\",1,\"CrashLoopBackOff\",\"back-off 10s restarting failed container=c pod=crash_default($uid)\",1]" 'a crash backs off'
ok 'as an Event tells' busywait 5 said crash "Back-off restarting failed container c in pod crash_default($uid)"
becomes plain .phase '"Running"' 'a pod runs'
is "$(status plain '[.conditions[] | "\(.type)=\(.status)"] | sort')" '["ContainersReady=True","Initialized=True","PodReadyToStartContainers=True","PodScheduled=True","Ready=True"]' 'with all conditions'
is "$(status plain '[.hostIP, .podIP[0:8], .qosClass, .startTime != null]')" '["192.0.2.1","10.88.0.","BestEffort",true]' 'addresses and class'
is "$(status plain '[.containerStatuses[] | .name, .ready, .started, .restartCount, .image, (.imageID | startswith("sha256:")), (.containerID | startswith("containerd://")), .volumeMounts[0].mountPath]')" \
	"[\"c\",true,true,0,\"$BUSYBOX_IMAGE\",true,true,\"/seen\"]" 'and its container'
ok 'Events tell of image, making and start' busywait 5 told plain 'spec.containers{c}' Pulled Created Started
is "$(k get pod plain --no-headers | awk '{print $2, $3, $4}')" '1/1 Running 0' 'kubectl get'
becomes classy .phase '"Running"' 'one of a RuntimeClass runs'
ok 'one of a handler that there is not is told of' busywait 5 said odd 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "no-such-handler" is configured'
becomes two '[.phase, (.conditions[] | select(.type == "Ready") | .status, .message)]' '["Running","False","containers with unready status: [a]"]' 'not ready while a probe says so'
touch "$TMP/seen/ready"
becomes two '[.containerStatuses[] | .name, .ready]' '["a",true,"b",true]' 'and ready when it says so'

# --- ends ---
becomes done '[.phase, (.containerStatuses[0].state.terminated | .exitCode, .reason, .message)]' '["Succeeded",0,"Completed","bye\n"]' 'exit 0, and last words'
becomes failed '[.phase, (.containerStatuses[0].state.terminated | .exitCode, .reason)]' '["Failed",3,"Error"]' 'exit 3'
becomes again '[.phase, .containerStatuses[0].restartCount, .containerStatuses[0].lastState.terminated.exitCode]' '["Succeeded",1,1]' 'OnFailure: again, then done'
becomes broken '[.phase, .initContainerStatuses[0].state.terminated.exitCode, .containerStatuses[0].state.waiting.reason]' '["Failed",4,"PodInitializing"]' 'a failed init container'
becomes order .phase '"Succeeded"' 'init containers, a sidecar, a main one'
is "$(tr '\n' ' ' <"$TMP/seen/order")" 'i s j m s-end ' 'in their order'
becomes deadline '[.phase, .reason, .message]' '["Failed","DeadlineExceeded","Pod was active on the node longer than the specified deadline"]' 'a deadline'

# --- what goes wrong ---
becomes unreachable '.containerStatuses[0].state.waiting.reason' '"ImagePullBackOff"' 'an image that cannot be pulled'
becomes never '[.containerStatuses[0].state.waiting | .reason, .message]' '["ErrImageNeverPull","Container image \"localhost/none:1\" is not present with pull policy of Never"]' 'an image that must not be pulled'
becomes nocommand '[.containerStatuses[0].lastState.terminated | .exitCode, .reason]' '[128,"StartError"]' 'a command that is not there'
like "$(status nocommand '.containerStatuses[0].lastState.terminated.message')" 'exec: ..?"/no/such/command..?": stat /no/such/command: no such file or directory: unknown' 'in words'
becomes noconfig '[.containerStatuses[0].state.waiting | .reason, .message]' '["CreateContainerConfigError","configmap \"late\" not found"]' 'a ConfigMap for variables that is not there'
ok 'as an Event tells' busywait 5 said noconfig 'Error: configmap "late" not found'
ok 'one for a volume' busywait 5 said novolume 'MountVolume.SetUp failed for volume "v" : configmap "later" not found'
k create configmap late --from-literal=a=b >/dev/null
k create configmap later --from-literal=a=b >/dev/null
becomes noconfig .phase '"Running"' 'it comes'
becomes novolume .phase '"Running"' 'and the other'
becomes elsewhere '[.phase, .reason, .message]' '["Failed","NodeAffinity","Pod was rejected: Predicate NodeAffinity failed: node(s) didn'"'"'t match Pod'"'"'s node affinity/selector"]' 'a pod for other nodes'
becomes huge '[.phase, .reason]' '["Failed","OutOfcpu"]' 'one that asks for too much'

# --- restarts ---
id=$(status live '.containerStatuses[0].containerID')
touch "$TMP/seen/sick"
becomes live '[.phase, .containerStatuses[0].restartCount, .containerStatuses[0].ready]' '["Running",1,true]' 'a failed liveness probe restarts'
ok 'Events tell why' busywait 5 said live 'Container c failed liveness probe, will be restarted'
is "$(status live .containerStatuses[0].lastState.terminated.containerID)" "$id" 'lastState is of the one before'
busywait 5 pgrep -xf 'sleep 4711'
pkill -9 -xf 'sleep 4711'
becomes killed '[.phase, .containerStatuses[0].restartCount, .containerStatuses[0].lastState.terminated.exitCode]' '["Running",1,137]' 'one that is killed comes again'
image_import localhost/other:1 true
k patch pod plain -p '{"spec":{"containers":[{"name":"c","image":"localhost/other:1"}]}}' >/dev/null
becomes plain '[.phase, .containerStatuses[0].restartCount, .containerStatuses[0].image]' '["Running",1,"localhost/other:1"]' 'another image restarts'
ok 'as an Event tells' busywait 5 said plain 'Container c definition changed, will be restarted'

# --- a sandbox that dies, a container to look with ---
pid=$(ctr tasks ls | awk -v id="$(ctr containers ls -q "labels.\"io.kubernetes.pod.name\"==novolume,labels.\"io.cri-containerd.kind\"==sandbox")" '$1 == id { print $2 }')
kill -9 "$pid"
becomes novolume '[.phase, .containerStatuses[0].restartCount]' '["Running",1]' 'a pod whose sandbox died runs in another'
ok 'as an Event tells' busywait 5 said novolume 'Pod sandbox changed, it will be killed and re-created.'
api PATCH "$CORE/pods/two/ephemeralcontainers" -H 'Content-Type: application/strategic-merge-patch+json' -d '{"spec":{"ephemeralContainers":[{"name":"look",
	"image":"'"$BUSYBOX_IMAGE"'","targetContainerName":"a","command":["sh","-c","exit 7"]}]}}' >/dev/null
becomes two '[.ephemeralContainerStatuses[] | .name, .state.terminated.exitCode]' '["look",7]' 'an ephemeral container runs, once'
is "$(status two '[.phase, (.containerStatuses[] | .restartCount)]')" '["Running",0,0]' 'beside the others'

# --- the end ---
k delete pod hooks --wait=false >/dev/null
ok 'a deleted pod goes' busywait 10 gone hooks
is "$(tr '\n' ' ' <"$TMP/seen/hooks")" 'post pre term ' 'after its hooks'
ok 'as an Event tells' busywait 5 said hooks 'Stopping container c'
k delete pods --all --wait=false >/dev/null
ok 'all go' busywait 15 none_left
ok 'nothing is left of them at the runtime' busywait 10 nothing_runs
ok 'nor of volumes and logs' busywait 10 bash -c "[ -z \"\$(ls -A '$TMP/kubelet/pods' '$TMP/logs' | grep -v ':\$' | grep .)\" ]"
ok 'nor of cgroups' busywait 10 bash -c "[ -z \"\$(find /sys/fs/cgroup -path '*$PODS_CGROUP/*' -type d -name 'pod*')\" ]"
done_testing
