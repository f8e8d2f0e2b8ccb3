#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An API server for one kube-proxy, with one Service of TCP and UDP, whose EndpointSlice changes as fast as it is told.

usage: watch_storm.py ADDRESS:PORT CLUSTER_IP PORT:TARGET STAYS FLAPS LAST

STAYS, FLAPS and LAST are addresses of endpoints. A line on standard input is "RATE COUNT": so many events, so many a second, of
which each second one takes FLAPS out and the next puts it back; or "last": from then on LAST is the only endpoint. Each is
answered by a line on standard output when it is done: how many events the watch was sent in how many seconds."""
import http.server
import json
import sys
import threading
import time

at, cluster_ip, ports, stays, flaps, last = sys.argv[1:]
port, target = map(int, ports.split(':'))
version = 1
watching = threading.Event()
stream = None
NAMED = [{'name': p.lower(), 'protocol': p} for p in ('TCP', 'UDP')]
SERVICE = {'metadata': {'name': 'web', 'namespace': 'default', 'uid': 'u1', 'resourceVersion': '1'},
           'spec': {'type': 'ClusterIP', 'clusterIP': cluster_ip, 'clusterIPs': [cluster_ip], 'ipFamilies': ['IPv4'],
                    'ports': [dict(p, port=port) for p in NAMED]}}


def slice_of(ips):
    return {'metadata': {'name': 'web-1', 'namespace': 'default', 'uid': 'u2', 'resourceVersion': str(version),
                         'labels': {'kubernetes.io/service-name': 'web'}},
            'addressType': 'IPv4', 'ports': [dict(p, port=target) for p in NAMED],
            'endpoints': [{'addresses': [ip], 'conditions': {'ready': True}} for ip in ips]}


def send(ips):
    global version
    version += 1
    event = json.dumps({'type': 'MODIFIED', 'object': slice_of(ips)}).encode() + b'\n'
    stream.sendall(b'%x\r\n%s\r\n' % (len(event), event))


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.answer(201, {})

    def do_GET(self):
        global stream
        kind = self.path.split('?')[0].rsplit('/', 1)[1]
        if kind == 'servicecidrs':
            self.answer(404, {})
        elif 'watch=' in self.path:
            self.send_response(200)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            if kind == 'endpointslices':
                stream = self.connection
                watching.set()
            threading.Event().wait()
        else:
            items = {'services': [SERVICE], 'endpointslices': [slice_of([stays, flaps])]}.get(kind, [])
            self.answer(200, {'metadata': {'resourceVersion': str(version)}, 'items': items})


def storm(rate, count):
    began = time.monotonic()
    for i in range(count):
        send([stays] if i % 2 == 0 else [stays, flaps])
        wait = began + (i + 1) / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
    print(count, 'events in', round(time.monotonic() - began, 2), 's', flush=True)


host, number = at.rsplit(':', 1)
server = http.server.ThreadingHTTPServer((host, int(number)), Server)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
for line in sys.stdin:
    watching.wait()
    words = line.split()
    if words == ['last']:
        send([last])
        print('last', flush=True)
    else:
        storm(int(words[0]), int(words[1]))
