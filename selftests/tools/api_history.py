# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What clients of one collection did and saw, and whether a store that keeps its promises can have answered so.

Every version has a number of its own, so the order of the writes is not searched for, as for registers in general, but
read from the watches. What is left to check, and is checked exactly:

- watches: each shows, from its start to its end, every change once, in order, with the same content as the others;
- writes: each that was acknowledged is in the log with its value, on top of the version it named, and each change in
  the log was asked for, once. One whose answer never came may be in the log or not;
- linearizability, over all keys together: there is one moment between each call and its answer at which the answer was
  true. The order of the log is the order of the moments, so the earliest moment possible is always the right choice;
- lists: what is listed at a version is what the log leaves at that version.

Times are of one clock; a key's state is (version, value), or None where there is no such object."""
import bisect, heapq
from dataclasses import dataclass, field
from typing import Callable, NamedTuple, Optional

UNKNOWN = 'unknown'          # the connection died: done or not done
ENDLESS = float('inf')


@dataclass
class Op:
    """do: create, update, patch, delete, get, list. outcome: ok, absent (404), exists, conflict (409), unknown."""
    do: str
    key: Optional[str]
    begin: float
    end: float = ENDLESS
    outcome: str = UNKNOWN
    expect: Optional[int] = None     # the version it was to be done on top of
    value: Optional[str] = None      # written, unique to this call; or read
    version: Optional[int] = None    # made, or read; of a list the collection's
    items: Optional[dict] = None     # of a list: key -> (version, value)
    past: bool = False               # a list at a version asked for, not of the present


class Event(NamedTuple):
    version: int
    type: str                        # ADDED, MODIFIED, DELETED
    key: str
    value: Optional[str]             # of a deletion, the last


@dataclass
class Watch:
    name: str
    start: int                       # the version it was begun from
    end: int = 0                     # it has seen everything up to and with this one
    events: list = field(default_factory=list)
    selects: Optional[Callable] = None  # value -> bool; None: everything


class Log:
    """The changes by version, and each key's states: [(version it holds from, value or None)]."""
    def __init__(self, watches, faults):
        self.changes, self.states = {}, {}
        for w in watches:
            if w.selects is None:
                for e in w.events:
                    if self.changes.setdefault(e.version, e) != e:
                        faults.append(f'watch {w.name}: {e} is in another watch {self.changes[e.version]}')
        for v in sorted(self.changes):
            e = self.changes[v]
            states = self.states.setdefault(e.key, [(0, None)])
            if (e.type == 'ADDED') != (states[-1][1] is None): faults.append(f'{e} does not follow from what was before, {states[-1]}')
            if e.type == 'DELETED' and e.value != states[-1][1]: faults.append(f'{e} is not the last state, {states[-1]}')
            states.append((v, None if e.type == 'DELETED' else e.value))
        self.order = sorted(self.changes)

    def of(self, key):
        return self.states.get(key, [(0, None)])

    def index(self, key, version):
        """Of the state that holds at that version."""
        return bisect.bisect_right(self.of(key), version, key=lambda s: s[0]) - 1

    def at(self, version):
        found = {k: s[self.index(k, version)] for k, s in self.states.items()}
        return {k: s for k, s in found.items() if s[1] is not None}

    def before(self, e):
        return self.of(e.key)[self.index(e.key, e.version) - 1]

    def seen_by(self, w):
        """The events that a watch must have: those of a selector are about what enters and leaves its choice."""
        first, last = (bisect.bisect_right(self.order, v) for v in (w.start, w.end))
        for e in (self.changes[v] for v in self.order[first:last]):
            if w.selects is None:
                yield e
                continue
            was = self.before(e)[1]
            was, now = was is not None and w.selects(was), e.type != 'DELETED' and w.selects(e.value)
            if was or now: yield e._replace(type='MODIFIED' if was and now else 'ADDED' if now else 'DELETED')


def check_watch(log, w, faults):
    last, seen = w.start, {}
    for e in w.events:
        if e.version in seen: faults.append(f'watch {w.name}: {e} came twice')
        elif e.version < last: faults.append(f'watch {w.name}: {e} came after {last}')
        elif e.version > w.end: faults.append(f'watch {w.name}: {e} is beyond its end, {w.end}')
        last = max(last, e.version)
        seen[e.version] = e
    due = {e.version: e for e in log.seen_by(w)}
    for v in sorted(due.keys() - seen.keys()): faults.append(f'watch {w.name}: missed {due[v]}')
    for v in sorted(seen.keys() - due.keys()): faults.append(f'watch {w.name}: {seen[v]} is none of the changes')
    for v in sorted(seen.keys() & due.keys()):
        # an object that leaves a selector is shown as it was or as it is; upstream has done both
        if seen[v][:3] != due[v][:3] or w.selects is None and seen[v] != due[v]:
            faults.append(f'watch {w.name}: {seen[v]} should be {due[v]}')


def find_writes(log, ops, faults):
    """op -> version of the change it made. Each change has one, and each acknowledged write."""
    made, by_value, deletions = {}, {}, {}
    for o in ops:
        if o.outcome not in ('ok', UNKNOWN): continue
        if o.do in ('create', 'update', 'patch'): by_value[o.key, o.value] = o
        if o.do == 'delete': deletions.setdefault((o.key, o.expect), []).append(o)
    for e in (log.changes[v] for v in log.order):
        was = log.before(e)[0]
        if e.type == 'DELETED':
            # of two deletions of one version, the one that was acknowledged was it
            asked = deletions.get((e.key, was), [])
            o = min(asked, key=lambda o: (o.outcome != 'ok', o.begin), default=None)
            if o: asked.remove(o)
        else:
            o = by_value.pop((e.key, e.value), None)
        if not o: faults.append(f'{e} was not asked for, or is there twice')
        elif (o.do == 'create') != (e.type == 'ADDED'): faults.append(f'{e} came of {o}')
        elif o.expect not in (None, was): faults.append(f'{e} is on top of version {was}, {o} named another')
        else: made[id(o)] = e.version
    for o in ops:
        if o.outcome != 'ok' or o.do not in ('create', 'update', 'patch', 'delete'): continue
        if id(o) not in made: faults.append(f'lost: {o} was acknowledged and is not in the log')
        elif o.version not in (None, made[id(o)]): faults.append(f'{o} was made at version {made[id(o)]}')
    return made


def fits(o, state):
    version, value = state
    if o.outcome == 'absent': return value is None
    if o.outcome == 'exists': return value is not None
    if o.outcome == 'conflict': return value is not None and version != o.expect
    return (version, value) == (o.version, o.value)


def moment(log, o, made, floor):
    """The earliest version at which the answer was true, not before floor; None: there is none."""
    if id(o) in made: return made[id(o)] if made[id(o)] > floor else None
    if o.do == 'list': return o.version if o.version >= floor else None
    states = log.of(o.key)
    for s in states[log.index(o.key, floor):]:
        if fits(o, s): return max(floor, s[0])
    return None


def check_order(log, ops, made, faults):
    """Calls in the order they began; a call is not before the moment of any that had been answered by then."""
    ended, floor = [], 0
    for n, o in enumerate(sorted(ops, key=lambda o: o.begin)):
        if o.past or o.outcome == UNKNOWN and id(o) not in made: continue
        if o.outcome == 'ok' and o.do in ('create', 'update', 'patch', 'delete') and id(o) not in made: continue
        while ended and ended[0][0] < o.begin: floor = max(floor, heapq.heappop(ended)[2])
        at = moment(log, o, made, floor)
        if at is None: faults.append(f'not linearizable: {o} cannot have been answered so after version {floor}, which others had seen')
        else: heapq.heappush(ended, (o.end, n, at))


def check(ops, watches):
    """The faults, as sentences; []: all is well."""
    faults = []
    log = Log(watches, faults)
    for w in watches: check_watch(log, w, faults)
    made = find_writes(log, ops, faults)
    check_order(log, ops, made, faults)
    for o in ops:
        if o.do == 'list' and o.outcome == 'ok':
            left = log.at(o.version)
            if left != o.items:
                faults.append(f'a list at {o.version} differs from the log: {sorted(set(left.items()) ^ set(o.items.items()))[:4]}')
    return faults
