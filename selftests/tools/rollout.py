#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Plays the kubelet of every pod with the label app=NAME, and holds the pods' number against what was promised, at each event.

rollout.py KUBECONFIG NAME BOUNDS FAULTS [NAMESPACE]: a pod that appears becomes Running and Ready, never with an image
"...-stuck" and later with "...-slow"; one that is being deleted goes. The file BOUNDS says "MIN MAX": at least MIN pods are
available as soon as there were so many once, and never more than MAX are there that are not being deleted; "-" for no limit.
What is broken is written to the file FAULTS, a line each. It ends by SIGTERM.
"""
import sys
import time
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

READY = {"status": {"phase": "Running", "conditions": [
    {"type": t, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"} for t in ("Initialized", "ContainersReady", "Ready")]}}


class Rollout:
    def __init__(self, api, bounds, faults, namespace):
        self.api, self.bounds, self.faults, self.namespace = api, bounds, faults, namespace
        self.pods, self.reached = {}, None

    def see(self, kind, pod):
        name = pod["metadata"]["name"]
        if kind == "DELETED":
            self.pods.pop(name, None)
        else:
            self.pods[name] = pod
        self.check(kind, name)
        if kind != "DELETED":
            self.act(name, pod)

    def check(self, kind, name):
        low, high = open(self.bounds).read().split()
        there = [p for p in self.pods.values() if not p["metadata"].get("deletionTimestamp")]
        available = sum(map(ready, there))
        if high != "-" and len(there) > int(high):
            self.fault(f"{kind} {name}: {len(there)} pods, {high} are allowed")
        if low != "-" and available >= int(low):
            self.reached = low
        if low != "-" and self.reached == low and available < int(low):
            self.fault(f"{kind} {name}: {available} pods are available, {low} are promised")

    def fault(self, text):
        with open(self.faults, "a") as f:
            print(text, file=f)

    def act(self, name, pod):
        image = pod["spec"]["containers"][0]["image"]
        try:
            if pod["metadata"].get("deletionTimestamp"):
                self.api.delete_namespaced_pod(name, self.namespace, grace_period_seconds=0)
            elif not ready(pod) and not image.endswith("-stuck"):
                time.sleep(0.15 if image.endswith("-slow") else 0)
                self.api.patch_namespaced_pod_status(name, self.namespace, READY)
        except ApiException as e:
            if e.status not in (404, 409):
                raise


def ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def main(kubeconfig, name, bounds, faults, namespace="default"):
    config.load_kube_config(kubeconfig)
    api = client.CoreV1Api()
    rollout = Rollout(api, bounds, faults, namespace)
    for event in watch.Watch().stream(api.list_namespaced_pod, namespace, label_selector=f"app={name}", timeout_seconds=600):
        rollout.see(event["type"], event["raw_object"])


main(*sys.argv[1:])
