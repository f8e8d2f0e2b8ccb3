#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The checker of rollouts finds what is wrong in one, and nothing where nothing is."""
import os, sys
from dataclasses import replace
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tools'))
from rollout_history import Change, Deployment, Pod, Set, check

tests = failed = 0


def good():
    """Three pods, rolled with one more allowed and none missing: the first two steps. Then it is scaled down to two."""
    a, b, c, d, e = (Pod(n, n, s, 'n1', True) for n, s in (('a', 'old'), ('b', 'old'), ('c', 'old'), ('d', 'new'), ('e', 'new')))
    bare = lambda p: replace(p, node='', ready=False)
    gone = lambda p: replace(p, deleting=True)
    log = [Deployment(1, 4, 3, False), Set('old', 'old', 3), ('ADDED', bare(a)), ('ADDED', bare(b)), ('ADDED', bare(c)), a, b, c,
           Deployment(1, 4, 3, True), Deployment(2, 4, 3, False), Set('new', 'new', 1), ('ADDED', bare(d)), replace(d, ready=False), d,
           Set('old', 'old', 2), gone(a), Set('new', 'new', 2), ('ADDED', bare(e)), ('DELETED', gone(a)), e,
           Set('old', 'old', 1), gone(b), ('DELETED', gone(b)), Deployment(3, 3, 2, False), Set('old', 'old', 0), gone(c),
           ('DELETED', gone(c)), Deployment(3, 3, 2, True)]
    return [Change(v, *(o if isinstance(o, tuple) else ('MODIFIED', o))) for v, o in enumerate(log, 10)]


def finds(what, pattern, change):
    """change(history) spoils a good one; pattern stands in what the checker then says."""
    global tests, failed
    history = good()
    change(history)
    faults = check(history)
    fine = any(pattern in f for f in faults) if pattern else not faults
    tests += 1
    failed += not fine
    print(f'{"ok" if fine else "not ok"} {tests} - {what}')
    for f in faults if not fine else []: print('# ', f)


def at(history, type_, **like):
    return next(c for c in history if isinstance(c.object, type_) and all(getattr(c.object, k) == v for k, v in like.items()))


def after(c, type_, o): return Change(c.version + 0.5, type_, o)


def spoil(type_, to, **like):
    def change(history):
        c = at(history, type_, **like)
        c.object = replace(c.object, **to)
    return change


def again(history):
    """A pod is deleted although it was wanted, and made again."""
    d = at(history, Pod, name='d', ready=True)
    history += [after(d, 'DELETED', d.object), Change(d.version + 0.6, 'ADDED', Pod('f', 'f', 'new', 'n1'))]


finds('a good rollout', '', lambda h: None)
finds('in any order', '', lambda h: h.reverse())
finds('a pod made twice', 'pod f is number 2 of its set, which asked for 1',
      lambda h: h.append(after(at(h, Pod, name='d'), 'ADDED', Pod('f', 'f', 'new'))))
finds('a pod deleted too many, and made again', 'pod f is number 2 of its set, which asked for 1', again)
finds('a pod of a set that nobody knows', 'is number 1 of its set, which asked for 0',
      lambda h: h.append(after(at(h, Pod, name='e', ready=True), 'ADDED', Pod('f', 'f', 'strange'))))
finds('a set that grows too early', 'with pod e there are 5, 4 are allowed', lambda h: h.remove(at(h, Pod, name='a', deleting=True)))
finds('one that is allowed by the change before', '', spoil(Deployment, {'most': 3}, generation=2))
finds('one that no change allows', 'with pod d there are 4, 3 are allowed',
      lambda h: [spoil(Deployment, {'most': 3}, generation=2)(h), setattr(at(h, Deployment, complete=True), 'object', Deployment(1, 3, 3, True))])
finds('a pod deleted too early', 'without pod a 2 are available, 3 are promised', lambda h: h.remove(at(h, Pod, name='d', ready=True)))
finds('one that becomes unready', 'without pod d 2 are available, 3 are promised',
      lambda h: h.append(after(at(h, Pod, name='a', deleting=True), 'MODIFIED', Pod('d', 'd', 'new', 'n1', False))))
finds('fewer, as is asked for now', '', spoil(Deployment, {'least': 2}, generation=2))
finds('a pod on two nodes', 'pod d went from n1 to n2', spoil(Pod, {'node': 'n2'}, name='d', ready=True))
print(f'1..{tests}')
sys.exit(bool(failed))
