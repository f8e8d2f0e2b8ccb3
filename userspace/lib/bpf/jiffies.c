/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <time.h>
#include "xb/bpfobj.h"

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

	/* the nearest power of two */
	return (63 - (__u32)__builtin_clzll(2 * hz * hz)) / 2;
}

__u64 xb_jiffies(void)
{
	__u64 hz = xb_jiffies_per_second();
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	/* they begin five minutes before 32 bits of them wrap, so that what cannot bear it shows early (INITIAL_JIFFIES) */
	return (__u32)-(300 * hz) + (__u64)t.tv_sec * hz + (__u64)t.tv_nsec * hz / 1000000000;
}
