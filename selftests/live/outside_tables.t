#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What only clients from outside meet: source ranges and Maglev, whole at each moment, over restarts and growth.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/outside_tables" "$BPFFS" "$CG/node"
