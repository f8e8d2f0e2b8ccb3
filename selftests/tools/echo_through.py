#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Sends MIB mebibytes, each another, to an echo at a port of this host, and takes them back meanwhile.   echo_through.py PORT MIB
# Prints how many bytes came back, and whether they are those that were sent.
import hashlib
import os
import socket
import sys
import threading

port, mib = int(sys.argv[1]), int(sys.argv[2])
connection = socket.create_connection(("127.0.0.1", port), timeout=60)
block = os.urandom((1 << 20) - 8)
sent, got, n = hashlib.sha256(), hashlib.sha256(), 0


def send():
    for i in range(mib):
        for part in i.to_bytes(8, "big"), block:
            sent.update(part)
            connection.sendall(part)
    connection.shutdown(socket.SHUT_WR)


sender = threading.Thread(target=send, daemon=True)
sender.start()
while some := connection.recv(1 << 18):
    got.update(some)
    n += len(some)
sender.join()
print(n, "the same" if got.digest() == sent.digest() else "others")
