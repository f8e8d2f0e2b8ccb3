#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Bodies in protobuf: what kubectl's typed clients send, and what no client should.
. "$(dirname "$0")/../lib.sh"
[ "$(kubectl_minor)" -ge 27 ] || { echo "1..0 # SKIP this machine's kubectl is older than those that send protobuf"; exit 0; }

node_up
apiserver_start
PROTOBUF=application/vnd.kubernetes.protobuf
# the body's media type, as kubectl logs its requests
sent_as() { k "$@" -v=9 2>&1 | grep -o -m1 'Content-Type: [a-z./+-]*'; }

like "$(sent_as create namespace probe)" "$PROTOBUF" 'kubectl sends protobuf'

is "$(k create namespace spaces 2>&1)" 'namespace/spaces created' 'create namespace'
is "$(k create secret generic s --from-literal=a=b --from-literal=empty= 2>&1)" 'secret/s created' 'create secret generic'
is "$(k get secret s -o json | jq -c '[.type, .data]')" '["Opaque",{"a":"Yg==","empty":""}]' 'its values'
head -c 100000 /dev/urandom >"$TMP/random"
is "$(k create secret generic large --from-file="$TMP/random" 2>&1)" 'secret/large created' 'a secret of 100 kB of any bytes'
ok 'the bytes are the same' cmp "$TMP/random" <(k get secret large -o 'jsonpath={.data.random}' | base64 -d)
is "$(k create secret docker-registry r --docker-server=x.example --docker-username=u --docker-password=p 2>&1)" 'secret/r created' \
	'create secret docker-registry'
is "$(k create secret tls t --cert="$TMP/pki/apiserver.crt" --key="$TMP/pki/apiserver.key" 2>&1)" 'secret/t created' 'create secret tls'
is "$(k get secret t -o 'jsonpath={.type}')" kubernetes.io/tls 'its type'
is "$(k create configmap c --from-literal=a=b --from-file="$TMP/random" 2>&1)" 'configmap/c created' 'create configmap'
is "$(k get configmap c -o json | jq -c '[.data, (.binaryData | keys)]')" '[{"a":"b"},["random"]]' 'text and other bytes'
is "$(k create configmap dry --from-literal=a=b --dry-run=server -o name 2>&1)" configmap/dry 'dry run at the server'
is "$(k create serviceaccount bot 2>&1)" 'serviceaccount/bot created' 'create serviceaccount'
like "$(k create secret generic s 2>&1)" 'secrets "s" already exists' 'create again'
like "$(k create configmap Wrong 2>&1)" 'Invalid value: "Wrong"' 'a wrong name'
like "$(k -n nowhere create configmap x 2>&1)" 'namespaces "nowhere" not found' 'no such namespace'

# zeros on the wire are no values: all of them have their defaults
is "$(k create service clusterip web --tcp=80:8080 2>&1)" 'service/web created' 'create service clusterip'
is "$(k get service web -o json | jq -c '.spec | [.type, .sessionAffinity, .internalTrafficPolicy, .ipFamilyPolicy, .ports, .selector]')" \
	'["ClusterIP","None","Cluster","SingleStack",[{"name":"80-8080","port":80,"protocol":"TCP","targetPort":8080}],{"app":"web"}]' 'its defaults'
like "$(k get service web -o 'jsonpath={.spec.clusterIP}')" '^10\.' 'its address'
is "$(k create service clusterip headless --clusterip=None 2>&1)" 'service/headless created' 'create service clusterip None'
is "$(k get service headless -o 'jsonpath={.spec.clusterIP}')" None 'it is headless'
is "$(k create service nodeport np --tcp=80 --node-port=30080 2>&1)" 'service/np created' 'create service nodeport'
is "$(k get service np -o json | jq -c '.spec | [.type, .externalTrafficPolicy, .ports[0].nodePort]')" '["NodePort","Cluster",30080]' 'its node port'
is "$(k create service nodeport free --tcp=80 2>&1)" 'service/free created' 'create service nodeport, any port'
like "$(k get service free -o 'jsonpath={.spec.ports[0].nodePort}')" '^3[0-9]{4}$' 'it got one'
is "$(k create service loadbalancer lb --tcp=80 2>&1)" 'service/lb created' 'create service loadbalancer'
is "$(k create service externalname en --external-name=x.example 2>&1)" 'service/en created' 'create service externalname'

cat >"$TMP/pod.json" <<'EOF2'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"rich","labels":{"a":"b"}},"spec":{
"volumes":[{"name":"host","hostPath":{"path":"/srv","type":"Directory"}},{"name":"scratch","emptyDir":{"sizeLimit":"1Gi"}},
 {"name":"all","projected":{"defaultMode":256,"sources":[{"secret":{"name":"s","items":[{"key":"a","path":"x"}]}},
 {"downwardAPI":{"items":[{"path":"cpu","resourceFieldRef":{"containerName":"main","resource":"limits.cpu","divisor":"1m"}}]}}]}}],
"initContainers":[{"name":"first","image":"busybox","restartPolicy":"Always"}],
"containers":[{"name":"main","image":"nginx","command":["a","b"],
 "env":[{"name":"E","value":""},{"name":"F","valueFrom":{"configMapKeyRef":{"name":"c","key":"a","optional":false}}}],"envFrom":[{"prefix":"p","secretRef":{"name":"s"}}],
 "ports":[{"containerPort":80,"name":"web"}],"resources":{"requests":{"cpu":"100m","memory":"64Mi"},"limits":{"cpu":"1"}},
 "livenessProbe":{"httpGet":{"path":"/","port":"web"},"initialDelaySeconds":3},"readinessProbe":{"tcpSocket":{"port":80}},
 "lifecycle":{"preStop":{"sleep":{"seconds":0}}},"volumeMounts":[{"name":"host","mountPath":"/srv","readOnly":true}],
 "securityContext":{"runAsUser":0,"privileged":false,"capabilities":{"drop":["ALL"]}}}],
"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"k","operator":"In","values":["v"]}]}]}}},
"tolerations":[{"key":"t","operator":"Exists","effect":"NoExecute","tolerationSeconds":0}],
"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"a":"b"}}}],
"securityContext":{"supplementalGroups":[1,70000],"fsGroup":0,"sysctls":[{"name":"net.ipv4.ip_unprivileged_port_start","value":"0"}]},
"terminationGracePeriodSeconds":0,"automountServiceAccountToken":false,"hostAliases":[{"ip":"192.0.2.9","hostnames":["h"]}],
"dnsConfig":{"options":[{"name":"ndots","value":"2"}]}}}
EOF2
k create -f "$TMP/pod.json" >/dev/null
is "$(k get pod rich -o json | jq -c '.spec.terminationGracePeriodSeconds, .spec.containers[0].lifecycle.preStop.sleep.seconds')" $'0\n0' 'a pod with zeros that say something'
like "$(k debug rich --copy-to=copy --image=nginx --container=main --attach=false 2>&1; k get pod copy -o name)" 'pod/copy' 'debug: a pod through typed clients'
is "$(k get pod copy -o json | jq -Sc '.spec | del(.containers[0].livenessProbe, .containers[0].readinessProbe, .initContainers)')" \
	"$(k get pod rich -o json | jq -Sc '.spec | del(.containers[0].livenessProbe, .containers[0].readinessProbe, .initContainers)')" 'its spec is the same'
is "$(k debug rich --copy-to=copy2 --image=nginx --container=main --attach=false --keep-liveness --keep-readiness --keep-init-containers >/dev/null 2>&1
	k get pod copy2 -o json | jq -Sc .spec)" "$(k get pod rich -o json | jq -Sc .spec)" 'with its probes and init containers'
is "$(k run web --image=nginx --port=80 --labels=app=web 2>&1)" 'pod/web created' 'run'
is "$(k expose pod web --name=exposed --port=80 2>&1)" 'service/exposed exposed' 'expose'
is "$(k delete pod web --grace-period=0 --force 2>&1 | tail -1)" 'pod "web" force deleted' 'delete --grace-period=0 --force'
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}'
is "$(k cordon n1 2>&1)" 'node/n1 cordoned' 'cordon'
is "$(k get node n1 -o 'jsonpath={.spec.unschedulable}')" true 'it is unschedulable'
is "$(k uncordon n1 2>&1)" 'node/n1 uncordoned' 'uncordon'
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"on-n1"},"spec":{"nodeName":"n1","terminationGracePeriodSeconds":0,"containers":[{"name":"c","image":"i"}]}}'
like "$(k drain n1 --force --disable-eviction --timeout=20s 2>&1)" 'node/n1 drained' 'drain deletes, with options in protobuf'
like "$(k get pod on-n1 2>&1)" NotFound 'the pod is gone'
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"rc"},"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}'
is "$(k scale rc rc --replicas=0 2>&1)" 'replicationcontroller/rc scaled' 'scale'
is "$(k get rc rc -o 'jsonpath={.spec.replicas}')" 0 'to none'

# by hand: printf formats of whole bodies
post() { # path, printf format
	printf "$2" >"$TMP/body"
	api POST "$1" -H "Content-Type: ${TYPE:-$PROTOBUF}" --data-binary "@$TMP/body"
}
refused() { # description, format, message
	local out
	out=$(post /api/v1/namespaces/default/configmaps "$2")
	is "$(tail -1 <<<"$out") $(head -n -1 <<<"$out" | jq -r .message)" "$3" "$1"
}
META='\n\x0f\n\x02v1\x12\tConfigMap'
is "$(post /api/v1/namespaces/default/configmaps "k8s\\0$META\\x12\\x07\\n\\x05\\n\\x03abc" | tail -1)" 201 'a body by hand'
is "$(k get configmap abc -o 'jsonpath={.metadata.name}')" abc 'is there'
is "$(post /api/v1/namespaces/default/configmaps "k8s\\0$META\\x12\\x0d\\xfa\\x3e\\x01x\\n\\x07\\n\\x05other" | tail -1)" 201 'a field of a later release is passed over'
U='400 the object provided is unrecognized (must be of type ConfigMap):'
refused 'no body' '' "$U empty data (<empty>)"
refused 'no magic' '{"kind":"ConfigMap"}' "$U provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({\"kind\":\"ConfigMap\"})"
refused 'magic alone' 'k8s\0' "$U empty body (6b387300)"
refused 'a cut envelope' 'k8s\0\n\x0f\n\x02v1' "$U unexpected EOF (6b3873000a0f0a027631)"
C='400 ConfigMap in version "v1" cannot be handled as a ConfigMap:'
refused 'a cut object' "k8s\\0$META\\x12\\x02\\n\\x07" "$C unexpected EOF"
refused 'a wrong wire type' "k8s\\0$META\\x12\\x02\\x08\\x01" "$C proto: wrong wireType = 0 for field metadata"
refused 'a group' "k8s\\0$META\\x12\\x02\\x0b\\x0c" "$C proto: illegal wireType 3"
like "$(post /api/v1/namespaces/default/configmaps 'k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\0')" 'Secret in version \\"v1\\" cannot be handled as a ConfigMap' 'another kind'
like "$(TYPE=text/plain post /api/v1/namespaces/default/configmaps x)" 'include: application/json, application/yaml, application/vnd.kubernetes.protobuf"' \
	'another media type is told which there are'
is "$(api DELETE /api/v1/namespaces/default/configmaps/abc -H "Content-Type: $PROTOBUF" | tail -1)" 200 'delete without options'
ok 'the server lives' api_ready
done_testing
