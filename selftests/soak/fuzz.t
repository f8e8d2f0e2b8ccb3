#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Each parser of outside bytes under libFuzzer with ASan and UBSan, from its corpus, for FUZZ_SECONDS (default 600); as many
# at a time as there are processors. What breaks one is left in build-fuzz/.
cd "$(dirname "$0")/../.." || exit 1
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
export found
one() {
	mkdir "$found/$1"
	build-fuzz/selftests/fuzz/"$1" -max_total_time="${FUZZ_SECONDS:-600}" -rss_limit_mb=4096 -artifact_prefix="$PWD/build-fuzz/$1-" \
		"$found/$1" selftests/fuzz/corpus/"$1" >"$found/$1.log" 2>&1 && touch "$found/$1.clean"
}
export -f one
names=$(basename -s .c selftests/fuzz/*.c)
xargs -P "$(nproc)" -I{} bash -c 'one {}' <<<"$names"
n=0 failed=0
for name in $names; do
	n=$((n + 1))
	if [ -e "$found/$name.clean" ]; then echo "ok $n - $name"; else echo "not ok $n - $name"; failed=1; fi
	grep -E '^(Done|SUMMARY|artifact_prefix)' "$found/$name.log" | sed 's/^/# /'
done
echo "1..$n"
exit $failed
