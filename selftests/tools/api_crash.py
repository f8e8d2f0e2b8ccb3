#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""kill -9 of the API server at random, many times, under clients that share keys; then their history is checked.

usage: api_crash.py --kills N --url https://HOST:PORT --token T --ca FILE --data-dir DIR -- SERVER COMMAND...

It dies while it serves, while it starts, and while it folds its write-ahead log into its file. Writers create, update,
patch and delete config maps, with and without a version to be on top of, and read them; a lister lists them whole, in pages
that go on across kills, and as they were; watches resume from the last version they saw, one of them of a selector;
others begin anew from a list. api_history.py says what must hold of all that."""
import argparse, collections, os, random, sys, threading, time
sys.dont_write_bytecode = True
from api_client import Api, Client, Gone, kill, start, version, wait_ready
from api_history import Event, Op, Watch, check

ap = argparse.ArgumentParser()
ap.add_argument('--kills', type=int, default=20)
ap.add_argument('--url', required=True); ap.add_argument('--token', required=True); ap.add_argument('--ca', required=True)
ap.add_argument('--data-dir', required=True)
ap.add_argument('--seed', type=int, default=time.time_ns() % 1000000)
ap.add_argument('command', nargs='+')
a = ap.parse_args()
api = Api(a.url, a.token, a.ca)
path = '/api/v1/namespaces/default/configmaps'
keys = [f'k{i}' for i in range(40)]
stop = threading.Event()
ops, faults, answers = [], [], collections.Counter()
numbers = iter(range(1, 1 << 60))    # next() of it is one step of the interpreter: no lock


def value(o): return o['data']['v']
def is_odd(v): return int(v) % 2 == 1


class Player(threading.Thread):
    """Does one thing after the other until the end, through all the server's lives."""
    def __init__(self, number):
        super().__init__(daemon=True)
        self.rng, self.client = random.Random(a.seed * 1000 + number), Client(api)

    def run(self):
        while not self.done():
            try: self.play()
            except Gone: time.sleep(0.005)
            except Exception as e:
                faults.append(f'{type(self).__name__}: {type(e).__name__}: {e}')
                return

    def done(self): return stop.is_set()


class Writer(Player):
    def __init__(self, number):
        super().__init__(number)
        self.known = {}                  # key -> version, None: not there; as far as this writer has seen

    def body(self, key, v, expect):
        meta = {'name': key, 'labels': {'odd': str(is_odd(v))}}
        if expect: meta['resourceVersion'] = str(expect)
        return {'metadata': meta, 'data': {'v': v, 'pad': 'x' * self.rng.choice((10, 300, 300, 10000))}}

    def play(self):
        key = self.rng.choice(keys)
        known, v = self.known.get(key), str(next(numbers))
        if key not in self.known: do = 'get'
        elif known is None: do = self.rng.choice(('create', 'create', 'create', 'get', 'update'))
        else: do = self.rng.choice(('update', 'update', 'patch', 'patch', 'delete', 'get', 'create'))
        expect = known if do == 'delete' or do in ('update', 'patch') and self.rng.random() < 0.5 else None
        at = f'{path}/{key}'
        request = {'get': ('GET', at), 'create': ('POST', path, self.body(key, v, None)), 'update': ('PUT', at, self.body(key, v, expect)),
                   'patch': ('PATCH', at, self.body(key, v, expect), 'application/merge-patch+json'),
                   'delete': ('DELETE', at, {'preconditions': {'resourceVersion': str(expect)}})}[do]
        o = Op(do, key, time.monotonic(), expect=expect, value=v if do in ('create', 'update', 'patch') else None)
        try: code, answer = self.client.call(*request)
        except Gone as e:
            if e.sent and do != 'get': ops.append(o)
            self.known.pop(key, None)
            raise
        o.end = time.monotonic()
        answers[f'{do} {code}'] += 1
        self.take(o, code, answer)

    def take(self, o, code, answer):
        outcome = {200: 'ok', 201: 'ok', 404: 'absent', 409: 'exists' if o.do == 'create' else 'conflict'}.get(code)
        if not outcome:
            faults.append(f'{o}: {code} {answer}')
            return
        o.outcome = outcome
        if outcome == 'ok' and o.do != 'delete': o.version, o.value = version(answer), value(answer)
        ops.append(o)
        if outcome in ('exists', 'conflict'): self.known.pop(o.key, None)
        else: self.known[o.key] = o.version


class Lister(Player):
    seen = 0

    def play(self):
        how = self.rng.choice(('whole', 'pages', 'past'))
        o = Op('list', None, time.monotonic(), outcome='ok', items={}, past=how == 'past')
        query = {'whole': '', 'pages': '?limit=7',
                 'past': f'?resourceVersionMatch=Exact&resourceVersion={max(first, self.seen - self.rng.randrange(200))}'}[how]
        code, answer = self.client.call('GET', path + query)
        o.end = time.monotonic()
        while code == 200:
            o.items |= {i['metadata']['name']: (version(i), value(i)) for i in answer['items'] if i['metadata']['name'] in keys}
            if o.version not in (None, version(answer)): faults.append(f'a page at {version(answer)} of a list at {o.version}')
            o.version = version(answer)
            more = answer['metadata'].get('continue')
            if not more:
                ops.append(o)
                self.seen = max(self.seen, o.version)
                break
            code, answer = self.client.insist('GET', f'{path}?limit=7&continue={more}')
        answers[f'list {how} {code}'] += 1
        if code not in (200, 410): faults.append(f'list {how}: {code} {answer}')
        time.sleep(0.002)


class Watcher(Player):
    """start None: not resumed, but begun anew from a list, each time one more watch."""
    def __init__(self, number, name, start, query='', selects=None):
        super().__init__(number)
        self.name, self.query, self.connected = name, query, 0
        self.renews = start is None
        self.watches = [] if self.renews else [Watch(name, start, start, [], selects)]

    def done(self):
        return stop.is_set() and final is not None and (self.renews or self.watches[-1].end >= final)

    def begin(self):
        begin = time.monotonic()
        code, answer = self.client.call('GET', path)
        items = {i['metadata']['name']: (version(i), value(i)) for i in answer['items'] if i['metadata']['name'] in keys}
        ops.append(Op('list', None, begin, time.monotonic(), 'ok', version=version(answer), items=items))
        self.watches.append(Watch(f'{self.name} {len(self.watches)}', version(answer), version(answer)))

    def play(self):
        if self.renews: self.begin()
        w = self.watches[-1]
        events = self.client.watch(path, w.end, self.query)
        self.connected += 1
        for e in events: self.take(w, e)

    def take(self, w, e):
        o = e['object']
        if e['type'] != 'BOOKMARK': w.events.append(Event(version(o), e['type'], o['metadata']['name'], value(o)))
        w.end = max(w.end, version(o))


def kill_it(p, manner):
    kill(p)
    killed[manner] += 1


def wait_fold():
    """Until the file is written to, which happens only when the log is folded in; not for long, as it may not be near."""
    file, until = os.path.join(a.data_dir, 'store.db'), time.monotonic() + 0.5
    before = os.stat(file).st_mtime_ns
    while time.monotonic() < until:
        if os.stat(file).st_mtime_ns != before: return 'folding'
        time.sleep(0.0002)
    return 'serving'


def torment(p):
    rng, took = random.Random(a.seed), 0.05
    while killed.total() < a.kills:
        manner = rng.choice(('serving', 'serving', 'starting', 'folding'))
        if manner == 'folding': manner = wait_fold()
        else: time.sleep(rng.uniform(0.01, 0.2))
        kill_it(p, 'serving' if manner == 'starting' else manner)
        while manner == 'starting' and killed.total() < a.kills and rng.random() < 0.7:
            p = start(a.command)
            time.sleep(rng.uniform(0, took))
            kill_it(p, 'starting')
        p = start(a.command)
        took = wait_ready(api, p)
    return p


final, killed = None, collections.Counter()
server = start(a.command)
wait_ready(api, server)
first = version(Client(api).call('GET', path)[1])
watchers = [Watcher(10, 'all', first), Watcher(11, 'all too', first), Watcher(12, 'odd', first, '&labelSelector=odd%3DTrue', is_odd),
            Watcher(13, 'anew', None)]
players = [Writer(i) for i in range(4)] + [Lister(9)] + watchers
for t in players: t.start()
server = torment(server)
time.sleep(0.2)
stop.set()
for t in players:
    if t not in watchers: t.join(30)
# one more write, which all watches see, is their end
o = Op('create', 'last', time.monotonic(), outcome='ok', value=str(next(n for n in numbers if is_odd(n))))
code, last = Client(api).call('POST', path, {'metadata': {'name': 'last', 'labels': {'odd': 'True'}}, 'data': {'v': o.value}})
o.end, o.version = time.monotonic(), version(last)
ops.append(o)
keys.append('last')
final = o.version
for t in watchers:
    t.join(30)
    if t.is_alive(): faults.append(f'watch {t.name} stands at {t.watches[-1].end}, the end is {final}')
Lister.play(Lister(99))
server.terminate()
if server.wait() != 0: faults.append(f'SIGTERM ended the server with status {server.returncode}')

faults += check(ops, [w for t in watchers for w in t.watches])
writes = [o for o in ops if o.do in ('create', 'update', 'patch', 'delete')]
print(f'seed {a.seed}: {killed.total()} kills ({", ".join(f"{n} {m}" for m, n in sorted(killed.items()))}), {len(ops)} calls, of which '
      f'{sum(o.outcome == "ok" for o in writes)} writes acknowledged and {sum(o.outcome == "unknown" for o in writes)} without an answer, '
      f'{len(watchers[0].watches[0].events)} changes, {sum(t.connected for t in watchers)} watches begun or resumed')
print(', '.join(f'{k}: {n}' for k, n in sorted(answers.items())))
for f in faults[:10]: print('fault:', f)
sys.exit(bool(faults) or len(writes) < a.kills)
