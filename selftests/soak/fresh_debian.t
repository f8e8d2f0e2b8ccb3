#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Set-up and build on a Debian 12 that has nothing but make and git.
. "$(dirname "$0")/../lib.sh"

command -v debootstrap >/dev/null || bail 'debootstrap is not installed: sudo make soak does it'
root=$TMP/root mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | head -1)
in_root() { ${ALONE:+unshare --net} env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C nice chroot "$root" sh -c "cd /xebec && $*"; }
without_network() { ALONE=yes "$@"; }

ok 'Debian 12, from its archive' nice debootstrap --variant=minbase --include=make,git bookworm "$root" "${mirror:-http://deb.debian.org/debian/}" || done_testing
mount -t proc proc "$root/proc" || bail 'cannot mount proc'
mkdir "$root/xebec"
(cd "$ROOT" && git ls-files -co --exclude-standard -z | tar -c --null -T - 2>/dev/null) | tar -x -C "$root/xebec"

ok 'make setup' in_root make setup || done_testing
is "$(without_network in_root make setup 2>&1)" '' 'a second one has nothing to do, and needs no network'
ok 'everything builds, without a warning and without a network' without_network in_root make -j2 WERROR=1 tests
like "$(in_root build/bin/kube-proxy --version)" '^Kubernetes v' 'and what was built runs'
done_testing
