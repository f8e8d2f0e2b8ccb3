#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Sockets whose backend goes: connected UDP ones get an error at once, in each network namespace; others are left alone.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/sock_stale" "$BPFFS" "$CG/node"
