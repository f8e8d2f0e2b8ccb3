/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef MODEL_FRAME_H
#define MODEL_FRAME_H
/*
 * The one packet that the model has in hand, in one piece, all its checksums there. It lies below 4 GB, as programs are told its bounds
 * by 32 bits, and ends where memory does, to 3 bytes: who reads beyond it is killed. Bounds change with each call that moves it.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/types.h>

struct model_bounds {
	__u32 data, end;                /* addresses */
};
/* -EMSGSIZE: longer than XB_MODEL_FRAME; -ENOMEM. */
int model_frame_put(const void *bytes, __u32 n, struct model_bounds *ret);
/* Makes room, all zero, for more bytes at an offset, or takes so many away (negative). */
int model_frame_resize(struct model_bounds *b, __u32 at, __s32 more);
int model_frame_cut(struct model_bounds *b, __u32 n);                   /* only the first n bytes stay */

static inline __u8 *model_frame_at(const struct model_bounds *b, __u32 offset, __u32 size)
{
	__u32 n = b->end - b->data;

	return offset > n || size > n - offset ? NULL : (__u8 *)(unsigned long)b->data + offset;
}

int model_frame_load(const struct model_bounds *b, __u32 offset, void *to, __u32 n);
/* As the route function of the model answers. mtu: of where it leaves. */
int model_frame_route(struct bpf_fib_lookup *fib, __u32 *ret_mtu);

#endif
