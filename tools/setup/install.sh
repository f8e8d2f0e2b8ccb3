#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs what building, running and testing need, from Debian's own archive. Does nothing, and needs no network, when
# nothing is missing.   install.sh [MORE PACKAGES...]
set -eu

packages='
gcc libc6-dev clang-14 bpftool
libbpf-dev libelf-dev zlib1g-dev libmnl-dev
libuv1-dev libcurl4-openssl-dev libssl-dev libnghttp2-dev libsqlite3-dev libyaml-dev libmimalloc-dev
libnftnl-dev libprotobuf-c-dev protobuf-c-compiler containerd runc busybox-static nginx-light
libcmocka-dev sqlite3 perl python3 python3-kubernetes iproute2 procps curl jq ca-certificates openssl bsdextrautils tzdata systemd
'
kubectl_120=/var/cache/xebec/kubernetes-client-1.20

missing=
for p in $packages "$@"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing="$missing $p"
done
want_kubectl=
command -v kubectl >/dev/null || want_kubectl=kubernetes-client
want_120=
[ -x "$kubectl_120/usr/bin/kubectl" ] || want_120=yes

[ -n "$missing$want_kubectl$want_120" ] || exit 0

die() { echo "setup: $*" >&2; exit 1; }
[ -r /etc/os-release ] && . /etc/os-release
[ "${ID:-}" = debian ] || die "this is ${PRETTY_NAME:-not Debian}; the set-up knows Debian 12 only. Install by your own means:$missing $want_kubectl"
[ "${VERSION_ID:-12}" = 12 ] || echo "setup: made for Debian 12; this is ${PRETTY_NAME:-another}, trying" >&2
[ "$(id -u)" = 0 ] || die "packages are missing ($missing $want_kubectl); run it as root: sudo make ..."

export DEBIAN_FRONTEND=noninteractive
echo "setup: installing$missing $want_kubectl${want_120:+ (and a copy of kubectl 1.20 for the tests)}"
apt-get update -qq
[ -z "$missing$want_kubectl" ] || apt-get install -y -qq --no-install-recommends $missing $want_kubectl >/dev/null ||
	die "apt-get could not install:$missing $want_kubectl"
if [ -n "$want_120" ]; then
	# beside, not instead of, the machine's kubectl: the two packages share a path
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	(cd "$tmp" && apt-get download -qq kubernetes-client && mkdir -p "$kubectl_120" && dpkg-deb -x kubernetes-client_*.deb "$kubectl_120") ||
		die "could not fetch Debian's kubernetes-client"
fi
