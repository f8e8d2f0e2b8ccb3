#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A registry of images (OCI distribution, read only, plain HTTP on 127.0.0.1), to see who asks for what: registry.py PORT-FILE LOG

  public/*    for everybody
  basic/*     for reader:secret, by Basic authentication
  token/*     for who shows a token, which reader:secret gets from /token
Any repository but */absent has one image with every tag; its user is what follows the last dash of its name. LOG gets a line for
each manifest that was given or refused: "200 public/a reader"."""
import base64, hashlib, http.server, io, json, sys, tarfile

GOOD = 'Basic ' + base64.b64encode(b'reader:secret').decode()
MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
blobs = {}


def put(data):
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return {'digest': digest, 'size': len(data)}


def layer():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        entry = tarfile.TarInfo('file')
        entry.size = 4096
        tar.addfile(entry, io.BytesIO(bytes(4096)))
    return out.getvalue()


def manifest(name):
    base = layer()
    config = {'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['/x'], 'Labels': {'name': name}},
              'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(base).hexdigest()]}}
    if '-' in name:
        config['config']['User'] = name.rsplit('-', 1)[1]
    return put(json.dumps({
        'schemaVersion': 2, 'mediaType': MANIFEST,
        'config': dict(put(json.dumps(config).encode()), mediaType='application/vnd.oci.image.config.v1+json'),
        'layers': [dict(put(base), mediaType='application/vnd.oci.image.layer.v1.tar')]}).encode())


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self, code, body=b'', **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def fault(self, code, what, **headers):
        self.answer(code, json.dumps({'errors': [{'code': what, 'message': what}]}).encode(), Content_Type='application/json', **headers)

    def challenge(self, name):
        """What a client without the right to it is told; None: it has it."""
        who = self.headers.get('Authorization')
        if name.startswith('basic/') and who != GOOD:
            return 'Basic realm="test"'
        if name.startswith('token/') and who != 'Bearer good':
            return 'Bearer realm="http://%s/token",service="test",scope="repository:%s:pull"' % (self.headers['Host'], name)
        return None

    def do_GET(self):
        path = self.path.split('?')[0]
        if path == '/token':
            good = self.headers.get('Authorization') == GOOD
            self.answer(200, b'{"token":"good"}', Content_Type='application/json') if good else self.fault(401, 'UNAUTHORIZED')
            return
        name, kind, ref = path.removeprefix('/v2/').rsplit('/', 2)
        challenge = self.challenge(name)
        code = 401 if challenge else 404 if name.endswith('/absent') else 200
        if kind == 'manifests':
            print(code, name, file=log, flush=True)
        if challenge:
            self.fault(401, 'UNAUTHORIZED', WWW_Authenticate=challenge)
        elif code == 404:
            self.fault(404, 'MANIFEST_UNKNOWN')
        elif kind == 'manifests':
            digest = ref if ref in blobs else manifest(name)['digest']
            self.answer(200, blobs[digest], Content_Type=MANIFEST, Docker_Content_Digest=digest)
        else:
            self.answer(200, blobs[ref], Content_Type='application/octet-stream')

    do_HEAD = do_GET

    def do_POST(self):
        """OAuth2's form of /token, which most registries do not have: clients then GET it."""
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.fault(405, 'UNSUPPORTED')

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that has what it wants goes without a word."""


log = open(sys.argv[2], 'a')
server = Server(('127.0.0.1', 0), Registry)
with open(sys.argv[1], 'w') as f:
    f.write(str(server.server_port))
server.serve_forever()
