#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who may include whom: include/xb/abi <- include/xb <- userspace/lib <- { control/*, userspace/<agent>, tools/* } <- selftests.
# bpf/ sees include/xb/abi and bpf/ only, and userspace/lib/dataplane/model.c compiles it. Prints each arrow that points the wrong way; exit status 1 when there is one.
set -eu
cd "$(dirname "$0")/../.."
bad=0
complain() { echo "$1: may not include \"$2\""; bad=1; }

# owner FILE: sets owner, the folder that owns it: the unit of "who"
owner() {
	local below=${1#*/}
	case $1 in
	include/xb/abi/*) owner=abi;;
	include/xb/*) owner=xb;;
	bpf/*) owner=bpf;;
	userspace/lib/*) owner=lib;;
	control/store/*) owner=store;;
	control/*|userspace/*|tools/*) owner=${1%%/*}/${below%%/*};;
	selftests/*) owner=selftests;;
	esac
}

# resolve FILE NAME: sets target; a quoted include is found beside the including file or below include/, bpf/ or the what is generated
resolve() {
	local name=$2
	for target in "${1%/*}/$name" "include/$name" "bpf/$name" "$name"; do
		if [ -e "$target" ]; then
			case $target in *./*) target=$(realpath --relative-to=. "$target");; esac
			return
		fi
	done
	case $name in *.skel.h|*.pb-c.h) target=generated;; *) target=missing;; esac
}

while IFS=: read -r file include; do
	resolve "$file" "$include"
	case $target in
	generated) continue;;
	missing) echo "$file: \"$include\" is nowhere"; bad=1; continue;;
	esac
	owner "$file"; from=$owner
	owner "$target"; to=$owner
	[ "$from" = "$to" ] && continue
	case "$from>$to" in
	selftests*) ;;
	*">abi") ;;
	bpf*|abi*) complain "$file" "$include";;
	*">xb") ;;
	lib">bpf") ;;
	control/apiserver">store") ;;
	# a second reader of the store's file would be a second truth about it: the tool goes through the store's own, and only there
	tools/xebec">store") [ "$target" = control/store/backup.h ] || complain "$file" "$include";;
	*) complain "$file" "$include";;
	esac
done < <(git ls-files -co --exclude-standard '*.c' '*.h' | xargs grep -sHoP '^\s*#\s*include\s+"\K[^"]+')

# the ABI headers hold no libc: BPF programs see them
while IFS=: read -r file include; do
	[ "$include" = linux/types.h ] || complain "$file" "$include"
done < <(grep -HoP '^\s*#\s*include\s+<\K[^>]+' include/xb/abi/*.h)
exit $bad
