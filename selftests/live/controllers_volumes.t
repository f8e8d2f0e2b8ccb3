#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Claims get volumes: made by hand, by the host-path provisioner, by somebody else's; the smallest that fits; not before a pod wants
# it; what is in use stays; what is released is kept or deleted; the controller manager is killed between any two writes.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
kcm() { kcm_start --leader-elect=false --enable-hostpath-provisioner "$@"; }
kcm

volume() { # name, size, class, more of the spec
	cat <<EOT
{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"$1"},"spec":{"capacity":{"storage":"$2"},"accessModes":["ReadWriteOnce"],
"hostPath":{"path":"/mnt/data/$1"},"storageClassName":"$3"${4:+,$4}}}
EOT
}
claim() { # name, size, more of the spec, more of the metadata
	cat <<EOT
{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"$1"${4:+,$4}},"spec":{"accessModes":["ReadWriteOnce"],
"resources":{"requests":{"storage":"$2"}}${3:+,$3}}}
EOT
}
class() { # name, provisioner, binding mode, more
	k create -f - >/dev/null <<EOT
{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"$1"${4:+,$4}},"provisioner":"$2","volumeBindingMode":"$3"}
EOT
}
pod() { # name, claim
	k create -f - >/dev/null <<EOT
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"$1"},"spec":{"nodeName":"somewhere","terminationGracePeriodSeconds":0,
"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"$2"}}]}}
EOT
}
pvc() { api GET "/api/v1/namespaces/default/persistentvolumeclaims/$1" | sed '$d' | jq -c "$2"; }
pv() { api GET "/api/v1/persistentvolumes/$1" | sed '$d' | jq -c "$2"; }
all() { api GET "/api/v1/$1" | sed '$d'; }
pvc_is() { [ "$(pvc "$1" "$2")" = "$3" ]; }
pv_is() { [ "$(pv "$1" "$2")" = "$3" ]; }
bound() { pvc_is "$1" '[.status.phase, .spec.volumeName]' "[\"Bound\",\"$2\"]"; }
is_bound() { pvc_is "$1" .status.phase '"Bound"'; }
pvc_gone() { pvc_is "$1" .code 404; }
pv_gone() { pv_is "$1" .code 404; }
available() { [ "$(all persistentvolumes | jq --arg n "$*" '[.items[] | select(.status.phase == "Available" and (.metadata.name | IN($n | split(" ")[])))] | length')" = $# ]; }
told() { # object, reason, message
	all namespaces/default/events | jq -e --arg o "$1" --arg r "$2" --arg m "$3" \
		'.items | any(.involvedObject.name == $o and .reason == $r and .message == $m and .source.component == "persistentvolume-controller")'
}

# --- as an introduction has it: a volume made by hand, and a claim ---
volume task-pv-volume 10Gi manual | k create -f - >/dev/null
ok 'a volume is there to be had' busywait 5 pv_is task-pv-volume .status.phase '"Available"'
like "$(k get pv task-pv-volume --no-headers)" '^task-pv-volume +10Gi +RWO +Retain +Available +manual ' 'kubectl prints it'
before=$(pv task-pv-volume .metadata.resourceVersion | tr -d '"')
claim task-pv-claim 3Gi '"storageClassName":"manual"' | k create -f - >/dev/null
ok 'a claim is bound to it' busywait 5 bound task-pv-claim task-pv-volume
uid=$(pvc task-pv-claim .metadata.uid | tr -d '"')
is "$(pv task-pv-volume '[.spec.claimRef.kind, .spec.claimRef.apiVersion, .spec.claimRef.namespace, .spec.claimRef.name, .spec.claimRef.uid,
	.metadata.annotations, .status.phase, .metadata.finalizers]')" \
	"[\"PersistentVolumeClaim\",\"v1\",\"default\",\"task-pv-claim\",\"$uid\",{\"pv.kubernetes.io/bound-by-controller\":\"yes\"},\"Bound\",[\"kubernetes.io/pv-protection\"]]" \
	'the volume names the claim'
is "$(pvc task-pv-claim '[.metadata.annotations, .metadata.finalizers, .status]')" \
	'[{"pv.kubernetes.io/bind-completed":"yes","pv.kubernetes.io/bound-by-controller":"yes"},["kubernetes.io/pvc-protection"],{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"10Gi"},"phase":"Bound"}]' \
	'and the claim has what the volume gives'
like "$(k get pvc task-pv-claim --no-headers)" '^task-pv-claim +Bound +task-pv-volume +10Gi +RWO +manual ' 'kubectl prints both'
like "$(k get pv task-pv-volume --no-headers)" '^task-pv-volume +10Gi +RWO +Retain +Bound +default/task-pv-claim +manual ' 'with each other'
after=$(pvc task-pv-claim .metadata.resourceVersion | tr -d '"')
is "$((after - before))" 5 'the claim, and four writes to bind it'

# --- which one ---
{ volume small 1Gi sizes; volume large 5Gi sizes; volume medium 3Gi sizes; volume many 2Gi sizes '"accessModes":["ReadWriteOnce","ReadOnlyMany"]'
	volume labelled 50Gi sizes | jq -c '.metadata.labels = {disk: "fast"}'; volume block 2Gi sizes '"volumeMode":"Block"'; } | k create -f - >/dev/null
busywait 5 available small large medium many labelled block
claim fits 2Gi '"storageClassName":"sizes"' | k create -f - >/dev/null
ok 'the smallest that is large enough, and no more versatile than asked for' busywait 5 bound fits medium
claim chosen 1Gi '"storageClassName":"sizes","selector":{"matchLabels":{"disk":"fast"}}' | k create -f - >/dev/null
ok 'one that is selected by its labels' busywait 5 bound chosen labelled
claim raw 1Gi '"storageClassName":"sizes","volumeMode":"Block"' | k create -f - >/dev/null
ok 'one of the mode that is asked for' busywait 5 bound raw block
claim huge 100Gi '"storageClassName":"sizes"' | k create -f - >/dev/null
ok 'none, and the class is nobody that could make one' busywait 5 told huge ProvisioningFailed 'storageclass.storage.k8s.io "sizes" not found'
volume vast 200Gi sizes | k create -f - >/dev/null
ok 'one that comes later' busywait 5 bound huge vast
claim classless 1Gi '"storageClassName":""' | k create -f - >/dev/null
ok 'without a class nobody makes one' busywait 5 told classless FailedBinding 'no persistent volumes available for this claim and no storage class is set'
is "$(pvc classless .status)" '{"phase":"Pending"}' 'and the claim waits'
volume plain 1Gi '' | k create -f - >/dev/null
ok 'for a volume without one' busywait 5 bound classless plain

# --- asked for by name, from either side ---
claim named 1Gi '"storageClassName":"sizes","volumeName":"large"' | k create -f - >/dev/null
ok 'the volume that a claim names' busywait 5 bound named large
is "$(pvc named .metadata.annotations)" '{"pv.kubernetes.io/bind-completed":"yes"}' 'which the user wished'
claim wrong 3Gi '"storageClassName":"sizes","volumeName":"small"' | k create -f - >/dev/null
ok 'unless it does not fit' busywait 5 told wrong VolumeMismatch 'Cannot bind to requested volume "small": requested PV is too small'
volume kept 1Gi sizes '"claimRef":{"namespace":"default","name":"expected"}' | k create -f - >/dev/null
ok 'a volume that is kept for a claim' busywait 5 pv_is kept .status.phase '"Available"'
claim other 1Gi '"storageClassName":"sizes","volumeName":"kept"' | k create -f - >/dev/null
claim expected 1Gi '"storageClassName":"sizes"' | k create -f - >/dev/null
ok 'is its own' busywait 5 bound expected kept
is "$(pvc other .status.phase) $(pv kept .metadata.annotations)" '"Pending" null' 'and nobody else gets it'

claim twice 1Gi '"storageClassName":"twins"' | k create -f - >/dev/null
twice=$(pvc twice .metadata.uid)
kill -STOP "$KCM_PID"
for i in 1 2; do volume "twin-$i" 1Gi twins '"claimRef":{"namespace":"default","name":"twice","uid":'"$twice"'}' | k create -f - >/dev/null; done
kill -CONT "$KCM_PID"
ok 'of two volumes that are for one claim' busywait 5 is_bound twice
ok 'the other one is free to be had' busywait 5 eval '[ "$(all persistentvolumes | jq -c "[.items[] | select(.metadata.name | startswith(\"twin-\")).status.phase] | sort")" = "[\"Available\",\"Bound\"]" ]'

# --- classes: the default one, afterwards; waiting for a pod; provisioned ---
claim early 1Gi | k create -f - >/dev/null
ok 'a claim without a class' busywait 5 told early FailedBinding 'no persistent volumes available for this claim and no storage class is set'
class standard kubernetes.io/host-path Immediate '"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}'
ok 'gets the default one when there is one' busywait 5 pvc_is early .spec.storageClassName '"standard"'
ok 'and a volume' busywait 5 is_bound early
name=$(pvc early '"pvc-" + .metadata.uid' | tr -d '"')
is "$(pvc early .spec.volumeName)" "\"$name\"" 'by its uid'
is "$(pv "$name" '[.spec.hostPath, .spec.capacity, .spec.accessModes, .spec.persistentVolumeReclaimPolicy, .spec.storageClassName, .spec.nodeAffinity, .metadata.annotations]')" \
	"[{\"path\":\"/tmp/hostpath_pv/${name#pvc-}\",\"type\":\"DirectoryOrCreate\"},{\"storage\":\"1Gi\"},[\"ReadWriteOnce\"],\"Delete\",\"standard\",null,{\"kubernetes.io/createdby\":\"hostpath-dynamic-provisioner\",\"pv.kubernetes.io/bound-by-controller\":\"yes\",\"pv.kubernetes.io/provisioned-by\":\"kubernetes.io/host-path\"}]" \
	'a directory of a node'
ok 'an event tells' busywait 5 told early ProvisioningSucceeded "Successfully provisioned volume $name using kubernetes.io/host-path"
is "$(pvc early '.metadata.annotations["volume.kubernetes.io/storage-provisioner"]')" '"kubernetes.io/host-path"' 'the claim says by whom'

class waiting kubernetes.io/host-path WaitForFirstConsumer
claim patient 1Gi '"storageClassName":"waiting"' | k create -f - >/dev/null
ok 'one that waits for a pod says so' busywait 5 told patient WaitForFirstConsumer 'waiting for first consumer to be created before binding'
k create -f - >/dev/null <<'EOT'
{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","labels":{"kubernetes.io/hostname":"host-1"}}}
EOT
k annotate pvc patient volume.kubernetes.io/selected-node=n1 >/dev/null
ok 'a node is selected' busywait 5 is_bound patient
is "$(pv "$(pvc patient .spec.volumeName | tr -d '"')" '.spec.nodeAffinity.required.nodeSelectorTerms')" \
	'[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["host-1"]}]}]' 'and the volume is there'
claim astray 1Gi '"storageClassName":"waiting"' '"annotations":{"volume.kubernetes.io/selected-node":"nowhere"}' | k create -f - >/dev/null
ok 'a node that is gone is selected no more' busywait 5 pvc_is astray '.metadata.annotations["volume.kubernetes.io/selected-node"]' null
ok 'and a pod is waited for' busywait 5 told astray WaitForFirstConsumer 'waiting for first consumer to be created before binding'

class external rancher.io/local-path Immediate
claim asks 1Gi '"storageClassName":"external"' | k create -f - >/dev/null
ok 'another provisioner is asked' busywait 5 pvc_is asks '[.metadata.annotations[]]' '["rancher.io/local-path","rancher.io/local-path"]'
ok 'and awaited' busywait 5 told asks ExternalProvisioning "Waiting for a volume to be created either by the external provisioner 'rancher.io/local-path' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
uid=$(pvc asks .metadata.uid | tr -d '"')
volume "pvc-$uid" 1Gi external "\"persistentVolumeReclaimPolicy\":\"Delete\",\"claimRef\":{\"namespace\":\"default\",\"name\":\"asks\",\"uid\":\"$uid\"}" |
	jq -c '.metadata.annotations = {"pv.kubernetes.io/provisioned-by": "rancher.io/local-path"}' | k create -f - >/dev/null
ok 'what it makes is bound' busywait 5 bound asks "pvc-$uid"
class none kubernetes.io/no-provisioner Immediate
claim nobody 1Gi '"storageClassName":"none"' | k create -f - >/dev/null
ok 'one that is none is said to be none' busywait 5 told nobody ProvisioningFailed 'no volume plugin matched name: kubernetes.io/no-provisioner'

# --- in use ---
pod user task-pv-claim
k delete pvc task-pv-claim --wait=false >/dev/null
k delete pv task-pv-volume --wait=false >/dev/null
claim free 1Gi '"storageClassName":"standard"' | k create -f - >/dev/null
busywait 5 is_bound free
freed=$(pvc free .spec.volumeName | tr -d '"')
k delete pvc free >/dev/null
ok 'a claim that nobody uses goes' pvc_gone free
like "$(k get pvc task-pv-claim --no-headers)" '^task-pv-claim +Terminating ' 'one that a pod uses does not'
like "$(k get pv task-pv-volume --no-headers)" ' Terminating +default/task-pv-claim ' 'nor a volume that is bound'
k delete pod user --wait=false >/dev/null
api DELETE /api/v1/namespaces/default/pods/user?gracePeriodSeconds=0 >/dev/null
ok 'before the pod goes' busywait 5 pvc_gone task-pv-claim
ok 'then both go' busywait 5 pv_gone task-pv-volume

# --- released ---
ok 'a volume that was made for a claim goes with it' busywait 5 pv_gone "$freed"
k delete pvc chosen >/dev/null
ok 'one that was not is kept' busywait 5 pv_is labelled .status.phase '"Released"'
like "$(k get pv labelled --no-headers)" '^labelled +50Gi +RWO +Retain +Released +default/chosen +sizes ' 'as it was'
claim chosen 1Gi '"storageClassName":"sizes","selector":{"matchLabels":{"disk":"fast"}}' | k create -f - >/dev/null
ok 'a claim made anew by that name' busywait 5 told chosen ProvisioningFailed 'storageclass.storage.k8s.io "sizes" not found'
is "$(pvc chosen .status.phase)" '"Pending"' 'does not get it'
k patch pv labelled --type json -p '[{"op":"remove","path":"/spec/claimRef"}]' >/dev/null
ok 'until somebody says so' busywait 5 bound chosen labelled
{ volume recycled 1Gi odd '"persistentVolumeReclaimPolicy":"Recycle"'; volume deleted 1Gi odd2 '"persistentVolumeReclaimPolicy":"Delete"'
	claim r 1Gi '"storageClassName":"odd"'; claim d 1Gi '"storageClassName":"odd2"'; } | k create -f - >/dev/null
busywait 5 bound r recycled; busywait 5 bound d deleted
k delete pvc r d asks >/dev/null
ok 'nothing is recycled here' busywait 5 told recycled VolumeFailedRecycle 'No recycler plugin found for the volume!'
ok 'and nothing deleted that is nobody'"'"'s to delete' busywait 5 told deleted VolumeFailedDelete 'host_path deleter only supports /tmp/.+ but received provided /mnt/data/deleted'
is "$(pv recycled '[.status.phase, .status.message]') $(pv deleted .status.phase)" '["Failed","No recycler plugin found for the volume!"] "Failed"' 'they have failed'
ok 'what another provisioner made is its to delete' busywait 5 pv_is "pvc-$uid" .status.phase '"Released"'
k delete pv vast --wait=false >/dev/null
k patch pv vast --type json -p '[{"op":"remove","path":"/metadata/finalizers"}]' >/dev/null
ok 'a claim whose volume is gone is lost' busywait 5 pvc_is huge .status '{"phase":"Lost"}'
ok 'and that is told' busywait 5 told huge ClaimLost 'Bound claim has lost its PersistentVolume. Data on the volume is lost!'

# --- ephemeral ---
k create -f - >/dev/null <<'EOT'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"brief"},"spec":{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"scratch",
"ephemeral":{"volumeClaimTemplate":{"metadata":{"labels":{"of":"brief"}},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}}}]}}
EOT
ok 'an ephemeral volume of a pod is a claim' busywait 5 is_bound brief-scratch
is "$(pvc brief-scratch '[.metadata.labels, .metadata.ownerReferences[0].kind, .metadata.ownerReferences[0].name, .metadata.ownerReferences[0].controller, .spec.storageClassName]')" \
	'[{"of":"brief"},"Pod","brief",true,"standard"]' 'which the pod owns'
k delete pod brief >/dev/null
ok 'and goes with it' busywait 5 pvc_gone brief-scratch
k create namespace tight >/dev/null
k create quota none --hard=persistentvolumeclaims=0 -n tight >/dev/null
busywait 5 eval '[ "$(k get quota none -n tight -o "jsonpath={.status.used.persistentvolumeclaims}")" = 0 ]'
k create -n tight -f - >/dev/null <<'EOT'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"big"},"spec":{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"scratch",
"ephemeral":{"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}}}]}}
EOT
refused() { all namespaces/tight/events | jq -r '.items[] | select(.reason == "FailedBinding") | [.type, .source.component, .message] | join("|")'; }
ok 'what may not be made is told of' busywait 5 eval '[[ "$(refused)" == "Warning|ephemeral_volume|ephemeral volume scratch: create PVC big-scratch: persistentvolumeclaims \"big-scratch\" is forbidden: exceeded quota"* ]]'
k delete namespace tight >/dev/null

# --- killed ---
for i in $(seq 15); do
	claim "killed-$i" 1Gi '"storageClassName":"standard"'
	volume "static-$i" 1Gi static
	claim "takes-$i" 1Gi '"storageClassName":"static"'
done | k create -f - >/dev/null &
making=$!
for i in 1 2 3 4; do
	kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
	kcm
	sleep "0.0$i"
done
wait "$making"
all_bound() { [ "$(all persistentvolumeclaims | jq '[.items[] | select((.metadata.name | test("^(killed|takes)-")) and .status.phase == "Bound")] | length')" = 30 ]; }
ok 'killed again and again, every claim is bound' busywait 15 all_bound
is "$(all persistentvolumes | jq -c '[.items[] | select(.spec.claimRef.name // "" | test("^(killed|takes)-"))] | [length, ([.[].spec.claimRef.name] | unique | length), ([.[].status.phase] | unique)]')" \
	'[30,30,["Bound"]]' 'to one volume each'
k delete pvc --all --wait=false >/dev/null
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
kcm
ok 'deleted, all go' busywait 10 eval '[ "$(all persistentvolumeclaims | jq ".items | length")" = 0 ]'
ok 'and so do the volumes that were made for them' busywait 10 eval '! k get pv -o name | grep pvc-.*- | grep -v "$uid"'
is "$(grep 'it comes again' "$TMP/kcm.log" | grep -vc tight)" 0 'nothing else failed'
kill "$KCM_PID"; wait "$KCM_PID"
is $? 0 'it ends when it is told to'
done_testing
