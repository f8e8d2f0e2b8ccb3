#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Whether a veth leaves checksums of what is sent to a device that is not there: checksums.py DEVICE left|made
A wire has them, and so does what XDP sends on."""
import array
import fcntl
import socket
import struct
import sys

ETHTOOL_STXCSUM, SIOCETHTOOL = 0x17, 0x8946
device, how = sys.argv[1:]
value = array.array("B", struct.pack("II", ETHTOOL_STXCSUM, {"left": 1, "made": 0}[how]))
fcntl.ioctl(socket.socket(), SIOCETHTOOL, struct.pack("16sP", device.encode(), value.buffer_info()[0]))
