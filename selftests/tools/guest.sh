#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The first process of a virtual machine that runs live tests under another kernel: guest.sh CHECKOUT TEST...
# It runs twice. First from the initramfs, where it makes the machine's root: the host's own, by 9p and read-only, below a
# layer in memory. Then from there, where it runs the tests, whose TAP goes to the second serial line, and ends the machine.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
checkout=$1

mount_9p() { mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 "$@"; }
if [ -e /initramfs ]; then
	modprobe -a virtio_pci 9pnet_virtio 9p overlay
	mkdir -p /host /layer /root
	mount -t tmpfs -o size=75% layer /layer
	mkdir /layer/changes /layer/work
	mount_9p host /host
	mount -t overlay -o lowerdir=/host,upperdir=/layer/changes,workdir=/layer/work root /root
	mkdir -p "/root/lib/modules/$(uname -r)"
	mount_9p modules "/root/lib/modules/$(uname -r)"
	exec switch_root /root /bin/bash "$checkout/selftests/tools/guest.sh" "$@"
fi

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 pts /dev/pts
mount -t tmpfs shm /dev/shm
ln -sfn /proc/self/fd /dev/fd
mount -t tmpfs run /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sf "$(command -v busybox)" /sbin/modprobe
ip link set lo up

exec >/dev/ttyS1 2>/dev/ttyS0
stty -F /dev/ttyS1 -opost
shift
echo "# Linux $(uname -r) on $(nproc) processors"
set -o pipefail
for test in "$@"; do
	path=$checkout/selftests/guest/$test.t
	[ -e "$path" ] || path=$checkout/selftests/live/$test.t
	# the plan, and numbers, are made by who reads this
	timeout 1800 "$path" |
		sed -uE "/^1\.\./d; s/^(ok|not ok) [0-9]+ - /\1 - $test: /; s/^Bail out!/not ok - $test:/" &&
		echo "ok - $test ends well" || echo "not ok - $test ends with status $?"
done
echo "# all tests ended after $(cut -d. -f1 /proc/uptime) s"
stty -F /dev/ttyS1 sane
busybox poweroff -f
