#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Each parser of outside bytes under libFuzzer with ASan and UBSan, from its corpus, for FUZZ_SECONDS (default 600).
cd "$(dirname "$0")/../.." || exit 1
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
n=0 failed=0
for source in selftests/fuzz/*.c; do
	name=$(basename "$source" .c) n=$((n + 1))
	mkdir -p "$found/$name"
	if out=$(build-fuzz/selftests/fuzz/"$name" -max_total_time="${FUZZ_SECONDS:-600}" -rss_limit_mb=4096 -artifact_prefix="$PWD/build-fuzz/$name-" \
		"$found/$name" selftests/fuzz/corpus/"$name" 2>&1); then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		failed=1
	fi
	tail -3 <<<"$out" | sed 's/^/# /'
done
echo "1..$n"
exit $failed
