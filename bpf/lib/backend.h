/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BACKEND_H
#define BACKEND_H
/* Frontend -> set of backends -> one of them. */
#include <linux/errno.h>
#include "lib/event.h"
#include "lib/frontend.h"

/* The port of a service, and its set of backends at this moment. */
struct service {
	const struct xb_svc *svc;
	__u32 id;
	enum xb_scope scope;
	struct xb_set set;
};

static __always_inline struct xb_set set_load(const struct xb_svc *svc, __u32 which)
{
	union {
		__u64 word;
		struct xb_set set;
	} u = { .word = load_word(&svc->set[which < XB_SETS ? which : 0]) };

	return u.set;
}

static __always_inline struct xb_slice slice_load(const struct xb_svc *svc)
{
	union {
		__u64 word;
		struct xb_slice slice;
	} u = { .word = load_word(&svc->maglev) };

	return u.slice;
}

static __always_inline bool set_equal(struct xb_set a, struct xb_set b)
{
	return load_word(&a) == load_word(&b);
}

/* The service that a frontend leads to, as a client sees it. False: the index leads nowhere. */
static __always_inline bool service_load(struct xb_fe fe, enum xb_scope scope, struct service *ret)
{
	ret->svc = lookup(&xb_svc, fe.svc);
	if (!ret->svc)
		return false;
	ret->id = fe.svc;
	ret->scope = fe.kind == XB_FRONTEND_CLUSTER_IP ? XB_SCOPE_INTERNAL : scope;
	ret->set = set_load(ret->svc, ret->scope);
	return true;
}

/* Of a service that has source ranges. */
static __always_inline bool source_allowed(const struct xb_svc *svc, const union xb_ip6 *client)
{
	struct xb_src_key key = { .prefix_bits = 32 + 128, .id = bpf_htonl(svc->source_ranges), .addr = *client };

	return bpf_map_lookup_elem(&xb_src, &key);
}

static __always_inline int backend_load(__u32 index, bool v4, struct xb_peer *ret)
{
	if (v4) {
		const struct xb_be4 *be = lookup(&xb_be4, index);

		if (!be)
			return -ENOENT;
		ret->addr.be32[0] = 0;
		ret->addr.be32[1] = 0;
		ret->addr.be32[2] = bpf_htonl(0xffff);
		ret->addr.be32[3] = be->addr.be32;
		ret->port = be->port;
		ret->local = be->local;
	} else {
		const struct xb_be6 *be = lookup(&xb_be6, index);

		if (!be)
			return -ENOENT;
		ret->addr = be->addr;
		ret->port = be->port;
		ret->local = be->local;
	}
	return 0;
}

struct search {
	struct xb_peer want;
	__u32 low, high;
	bool v4, found;
};

static __always_inline int peer_compare(const struct xb_peer *a, const struct xb_peer *b)
{
	for (int i = 0; i < 2; i++) {
		__u64 x = bpf_be64_to_cpu(a->addr.word[i]), y = bpf_be64_to_cpu(b->addr.word[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (int)a->port - (int)b->port;
}

static long search_step(__u32 step, struct search *s)
{
	__u32 middle = s->low + (s->high - s->low) / 2;
	struct xb_peer here = {};
	int order;

	if (s->low >= s->high || backend_load(middle, s->v4, &here) < 0)
		return 1;
	order = peer_compare(&s->want, &here);
	if (!order) {
		s->found = true;
		return 1;
	}
	if (order < 0)
		s->high = middle;
	else
		s->low = middle + 1;
	return 0;
}

/* Whether a backend is one of count from base on. bpf_loop(), for the verifier goes through its body once and not once per step. */
SUBPROG bool backends_have(__u32 base, __u32 count, bool v4, const struct xb_peer *backend)
{
	struct search s = { .low = base, .high = base + count, .v4 = v4 };

	if (!backend)
		return false;
	s.want = *backend;
	bpf_loop(32 - __builtin_clz(XB_SET_MAX), search_step, &s, 0);
	return s.found;
}

/* Whether a backend is still in the set. */
static __always_inline bool set_has(struct xb_set set, bool v4, const struct xb_peer *backend)
{
	return backends_have(set.base, set.count, v4, backend);
}

/* Whether a flow to a backend goes on, whose port has the set "now" and had another when the backend was chosen. */
static __always_inline bool still_serves(const struct xb_svc *svc, struct xb_set now, bool v4, const struct xb_peer *backend)
{
	return set_has(set_load(after(svc, load_word(&now)), XB_SERVING), v4, backend);
}

/* The first backend of the set that is not before this one: its index, or that behind the set's end. */
static __always_inline __u32 set_from(struct xb_set set, bool v4, const struct xb_peer *backend)
{
	struct search s = { .want = *backend, .low = set.base, .high = set.base + set.count, .v4 = v4 };

	bpf_loop(32 - __builtin_clz(XB_SET_MAX), search_step, &s, 0);
	return s.low;
}

static __always_inline int set_pick(struct xb_set set, bool v4, struct xb_peer *ret)
{
	return backend_load(set.base + ((__u64)bpf_get_prandom_u32() * set.count >> 32), v4, ret);
}

static __always_inline bool affinity_holds(const struct xb_aff *seen, __u64 since, struct xb_set set, bool v4)
{
	return seen && (__s64)(seen->used - since) >= 0 && set_has(set, v4, &seen->backend);
}

/*
 * The backend that this client had, if it is still there and was used within the port's time; otherwise a new one, noted.
 * Of two first connections at once the first to note its choice wins, so that both go to one backend. A choice that another
 * scope made, whose set has backends that this one has not, stays beside this scope's own.
 */
static __always_inline int affinity_pick(const struct service *s, const union xb_ip6 *client, bool v4, struct xb_peer *ret)
{
	struct xb_aff_key key = { .client = *client, .svc = s->id };
	__u64 now = bpf_jiffies64(), since = now - (__u64)s->svc->affinity_seconds * jiffies_per_second;
	struct xb_aff *seen = bpf_map_lookup_elem(&xb_aff, &key), choice = { .used = now };
	int r;

	if (!affinity_holds(seen, since, s->set, v4) && affinity_holds(seen, since, set_load(s->svc, XB_SERVING), v4)) {
		key.scope = s->scope + 1;
		seen = bpf_map_lookup_elem(&xb_aff, &key);
	}
	if (affinity_holds(seen, since, s->set, v4)) {
		*ret = seen->backend;
		seen->used = now;
		return 0;
	}
	r = set_pick(s->set, v4, &choice.backend);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(&xb_aff, &key, &choice, seen ? BPF_ANY : BPF_NOEXIST) == -EEXIST) {
		seen = bpf_map_lookup_elem(&xb_aff, &key);
		if (seen && set_has(s->set, v4, &seen->backend))
			choice.backend = seen->backend;
	}
	*ret = choice.backend;
	return 0;
}

#endif
