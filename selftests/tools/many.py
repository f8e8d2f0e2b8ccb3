#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Many connections to one port, all held at once. Says "open N of COUNT" when each is open or has waited for 2 s, and resets them when its
standard input ends. many.py ADDRESS PORT COUNT"""
import select
import socket
import struct
import sys
import time

opened, waiting = 0, {}
poll = select.poll()
for _ in range(int(sys.argv[3])):
    s = socket.socket()
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.connect_ex((sys.argv[1], int(sys.argv[2])))
    waiting[s.fileno()] = s
    poll.register(s, select.POLLOUT)
until = time.monotonic() + 2
while opened < len(waiting) and time.monotonic() < until:
    for fd, what in poll.poll(100):
        poll.unregister(fd)
        opened += what == select.POLLOUT
print(f'open {opened} of {len(waiting)}', flush=True)
sys.stdin.read()
