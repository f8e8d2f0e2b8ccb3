# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What happened to a Deployment, its ReplicaSets and their pods, one revision after the other, and which promises that broke.

Only what controllers and scheduler do counts, so nobody else may delete pods, and nodes never make a ready pod unready:

- slots: a set never had more pods made, from the first to the last, than it was ever told to have more: the sum of the steps by which
  spec.replicas grew. One pod made twice, or deleted although it was wanted and made again, and there is one too many;
- surge: when a pod is made there are no more than replicas + maxSurge that are not being deleted;
- availability: when an available pod goes, replicas - maxUnavailable are left. A pod is available while it is ready and not being deleted;
- binding: a pod that has a node keeps it.

While a Deployment's change is under way what it asked for before may still be brought about: between two moments at which its status
says that all is done, the largest number of pods that it allowed holds, and the smallest availability that it wanted."""
from dataclasses import dataclass, field


@dataclass
class Change:
    """Of an object, as a watch shows it."""
    version: int
    type: str                        # ADDED, MODIFIED, DELETED
    object: object                   # Deployment, Set, Pod


@dataclass
class Deployment:
    generation: int
    most: int                        # pods it allows: replicas + maxSurge
    least: int                       # and wants available: replicas - maxUnavailable
    complete: bool                   # its status, of this generation, says so


@dataclass
class Set:
    uid: str
    name: str
    replicas: int


@dataclass
class Pod:
    uid: str
    name: str
    set: str                         # uid of its ReplicaSet
    node: str = ''
    ready: bool = False
    deleting: bool = False

    @property
    def available(self): return self.ready and not self.deleting


@dataclass
class Slots:
    told: int = 0                    # spec.replicas
    asked: int = 0                   # the sum of its growth
    made: int = 0                    # pods


@dataclass
class History:
    faults: list = field(default_factory=list)
    wanted: list = field(default_factory=list)      # Deployments, from the last that was complete
    slots: dict = field(default_factory=dict)       # by uid of the set
    pods: dict = field(default_factory=dict)        # by uid
    bound: dict = field(default_factory=dict)       # uid -> node

    def see(self, c):
        o = c.object
        {Deployment: self.see_deployment, Set: self.see_set, Pod: self.see_pod}[type(o)](c, o)

    def fault(self, c, text): self.faults.append(f'revision {c.version}: {text}')

    def see_deployment(self, c, o):
        if o.complete: self.wanted.clear()
        self.wanted.append(o)

    def see_set(self, c, o):
        s = self.slots.setdefault(o.uid, Slots())
        if c.type == 'DELETED': return
        s.asked += max(0, o.replicas - s.told)
        s.told = o.replicas

    def see_pod(self, c, o):
        was = self.pods.get(o.uid)
        if c.type == 'DELETED': self.pods.pop(o.uid, None)
        else: self.pods[o.uid] = o
        if c.type == 'ADDED': self.made(c, o)
        if was and was.available and not (c.type != 'DELETED' and o.available): self.went(c, o)
        if o.node != self.bound.setdefault(o.uid, o.node) != '': self.fault(c, f'pod {o.name} went from {self.bound[o.uid]} to {o.node}')
        self.bound[o.uid] = o.node

    def made(self, c, o):
        s = self.slots.setdefault(o.set, Slots())
        s.made += 1
        if s.made > s.asked: self.fault(c, f'pod {o.name} is number {s.made} of its set, which asked for {s.asked}')
        there, most = sum(not p.deleting for p in self.pods.values()), max(d.most for d in self.wanted)
        if there > most: self.fault(c, f'with pod {o.name} there are {there}, {most} are allowed')

    def went(self, c, o):
        left, least = sum(p.available for p in self.pods.values()), min(d.least for d in self.wanted)
        if left < least: self.fault(c, f'without pod {o.name} {left} are available, {least} are promised')


def check(changes):
    """The faults, as sentences; []: all is well. Each change once, in any order; the first Deployment's is before all pods'."""
    h = History()
    for c in sorted(changes, key=lambda c: c.version): h.see(c)
    return h.faults
