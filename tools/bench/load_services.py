#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fills an API server with Services and EndpointSlices, over a few connections.

usage: load_services.py --url URL --ca FILE --token T --services N --endpoints M [--first I]"""
import argparse, http.client, json, ssl, sys, threading, time, urllib.parse

ap = argparse.ArgumentParser()
ap.add_argument('--url', required=True); ap.add_argument('--ca', required=True); ap.add_argument('--token', required=True)
ap.add_argument('--services', type=int, required=True); ap.add_argument('--endpoints', type=int, required=True)
ap.add_argument('--first', type=int, default=0)
a = ap.parse_args()
u = urllib.parse.urlparse(a.url)
context = ssl.create_default_context(cafile=a.ca)
CONNECTIONS = 4


def fill(part):
    c = http.client.HTTPSConnection(u.hostname, u.port, timeout=60, context=context)
    headers = {'Authorization': 'Bearer ' + a.token, 'Content-Type': 'application/json'}
    for i in range(a.first + part, a.first + a.services, CONNECTIONS):
        addresses = [{'addresses': [f'10.{128 + (i >> 14 & 63)}.{i >> 6 & 255}.{(i << 2 & 252) + j % 4}' if a.endpoints <= 4 else
                      f'10.{128 + ((i * a.endpoints + j) >> 16 & 63)}.{(i * a.endpoints + j) >> 8 & 255}.{(i * a.endpoints + j) & 255}'],
                      'conditions': {'ready': True}} for j in range(a.endpoints)]
        for path, body in (
                ('/api/v1/namespaces/default/services', {'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': f's{i}'},
                 'spec': {'ports': [{'name': 'p', 'port': 80}]}}),
                ('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {'apiVersion': 'discovery.k8s.io/v1', 'kind': 'EndpointSlice',
                 'metadata': {'name': f's{i}-1', 'labels': {'kubernetes.io/service-name': f's{i}'}}, 'addressType': 'IPv4',
                 'ports': [{'name': 'p', 'port': 80, 'protocol': 'TCP'}], 'endpoints': addresses})):
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
print(f'{a.services} services of {a.endpoints} endpoints in {time.monotonic() - start:.1f} s')
sys.exit(failed.is_set())
