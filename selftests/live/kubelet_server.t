#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Port 10250 of a kubelet with a real containerd: who may ask, exec, attach, port-forward and cp by kubectl through the API server,
# what runs and what it uses; and a kubelet that is killed.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"

node_up
printf '%s\n' 'admintoken,admin,1,"system:masters"' 'joetoken,joe,2,"people"' >"$TMP/tokens.csv"
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --kubelet-preferred-address-types=InternalIP --allow-privileged=true
CONTAINERD_NS=node
containerd_start
cni_none
FLAGS=(--client-ca-file="$TMP/pki/ca.crt" --authentication-token-webhook --authorization-mode=Webhook --anonymous-auth=false)
kubelet_start "${FLAGS[@]}"
pod web '"containers":[{"name":"c","image":"'"$BUSYBOX_IMAGE"'","securityContext":{"privileged":true},"command":["sh","-c","busybox ip link set lo up; busybox ip link add eth0 type veth peer name eth1; ln -s busybox /bin/tar; trap \"exit 0\" TERM; echo started; mkdir /www; echo page >/www/index.html; httpd -p 8080 -h /www; sleep 1000 & wait"]}]'
pod wait '"containers":[{"name":"c","image":"localhost/none:1","imagePullPolicy":"Never"}]'
pod chat '"containers":[{"name":"c","image":"'"$BUSYBOX_IMAGE"'","stdin":true,"command":["sh","-c","while read -r line; do echo heard $line; done"]}]'

K=https://192.0.2.1:10250
# node_api METHOD PATH [curl arguments...]: the body, then the status code on a line of its own
node_api() { local method=$1 path=$2; shift 2; in_ns node curl -ksS --max-time 20 -X "$method" -w '\n%{http_code}\n' "$@" "$K$path"; }
as() { local token=$1 path=$2; shift 2; node_api GET "$path" -H "Authorization: Bearer $token" "$@"; }
admin() { as admintoken "$1" | head -n -1; }
CLIENT=(--cert "$TMP/pki/apiserver-kubelet-client.crt" --key "$TMP/pki/apiserver-kubelet-client.key")

# --- who may ---
is "$(node_api GET /healthz)" $'Unauthorized\n401' 'without credentials'
is "$(as badtoken /healthz)" $'Unauthorized\n401' 'a token that nobody knows'
is "$(as admintoken /healthz)" $'ok\n200' 'a token'
is "$(node_api GET /healthz "${CLIENT[@]}")" $'ok\n200' "the API server's certificate"
is "$(as joetoken /pods)" $'Forbidden (user=joe, verb=get, resource=nodes, subresource(s)=[pods proxy])\n\n403' 'who may not is told what'
is "$(as joetoken /run/default/web/c -X POST)" $'Forbidden (user=joe, verb=create, resource=nodes, subresource(s)=[proxy])\n\n403' 'by the method'
k create clusterrole sees --verb=get --resource=nodes/metrics >/dev/null
k create clusterrolebinding sees --clusterrole=sees --user=joe >/dev/null
like "$(as joetoken /metrics/resource)" 'resource_scrape_error 0.*200$' 'who may do one thing'
like "$(as joetoken /configz)" 'subresource\(s\)=\[configz proxy\]' 'may not do another'
is "$(as admintoken /none)" $'404 page not found\n\n404' 'a path that is not there'
is "$(node_api DELETE /pods "${CLIENT[@]}")" $'405: Method Not Allowed\n405' 'a method'
like "$(openssl x509 -in "$TMP/kubelet/pki/kubelet.crt" -noout -ext subjectAltName)" 'DNS:n1.*IP Address:192.0.2.1' 'its own certificate names the node'
is "$(stat -c %a "$TMP/kubelet/pki/kubelet.key")" 600 'and the key is private'

becomes web .phase '"Running"' 'pods run'
becomes chat .phase '"Running"' 'all of them'

# --- exec ---
is "$(echo hello | k exec -i web -- cat)" hello 'exec: input and output'
is "$(k exec web -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err 'standard error apart'
k exec web -- sh -c 'exit 42' 2>/dev/null; is $? 42 'the exit code'
k120 exec web -- sh -c 'exit 43' 2>/dev/null; is $? 43 'by kubectl 1.20'
like "$(k exec web -- no-such-command 2>&1)" 'exec: "no-such-command": executable file not found in \$PATH' 'a command that is not there'
like "$(k exec wait -- true 2>&1)" 'container not found \("c"\)' 'a container that does not run'
tty() { script -qec "stty rows 33 cols 77; nsenter --net=/run/netns/xb-$T-node $KUBECTL exec -it web -- sh -c 'tty; for i in \$(seq 50); do stty size | grep -q ^33 && break; sleep 0.1; done; stty size; exit 7'; echo code \$?" /dev/null </dev/null | tr -d '\r' | tr '\n' ' '; }
like "$(tty)" '/dev/pts/.*33 77.*code 7' 'a terminal, its size, the exit code'
head -c 300000 /dev/urandom >"$TMP/file"
k cp "$TMP/file" web:/tmp/file && k cp web:/tmp/file "$TMP/back" >/dev/null
ok 'cp there and back' cmp "$TMP/file" "$TMP/back"
mkfifo "$TMP/stdin"
XB_EXEC=exec in_ns node "$KUBECTL" attach -i chat <"$TMP/stdin" >"$TMP/attached" 2>/dev/null & attached=$!
exec 9>"$TMP/stdin"
ok 'attach' busywait 5 eval 'echo you >&9; grep -q "heard you" "$TMP/attached"'
exec 9>&-
kill $attached 2>/dev/null; wait $attached 2>/dev/null
memory() { awk '/^RssAnon/ { print $2 }' "/proc/$KUBELET_PID/status"; }
k exec web -- head -c 2000000 /dev/zero >/dev/null
before=$(memory)
is "$(k exec web -- head -c 200000000 /dev/zero | wc -c)" 200000000 '200 MB through exec'
note "memory: $before kB before, $(memory) after"
ok 'the kubelet does not grow' test "$(memory)" -lt $((before + 2000))
is "$(node_api POST "/run/default/web/c?cmd=echo+ran" "${CLIENT[@]}")" $'ran\n\n200' 'run'
like "$(node_api POST "/run/default/web/c?cmd=false" "${CLIENT[@]}")" 'exited with 1.*500$' 'and fail'
like "$(node_api POST "/exec/default/web/c?command=true" "${CLIENT[@]}")" 'you must specify at least 1 of stdin, stdout, stderr.*400$' 'exec of no stream'
is "$(node_api POST "/exec/default/none/c?command=true&output=1" "${CLIENT[@]}")" $'pod does not exist\n404' 'of no pod'
is "$(node_api POST "/exec/default/web/another-uid/c?command=true&output=1" "${CLIENT[@]}")" $'pod does not exist\n404' 'of another one of that name'

# --- port-forward ---
XB_EXEC=exec in_ns node "$KUBECTL" port-forward web 7080:8080 >"$TMP/forward" 2>&1 & forward=$!
busywait 5 grep -q Forwarding "$TMP/forward"
is "$(in_ns node curl -sS --max-time 5 http://127.0.0.1:7080/index.html)" page 'port-forward'
kill $forward; wait $forward 2>/dev/null
XB_EXEC=exec in_ns node "$KUBECTL_120" port-forward web 7081:8080 >"$TMP/forward-120" 2>&1 & forward=$!
busywait 5 grep -q Forwarding "$TMP/forward-120"
is "$(in_ns node curl -sS --max-time 5 http://127.0.0.1:7081/index.html)" page 'by kubectl 1.20'
kill $forward; wait $forward 2>/dev/null

# --- what runs, and what it uses ---
is "$(admin /pods | jq -c '[.kind, (.items | map(select(.metadata.name == "web")) | .[0] | .spec.nodeName, .status.phase)]')" '["PodList","n1","Running"]' 'pods'
is "$(admin /runningpods/ | jq -c '[.items[] | .metadata.name] | sort')" '["chat","wait","web"]' 'pods with something running'
is "$(admin /configz | jq -c '.kubeletconfig | [.port, .authorization.mode, .authentication.anonymous.enabled, .maxPods]')" '[10250,"Webhook",false,110]' 'its configuration'
like "$(admin /metrics/resource)" 'container_cpu_usage_seconds_total\{container="c",namespace="default",pod="web"\} [0-9.e-]+ [0-9]{13}' 'processor time of a container'
like "$(admin /metrics/resource)" 'pod_memory_working_set_bytes\{namespace="default",pod="web"\} [1-9][0-9]+ [0-9]{13}' 'memory of a pod'
for p in metrics metrics/resource metrics/cadvisor metrics/probes; do admin /$p | sed '$d' >"$TMP/metrics"; ok "/$p reads strictly" eval "\"$ROOT/selftests/tools/metrics_check.py\" <\"$TMP/metrics\""; done
like "$(admin /metrics/cadvisor)" 'container_memory_working_set_bytes\{container="c",id="/[^"]*/pod[0-9a-f-]+/[0-9a-f]{64}",image="localhost/busybox:test",name="[0-9a-f]{64}",namespace="default",pod="web"\} [1-9]' "cAdvisor's labels"
like "$(admin /metrics/cadvisor)" 'container_network_receive_bytes_total\{container="",id="[^"]*",image="",interface="eth0",name="[0-9a-f]{64}",namespace="default",pod="web"\} 0 ' 'the network of a pod'
admin /stats/summary >"$TMP/summary"
of_web='(.pods[] | select(.podRef.name == "web"))'
is "$(jq -c "[.node.nodeName, (.node.cpu.usageNanoCores >= 0), (.node.memory.workingSetBytes > 0), (.node.fs.capacityBytes > 0), (.node.runtime.imageFs.capacityBytes > 0), (.node.rlimit.maxpid > 0)]" "$TMP/summary")" '["n1",true,true,true,true,true]' 'the summary: the node'
is "$(jq -c "$of_web | [.containers[0].name, (.containers[0].cpu.usageNanoCores >= 0), (.containers[0].rootfs.usedBytes > 300000), (.containers[0].logs.usedBytes > 0), .network.name, (.\"ephemeral-storage\".usedBytes > 300000)]" "$TMP/summary")" \
	'["c",true,true,true,"eth0",true]' 'a pod: processor, what it has written, its log, its network'
is "$(admin '/stats/summary?only_cpu_and_memory=true' | jq -c "$of_web | [(.memory.workingSetBytes > 0), has(\"network\"), (.containers[0] | has(\"rootfs\"))]")" '[true,false,false]' 'only that'
ok 'kubectl top' busywait 20 eval 'k top pod web --no-headers | grep -q "^web "'

# --- killed ---
{ kill -9 "$KUBELET_PID"; wait "$KUBELET_PID"; } 2>/dev/null
serial() { openssl x509 -in "$TMP/kubelet/pki/kubelet.crt" -noout -serial; }
before=$(serial)
kubelet_start "${FLAGS[@]}"
is "$(serial)" "$before" 'a kubelet that comes back has the same certificate'
ok 'and serves' busywait 10 eval '[ "$(k exec web -- echo there 2>/dev/null)" = there ]'
done_testing
