#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""kill -9 of the API server at random under writes, many times; then the books are checked.

usage: api_crash.py --kills N --url https://HOST:PORT --token T --ca FILE -- SERVER COMMAND...

Writers create, update and delete config maps and note what was acknowledged. A watcher follows the collection from the
beginning and, after each crash, resumes from the last version it saw. In the end: every acknowledged write was seen by
the watcher once, with its value; versions only rose; and a list shows exactly what the last events left."""
import argparse, http.client, json, random, signal, ssl, subprocess, sys, threading, time, urllib.parse

ap = argparse.ArgumentParser()
ap.add_argument('--kills', type=int, default=100)
ap.add_argument('--url', required=True); ap.add_argument('--token', required=True); ap.add_argument('--ca', required=True)
ap.add_argument('--seed', type=int, default=1)
ap.add_argument('--quiet', action='store_true')
ap.add_argument('command', nargs='+')
a = ap.parse_args()
u = urllib.parse.urlparse(a.url)
path = '/api/v1/namespaces/default/configmaps'
log = open("/dev/null", "w") if a.quiet else sys.stderr
stop = threading.Event()
faults = []


def connect(timeout=10):
    return http.client.HTTPSConnection(u.hostname, u.port, timeout=timeout, context=ssl.create_default_context(cafile=a.ca))


def call(c, method, where, body=None):
    h = {'Authorization': 'Bearer ' + a.token, 'Content-Type': 'application/json'}
    c.request(method, where, json.dumps(body) if body is not None else None, h)
    r = c.getresponse()
    return r.status, json.loads(r.read() or 'null')


def start():
    p = subprocess.Popen(a.command, stdout=log, stderr=log)
    until = time.time() + 20
    while time.time() < until:
        try:
            c = connect(2)
            if call(c, 'GET', '/api/v1/namespaces/default')[0] == 200: return p
        except (OSError, http.client.HTTPException, ValueError): pass
        if p.poll() is not None: sys.exit(f'the server ended with status {p.returncode} instead of starting')
        time.sleep(0.01)
    sys.exit('the server does not answer after 20 s')


class Writer(threading.Thread):
    """Owns the names <id>-*: nobody else writes them, so what they may hold is known exactly."""
    def __init__(self, id):
        super().__init__()
        self.id, self.rng, self.n = id, random.Random(a.seed * 1000 + id), 0
        self.acked = []                   # (version, name, value or None for a deletion)
        self.alive = {}                   # name -> acknowledged value
        self.unknown = {}                 # name -> set of values (None: gone) an unanswered write may have left

    def run(self):
        c = None
        while not stop.is_set():
            self.n += 1
            name = f'w{self.id}-{self.rng.randrange(30)}'
            value = f'{self.id}.{self.n}'
            body = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': name}, 'data': {'v': value, 'pad': 'x' * 300}}
            present = name in self.alive
            method = 'POST' if not present else self.rng.choice(['PUT', 'PUT', 'DELETE'])
            try:
                c = c or connect()
                code, answer = call(c, method, path if method == 'POST' else f'{path}/{name}', None if method == 'DELETE' else body)
            except (OSError, http.client.HTTPException, ValueError):
                self.unknown.setdefault(name, set()).add(None if method == 'DELETE' else value)
                c = None
                if not stop.is_set(): time.sleep(0.01)
                continue
            maybe = self.unknown.get(name)
            if method == 'DELETE' and code in (200, 404):
                if code == 404 and None not in (maybe or ()): faults.append(f'{name}: acknowledged, and not there to delete')
                self.alive.pop(name, None)
                if code == 200: self.acked.append((None, name, None)); self.unknown.pop(name, None)
            elif code in (200, 201):
                if method == 'POST' and present: faults.append(f'{name}: created twice')
                self.acked.append((int(answer['metadata']['resourceVersion']), name, value))
                self.alive[name] = value
                self.unknown.pop(name, None)
            elif code == 409 and method == 'POST':
                if not maybe: faults.append(f'{name}: exists, and nobody made it')
                self.alive[name] = '?'
            elif code == 404 and method == 'PUT':
                if None not in (maybe or ()): faults.append(f'{name}: acknowledged value {self.alive[name]} is lost')
                self.alive.pop(name, None)
            elif code != 503: faults.append(f'{method} {name}: {code} {answer}')


class Watcher(threading.Thread):
    def __init__(self, version):
        super().__init__()
        self.version, self.events, self.resumed = version, [], 0

    def run(self):
        while not stop.is_set() or not self.caught_up():
            try:
                c = connect(3)
                c.request('GET', f'{path}?watch=true&resourceVersion={self.version}&timeoutSeconds=2', None, {'Authorization': 'Bearer ' + a.token})
                r = c.getresponse()
                if r.status != 200: faults.append(f'watch from {self.version}: {r.status} {r.read()[:200]}'); return
                self.resumed += 1
                while line := r.readline():
                    e = json.loads(line)
                    if e['type'] == 'ERROR': faults.append(f'watch from {self.version}: {e["object"]}'); return
                    v = int(e['object']['metadata']['resourceVersion'])
                    if v <= self.version: faults.append(f'event {v} after {self.version}')
                    self.version = v
                    self.events.append((v, e['type'], e['object']['metadata']['name'], e['object'].get('data', {}).get('v')))
            except (OSError, http.client.HTTPException, ValueError): time.sleep(0.01)

    def caught_up(self):
        return final is not None and self.version >= final


final = None
server = start()
first = int(call(connect(), 'GET', path)[1]['metadata']['resourceVersion'])
writers, watcher = [Writer(i) for i in range(4)], Watcher(first)
for t in writers + [watcher]: t.start()
rng = random.Random(a.seed)
for i in range(a.kills):
    time.sleep(rng.uniform(0.02, 0.25))
    server.send_signal(signal.SIGKILL); server.wait()
    server = start()
time.sleep(0.2)
stop.set()
for t in writers: t.join()
# one more write tells the watcher where the end is
code, last = call(connect(), 'POST', path, {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'last'}})
final = int(last['metadata']['resourceVersion'])
watcher.join(30)
if watcher.is_alive(): faults.append(f'the watcher stands at {watcher.version}, the end is {final}')
listed = {o['metadata']['name']: o.get('data', {}).get('v') for o in call(connect(), 'GET', path)[1]['items']}
server.terminate(); server.wait()

seen = {(v, n): (t, x) for v, t, n, x in watcher.events}
if len(seen) != len(watcher.events): faults.append('an event was repeated')
for w in writers:
    for v, n, x in w.acked:
        if v is not None and seen.get((v, n), (None, None))[1] != x: faults.append(f'{n}={x} at {v} was acknowledged and not seen: {seen.get((v, n))}')
state = {}
for v, t, n, x in watcher.events:
    if t == 'ADDED' and n in state or t != 'ADDED' and n not in state: faults.append(f'{t} {n} at {v} does not follow from what was before')
    if t == 'DELETED': state.pop(n, None)
    else: state[n] = x
if state != listed: faults.append(f'the list differs from what the events left: {sorted(set(state.items()) ^ set(listed.items()))[:5]}')
acked = sum(len(w.acked) for w in writers)
print(f'{a.kills} kills, {acked} acknowledged writes, {len(watcher.events)} events, {watcher.resumed} watches')
for f in faults[:10]: print('fault:', f)
sys.exit(bool(faults) or acked < a.kills)
