/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpf/tc.bpf.c as plain C, and what it wants of the kernel. */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <bpf/bpf_endian.h>
#include "lib/tables.h"
#include "model_hooks.h"

#define MAC_BYTES 14
#define TAG_BYTES 4                     /* what the kernel lets a packet be longer than the MTU by, for a VLAN's tag */
#define LEN_MIN(skb) (MAC_BYTES + ((skb)->protocol == bpf_htons(0x0800) ? 20u : 40u))
#define SUM_FIELD 0xf                   /* of the flags: how many bytes change, 0 for a difference */

static __u32 redirected;

static struct model_bounds bounds_of(const struct __sk_buff *skb)
{
	return (struct model_bounds){ skb->data, skb->data_end };
}

static int bounds_set(struct __sk_buff *skb, const struct model_bounds *b, int r)
{
	skb->data = b->data;
	skb->data_end = b->end;
	skb->len = b->end - b->data;
	return r;
}

static inline long bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 n)
{
	struct model_bounds b = bounds_of(skb);

	return model_frame_load(&b, offset, to, n);
}

static inline long bpf_skb_store_bytes(struct __sk_buff *skb, __u32 offset, const void *from, __u32 n, __u64 flags)
{
	struct model_bounds b = bounds_of(skb);
	__u8 *to = model_frame_at(&b, offset, n);

	if (flags || !to)
		return -EFAULT;
	memcpy(to, from, n);
	return 0;
}

static inline long bpf_skb_pull_data(struct __sk_buff *skb, __u32 len)
{
	return len > skb->len ? -EINVAL : 0;
}

static inline long bpf_skb_change_tail(struct __sk_buff *skb, __u32 len, __u64 flags)
{
	struct model_bounds b = bounds_of(skb);
	int r = len < LEN_MIN(skb) || len > skb->len ? -EINVAL : model_frame_cut(&b, len);

	return bounds_set(skb, &b, r);
}

static inline long bpf_skb_adjust_room(struct __sk_buff *skb, __s32 more, __u32 mode, __u64 flags)
{
	struct model_bounds b = bounds_of(skb);
	__u32 room = skb->len - MAC_BYTES, least = LEN_MIN(skb) - MAC_BYTES;
	int r;

	if (mode != BPF_ADJ_ROOM_MAC || (more < 0 && ((__u32)-more >= room || room - (__u32)-more < least)))
		return -ENOTSUP;
	r = model_frame_resize(&b, MAC_BYTES, more);
	return bounds_set(skb, &b, r);
}

static inline long bpf_l4_csum_replace(struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 flags)
{
	struct model_bounds b = bounds_of(skb);
	__u8 *p = model_frame_at(&b, offset, 2);
	__u64 sum;
	__u16 was;

	if (flags & SUM_FIELD || from)
		return -EINVAL;
	if (!p || offset & 1)
		return -EFAULT;
	memcpy(&was, p, sizeof(was));
	if (!was && flags & BPF_F_MARK_MANGLED_0)
		return 0;
	for (sum = (__u64)(__u16)~was + (__u32)to; sum >> 16; )
		sum = (sum & 0xffff) + (sum >> 16);
	was = (__u16)~sum;
	if (!was && flags & BPF_F_MARK_MANGLED_0)
		was = 0xffff;
	memcpy(p, &was, sizeof(was));
	return 0;
}

static inline long bpf_csum_update(struct __sk_buff *skb, __u32 diff)
{
	return -ENOTSUP;
}

static inline long bpf_fib_lookup(struct __sk_buff *skb, struct bpf_fib_lookup *fib, int size, __u32 flags)
{
	__u32 mtu = 0;
	int r = model_frame_route(fib, &mtu);

	if (r != BPF_FIB_LKUP_RET_SUCCESS)
		return r;
	fib->mtu_result = (__u16)mtu;
	return skb->len > mtu + MAC_BYTES + TAG_BYTES ? BPF_FIB_LKUP_RET_FRAG_NEEDED : r;
}

static inline long bpf_redirect(__u32 ifindex, __u64 flags)
{
	redirected = ifindex;
	return TC_ACT_REDIRECT;
}

static inline long bpf_redirect_neigh(__u32 ifindex, struct bpf_redir_neigh *next, int size, __u64 flags)
{
	return bpf_redirect(ifindex, flags);
}

#include "tc.bpf.c"

int model_tc(struct model_bounds *b, __u32 ifindex, bool out, __u32 *ret_ifindex)
{
	struct __sk_buff skb = { .ifindex = ifindex, .ingress_ifindex = out ? 0 : ifindex };
	__be16 type = 0;
	int r;

	bounds_set(&skb, b, 0);
	model_frame_load(b, MAC_BYTES - sizeof(type), &type, sizeof(type));
	skb.protocol = type;
	redirected = 0;
	r = out ? xb_egress(&skb) : xb_ingress(&skb);
	*b = bounds_of(&skb);
	*ret_ifindex = redirected;
	return r;
}
