#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every BPF program of the build as kube-proxy loads it, with what it costs the verifier of this kernel.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start
proxy_start

note "Linux $(uname -r)"
"$TOOLS/tools/verifier" "$BPFFS" "$(dirname "$BIN")"/bpf/*.bpf.o
