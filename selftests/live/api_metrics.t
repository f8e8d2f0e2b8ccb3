#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# metrics.k8s.io: what kubectl top shows and an autoscaler reads, from what kubelets say, and only while somebody asks.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start --authorization-mode=RBAC --kubelet-preferred-address-types=InternalIP
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/kubelet.key" -subj /CN=kubelet -days 1 -out "$TMP/kubelet.crt" 2>/dev/null
# a quarter of a core, for the node, a container and one that says when it began; @CPU@ is a clock that runs at that rate
cat >"$TMP/metrics" <<'END'
# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total @CPU@ @NOW@
node_memory_working_set_bytes 1.048576e+09 @NOW@
container_cpu_usage_seconds_total{container="app",namespace="default",pod="web"} @CPU@ @NOW@
container_memory_working_set_bytes{container="app",namespace="default",pod="web"} 5.24288e+07 @NOW@
container_cpu_usage_seconds_total{container="side",namespace="default",pod="web"} 7 @NOW@
container_memory_working_set_bytes{container="side",namespace="default",pod="web"} 1048576 @NOW@
container_cpu_usage_seconds_total{container="gone",namespace="default",pod="gone"} 7 @NOW@
pod_cpu_usage_seconds_total{namespace="default",pod="web"} 9 @NOW@
container_swap_usage_bytes{container="app",namespace="default",pod="web"} 0 @NOW@
END
METRICS_FILE=$TMP/metrics XB_EXEC=exec in_ns node python3 "$ROOT/selftests/tools/kubelet_stand_in.py" --cert "$TMP/kubelet.crt" --key "$TMP/kubelet.key" >"$TMP/kubelet.log" 2>&1 &
busywait 30 grep -q ready "$TMP/kubelet.log" || bail "the stand-in kubelet does not start: $(cat "$TMP/kubelet.log")"
scrapes() { grep -c /metrics/resource "$TMP/kubelet.log"; }
node() {
	k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"'$1'","labels":{"which":"'$1'"}}}'
	k patch node "$1" --subresource=status -p '{"status":{"capacity":{"cpu":"2","memory":"4Gi"},"allocatable":{"cpu":"2","memory":"4Gi"},"addresses":[{"type":"InternalIP","address":"192.0.2.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":'$2'}}}}' >/dev/null
}
node here 10250
node dead 10299
k create deployment web --image=x >/dev/null; k set resources deployment web --requests=cpu=1 >/dev/null
k create -f - >/dev/null <<'END'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{"app":"web"}},"spec":{"nodeName":"here","containers":[
{"name":"app","image":"x","resources":{"requests":{"cpu":"500m"}}},{"name":"side","image":"x","resources":{"requests":{"cpu":"500m"}}}]}}
END
k patch pod web --subresource=status -p '{"status":{"phase":"Running","startTime":"2020-01-01T00:00:00Z","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2020-01-01T00:01:00Z"}]}}' >/dev/null

is "$(scrapes)" 0 'nobody asks: no kubelet is asked'
near() { jq -e --argjson want "$1" '. > $want * 0.9 and . < $want * 1.1' >/dev/null; } # of a number on standard input
milli() { [[ $1 =~ ^([0-9]+)m$ ]] && echo "${BASH_REMATCH[1]}"; }
like "$(k top nodes --no-headers)" '^here +[0-9]+m +1[0-9]% +1000Mi +24% *.dead +<unknown>' 'kubectl top nodes; of one that does not answer nothing is known'
is "$(scrapes)" 2 'the first answer took two readings'
ok 'a quarter of a core' near 250 <<<"$(milli "$(k top nodes --no-headers | awk '/^here/ { print $2 }')")"
like "$(k top pods --no-headers)" '^web +[0-9]+m +51Mi *$' 'kubectl top pods'
like "$(k120 top pod web --containers --no-headers | sort | tr -s ' ' | tr '\n' ';')" 'web app 2[0-9][0-9]m 50Mi ;web side 0m 1Mi ;' 'kubectl 1.20, by container'
is "$(scrapes)" 2 'which are good for the next seconds'
is "$(k get --raw /apis/metrics.k8s.io/v1beta1/namespaces/default/pods/web | jq -c '[.kind, .metadata.name, .metadata.labels.app, (.containers | map(.name + " " + .usage.memory))]')" \
	'["PodMetrics","web","web",["app 50Mi","side 1Mi"]]' 'one pod'
like "$(k get --raw /apis/metrics.k8s.io/v1beta1/nodes/here | jq -r '.window + " " + .timestamp')" '^1\.[0-9]+s 20' 'over which time'
like "$(k get --raw /apis/metrics.k8s.io/v1beta1/nodes/dead 2>&1)" 'nodes.metrics.k8s.io "dead" not found' 'of one that does not answer nothing is known'
is "$(k get --raw '/apis/metrics.k8s.io/v1beta1/nodes?labelSelector=which%3Dhere' | jq -c '[.items[].metadata.name]')" '["here"]' 'a selector'
is "$(k get --raw '/apis/metrics.k8s.io/v1beta1/pods?labelSelector=app%3Dother' | jq -c .items)" '[]' 'that nothing passes'
is "$(k get --raw /apis/metrics.k8s.io/v1beta1 | jq -c '[.resources[] | [.name, .kind, .namespaced, (.verbs | join(","))]]')" \
	'[["nodes","NodeMetrics",false,"get,list"],["pods","PodMetrics",true,"get,list"]]' 'discovery'
like "$(k get podmetrics 2>&1)" 'web' 'kubectl get'
k create serviceaccount reader >/dev/null
like "$(k top pods --as=system:serviceaccount:default:reader 2>&1)" 'cannot list resource "pods" in API group "metrics.k8s.io"' 'who may not'

# --- an autoscaler reads it ---
kcm_start --leader-elect=false --horizontal-pod-autoscaler-sync-period=500ms
k scale deployment web --replicas=1 >/dev/null
k patch deployment web --subresource=status -p '{"status":{"replicas":1}}' >/dev/null
k autoscale deployment web --min=1 --max=5 --cpu-percent=50 >/dev/null
current() { [ "$(k get hpa web -o 'jsonpath={.status.currentMetrics[0].resource.current.averageUtilization}')" = 25 ]; }
ok 'utilization: a quarter of a core of the one that is asked for' busywait 10 current
done_testing
