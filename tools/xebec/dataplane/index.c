/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <string.h>

#include "index.h"
#include "xb/why.h"
#include "../xalloc.h"

void index_done(struct index *x)
{
	for (size_t i = 0; i < x->slots.n; i++)
		free(x->slots.v[i].name);
	xb_vec_done(&x->slots);
	xb_vec_done(&x->frontends);
	xb_vec_done(&x->ranges);
}

#define PUSH(vec, ...) xalloc(xb_vec_push((vec), __VA_ARGS__) ? NULL : (vec)->v)

/* --- frontends --- */
struct walk {
	struct index *x;
	enum xb_family family;
};

static int add_frontend(void *arg, const struct xb_fe_key *key, struct xb_fe fe)
{
	const struct walk *w = arg;

	PUSH(&w->x->frontends, (struct frontend){ .svc = fe.svc, .kind = fe.kind, .proto = key->proto, .family = w->family,
						  .port = key->port, .addr = key->addr });
	return 0;
}

/* Those that lead to no port come first: an address alone counts its frontends in svc. */
static __u32 owner(const struct frontend *f)
{
	return xb_fe_is_address(f->kind) ? 0 : f->svc;
}

static int compare_frontends(const void *a, const void *b)
{
	const struct frontend *x = a, *y = b;
	int r = (owner(x) > owner(y)) - (owner(x) < owner(y));

	if (!r)
		r = (int)x->kind - (int)y->kind;
	if (!r)
		r = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	return r ? r : (int)x->port - (int)y->port;
}

/* --- source ranges --- */
static void add_ranges(const struct table *src, struct index *x)
{
	struct xb_src_key key, next;

	for (int r = bpf_map_get_next_key(src->fd, NULL, &next); !r; r = bpf_map_get_next_key(src->fd, &key, &next)) {
		key = next;
		PUSH(&x->ranges, (struct source_range){ .id = ntohl(key.id), .bits = key.prefix_bits - 32, .addr = key.addr });
	}
}

static int compare_ranges(const void *a, const void *b)
{
	const struct source_range *x = a, *y = b;
	int r = (x->id > y->id) - (x->id < y->id);

	if (!r)
		r = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	return r ? r : (int)x->bits - (int)y->bits;
}

/* --- slots --- */
static void add_slots(const struct tables *t, struct index *x)
{
	for (__u32 i = 1; i < t->t[TABLE_SVC].size; i++) {
		const struct xb_name *name = table_at(t, TABLE_NAME, i);
		const struct xb_svc *svc = svc_at(t, i);

		if (name && name->name[0])
			PUSH(&x->slots, (struct slot){ .svc = i, .proto = svc->proto, .family = svc->family,
						       .name = xalloc(strndup(name->name, sizeof(name->name))) });
	}
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	if (!r)
		r = (int)x->proto - (int)y->proto;
	return r ? r : (int)x->family - (int)y->family;
}

void index_make(const struct tables *t, struct index *ret)
{
	static const enum xb_family families[] = { XB_IPV4, XB_IPV6 };

	*ret = (struct index){};
	for (size_t f = 0; f < ARRAY_SIZE(families); f++)
		xb_frontends_walk((struct xb_frontends *)&t->fe[f], add_frontend, &(struct walk){ ret, families[f] });
	if (t->t[TABLE_SRC].fd >= 0)
		add_ranges(&t->t[TABLE_SRC], ret);
	add_slots(t, ret);
	if (ret->frontends.n)
		qsort(ret->frontends.v, ret->frontends.n, sizeof(*ret->frontends.v), compare_frontends);
	if (ret->ranges.n)
		qsort(ret->ranges.v, ret->ranges.n, sizeof(*ret->ranges.v), compare_ranges);
	if (ret->slots.n)
		qsort(ret->slots.v, ret->slots.n, sizeof(*ret->slots.v), compare_slots);
}

/* --- looking up --- */
const struct frontend *index_frontends(const struct index *x, __u32 svc, size_t *ret_n)
{
	size_t low = 0, high = x->frontends.n, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (owner(&x->frontends.v[middle]) < svc)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < x->frontends.n && owner(&x->frontends.v[end]) == svc;)
		end++;
	*ret_n = end - low;
	return x->frontends.v + low;
}

const struct source_range *index_ranges(const struct index *x, __u32 id, size_t *ret_n)
{
	size_t low = 0, high = x->ranges.n, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (x->ranges.v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < x->ranges.n && x->ranges.v[end].id == id;)
		end++;
	*ret_n = end - low;
	return x->ranges.v + low;
}

/* --- choosing --- */
static bool is_wanted(const char *name, char *const *wanted, bool *found)
{
	bool any = false;

	for (size_t i = 0; wanted[i]; i++) {
		if (!name_matches(name, wanted[i]))
			continue;
		found[i] = any = true;
	}
	return any;
}

int index_select(struct index *x, char *const *wanted, char **reterr_why)
{
	_cleanup_free_ bool *found = NULL;
	size_t n = 0, kept = 0;

	if (!wanted)
		return 0;
	for (; wanted[n]; n++)
		if (!strchr(wanted[n], '/'))
			return xb_why(reterr_why, -EINVAL, "\"%s\" is no NAMESPACE/NAME", wanted[n]);
	found = xalloc(calloc(n, sizeof(*found)));
	for (size_t i = 0; i < x->slots.n; i++) {
		if (is_wanted(x->slots.v[i].name, wanted, found))
			x->slots.v[kept++] = x->slots.v[i];
		else
			free(x->slots.v[i].name);
	}
	x->slots.n = kept;
	for (size_t i = 0; i < n; i++)
		if (!found[i])
			return xb_why(reterr_why, -ENOENT, "service \"%s\" is not in the tables", wanted[i]);
	return 0;
}
