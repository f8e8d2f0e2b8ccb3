#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# "Introduction to Kubernetes", command by command, with real containers: part one on one node and on three, by kubectl of both
# ages; part two (volumes, secrets, rolling updates) on the three.
. "$(dirname "$0")/../cluster.sh"
cd "$TMP" || exit

cp "$ROOT"/tools/run/introduction/*.yaml .
text=$DATA/../seed/introduction-to-kubernetes.txt
if [ -e "$text" ]; then
	for f in *.yaml; do [[ $(<"$text") == *"$(sed 1d "$f")"* ]] || echo "$f"; done >others
	is "$(cat others)" '' 'the files are the introduction'"'"'s'
fi

at() { if [ "$1" = 0 ]; then shift; "$@"; else on "$@"; fi; }
now() { if [ "$AGE" = 1.20 ]; then k120 "$@"; else k "$@"; fi; }
names() { k get pods -l app=nginx -o 'jsonpath={.items[*].metadata.name}' | tr ' ' '\n' | sort; }
# from N COUNT URL: who answered requests of node N, or of the host where that is 0, each once
from() {
	for _ in $(seq "$2"); do printf 'url = "%s"\noutput = /dev/null\n' "$3"; done >urls
	at "$1" curl -fsS --max-time 5 --no-keepalive -H 'Connection: close' -w '%header{served-by}\n' -K urls | sort -u
}
all_answer() { [ "$(from "$1" 60 "http://$VIP/")" = "$(names)" ]; }
# a pod on node N asks thirty times; its last words are who answered
ask_from_pod() {
	k create -f - >/dev/null <<YAML
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"ask-$1"},"spec":{"restartPolicy":"Never","nodeName":"node-$1","containers":[{"name":"c",
"image":"busybox","command":["sh","-c","for i in \$(seq 60); do wget -S -O /dev/null http://$VIP/ 2>&1 || echo failed; done | sed -n 's/.*[Ss]erved-[Bb]y: //p; /failed/p' | sort -u >/dev/termination-log"]}]}}
YAML
}
asked() { pod "ask-$1" '.status.containerStatuses[0].state.terminated.message // empty'; }
# nginx's first process in a pod
nginx_pid() {
	local uid=$(pod "$1" .metadata.uid) p
	for p in $(pgrep -x nginx | sort -n); do grep -q "pod$uid" "/proc/$p/cgroup" 2>/dev/null && { echo "$p"; return; }; done
}

# its status follows that of the pods
rc_has() { [ "$(now get rc --no-headers | awk '{print $1, $2, $3, $4}')" = "my-nginx $1 $1 $1" ]; }

# every line of a pod's description, in missing those that are not there
described() {
	local out=$(now describe pod nginx) p
	for p in 'Name: +nginx' 'Namespace: +default' 'Node: +node-[1-3]/172\.28\.[0-9]+\.[2-4]' 'Labels: +<none>' 'Status: +Running' \
		'IP: +10\.244\.[0-2]\.[0-9]+' '  nginx-server:' 'Container ID: +containerd://[0-9a-f]{64}' 'Image: +nginx' 'Image ID: +[^ ]*sha256:[0-9a-f]{64}' \
		'Port: +80/TCP' 'State: +Running' 'Started: +[A-Z][a-z]{2}, ' 'Ready: +True' 'Restart Count: +0' '  Ready +True' \
		'default-scheduler +Successfully assigned default/nginx to node-' 'kubelet +Pulling image "nginx"' 'kubelet +Successfully pulled image "nginx" in ' \
		'kubelet +Created container:? nginx-server' 'kubelet +Started container nginx-server'; do
		[[ $out =~ $p ]] || echo "$p"
	done >missing
	[ ! -s missing ]
}

# part_one KUBECTL NODES
part_one() {
	local AGE=$1 what="kubectl $1, nodes $2" out p
	like "$(now cluster-info | sed 's/\x1b\[[0-9;]*m//g')" '^Kubernetes control plane is running at https://172\.28\.[0-9]+\.2:6443' "$what: cluster-info"
	is "$(now get nodes --no-headers | awk '{print $1, $2}' | tr '\n' ' ')" "$(for p in $(seq "$2"); do printf 'node-%d Ready ' "$p"; done)" "$what: get nodes"
	is "$(now create -f development-ns.yaml)" 'namespace/development created' "$what: a namespace"
	like "$(now get namespaces --show-labels)" 'development +Active +[0-9]+s +.*name=development' "$what: get namespaces"
	is "$(now create -f nginx.yaml)" 'pod/nginx created' "$what: a pod"
	busywait 30 pod_is nginx .status.phase Running
	like "$(now get pods)" ^'NAME    READY   STATUS    RESTARTS   AGE'$'\n''nginx   1/1     Running   0          [0-9]+s'$ "$what: get pods"
	busywait 10 described # its Events come after its status
	is "$(cat missing)" '' "$what: describe"
	[ ! -s missing ] || note "$(now describe pod nginx)"
	is "$(now delete pod nginx)" 'pod "nginx" deleted' "$what: delete"
	is "$(now get pods 2>&1)" 'No resources found in default namespace.' "$what: it is gone"

	is "$(now create -f nginxrc.yaml)" 'replicationcontroller/my-nginx created' "$what: a replication controller"
	busywait 30 ready 1 app=nginx
	busywait 5 rc_has 1
	like "$(now get rc)" ^'NAME       DESIRED   CURRENT   READY   AGE'$'\n''my-nginx   1         1         1       [0-9]+s'$ "$what: get rc"
	is "$(now scale --replicas=3 rc my-nginx)" 'replicationcontroller/my-nginx scaled' "$what: scale"
	ok "$what: three run" busywait 30 ready 3 app=nginx
	ok "$what: get rc" busywait 5 rc_has 3
	is "$(now get pods -o wide --no-headers | awk '{print $7}' | sort -u | wc -l)" "$2" "$what: on all nodes"
	is "$(now create -f nginxsvc.yaml)" 'service/nginxsvc created' "$what: a service"
	VIP=$(k get svc nginxsvc -o 'jsonpath={.spec.clusterIP}')
	like "$(now get svc nginxsvc -o wide --no-headers)" "^nginxsvc +ClusterIP +$VIP +<none> +80/TCP +[0-9]+s +app=nginx$" "$what: get svc"
	ok "$what: all three answer the host" busywait 10 all_answer 0
	for p in $(seq "$2"); do
		ok "$what: all three answer node $p" busywait 10 all_answer "$p"
		ask_from_pod "$p"
	done
	for p in $(seq "$2"); do
		busywait 20 asked_something "$p"
		is "$(asked "$p")" "$(names)" "$what: and a pod on it"
	done

	p=$(names | head -1)
	kill -9 "$(nginx_pid "$p")"
	ok "$what: nginx is killed, and starts again" busywait 30 pod_is "$p" '.status.containerStatuses[0] | .restartCount, .ready | tostring' $'1\ntrue'
	like "$(now describe pod "$p")" 'Last State: +Terminated'.*'Exit Code: +137'.*'Restart Count: +1' "$what: describe tells"
	ok "$what: all three answer" busywait 10 all_answer 1
	now delete pod "$p" >/dev/null
	ok "$what: a pod is deleted, and another comes" busywait 30 ready 3 app=nginx
	is "$(names | grep -cx "$p")" 0 "$what: of another name"
	ok "$what: all three answer" busywait 10 all_answer 1
	p=$(names | head -1)
	like "$(now label pod "$p" app-)" "^pod/$p (un)?labeled$" "$what: a label is taken off"
	ok "$what: and another comes" busywait 30 ready 3 app=nginx
	ok "$what: which answers instead" busywait 10 all_answer 1
	is "$(now get pods -l '!app' -o name | grep -c my-nginx)" 1 "$what: the one without is left alone"

	now delete -f nginxsvc.yaml -f nginxrc.yaml -f development-ns.yaml >/dev/null
	now delete pods --all --grace-period=1 >/dev/null 2>&1
	ok "$what: all goes" busywait 30 no_pods
}
asked_something() { [ -n "$(asked "$1")" ]; }

cluster_up
busywait 5 k get serviceaccount default
new=1.32; [ "$(kubectl_minor)" -ge 30 ] || new=1.20
part_one $new 1
part_one 1.20 1
cluster_up --nodes 3
k wait --for=condition=Ready node --all --timeout=20s >/dev/null
part_one 1.20 3
part_one $new 3

# --- a port of the host ---
sed 's/^  name: nginx$/  name: on-host/; s/^spec:$/&\n  nodeName: node-2/; s/^    - containerPort: 80$/&\n      hostPort: 8080/' nginx.yaml >nginx-host.yaml
is "$(k create -f nginx-host.yaml)" 'pod/on-host created' 'a pod with a hostPort'
node=$(k get node node-2 -o json | jq -r '[.status.addresses[] | select(.type == "InternalIP").address] | first')
other=$(k get node node-3 -o json | jq -r '[.status.addresses[] | select(.type == "InternalIP").address] | first')
welcomes() { at "$1" curl -fsS --max-time 2 "http://$2:8080/" | grep -q 'Welcome to nginx'; }
ok 'the host reaches it at the address of the node' busywait 30 welcomes 0 "$node"
ok 'its own node' welcomes 2 "$node"
ok 'another node' welcomes 3 "$node"
ok 'it is at no other node' eval '! welcomes 0 "$other"'
for n in 2 3; do
	k run "ask-$n" --image=busybox --restart=Never --overrides='{"spec":{"nodeName":"node-'$n'"}}' --command -- wget -q -O /dev/null "http://$node:8080/" >/dev/null
	ok "a pod on node $n reaches it" busywait 30 pod_is "ask-$n" .status.phase Succeeded
done
k delete pods --all --grace-period=1 >/dev/null 2>&1
ok 'it goes with the pod' busywait 5 eval '! welcomes 0 "$node"'

# --- part two: volumes ---
# apply: YAML on standard input
apply() { k apply -f - >/dev/null; }
page() { curl -fsS --max-time 2 "http://$(pod "$1" .status.podIP)/${2:-}"; }
page_is() { [ "$(page "$1" "${3:-}")" = "$2" ]; }
mkdir -p "$TMP/host"
echo 'from the host' >"$TMP/host/index.html"
k create configmap page --from-literal=index.html='from a ConfigMap' >/dev/null
apply <<YAML
apiVersion: v1
kind: Pod
metadata: {name: shared}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{name: page, emptyDir: {}}]
  containers:
  - {name: writer, image: busybox, command: [sh, -c, 'hostname >/page/index.html; sleep 1000'], volumeMounts: [{name: page, mountPath: /page}]}
  - {name: nginx, image: nginx, volumeMounts: [{name: page, mountPath: /usr/share/nginx/html, readOnly: true}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host}
spec:
  volumes: [{name: page, hostPath: {path: $TMP/host, type: Directory}}]
  containers:
  - {name: nginx, image: nginx, volumeMounts: [{name: page, mountPath: /usr/share/nginx/html}]}
---
apiVersion: v1
kind: Pod
metadata: {name: config}
spec:
  volumes: [{name: page, configMap: {name: page}}]
  containers:
  - {name: nginx, image: nginx, volumeMounts: [{name: page, mountPath: /usr/share/nginx/html}]}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/host-path
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
YAML
claimant() { # COMMAND
	apply <<YAML
apiVersion: v1
kind: Pod
metadata: {name: claimant}
spec:
  restartPolicy: Never
  volumes: [{name: data, persistentVolumeClaim: {claimName: claim}}]
  containers:
  - {name: c, image: busybox, command: [sh, -c, '$1'], volumeMounts: [{name: data, mountPath: /data}]}
YAML
	busywait 30 pod_is claimant .status.phase Succeeded
}
claimant 'echo kept >/data/file'
ok 'two containers share an emptyDir' busywait 30 page_is shared shared
ok 'a hostPath' busywait 30 page_is host 'from the host'
ok 'a ConfigMap as a volume' busywait 30 page_is config 'from a ConfigMap'
k patch configmap page -p '{"data":{"index.html":"changed"}}' >/dev/null
ok 'follows its change' busywait 30 page_is config changed
is "$(k exec shared -c writer -- cat /page/index.html)" shared 'exec'
like "$(k logs shared -c nginx)" 'GET / HTTP/1.1" 200' 'logs'
is "$(k get pvc claim -o 'jsonpath={.status.phase}')" Bound 'a claim has a volume'
folder=$(k get pv -o 'jsonpath={.items[0].spec.hostPath.path}')
k delete pod claimant >/dev/null
claimant 'cat /data/file >/dev/termination-log'
is "$(pod claimant '.status.containerStatuses[0].state.terminated.message')" kept 'whose files outlive a pod'
k delete pod claimant >/dev/null
k delete pvc claim >/dev/null
no_volume() { [ -z "$(k get pv -o name)" ]; }
ok 'the volume goes with the claim' busywait 10 no_volume
rm -r "$folder" # it is the node's; nobody else removes it

# --- secrets ---
k create secret generic login --from-literal=user=ann --from-literal=password=s3cret >/dev/null
apply <<YAML
apiVersion: v1
kind: Pod
metadata: {name: secret}
spec:
  volumes: [{name: login, secret: {secretName: login}}, {name: out, emptyDir: {}}]
  initContainers:
  - name: variable
    image: busybox
    env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: login, key: password}}}]
    command: [sh, -c, 'echo \$PASSWORD >/out/variable']
    volumeMounts: [{name: out, mountPath: /out}]
  containers:
  - name: nginx
    image: nginx
    volumeMounts: [{name: login, mountPath: /usr/share/nginx/html/login}, {name: out, mountPath: /usr/share/nginx/html/out}]
YAML
ok 'a secret as a variable' busywait 30 page_is secret s3cret out/variable
is "$(page secret login/user)" ann 'and as a volume'
k patch secret login -p '{"stringData":{"user":"bea"}}' >/dev/null
ok 'which follows its change' busywait 30 page_is secret bea login/user
k delete pods --all --grace-period=1 >/dev/null

# --- a rolling update under load ---
apply <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.22
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
        lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
YAML
k expose deployment web --port=80 >/dev/null
ok 'a Deployment' k rollout status deployment web --timeout=60s
VIP=$(k get svc web -o 'jsonpath={.spec.clusterIP}')
answers() { on 2 curl -fsS --max-time 2 "http://$VIP/" >/dev/null; }
ok 'answers' busywait 10 answers
"$BIN/xebec" exec --name "$CLUSTER" --node 2 -- "$BIN/xebec-bench" connect --to "$VIP:80" --rate 200 --seconds 120 >"$TMP/load" 2>&1 &
load=$!
before=$(k get pods -l app=web -o name)
# rolls WHAT KUBECTL-ARGUMENTS...: to three other pods
rolls() {
	local what=$1; shift
	k "$@" >/dev/null
	ok "$what" k rollout status deployment web --timeout=60s
	ok "$what: three pods" busywait 30 ready 3 app=web
}
rolls 'another image' set image deployment/web nginx=nginx:latest
is "$(k get pods -l app=web -o name | grep -cxF "$before")" 0 'all are new'
is "$(k get pods -l app=web -o 'jsonpath={.items[*].spec.containers[0].image}')" 'nginx:latest nginx:latest nginx:latest' 'of that image'
rolls 'undone' rollout undo deployment/web
is "$(k get pods -l app=web -o 'jsonpath={.items[*].spec.containers[0].image}')" 'nginx:1.22 nginx:1.22 nginx:1.22' 'of the image before'
is "$(k rollout history deployment web | awk 'NR > 2 && NF {print $1}' | tr '\n' ' ')" '2 3 ' 'history'
kill -TERM $load
wait $load
like "$(cat "$TMP/load")" '^connections [0-9]{2,} failed 0 ' 'no request was lost'
note "$(cat "$TMP/load")"
done_testing
