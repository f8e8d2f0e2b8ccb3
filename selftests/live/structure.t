#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The shape of the tree: who includes whom, style, and a build that does just what changed.
. "$(dirname "$0")/../lib.sh"

ok 'includes run one way' "$ROOT/tools/check/include_graph.sh"
ok 'style' "$ROOT/tools/check/style.sh"
if command -v shellcheck >/dev/null; then ok 'shell scripts' shellcheck -S error "$ROOT"/selftests/*.sh "$ROOT"/tools/*/*.sh; fi

# a copy of the tree, so that touching files disturbs nobody; the objects of programs come along, so that little is built
work=$TMP/tree
mkdir -p "$work"
(cd "$ROOT" && git ls-files -co --exclude-standard -z | tar -c --null -T - 2>/dev/null) | tar -x -C "$work"
build=$(basename "${XB_BUILD:-build}")
tar -c -C "$(dirname "$BIN")/.." --exclude="$build/selftests" "$build" | tar -x -C "$work"
san=$([ "$build" = build-san ] && echo 1)
build() { (cd "$work" && make -j2 SAN=$san O="$build" "$@" 2>&1); }
build programs >"$TMP/first" || { note "$(tail "$TMP/first")"; bail 'the copy does not build'; }

# Tests link all of them, so a name that two define would be one of the two.
names() { for a in "$work/$build"/lib/*.a; do nm -g --defined-only "$a" | awk '$2 ~ /[TDRB]/ && $3 !~ /^__/ { print $3 }' | sort -u; done; }
is "$(names | sort | uniq -d)" '' 'no name is defined in two archives'
is "$(build programs | grep -E '^  [A-Z]' || true)" '' 'a second build runs nothing'
touch "$work/include/xb/csr.h"
out=$(build programs)
want=$(cd "$work" && grep -lE 'include/xb/csr.h' $(find "$build" -name '*.o.d') | sed "s|^$build/|  CC      |; s|\.d$||" | grep -v selftests/ | sort)
is "$(grep '^  CC' <<<"$out" | sort)" "$want" 'a touched header rebuilds its users, and only them'
out=$(build programs CFLAGS_quantity.o=-DX)
is "$(grep '^  CC' <<<"$out")" '  CC      userspace/lib/api/quantity.o' 'a flag of one file rebuilds that file'
out=$(build programs V=1)
like "$out" 'gcc .*quantity\.c' 'V=1 shows whole command lines'
ok 'make install' bash -c "cd '$work' && make SAN=$san O=$build install DESTDIR='$TMP/dest' PREFIX=/usr"
is "$(cd "$TMP/dest/usr/bin" && echo *)" 'kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubelet pause xebec xebec-bench xebec-cni xebec-netd' 'what is installed'
ok 'compile_commands.json is JSON that names files' bash -c "cd '$work' && make O=$build compile_commands.json && jq -e 'length > 50 and all(.[]; .file and .command)' compile_commands.json"
done_testing
