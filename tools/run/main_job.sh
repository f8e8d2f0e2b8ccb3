#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The main job, end to end: a cluster of this machine's own (xebec up), then the introduction to Kubernetes by a real kubectl: nginx
# in containers, scaled, behind a Service, healed, rolled to another image under load.
#
#   main_job.sh BIN_FOLDER        NODES=3: so many nodes; KEEP=1: leave everything up and print how to use it
#   main_job.sh BIN_FOLDER down   take down what KEEP=1 left
set -euo pipefail

bin=$(realpath "$1")
manifests=$(realpath "$(dirname "$0")/introduction")
name=run
dir=/tmp/xebec-$name
kubectl=$(command -v kubectl) || { echo 'main job: no kubectl; run "sudo make setup"' >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo 'main job: namespaces, cgroups and BPF need root: sudo make run' >&2; exit 1; }

xebec() { "$bin/xebec" "$@"; }
sweep() {
	xebec down --name $name >/dev/null
	rm -rf $dir
}
fail() {
	echo "main job: failed: $*" >&2
	tail -n 15 /var/lib/xebec/clusters/$name/logs/*.log /var/lib/xebec/clusters/$name/logs/*/*.log >&2 2>/dev/null || true
	sweep
	exit 1
}
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
wait_for() { local i; for i in $(seq 1000); do "$@" >/dev/null 2>&1 && return 0; sleep 0.02; done; return 1; }
kq() { env HOME=$dir "$kubectl" "$@"; } # quietly
k() {
	printf '$ kubectl %s\n' "$*"
	kq "$@" || fail "kubectl $*"
}
# as a process of the first node
on_node() { xebec exec --name $name -- "$@"; }

sweep
[ "${2:-}" != down ] || exit 0
trap 'fail "line $LINENO"' ERR
trap 'sweep; exit 130' INT TERM
mkdir -p $dir && cd $dir

say 'A cluster'
echo '$ xebec images build-demo'
xebec images build-demo
echo "\$ xebec up --name $name --nodes ${NODES:-1}"
xebec up --name $name --nodes "${NODES:-1}" || fail 'xebec up'
KUBECONFIG=$(xebec kubeconfig --name $name)
export KUBECONFIG
k version
k cluster-info
k get nodes

say 'The introduction, by kubectl'
cp "$manifests"/*.yaml .
k create -f development-ns.yaml
k get namespaces
k create -f nginx.yaml
k wait --for=condition=Ready pod/nginx --timeout=30s
k get pods -o wide
k describe pod nginx
k exec nginx -- nginx -v
k logs nginx
k delete pod nginx
k create -f nginxrc.yaml
k get rc
k scale --replicas=3 rc my-nginx
pods() { kq get pods -l app=nginx -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null and any(.status.conditions[]?; .type == "Ready" and .status == "True")) | .metadata.name' | sort; }
endpoints() { kq get endpointslices -l kubernetes.io/service-name=nginxsvc -o json | jq -r '.items[].endpoints[]? | select(.conditions.ready) | .targetRef.name' | sort; }
three_run() { [ "$(pods | wc -l)" = 3 ]; }
follow() { three_run && [ "$(endpoints)" = "$(pods)" ]; }
wait_for three_run || fail 'there are not three running pods'
k get rc
k get pods -o wide
k create -f nginxsvc.yaml
wait_for follow || fail 'the endpoints do not follow the pods'
k get svc nginxsvc
k get endpointslices
vip=$(kq get service nginxsvc -o 'jsonpath={.spec.clusterIP}')

requests() {
	say "300 requests to http://$vip/"
	wait_for on_node curl -fs --max-time 1 -o /dev/null "http://$vip/" || fail "no answer at $vip"
	for _ in $(seq 300); do printf 'url = "http://%s/"\noutput = /dev/null\n' "$vip"; done >urls
	on_node curl -fsS --max-time 10 --no-keepalive -H 'Connection: close' -w '%{http_code} from %header{served-by}\n' -K urls >answers || fail "a request to $vip"
	sort answers | uniq -c
}
requests

say 'And from this machine, which is none of the cluster'
# where it has no other route there: another cluster's, maybe
if [[ $(ip route get "$vip") == *" via $(xebec status --name $name -o json | jq -r '."node-1".address') "* ]]; then
	echo "\$ curl http://$vip/"
	curl -fsS --max-time 5 -o /dev/null -w '%{http_code} from %header{served-by}\n' "http://$vip/" || fail "$vip does not answer this machine"
else
	echo 'it has another route to the network of Services'
fi

say 'An nginx is killed, and a pod deleted: both are replaced'
victim=$(pods | head -1)
restarts() { kq get pod "$victim" -o 'jsonpath={.status.containerStatuses[0].restartCount}'; }
echo "\$ kubectl exec $victim -- kill 1"
kq exec "$victim" -- kill 1
restarted() { [ "$(restarts)" = 1 ]; }
wait_for restarted || fail "the container of $victim was not started again"
k delete pod "$(pods | tail -1)"
wait_for follow || fail 'the endpoints do not follow the pods'
k get pods -o wide
requests

say 'A rolling update under load'
cat >web.yaml <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  strategy:
    rollingUpdate:
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.22
        readinessProbe:
          httpGet:
            port: 80
          periodSeconds: 1
        lifecycle:
          preStop:
            sleep:
              seconds: 1
EOF
k create -f web.yaml
k expose deployment web --port=80
k rollout status deployment web --timeout=30s
web=$(kq get service web -o 'jsonpath={.spec.clusterIP}')
wait_for on_node curl -fs --max-time 1 -o /dev/null "http://$web/" || fail "no answer at $web"
echo "\$ xebec-bench connect --to $web:80 --rate 200 &"
"$bin/xebec" exec --name $name -- "$bin/xebec-bench" connect --to "$web:80" --rate 200 --seconds 120 >load &
load=$!
k set image deployment/web nginx=nginx:latest
k rollout status deployment web --timeout=60s
k rollout undo deployment web
k rollout status deployment web --timeout=60s
kill -TERM $load
wait $load || fail "a request was lost: $(cat load)"
cat load

say 'The data plane of a node, as xebec reads it'
look() {
	echo "\$ xebec $*"
	xebec "$@" || fail "xebec $*"
}
look services --name $name --node node-1
look explain "$vip:80" --name $name --node node-1
look flows --name $name --node node-1
look drops --name $name --node node-1

say 'The same tables, as bpftool reads them'
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)
bpf=/run/xebec/$name/node-1/bpf
dump() { "$bpftool" -j map dump pinned "$(find $bpf -name "$1")" | jq -c '.[] | .formatted // .'; }
echo "\$ bpftool map dump pinned .../xb_fe4        (where clients reach services; entries in use)"
dump xb_fe4 | jq -c '.value.way[] | select(.fe.kind != "XB_FRONTEND_NONE")'
echo "\$ bpftool map dump pinned .../xb_svc        (ports of services: which block of xb_be4 is theirs)"
dump xb_svc | jq -c 'select(.value.internal.count > 0)'
echo "\$ bpftool map dump pinned .../xb_name"
dump xb_name | jq -c 'select(.value.name != "")'
echo "\$ xebec status --name $name"
xebec status --name $name

if [ "${KEEP:-}" = 1 ]; then
	trap - ERR INT TERM
	say 'Left up. How to go on:'
	cat <<EOF
  export KUBECONFIG=$KUBECONFIG
  kubectl get pods -A
  curl http://$vip/                            and: sudo $bin/xebec exec --name $name -- curl http://$vip/
  sudo $bin/xebec status --name $name          logs: /var/lib/xebec/clusters/$name/logs/
  sudo $bin/xebec services --name $name --node node-1      also: backends, flows, drops, top, map, check
  sudo $bin/xebec explain $vip:80 --name $name --node node-1
  sudo $bin/xebec flows --watch --name $name --node node-1
  take it down:  sudo make down
EOF
	exit 0
fi
sweep
say 'Done; the cluster is gone.'
