#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The races of the flow table (selftests/unit/bpf/lib/flow_race.c) under ThreadSanitizer, FLOW_RACE_STEPS of each thread (default
# three million: some minutes). Only what the table needs is built for it.
cd "$(dirname "$0")/../.." || exit 1
tools/setup/install.sh libclang-rt-14-dev >&2 || exit 1
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
lib=userspace/lib
clang-14 -std=gnu17 -g -O1 -D_GNU_SOURCE -Iinclude -Ibpf -fsanitize=thread -o "$built/flow_race" selftests/unit/bpf/lib/flow_race.c \
	$lib/dataplane/model.c $lib/dataplane/model_map.c $lib/bpf/{jiffies,map}.c $lib/base/{map,random,str,arena}.c \
	-lcmocka -lbpf -lelf -lz -lm -lpthread || exit 1
if FLOW_RACE_STEPS=${FLOW_RACE_STEPS:-3000000} TSAN_OPTIONS=halt_on_error=1 "$built/flow_race" >"$built/log" 2>&1; then
	echo "ok 1 - no race, and two never hold one key"
else
	sed 's/^/# /' "$built/log"
	echo "not ok 1 - no race, and two never hold one key"
fi
echo 1..1
