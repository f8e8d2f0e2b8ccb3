#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What nodes and pods answer through the API server: logs, exec, attach, port-forward, proxy, with kubectl 1.32 (WebSocket) and
# 1.20 (SPDY), against a stand-in kubelet.
. "$(dirname "$0")/../lib.sh"

node_up
# (with ASan, what was freed is not kept for long, so that growth shows)
server() { ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=1 apiserver_start --authorization-mode=RBAC --kubelet-preferred-address-types=InternalIP --kubelet-certificate-authority="$TMP/pki/ca.crt" "$@"; }
server
# cert NAME SUBJECT-ALT-NAME CA: NAME.crt and NAME.key
cert() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/$1.key" -subj "/CN=$1" -out "$TMP/$1.csr" 2>/dev/null
	openssl x509 -req -in "$TMP/$1.csr" -CA "$3.crt" -CAkey "$3.key" -CAcreateserial -days 1 -extfile <(echo "subjectAltName=$2") -out "$TMP/$1.crt" 2>/dev/null
}
cert kubelet IP:192.0.2.1 "$TMP/pki/ca"
# kubelet_start FLAGS...: appends what it is asked to kubelet.log; sets KUBELET_PID
stand_in() { XB_EXEC=exec in_ns node python3 "$ROOT/selftests/tools/kubelet_stand_in.py" --cert "$TMP/kubelet.crt" --key "$TMP/kubelet.key" "$@"; }
kubelet_start() {
	: >"$TMP/kubelet.log"
	stand_in --client-ca "$TMP/pki/ca.crt" "$@" >>"$TMP/kubelet.log" 2>&1 &
	KUBELET_PID=$!
	busywait 30 grep -q ready "$TMP/kubelet.log" || bail "the stand-in kubelet does not start: $(cat "$TMP/kubelet.log")"
}
asked() { grep -q -- "$1" "$TMP/kubelet.log"; }
kubelet_start

# node NAME ADDRESS PORT; pod NAME NODE CONTAINER...
node() {
	k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"'$1'"}}'
	k patch node "$1" --subresource=status -p '{"status":{"addresses":['"$2"'],"daemonEndpoints":{"kubeletEndpoint":{"Port":'$3'}}}}' >/dev/null
}
pod() {
	local name=$1 node=$2 c all=; shift 2
	for c in "$@"; do all="$all${all:+,}"'{"name":"'$c'","image":"x","ports":[{"containerPort":10250}]}'; done
	k create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"'$name'"},"spec":{"nodeName":"'$node'","containers":['$all']}}'
	k patch pod "$name" --subresource=status -p '{"status":{"phase":"Running","podIP":"192.0.2.1","podIPs":[{"ip":"192.0.2.1"}]}}' >/dev/null
}
node here '{"type":"InternalIP","address":"192.0.2.1"}' 10250
node silent '{"type":"Hostname","address":"silent"}' 10250
node closed '{"type":"InternalIP","address":"192.0.2.1"}' 10299
node stranger '{"type":"InternalIP","address":"127.0.0.1"}' 10250
pod web here web
pod two here a b
pod odd here vanished plain moved waiting hung
pod unborn '' web
pod lost silent web
pod cut closed web
pod strange stranger web

# --- logs ---
is "$(k logs web --tail=5 --since=10s --timestamps --limit-bytes=100)" "/containerLogs/default/web/web?timestamps=true&limitBytes=100&sinceSeconds=10&tailLines=5" 'logs, with what was asked'
is "$(k120 logs two -c b -p)" "/containerLogs/default/two/b?previous=true" 'logs of kubectl 1.20: a container, the one before'
like "$(k get --raw "$CORE/pods/two/log" 2>&1)" 'BadRequest.*a container name must be specified for pod two, choose one of: \[a b\]' 'which container'
like "$(k logs two -c c 2>&1)" 'container c is not valid for pod two' 'a container that is not there'
like "$(k logs odd -c waiting 2>&1)" 'Error from server \(BadRequest\): container "waiting" in pod "odd" is waiting to start: ContainerCreating' 'what the kubelet refuses'
like "$(k logs cut 2>&1)" 'Error from server: Get "https://192.0.2.1:10299/containerLogs/default/cut/web": dial tcp 192.0.2.1:10299: connect: connection refused' 'a kubelet that is not there'
like "$(k logs lost 2>&1)" 'Error from server: no preferred addresses found; known addresses: \[\{Hostname silent\}\]' 'a node without an address'
like "$(k logs strange 2>&1)" 'tls: failed to verify certificate: x509: ' 'a certificate for somebody else'
is "$(k logs unborn; echo $?)" 0 'a pod without a node has no logs yet'
like "$(k get --raw "$CORE/pods/web/log?tailLines=x" 2>&1)" 'strconv.ParseInt' 'not a number'
XB_EXEC=exec in_ns node "$KUBECTL" logs -f web >"$TMP/follow" & follow=$!
busywait 20 grep -q 'line 3' "$TMP/follow"; is $? 0 'logs -f: lines come as they are written'
kill $follow; wait $follow 2>/dev/null
busywait 5 asked 'gone log'; is $? 0 'the client leaves: the kubelet sees it'

# --- exec ---
for v in 132 120; do
	kubectl() { if [ $v = 120 ]; then k120 "$@"; else k "$@"; fi; }
	is "$(echo hello | kubectl exec -i web -- cat)" hello "$v: standard input and output"
	is "$(kubectl exec web -- both 2>&1 >/dev/null)" err "$v: standard error apart"
	kubectl exec web -- exit 42 >/dev/null 2>&1; is $? 42 "$v: the exit code"
	is "$(kubectl exec two -c b -- ask | jq -r .path)" "/exec/default/two/b?command=ask&error=1&output=1" "$v: container and command"
	is "$(head -c 5000000 /dev/zero | kubectl exec -i web -- cat | sha256sum)" "$(head -c 5000000 /dev/zero | sha256sum)" "$v: 5 MB there and back"
	is "$(echo attached | kubectl attach -i web 2>/dev/null)" attached "$v: attach"
	like "$(kubectl exec odd -c vanished -- cat 2>&1)" 'unable to upgrade connection: container not found \("vanished"\)' "$v: an error of the kubelet"
	like "$(kubectl exec odd -c plain -- cat 2>&1)" 'invalid upgrade response: status code 200|unable to upgrade connection' "$v: no upgrade"
	like "$(kubectl exec odd -c moved -- cat 2>&1)" 'status code 302|unable to upgrade connection' "$v: a redirect is not followed"
	like "$(kubectl exec cut -- cat 2>&1)" 'dial tcp 192.0.2.1:10299: connect: connection refused' "$v: nobody there"
	like "$(kubectl exec unborn -- cat 2>&1)" 'does not have a host assigned' "$v: no node yet"
	# kubectl takes the end of a connection of SPDY for success
	like "$(kubectl exec web -- die 2>&1; echo "exit $?")" "before.*exit $([ $v = 120 ] && echo 0 || echo 1)" "$v: the kubelet dies: the client is told"
	: >"$TMP/kubelet.log"
	mkfifo "$TMP/stdin-$v"
	XB_EXEC=exec in_ns node "$([ $v = 120 ] && echo "$KUBECTL_120" || echo "$KUBECTL")" exec -i web -- cat <"$TMP/stdin-$v" >"$TMP/out-$v" & client=$!
	exec 9>"$TMP/stdin-$v"; echo there >&9
	busywait 5 grep -q there "$TMP/out-$v"
	kill -9 $client; wait $client 2>/dev/null; exec 9>&-
	busywait 5 asked 'gone exec'; is $? 0 "$v: the client leaves: the kubelet sees it"
done
is "$(script -qec "stty rows 33 cols 77; nsenter --net=/run/netns/xb-$T-node $KUBECTL exec -it web -- size" /dev/null </dev/null | tr -d '\r' | jq -c '[.Width,.Height]')" '[77,33]' 'the size of a terminal'

# --- WebSocket as other clients speak it ---
# websocket PROTOCOL FIRST-BYTES...: exec cat, each a frame in Python's bytes; what comes until the end, but for the handshake
websocket() { in_ns node python3 -c '
import ssl, socket, struct, sys
c = ssl.create_default_context(); c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
s = c.wrap_socket(socket.create_connection(("192.0.2.1", 6443), timeout=5)); r = s.makefile("rb")
s.sendall(b"GET /api/v1/namespaces/default/pods/web/exec?command=cat&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admintoken\r\n"
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: unknown, " + sys.argv[1].encode() + b"\r\n\r\n")
while (line := r.readline()) != b"\r\n":
    if line.startswith(b"Sec-WebSocket-Protocol"): print(line.decode().strip())
for frame in sys.argv[2:]: s.sendall(eval(frame))
while len(head := r.read(2)) == 2:
    n = head[1] if head[1] < 126 else struct.unpack(">H", r.read(2))[0]
    print("%x %r" % (head[0], r.read(n)))
    if head[0] == 0x81 and n > 1 or head[0] == 0x82 and n > 1: s.sendall(bytes([0x88, 0x80, 0, 0, 0, 0]))
' "$@" | tr '\n' ' '; }
is "$(websocket base64.channel.k8s.io 'b"\x01\x83\0\0\0\0" + b"0aG"' 'b"\x89\x82\0\0\0\0hi"' 'b"\x80\x82\0\0\0\0k="')" \
	"Sec-WebSocket-Protocol: base64.channel.k8s.io 81 b'1' 8a b'hi' 81 b'1aGk=' 88 b'\x03\xe8' " 'base64, a message in pieces, a ping'
is "$(websocket v4.channel.k8s.io 'b"\x82\x02\0a"')" "Sec-WebSocket-Protocol: v4.channel.k8s.io 82 b'\x01' 88 b'\x03\xea' " 'a frame without a mask'
like "$(websocket nonsense 2>/dev/null)" 'malformed HTTP response: it changes t' 'another protocol is for the kubelet to know, and its answer is checked'

# --- killed in the middle; from here on connections have threads of their own ---
XB_EXEC=exec in_ns node "$KUBECTL" logs -f web >"$TMP/follow" 2>&1 & follow=$!
busywait 20 grep -q 'line 3' "$TMP/follow"
kill -9 "$APISERVER_PID"; wait "$APISERVER_PID" 2>/dev/null
wait $follow; is $? 1 'the API server dies: the client is told'
busywait 5 asked 'gone log'; is $? 0 'and the kubelet'
server --io-threads=2
is "$(echo again | k exec -i web -- cat)" again 'exec, with the next one'

# --- port-forward: 100 MB each way, and what that costs the API server ---
in_ns node python3 -c '
import socket, threading
def serve(c):
    n = 0
    while d := c.recv(65536): n += len(d)
    c.sendall(b"%d\n" % n + bytes(n)); c.close()
s = socket.create_server(("127.0.0.1", 7000))
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()' &
for v in 132 120; do
	[ $v = 120 ] && kubectl=$KUBECTL_120 || kubectl=$KUBECTL
	rss() { awk '/^VmRSS/ { print $2 }' "/proc/$APISERVER_PID/status"; }
	XB_EXEC=exec in_ns node "$kubectl" port-forward web 71${v#1}:7000 >"$TMP/forward-$v" 2>&1 & forward=$!
	busywait 5 grep -q Forwarding "$TMP/forward-$v"
	both_ways() { in_ns node python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); n = int(sys.argv[2]); block = bytes(1 << 20)
for _ in range(n): s.sendall(block)
s.shutdown(socket.SHUT_WR); got = 0
while d := s.recv(1 << 20): got += len(d)
print(got)' 71${v#1} "$1"; }
	is "$(both_ways 1)" $((1048576 + 8)) "$v: port-forward: a connection, half-closed"
	before=$(rss)
	is "$(both_ways 100)" $((104857600 + 10)) "$v: 100 MiB each way"
	note "$v: resident: $before kB before, $(rss) after"
	ok "$v: the API server does not grow" [ "$(rss)" -lt $((before + 3000)) ]
	like "$(in_ns node timeout 3 bash -c "exec 3<>/dev/tcp/127.0.0.1/71${v#1}; kill -9 $KUBELET_PID; timeout 2 cat <&3; echo ended")" ended "$v: the kubelet is killed under it"
	kill $forward 2>/dev/null; wait $forward 2>/dev/null
	kubelet_start
done

XB_EXEC=exec in_ns node "$KUBECTL" logs -f web >"$TMP/follow" 2>&1 & follow=$!
busywait 20 grep -q 'line 3' "$TMP/follow"
kill -9 "$KUBELET_PID"; wait "$KUBELET_PID" 2>/dev/null
wait $follow; is $? 1 'logs -f: the kubelet dies: the client is told'
kubelet_start

# --- proxy ---
stand_in --port 8443 >"$TMP/web.log" 2>&1 &
busywait 5 grep -q ready "$TMP/web.log"
proxied() { api GET "$1" | head -n -1 | jq -r "$2"; }
is "$(proxied /api/v1/nodes/here/proxy/pods?x=1 .path)" '/pods?x=1' "a node's kubelet"
is "$(proxied "$CORE/pods/https:web:8443/proxy/a//b%20c/" .path)" '/a//b%20c/' "a pod's port by TLS; the path as it came"
is "$(api POST "$CORE/pods/https:web:8443/proxy/x" -d body | head -n -1 | jq -r '.method + .body')" POSTbody 'a body'
is "$(api DELETE "$CORE/pods/https:web:8443/proxy/x" | head -n -1 | jq -r .method)" DELETE 'another method'
is "$(proxied "$CORE/pods/https:web:8443/proxy/x" '.headers | [."X-Forwarded-For", ."X-Forwarded-Uri", .Authorization] | join(" ")')" \
	"192.0.2.1 $CORE/pods/https:web:8443/proxy/x " 'who asks is told, credentials are not'
headers=$(api GET "$CORE/pods/https:web:8443/proxy/x" -i)
like "$headers" 'x-from: kubelet' 'fields of the answer'; [[ $headers =~ x-private ]]; is $? 1 'but those of one hop'
like "$(api GET "$CORE/pods/https:web:8443/proxy/away" -i)" "302.*location: $CORE/pods/https:web:8443/proxy/other\?x=1" 'a redirect is handed on, below the same path'
like "$(api GET "$CORE/pods/https:web:8443/proxy?a=b" -i)" "301.*location: $CORE/pods/https:web:8443/proxy/\?a=b" 'the root has a slash'
like "$(proxied "$CORE/pods/web:9/proxy/" .message)" 'error trying to reach service: dial tcp 192.0.2.1:9: connect: connection refused' 'nobody there'
k patch pod unborn --type=merge --subresource=status -p '{"status":{"podIP":"127.0.0.1","podIPs":[{"ip":"127.0.0.1"}]}}' >/dev/null
like "$(proxied "$CORE/pods/unborn:6443/proxy/" .message)" 'address not allowed' "not the API server's own"
k create -f - >/dev/null <<'END'
{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"name":"web","port":443}]}},
{"apiVersion":"v1","kind":"Service","metadata":{"name":"empty"},"spec":{"ports":[{"name":"web","port":443}]}},
{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"empty"}},
{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"s"},"subsets":[{"notReadyAddresses":[{"ip":"192.0.2.9"}],"ports":[{"name":"web","port":9}]},
{"addresses":[{"ip":"192.0.2.1"}],"ports":[{"name":"web","port":8443}]}]}]}
END
is "$(proxied "$CORE/services/https:s:web/proxy/q" .path)" /q 'a service: a ready endpoint of a port'
is "$(proxied "$CORE/services/https:s:443/proxy/q" .path)" /q 'a port by its number'
like "$(proxied "$CORE/services/s:80/proxy/q" .message)" 'no service port 80 found for service "s"' 'no such port'
like "$(proxied "$CORE/services/empty:web/proxy/q" .message)" 'no endpoints available for service "empty"' 'no endpoints'

# --- who may ---
k create serviceaccount reader >/dev/null
may() { k create role "$1" --verb="$2" --resource="$3" >/dev/null; k create rolebinding "$1" --role="$1" --serviceaccount=default:reader >/dev/null; }
may see get pods
as() { k --as=system:serviceaccount:default:reader "$@" 2>&1; }
like "$(as exec web -- both)" 'Forbidden.*cannot (create|get) resource "pods/exec"' 'exec is not allowed'
like "$(as logs web)" 'cannot get resource "pods/log"' 'nor logs'
like "$(as get --raw /api/v1/nodes/here/proxy/pods)" 'cannot get resource "nodes/proxy"' 'nor a node'
may run create,get pods/exec
is "$(as exec web -- exit 0; echo $?)" 0 'exec is allowed'
is "$(k get --raw /api/v1 | jq -c '[.resources[] | select(.name | test("/(exec|log|proxy|portforward|attach)$")) | "\(.name) \(.kind) \(.verbs | join(","))"]')" \
	'["nodes/proxy NodeProxyOptions create,delete,get,patch,update","pods/attach PodAttachOptions create,get","pods/exec PodExecOptions create,get","pods/log Pod get","pods/portforward PodPortForwardOptions create,get","pods/proxy PodProxyOptions create,delete,get,patch,update","services/proxy ServiceProxyOptions create,delete,get,patch,update"]' 'discovery'
like "$(raw /metrics | grep exec)" 'apiserver_request_total\{code="101",[^}]*subresource="exec",verb="CONNECT"' 'counted as upstream counts'

# --- the end ---
XB_EXEC=exec in_ns node "$KUBECTL" exec -i web -- cat </dev/zero >"$TMP/flood" 2>&1 & flood=$!
XB_EXEC=exec in_ns node "$KUBECTL" logs -f web >/dev/null 2>&1 & follow=$!
busywait 5 [ -s "$TMP/flood" ]
kill "$APISERVER_PID"
busywait 5 eval '! kill -0 "$APISERVER_PID"'; is $? 0 'SIGTERM ends it, and what streams'
wait $flood; [ $? != 0 ]; is $? 0 'clients are told'
wait $follow
done_testing
