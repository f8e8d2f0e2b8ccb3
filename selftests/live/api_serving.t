#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What an operator of the API server sees: health, metrics, access log, limits, fairness, deadlines, a stop that nobody notices.
# alone
. "$(dirname "$0")/../lib.sh"

node_up
cat >"$TMP/tokens.csv" <<'EOT'
admintoken,admin,1,"system:masters"
noisytoken,noisy,2,dev
quiettoken,quiet,3,dev
EOT
# as USER METHOD PATH [curl arguments...]: like api, with that user's token
as() {
	local user=$1 method=$2 path=$3; shift 3
	in_ns node curl -sS --max-time 20 --cacert "$TMP/pki/ca.crt" -H "Authorization: Bearer ${user}token" -X "$method" -w '\n%{http_code}\n' "$@" "$API$path"
}
code() { tail -1 <<<"$1"; }
body() { head -n -1 <<<"$1"; }
header() { tr -d '\r' <<<"$1" | sed -n "s/^$2: //ip"; }
cm=/api/v1/namespaces/default/configmaps

# --- health ---
apiserver_start --v=3
is "$(as admin GET '/readyz?verbose')" $'[+]ping ok\n[+]store ok\n[+]poststarthook/bootstrap ok\n[+]shutdown ok\nreadyz check passed\n\n200' 'readyz?verbose'
is "$(as admin GET '/livez?verbose')" $'[+]ping ok\nlivez check passed\n\n200' 'livez?verbose'
is "$(as admin GET /healthz)" $'ok\n200' 'healthz'
is "$(as admin GET /readyz/store)" $'ok\n200' 'a check of its own'
is "$(as admin GET /readyz/poststarthook/bootstrap)" $'ok\n200' 'a check whose name has a slash'
is "$(code "$(as admin GET /livez/store)")" 404 'a check that is not of this set'
is "$(as admin GET '/livez?verbose&exclude=ping&exclude=etcd&exclude=a')" \
	$'[+]ping excluded: ok\nwarn: some health checks cannot be excluded: no matches for "a","etcd"\nlivez check passed\n\n200' 'checks left out'
answer=$(as admin GET /readyz -i)
is "$(header "$answer" content-type)/$(header "$answer" x-content-type-options)" 'text/plain; charset=utf-8/nosniff' 'health: headers'

# --- the identity of a request, and the access log ---
answer=$(as quiet GET $cm?limit=5 -i -A 'agent "x"')
like "$(header "$answer" audit-id)" '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' 'an Audit-Id of ours'
ok 'the access log: klog text with the fields of httplog' grep -qE \
	"^I[0-9]{4} [0-9:.]+ +[0-9]+ [a-z_]+\.c:[0-9]+\] \"HTTP\" verb=\"LIST\" URI=\"$cm\?limit=5\" latency=\"[0-9.]+(µs|ms)\" userAgent=\"agent \\\\\"x\\\\\"\" audit-ID=\"$(header "$answer" audit-id)\" srcIP=\"192.0.2.1:[0-9]+\" user=\"quiet\" resp=200$" "$TMP/apiserver.log"
is "$(header "$(as quiet GET /version -i -H 'Audit-ID: mine-7')" audit-id)" mine-7 'an Audit-Id of the client'
body_secret='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"logged"},"data":{"k":"bodysecret"}}'
is "$(code "$(as quiet POST $cm -H 'Content-Type: application/json' -d "$body_secret")")" 201 'a write'
k get --raw "$cm?watch=1&timeoutSeconds=1" >/dev/null
ok 'a write and a watch are logged' busywait 3 eval "grep -q 'verb=\"POST\".*resp=201' $TMP/apiserver.log && grep -q 'verb=\"WATCH\".*resp=200' $TMP/apiserver.log"
is "$(grep -cE 'quiettoken|bodysecret|Bearer' "$TMP/apiserver.log")" 0 'no token and no body in the log'

# --- metrics ---
k apply -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"}}' >/dev/null
k apply --server-side -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"}}' >/dev/null
k create configmap dry --dry-run=server >/dev/null
as wrong GET $cm >/dev/null
as admin GET /api/v1/pods -I >/dev/null
as admin BREW $cm >/dev/null
XB_EXEC=exec k get configmaps -w >/dev/null 2>&1 & watcher=$!
metrics() { in_ns node curl -sS --max-time 20 --cacert "$TMP/pki/ca.crt" -H "Authorization: Bearer admintoken" $API/metrics; }
ok 'the watch is there' busywait 5 eval 'metrics | grep -q "^apiserver_longrunning_requests{.*resource=\"configmaps\".*verb=\"WATCH\".*} 1$"'
k create configmap seen >/dev/null
metrics >"$TMP/metrics"
ok 'metrics: the text is Prometheus’' "$ROOT/selftests/tools/metrics_check.py" <"$TMP/metrics"
cat "$TMP/out" | sed 's/^/# /'
while read -r pattern; do
	ok "metrics: $pattern" grep -qE "^$pattern" "$TMP/metrics"
done <<'EOT'
apiserver_request_total\{code="201",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"\} [1-9]
apiserver_request_total\{code="201",component="apiserver",dry_run="All",group="",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"\} 1
apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="APPLY",version="v1"\} [1-9]
apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="WATCH",version="v1"\} 1
apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="",scope="",subresource="/readyz",verb="GET",version=""\}
apiserver_request_total\{code="405",.*verb="other"
apiserver_request_duration_seconds_bucket\{component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1",le="0.005"\}
apiserver_request_duration_seconds_bucket\{.*,le="60"\}
apiserver_request_sli_duration_seconds_bucket\{component="apiserver",group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1",le="0.05"\}
apiserver_response_sizes_bucket\{component="apiserver",group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1",le="1e\+09"\}
apiserver_current_inflight_requests\{request_kind="readOnly"\} [1-9]
apiserver_current_inflight_requests\{request_kind="mutating"\} [0-9]
apiserver_watch_events_total\{group="",kind="ConfigMap",version="v1"\} [1-9]
apiserver_storage_objects\{resource="configmaps"\} 3
apiserver_storage_size_bytes\{storage_cluster_id="store"\} [1-9]
apiserver_client_certificate_expiration_seconds_count [1-9]
apiserver_client_certificate_expiration_seconds_bucket\{le="31104000|3.1104e\+07"\}
authentication_attempts\{result="failure"\} 1
authenticated_user_requests\{username="admin"\} [1-9]
authenticated_user_requests\{username="other"\} [1-9]
authorization_attempts_total\{result="allowed"\} [1-9]
apiserver_admission_controller_admission_duration_seconds_count\{name="NamespaceLifecycle",operation="CREATE",rejected="false",type="admit"\} [1-9]
apiserver_admission_step_admission_duration_seconds_count\{operation="CREATE",rejected="false",type="admit"\} [1-9]
xebec_store_write_duration_seconds_count [1-9]
kubernetes_build_info\{.*major="1",minor="33".*\} 1
process_cpu_seconds_total [0-9]
process_open_fds [1-9]
process_start_time_seconds [1-9]
EOT
is "$(grep -c 'name="ServiceAccount"' "$TMP/metrics")" 0 'metrics: a plugin that is for other kinds is not asked'
kill $watcher; wait $watcher 2>/dev/null
ok 'the watch has left the gauge' busywait 5 eval 'metrics | grep -q "^apiserver_longrunning_requests{.*resource=\"configmaps\".*verb=\"WATCH\".*} 0$"'
before=$(metrics | grep -c ^apiserver_request_total)
for i in $(seq 30); do as admin GET "/nothing/$i" >/dev/null; as admin GET "/api/v1/things$i" >/dev/null; done
ok 'paths that a client makes up are no labels' [ $(($(metrics | grep -c ^apiserver_request_total) - before)) -le 2 ]

# --- limits ---
long=$(head -c 70000 /dev/zero | tr '\0' a)
head -c 3145729 /dev/zero | tr '\0' ' ' >"$TMP/big"
for version in --http1.1 --http2; do
	answer=$(as admin POST $cm $version -H 'Content-Type: application/json' --data-binary "@$TMP/big")
	is "$(code "$answer") $(body "$answer" | jq -r '.kind + " " + .reason + " " + (.code | tostring)')" '413 Status RequestEntityTooLarge 413' "$version: a body of 3 MiB and a byte"
	like "$(code "$(as admin GET "$cm?fieldManager=$long" $version 2>/dev/null)")" '^(431|000)$' "$version: a URI of 70 kB"
	is "$(code "$(as admin GET $cm $version)")" 200 "$version: served afterwards"
done
answer=$(as admin GET "$cm?timeout=abc")
is "$(code "$answer") $(body "$answer" | jq -r .message)" '400 invalid timeout specified in the request URL - time: invalid duration "abc"' '?timeout=abc'
is "$(code "$(as admin GET "$cm?timeout=30s")")" 200 '?timeout=30s'
start=$(date +%s%N)
is "$(code "$(as admin GET "$cm?watch=1&timeoutSeconds=1")")" 200 'a watch of one second ends well'
like "$((($(date +%s%N) - start) / 1000000))" '^(9|1[0-9]|2[0-4])[0-9]{2}$' 'and lasts so long'
stop "$APISERVER_PID"

# --- seats, queues and deadlines: a list that is not read holds its seats ---
"$BIN/kube-apiserver" --help | grep -q -- --shutdown-delay-duration || bail 'no flag --shutdown-delay-duration'
apiserver_start --v=3 --logging-format=json --max-requests-inflight=40 --request-timeout=4s
sed "s/client-certificate-data:.*/token: noisytoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/noisy.conf"
sed "s/client-certificate-data:.*/token: quiettoken/; /client-key-data:/d" "$TMP/admin.conf" >"$TMP/quiet.conf"
is "$(as noisy POST /apis/authentication.k8s.io/v1/selfsubjectreviews -H 'Content-Type: application/json' -d '{}' | head -n -1 |
	jq -r .status.userInfo.username)" noisy 'the noisy user'
in_ns node "$BIN/xebec-bench" api create --kubeconfig "$TMP/admin.conf" -n default --kind configmaps --count 4000 --size 4000 --clients 16 >/dev/null
cat >"$TMP/hold.py" <<'EOT'
# opens lists and reads nothing of them
import socket, ssl, sys, time
c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
held = []
for _ in range(int(sys.argv[1])):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); s.connect(('192.0.2.1', 6443))
    t = c.wrap_socket(s); t.sendall(b'GET /api/v1/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer noisytoken\r\n\r\n'); held.append(t)
print('held', flush=True)
time.sleep(60)
EOT
hold() { XB_EXEC=exec in_ns node python3 "$TMP/hold.py" "$1" >"$TMP/held" & holder=$!; busywait 10 grep -q held "$TMP/held"; }
hold 20
ok 'lists that are not read fill the seats of their user' busywait 5 eval 'metrics | grep -qE "^xebec_flow_seats\{request_kind=\"readOnly\"\} 3[0-9]$"'
answer=$(as noisy GET "$cm/applied?timeout=300ms")
is "$(code "$answer") $(body "$answer" | jq -r '.reason + ": " + .message')" '504 Timeout: Timeout: request did not complete within the allotted timeout' 'a wait longer than ?timeout='
answer=$(as noisy GET $cm/applied -i)
is "$(code "$answer")" 429 'a wait longer than a quarter of --request-timeout'
is "$(header "$answer" retry-after)/$(header "$answer" content-type)" '1/text/plain; charset=utf-8' '429: headers'
like "$answer" $'Too many requests, please try again later.\n' '429: words'
is "$(code "$(as quiet GET $cm/applied)")" 200 'another user is served meanwhile'
is "$(code "$(as admin GET $cm/applied)")" 200 'so is system:masters'
is "$(as noisy GET /livez)" $'ok\n200' 'so are probes of the same user'
is "$(code "$(as noisy POST $cm -H 'Content-Type: application/json' -d '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"written"}}')")" 201 'so are its writes: other seats'
is "$(code "$(as noisy GET "$cm?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=none")")" 200 'so are its watches'
ok 'who does not read is left when --request-timeout is over' busywait 10 eval 'metrics | grep -qE "^xebec_flow_seats\{request_kind=\"readOnly\"\} [0-9]$"'
kill $holder; wait $holder 2>/dev/null
metrics >"$TMP/metrics"
ok 'counted: refused' grep -qE '^apiserver_request_terminations_total\{code="429",component="apiserver",group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"\} 1$' "$TMP/metrics"
ok 'counted: too late' grep -qE '^apiserver_request_terminations_total\{code="504",.*\} [1-9]' "$TMP/metrics"
ok 'counted: waits' grep -qE '^apiserver_flowcontrol_request_wait_duration_seconds_count\{execute="false",flow_schema="user",priority_level="readOnly"\} [1-9]' "$TMP/metrics"
ok 'the text is Prometheus’' "$ROOT/selftests/tools/metrics_check.py" <"$TMP/metrics"
is "$(grep -m1 'applied.*"resp":429' "$TMP/apiserver.log" | jq -r '[.msg, .v, .verb, .URI, .user, .resp] | map(tostring) | join(" ")')" \
	"HTTP 3 GET $cm/applied noisy 429" 'the access log as JSON'
is "$(grep -m1 'applied.*"resp":429' "$TMP/apiserver.log" | jq -r '.fl_priorityandfairness | test("^([1-9][0-9.]*|9[0-9.]+m)s$")')" true 'which says how long it waited'
stop "$APISERVER_PID"

# --- a noisy user does not starve a quiet one ---
apiserver_start
quick() { # median milliseconds of seven runs of kubectl as the quiet user
	local i start
	for i in 1 2 3 4 5 6 7; do
		start=$(date +%s%N)
		k --kubeconfig "$TMP/quiet.conf" get configmap applied >/dev/null || return 1
		echo $((($(date +%s%N) - start) / 1000000))
	done | sort -n | sed -n 4p
}
idle=$(quick)
in_ns node "$BIN/xebec-bench" api list --kubeconfig "$TMP/noisy.conf" -n default --kind configmaps --count 1000000 --clients 400 --seconds 60 >"$TMP/noise" 2>&1 & noise=$!
ok 'one user hammers with hundreds of connections' busywait 10 eval 'metrics | grep -qE "^apiserver_current_inqueue_requests\{request_kind=\"readOnly\"\} [1-9][0-9]+$"'
busy=$(quick)
note "kubectl get: $idle ms alone, $busy ms beside 400 connections that list 16 MB each"
ok 'kubectl of another user works at normal speed' [ "${busy:-99999}" -lt $((3 * idle + 1500)) ]
note "resident: $(awk '/VmRSS/ { print $2 }' /proc/"$APISERVER_PID"/status) kB"
ok 'memory stays within the seats' [ "$(awk '/VmRSS/ { print $2 }' /proc/"$APISERVER_PID"/status)" -lt 250000 ]
pkill -P $noise; kill $noise 2>/dev/null; wait $noise 2>/dev/null
stop "$APISERVER_PID"

# --- the end ---
apiserver_start --shutdown-delay-duration=2s
in_ns node curl -sSN --http1.1 --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API$cm?watch=1" >/dev/null 2>"$TMP/watch1" & watch1=$!
in_ns node curl -sSN --http2 --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' "$API$cm?watch=1" >/dev/null 2>"$TMP/watch2" & watch2=$!
k get configmaps -w >/dev/null 2>"$TMP/watch3" & watch3=$!
ok 'three watches' busywait 15 eval '[ "$(metrics | sed -n "s/^apiserver_longrunning_requests{.*resource=\"configmaps\".*} //p")" = 3 ]'
writes() { # until it is refused: the names that were acknowledged
	local i=0
	while [ "$(code "$(as admin POST $cm -H 'Content-Type: application/json' -d "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"last-$i\"}}" 2>/dev/null)")" = 201 ]; do
		echo "last-$i"; i=$((i + 1))
	done
}
writes >"$TMP/acknowledged" & writer=$!
busywait 5 test -s "$TMP/acknowledged"
start=$(date +%s%N)
kill "$APISERVER_PID"
ok 'readyz says no at once' busywait 2 eval '[ "$(code "$(as admin GET /readyz)")" = 500 ]'
is "$(as admin GET /readyz)" $'[+]ping ok\n[+]store ok\n[+]poststarthook/bootstrap ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n\n500' 'and why'
is "$(as admin GET /readyz/shutdown)" $'internal server error: process is shutting down\n\n500' 'a failing check of its own'
is "$(as admin GET /livez)" $'ok\n200' 'it lives'
is "$(code "$(as admin GET $cm/applied)")" 200 'and serves for --shutdown-delay-duration'
wait "$APISERVER_PID"; status=$?
took=$((($(date +%s%N) - start) / 1000000))
is $status 0 'it ends with status 0'
ok "soon after the delay ($took ms)" [ $took -ge 2000 -a $took -lt 6000 ]
wait $watch1; is "$? $(cat "$TMP/watch1")" '0 ' 'a watch by HTTP/1.1 ends with its last chunk'
wait $watch2; is "$? $(cat "$TMP/watch2")" '0 ' 'a watch by HTTP/2 ends with END_STREAM'
wait $watch3; is "$? $(cat "$TMP/watch3")" '0 ' 'kubectl get -w sees the end of a stream, not a fault'
wait $writer
apiserver_start --shutdown-delay-duration=60s
k get configmaps -o name | sed 's,configmap/,,' | sort >"$TMP/there"
is "$(sort "$TMP/acknowledged" | comm -23 - "$TMP/there")" '' "every acknowledged write is there ($(wc -l <"$TMP/acknowledged"))"
start=$(date +%s%N)
kill "$APISERVER_PID"
busywait 5 eval '[ "$(code "$(as admin GET /readyz)")" = 500 ]'
kill "$APISERVER_PID"; wait "$APISERVER_PID"; status=$?
is $status 1 'a second signal ends it'
ok 'at once' [ $((($(date +%s%N) - start) / 1000000)) -lt 10000 ]
done_testing
