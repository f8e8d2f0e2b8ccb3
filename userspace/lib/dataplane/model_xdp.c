/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpf/xdp.bpf.c as plain C, and what it wants of the kernel. */
#include <string.h>
#include "lib/tables.h"
#include "model_hooks.h"

static inline long bpf_fib_lookup(struct xdp_md *xdp, struct bpf_fib_lookup *fib, int size, __u32 flags)
{
	__u32 mtu = 0;
	int r = model_frame_route(fib, &mtu);

	if ((r == BPF_FIB_LKUP_RET_SUCCESS || r == BPF_FIB_LKUP_RET_NO_NEIGH) && fib->tot_len > mtu)
		r = BPF_FIB_LKUP_RET_FRAG_NEEDED;
	fib->mtu_result = (__u16)mtu;
	return r;
}

#include "xdp.bpf.c"

int model_xdp(struct model_bounds *b, __u32 ifindex)
{
	struct xdp_md xdp = { .data = b->data, .data_end = b->end, .ingress_ifindex = ifindex };

	return xb_xdp(&xdp);
}
