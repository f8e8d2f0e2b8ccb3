# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What tests that watch a cluster come to rest ask of its objects."""

DEFAULT = '/api/v1/namespaces/default'
SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name%3D'


def owner(o):
    """The uid of its controller, or ''."""
    return next((r['uid'] for r in o['metadata'].get('ownerReferences', []) if r.get('controller')), '')


def is_ready(pod): return any(c['type'] == 'Ready' and c['status'] == 'True' for c in pod['status'].get('conditions', []))


def is_deleting(o): return 'deletionTimestamp' in o['metadata']


def endpoints_differ(client, service, pods):
    """How the EndpointSlices and Endpoints of a Service differ from its ready pods, as sentences."""
    ready = sorted((p['metadata']['uid'], p['status']['podIP']) for p in pods if is_ready(p) and not is_deleting(p))
    slices = client.insist('GET', SLICES + service)[1]['items']
    subsets = client.insist('GET', f'{DEFAULT}/endpoints/{service}')[1].get('subsets') or []
    there = {'slices': sorted((e['targetRef']['uid'], ip) for s in slices for e in s['endpoints'] or [] if e['conditions']['ready']
                              for ip in e['addresses']),
             'Endpoints': sorted((e['targetRef']['uid'], e['ip']) for s in subsets for e in s.get('addresses', []))}
    return [f'{service}: {len(e)} in the {what}, of which {len(set(e) & set(ready))} are of the {len(ready)} ready pods'
            for what, e in there.items() if e != ready]
