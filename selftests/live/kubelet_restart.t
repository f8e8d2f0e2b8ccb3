#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kubelet and containerd are killed with -9 and come back: no running container notices, and what happened meanwhile is seen.
# Then static pods and their mirrors.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"

node_up
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
containerd_start
cni_none
mkdir -p "$TMP/static"
kubelet_start --pod-manifest-path="$TMP/static"

STAY='"image":"'$BUSYBOX_IMAGE'","command":["sh","-c","trap \"exit 0\" TERM; sleep 1000 & wait"]'
ids() { raw "$CORE/pods" | jq -c '[.items[] | .metadata.name, (.status.containerStatuses[0] | .containerID, .restartCount, .ready)]'; }
all_run() { [ "$(raw "$CORE/pods" | jq '[.items[] | select(.status.containerStatuses[0].ready == true)] | length')" = "$1" ]; }
kill9() { { kill -9 "$1"; wait "$1"; } 2>/dev/null; }
pid_of() { ctr tasks ls | awk -v id="$(status "$1" '.containerStatuses[0].containerID' | tr -d '"' | sed 's,.*//,,')" '$1 == id { print $2 }'; }

# --- killed while pods run ---
for i in 1 2 3; do pod p$i "\"containers\":[{\"name\":\"c\",$STAY,\"readinessProbe\":{\"exec\":{\"command\":[\"true\"]},\"periodSeconds\":1,\"timeoutSeconds\":10}}]"; done
ok 'pods run' busywait 30 all_run 3
before=$(ids) pid=$(pid_of p1)
changes() { raw "$CORE/pods?watch=true&resourceVersion=$1&timeoutSeconds=1" | jq -c '.type'; }
version=$(raw "$CORE/pods" | jq -r .metadata.resourceVersion)
kill9 "$KUBELET_PID"
kubelet_start --pod-manifest-path="$TMP/static"
is "$(changes "$version")" '' 'a kubelet that comes back changes nothing of running pods'
is "$(ids)" "$before" 'they are the same containers, and ready'
kill9 "$CONTAINERD_PID"
containerd_start
is "$(changes "$version")" '' 'nor does a containerd that comes back'
is "$(ids)" "$before" 'they are the same containers'
is "$(pid_of p1)" "$pid" 'and processes'

# --- what happens while nobody looks ---
kill9 "$KUBELET_PID"
kill -9 "$(pid_of p1)"
k delete pod p2 --wait=false >/dev/null
k delete pod p3 --grace-period=0 --force >/dev/null 2>&1
pod p4 "\"containers\":[{\"name\":\"c\",$STAY}]"
kubelet_start --pod-manifest-path="$TMP/static"
becomes p1 '[.containerStatuses[0] | .restartCount, .lastState.terminated.exitCode]' '[1,137]' 'one that was killed meanwhile comes again'
ok 'one that was deleted goes' busywait 10 gone p2
becomes p4 .phase '"Running"' 'one that was made runs'
ids_of() { ctr containers ls -q | wc -l; }
ok 'one that vanished is ended: two sandboxes with a container each are left, and the dead one' busywait 10 eval '[ "$(ids_of)" = 5 ]'
k delete pod p4 --grace-period=0 --force >/dev/null 2>&1
ok 'also while the kubelet looks' busywait 10 eval '[ "$(ids_of)" = 3 ]'

# --- containerd is away ---
kill9 "$CONTAINERD_PID"
pod p5 "\"containers\":[{\"name\":\"c\",$STAY}]"
k delete pod p1 --wait=false >/dev/null
ok 'a kubelet without containerd is healthy' busywait 5 in_ns node curl -fsS --max-time 1 http://127.0.0.1:10248/healthz
containerd_start
becomes p5 .phase '"Running"' 'when it is back what waited is done'
ok 'and what was to go goes' busywait 10 gone p1

# --- static pods ---
cat >"$TMP/static/web.yaml" <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: $BUSYBOX_IMAGE
    command: [sh, -c, 'trap "exit 0" TERM; sleep 1000 & wait']
    resources: {limits: {cpu: 0.5}}
YAML
becomes web-n1 .phase '"Running"' 'a static pod runs, as its mirror says'
mirror() { raw "$CORE/pods/web-n1" 2>/dev/null | jq -r "$1"; }
hash=$(mirror '.metadata.annotations["kubernetes.io/config.hash"]')
is "$(mirror '[.metadata.annotations["kubernetes.io/config.mirror", "kubernetes.io/config.source"], .metadata.labels.app, .metadata.ownerReferences[0].kind, .spec.nodeName] | join(" ")')" \
	"$hash file web Node n1" 'the mirror is marked and owned'
id=$(status web-n1 '.containerStatuses[0].containerID') uid=$(mirror .metadata.uid)
version=$(raw "$CORE/pods" | jq -r .metadata.resourceVersion)
is "$(changes "$version")" '' 'nothing is written over and over'
kill9 "$KUBELET_PID"
kubelet_start --pod-manifest-path="$TMP/static"
is "$(changes "$version")" '' 'it is the same pod for the next kubelet'
k delete pod web-n1 --wait=false >/dev/null
another() { [ -n "$(mirror .metadata.uid)" ] && [ "$(mirror .metadata.uid)" != "$uid" ] && says web-n1 .phase '"Running"'; }
ok 'a mirror that is deleted is made anew' busywait 10 another
is "$(status web-n1 '.containerStatuses[0].containerID')" "$id" 'the pod itself runs on'
echo 'this: [is no pod' >"$TMP/static/web.yaml"
ok 'a file that is broken is told of' busywait 5 grep -q "web.yaml: " "$TMP/kubelet.log"
is "$(status web-n1 '.containerStatuses[0].containerID')" "$id" 'and changes nothing'
cat >"$TMP/static/web.yaml" <<JSON
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"terminationGracePeriodSeconds":1,"containers":[{"name":"d",$STAY}]}}
JSON
becomes web-n1 '[.phase, .containerStatuses[0].name]' '["Running","d"]' 'another file is another pod'
rm "$TMP/static/web.yaml"
ok 'a file that is removed takes its pod with it' busywait 10 gone web-n1
k delete pods --all --wait=false >/dev/null
ok 'nothing is left' busywait 10 eval 'none_left && nothing_runs'
done_testing
