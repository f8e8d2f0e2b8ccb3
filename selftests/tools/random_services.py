#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes Services and their EndpointSlices by chance, in the namespace default of an API server: the same ones for the same seed.
random_services.py URL CA_FILE TOKEN SEED COUNT

Endpoints are the servers of selftests/two_nodes.sh. Addresses and node ports are given out here, so that a seed says all."""
import http.client
import json
import random
import ssl
import sys
import urllib.parse

IPV4, IPV6 = "IPv4", "IPv6"
# name of the server: its node and addresses
SERVERS = {
    "a": ("node", {IPV4: "10.244.1.2", IPV6: "fd00:10:244:1::2"}),
    "b": ("node", {IPV4: "10.244.1.3", IPV6: "fd00:10:244:1::3"}),
    "n": ("node", {IPV4: "192.0.2.1", IPV6: "2001:db8::1"}),
    "r": ("far", {IPV4: "10.244.2.2", IPV6: "fd00:10:244:2::2"}),
}
RANGES = ["198.51.100.0/24", "203.0.113.0/24", "10.244.0.0/16", "10.244.1.2/32", "192.0.2.0/24", "0.0.0.0/0", "172.30.0.0/16",
          "2001:db8:1::/64", "fd00:10:244::/48", "2001:db8::/48", "::/0"]
CONDITIONS = [
    (12, {"ready": True}), (2, {}), (3, {"ready": False, "serving": False}),
    (4, {"ready": False, "serving": True, "terminating": True}), (1, {"ready": False, "serving": False, "terminating": True}),
]


def by_weight(rnd, choices):
    return rnd.choices([c for _, c in choices], [w for w, _ in choices])[0]


class Maker:
    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.chance = lambda p: self.rnd.random() < p

    def ports(self, i, node_ports):
        ports = []
        for n in range(by_weight(self.rnd, [(5, 1), (3, 2), (1, 3)])):
            port = {"name": f"p{n}", "protocol": by_weight(self.rnd, [(3, "TCP"), (2, "UDP")])}
            # one number for two protocols, now and then
            port["port"] = ports[0]["port"] if n == 1 and ports[0]["protocol"] != port["protocol"] and self.chance(.5) else 1000 + i * 4 + n
            if node_ports:
                port["nodePort"] = 30000 + i * 4 + n
            ports.append(port)
        if len(ports) == 1 and self.chance(.5):
            del ports[0]["name"]
        return ports

    def spec(self, i):
        families = by_weight(self.rnd, [(5, [IPV4]), (2, [IPV6]), (3, [IPV4, IPV6]), (1, [IPV6, IPV4])])
        kind = by_weight(self.rnd, [(3, "ClusterIP"), (3, "NodePort"), (4, "LoadBalancer")])
        vip = {IPV4: f"10.96.{1 + i // 250}.{1 + i % 250}", IPV6: f"fd00:10:96::{1 + i:x}"}
        spec = {
            "type": kind, "ports": self.ports(i, kind != "ClusterIP"), "ipFamilies": families,
            "ipFamilyPolicy": "SingleStack" if len(families) == 1 else "RequireDualStack",
            "clusterIPs": [vip[f] for f in families], "clusterIP": vip[families[0]],
            "internalTrafficPolicy": by_weight(self.rnd, [(2, "Cluster"), (1, "Local")]),
            "publishNotReadyAddresses": self.chance(.1),
        }
        if self.chance(.3):
            external = self.rnd.sample([f"203.0.113.{1 + i % 8}", "2001:db8:e::1", f"2001:db8:e::{2 + i % 8}", "192.0.2.1"], self.rnd.randint(1, 2))
            spec["externalIPs"] = sorted(external)
        if kind != "ClusterIP" or "externalIPs" in spec:
            spec["externalTrafficPolicy"] = by_weight(self.rnd, [(1, "Cluster"), (1, "Local")])
        if kind == "LoadBalancer" and self.chance(.4):
            spec["loadBalancerSourceRanges"] = self.rnd.sample(RANGES, self.rnd.randint(1, 3))
        if self.chance(.2):
            spec["sessionAffinity"] = "ClientIP"
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": self.rnd.choice([600, 10800])}}
        return spec

    def ingress(self, i, families):
        all_of_it = []
        for family, ip in ((IPV4, f"203.0.113.{20 + i % 200}"), (IPV6, f"2001:db8:f::{1 + i:x}")):
            if family in families and self.chance(.8):
                mode = by_weight(self.rnd, [(2, {}), (2, {"ipMode": "VIP"}), (1, {"ipMode": "Proxy"})])
                all_of_it.append({"ip": ip, **mode})
        return all_of_it + ([{"hostname": "lb.example"}] if self.chance(.1) else [])

    def endpoint(self, server, family, hints):
        node, addresses = SERVERS[server]
        e = {"addresses": [addresses[family]], "conditions": by_weight(self.rnd, CONDITIONS)}
        if not self.chance(.03):
            e["nodeName"] = node
        if hints and not self.chance(.1):
            zone, other = self.rnd.choice(["z1", "z2"]), self.rnd.choice(["node", "far"])
            e["hints"] = {**({"forZones": [{"name": zone}]} if "zone" in hints else {}), **({"forNodes": [{"name": other}]} if "node" in hints else {})}
        return e

    def slices(self, name, spec):
        hints = by_weight(self.rnd, [(6, ""), (2, "zone"), (1, "zone node")])
        # a port that no endpoint has; one where nobody listens
        ports = [{"name": p.get("name", ""), "protocol": p["protocol"], "port": by_weight(self.rnd, [(8, 8080), (6, 80), (1, 9)])}
                 for p in spec["ports"] if not self.chance(.04)]
        for family in spec["ipFamilies"]:
            servers = self.rnd.sample(sorted(SERVERS), by_weight(self.rnd, [(1, 0), (2, 1), (3, 2), (3, 3), (2, 4)]))
            endpoints = [self.endpoint(s, family, hints) for s in servers]
            cut = self.rnd.randint(0, len(endpoints)) if self.chance(.2) else len(endpoints)
            for n, part in enumerate((endpoints[:cut], endpoints[cut:])):
                if part or not n and self.chance(.5):
                    yield {
                        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family, "ports": ports, "endpoints": part,
                        "metadata": {"name": f"{name}-{family.lower()}-{n}", "labels": {"kubernetes.io/service-name": name}},
                    }


class Server:
    def __init__(self, url, ca, token):
        u = urllib.parse.urlparse(url)
        self.http = http.client.HTTPSConnection(u.hostname, u.port, timeout=20, context=ssl.create_default_context(cafile=ca))
        self.token = token

    def send(self, method, path, body, kind="application/json"):
        self.http.request(method, path, json.dumps(body), {"Authorization": "Bearer " + self.token, "Content-Type": kind})
        r = self.http.getresponse()
        said = r.read()
        if r.status >= 300:
            sys.exit(f"{method} {path}: {r.status} {said[:500].decode()}")


def main():
    url, ca, token, seed, count = sys.argv[1:]
    server, maker = Server(url, ca, token), Maker(int(seed))
    services, slices = "/api/v1/namespaces/default/services", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    for i in range(int(count)):
        name, spec = f"s{i}", maker.spec(i)
        server.send("POST", services, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})
        if spec["type"] == "LoadBalancer":
            server.send("PATCH", f"{services}/{name}/status", {"status": {"loadBalancer": {"ingress": maker.ingress(i, spec["ipFamilies"])}}},
                        "application/merge-patch+json")
        for s in maker.slices(name, spec):
            server.send("POST", slices, s)


main()
