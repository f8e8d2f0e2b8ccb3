#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kill -9 after single stores of a change to the tables.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/sock_steps" "$BPFFS" "$CG/node"
