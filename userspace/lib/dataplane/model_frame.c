/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/mman.h>
#include "model_frame.h"
#include "model_hooks.h"
#include "xb/macro.h"
#include "xb/model.h"

#define PAGE 65536u                     /* the largest that processors have */
#define HEADROOM 256u
#define SPACE (XB_MODEL_FRAME + HEADROOM + PAGE - (XB_MODEL_FRAME + HEADROOM) % PAGE)
#define LOW 0x40000000ul                /* where nothing else is: below what address sanitizers have for themselves */

static __u8 *space;
static xb_model_route *route;

static int space_make(void)
{
	/* the kernel takes the address for a wish, which it grants where nothing is */
	__u8 *p = space ? space : mmap((void *)LOW, SPACE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	if (!space && ((unsigned long)p + SPACE > 0xfffffffful || mprotect(p + SPACE, PAGE, PROT_NONE) < 0)) {
		munmap(p, SPACE + PAGE);
		return -ENOMEM;
	}
	space = p;
	return 0;
}

/* Where n bytes are as near to the end as can be with their network header aligned, which is 14 bytes on. */
static __u8 *place(__u32 n)
{
	return space + ((SPACE - n - 2) & ~3u) + 2;
}

int model_frame_put(const void *bytes, __u32 n, struct model_bounds *ret)
{
	int r = space_make();

	if (r < 0)
		return r;
	if (n > XB_MODEL_FRAME)
		return -EMSGSIZE;
	ret->data = (__u32)(unsigned long)memcpy(place(n), bytes, n);
	ret->end = ret->data + n;
	return 0;
}

int model_frame_resize(struct model_bounds *b, __u32 at, __s32 more)
{
	__u8 *data = model_frame_at(b, 0, at);
	__u32 n = b->end - b->data;

	if (!data || (more < 0 ? (__u32)-more > n - at : (__u32)more > (__u32)(data - space)))
		return -ENOMEM;
	memmove(data - more, data, at);
	if (more > 0)
		memset(data - more + at, 0, (__u32)more);
	b->data -= (__u32)more;
	return 0;
}

int model_frame_cut(struct model_bounds *b, __u32 n)
{
	__u8 *data = model_frame_at(b, 0, n);

	if (!data)
		return -EINVAL;
	b->data = (__u32)(unsigned long)memmove(place(n), data, n);
	b->end = b->data + n;
	return 0;
}

int model_frame_load(const struct model_bounds *b, __u32 offset, void *to, __u32 n)
{
	const __u8 *from = model_frame_at(b, offset, n);

	if (!from)
		return -EFAULT;
	memcpy(to, from, n);
	return 0;
}

int model_frame_route(struct bpf_fib_lookup *fib, __u32 *ret_mtu)
{
	return route ? route(fib, ret_mtu) : BPF_FIB_LKUP_RET_NOT_FWDED;
}

void xb_model_set_route(xb_model_route *function)
{
	route = function;
}

int xb_model_run(enum xb_model_hook hook, const void *bytes, __u32 n, __u32 ifindex, struct xb_model_frame *ret)
{
	struct model_bounds b;
	int r = model_frame_put(bytes, n, &b), verdict;

	if (r < 0)
		return r;
	if (hook == XB_MODEL_XDP)
		verdict = model_xdp(&b, ifindex);
	else
		verdict = model_tc(&b, ifindex, hook == XB_MODEL_EGRESS, &ret->ifindex);
	ret->verdict = verdict;
	ret->len = b.end - b.data;
	return model_frame_load(&b, 0, ret->bytes, ret->len);
}
