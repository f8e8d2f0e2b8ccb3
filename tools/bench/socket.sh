#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the programs at sockets cost, and what the tables do: to program 100, 10,000 and 100,000 services of 10 backends, and to change one
# of them.   socket.sh BIN_FOLDER
XB_BUILD=$(realpath "$1/..")
export XB_BUILD
. "$(dirname "$0")/../../selftests/lib.sh"

echo "kernel $(uname -r), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
"$TOOLS/tools/sock_bench" "$BPFFS" "$CG/node"
