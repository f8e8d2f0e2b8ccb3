#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes Deployments, each with a Service before it, over a few connections.

usage: load_workloads.py --url URL --ca FILE --token T --deployments N --replicas M [--env VARIABLES] [--prefix NAME]"""
import argparse, http.client, json, ssl, sys, threading, time, urllib.parse

ap = argparse.ArgumentParser()
ap.add_argument('--url', required=True); ap.add_argument('--ca', required=True); ap.add_argument('--token', required=True)
ap.add_argument('--deployments', type=int, required=True); ap.add_argument('--replicas', type=int, required=True)
ap.add_argument('--env', type=int, default=20); ap.add_argument('--prefix', default='app-')
a = ap.parse_args()
u = urllib.parse.urlparse(a.url)
context = ssl.create_default_context(cafile=a.ca)
CONNECTIONS = 8


def workload(name):
    labels = {'app': name}
    probe = {'httpGet': {'path': '/healthz', 'port': 'http'}, 'periodSeconds': 10, 'failureThreshold': 3}
    container = {'name': 'main', 'image': 'registry.example.com/shop/' + name + ':1.0.0', 'ports': [{'name': 'http', 'containerPort': 8080}],
                 'env': [{'name': f'SETTING_{i:04}', 'value': f'{name}-{i * 2654435761 % 2**32:08x}'} for i in range(a.env)],
                 'livenessProbe': probe, 'readinessProbe': probe,
                 'resources': {'requests': {'cpu': '50m', 'memory': '64Mi'}, 'limits': {'memory': '128Mi'}}}
    yield '/apis/apps/v1/namespaces/default/deployments', {
        'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': name, 'labels': labels},
        'spec': {'replicas': a.replicas, 'selector': {'matchLabels': labels},
                 'template': {'metadata': {'labels': labels}, 'spec': {'containers': [container]}}}}
    yield '/api/v1/namespaces/default/services', {
        'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': name},
        'spec': {'selector': labels, 'ports': [{'name': 'http', 'port': 80, 'targetPort': 'http'}]}}


def fill(part):
    c = http.client.HTTPSConnection(u.hostname, u.port, timeout=60, context=context)
    headers = {'Authorization': 'Bearer ' + a.token, 'Content-Type': 'application/json'}
    for i in range(part, a.deployments, CONNECTIONS):
        for path, body in workload(f'{a.prefix}{i:05}'):
            c.request('POST', path, json.dumps(body), headers)
            r = c.getresponse()
            answer = r.read()
            if r.status not in (201, 409):
                print(f'POST {path}: {r.status} {answer[:200]}', file=sys.stderr)
                failed.set()
                return


failed = threading.Event()
start = time.monotonic()
threads = [threading.Thread(target=fill, args=(i,)) for i in range(CONNECTIONS)]
for t in threads: t.start()
for t in threads: t.join()
print(f'{a.deployments} deployments of {a.replicas} replicas with their services written in {time.monotonic() - start:.1f} s')
sys.exit(failed.is_set())
