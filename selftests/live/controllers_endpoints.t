#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Services follow their pods: EndpointSlices and Endpoints by the selector, mirrored ones without, each by the fewest writes; and
# kube-proxy answers with them. The statuses that a kubelet would write are written here.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
# the node has no kubelet: it is not to be told about, nor given up
controllers() { kcm_start --leader-elect=false --controllers='*,-node-lifecycle-controller'; }
controllers

api POST /api/v1/nodes -H 'Content-Type: application/json' -o /dev/null \
	-d '{"metadata":{"name":"node","labels":{"topology.kubernetes.io/zone":"z1"}}}' >/dev/null
POD='{"spec":{"nodeName":"node","terminationGracePeriodSeconds":30,"containers":[{"name":"c","image":"i","ports":[{"name":"web","containerPort":8000}]}]}}'
pod() { # name label ...: as JSON
	local name=$1 labels=; shift
	for l in "$@"; do labels="$labels${labels:+,}\"${l%=*}\":\"${l#*=}\""; done
	jq -c ".kind=\"Pod\" | .apiVersion=\"v1\" | .metadata={name:\"$name\",labels:{$labels}}" <<<"$POD"
}
condition() { # True or False, second
	printf '{"type":"Ready","status":"%s","lastTransitionTime":"2026-01-01T00:00:%02dZ"}' "$1" "$2"
}
status() { # IP, True or False, second [phase]: a pod's status as a patch
	local ip6=fd00:10:244:1::${1##*.}
	echo "{\"status\":{\"phase\":\"${4:-Running}\",\"podIP\":\"$1\",\"podIPs\":[{\"ip\":\"$1\"},{\"ip\":\"$ip6\"}],\"conditions\":[$(condition "$2" "$3")]}}"
}
set_status() { # name, IP, True or False, second [phase]
	local name=$1; shift
	api PATCH "/api/v1/namespaces/default/pods/$name/status" -H 'Content-Type: application/merge-patch+json' -d "$(status "$@")" | tail -1 | grep -q 200
}
# the requests of a curl configuration on standard input, many at a time
many() { in_ns node curl --no-progress-meter --parallel --parallel-max 16 -K - >/dev/null 2>&1; }
request() { # METHOD PATH TYPE BODY
	printf 'next\nrequest = %s\nurl = "%s%s"\ncacert = "%s"\noutput = /dev/null\nheader = "Authorization: Bearer admintoken"\nheader = "Content-Type: %s"\ndata = "%s"\n' \
		"$1" "$API" "$2" "$TMP/pki/ca.crt" "$3" "${4//\"/\\\"}"
}
slices() { api GET "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name%3D$1" | head -n -1; }
endpoints() { api GET "/api/v1/namespaces/default/endpoints/$1" | head -n -1; }
# service jq expected: the slices of a service, seen through jq, come to be as expected
slices_are() { [ "$(slices "$1" | jq -cS "[.items[] | $2]")" = "$3" ]; }
endpoints_are() { [ "$(endpoints "$1" | jq -cS "$2")" = "$3" ]; }
sees() { # description service jq expected
	busywait 5 slices_are "$2" "$3" "$4"
	is "$(slices "$2" | jq -cS "[.items[] | $3]")" "$4" "$1"
}
shows() {
	busywait 5 endpoints_are "$2" "$3" "$4"
	is "$(endpoints "$2" | jq -cS "$3")" "$4" "$1"
}
ADDRESSES='[.endpoints[]? | [.addresses[0], .conditions.ready, .conditions.serving, .conditions.terminating]] | sort'
SUBSETS='[.subsets[]? | [[.addresses[]?.ip], [.notReadyAddresses[]?.ip], [.ports[]? | [.name, .port, .protocol]]]]'
version() { api GET /api/v1/namespaces | head -n -1 | jq -r .metadata.resourceVersion; }
names() { slices "$1" | jq -c '[.items[].metadata.name] | sort'; }
# when the controller has nothing to do any more: no write for a moment, and that thrice
quiet() { local was i; was=$(version); for i in 1 2 3; do sleep 0.1; [ "$(version)" = "$was" ] || return; done; }

# --- a service without pods, then with three ---
k create -f - >/dev/null <<'X'
{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","labels":{"team":"a"}},
"spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80},{"name":"named","port":81,"targetPort":"web"}]}}
X
sees 'a service without pods has an empty slice' web '[.addressType, (.endpoints // []), (.ports // [])]' '[["IPv4",[],[]]]'
shows 'and empty Endpoints' web "[(.subsets // []), .metadata.labels]" '[[],{"endpoints.kubernetes.io/managed-by":"endpoint-controller","team":"a"}]'
slice=$(slices web | jq -c '.items[0]')
created=$(k get service web -o 'jsonpath={.metadata.creationTimestamp}')
is "$(jq -cS .metadata.labels <<<"$slice")" \
	'{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"web","team":"a"}' 'its labels'
is "$(jq -cS '[.metadata.generateName, .metadata.annotations]' <<<"$slice")" "[\"web-\",{\"endpoints.kubernetes.io/last-change-trigger-time\":\"$created\"}]" \
	'its name, and what made it'
is "$(jq -cS .metadata.ownerReferences <<<"$slice")" \
	"[{\"apiVersion\":\"v1\",\"blockOwnerDeletion\":true,\"controller\":true,\"kind\":\"Service\",\"name\":\"web\",\"uid\":\"$(k get service web -o 'jsonpath={.metadata.uid}')\"}]" \
	'it goes with its service'

for i in 1 2 3; do pod "web-$i" app=web; done | k create -f - >/dev/null
for i in 1 2 3; do set_status "web-$i" "10.1.0.$i" True "$i"; done
sees 'pods with addresses are its endpoints' web "[.ports, ($ADDRESSES)]" \
	'[[[{"name":"http","port":80,"protocol":"TCP"},{"name":"named","port":8000,"protocol":"TCP"}],[["10.1.0.1",true,true,false],["10.1.0.2",true,true,false],["10.1.0.3",true,true,false]]]]'
is "$(names web)" "[$(jq .metadata.name <<<"$slice")]" 'in the slice that was there'
uid=$(k get pod web-1 -o 'jsonpath={.metadata.uid}')
is "$(slices web | jq -cS '.items[0].endpoints[] | select(.addresses[0] == "10.1.0.1") | [.nodeName, .zone, .targetRef]')" \
	"[\"node\",\"z1\",{\"kind\":\"Pod\",\"name\":\"web-1\",\"namespace\":\"default\",\"uid\":\"$uid\"}]" 'with their node, zone and pod'
shows 'and in Endpoints' web "$SUBSETS" '[[["10.1.0.1","10.1.0.2","10.1.0.3"],[],[["http",80,"TCP"],["named",8000,"TCP"]]]]'

# --- readiness, and what does not matter ---
busywait 5 quiet
was=$(version)
set_status web-2 10.1.0.2 False 10
sees 'a pod that is not ready' web "$ADDRESSES" '[[["10.1.0.1",true,true,false],["10.1.0.2",false,false,false],["10.1.0.3",true,true,false]]]'
shows 'stands apart in Endpoints' web "$SUBSETS" '[[["10.1.0.1","10.1.0.3"],["10.1.0.2"],[["http",80,"TCP"],["named",8000,"TCP"]]]]'
is "$(slices web | jq -r '.items[0].metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"]')" 2026-01-01T00:00:10Z 'when it changed is told'
is "$(version)" $((was + 3)) 'one write of the slice, one of the Endpoints'
api PATCH /api/v1/namespaces/default/pods/web-3/status -H 'Content-Type: application/merge-patch+json' -d '{"status":{"message":"x","hostIP":"192.0.2.1"}}' >/dev/null
k annotate pod web-3 a=b >/dev/null
busywait 5 quiet
is "$(version)" $((was + 5)) 'what an endpoint does not tell costs nothing'

# --- a pod goes: first terminating, then gone ---
k delete pod web-1 --wait=false >/dev/null
sees 'a pod that is being deleted serves on, terminating' web "$ADDRESSES" \
	'[[["10.1.0.1",false,true,true],["10.1.0.2",false,false,false],["10.1.0.3",true,true,false]]]'
shows 'and is in Endpoints no more' web "$SUBSETS" '[[["10.1.0.3"],["10.1.0.2"],[["http",80,"TCP"],["named",8000,"TCP"]]]]'
k delete pod web-1 --force --grace-period=0 >/dev/null 2>&1
sees 'and goes' web "$ADDRESSES" '[[["10.1.0.2",false,false,false],["10.1.0.3",true,true,false]]]'
set_status web-2 10.1.0.2 False 11 Failed
sees 'so does one that failed' web "$ADDRESSES" '[[["10.1.0.3",true,true,false]]]'

# --- the service changes ---
k patch service web -p '{"spec":{"publishNotReadyAddresses":true,"ports":[{"name":"http","port":80},{"name":"named","port":81,"$patch":"delete"}]}}' >/dev/null
k delete pod web-3 --wait=false >/dev/null
sees 'published whatever they are' web "[.ports, ($ADDRESSES)]" '[[[{"name":"http","port":80,"protocol":"TCP"}],[["10.1.0.3",true,true,true]]]]'
shows 'in Endpoints as well' web "$SUBSETS" '[[["10.1.0.3"],[],[["http",80,"TCP"]]]]'
pod other app=other | k create -f - >/dev/null
set_status other 10.1.0.9 True 20
k patch service web -p '{"metadata":{"labels":{"team":"b"}},"spec":{"selector":{"app":"other"}}}' >/dev/null
sees 'another selector, other endpoints' web "[.metadata.labels.team, ($ADDRESSES)]" '[["b",[["10.1.0.9",true,true,false]]]]'
k label pod other app=third --overwrite >/dev/null
sees 'a pod that is relabelled is none of it' web "[(.endpoints // []), (.ports // [])]" '[[[],[]]]'
is "$(names web)" "[$(jq .metadata.name <<<"$slice")]" 'all in the slice that was there'

# --- both families, named ports that differ, a hint ---
k create -f - >/dev/null <<'X'
{"apiVersion":"v1","kind":"Service","metadata":{"name":"dual"},"spec":{"clusterIP":"None","ipFamilyPolicy":"PreferDualStack","trafficDistribution":"PreferClose",
"selector":{"app":"third","tier":"x"},"ports":[{"port":80,"targetPort":"web"}]}}
X
k label pod other tier=x >/dev/null
POD=$(jq -c '.spec.containers[0].ports[0].containerPort = 9000' <<<"$POD")
pod another app=third tier=x | k create -f - >/dev/null
set_status another 10.1.0.10 True 21
sees 'a slice for each family and each number of a named port' dual \
	'[.addressType, .ports[0].port, .endpoints[0].addresses[0], .endpoints[0].hints.forZones[0].name]] | sort | [.[]' \
	'[["IPv4",8000,"10.1.0.9","z1"],["IPv4",9000,"10.1.0.10","z1"],["IPv6",8000,"fd00:10:244:1::9","z1"],["IPv6",9000,"fd00:10:244:1::10","z1"]]'
shows 'two subsets of the first family' dual "[.metadata.labels, ($SUBSETS | sort)]" \
	'[{"endpoints.kubernetes.io/managed-by":"endpoint-controller","service.kubernetes.io/headless":""},[[["10.1.0.10"],[],[[null,9000,"TCP"]]],[["10.1.0.9"],[],[[null,8000,"TCP"]]]]]'
is "$(slices dual | jq -c '[.items[].metadata.labels["service.kubernetes.io/headless"]] | unique')" '[""]' 'headless, as they say'

# --- a service without a selector ---
k create -f - >/dev/null <<'X'
{"apiVersion":"v1","kind":"Service","metadata":{"name":"hand"},"spec":{"ports":[{"name":"p","port":80}]}}
X
k create -f - >/dev/null 2>&1 <<'X'
{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"hand","labels":{"a":"b"},"annotations":{"c":"d"}},
"subsets":[{"addresses":[{"ip":"10.2.0.1","nodeName":"node"}],"notReadyAddresses":[{"ip":"fd00::2"}],"ports":[{"name":"p","port":8080}]}]}
X
sees 'its Endpoints are mirrored' hand \
	'[.addressType, .ports[0].port, .endpoints[0].addresses[0], .endpoints[0].conditions.ready, .metadata.annotations, .metadata.ownerReferences[0].kind, .metadata.labels]] | sort | [.[]' \
	"$(for x in '"IPv4",8080,"10.2.0.1",true' '"IPv6",8080,"fd00::2",false'; do
		echo "[$x,{\"c\":\"d\"},\"Endpoints\",{\"a\":\"b\",\"endpointslice.kubernetes.io/managed-by\":\"endpointslicemirroring-controller.k8s.io\",\"kubernetes.io/service-name\":\"hand\"}]"
	done | jq -cs .)"
k label endpoints hand endpointslice.kubernetes.io/skip-mirror=true >/dev/null 2>&1
sees 'unless they ask not to be' hand . '[]'

# --- many ---
for i in $(seq 250); do request POST /api/v1/namespaces/default/pods application/json "$(printf '{"metadata":{"name":"many-%d","labels":{"app":"many"}},"spec":{"nodeName":"node","containers":[{"name":"c","image":"i"}]}}' "$i")"; done | many
for i in $(seq 250); do request PATCH "/api/v1/namespaces/default/pods/many-$i/status" application/merge-patch+json "$(status "10.3.0.$i" True 30)"; done >"$TMP/ready"
many <"$TMP/ready"
is "$(api GET '/api/v1/namespaces/default/pods?labelSelector=app%3Dmany' | head -n -1 | jq '[.items[] | select(.status.podIP)] | length')" 250 '250 pods are ready'
k create -f - >/dev/null <<'X'
{"apiVersion":"v1","kind":"Service","metadata":{"name":"many"},"spec":{"selector":{"app":"many"},"ports":[{"port":80}]}}
X
COUNTS='(.endpoints | length)] | sort | [.[]'
sees '250 pods are three slices' many "$COUNTS" '[50,100,100]'
note "$(slices many | jq -c '[.items[].metadata.generation]') writes of each slice"
busywait 5 quiet
was=$(version)
api PATCH /api/v1/namespaces/default/pods/many-7/status -H 'Content-Type: application/merge-patch+json' -d "{\"status\":{\"conditions\":[$(condition False 40)]}}" >/dev/null
sees 'one that is not ready' many '.endpoints[] | select(.conditions.ready == false) | .addresses[0]' '["10.3.0.7"]'
busywait 5 quiet
is "$(version)" $((was + 3)) 'costs one write of a slice'
k delete pod many-7 many-8 --force --grace-period=0 >/dev/null 2>&1
busywait 5 eval '[ "$(slices many | jq "[.items[].endpoints | length] | add")" = 248 ]'
is "$(slices many | jq '.items | length')" 3 'what two leave behind stays free'
kill -9 "$KCM_PID"; wait "$KCM_PID" 2>/dev/null
k delete pod many-9 --force --grace-period=0 >/dev/null 2>&1
pod many-251 app=many | k create -f - >/dev/null
set_status many-251 10.3.1.251 True 41
was=$(version)
controllers
busywait 5 eval 'slices many | grep -q 10.3.1.251'
busywait 5 quiet
is "$(version)" $((was + 2)) 'killed and started anew, it writes one slice and the Endpoints'
is "$(slices many | jq -c '[([.items[].endpoints | length] | add), ([.items[].endpoints[].addresses[0]] | unique | length)]')" '[248,248]' 'and nothing is there twice'
api DELETE '/api/v1/namespaces/default/pods?labelSelector=app%3Dmany&gracePeriodSeconds=0' >/dev/null
sees 'scaled to none, an empty slice stays' many '[(.endpoints // []), (.ports // [])]' '[[[],[]]]'

# --- a service goes ---
k delete service web >/dev/null
ok 'its Endpoints go with it' busywait 5 eval '! k get endpoints web'
k create -f - >/dev/null 2>&1 <<'X'
{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"early"},"subsets":[{"addresses":[{"ip":"10.2.0.1"}]}]}
X
busywait 5 quiet
ok 'Endpoints that are earlier than their service stay' k get endpoints early

# --- the way of a request ---
web_up a; ip_a=$POD_IP
web_up b; ip_b=$POD_IP
proxy_start
k create -f - >/dev/null <<'X'
{"apiVersion":"v1","kind":"Service","metadata":{"name":"front"},"spec":{"selector":{"app":"front"},"ports":[{"port":8080,"targetPort":80}]}}
X
pod a app=front | k create -f - >/dev/null
pod b app=front | k create -f - >/dev/null
set_status a "$ip_a" True 50
cluster_ip=$(cluster_ip front)
ok 'a request to the service reaches the pod' busywait 5 eval '[ "$(get http://$cluster_ip:8080/)" = a ]'
set_status b "$ip_b" True 51
set_status a "$ip_a" False 52
ok 'and another when that is not ready any more' busywait 5 eval '[ "$(get http://$cluster_ip:8080/)" = b ]'
done_testing
