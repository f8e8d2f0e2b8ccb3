#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Many connections to one port, all held at once, a second so many of them begun (0: as many as can be). Says "open N of COUNT" when each
is open or has waited for 2 s. Then for each line of its standard input one byte is sent on each, and "answered N" says how many an
echo server returned within 5 s; when it ends they are reset. many.py ADDRESS PORT COUNT [RATE]"""
import select
import socket
import struct
import sys
import time

to, count, rate = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), int((sys.argv + ['0'])[4])
poll = select.epoll()


def wait(n, seconds, done):
    """How many of n are done in time."""
    so_far, until = 0, time.monotonic() + seconds
    while so_far < n and time.monotonic() < until:
        so_far += sum(done(fd, what) for fd, what in poll.poll(0.1, 10000))
    return so_far


def opened(fd, what):
    poll.unregister(fd)
    return what == select.EPOLLOUT


def answered(fd, what):
    try:
        return len(all_of_them[fd].recv(1))
    except OSError:
        poll.unregister(fd)
        return 0


all_of_them, began = {}, time.monotonic()
for i in range(count):
    s = socket.socket()
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.connect_ex(to)
    all_of_them[s.fileno()] = s
    poll.register(s, select.EPOLLOUT)
    if rate and i % 100 == 0:
        time.sleep(max(0, began + i / rate - time.monotonic()))
print(f'open {wait(count, 2, opened)} of {count}', flush=True)
poll.close()
poll = select.epoll()
for s in all_of_them.values():
    poll.register(s, select.EPOLLIN)
for _ in sys.stdin:
    for s in all_of_them.values():
        try:
            s.send(b'x')
        except OSError:
            pass
    print(f'answered {wait(count, 5, answered)}', flush=True)
