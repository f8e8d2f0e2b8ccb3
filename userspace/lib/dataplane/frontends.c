/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <string.h>
#include "xb/frontends.h"
#include "xb/macro.h"

/* A key's two buckets. */
struct home {
	__u32 first, second;
};

static struct home home_of(const struct xb_frontends *f, const struct xb_fe_key *key)
{
	__u64 hash = xb_fe_hash(&key->addr, key->port, key->proto, f->seed);

	return (struct home){ hash & (f->n_buckets - 1), (hash >> 32) & (f->n_buckets - 1) };
}

static struct xb_fe *way_at(const struct xb_frontends *f, __u32 bucket, int way)
{
	if (f->family == XB_IPV4)
		return &((struct xb_fe4_bucket *)f->buckets)[bucket].way[way].fe;
	return &((struct xb_fe6_bucket *)f->buckets)[bucket].way[way].fe;
}

static __u32 *spilled_of(const struct xb_frontends *f, __u32 bucket)
{
	if (f->family == XB_IPV4)
		return &((struct xb_fe4_bucket *)f->buckets)[bucket].way[0].spilled;
	return &((struct xb_fe6_bucket *)f->buckets)[bucket].way[0].spilled;
}

static void addr_store(const struct xb_frontends *f, struct xb_fe *fe, const union xb_ip6 *addr)
{
	if (f->family == XB_IPV4)
		container_of(fe, struct xb_fe4, fe)->addr.be32 = addr->be32[3];
	else
		container_of(fe, struct xb_fe6, fe)->addr = *addr;
}

static union xb_ip6 addr_load(const struct xb_frontends *f, const struct xb_fe *fe)
{
	if (f->family == XB_IPV4)
		return (union xb_ip6){ .be32 = { 0, 0, htonl(0xffff), container_of(fe, struct xb_fe4, fe)->addr.be32 } };
	return container_of(fe, struct xb_fe6, fe)->addr;
}

/* One release store: an address that was written before is seen by whoever sees the head. */
static void head_store(struct xb_fe *at, struct xb_fe fe)
{
	union {
		struct xb_fe fe;
		__u64 word;
	} u = { .fe = fe };

	__atomic_store_n((__u64 __attribute__((may_alias)) *)at, u.word, __ATOMIC_RELEASE);
}

static struct xb_fe *find_in(const struct xb_frontends *f, __u32 bucket, const struct xb_fe_key *key)
{
	for (int i = 0; i < XB_FE_WAYS; i++) {
		struct xb_fe *fe = way_at(f, bucket, i);
		union xb_ip6 addr;

		if (!fe->kind || fe->port != key->port || fe->proto != key->proto)
			continue;
		addr = addr_load(f, fe);
		if (!memcmp(&addr, &key->addr, sizeof(addr)))
			return fe;
	}
	return NULL;
}

static struct xb_fe *find(const struct xb_frontends *f, const struct xb_fe_key *key)
{
	struct home h = home_of(f, key);
	struct xb_fe *fe;

	/* a key that is not there needs both lines: at once, not one after the other */
	__builtin_prefetch(way_at(f, h.second, 0));
	fe = find_in(f, h.first, key);
	return fe ? fe : find_in(f, h.second, key);
}

int xb_frontends_init(struct xb_frontends *f, void *buckets, __u32 n_buckets, enum xb_family family, __u64 seed, int overflow_fd)
{
	__u8 *retired = calloc(n_buckets, 1);

	if (!retired)
		return -ENOMEM;
	*f = (struct xb_frontends){
		.buckets = buckets, .n_buckets = n_buckets, .family = family, .seed = seed,
		.overflow_fd = overflow_fd, .retired = retired,
	};
	return 0;
}

void xb_frontends_done(struct xb_frontends *f)
{
	free(f->retired);
	*f = (struct xb_frontends){ .overflow_fd = -1 };
}

/* Whether a key that is not in its buckets may be in the overflow map: saves a system call. */
static bool may_overflow(const struct xb_frontends *f, struct home h)
{
	return f->overflow_fd >= 0 && *spilled_of(f, h.first) && *spilled_of(f, h.second);
}

struct xb_fe xb_frontends_get(const struct xb_frontends *f, const struct xb_fe_key *key)
{
	const struct xb_fe *at = find(f, key);
	struct xb_fe fe = {};

	if (at)
		return *at;
	if (!may_overflow(f, home_of(f, key)) || bpf_map_lookup_elem(f->overflow_fd, key, &fe) < 0)
		return (struct xb_fe){};
	return fe;
}

static bool place_in(struct xb_frontends *f, __u32 bucket, const struct xb_fe_key *key, struct xb_fe fe)
{
	for (int i = 0; i < XB_FE_WAYS; i++) {
		struct xb_fe *at = way_at(f, bucket, i);

		if (at->kind || f->retired[bucket] & (1u << i))
			continue;
		addr_store(f, at, &key->addr);
		head_store(at, fe);
		return true;
	}
	return false;
}

/* The marks are set behind the entry: a reader that follows one finds it. */
static int place(struct xb_frontends *f, const struct xb_fe_key *key, struct xb_fe fe)
{
	struct home h = home_of(f, key);

	if (place_in(f, h.first, key, fe))
		return 0;
	if (!place_in(f, h.second, key, fe)) {
		if (f->overflow_fd < 0 || bpf_map_update_elem(f->overflow_fd, key, &fe, BPF_ANY) < 0)
			return -ENOSPC;
		__atomic_add_fetch(spilled_of(f, h.second), 1, __ATOMIC_RELEASE);
	}
	__atomic_add_fetch(spilled_of(f, h.first), 1, __ATOMIC_RELEASE);
	return 0;
}

int xb_frontends_put(struct xb_frontends *f, const struct xb_fe_key *key, enum xb_frontend_kind kind, __u32 svc)
{
	struct xb_fe fe = { .port = key->port, .proto = key->proto, .kind = kind, .svc = svc };
	struct xb_fe *at = find(f, key);
	int r;

	if (at) {
		head_store(at, fe);
		return 0;
	}
	if (may_overflow(f, home_of(f, key)) && !bpf_map_update_elem(f->overflow_fd, key, &fe, BPF_EXIST))
		return 0;
	r = place(f, key, fe);
	if (r == 0)
		f->used++;
	return r;
}

static void retire(struct xb_frontends *f, __u32 bucket, struct xb_fe *at)
{
	head_store(at, (struct xb_fe){});
	for (int i = 0; i < XB_FE_WAYS; i++)
		if (way_at(f, bucket, i) == at)
			f->retired[bucket] |= (__u8)(1u << i);
	f->n_retired++;
}

bool xb_frontends_delete(struct xb_frontends *f, const struct xb_fe_key *key)
{
	struct home h = home_of(f, key);
	struct xb_fe *at = find_in(f, h.first, key);

	if (at) {
		retire(f, h.first, at);
	} else {
		at = find_in(f, h.second, key);
		if (at)
			retire(f, h.second, at);
		else if (may_overflow(f, h) && !bpf_map_delete_elem(f->overflow_fd, key))
			__atomic_sub_fetch(spilled_of(f, h.second), 1, __ATOMIC_RELEASE);
		else
			return false;
		__atomic_sub_fetch(spilled_of(f, h.first), 1, __ATOMIC_RELEASE);
	}
	f->used--;
	return true;
}

void xb_frontends_release(struct xb_frontends *f)
{
	if (f->n_retired)
		memset(f->retired, 0, f->n_buckets);
	f->n_retired = 0;
}

static int walk_overflow(struct xb_frontends *f, int (*each)(void *arg, const struct xb_fe_key *key, struct xb_fe fe), void *arg)
{
	struct xb_fe_key key, next;
	struct xb_fe fe;
	int r = 0, more = bpf_map_get_next_key(f->overflow_fd, NULL, &next);

	while (more == 0 && r >= 0) {
		/* the next one first: the callback may delete this one, and a walk from a key that is gone starts again */
		key = next;
		more = bpf_map_get_next_key(f->overflow_fd, &key, &next);
		if (!bpf_map_lookup_elem(f->overflow_fd, &key, &fe))
			r = each(arg, &key, fe);
	}
	return MIN(r, 0);
}

int xb_frontends_walk(struct xb_frontends *f, int (*each)(void *arg, const struct xb_fe_key *key, struct xb_fe fe), void *arg)
{
	for (__u32 bucket = 0; bucket < f->n_buckets; bucket++) {
		for (int i = 0; i < XB_FE_WAYS; i++) {
			struct xb_fe fe = *way_at(f, bucket, i);
			struct xb_fe_key key = { .port = fe.port, .proto = fe.proto };
			int r;

			if (!fe.kind)
				continue;
			key.addr = addr_load(f, way_at(f, bucket, i));
			r = each(arg, &key, fe);
			if (r < 0)
				return r;
		}
	}
	return f->overflow_fd >= 0 ? walk_overflow(f, each, arg) : 0;
}

struct count {
	struct xb_frontends *f;
	__u32 *spilled;
};

static int count_one(void *arg, const struct xb_fe_key *key, struct xb_fe fe)
{
	struct count *c = arg;
	struct home h = home_of(c->f, key);

	c->f->used++;
	if (find_in(c->f, h.first, key))
		return 0;
	c->spilled[h.first]++;
	if (!find_in(c->f, h.second, key))
		c->spilled[h.second]++;
	return 0;
}

int xb_frontends_adopt(struct xb_frontends *f)
{
	_cleanup_free_ __u32 *spilled = calloc(f->n_buckets, sizeof(*spilled));
	struct count c = { f, spilled };
	int r;

	if (!spilled)
		return -ENOMEM;
	f->used = 0;
	r = xb_frontends_walk(f, count_one, &c);
	if (r < 0)
		return r;
	for (__u32 i = 0; i < f->n_buckets; i++)
		if (*spilled_of(f, i) != spilled[i])
			__atomic_store_n(spilled_of(f, i), spilled[i], __ATOMIC_RELEASE);
	return 0;
}

static int copy_one(void *arg, const struct xb_fe_key *key, struct xb_fe fe)
{
	struct xb_frontends *to = arg;
	int r = place(to, key, fe);

	if (r == 0)
		to->used++;
	return r;
}

int xb_frontends_copy(struct xb_frontends *from, struct xb_frontends *to)
{
	return xb_frontends_walk(from, copy_one, to);
}
