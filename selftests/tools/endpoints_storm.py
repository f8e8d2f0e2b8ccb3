#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Storms of pods that become ready and go, across several Services, while the controller manager is killed now and then; after each the
EndpointSlices and Endpoints must soon be the ready pods.

usage: endpoints_storm.py --storms N --url https://HOST:PORT --token T --ca FILE -- CONTROLLER MANAGER COMMAND...

API server, scheduler and nodes are there. In a storm each of the Services' Deployments is scaled, and some of its pods are deleted,
several times, without waiting. A pod with the label both=1 is in a second Service, too."""
import argparse, collections, random, sys, threading, time
sys.dont_write_bytecode = True
from api_client import Api, Client, kill, start
from cluster import DEFAULT, endpoints_differ, is_deleting, is_ready

ap = argparse.ArgumentParser()
ap.add_argument('--storms', type=int, default=3)
ap.add_argument('--url', required=True); ap.add_argument('--token', required=True); ap.add_argument('--ca', required=True)
ap.add_argument('--seed', type=int, default=time.time_ns() % 1000000)
ap.add_argument('command', nargs='+')
a = ap.parse_args()
api, rng = Api(a.url, a.token, a.ca), random.Random(a.seed)
client = Client(api)
APPS = [f'app{i}' for i in range(8)]
DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
SOON, AT_REST = 5, 60        # seconds: from the pods' rest to the endpoints'; from the storm's end to the pods' rest
faults, done = [], collections.Counter()


def make(path, o):
    code, answer = client.insist('POST', path, o)
    if code not in (201, 409): sys.exit(f'{path}: {code} {answer}')


def pods(): return client.insist('GET', DEFAULT + '/pods')[1]['items']


def of(app, everything):
    labels = {'both': '1'} if app == 'both' else {'app': app}
    return [p for p in everything if labels.items() <= p['metadata']['labels'].items()]


def storm(app, seed):
    """One Deployment's."""
    rng, client = random.Random(seed), Client(api)
    for _ in range(rng.randint(1, 4)):
        client.insist('PATCH', f'{DEPLOYMENTS}/{app}', {'spec': {'replicas': rng.choice((0, 10, 30, 50, rng.randint(0, 50)))}}, 'application/merge-patch+json')
        time.sleep(rng.uniform(0, 0.3))
        for p in client.insist('GET', f'{DEFAULT}/pods?labelSelector=app%3D{app}')[1]['items']:
            if rng.random() < 0.1: client.insist('DELETE', f'{DEFAULT}/pods/{p["metadata"]["name"]}')
        time.sleep(rng.uniform(0, 0.3))


def wait(seconds, why):
    """Until why() gives nothing; how long that took, or what it gave last."""
    began = time.monotonic()
    while reasons := why():
        if time.monotonic() - began > seconds: return seconds, reasons
        time.sleep(0.02)
    return time.monotonic() - began, []


def pods_unrest():
    wanted = {d['metadata']['name']: d['spec']['replicas'] for d in client.insist('GET', DEPLOYMENTS)[1]['items']}
    there = pods()
    return [f'{app}: {len(of(app, there))} pods, {n} are wanted' for app, n in wanted.items() if len(of(app, there)) != n] + \
        [f'{p["metadata"]["name"]} is not ready' for p in there if not is_ready(p) or is_deleting(p)]


def endpoints_unrest():
    there = pods()
    return [f for app in APPS + ['both'] for f in endpoints_differ(client, app, of(app, there))]


for i, app in enumerate(APPS):
    labels = {'app': app} | ({'both': '1'} if i % 2 else {})
    make(DEFAULT + '/services', {'metadata': {'name': app}, 'spec': {'selector': {'app': app}, 'ports': [{'port': 80}]}})
    make(DEPLOYMENTS, {'metadata': {'name': app}, 'spec': {'replicas': 10, 'selector': {'matchLabels': {'app': app}}, 'template': {
        'metadata': {'labels': labels}, 'spec': {'containers': [{'name': 'c', 'image': 'example.com/c'}]}}}})
make(DEFAULT + '/services', {'metadata': {'name': 'both'}, 'spec': {'selector': {'both': '1'}, 'ports': [{'port': 80}]}})
manager, longest = start(a.command), 0
for n in range(a.storms):
    threads = [threading.Thread(target=storm, args=(app, rng.random())) for app in APPS]
    for t in threads: t.start()
    for _ in range(rng.choice((0, 0, 1, 2))):
        time.sleep(rng.uniform(0, 0.7))
        if (ended := kill(manager)) is not None: faults.append(f'the controller manager had ended by itself, with status {ended}')
        manager = start(a.command)
        done['kills'] += 1
    for t in threads: t.join()
    for seconds, what, why in ((AT_REST, 'pods', pods_unrest), (SOON, 'endpoints', endpoints_unrest)):
        took, reasons = wait(seconds, why)
        faults += [f'storm {n}: {what} not at rest after {seconds} s: {r}' for r in reasons]
        if what == 'endpoints': longest = max(longest, took)
    done['pods'] += len(pods())
    if faults: break
print(f'seed {a.seed}: {n + 1} storms, {done["pods"]} pods at rest after them, {done["kills"]} kills, endpoints right after {longest:.2f} s at most')
for f in faults[:10]: print('fault:', f)
manager.terminate()
sys.exit(bool(faults) or manager.wait() != 0)
