#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every BPF program of the build, loaded by kube-proxy's own code, with what it costs the verifier of this kernel.
. "$(dirname "$0")/../lib.sh"

note "Linux $(uname -r)"
"$TOOLS/tools/verifier"
