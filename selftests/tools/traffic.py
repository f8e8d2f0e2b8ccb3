#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traffic until SIGTERM: traffic.py [--hold ADDRESS:PORT]... [--ask ADDRESS:PORT]... >REPORT

On each --hold one connection stays, on which an echo server gets a numbered line every 20 ms and is to return each in order; every
40 ms each --ask is connected to anew, for an HTTP GET. The report is JSON: per held connection what was returned and, when it broke,
why; the requests made, and those that failed."""
import argparse
import json
import signal
import socket
import threading
import time

ap = argparse.ArgumentParser()
ap.add_argument('--hold', action='append', default=[])
ap.add_argument('--ask', action='append', default=[])
a = ap.parse_args()
stop = threading.Event()


def connect(to):
    host, port = to.rsplit(':', 1)
    return socket.create_connection((host, int(port)), timeout=5)


class Held(threading.Thread):
    def __init__(self, to):
        super().__init__()
        self.to, self.returned, self.broken = to, 0, None

    def run(self):
        try:
            with connect(self.to) as s, s.makefile('rb') as lines:
                while not stop.wait(0.02):
                    line = b'%d\n' % self.returned
                    s.sendall(line)
                    if lines.readline() != line:
                        raise OSError('not what was sent')
                    self.returned += 1
        except OSError as e:
            self.broken = str(e)

    def report(self):
        return {'to': self.to, 'returned': self.returned, 'broken': self.broken}


class Asked(threading.Thread):
    def __init__(self, to):
        super().__init__()
        self.to, self.requests, self.failed = to, 0, []

    def run(self):
        while not stop.wait(0.04):
            self.requests += 1
            try:
                with connect(self.to) as s:
                    s.sendall(b'GET / HTTP/1.0\r\n\r\n')
                    answer = b''.join(iter(lambda: s.recv(4096), b''))
                if not answer.startswith(b'HTTP/1.1 200') and not answer.startswith(b'HTTP/1.0 200'):
                    raise OSError(f'answer: {answer[:40]}')
            except OSError as e:
                self.failed.append(f'{time.strftime("%T")} {e}')

    def report(self):
        return {'to': self.to, 'requests': self.requests, 'failed': self.failed}


signal.signal(signal.SIGTERM, lambda *_: stop.set())
held, asked = [Held(to) for to in a.hold], [Asked(to) for to in a.ask]
for t in held + asked:
    t.start()
while not stop.wait(1):
    pass
for t in held + asked:
    t.join()
print(json.dumps({'held': [t.report() for t in held], 'asked': [t.report() for t in asked]}))
