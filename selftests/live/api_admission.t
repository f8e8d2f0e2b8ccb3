#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What admission says of a write beyond the object itself; with kubectl.
. "$(dirname "$0")/../lib.sh"

node_up
echo 'janetoken,jane,2' >"$TMP/tokens.csv"
echo 'admintoken,admin,1,"system:masters"' >>"$TMP/tokens.csv"
apiserver_start --authorization-mode=Node,RBAC
exceeds() { like "$2" "exceeded quota: rq, requested: $3" "$1"; } # description, output, what

# --- ResourceQuota ---
k create quota rq --hard=services.nodeports=1,count/deployments.apps=1,requests.storage=3Gi,requests.cpu=2,configmaps=2 >/dev/null
k create deployment one --image=i >/dev/null
exceeds 'objects of a kind' "$(k create deployment two --image=i 2>&1)" 'count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1'
k create service clusterip web --tcp=80,81 >/dev/null
exceeds 'a Service becomes a NodePort' "$(k patch service web -p '{"spec":{"type":"NodePort"}}' 2>&1)" 'services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1'
is "$(k get service web -o 'jsonpath={.spec.type}')" ClusterIP 'and stays what it was'
ok 'with one port it may' k patch service web --type=json -p '[{"op":"replace","path":"/spec/type","value":"NodePort"},{"op":"remove","path":"/spec/ports/1"}]'
like "$(k run p --image=i 2>&1)" 'failed quota: rq: must specify requests.cpu for: p' 'a pod says what it needs'
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1500m"}}}]}}
EOF
resize() { api PATCH /api/v1/namespaces/default/pods/p/resize -H 'Content-Type: application/strategic-merge-patch+json' \
	-d "{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"$1\"}}}]}}"; }
exceeds 'a resize' "$(resize 3)" 'requests.cpu=1500m, used: requests.cpu=1500m, limited: requests.cpu=2'
is "$(resize 2 | tail -1)" 200 'up to the limit it may'
# at once: 20 creations, room for two
for i in $(seq 20); do
	api POST /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' -d "{\"metadata\":{\"name\":\"c$i\"}}" | tail -1 >"$TMP/code$i" &
	running[i]=$!
done
wait "${running[@]}"
is "$(sort "$TMP"/code* | uniq -c | xargs)" '2 201 18 403' 'twenty at once do not overrun it'

# --- claims ---
k create -f - >/dev/null <<'EOF'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: gold, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: example.com/x
allowVolumeExpansion: true
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
EOF
is "$(k get pvc claim -o 'jsonpath={.spec.storageClassName} {.metadata.finalizers[0]}')" 'gold kubernetes.io/pvc-protection' 'a claim has its class and its finalizer'
grow() { k patch pvc claim -p "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"$1\"}}}}" 2>&1; }
like "$(grow 2Gi)" 'Only bound persistent volume claims can be expanded' 'it grows when it is bound'
api PATCH /api/v1/namespaces/default/persistentvolumeclaims/claim/status -H 'Content-Type: application/merge-patch+json' -d '{"status":{"phase":"Bound"}}' >/dev/null
exceeds 'by no more than its quota' "$(grow 4Gi)" 'requests.storage=3Gi, used: requests.storage=1Gi, limited: requests.storage=3Gi'
is "$(grow 2Gi)" 'persistentvolumeclaim/claim patched' 'and then it does'
k patch storageclass gold -p '{"allowVolumeExpansion":false}' >/dev/null
like "$(grow 3Gi)" 'the storageclass that provisions the pvc must support resize' 'if its class can'

# --- runtime and ingress classes ---
k create -f - >/dev/null <<'EOF'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: vm}
handler: vm
overhead: {podFixed: {memory: 100Mi}}
scheduling: {nodeSelector: {vm: "yes"}}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: web, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: example.com/x}
EOF
k create namespace free >/dev/null
is "$(k run v --image=i -n free --overrides='{"spec":{"runtimeClassName":"vm"}}' --dry-run=server -o 'jsonpath={.spec.overhead.memory} {.spec.nodeSelector.vm}')" \
	'100Mi yes' 'a runtime class says what it costs and where it is'
like "$(k run v --image=i -n free --overrides='{"spec":{"runtimeClassName":"none"}}' 2>&1)" 'pod rejected: RuntimeClass "none" not found' 'if it is there'
is "$(k create ingress i --rule=x/=web:80 --dry-run=server -o 'jsonpath={.spec.ingressClassName}')" web 'an ingress gets the default class'

# --- signers ---
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x -out "$TMP/csr.pem" 2>/dev/null
k create -f - >/dev/null <<EOF
{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"x"},
"spec":{"request":"$(base64 -w0 "$TMP/csr.pem")","signerName":"example.com/s","usages":["client auth"]}}
EOF
k create clusterrole csrs --verb='*' --resource=certificatesigningrequests,certificatesigningrequests/approval,certificatesigningrequests/status >/dev/null
k create clusterrolebinding csrs --clusterrole=csrs --user=jane >/dev/null
like "$(k certificate approve x --as=jane 2>&1)" 'user not permitted to approve requests with signerName "example.com/s"' 'approval needs leave for the signer'
k create -f - >/dev/null <<'EOF'
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"signer"},"rules":[
{"apiGroups":["certificates.k8s.io"],"resources":["signers"],"resourceNames":["example.com/*"],"verbs":["approve"]}]}
EOF
k create clusterrolebinding signer --clusterrole=signer --user=jane >/dev/null
ok 'or for all of its domain' k certificate approve x --as=jane
like "$(api PATCH /apis/certificates.k8s.io/v1/certificatesigningrequests/x/status -H 'Content-Type: application/merge-patch+json' -H 'Impersonate-User: jane' \
	-d "{\"status\":{\"certificate\":\"$(base64 -w0 "$TMP/pki/ca.crt")\"}}")" 'user not permitted to sign requests with signerName' 'so does signing'

# --- how long a pod stays where it cannot be ---
# tolerations NAME [TOLERATIONS]: of a new pod, those that it has been given included
tolerations() {
	k create -f - -o json <<<"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"$1\"},\"spec\":{\"tolerations\":[${2:-}],\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}" |
		jq -r '[.spec.tolerations[] | (.key | ltrimstr("node.kubernetes.io/")) + ":" + (.effect // "") + ":" + (.tolerationSeconds // "" | tostring)] | join(" ")'
}
k delete resourcequota --all >/dev/null
is "$(tolerations says-nothing)" 'not-ready:NoExecute:300 unreachable:NoExecute:300' 'five minutes where the node is not ready or does not answer'
is "$(tolerations says-one '{"key":"node.kubernetes.io/not-ready","operator":"Exists"}')" 'not-ready:: unreachable:NoExecute:300' 'what it says itself stays'
is "$(tolerations says-all '{"operator":"Exists"}')" '::' 'also of all taints'
is "$(tolerations says-other '{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoSchedule"}')" \
	'not-ready:NoSchedule: not-ready:NoExecute:300 unreachable:NoExecute:300' 'of another effect it says nothing'
node() { echo "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"$1\"},\"spec\":{\"taints\":[${2:-}]}}" | k create -f - -o json | jq -c '[.spec.taints[] | .key + ":" + .effect]'; }
is "$(node new '{"key":"a","effect":"NoSchedule"}')" '["a:NoSchedule","node.kubernetes.io/not-ready:NoSchedule"]' 'a new node is not ready'
is "$(node told '{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}')" '["node.kubernetes.io/not-ready:NoSchedule"]' 'and says so once'

# --- leaving plugins out ---
stop "$APISERVER_PID"
apiserver_start --authorization-mode=Node,RBAC --disable-admission-plugins=ResourceQuota,StorageObjectInUseProtection \
	--default-not-ready-toleration-seconds=30 --default-unreachable-toleration-seconds=40
is "$(tolerations by-flag)" 'not-ready:NoExecute:30 unreachable:NoExecute:40' 'the minutes are a flag'"'"'s'
ok 'without ResourceQuota' k create deployment two --image=i
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"other"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"9Gi"}}}}
EOF
is "$(k get pvc other -o 'jsonpath={.metadata.finalizers}')" '' 'without StorageObjectInUseProtection'
done_testing
