#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The data plane under Debian 12's own kernel, the oldest that it is made for: live tests in a virtual machine, in software
# emulation and without a network, whose root is this machine's. TESTS="name..." runs others.
. "$(dirname "$0")/../lib.sh"

tests=${TESTS:-verifier packet_vectors sock_paths sock_change service_paths packet_paths sctp_paths}
cache=/var/cache/xebec
command -v qemu-system-x86_64 >/dev/null || bail 'qemu-system-x86 is not installed: sudo make soak does it'

# The image is unpacked, not installed, and without most of its drivers. Remove the folder to get the current one.
kernel_fetch() {
	local image release
	cd "$TMP" && apt-get update -qq && image=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" { print $2; exit }') &&
		release=${image#linux-image-} && apt-get download -qq "$image" && mkdir -p "$cache" "$TMP/$image" || return
	local modules=./lib/modules/$release
	dpkg-deb --fsys-tarfile "$image"_*.deb | tar -x -C "$TMP/$image" --wildcards --no-wildcards-match-slash "./boot/vmlinuz-$release" \
		"$modules/modules.*" "$modules"/kernel/{arch,crypto,fs,lib,net,drivers/virtio} "$modules/kernel/drivers/net/*.ko" &&
		busybox depmod -b "$TMP/$image" "$release" && mv -T "$TMP/$image" "$cache/$image"
}
kernel_cached() { find "$cache" -maxdepth 1 -name 'linux-image-6.1.*' 2>/dev/null | sort -V | tail -1; }
[ -n "$(kernel_cached)" ] || ok "Debian's kernel, from its archive" kernel_fetch
kernel=$(kernel_cached)
[ -n "$kernel" ] || bail 'there is no kernel to boot'
release=${kernel##*/linux-image-}
modules=lib/modules/$release

# what it takes to mount the root
initramfs() {
	local dir=$TMP/initramfs name
	mkdir -p "$dir"/{bin,dev,proc} "$dir/$modules" && cp "$(command -v busybox)" "$dir/bin/busybox" &&
		cp "$ROOT/selftests/tools/guest.sh" "$dir/init" && cp "$kernel/$modules"/modules.* "$dir/$modules" && touch "$dir/initramfs" || return
	for name in sh modprobe mkdir mount uname switch_root; do ln -s busybox "$dir/bin/$name" || return; done
	for name in virtio_pci 9pnet_virtio 9p overlay; do
		sed -n "s|^\(.*/$name.ko\):|\1|p" "$kernel/$modules/modules.dep" | tr ' ' '\n'
	done | sort -u | (cd "$kernel/$modules" && xargs cp --parents -t "$dir/$modules") &&
		(cd "$dir" && find . | busybox cpio -o -H newc >"$TMP/initramfs.cpio")
}
ok 'an initramfs' initramfs || done_testing

machine() {
	nice timeout "${MACHINE_SECONDS:-7200}" qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 2048 -nodefaults -no-user-config \
		-nographic -no-reboot -kernel "$kernel/boot/vmlinuz-$release" -initrd "$TMP/initramfs.cpio" \
		-serial file:"$TMP/console" -serial stdio \
		-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
		-virtfs local,path="$kernel/$modules",mount_tag=modules,security_model=none,readonly=on \
		-append "console=ttyS0 panic=-1 XB_BUILD=$(dirname "$BIN") XB_SLOW=10 -- $ROOT $tests" </dev/null
}
note "for comparison, here: $("$ROOT/selftests/live/verifier.t" | grep '^#')"
last=
while IFS= read -r line; do
	case $line in
	'ok - '*) _result 0 "${line#ok - }" ;;
	'not ok - '*) _result 1 "${line#not ok - }" ;;
	*) printf '%s\n' "$line" ;;
	esac
	last=$line
done < <(machine)
like "$last" 'all tests ended' 'the machine ran to its end' || note "its console: $(tail -40 "$TMP/console")"
done_testing
