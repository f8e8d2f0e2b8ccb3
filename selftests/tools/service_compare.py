#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares what service_matrix.py saw from one place under eBPF and under nftables. Prints each difference that nobody wants, on
standard error how many there are of each that is wanted.
service_compare.py PLACE EBPF NFTABLES"""
import collections
import json
import sys

NODE = {"192.0.2.1", "198.51.100.1", "172.30.0.1", "169.254.1.1", "2001:db8::1", "2001:db8:1::1", "2001:db8:2::1", "fe80::1", "127.0.0.1", "::1"}
ON_NODE = {"a", "b", "n"}           # servers
SOCKETS = {"pod", "node"}           # places whose sockets ours serve
PODS = {"pod", "pod-bare", "far-pod"}


class Cell:
    """A port of a Service at one address, under both."""
    def __init__(self, place, group, at, ebpf, nftables):
        self.place, self.group, self.address = place, group, at.split()[0]
        self.service, self.what, self.proto, self.family, self.way = group.split()[:5]
        self.ebpf, self.nftables = ebpf["outcome"][at], nftables["outcome"][at]

    def are(self, ebpf, *nftables):
        return self.ebpf == [ebpf] and self.nftables in [[n] for n in nftables]


# Of outcomes. Each holds for as little as it can.
WANTED = [
    ("policy Local and endpoints elsewhere only: connect() says so at once, for it cannot wait",
     lambda c: c.place in SOCKETS and c.way == "cluster-ip" and c.what != "no-port" and c.are("ETIMEDOUT", "silence")),
    ("the node's own processes reach node ports at localhost, as at its other addresses",
     lambda c: c.place == "node" and c.address in ("127.0.0.1", "::1") and c.way == "node-port" and c.are("answered", "ECONNREFUSED")),
    ("an address of the service network that no Service has is refused, where upstream drops",
     lambda c: c.service == "-" and c.are("ECONNREFUSED", "silence", "EPERM")),
    ("a ping to a cluster IP is answered, where upstream refuses it",
     lambda c: c.what == "ping" and c.way == "cluster-ip" and c.are("answered", "ECONNREFUSED", "EPERM")),
    ("what a rule refuses or drops on its way out of the node, send() calls EPERM",
     lambda c: c.place == "node" and c.proto == "UDP" and (c.are("ECONNREFUSED", "EPERM") or c.are("silence", "EPERM") or c.are("ETIMEDOUT", "EPERM"))),
]
SOURCE_KEPT = "a pod's address stays, and everybody's where the backend is on this node, where upstream masquerades"


def source(addresses):
    return {"node" if a in NODE else a for a in addresses}


def differences(place, name, ebpf, nftables, wanted):
    for at in ebpf["outcome"]:
        c = Cell(place, name, at, ebpf, nftables)
        if c.ebpf != c.nftables:
            reason = next((reason for reason, holds in WANTED if holds(c)), None)
            wanted[reason] += 1
            if not reason:
                yield f"{name} at {at}: {c.ebpf} and {c.nftables}"
    if not all(any("answered" in o for o in m["outcome"].values()) for m in (ebpf, nftables)):
        return
    if {len(m["seen"]) for m in (ebpf, nftables)} != {1} if ebpf["sticky"] else ebpf["seen"].keys() != nftables["seen"].keys():
        yield f"{name}: served by {list(ebpf['seen'])} and {list(nftables['seen'])}"
    for server in ebpf["seen"].keys() & nftables["seen"].keys():
        kept, masqueraded = (source(m["seen"][server]) for m in (ebpf, nftables))
        if kept == masqueraded:
            continue
        if "node" not in kept and masqueraded == {"node"} and (server in ON_NODE or place in PODS):
            wanted[SOURCE_KEPT] += 1
        else:
            yield f"{name}: {server} saw {sorted(kept)} and {sorted(masqueraded)}"


def main():
    place = sys.argv[1]
    ebpf, nftables = (json.load(open(f)) for f in sys.argv[2:])
    wanted = collections.Counter()
    for name in ebpf:
        for line in differences(place, name, ebpf[name], nftables[name], wanted):
            print(line)
    probes = [sum(g["probes"] for g in m.values()) for m in (ebpf, nftables)]
    print(f"{place}: {len(ebpf)} groups, {probes[0]} and {probes[1]} probes", file=sys.stderr)
    for reason, n in wanted.items():
        if reason:
            print(f"  {n} times: {reason}", file=sys.stderr)


main()
