#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A program of somebody else on a device, which passes everything on, held by a link that is pinned.
foreign.py ingress|egress|xdp DEVICE PIN
foreign.py connect4 CGROUP PIN: the same in a cgroup
foreign.py ingress|egress DEVICE: how many programs there are, anybody's"""
import ctypes
import os
import socket
import struct
import sys

BPF_PROG_LOAD, BPF_OBJ_PIN, BPF_PROG_QUERY, BPF_LINK_CREATE = 5, 6, 16, 28
# program type, attach type, flags, what it returns: TCX_NEXT; XDP_PASS in the driver's own mode; proceed
PLACES = {"ingress": (3, 46, 0, -1), "egress": (3, 47, 0, -1), "xdp": (6, 37, 1 << 2, 2), "connect4": (18, 10, 0, 1)}
SYSCALL = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.argtypes = ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint
kept = []


def address(b):
    kept.append(ctypes.create_string_buffer(b))
    return ctypes.addressof(kept[-1])


def bpf(command, attributes):
    attributes = ctypes.create_string_buffer(attributes, 128)
    r = libc.syscall(SYSCALL, command, ctypes.addressof(attributes), 128)
    if r < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return r, attributes.raw


place, device = sys.argv[1:3]
index = os.open(device, os.O_RDONLY) if place == "connect4" else socket.if_nametoindex(device)
kind, attach, flags, says = PLACES[place]
if len(sys.argv) == 3:
    print(struct.unpack_from("=I", bpf(BPF_PROG_QUERY, struct.pack("=II", index, attach))[1], 24)[0])
    sys.exit()
code = struct.pack("=BBhi", 0xb7, 0, 0, says) + struct.pack("=BBhi", 0x95, 0, 0, 0)
load = struct.pack("=IIQQIIQII16sII", kind, 2, address(code), address(b"GPL\0"), 0, 0, 0, 0, 0, b"foreign", 0, attach if place in ("xdp", "connect4") else 0)
program, _ = bpf(BPF_PROG_LOAD, load)
link, _ = bpf(BPF_LINK_CREATE, struct.pack("=IIII", program, index, attach, flags))
bpf(BPF_OBJ_PIN, struct.pack("=QI", address(sys.argv[3].encode() + b"\0"), link))
