#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A client like a kubelet: one connection of HTTP/2 with a watch on it, whose Lease is renewed.

usage: heartbeats.py URL TOKEN CA ROUNDS

Prints seconds, the least and the most of the rounds: of each `heartbeat`; of the `first` other request after some; of the `next` behind
that; of an `event` of the watch, from the answer to the write by another connection; of the request that comes `after` the event; and of
`hurried` heartbeats, each sent when the one before is answered, once the first of them has shown that; and of 80 of them `together`."""
import json, os, socket, ssl, struct, sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from api_client import Api, Client

DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
MAPS = '/api/v1/namespaces/default/configmaps'


def literal(text):
    """A string of HPACK, shorter than 127 + 128 bytes, as it is."""
    n = len(text)
    return (bytes([n]) if n < 127 else bytes([127, n - 127])) + text.encode()


class Connection:
    """What it asks is in no table of HPACK, and of answers only the data is read."""
    def __init__(self, api):
        api.tls.set_alpn_protocols(['h2'])
        self.api, self.stream, self.bodies, self.ended = api, 1, {}, set()
        tcp = socket.create_connection((api.host, api.port), 10)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = api.tls.wrap_socket(tcp, server_hostname=api.host)
        self.socket.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
        self.send(SETTINGS, 0, 0)

    def send(self, kind, flags, stream, payload=b''):
        self.socket.sendall(struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload)

    def read(self, n):
        got = b''
        while len(got) < n:
            more = self.socket.recv(n - len(got))
            if not more: raise EOFError('the server has closed the connection')
            got += more
        return got

    def take_frame(self):
        head = self.read(9)
        kind, flags, stream = head[3], head[4], struct.unpack('>I', head[5:])[0]
        payload = self.read(int.from_bytes(head[:3], 'big'))
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.send(kind, ACK, 0, payload if kind == PING else b'')
        if kind == DATA:
            self.bodies[stream] = self.bodies.get(stream, b'') + payload
            if payload: self.send(WINDOW_UPDATE, 0, 0, struct.pack('>I', len(payload)))
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended.add(stream)

    def ask(self, method, path, body=None):
        stream, self.stream = self.stream, self.stream + 2
        fields = {':method': method, ':scheme': 'https', ':authority': self.api.host, ':path': path,
                  'authorization': 'Bearer ' + self.api.token, 'content-type': 'application/json'}
        block = b''.join(b'\0' + literal(k) + literal(v) for k, v in fields.items())
        self.send(HEADERS, END_HEADERS | (0 if body else END_STREAM), stream, block)
        if body: self.send(DATA, END_STREAM, stream, json.dumps(body).encode())
        return stream

    def call(self, *request):
        """The answer, and how long it took."""
        began, stream = time.time(), self.ask(*request)
        while stream not in self.ended: self.take_frame()
        return json.loads(self.bodies[stream]), time.time() - began


def now(): return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime()) + '.%06dZ' % (time.time() % 1 * 1e6)


url, token, ca, rounds = sys.argv[1:]
seconds = {what: [] for what in ('heartbeat', 'first', 'next', 'event', 'after', 'hurried', 'together')}
c, other = Connection(Api(url, token, ca)), Client(Api(url, token, ca))
lease = {'apiVersion': 'coordination.k8s.io/v1', 'kind': 'Lease', 'metadata': {'name': 'kubelet', 'namespace': 'default'},
         'spec': {'holderIdentity': 'kubelet', 'leaseDurationSeconds': 40, 'renewTime': now()}}
changed = {'metadata': {'name': 'seen'}, 'data': {}}
lease, _ = c.call('POST', LEASES, lease)
other.call('POST', MAPS, changed)
version = c.call('GET', MAPS)[0]['metadata']['resourceVersion']
watch = c.ask('GET', f'{MAPS}?watch=true&resourceVersion={version}')


def beat(what='heartbeat'):
    global lease
    lease['spec']['renewTime'] = now()
    lease, took = c.call('PUT', LEASES + '/kubelet', lease)
    assert lease['kind'] == 'Lease', lease
    seconds[what].append(took)


def get(what): seconds[what].append(c.call('GET', MAPS + '/seen')[1])


def beat_for_a_while():
    """Longer than the 3 s after which a connection that brings nothing else is patient."""
    until = time.time() + 3.2
    while time.time() < until:
        beat()
        time.sleep(0.5)
    beat()
    time.sleep(0.5)


def beat_together():
    """More than what TLS reads at a time."""
    began, asked = time.time(), [c.ask('PUT', f'{LEASES}/{l["metadata"]["name"]}', l) for l in leases]
    while not c.ended.issuperset(asked): c.take_frame()
    seconds['together'].append(time.time() - began)
    for i, stream in enumerate(asked): leases[i] = json.loads(c.bodies[stream])
    assert all(l['kind'] == 'Lease' for l in leases), leases


leases = [c.call('POST', LEASES, {'metadata': {'name': f'other-{i}', 'annotations': {'of': 'x' * 100}}})[0] for i in range(80)]
for i in range(int(rounds)):
    beat_for_a_while()
    for l in leases: l['spec'] = {'renewTime': now()}
    beat_together()
    get('first')
    get('next')
    beat_for_a_while()
    had = len(c.bodies.get(watch, b''))
    other.call('PUT', MAPS + '/seen', dict(changed, data={'round': str(i)}))
    began = time.time()
    while len(c.bodies.get(watch, b'')) == had: c.take_frame()
    seconds['event'].append(time.time() - began)
    get('after')
    beat_for_a_while()
    for _ in range(2): beat()
    for _ in range(30): beat('hurried')
for what, times in seconds.items(): print(f'{what} {min(times):.3f} {max(times):.3f}')
