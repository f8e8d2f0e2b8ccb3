#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What goes wrong is told where a user looks, in upstream's words: by "kubectl get pods" and "describe", Events, the node's condition.
. "$(dirname "$0")/../cluster.sh"

# the first node's disk is small
mkdir -p "$CLUSTERS/$CLUSTER/node-1"
mount -t tmpfs -o size=400m none "$CLUSTERS/$CLUSTER/node-1"
cluster_up
busywait 5 k get serviceaccount default
# make NAME SPEC: with c NAME IMAGE COMMAND... MORE for a container
make() { k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"'"$1"'"},"spec":{"terminationGracePeriodSeconds":1,'"$2"'}}'; }
c() { printf '"containers":[{"name":"c","image":"%s","imagePullPolicy":"%s","command":["sh","-c","%s"]%s}]' "${IMAGE:-busybox}" "${PULL:-IfNotPresent}" "$1" "${2:+,$2}"; }
# pod_says POD DESCRIPTION COLUMN LINE...: what "kubectl get" and "kubectl describe" soon say of it, blanks made one
pod_says() {
	local p=$1 d=$2 until=$(($(date +%s) + ${WAIT:-30})) line missing; shift 2
	while :; do
		{ k get pod "$p" --no-headers; k describe pod "$p"; } 2>&1 | tr -s ' ' >"$TMP/said"
		missing=
		for line; do grep -qE -- "$line" "$TMP/said" || missing+="$line"$'\n'; done
		[ -n "$missing" ] && [ "$(date +%s)" -lt "$until" ] || break
		sleep 0.3
	done
	is "$missing" '' "$d"
	[ -z "$missing" ] || note "$(sed -n '1p; /^Containers/,/^Conditions/p; /^Events/,$p' "$TMP/said")"
}
node_says() { # NODE CONDITION STATUS REASON MESSAGE
	k get node "$1" -o json | jq -e --arg c "$2" --arg s "$3" --arg r "$4" --arg m "$5" \
		'.status.conditions | any(.type == $c and .status == $s and .reason == $r and (.message | test($m)))'
}
told() { k get events -A -o json | jq -e --arg n "$1" --arg r "$2" --arg m "$3" '.items | any(.involvedObject.name == $n and .reason == $r and (.message | contains($m)))'; }

# --- all at once ---
IMAGE=127.0.0.1:1/no/such:1 make noimage "$(IMAGE=127.0.0.1:1/no/such:1 c true)"
make badimage "$(IMAGE=Not/A/Name c true)"
make never "$(IMAGE=none:1 PULL=Never c true)"
make nocommand '"containers":[{"name":"c","image":"busybox","imagePullPolicy":"IfNotPresent","command":["/no/such/command"]}]'
make oom "\"restartPolicy\":\"Never\",$(c 'tail /dev/zero' '"resources":{"limits":{"memory":"16Mi"}}')"
make live "$(c 'sleep 1000' '"livenessProbe":{"exec":{"command":["false"]},"periodSeconds":1,"failureThreshold":2}')"
make unready "$(c 'sleep 1000' '"readinessProbe":{"httpGet":{"path":"/","port":81},"periodSeconds":1}')"
make unstarted "$(c 'sleep 1000' '"startupProbe":{"tcpSocket":{"port":82},"periodSeconds":1}')"
make noconfig "$(c 'sleep 1000' '"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"late","key":"a"}}}]')"
make nosecret "$(c 'sleep 1000' '"envFrom":[{"secretRef":{"name":"none"}}]')"
make nokey "$(c 'sleep 1000' '"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"there","key":"other"}}}]')"
k create configmap there --from-literal=a=b >/dev/null
make novolume "\"volumes\":[{\"name\":\"v\",\"secret\":{\"secretName\":\"none\"}}],$(c 'sleep 1000' '"volumeMounts":[{"name":"v","mountPath":"/v"}]')"
make nohostpath "\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/no/such/folder\",\"type\":\"Directory\"}}],$(c 'sleep 1000' '"volumeMounts":[{"name":"v","mountPath":"/v"}]')"
make crash "$(c 'echo last words >/dev/termination-log; exit 3')"
make root "$(c 'sleep 1000' '"securityContext":{"runAsNonRoot":true}')"
make huge "$(c 'sleep 1000' '"resources":{"requests":{"cpu":"1000"}}')"
make elsewhere "\"nodeSelector\":{\"disk\":\"ssd\"},$(c 'sleep 1000')"
make noclaim "\"volumes\":[{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"none\"}}],$(c 'sleep 1000')"
make hook "$(c 'sleep 1000' '"lifecycle":{"postStart":{"exec":{"command":["false"]}}}')"
make init "\"initContainers\":[{\"name\":\"i\",\"image\":\"busybox\",\"imagePullPolicy\":\"IfNotPresent\",\"command\":[\"false\"]}],$(c 'sleep 1000')"
make deadline "\"activeDeadlineSeconds\":8,$(c 'sleep 1000')"

# --- images ---
pod_says noimage 'an image that is not there' ' (ErrImagePull|ImagePullBackOff) ' 'Normal Pulling .* kubelet Pulling image "127.0.0.1:1/no/such:1"' \
	'Warning Failed .* kubelet Failed to pull image "127.0.0.1:1/no/such:1": .*connection refused' 'Warning Failed .* kubelet Error: ErrImagePull' \
	'Reason: ImagePullBackOff' 'Normal BackOff .* kubelet Back-off pulling image "127.0.0.1:1/no/such:1"' 'Warning Failed .* kubelet Error: ImagePullBackOff'
pod_says badimage 'no name of an image' ' InvalidImageName ' 'Reason: InvalidImageName' \
	'Warning InspectFailed .* kubelet Failed to apply default image tag "Not/A/Name": couldn.t parse image name "Not/A/Name": invalid reference format: repository name .*must be lowercase' \
	'Warning Failed .* kubelet Error: InvalidImageName'
pod_says never 'one that may not be pulled' ' ErrImageNeverPull ' 'Warning ErrImageNeverPull .* kubelet Container image "none:1" is not present with pull policy of Never' \
	'Warning Failed .* kubelet Error: ErrImageNeverPull'

# --- containers ---
pod_says nocommand 'no such command' ' (RunContainerError|CrashLoopBackOff) ' 'Reason: StartError' 'Exit Code: 128' \
	'Warning Failed .* kubelet Error: failed to create containerd task: failed to create shim task: .*exec: "/no/such/command": stat /no/such/command: no such file or directory: unknown'
pod_says oom 'out of memory' ' OOMKilled ' 'Reason: OOMKilled' 'Exit Code: 137'
pod_says crash 'a crash loop' ' (Error|CrashLoopBackOff) ' 'Reason: CrashLoopBackOff' 'Last State: Terminated' 'Message: last words' 'Exit Code: 3' \
	'Warning BackOff .* kubelet Back-off restarting failed container c in pod crash_default\('
pod_says root 'root where it may not be' ' CreateContainerConfigError ' 'Warning Failed .* kubelet Error: container has runAsNonRoot and image will run as root'
pod_says hook 'a hook that fails' 'Warning FailedPostStartHook .* kubelet PostStartHook failed' 'Normal Killing .* kubelet FailedPostStartHook'
pod_says init 'an init container that fails' ' Init:(Error|CrashLoopBackOff) ' 'Warning BackOff .* kubelet Back-off restarting failed container i in pod init_default\('
pod_says deadline 'a deadline' ' Error ' '^Reason: DeadlineExceeded' '^Message: Pod was active on the node longer than the specified deadline'

# --- probes ---
pod_says live 'liveness' 'Warning Unhealthy .* kubelet Liveness probe failed:' 'Normal Killing .* kubelet Container c failed liveness probe, will be restarted'
pod_says unready 'readiness' ' 0/1 +Running ' 'Warning Unhealthy .* kubelet Readiness probe failed: Get "http://10.244.0.[0-9]*:81/": dial tcp 10.244.0.[0-9]*:81: connect: connection refused' '^ Ready False'
pod_says unstarted 'startup' ' 0/1 +Running ' 'Warning Unhealthy .* kubelet Startup probe failed: dial tcp 10.244.0.[0-9]*:82: connect: connection refused'

# --- objects and volumes ---
pod_says noconfig 'no ConfigMap' ' CreateContainerConfigError ' 'Warning Failed .* kubelet Error: configmap "late" not found'
pod_says nosecret 'no Secret' ' CreateContainerConfigError ' 'Warning Failed .* kubelet Error: secret "none" not found'
pod_says nokey 'no such key' ' CreateContainerConfigError ' "Warning Failed .* kubelet Error: couldn't find key other in ConfigMap default/there"
pod_says novolume 'no Secret as a volume' ' ContainerCreating ' 'Warning FailedMount .* kubelet MountVolume.SetUp failed for volume "v" : secret "none" not found'
pod_says nohostpath 'no such folder' ' ContainerCreating ' 'Warning FailedMount .* kubelet MountVolume.SetUp failed for volume "v" : hostPath type check failed: /no/such/folder is not a directory'

# --- the scheduler ---
pod_says huge 'too large' ' Pending ' 'Warning FailedScheduling .* default-scheduler 0/1 nodes are available: 1 Insufficient cpu\. preemption: 0/1 nodes are available: 1 (No preemption victims found for incoming pod|Preemption is not helpful for scheduling)\.'
pod_says elsewhere 'no such node' ' Pending ' "Warning FailedScheduling .* default-scheduler 0/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity/selector\."
pod_says noclaim 'no such claim' ' Pending ' 'Warning FailedScheduling .* default-scheduler .*persistentvolumeclaim "none" not found'
k delete pods --all --grace-period=1 --wait=false >/dev/null
ok 'all of them go' busywait 25 no_pods

# --- a second node, whose runtime ends and does not start again ---
cluster_up --nodes 2
make there "\"nodeName\":\"node-2\",$(c 'sleep 1000')"
busywait 15 pod_is there .status.phase Running
mv "$CLUSTERS/$CLUSTER/node-2/containerd.toml" "$TMP"
kill -9 "$(xebec status --name "$CLUSTER" -o json | jq '."node-2".containerd.pid')"

# --- the network's configuration is broken ---
conf=$CLUSTERS/$CLUSTER/node-1/cni/net.d
netd=$(xebec status --name "$CLUSTER" -o json | jq '."node-1"."xebec-netd".pid')
kill -STOP "$netd"
rm "$conf"/*
ok 'no configuration of a network: the node' busywait 15 node_says node-1 Ready False KubeletNotReady \
	'^container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized$'
make unscheduled "\"nodeSelector\":{\"kubernetes.io/hostname\":\"node-1\"},$(c 'sleep 1000')"
pod_says unscheduled 'and a pod' ' Pending ' 'Warning FailedScheduling .* default-scheduler 0/2 nodes are available: .*1 node\(s\) had untolerated taint \{node.kubernetes.io/not-ready: \}'
make blocked "\"nodeName\":\"node-1\",\"tolerations\":[{\"operator\":\"Exists\"}],$(c 'sleep 1000')"
pod_says blocked 'one that is there' ' ContainerCreating ' 'Warning NetworkNotReady .* kubelet network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized'
echo '{"cniVersion":"1.0.0","name":"broken","plugins":[{"type":"no-such-plugin"}]}' >"$conf/10-broken.conflist"
pod_says blocked 'no such plugin' ' ContainerCreating ' \
	'Warning FailedCreatePodSandBox .* kubelet Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox .*failed to find plugin "no-such-plugin"'
rm "$conf/10-broken.conflist"
kill -9 "$netd"
ok 'xebec-netd starts again, and mends it' busywait 30 pod_is blocked .status.phase Running
ok 'the node is ready' busywait 15 node_says node-1 Ready True KubeletReady '^kubelet is posting ready status$'
ok 'and the other pod runs' busywait 15 pod_is unscheduled .status.phase Running

# --- the disk is full ---
k delete pods unscheduled blocked --grace-period=1 --wait=false >/dev/null
room=$(df --output=avail -m "$CLUSTERS/$CLUSTER/node-1" | tail -1) # not all: containerd could not note any more what ends
make hog "\"nodeName\":\"node-1\",\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}],$(c "dd if=/dev/zero of=/v/file bs=1M count=$((room - 8)); sleep 1000" '"volumeMounts":[{"name":"v","mountPath":"/v"}]')"
ok 'a full disk: the node' busywait 30 node_says node-1 DiskPressure True KubeletHasDiskPressure '^kubelet has disk pressure$'
pod_says hog 'and who filled it' ' (Evicted|Error) ' '^Status: Failed' '^Reason: Evicted' '^Message: The node was low on resource: ephemeral-storage. Threshold quantity: [0-9]+[KM]i, available: [0-9]+[KM]i' \
	'Warning Evicted .* kubelet The node was low on resource: ephemeral-storage.'
ok 'as the node tells' busywait 5 told node-1 EvictionThresholdMet 'Attempting to reclaim ephemeral-storage'

# --- the runtime is away ---
ok 'without containerd: the node' busywait 45 node_says node-2 Ready False KubeletNotReady '^container runtime is down$'
mv "$TMP/containerd.toml" "$CLUSTERS/$CLUSTER/node-2"
ok 'it comes back' busywait 20 node_says node-2 Ready True KubeletReady '^kubelet is posting ready status$'
is "$(pod there '.status.phase, .status.containerStatuses[0].restartCount' | tr '\n' ' ')" 'Running 0 ' 'and its pod never went'
done_testing
