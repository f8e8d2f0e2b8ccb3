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

__u32 xb_tick_shift(__u32 jiffies_per_second)
{
	__u32 shift = 0;

	/* rounded: 2^shift is the power of two that is nearest, by the geometric mean of two neighbours */
	while ((2ull << (2 * shift)) <= (unsigned long long)jiffies_per_second * jiffies_per_second)
		shift++;
	return shift;
}

/* No clock that user space can read counts jiffies: they stand still where CLOCK_MONOTONIC is slewed, and run on where it is not. */
int xb_jiffies_now(__u32 shift, __u32 *ret)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = (__s32)shift },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	char packet[64] = {};
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "xb_jiffies", "Dual BSD/GPL", code, ARRAY_SIZE(code), NULL);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));

	if (fd < 0 || bpf_prog_test_run_opts(fd, &run) < 0)
		return -errno;
	*ret = run.retval;
	return 0;
}
