#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A server that says who it is and whom it sees: "NAME CLIENT_ADDRESS CLIENT_PORT" by TCP (HTTP) and UDP on each PORT, both families.
who.py NAME PORT..."""
import selectors
import socket
import sys

name, ports = sys.argv[1], [int(p) for p in sys.argv[2:]]
events = selectors.DefaultSelector()


def answer(peer):
    return f"{name} {peer[0].removeprefix('::ffff:')} {peer[1]}\n".encode()


def listen(kind, port):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        s.listen(1024)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    events.register(s, selectors.EVENT_READ, accept if kind == socket.SOCK_STREAM else serve_udp)


def accept(s):
    c, _ = s.accept()
    # one that never asks keeps no other waiting
    events.register(c, selectors.EVENT_READ, serve_tcp)


def serve_tcp(c):
    events.unregister(c)
    c.settimeout(5)
    try:
        peer = c.getpeername()
        request = c.recv(4096)
        body = answer(peer)
        if b"/big " in request:
            body += b"x" * 1000000
        c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        c.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    c.close()


def serve_udp(s):
    data, asked, _, peer = s.recvmsg(65536, socket.CMSG_SPACE(20))
    # from the address that was asked, not that of the route back; by whichever device
    source = [(level, kind, info[:16] + bytes(4)) for level, kind, info in asked]
    try:
        s.sendmsg([answer(peer) + b"x" * max(0, len(data) - 100)], source, 0, peer)
    except OSError:
        pass


for p in ports:
    listen(socket.SOCK_STREAM, p)
    listen(socket.SOCK_DGRAM, p)
while True:
    for key, _ in events.select():
        key.data(key.fileobj)
