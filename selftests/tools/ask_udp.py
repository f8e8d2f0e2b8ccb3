#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Sends one datagram and prints what came back, and from where; the error's name when there was one.
ask_udp.py ADDRESS PORT [BYTES [SOURCE_PORT [SECONDS]]]"""
import errno
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
size, source, seconds = (int(a) for a in (sys.argv[3:6] + ["1", "0", "2"][len(sys.argv) - 3:]))
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(seconds)
s.bind(("::" if ":" in host else "0.0.0.0", source))
s.connect((host, port))
try:
    s.send(b"x" * size)
    print(s.recv(65536).decode().splitlines()[0])
except TimeoutError:
    print("silence")
except OSError as e:
    print(errno.errorcode[e.errno])
