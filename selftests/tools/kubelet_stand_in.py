#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A kubelet's serving side without containers, for tests of the API server: HTTPS with client certificates, logs, exec, attach and
port-forward over SPDY/3.1, /metrics/resource. What a container does is in its name or its command:

  container "waiting"       logs and exec are refused with 400
  container "vanished"      exec answers 404; "plain": 200 in place of 101; "moved": 302; "hung": nothing
  exec cat                  echoes standard input until it ends
  exec exit N               ends with that code;  exec both: "out" and "err"
  exec flood N              N MiB of zeros;  exec count: how many bytes came
  exec size                 the first terminal size;  exec ask: the query and the headers that came
  exec die                  the connection breaks after "before"
Each request is a line "METHOD URL client's common name" on standard output, each end of a stream a line "gone KIND".
"""
import argparse
import json
import os
import queue
import socket
import ssl
import struct
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WORDS = """options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5
content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range
if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after
server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status""".split() + [
    "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"]
TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information"
    "204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error"
    "501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, "
    "Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.")
DICTIONARY = b"".join(struct.pack(">I", len(w)) + w.encode() for w in WORDS) + TAIL.encode()


def say(*words):
    print(*words, flush=True)


class Stream:
    def __init__(self, spdy, number, headers):
        self.spdy, self.number, self.headers = spdy, number, headers
        self.received = queue.Queue(64)

    def write(self, data):
        for at in range(0, len(data), 32768):
            part = data[at:at + 32768]
            self.spdy.send(struct.pack(">II", self.number, len(part)) + part)

    def end(self):
        self.spdy.send(struct.pack(">IBBH", self.number, 1, 0, 0))

    def chunks(self):
        while (data := self.received.get()) is not None:
            yield data


class Spdy:
    """The server's side, as spdystream has it: no windows; every stream that the client opens is accepted."""

    def __init__(self, sock, reader):
        self.sock, self.reader, self.streams, self.lock = sock, reader, {}, threading.Lock()
        self.inflate, self.deflate = zlib.decompressobj(zdict=DICTIONARY), zlib.compressobj(zdict=DICTIONARY)
        self.opened = queue.Queue()

    def send(self, data):
        with self.lock:
            self.sock.sendall(data)

    def control(self, kind, payload):
        self.send(struct.pack(">HHI", 0x8003, kind, len(payload)) + payload)

    def headers(self, block):
        text = self.inflate.decompress(block)
        (n,), at, words = struct.unpack_from(">I", text), 4, []
        for _ in range(2 * n):
            (length,) = struct.unpack_from(">I", text, at)
            words.append(text[at + 4:at + 4 + length].decode())
            at += 4 + length
        return dict(zip(words[::2], words[1::2]))

    def frame(self, first, length, payload):
        flags = length >> 24
        if not first >> 31:
            if payload:
                self.streams[first].received.put(payload)
            if flags & 1:
                self.streams[first].received.put(None)
        elif first & 0xffff == 1:
            number = struct.unpack_from(">I", payload)[0]
            stream = self.streams[number] = Stream(self, number, self.headers(payload[10:]))
            with self.lock:
                block = self.deflate.compress(struct.pack(">I", 0)) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
                self.sock.sendall(struct.pack(">HHII", 0x8003, 2, len(block) + 4, number) + block)
            if flags & 1:
                stream.received.put(None)
            self.opened.put(stream)
        elif first & 0xffff == 3:
            self.streams[struct.unpack_from(">I", payload)[0]].received.put(None)
        elif first & 0xffff == 6:
            self.control(6, payload)

    def run(self):
        try:
            while len(head := self.reader.read(8)) == 8:
                first, length = struct.unpack(">II", head)
                self.frame(first, length, self.reader.read(length & 0xffffff))
        except OSError:
            pass
        for stream in self.streams.values():
            stream.received.put(None)
        self.opened.put(None)


class Kubelet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass

    def answer(self, code, text, kind="text/plain", **headers):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def everything(self):
        cert = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        names = [v for rdn in (cert or {}).get("subject", ()) for k, v in rdn if k == "commonName"]
        say(self.command, self.path, names[0] if names else "-")
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        self.query = parse_qs(url.query, keep_blank_values=True)
        serve = {"containerLogs": self.logs, "exec": self.exec_, "attach": self.exec_, "portForward": self.port_forward,
                 "metrics": self.metrics}.get(parts[0], self.other)
        serve(parts)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = everything

    def other(self, parts):
        if parts[0] == "away":
            return self.answer(302, "", Location="/other?x=1")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {k: v for k, v in self.headers.items() if k != "User-Agent"}
        self.answer(200, json.dumps({"method": self.command, "path": self.path, "body": body, "headers": headers}),
                    "application/json", X_From="kubelet", Connection="X-Private", X_Private="1")

    def logs(self, parts):
        if parts[3] == "waiting":
            return self.answer(400, f'container "{parts[3]}" in pod "{parts[2]}" is waiting to start: ContainerCreating')
        if "follow" not in self.query:
            return self.answer(200, f"{self.path}\n")
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for i in range(int(os.environ.get("LOG_LINES", "100000"))):
                line = f"line {i}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                time.sleep(0.02)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            say("gone log")
        self.close_connection = True

    def upgrade(self, protocols):
        offered = [p.strip() for v in self.headers.get_all("X-Stream-Protocol-Version", []) for p in v.split(",")]
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "SPDY/3.1")
        self.send_header("X-Stream-Protocol-Version", next((p for p in offered if p in protocols), ""))
        self.end_headers()
        self.close_connection = True
        spdy = Spdy(self.connection, self.rfile)
        threading.Thread(target=spdy.run, daemon=True).start()
        return spdy

    def exec_(self, parts):
        container = parts[3]
        if container == "vanished":
            return self.answer(404, 'container not found ("vanished")')
        if container == "waiting":
            return self.answer(400, "container is waiting")
        if container == "plain":
            return self.answer(200, "no upgrade")
        if container == "moved":
            return self.answer(302, "", Location="https://192.0.2.1:6443/api/v1/secrets")
        if container == "hung":
            time.sleep(1000)
        spdy = self.upgrade(["v4.channel.k8s.io"])
        yes = lambda name: self.query.get(name) == ["1"]
        wanted = {"error"} | {s for s, q in (("stdin", "input"), ("stdout", "output"), ("stderr", "error")) if yes(q)}
        wanted = wanted - {"stderr"} | {"resize"} if yes("tty") else wanted
        streams = {}
        while set(streams) != wanted and (stream := spdy.opened.get()):
            streams[stream.headers["streamtype"]] = stream
        try:
            self.command_of(self.query.get("command", ["cat"]), streams, spdy)
            time.sleep(0.02)
            self.connection.unwrap()
        except OSError:
            pass
        say("gone", parts[0])

    def command_of(self, command, streams, spdy):
        out, err, code = streams.get("stdout"), streams.get("stderr"), 0
        if command[0] == "cat":
            for data in streams["stdin"].chunks():
                out.write(data)
        elif command[0] == "count":
            out.write(b"%d\n" % sum(len(data) for data in streams["stdin"].chunks()))
        elif command[0] == "flood":
            for _ in range(int(command[1])):
                out.write(bytes(1 << 20))
        elif command[0] == "both":
            out.write(b"out\n")
            err.write(b"err\n")
        elif command[0] == "size":
            out.write(next(streams["resize"].chunks()))
        elif command[0] == "ask":
            out.write(json.dumps({"path": self.path, "headers": self.headers.items()}).encode() + b"\n")
        elif command[0] == "die":
            out.write(b"before\n")
            time.sleep(0.1)
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        elif command[0] == "exit":
            code = int(command[1])
        status = {"metadata": {}, "status": "Success"}
        if code:
            status = {"metadata": {}, "status": "Failure", "message": f"command terminated with non-zero exit code: exit {code}",
                      "reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}
        streams["error"].write(json.dumps(status).encode())
        for name in ("error", "stdout", "stderr"):
            if name in streams:
                streams[name].end()
        for data in spdy.streams and iter(lambda: spdy.opened.get(), None):
            pass

    def port_forward(self, parts):
        spdy = self.upgrade(["portforward.k8s.io"])
        pairs = {}
        while stream := spdy.opened.get():
            pair = pairs.setdefault(stream.headers.get("requestid", stream.headers["port"]), {})
            pair[stream.headers["streamtype"]] = stream
            if len(pair) == 2:
                threading.Thread(target=self.forward, args=(pair,), daemon=True).start()
        say("gone portForward")

    def forward(self, pair):
        data, error = pair["data"], pair["error"]
        try:
            with socket.create_connection(("127.0.0.1", int(data.headers["port"]))) as to:
                def up():
                    for chunk in data.chunks():
                        to.sendall(chunk)
                    to.shutdown(socket.SHUT_WR)
                threading.Thread(target=up, daemon=True).start()
                while chunk := to.recv(65536):
                    data.write(chunk)
        except OSError as e:
            error.write(f"cannot forward: {e}".encode())
        try:
            data.end()
            error.end()
        except OSError:
            pass

    def metrics(self, parts):
        path = os.environ.get("METRICS_FILE")
        if not path or not os.path.exists(path):
            return self.answer(404, "")
        text = open(path).read()
        now = time.time()
        self.answer(200, text.replace("@NOW@", str(int(now * 1000))).replace("@CPU@", f"{now % 100000 * 0.25:.6f}"),
                    "text/plain; version=0.0.4")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--address", default="0.0.0.0")
    p.add_argument("--port", type=int, default=10250)
    p.add_argument("--cert")
    p.add_argument("--key")
    p.add_argument("--client-ca")
    o = p.parse_args()
    server = ThreadingHTTPServer((o.address, o.port), Kubelet)
    server.daemon_threads = True
    if o.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(o.cert, o.key)
        if o.client_ca:
            context.load_verify_locations(o.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    say("ready")
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
