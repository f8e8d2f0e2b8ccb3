#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""kill -9 of API server, controller manager and scheduler at random, many times, while a Deployment rolls.

usage: rollout_kills.py --kills N --url https://HOST:PORT --token T --ca FILE --run 'NAME COMMAND...' --run ...

The programs named kube-apiserver, kube-controller-manager and kube-scheduler are started here; nodes are there, and make pods
ready. The Deployment web is given one template after the other, is undone, scaled, paused and resumed, gets other limits, when it
has come to rest or, at times, before. Watches that resume from the last version they saw, so that nothing escapes them, write down
what happened; rollout_history.py says what must hold of that. When all is over the cluster must come to rest as it was told."""
import argparse, collections, math, random, shlex, sys, threading, time
sys.dont_write_bytecode = True
from api_client import Api, Client, Gone, kill, start, version, wait_ready
from cluster import endpoints_differ, is_deleting, is_ready, owner
from rollout_history import Change, Deployment, Pod, Set, check

ap = argparse.ArgumentParser()
ap.add_argument('--kills', type=int, default=10)
ap.add_argument('--url', required=True); ap.add_argument('--token', required=True); ap.add_argument('--ca', required=True)
ap.add_argument('--seed', type=int, default=time.time_ns() % 1000000)
ap.add_argument('--run', action='append', required=True)
a = ap.parse_args()
api = Api(a.url, a.token, a.ca)
AT_REST = 60                 # seconds in which everything comes to rest, kills or not
PODS, SETS, DEPLOYMENTS = '/api/v1/namespaces/default/pods', '/apis/apps/v1/namespaces/default/replicasets', '/apis/apps/v1/namespaces/default/deployments'
WEB = DEPLOYMENTS + '/web'
LIMITS = [(2, 0), (5, 0), (0, 3), (5, 5), ('25%', '25%'), ('10%', '20%'), ('0%', '10%'), ('100%', '50%')]
faults, done = [], collections.Counter()
stop = threading.Event()


# --- objects, as far as they matter ---
def part(n, total, round_): return round_(int(n[:-1]) * total / 100) if isinstance(n, str) else n


def deployment(o):
    spec, status, n = o['spec'], o.get('status', {}), o['spec']['replicas']
    r = spec['strategy']['rollingUpdate']
    surge, missing = part(r['maxSurge'], n, math.ceil), part(r['maxUnavailable'], n, math.floor)
    if not surge and not missing: missing = 1
    complete = status.get('observedGeneration', 0) >= o['metadata']['generation'] and \
        all(status.get(k, 0) == n for k in ('replicas', 'updatedReplicas', 'availableReplicas'))
    return Deployment(o['metadata']['generation'], n + surge, n - min(missing, n), complete)


def replica_set(o): return Set(o['metadata']['uid'], o['metadata']['name'], o['spec']['replicas'])


def pod(o):
    return Pod(o['metadata']['uid'], o['metadata']['name'], owner(o), o['spec'].get('nodeName', ''), is_ready(o), is_deleting(o))


# --- what is seen ---
class Watcher(threading.Thread):
    def __init__(self, path, read):
        super().__init__(daemon=True)
        self.path, self.read, self.client = path, read, Client(api)
        self.end, self.changes, self.versions, self.resumed = first, [], {}, 0

    def run(self):
        while True:
            try:
                events = self.client.watch(self.path, self.end)
                self.resumed += 1
                for e in events: self.take(e['type'], e['object'])
            except Gone: time.sleep(0.005)
            except Exception as e:
                faults.append(f'the watch of {self.path}: {type(e).__name__}: {e}')
                return

    def take(self, type_, o):
        self.end = max(self.end, version(o))
        if type_ == 'BOOKMARK': return
        self.changes.append(Change(version(o), type_, self.read(o)))
        if type_ == 'DELETED': self.versions.pop(o['metadata']['uid'])
        else: self.versions[o['metadata']['uid']] = version(o)


# --- what is done to the Deployment ---
class Operator(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.rng, self.client, self.templates = random.Random(a.seed), Client(api), 0

    def patch(self, spec):
        code, answer = self.client.insist('PATCH', WEB, {'spec': spec}, 'application/merge-patch+json')
        if code != 200: raise RuntimeError(f'{spec}: {code} {answer}')

    def roll(self):
        self.templates += 1
        self.patch({'template': {'metadata': {'annotations': {'n': str(self.templates)}}}})

    def undo(self):
        """To one of the sets there are, as kubectl rollout undo --to-revision."""
        old = self.rng.choice(self.client.insist('GET', SETS)[1]['items'])
        self.patch({'template': {'metadata': {'annotations': old['spec']['template']['metadata'].get('annotations')}}})

    def scale(self): self.patch({'replicas': self.rng.randint(10, 40)})

    def limit(self):
        surge, unavailable = self.rng.choice(LIMITS)
        self.patch({'strategy': {'rollingUpdate': {'maxSurge': surge, 'maxUnavailable': unavailable}}})

    def pause(self):
        self.patch({'paused': True})
        self.roll()
        if self.rng.random() < 0.5: self.scale()
        time.sleep(self.rng.uniform(0, 0.3))
        self.patch({'paused': None})

    def wait(self):
        until = time.monotonic() + AT_REST
        while not deployment(self.client.insist('GET', WEB)[1]).complete:
            if time.monotonic() > until: raise RuntimeError(f'no rest after {AT_REST} s')
            time.sleep(0.03)

    def play(self, what):
        done[what.__name__] += 1
        what()
        if self.rng.random() < 0.2: time.sleep(self.rng.uniform(0, 0.5))    # and on with it, before it is at rest
        else: self.wait()

    def run(self):
        try:
            while not stop.is_set():
                self.play(self.rng.choice((self.roll, self.roll, self.roll, self.undo, self.scale, self.pause)))
                if self.rng.random() < 0.3:
                    self.wait()
                    self.play(self.limit)
            self.patch({'paused': None})
        except Exception as e: faults.append(f'after {dict(done)}: {type(e).__name__}: {e}')


# --- kill -9 ---
def wait_change():
    """Until a pod changes, and a moment longer: in the middle of what is done to several."""
    seen, until = len(watchers[0].changes), time.monotonic() + 1
    while len(watchers[0].changes) == seen and time.monotonic() < until: time.sleep(0.0005)
    time.sleep(random.uniform(0, 0.02))


def torment():
    rng, killed = random.Random(a.seed + 1), collections.Counter()
    while killed.total() < a.kills and not faults:
        time.sleep(rng.uniform(0.01, 1.2))
        if rng.random() < 0.5: wait_change()
        name = rng.choice(('kube-apiserver', 'kube-controller-manager', 'kube-controller-manager', 'kube-scheduler'))
        ended = kill(running[name])
        if ended is not None: faults.append(f'{name} had ended by itself, with status {ended}')
        killed[name] += 1
        if rng.random() < 0.3: time.sleep(rng.uniform(0, 0.4))
        running[name] = start(programs[name])
    return killed


# --- at rest ---
def unrest():
    """Why this is not the end, as sentences."""
    web = client.insist('GET', WEB)[1]
    pods, sets = client.insist('GET', PODS), client.insist('GET', SETS)
    pods, sets = pods[1]['items'], sets[1]['items']
    uids = {s['metadata']['uid'] for s in sets}
    templates = collections.Counter(s['spec']['template']['metadata']['labels']['pod-template-hash'] for s in sets)
    living = [s for s in sets if s['spec']['replicas'] or s['status']['replicas']]
    why = [] if deployment(web).complete else [f'the Deployment is not complete: {web["status"]}']
    why += [f'pod {p["metadata"]["name"]} has no owner' for p in pods if owner(p) not in uids]
    why += [f'set {s["metadata"]["name"]} has no owner' for s in sets if owner(s) != web['metadata']['uid']]
    why += [f'set {s["metadata"]["name"]} is at {s["spec"]["replicas"]}, {s["status"]["replicas"]} there' for s in living[1:]]
    why += [f'{n} sets have the hash {h}' for h, n in templates.items() if n > 1]
    if web['status'].get('collisionCount'): why.append('a set was made twice')
    if len(pods) != web['spec']['replicas'] or not all(map(is_ready, pods)): why.append(f'{len(pods)} pods, {sum(map(is_ready, pods))} ready')
    for w, items in zip(watchers, (pods, sets, [web])):
        if w.versions != {o['metadata']['uid']: version(o) for o in items}: why.append(f'the watch of {w.path} shows something else than the list')
    return why + endpoints_differ(client, 'web', pods)


def come_to_rest():
    began = time.monotonic()
    while why := unrest():
        if time.monotonic() - began > AT_REST: return why
        time.sleep(0.1)
    print(f'at rest {time.monotonic() - began:.1f} s after the last change')
    return []


def make(path, o):
    code, answer = client.insist('POST', path, o)
    if code not in (201, 409): sys.exit(f'{path}: {code} {answer}')


LABELS = {'app': 'web'}
programs = {c[0]: c[1:] for c in map(shlex.split, a.run)}
running = {name: start(command) for name, command in programs.items()}
wait_ready(api, running['kube-apiserver'])
client = Client(api)
first = version(client.insist('GET', PODS)[1])
watchers = [Watcher(PODS, pod), Watcher(SETS, replica_set), Watcher(DEPLOYMENTS, deployment)]
for t in watchers: t.start()
make('/api/v1/namespaces/default/services', {'metadata': {'name': 'web'}, 'spec': {'selector': LABELS, 'ports': [{'port': 80}]}})
make(DEPLOYMENTS, {'metadata': {'name': 'web'}, 'spec': {'replicas': 30, 'selector': {'matchLabels': LABELS}, 'template': {
    'metadata': {'labels': LABELS}, 'spec': {'containers': [{'name': 'c', 'image': 'example.com/c'}]}}}})
operator = Operator()
operator.wait()
operator.start()
killed = torment()
stop.set()
operator.join(2 * AT_REST)
faults += come_to_rest()
for name, p in running.items():
    if p.poll() is not None: faults.append(f'{name} ended by itself, with status {p.returncode}')
changes = [c for w in watchers for c in w.changes]
faults += check(changes)
print(f'seed {a.seed}: {killed.total()} kills ({", ".join(f"{n} {k}" for k, n in sorted(killed.items()))}); '
      f'{", ".join(f"{k} {n}" for k, n in sorted(done.items()))}')
print(f'{len(changes)} changes, {sum(isinstance(c.object, Pod) and c.type == "ADDED" for c in changes)} pods made, '
      f'{sum(w.resumed for w in watchers)} watches begun or resumed')
for f in faults[:10]: print('fault:', f)
for name in ('kube-scheduler', 'kube-controller-manager', 'kube-apiserver'):
    running[name].terminate()
    if running[name].wait() != 0: print(f'fault: SIGTERM ended {name} with status {running[name].returncode}')
sys.exit(bool(faults) or any(p.returncode for p in running.values()))
