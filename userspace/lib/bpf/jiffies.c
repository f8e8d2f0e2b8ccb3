/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <time.h>
#include "xb/bpfobj.h"
#include "xb/macro.h"

__u32 xb_jiffies_per_second(void)
{
	struct timespec tick;

	/* the coarse clocks advance once a tick, and say so */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_nsec < 1000)
		return 250;
	return (__u32)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
}

__u32 xb_tick_shift(void)
{
	__u64 hz = xb_jiffies_per_second();

	/* floor(log2(hz) + 1/2), without a fraction */
	return (63 - (__u32)__builtin_clzll(2 * hz * hz)) / 2;
}

/* No clock that user space can read counts jiffies: they stand still where CLOCK_MONOTONIC is slewed, and run on where it is not. */
int xb_tick_open(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = (__s32)xb_tick_shift() },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "xb_tick", "Dual BSD/GPL", code, ARRAY_SIZE(code), NULL);

	return fd < 0 ? -errno : fd;
}

int xb_tick_read(int fd, __u32 *ret)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));

	if (bpf_prog_test_run_opts(fd, &run) < 0)
		return -errno;
	*ret = run.retval;
	return 0;
}

int xb_tick_now(__u32 *ret)
{
	_cleanup_close_ int fd = xb_tick_open();

	return fd < 0 ? fd : xb_tick_read(fd, ret);
}
