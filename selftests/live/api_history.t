#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The checker of histories finds what is wrong in one, and nothing where nothing is."""
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tools'))
from api_history import Event, Op, Watch, check

tests = failed = 0


def good():
    """Two keys, two watches from the beginning and one of the odd values; the answer to b's update never came."""
    log = [Event(11, 'ADDED', 'a', 'v1'), Event(12, 'ADDED', 'b', 'v2'), Event(13, 'MODIFIED', 'a', 'v3'),
           Event(15, 'MODIFIED', 'b', 'v5'), Event(16, 'DELETED', 'a', 'v3'), Event(17, 'ADDED', 'a', 'v6')]
    odd = lambda value: int(value[1:]) % 2
    ops = [Op('create', 'a', 1, 2, 'ok', None, 'v1', 11), Op('create', 'b', 1.5, 3, 'ok', None, 'v2', 12),
           Op('create', 'a', 3, 4, 'exists', None, 'v8'), Op('get', 'a', 4, 5, 'ok', None, 'v1', 11),
           Op('update', 'a', 4.5, 6, 'ok', 11, 'v3', 13), Op('update', 'a', 6.5, 7, 'conflict', 11, 'v4'),
           Op('list', None, 7, 8, 'ok', version=13, items={'a': (13, 'v3'), 'b': (12, 'v2')}),
           Op('patch', 'b', 8, value='v5'), Op('update', 'a', 8.5, expect=13, value='v9'),
           Op('delete', 'a', 9, 10, 'ok', 13), Op('get', 'a', 10, 11, 'absent'), Op('delete', 'a', 10.5, 11.5, 'absent', 13),
           Op('create', 'a', 12, 13, 'ok', None, 'v6', 17), Op('get', 'a', 14, 15, 'ok', None, 'v6', 17),
           Op('list', None, 16, 17, 'ok', version=17, items={'a': (17, 'v6'), 'b': (15, 'v5')}),
           Op('list', None, 18, 19, 'ok', version=12, items={'a': (11, 'v1'), 'b': (12, 'v2')}, past=True)]
    selected = [log[0], log[2], Event(15, 'ADDED', 'b', 'v5'), log[4]]
    return ops, [Watch('one', 10, 17, list(log)), Watch('two', 10, 17, list(log)), Watch('odd', 10, 17, selected, odd)]


def finds(what, pattern, change):
    """change(ops, watches) spoils a good history; pattern stands in what the checker then says."""
    global tests, failed
    ops, watches = good()
    change(ops, watches)
    faults = check(ops, watches)
    fine = any(pattern in f for f in faults) if pattern else not faults
    tests += 1
    failed += not fine
    print(f'{"ok" if fine else "not ok"} {tests} - {what}')
    for f in faults if not fine else []: print('# ', f)


def drop(events, version):
    events[:] = [e for e in events if e.version != version]


def everywhere(watches, change):
    for w in watches: change(w.events)


def find(ops, **like):
    return next(o for o in ops if all(getattr(o, k) == v for k, v in like.items()))


def set_(o, **to):
    for k, v in to.items(): setattr(o, k, v)


finds('a good history', '', lambda ops, ws: None)
finds('a write without an answer that did not happen', '', lambda ops, ws: ops.append(Op('create', 'c', 20, value='v20')))
finds('a lost write', 'lost: ', lambda ops, ws: everywhere(ws, lambda e: drop(e, 17)))
finds('a lost deletion', 'lost: ', lambda ops, ws: everywhere(ws, lambda e: drop(e, 16)))
finds('a write acknowledged with another value', 'was not asked for', lambda ops, ws: set_(find(ops, value='v6', do='create'), value='v7'))
finds('a write acknowledged at another version', 'was made at version 17', lambda ops, ws: set_(find(ops, value='v6', do='create'), version=18))
finds('a write on top of another version than it named', 'named another', lambda ops, ws: set_(find(ops, value='v3', do='update'), expect=10))
finds('one version deleted for two', 'lost: ', lambda ops, ws: set_(find(ops, do='delete', outcome='absent'), outcome='ok'))
finds('a change that nobody asked for', 'was not asked for',
      lambda ops, ws: everywhere(ws, lambda e: e.insert(3, Event(14, 'MODIFIED', 'b', 'v7'))))
finds('a write done twice', 'or is there twice', lambda ops, ws: everywhere(ws[:2], lambda e: e.append(Event(18, 'MODIFIED', 'a', 'v6'))))
finds('a write done before it was asked for', 'not linearizable', lambda ops, ws: set_(find(ops, value='v3', do='update'), begin=11, end=12))
finds('a write that an earlier read does not know', 'not linearizable', lambda ops, ws: set_(find(ops, value='v5'), begin=20))
finds('a stale read', 'not linearizable', lambda ops, ws: set_(find(ops, do='get', version=17), value='v3', version=13))
finds('a stale absence', 'not linearizable', lambda ops, ws: set_(find(ops, do='get', version=17), outcome='absent', version=None, value=None))
finds('a read of what never was', 'not linearizable', lambda ops, ws: set_(find(ops, do='get', version=17), value='v77'))
finds('a read of the future', 'not linearizable', lambda ops, ws: set_(find(ops, do='get', version=11), value='v6', version=17))
finds('a read that goes back behind another', 'not linearizable', lambda ops, ws: ops.extend(
    [Op('get', 'b', 8.1, 8.2, 'ok', None, 'v5', 15), Op('get', 'b', 8.3, 8.4, 'ok', None, 'v2', 12)]))
finds('two reads at the same time may differ', '', lambda ops, ws: ops.extend(
    [Op('get', 'b', 8.1, 8.3, 'ok', None, 'v5', 15), Op('get', 'b', 8.2, 8.4, 'ok', None, 'v2', 12)]))
finds('a conflict without a reason', 'not linearizable', lambda ops, ws: set_(find(ops, outcome='conflict'), expect=13))
finds('a refusal to create what is not there', 'not linearizable', lambda ops, ws: set_(find(ops, outcome='exists'), begin=10.9, end=11))
finds('an event that came twice', 'came twice', lambda ops, ws: ws[0].events.insert(2, ws[0].events[1]))
finds('an old event after a resumption', 'came twice', lambda ops, ws: ws[1].events.append(ws[1].events[2]))
finds('events in another order', 'came after', lambda ops, ws: ws[0].events.insert(1, ws[0].events.pop(3)))
finds('a missed event', 'watch two: missed', lambda ops, ws: drop(ws[1].events, 13))
finds('a missed event at the end', 'watch one: missed', lambda ops, ws: ws[0].events.pop())
finds('an event that a selector missed', 'watch odd: missed', lambda ops, ws: drop(ws[2].events, 15))
finds('what leaves a selector and is not said to', 'watch odd', lambda ops, ws: ws[2].events.__setitem__(-1, Event(16, 'MODIFIED', 'a', 'v3')))
finds('watches that differ', 'is in another watch', lambda ops, ws: ws[1].events.__setitem__(2, Event(13, 'MODIFIED', 'a', 'v4')))
finds('an addition of what is there', 'does not follow', lambda ops, ws: everywhere(ws[:2], lambda e: e.__setitem__(2, Event(13, 'ADDED', 'a', 'v3'))))
finds('a list without one', 'a list at 13', lambda ops, ws: find(ops, do='list', version=13).items.pop('b'))
finds('a list with a newer one', 'a list at 13', lambda ops, ws: find(ops, do='list', version=13).items.update(b=(15, 'v5')))
finds('a list of the past that is not it', 'a list at 12', lambda ops, ws: find(ops, do='list', version=12).items.update(a=(13, 'v3')))
finds('a stale list', 'not linearizable', lambda ops, ws: set_(find(ops, do='list', version=12), past=False))
print(f'1..{tests}')
sys.exit(failed > 0)
