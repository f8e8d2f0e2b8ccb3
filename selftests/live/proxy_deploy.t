#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kube-proxy by its DaemonSet and its systemd unit: the API server takes the manifest, and what they grant is enough and no more.
. "$(dirname "$0")/../lib.sh"

deploy=$ROOT/userspace/proxy/deploy
node_up
web_up a; a=$POD_IP
NO_ACCOUNTS= apiserver_start --authorization-mode=Node,RBAC
k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}'

ok 'the manifest, on the server, without effect' k create --dry-run=server -f "$deploy/kube-proxy.yaml"
is "$(k -n kube-system get daemonsets -o name)" '' 'without effect'
ok 'the manifest' k apply -f "$deploy/kube-proxy.yaml"
is "$(k apply -f "$deploy/kube-proxy.yaml" | grep -vc unchanged)" 0 'applied again, it changes nothing'
pod=$(k -n kube-system get daemonset xebec-kube-proxy -o json | jq -c .spec.template.spec)
container() { jq -r ".containers[0]$1" <<<"$pod"; }
is "$(jq -c '[.hostNetwork, .priorityClassName, .tolerations]' <<<"$pod")" '[true,"system-node-critical",[{"operator":"Exists"}]]' 'on each node, in its network, before others'

# as the container would run: its account, its configuration, its mounts, its capabilities
mkdir "$TMP/config"
k -n kube-system get configmap xebec-kube-proxy -o json | jq -r '.data["config.conf"]' | sed "s|/etc/kube-proxy|$TMP/config|" >"$TMP/config/config.conf"
k -n kube-system get configmap xebec-kube-proxy -o json | jq -r '.data["kubeconfig.conf"]' |
	sed "s|https://kubernetes.example:6443|$API|; s|/var/run/secrets/kubernetes.io/serviceaccount|$TMP/account|" >"$TMP/config/kubeconfig.conf"
mkdir "$TMP/account"
cp "$TMP/pki/ca.crt" "$TMP/account/ca.crt"
api POST /api/v1/namespaces/kube-system/serviceaccounts/xebec-kube-proxy/token -H 'Content-Type: application/json' -d '{}' |
	sed '$d' | jq -r .status.token >"$TMP/account/token"
mounted() { sed "s|/usr/local/bin/kube-proxy|$BIN/kube-proxy|; s|/etc/kube-proxy|$TMP/config|; s|\$(NODE_NAME)|node|; s|/host/bpf|$BPFFS|; s|/host/cgroup|$CG/node|"; }
mapfile -t command < <(container '.command[]' | mounted)
add=$(container '.securityContext.capabilities.add | map("+" + ascii_downcase) | join(",")')
is "$(container .securityContext.capabilities.drop[])" ALL 'no capability but those that are named'
# as_granted COMMAND...: with those capabilities and no others
as_granted() { on_node setpriv --bounding-set="-all,$add" --inh-caps=-all --no-new-privs "$@"; }
XB_EXEC=exec as_granted "${command[@]}" >>"$TMP/proxy.log" 2>&1 & PROXY_PID=$!
healthy() { [ "$(in_ns node curl -sS -o /dev/null -w '%{http_code}' --max-time 1 "http://127.0.0.1:$(container .livenessProbe.httpGet.port)$(container .livenessProbe.httpGet.path)")" = 200 ]; }
ok 'its command runs, and its probe finds it well' busywait 10 healthy
answers() { on_node curl -fsS --max-time 2 "http://$1/" 2>/dev/null; }
service web 80:80 "$a"
ok 'with its account it follows Services' busywait 5 answers "$(cluster_ip web)"
SPEC='"externalIPs":["203.0.113.5"],' service first 80:80 "$a"
ok 'external IP' busywait 5 answers 203.0.113.5
SPEC='"externalIPs":["203.0.113.5"],' service second 80:80 "$a"
event() { k get events -o 'jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.name}{"\n"}{end}' | grep -qx "$1"; }
ok 'and writes Events' busywait 5 event 'Warning ServiceAddressInUse second'
is "$(grep -c forbidden "$TMP/proxy.log")" 0 'nothing that it asks for is forbidden'
stop "$PROXY_PID"
ok 'what it serves stays when it ends' answers "$(cluster_ip web)"

# the unit grants the same
unit=$TMP/kube-proxy.service
sed "s|/usr/local/bin/kube-proxy|$BIN/kube-proxy|" "$deploy/kube-proxy.service" >"$unit"
is "$(systemd-analyze verify "$unit" 2>&1)" '' 'systemd takes the unit'
is "$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr ' ' '\n' | sed 's/^CAP_//' | sort | xargs)" \
	"$(container '.securityContext.capabilities.add[]' | sort | xargs)" 'its capabilities are those of the DaemonSet'
ok '--cleanup, with them' as_granted "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" --cgroup-path="$CG/node"
done_testing
