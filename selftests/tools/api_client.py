# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For tests that kill servers: a client that tells whether a request may have been done, and the programs that are killed."""
import http.client, json, signal, ssl, subprocess, sys, time, urllib.parse


class Gone(Exception):
    """The connection ended. sent: the server may have the request."""
    def __init__(self, sent): self.sent = sent


class Api:
    """Where the server is, and who asks."""
    def __init__(self, url, token, ca):
        u = urllib.parse.urlparse(url)
        self.host, self.port, self.token, self.tls = u.hostname, u.port, token, ssl.create_default_context(cafile=ca)


class Client:
    """One connection, made again when it has gone. One thread."""
    def __init__(self, api): self.api, self.c = api, None

    def open(self, method, where, body=None, kind='application/json'):
        sent = False
        try:
            if not self.c:
                self.c = http.client.HTTPSConnection(self.api.host, self.api.port, timeout=10, context=self.api.tls)
                self.c.connect()
            sent = True
            self.c.request(method, where, json.dumps(body) if body is not None else None,
                           {'Authorization': 'Bearer ' + self.api.token, 'Content-Type': kind})
            return self.c.getresponse()
        except (OSError, http.client.HTTPException): raise self.gone(sent)

    def gone(self, sent=True):
        if self.c: self.c.close()
        self.c = None
        return Gone(sent)

    def call(self, *request):
        r = self.open(*request)
        try: return r.status, json.loads(r.read() or 'null')
        except (OSError, http.client.HTTPException, ValueError): raise self.gone()

    def insist(self, *request):
        """Until there is an answer: for what may be done twice."""
        while True:
            try: return self.call(*request)
            except Gone: time.sleep(0.005)

    def watch(self, path, version, query=''):
        """Opens the watch; what it returns gives the events until the server ends it, and raises Gone when it breaks off."""
        r = self.open('GET', f'{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=2&resourceVersion={version}{query}')
        if r.status != 200: raise ValueError(f'watch {path} from {version}: {r.status} {r.read()[:200]}')
        return self.events(r)

    def events(self, r):
        while True:
            try:
                line = r.readline()
                e = json.loads(line) if line else None
            except (OSError, http.client.HTTPException, ValueError): raise self.gone()
            if not e: return
            if e['type'] == 'ERROR': raise RuntimeError(f'a watch ends with {e["object"]}')
            yield e


def version(o): return int(o['metadata']['resourceVersion'])


def start(command): return subprocess.Popen(command, stdout=sys.stderr, stderr=sys.stderr)


def kill(p):
    """The status it had ended with before, or None."""
    ended = p.poll()
    p.send_signal(signal.SIGKILL)
    p.wait()
    return ended


def wait_ready(api, p):
    """The seconds it took, of the API server's process p."""
    began = time.monotonic()
    while True:
        try:
            if Client(api).call('GET', '/api/v1/namespaces/default')[0] == 200: return time.monotonic() - began
        except Gone: pass
        if p.poll() is not None: sys.exit(f'the server ended with status {p.returncode} instead of starting')
        if time.monotonic() - began > 30: sys.exit('the server does not answer after 30 s')
        time.sleep(0.002)
