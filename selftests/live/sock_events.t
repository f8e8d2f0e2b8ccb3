#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Refusals are counted and kept, for any number of readers while they happen.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/sock_events" "$BPFFS" "$CG/node"
