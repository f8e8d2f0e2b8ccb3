#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The core of the corpus of kubectl command lines: selftests/corpus.
. "$(dirname "$0")/../lib.sh"

node_up
corpus --core
