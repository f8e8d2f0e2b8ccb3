#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""SCTP by one-to-one sockets.
sctp.py serve NAME HOST PORT          says "NAME CLIENT_ADDRESS CLIENT_PORT", then echoes; prints how each association ended
sctp.py ask HOST PORT [FROM [PORT]]   prints what the server says, and how many messages of all sizes came back; or an errno
sctp.py hold HOST PORT FILE           sends and gets small ones until SIGTERM, then shuts down; FILE has their number meanwhile
HOST '*' is all addresses, of both families."""
import errno
import os
import signal
import socket
import sys
import threading
import time

TIMEOUT = 8


def plain(address):
    return address.removeprefix("::ffff:")


def make(host):
    s = socket.socket(socket.AF_INET6 if ":" in host or host == "*" else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s


def echo(name, c, peer):
    n = 0
    try:
        c.sendall(f"{name} {plain(peer[0])} {peer[1]}".encode())
        while data := c.recv(1 << 17):
            c.sendall(data)
            n += len(data)
        print("shut down after", n, flush=True)
    except OSError as e:
        print(errno.errorcode[e.errno], "after", n, flush=True)
    c.close()


def serve(name, host, port):
    s = make(host)
    s.bind(("::" if host == "*" else host, int(port)))
    s.listen(64)
    print("ready", flush=True)
    while True:
        c, peer = s.accept()
        threading.Thread(target=echo, args=(name, c, peer), daemon=True).start()


def connect(host, port, source=None, source_port=0):
    s = make(host)
    s.settimeout(TIMEOUT)
    if source:
        s.bind((source, int(source_port)))
    s.connect((host, int(port)))
    return s, s.recv(4096).decode()


def comes_back(s, message):
    s.sendall(message)
    got = b""
    while len(got) < len(message):
        some = s.recv(1 << 17)
        if not some:
            break
        got += some
    return got == message


def ask(host, port, *source):
    s, said = connect(host, port, *source)
    sizes = [*range(1, 40), 1000, 1400, 1452, 1453, 1500, 4000, 20000, 60000] * 2
    n = sum(comes_back(s, os.urandom(size)) for size in sizes)
    peer = s.getpeername()
    s.close()
    print(said, f"{n}/{len(sizes)}", plain(peer[0]))


def hold(host, port, path):
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    s, said = connect(host, port)
    n = 0
    while not ended.is_set():
        if not comes_back(s, b"%d" % n):
            sys.exit("lost")
        n += 1
        with open(path + ".new", "w") as f:
            f.write(str(n))
        os.rename(path + ".new", path)
        time.sleep(0.02)
    s.close()
    print(said, n)


try:
    {"serve": serve, "ask": ask, "hold": hold}[sys.argv[1]](*sys.argv[2:])
except OSError as e:
    print(errno.errorcode.get(e.errno, "silence"))
