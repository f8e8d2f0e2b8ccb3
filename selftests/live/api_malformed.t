#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What no client should send: a clear Status each time, and the server goes on serving. Connections have threads of their own.
# Attacks are in api_cve.t.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start --io-threads=2
cm=/api/v1/namespaces/default/configmaps
post() { api POST $cm -H "Content-Type: ${TYPE:-application/json}" --data-binary "$@"; }
code() { tail -1 <<<"$1"; }
message() { head -n -1 <<<"$1" | jq -r '.kind + ": " + .message'; }
refused() { # description, answer, code, message pattern
	is "$(code "$2")" "$3" "$1: code"
	like "$(message "$2")" "^Status: .*$4" "$1: message"
}

refused 'half an object' "$(post '{"apiVersion":"v1",')" 400 'unexpected end of JSON input'
refused 'not JSON' "$(post 'hello')" 400 'invalid character|unmarshal'
refused 'an array' "$(post '[]')" 400 'cannot unmarshal array'
refused 'wrong type' "$(post '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":7}')" 400 'cannot unmarshal number'
refused 'wrong type deep' "$(post '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":{}}}')" 400 'cannot unmarshal object'
printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"k":"\xff\xfe"}}' >"$TMP/utf8"
refused 'invalid UTF-8' "$(post @"$TMP/utf8")" 400 'UTF-8|invalid character'
refused 'broken YAML' "$(TYPE=application/yaml post 'a: [')" 400 'yaml: line'
head -c 4194304 /dev/zero | tr '\0' ' ' >"$TMP/big"
refused 'a body of 4 MB' "$(post @"$TMP/big")" 413 'too large|limit'
refused 'no media type of ours' "$(TYPE=text/plain post x)" 415 'accepted media types'
refused 'a path that is none' "$(api GET /api/v7/things)" 404 'could not find the requested resource'
refused 'a bad name' "$(post '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A_b"}}')" 422 'metadata.name: Invalid value'
refused 'a bad selector' "$(api GET "$cm?labelSelector=a%20b")" 400 'unable to parse requirement'
refused 'a bad escape in the path' "$(api GET "/api/v1/namespaces/%zz/configmaps")" 400 'escape|path'
is "$(in_ns node curl -sk -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer wrong' $API$cm)" 401 'a wrong token'
is "$(in_ns node curl -sk -o /dev/null -w '%{http_code}' $API$cm)" 401 'no token'

cat >"$TMP/raw.py" <<'EOF'
import socket, ssl, sys, time
def tls():
    c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
    return c.wrap_socket(socket.create_connection(('192.0.2.1', 6443), timeout=15))
def answer(raw):
    s = tls(); s.sendall(raw)
    try: return s.recv(65536).split(b'\r\n')[0].decode()
    except (ConnectionError, ssl.SSLError): return 'closed'
auth = b'Host: x\r\nAuthorization: Bearer admintoken\r\n'
case = sys.argv[1]
if case == 'garbage': print(answer(b'\x16\x03\x01 what\r\n\r\n'))
if case == 'header': print(answer(b'GET /api HTTP/1.1\r\n' + auth + b'X: ' + b'a' * 200000 + b'\r\n\r\n'))
if case == 'halfclosed':           # the request is whole, the client shuts down its side and still wants the answer
    s = socket.create_connection(('192.0.2.1', 6443), timeout=15)
    c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
    i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); t = c.wrap_bio(i, o)
    while True:
        try: t.do_handshake(); break
        except ssl.SSLWantReadError: s.sendall(o.read()); i.write(s.recv(65536))
    s.sendall(o.read()); t.write(b'GET /api HTTP/1.1\r\n' + auth + b'\r\n'); s.sendall(o.read()); s.shutdown(socket.SHUT_WR)
    while True:
        try: print(t.read(65536).split(b'\r\n')[0].decode()); break
        except ssl.SSLWantReadError:
            d = s.recv(65536)
            if not d: print('closed'); break
            i.write(d)
if case == 'loris':                # a byte a second: the server gives up within its limit and serves others meanwhile
    slow = [tls() for _ in range(20)]; start = time.time(); alive = set(slow)
    for x in slow: x.settimeout(0.02)
    while alive and time.time() - start < 40:
        for x in list(alive):
            try:
                x.send(b'G')
                if not x.recv(4096): alive.discard(x)
                else: alive.discard(x)
            except TimeoutError: pass
            except (OSError, ssl.SSLError): alive.discard(x)
        time.sleep(0.5)
    print('all gone' if not alive else f'{len(alive)} still held')
EOF
raw() { in_ns node python3 "$TMP/raw.py" "$1"; }
like "$(raw garbage)" '^HTTP/1.1 400' 'a request line of garbage'
like "$(raw header)" '^HTTP/1.1 431' 'a header of 200 kB'
like "$(raw halfclosed)" '^HTTP/1.1 200' 'a half-closed client gets its answer'
raw loris >"$TMP/loris" & loris=$!
is "$(code "$(api GET /api/v1/namespaces)")" 200 'slow clients do not keep others waiting'
wait $loris
is "$(cat "$TMP/loris")" 'all gone' 'slow clients are given up'

is "$(code "$(post '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"fine"}}')")" 201 'and a good one is served'
kill "$APISERVER_PID"; wait "$APISERVER_PID"
is "$?" 0 'SIGTERM ends it, with status 0'
done_testing
