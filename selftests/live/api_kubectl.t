#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The introduction to Kubernetes and the everyday commands, with kubectl as the machine has it and with kubectl 1.20.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
cat >"$TMP/development-ns.yaml" <<'EOF'
kind: "Namespace"
apiVersion: "v1"
metadata:
  name: "development"
  labels:
    name: "development"
EOF
cat >"$TMP/nginx.yaml" <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: nginx
spec:
  containers:
  - name: nginx-server
    image: nginx
    ports:
    - containerPort: 80
EOF
cat >"$TMP/nginxrc.yaml" <<'EOF'
apiVersion: v1
kind: ReplicationController
metadata:
  name: my-nginx
spec:
  replicas: 1
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx
        ports:
        - containerPort: 80
EOF
cat >"$TMP/nginxsvc.yaml" <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: nginxsvc
  labels:
    app: nginx
spec:
  ports:
  - port: 80
    protocol: TCP
  selector:
    app: nginx
EOF
cat >"$TMP/several.yaml" <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {k: "yes"}
---
# a document of comments only

---
apiVersion: v1
kind: ConfigMap
metadata:
  name: two
data:
  text: |
    several
    lines
EOF

everyday() { # kubectl function, its version
	local k=$1 v=$2 out
	rm -rf "$TMP/.kube"
	like "$($k cluster-info 2>&1)" 'running at .*https://192.0.2.1:6443' "$v: cluster-info"
	like "$($k version 2>&1)" 'Server Version.*v?1.33|Minor:"33"' "$v: version of the server"
	like "$($k api-resources 2>&1)" 'replicationcontrollers +rc +v1 +true +ReplicationController' "$v: api-resources"
	like "$($k api-versions 2>&1 | tr '\n' ' ')" 'coordination.k8s.io/v1 discovery.k8s.io/v1 .*v1' "$v: api-versions"
	is "$($k create -f "$TMP/development-ns.yaml" 2>&1)" 'namespace/development created' "$v: create -f, a namespace in YAML"
	like "$($k get namespaces --show-labels 2>&1)" 'development +Active +[0-9]+s .*name=development' "$v: get namespaces"
	is "$($k create -f "$TMP/nginx.yaml" 2>&1)" 'pod/nginx created' "$v: create -f, a pod"
	like "$($k get pods 2>&1)" 'NAME +READY +STATUS +RESTARTS +AGE'$'\n''nginx +0/1 +Pending +0 +[0-9]+s' "$v: get pods"
	like "$($k get pods -o wide 2>&1)" 'NODE +NOMINATED NODE +READINESS GATES' "$v: get pods -o wide"
	like "$($k get pods -A 2>&1)" 'NAMESPACE +NAME .*default +nginx' "$v: get pods -A"
	out=$($k describe pod nginx 2>&1)
	like "$out" 'Name: +nginx.*Namespace: +default.*Status: +Pending.*nginx-server:.*Image: +nginx' "$v: describe pod"
	is "$($k get pod nginx -o 'jsonpath={.spec.containers[0].image} {.spec.restartPolicy}' 2>&1)" 'nginx Always' "$v: jsonpath"
	is "$($k get pod nginx -o json 2>&1 | jq -r '.status.phase + " " + .spec.containers[0].imagePullPolicy')" 'Pending Always' "$v: -o json"
	like "$($k get pod nginx -o yaml 2>&1)" 'kind: Pod.*name: nginx.*terminationGracePeriodSeconds: 30' "$v: -o yaml"
	is "$($k label pod nginx tier=front 2>&1)" 'pod/nginx labeled' "$v: label"
	is "$($k get pods -l 'tier in (front,back)' -o name 2>&1)" 'pod/nginx' "$v: get -l"
	is "$($k get pods -l 'tier!=front' -o name 2>&1)" '' "$v: get -l, nothing matches"
	is "$($k get pods --field-selector status.phase=Pending -o name 2>&1)" 'pod/nginx' "$v: field selector"
	is "$($k annotate pod nginx note=x 2>&1)" 'pod/nginx annotated' "$v: annotate"
	is "$($k label pod nginx tier- 2>&1 | sed 's/unlabeled/labeled/')" 'pod/nginx labeled' "$v: remove a label"
	is "$($k delete pod nginx 2>&1)" 'pod "nginx" deleted' "$v: delete pod"
	like "$($k get pods 2>&1)" 'No resources found in default namespace' "$v: it is gone"
	is "$($k create -f "$TMP/nginxrc.yaml" 2>&1)" 'replicationcontroller/my-nginx created' "$v: create a replication controller"
	like "$($k get rc 2>&1)" 'my-nginx +1 +0 +0' "$v: get rc"
	is "$($k scale --replicas=3 rc my-nginx 2>&1)" 'replicationcontroller/my-nginx scaled' "$v: scale"
	like "$($k get rc -o wide 2>&1)" 'my-nginx +3 +0 +0 +[0-9]+s +nginx +nginx +app=nginx' "$v: scaled"
	is "$($k create -f "$TMP/nginxsvc.yaml" 2>&1)" 'service/nginxsvc created' "$v: create a service"
	like "$($k get svc nginxsvc 2>&1)" 'nginxsvc +ClusterIP +10\.[0-9.]+ +<none> +80/TCP' "$v: get svc"
	like "$($k describe svc nginxsvc 2>&1)" 'Selector: +app=nginx.*IPs?: +10\..*Port: +<unset> +80/TCP' "$v: describe svc"
	is "$($k patch svc nginxsvc -p '{"spec":{"type":"NodePort"}}' 2>&1)" 'service/nginxsvc patched' "$v: strategic patch"
	like "$($k get svc nginxsvc 2>&1)" 'NodePort .* 80:3[0-9]+/TCP' "$v: a node port was given"
	is "$($k create -f "$TMP/several.yaml" 2>&1 | tr '\n' ' ')" 'configmap/one created configmap/two created ' "$v: several documents"
	is "$($k get cm one -o 'jsonpath={.data.k}' 2>&1)" 'yes' "$v: a quoted yes is a string"
	is "$(jq -nc '{apiVersion:"v1",kind:"ConfigMap",metadata:{name:"three"},data:{a:"b"}}' | $k create -f - 2>&1)" 'configmap/three created' "$v: JSON from standard input"
	is "$($k apply -f "$TMP/several.yaml" 2>&1 | grep -v Warning | tr '\n' ' ')" 'configmap/one configured configmap/two configured ' "$v: apply over what create made"
	is "$(sed 's/lines/words/' "$TMP/several.yaml" | $k apply -f - 2>&1 | tr '\n' ' ')" 'configmap/one unchanged configmap/two configured ' "$v: apply a change"
	is "$($k get cm two -o 'jsonpath={.data.text}' 2>&1)" $'several\nwords' "$v: applied"
	like "$($k create -f "$TMP/several.yaml" 2>&1)" 'AlreadyExists.*configmaps "one" already exists' "$v: create again"
	like "$($k get pod nothing 2>&1)" 'NotFound.*pods "nothing" not found' "$v: get what is not there"
	is "$(EDITOR='sed -i s/words/letters/' $k edit cm two 2>&1)" 'configmap/two edited' "$v: edit"
	is "$($k get cm two -o 'jsonpath={.data.text}' 2>&1)" $'several\nletters' "$v: edited"
	is "$($k delete cm one two three 2>&1 | wc -l)" 3 "$v: delete several"
	is "$($k delete -f "$TMP/nginxsvc.yaml" 2>&1)" 'service "nginxsvc" deleted' "$v: delete -f"
	is "$($k delete rc my-nginx --cascade=background 2>&1 || $k delete rc my-nginx --cascade 2>&1)" 'replicationcontroller "my-nginx" deleted' "$v: delete rc"
	is "$($k create secret generic s --from-literal=a=b 2>&1)" 'secret/s created' "$v: create secret"
	is "$($k get secret s -o 'jsonpath={.data.a}' | base64 -d)" b "$v: the secret's value"
	is "$($k create service clusterip q --tcp=80:8080 2>&1)" 'service/q created' "$v: create service"
	is "$($k delete svc/q secret/s 2>&1 | wc -l)" 2 "$v: delete by kind/name"
	is "$($k replace -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"none"}}' 2>&1 | grep -c NotFound)" 1 "$v: replace what is not there"
	$k delete namespace development --wait=false >/dev/null
	like "$($k get namespace development 2>&1)" 'development +Terminating' "$v: a deleted namespace is terminating"
	$k get namespace development -o json | jq '.spec.finalizers=[]' >"$TMP/finalize.json"
	ok "$v: finalize" $k replace --raw /api/v1/namespaces/development/finalize -f "$TMP/finalize.json"
	like "$($k get namespace development 2>&1)" NotFound "$v: gone after finalize"
}
everyday k 'kubectl'
everyday k120 'kubectl 1.20'

if [ "$(kubectl_minor)" -ge 27 ]; then
	is "$(k create configmap c --from-literal=a=b --dry-run=server -o name 2>&1)" 'configmap/c' 'dry run at the server'
	like "$(k get configmap c 2>&1)" NotFound 'the dry run left nothing'
fi

# a manifest put again, without what the server had filled in
k create -f "$TMP/nginx.yaml" >/dev/null
is "$(k replace -f "$TMP/nginx.yaml" 2>&1)" 'pod/nginx replaced' 'replace a pod by its own manifest'
k delete pod nginx >/dev/null

# get -w follows changes, and ends with the command
k get pods -w >"$TMP/watch" 2>&1 &
watcher=$!
busywait 5 grep -q . "$TMP/watch" || true
k create -f "$TMP/nginx.yaml" >/dev/null
k delete pod nginx >/dev/null
ok 'get -w shows the new pod' busywait 5 grep -qE 'nginx +0/1 +Pending' "$TMP/watch"
kill $watcher 2>/dev/null

if [ "$(kubectl_minor)" -ge 27 ]; then # strict field validation is what it asks for
	sed 's/image: nginx/imagee: nginx/' "$TMP/nginx.yaml" >"$TMP/typo.yaml"
	like "$(k create -f "$TMP/typo.yaml" 2>&1)" 'unknown field "spec.containers\[0\].imagee"' 'a misspelt field is named'
	like "$(k create -f "$TMP/typo.yaml" --validate=warn 2>&1)" 'Required value' 'and without validation the value is missing'
fi
done_testing
