#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How long a pod takes from its creation's sending until a watch shows it Running, beside what the runtime alone needs for a sandbox and
a container of the same image: in turn, one of each, each gone before the next comes. Prints one JSON object.

usage: pods.py --url URL --ca FILE --cert FILE --key FILE --rounds N --image IMAGE -- RUNTIME_CALLS ENDPOINT CGROUP LOGS"""
import argparse, http.client, json, queue, ssl, subprocess, sys, threading, time, urllib.parse

ap = argparse.ArgumentParser()
for flag in 'url', 'ca', 'cert', 'key', 'image': ap.add_argument('--' + flag, required=True)
ap.add_argument('--rounds', type=int, required=True); ap.add_argument('calls'); ap.add_argument('endpoint'); ap.add_argument('cgroup'); ap.add_argument('logs')
a = ap.parse_args()
u = urllib.parse.urlparse(a.url)
context = ssl.create_default_context(cafile=a.ca)
context.load_cert_chain(a.cert, a.key)
PODS = '/api/v1/namespaces/default/pods'
COMMAND = ['sleep', '3600']
LABEL = 'measured'
seen = queue.Queue()


def connect(): return http.client.HTTPSConnection(u.hostname, u.port, timeout=600, context=context)


def ask(method, path, body=None):
    writer.request(method, path, json.dumps(body) if body else None, {'Content-Type': 'application/json'})
    r = writer.getresponse()
    answer = json.loads(r.read())
    if r.status // 100 != 2: sys.exit(f'pods.py: {method} {path}: {r.status} {answer.get("message")}')
    return answer


def watch(version):
    c = connect()
    c.request('GET', f'{PODS}?watch=1&labelSelector=app%3D{LABEL}&resourceVersion={version}')
    for line in c.getresponse():
        at, event = time.monotonic(), json.loads(line)
        seen.put((at, event['type'], event['object']))


def wait_for(name, done):
    """When the watch first showed what done says, and all that it showed until then."""
    shown = []
    while True:
        try: at, kind, pod = seen.get(timeout=60)
        except queue.Empty: sys.exit(f'pods.py: {name}: nothing seen for 60 s')
        if pod['metadata']['name'] != name: continue
        shown.append((at, kind))
        if done(kind, pod): return at, shown


def by_api(name):
    sent = time.monotonic()
    ask('POST', PODS, {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name, 'labels': {'app': LABEL}},
                       'spec': {'containers': [{'name': 'c', 'image': a.image, 'imagePullPolicy': 'IfNotPresent', 'command': COMMAND}]}})
    at, shown = wait_for(name, lambda kind, pod: pod['status'].get('phase') == 'Running')
    ask('DELETE', f'{PODS}/{name}?gracePeriodSeconds=0')
    wait_for(name, lambda kind, pod: kind == 'DELETED')
    return (at - sent) * 1000, len(shown)


def call(*args):
    r = subprocess.run([a.calls, a.endpoint, *args], stdout=subprocess.PIPE, text=True)
    if r.returncode: sys.exit(f'pods.py: {a.calls} {" ".join(args)}: {r.stdout}')
    return r.stdout.split()


def by_runtime(name):
    sandbox, *times = call('pod', name, a.cgroup, a.logs, a.image, *COMMAND)
    call('stop-sandbox', sandbox)
    call('remove-sandbox', sandbox)
    return [float(t) for t in times]


def percentiles(values):
    v = sorted(values)
    return {f'p{p}Milliseconds': round(v[min(len(v) - 1, len(v) * p // 100)], 1) for p in (50, 90, 99)}


writer = connect()
threading.Thread(target=watch, args=(ask('GET', PODS + '?limit=1')['metadata']['resourceVersion'],), daemon=True).start()
pods, events, alone = [], 0, []
for i in range(a.rounds):
    alone.append(by_runtime(f'alone-{i}'))
    took, shown = by_api(f'measured-{i}')
    pods.append(took)
    events += shown
print(json.dumps({'rounds': a.rounds, 'running': percentiles(pods), 'runtimeAlone': percentiles(map(sum, alone)),
                  'runtimeCalls': {c: percentiles(v) for c, v in zip(('sandbox', 'create', 'start'), zip(*alone))},
                  'eventsPerPod': events / a.rounds}))
