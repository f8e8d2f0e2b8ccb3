#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Tries every address and port of all Services from where it runs, and says who answered and whom he saw.
service_matrix.py SERVICES ENDPOINT_SLICES    two lists, as the API server has them

Prints {group: {"probes": n, "outcome": {"ADDRESS PORT": [...]}, "seen": {SERVER: [SOURCE, ...]}}}. A group is a port of a Service in one
family, by cluster IP, by node port, or by another address: whoever serves one of its addresses serves all. It is asked until who has not answered so far
would have with all likelihood, were he chosen with an equal chance. Outcomes: answered, silence, or the error's name, which is
ETIMEDOUT only where it came at once."""
import errno
import ipaddress
import json
import math
import select
import socket
import struct
import sys
import time

NODE = {4: ["192.0.2.1", "198.51.100.1", "172.30.0.1", "127.0.0.1"], 6: ["2001:db8::1", "2001:db8:1::1", "2001:db8:2::1", "::1"]}
OTHER_PORT = 7              # of no Service here
AT_ONCE = 100               # less than the servers' backlog, with that of other clients
PATIENCE = (0.7, 2.0)       # seconds, of the first try and of the one that confirms a silence
UNSEEN = 1e-7               # the chance to miss a server that is chosen as often as any other


class Group:
    def __init__(self, name, proto, possible, sticky=False):
        self.name, self.proto, self.possible, self.sticky = name, proto, possible, sticky
        self.cells, self.seen = {}, {}
        self.probes = self.since_new = self.rounds = 0

    def add(self, address, port):
        self.cells[address, port] = set()

    def note(self, cell, outcome, server, source):
        self.probes += 1
        self.since_new += 1
        self.cells[cell].add(outcome)
        if server:
            if server not in self.seen:
                self.since_new = 0
            self.seen.setdefault(server, set()).add(source)

    def done(self):
        n = len(self.seen)
        if not n or self.rounds < 2:
            return not n
        return n == self.possible or self.sticky and self.rounds >= 3 or self.since_new >= math.log(UNSEEN) / math.log(n / (n + 1))


class Probe:
    def __init__(self, group, cell, patience):
        self.group, self.cell = group, cell
        self.until = time.monotonic() + PATIENCE[patience]
        self.patience = patience
        self.family = socket.AF_INET6 if ":" in cell[0] else socket.AF_INET
        self.begun = False

    def open(self):
        if self.group.proto == "ICMP":
            return socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if self.family == socket.AF_INET6 else socket.IPPROTO_ICMP)
        return socket.socket(self.family, socket.SOCK_DGRAM if self.group.proto == "UDP" else socket.SOCK_STREAM)

    def begin(self):
        """None, or the outcome where there is one already."""
        self.socket = self.open()
        self.socket.setblocking(False)
        try:
            self.socket.connect((self.cell[0], self.cell[1] if self.group.proto != "ICMP" else 0))
        except BlockingIOError:
            return None
        except OSError as e:
            return errno.errorcode[e.errno]
        return self.ask()

    def ask(self):
        self.begun = True
        try:
            if self.group.proto == "ICMP":
                echo = struct.pack("!BBHHH", 8, 0, 0xf7fe, 1, 0) if self.family == socket.AF_INET else struct.pack("!BBHHH", 128, 0, 0, 1, 0)
                self.socket.send(echo)
            else:
                self.socket.send(b"GET / HTTP/1.0\r\n\r\n")
        except OSError as e:
            return errno.errorcode[e.errno]
        return None

    def go_on(self):
        """None while it lasts; otherwise outcome, server and source."""
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            return errno.errorcode[error], None, None
        if not self.begun:
            outcome = self.ask()
            return (outcome, None, None) if outcome else None
        try:
            said = self.socket.recv(4096)
        except BlockingIOError:
            return None
        except OSError as e:
            return errno.errorcode[e.errno], None, None
        if self.group.proto == "ICMP":
            kind = said[(said[0] & 15) * 4] if self.family == socket.AF_INET else said[0]
            return ("answered", None, None) if kind in (0, 129) else None
        words = said.decode().splitlines()[-1].split() if said else []
        return ("answered", words[0], words[1]) if len(words) == 3 else ("nonsense", None, None)


class Prober:
    def __init__(self):
        self.epoll = select.epoll()
        self.flying = {}

    def launch(self, group, cell, patience=0):
        p = Probe(group, cell, patience)
        outcome = p.begin()
        if outcome:
            group.note(cell, outcome, None, None)
            p.socket.close()
            return
        self.flying[p.socket.fileno()] = p
        self.epoll.register(p.socket, select.EPOLLIN if p.begun else select.EPOLLOUT)

    def land(self, p, outcome, server=None, source=None):
        del self.flying[p.socket.fileno()]
        p.socket.close()
        p.group.note(p.cell, outcome, server, source)

    def turn(self):
        for fd, _ in self.epoll.poll(0.05):
            p = self.flying[fd]
            end = p.go_on()
            if end:
                self.land(p, *end)
            elif p.begun:
                self.epoll.modify(fd, select.EPOLLIN)
        now = time.monotonic()
        for p in [p for p in self.flying.values() if now > p.until]:
            if p.patience or p.group.proto == "ICMP" or "silence" in p.group.cells[p.cell]:
                self.land(p, "silence")
            else:
                del self.flying[p.socket.fileno()]
                p.socket.close()
                self.launch(p.group, p.cell, 1)

    def take(self, groups):
        while groups:
            for g in groups:
                for cell in g.cells:
                    while len(self.flying) >= AT_ONCE:
                        self.turn()
                    self.launch(g, cell)
            while self.flying:
                self.turn()
            for g in groups:
                g.rounds += 1
            groups = [g for g in groups if not g.done()]


def family(address):
    return ipaddress.ip_address(address).version


def endpoints(slices, name, version):
    return {e["addresses"][0] for s in slices if s["metadata"]["labels"]["kubernetes.io/service-name"] == name
            if s["addressType"] == f"IPv{version}" for e in s.get("endpoints") or []}


def groups_of(service, slices):
    name, spec = service["metadata"]["name"], service["spec"]
    others = spec.get("externalIPs", []) + [i["ip"] for i in service["status"].get("loadBalancer", {}).get("ingress", []) if "ip" in i]
    for vip in spec["clusterIPs"]:
        v = family(vip)
        possible, others_of_family = len(endpoints(slices, name, v)), [o for o in others if family(o) == v]
        for p in spec["ports"]:
            at = f"{name} {p.get('name', '-')} {p['protocol']} IPv{v}"
            ways = {"cluster-ip": [(vip, p["port"])], "other-ip": [(o, p["port"]) for o in others_of_family],
                    "node-port": [(n, p["nodePort"]) for n in NODE[v]] if "nodePort" in p else []}
            for way, cells in ways.items():
                # who may use an address is each load balancer's own matter
                for part in [[c] for c in cells] if way == "other-ip" else [cells]:
                    g = Group(f"{at} {way}{' ' + part[0][0] if way == 'other-ip' else ''}" if part else "", p["protocol"], possible, spec.get("sessionAffinity") == "ClientIP")
                    for cell in part:
                        g.add(*cell)
                    if part:
                        yield g
        for kind, addresses in (("cluster-ip", [vip]), ("other-ip", others_of_family)):
            for address in addresses:
                for proto in ("TCP", "UDP", "ICMP"):
                    g = Group(f"{name} {'ping' if proto == 'ICMP' else 'no-port'} {proto} IPv{v} {kind} {address}", proto, 0)
                    g.add(address, OTHER_PORT)
                    yield g


def main():
    services, slices = (json.load(open(f))["items"] for f in sys.argv[1:3])
    groups = [g for s in services if s["metadata"]["name"] != "kubernetes" for g in groups_of(s, slices)]
    for address in ("10.96.200.200", "fd00:10:96::ffff"):
        for proto in ("TCP", "UDP", "ICMP"):
            groups.append(Group(f"- {'ping' if proto == 'ICMP' else 'no-service'} {proto} IPv{family(address)} cluster-ip", proto, 0))
            groups[-1].add(address, OTHER_PORT)
    Prober().take(groups)
    json.dump({g.name: {"probes": g.probes, "sticky": g.sticky, "outcome": {f"{a} {p}": sorted(o) for (a, p), o in g.cells.items()},
                        "seen": {s: sorted(x) for s, x in sorted(g.seen.items())}} for g in groups}, sys.stdout, indent=1)


main()
