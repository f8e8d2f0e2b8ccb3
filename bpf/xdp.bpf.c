/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lib/tables.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int xb_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}
