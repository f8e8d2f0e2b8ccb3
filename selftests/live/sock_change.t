#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Restart, growth, kill -9 and clean-up of the tables while clients connect without a pause.
. "$(dirname "$0")/../lib.sh"

"$TOOLS/tools/sock_change" "$BPFFS" "$CG/node"
