#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fills an API server with Services and EndpointSlices as controllers write them, over a few connections; or changes such slices, one
after another: one of them at random gets another first endpoint.

usage: load_services.py --url URL --ca FILE --token T --services N --endpoints M [--first I] [--changes N]"""
import argparse, http.client, json, random, ssl, sys, threading, time, urllib.parse

ap = argparse.ArgumentParser()
ap.add_argument('--url', required=True); ap.add_argument('--ca', required=True); ap.add_argument('--token', required=True)
ap.add_argument('--services', type=int, required=True); ap.add_argument('--endpoints', type=int, required=True)
ap.add_argument('--first', type=int, default=0); ap.add_argument('--changes', type=int, default=0)
a = ap.parse_args()
u = urllib.parse.urlparse(a.url)
context = ssl.create_default_context(cafile=a.ca)
CONNECTIONS = 4


def endpoint(i, j):
    n = i * a.endpoints + j
    return {'addresses': [f'10.{128 + (n >> 16 & 63)}.{n >> 8 & 255}.{n & 255}'], 'conditions': {'ready': True, 'serving': True, 'terminating': False},
            'nodeName': f'node-{n % 1000}', 'zone': f'zone-{n % 3}',
            'targetRef': {'kind': 'Pod', 'namespace': 'default', 'name': f's{i}-7f5b6c9d88-{n:05x}', 'uid': f'5b6c9d88-7f5b-4c9d-8{i % 4096:03x}-{n:012x}'}}


def slice_of(i, endpoints):
    return {'apiVersion': 'discovery.k8s.io/v1', 'kind': 'EndpointSlice', 'addressType': 'IPv4',
            'metadata': {'name': f's{i}-1', 'labels': {'kubernetes.io/service-name': f's{i}'}},
            'ports': [{'name': 'p', 'port': 80, 'protocol': 'TCP'}], 'endpoints': endpoints}


SERVICES, SLICES = '/api/v1/namespaces/default/services', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'


def send(c, method, path, body):
    c.request(method, path, json.dumps(body), {'Authorization': 'Bearer ' + a.token, 'Content-Type': 'application/json'})
    r = c.getresponse()
    answer = r.read()
    if r.status not in (200, 201):
        sys.exit(f'{method} {path}: {r.status} {answer[:200]}')


def connect():
    return http.client.HTTPSConnection(u.hostname, u.port, timeout=60, context=context)


def fill(part):
    c = connect()
    for i in range(a.first + part, a.first + a.services, CONNECTIONS):
        send(c, 'POST', SERVICES, {'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': f's{i}'}, 'spec': {'ports': [{'name': 'p', 'port': 80}]}})
        send(c, 'POST', SLICES, slice_of(i, [endpoint(i, j) for j in range(a.endpoints)]))
    done.append(part)


def change():
    c = connect()
    for _ in range(a.changes):
        i = random.randrange(a.first, a.first + a.services)
        others = [endpoint(i, j) for j in range(1, a.endpoints)]
        send(c, 'PUT', f'{SLICES}/s{i}-1', slice_of(i, [endpoint(random.randrange(1 << 20), 0)] + others))


done, start = [], time.monotonic()
if a.changes:
    change()
    print(f'{a.changes} changes in {time.monotonic() - start:.1f} s')
else:
    threads = [threading.Thread(target=fill, args=(i,)) for i in range(CONNECTIONS)]
    for t in threads: t.start()
    for t in threads: t.join()
    print(f'{a.services} services of {a.endpoints} endpoints in {time.monotonic() - start:.1f} s')
    sys.exit(len(done) != CONNECTIONS)
