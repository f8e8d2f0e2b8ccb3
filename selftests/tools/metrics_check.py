#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A strict reader of Prometheus' text format 0.0.4 on standard input: says what is wrong with it, one finding a line."""
import re, sys

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\}})? (-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Inf)|NaN|\+Inf)(?: [0-9]+)?$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
faults, types, helps, seen, ended, histograms, labels_of = [], {}, set(), set(), set(), {}, {}
family = None

text = sys.stdin.read()
if not text.endswith('\n'): faults.append('the last line has no end')
for n, line in enumerate(text.split('\n')[:-1], 1):
    m = re.match(rf'# (HELP|TYPE) ({NAME}) (.+)$', line)
    if m:
        what, name, rest = m.groups()
        if what == 'HELP':
            if name in helps: faults.append(f'{n}: second HELP of {name}')
            helps.add(name)
        else:
            if name in types: faults.append(f'{n}: second TYPE of {name}')
            if rest not in ('counter', 'gauge', 'histogram', 'summary', 'untyped'): faults.append(f'{n}: type {rest}')
            types[name] = rest
        if family and family != name: ended.add(family)
        family = name
        continue
    m = SAMPLE.match(line)
    if not m:
        faults.append(f'{n}: neither comment nor sample: {line}')
        continue
    name, labels, value = m.group(1), LABEL.findall(m.group(2) or ''), float(m.group(3))
    base = re.sub('_(bucket|sum|count)$', '', name)
    own = name if name in types else base if types.get(base) == 'histogram' else None
    if own is None: faults.append(f'{n}: {name} has no TYPE'); continue
    if own in ended or own != family: faults.append(f'{n}: {own} is interrupted')
    keys = [k for k, _ in labels]
    if len(set(keys)) != len(keys): faults.append(f'{n}: a label twice')
    if (name, tuple(sorted(labels))) in seen: faults.append(f'{n}: the same sample twice: {line}')
    seen.add((name, tuple(sorted(labels))))
    shape = tuple(sorted(k for k in keys if k != 'le'))
    if labels_of.setdefault(own, shape) != shape: faults.append(f'{n}: {own} with other labels than before: {shape}')
    if types[own] == 'counter' and value < 0: faults.append(f'{n}: a counter below 0')
    if types[own] == 'histogram':
        key = (own, tuple(sorted((k, v) for k, v in labels if k != 'le')))
        h = histograms.setdefault(key, {'buckets': [], 'sum': None, 'count': None})
        if name.endswith('_bucket'): h['buckets'].append((float(dict(labels)['le']), value))
        elif name.endswith('_sum'): h['sum'] = value
        else: h['count'] = value
for (name, labels), h in histograms.items():
    bounds, counts = [b for b, _ in h['buckets']], [c for _, c in h['buckets']]
    if bounds != sorted(set(bounds)) or bounds[-1:] != [float('inf')]: faults.append(f'{name}{labels}: bounds {bounds}')
    if counts != sorted(counts): faults.append(f'{name}{labels}: not cumulative')
    if h['sum'] is None or h['count'] is None or counts[-1:] != [h['count']]: faults.append(f'{name}{labels}: count or sum')
for name in types:
    if name not in helps: faults.append(f'{name}: no HELP')
print('\n'.join(faults) if faults else f'{len(seen)} samples of {len(types)} metrics')
sys.exit(bool(faults))
