#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Takes an endpoint out of a slice and puts it back, many times, while connections are made to the service.

usage: churn.py --rounds N --url URL --ca FILE --token T --metrics URL --name SLICE --keep IP --flap IP --windows FILE

Writes the slice, waits until kube-proxy says it has published, and notes the time: from then until the endpoint comes
back, no connection that begins may be answered by it. FILE gets these windows, a line each, in CLOCK_MONOTONIC ns."""
import argparse, http.client, json, re, ssl, sys, time, urllib.parse

ap = argparse.ArgumentParser()
for x in ('url', 'ca', 'token', 'metrics', 'name', 'keep', 'flap'): ap.add_argument('--' + x, required=True)
ap.add_argument('--rounds', type=int, default=1000)
ap.add_argument('--windows', required=True)
a = ap.parse_args()
u, m = urllib.parse.urlparse(a.url), urllib.parse.urlparse(a.metrics)
api = http.client.HTTPSConnection(u.hostname, u.port, timeout=10, context=ssl.create_default_context(cafile=a.ca))
metrics = http.client.HTTPConnection(m.hostname, m.port, timeout=10)


def publishes():
    metrics.request('GET', m.path)
    return int(float(re.search(rb'^xebec_proxy_publishes_total(?:\{[^}]*\})? (\S+)$', metrics.getresponse().read(), re.M).group(1)))


def write(ips):
    before = publishes()
    patch = [{'op': 'replace', 'path': '/endpoints', 'value': [{'addresses': [ip], 'conditions': {'ready': True}} for ip in ips]}]
    api.request('PATCH', f'/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/{a.name}', json.dumps(patch),
                {'Authorization': 'Bearer ' + a.token, 'Content-Type': 'application/json-patch+json'})
    r = api.getresponse()
    body = r.read()
    if r.status != 200: sys.exit(f'patch: {r.status} {body[:200]}')
    until = time.monotonic() + 5
    while publishes() == before:
        if time.monotonic() > until: sys.exit('kube-proxy did not publish the change within 5 s')
    return time.monotonic_ns()


took = []
with open(a.windows, 'w') as windows:
    for i in range(a.rounds):
        start = time.monotonic_ns()
        gone = write([a.keep])
        took.append(gone - start)
        time.sleep(0.003)              # some connections begin meanwhile
        end = time.monotonic_ns()      # from here the endpoint may come back
        write([a.keep, a.flap])
        print(gone, end, file=windows)
took.sort()
print(f'{a.rounds} rounds; from the write of a slice to its publication: median {took[len(took) // 2] / 1e6:.2f} ms, p99 {took[int(len(took) * .99)] / 1e6:.2f} ms')
