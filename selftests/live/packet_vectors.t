#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every way that a packet may take, by the programs of tc and XDP in the kernel and by the same text as plain C.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/packet_vectors" "$BPFFS" "$CG/node"
