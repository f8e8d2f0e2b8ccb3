#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A container image of nothing but busybox, as "docker save" writes one: image.py FILE NAME COMMAND...

The bytes are the same each time, so two calls make images that share their layer."""
import hashlib
import io
import json
import sys
import tarfile

BUSYBOX = '/bin/busybox'
APPLETS = ('sh cat dd echo env false head hostname id ip kill ls mkdir mount nc ping printf ps rm sleep stat tail test touch tr true '
           'wc wget httpd').split()


def add(tar, name, data=b'', mode=0o644, **more):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    for key, value in more.items():
        setattr(entry, key, value)
    tar.addfile(entry, io.BytesIO(data))


def layer():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for folder in 'bin dev etc proc root sys tmp var'.split():
            add(tar, folder, mode=0o1777 if folder == 'tmp' else 0o755, type=tarfile.DIRTYPE)
        with open(BUSYBOX, 'rb') as f:
            add(tar, 'bin/busybox', f.read(), 0o755)
        for applet in APPLETS:
            add(tar, 'bin/' + applet, type=tarfile.SYMTYPE, linkname='busybox')
        add(tar, 'etc/passwd', b'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n')
        add(tar, 'etc/group', b'root:x:0:\nnogroup:x:65534:\n')
    return out.getvalue()


def main():
    out, name, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    blob = layer()
    digest = hashlib.sha256(blob).hexdigest()
    config = json.dumps({
        'architecture': 'amd64', 'os': 'linux', 'created': '2024-01-01T00:00:00Z',
        'config': {'Cmd': command, 'Env': ['PATH=/bin'], 'WorkingDir': '/'},
        'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + digest]},
        'history': [{'created': '2024-01-01T00:00:00Z', 'created_by': 'busybox'}],
    }).encode()
    config_name = hashlib.sha256(config).hexdigest() + '.json'
    manifest = json.dumps([{'Config': config_name, 'RepoTags': [name], 'Layers': [digest + '/layer.tar']}]).encode()
    with tarfile.open(out, 'w') as tar:
        add(tar, digest + '/layer.tar', blob)
        add(tar, config_name, config)
        add(tar, 'manifest.json', manifest)


main()
