#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Rules in the shape of those that kube-proxy's iptables mode makes, for iptables-restore: one rule a port in KUBE-SERVICES, a chain a
port, a chain an endpoint. One service is real, and in the middle of the others.

usage: iptables_rules.py --services N --endpoints M --vip ADDRESS --pod ADDRESS --port P"""
import argparse, hashlib, base64

ap = argparse.ArgumentParser()
ap.add_argument('--services', type=int, required=True); ap.add_argument('--endpoints', type=int, required=True)
ap.add_argument('--vip', required=True); ap.add_argument('--pod', required=True); ap.add_argument('--port', type=int, required=True)
a = ap.parse_args()
chains, entries, rules = [], [], []


def name(*of):
    return base64.b32encode(hashlib.sha256('/'.join(map(str, of)).encode()).digest()).decode()[:16]


def port(service, proto, vip, vip_port, endpoints):
    said = f'-m comment --comment "{service}"'
    chain = 'KUBE-SVC-' + name(service, proto)
    chains.append(chain)
    entries.append(f'-A KUBE-SERVICES {said} -d {vip}/32 -p {proto} -m {proto} --dport {vip_port} -j {chain}')
    for i, (address, to) in enumerate(endpoints):
        endpoint = 'KUBE-SEP-' + name(service, proto, address, to)
        left = len(endpoints) - i
        chains.append(endpoint)
        rules.append(f'-A {chain} {said} ' + (f'-m statistic --mode random --probability {1 / left:.11f} ' if left > 1 else '') + f'-j {endpoint}')
        rules.append(f'-A {endpoint} {said} -s {address}/32 -j KUBE-MARK-MASQ')
        rules.append(f'-A {endpoint} {said} -p {proto} -m {proto} -j DNAT --to-destination {address}:{to}')


def other(i):
    port(f'default/s{i}:p cluster IP', 'tcp', f'10.{104 + (i >> 16)}.{i >> 8 & 255}.{i & 255}', 80,
         [(f'10.{128 + ((i * a.endpoints + j) >> 16)}.{(i * a.endpoints + j) >> 8 & 255}.{(i * a.endpoints + j) & 255}', 80) for j in range(a.endpoints)])


for i in range((a.services - 1) // 2):
    other(i)
for proto in 'tcp', 'udp':
    port('default/bench cluster IP', proto, a.vip, a.port, [(a.pod, a.port)])
for i in range((a.services - 1) // 2, a.services - 1):
    other(i)
print('*nat', ':KUBE-SERVICES -', ':KUBE-NODEPORTS -', ':KUBE-POSTROUTING -', ':KUBE-MARK-MASQ -', *(f':{c} -' for c in chains),
      '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
      '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
      '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
      '-A KUBE-POSTROUTING -m comment --comment "traffic requiring SNAT" -j MASQUERADE --random-fully',
      *entries, '-A KUBE-SERVICES -m comment --comment "node ports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS', *rules, 'COMMIT',
      '*filter', ':KUBE-FORWARD -', '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
      '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP', '-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT',
      '-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', 'COMMIT', sep='\n')
