#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Keeps an XDP program that passes everything on a device until it is killed: a veth takes what XDP sends to it only then.
xdp_pass.py DEVICE"""
import ctypes
import os
import signal
import socket
import struct
import sys

BPF, PROG_LOAD, LINK_CREATE, TYPE_XDP, ATTACH_XDP = 321, 5, 28, 6, 37
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    fd = libc.syscall(BPF, command, ctypes.create_string_buffer(attr, 128), 128)
    if fd < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    return fd


# r0 = XDP_PASS; exit
code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xB7, 0, 0, 2, 0x95, 0, 0, 0), 16)
text = ctypes.create_string_buffer(b"GPL")
prog = bpf(PROG_LOAD, struct.pack("=IIQQ", TYPE_XDP, 2, ctypes.addressof(code), ctypes.addressof(text)))
link = bpf(LINK_CREATE, struct.pack("=IIII", prog, socket.if_nametoindex(sys.argv[1]), ATTACH_XDP, 0))
print("ready", flush=True)
signal.pause()
