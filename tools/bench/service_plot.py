#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""bench/service.json as one SVG on standard output: a panel for each kind of talk, a line for each path over the number of services,
quartiles as bars.

usage: service_plot.py FILE"""
import json, math, sys

COLOURS = {'socket': '#0072b2', 'tc': '#009e73', 'tc-pod': '#999999', 'nftables': '#e69f00', 'iptables': '#d55e00'}
WIDTH, HEIGHT, LEFT, TOP = 360, 240, 60, 40
report = json.load(open(sys.argv[1]))
worlds = report['worlds']
kinds = [k for k, v in worlds[0]['talk'].items() if isinstance(v, dict)]
most = max(2.0, max(w['services'] for w in worlds))
out = []


def x(services):
    return LEFT + (WIDTH - LEFT - 20) * math.log10(services) / math.log10(most)


def y(ratio):
    return TOP + (HEIGHT - TOP - 40) * (1 - min(ratio, 1.2) / 1.2)


def text(at_x, at_y, what, more=''):
    out.append(f'<text x="{at_x:.1f}" y="{at_y:.1f}" {more}>{what}</text>')


def line(x1, y1, x2, y2, colour, width=1):
    out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>')


def panel(kind):
    text(LEFT, TOP - 14, f"{kind}: what the pod's own address costs / what the path costs", 'font-weight="bold"')
    for ratio in 0, 0.25, 0.5, 0.75, 1:
        line(LEFT, y(ratio), WIDTH - 20, y(ratio), '#444' if ratio == 1 else '#ddd')
        text(LEFT - 6, y(ratio) + 4, ratio, 'text-anchor="end"')
    for w in worlds:
        text(x(w['services']), HEIGHT - 22, f'{w["services"]:,}', 'text-anchor="middle"')
    for path, colour in COLOURS.items():
        if path not in worlds[0]['talk'][kind]:
            continue
        of = [(x(w['services']), w['talk'][kind][path]['ratio']) for w in worlds if path in w['talk'][kind]]
        points = ' '.join(f'{at:.1f},{y(r["median"]):.1f}' for at, r in of)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for at, r in of:
            line(at, y(r['quartiles'][0]), at, y(r['quartiles'][1]), colour)
            out.append(f'<circle cx="{at:.1f}" cy="{y(r["median"]):.1f}" r="3" fill="{colour}"/>')


rows = (len(kinds) + 1) // 2
out.append(f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{rows * HEIGHT + 40}" font-family="sans-serif" font-size="11">')
out.append('<rect width="100%" height="100%" fill="white"/>')
for i, kind in enumerate(kinds):
    out.append(f'<g transform="translate({i % 2 * WIDTH},{i // 2 * HEIGHT})">')
    panel(kind)
    out.append('</g>')
for i, (path, colour) in enumerate(COLOURS.items()):
    line(LEFT + i * 120, rows * HEIGHT + 10, LEFT + i * 120 + 20, rows * HEIGHT + 10, colour, 3)
    text(LEFT + i * 120 + 26, rows * HEIGHT + 14, path)
text(LEFT, rows * HEIGHT + 34, f'Linux {report["kernel"]}, {report["cores"]} cores, load {report["loadAverage"]}')
out.append('</svg>')
print('\n'.join(out))
