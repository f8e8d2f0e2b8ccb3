/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <malloc.h>
#include "parts.h"

int store_parts_init(struct store_parts *p, void (*dead)(void *arg, uint64_t id), void *arg)
{
	*p = (struct store_parts){
		.by_value = xb_map_new(XB_MAP_BORROW),
		.seen = calloc(STORE_PARTS_SEEN, sizeof(*p->seen)),
		.dead = dead,
		.arg = arg,
	};
	return p->by_value && p->seen ? 0 : -ENOMEM;
}

static void unref_part(struct store_part *part)
{
	if (--part->refs)
		return;
	if (part->table) {
		xb_map_del(part->table->by_value, xb_json_bytes(part->value));
		if (part->durable)
			part->table->dead(part->table->arg, part->id);
	}
	xb_json_unref(part->value);
	free(part);
}

void store_parts_done(struct store_parts *p)
{
	for (struct xb_map_it it = {}; p->by_value && xb_map_next(p->by_value, &it);)
		((struct store_part *)it.value)->table = NULL;
	for (size_t i = 0; i < p->n_loaded; i++)
		unref_part(p->loaded[i]);
	xb_map_free(p->by_value);
	free(p->loaded);
	free(p->seen);
	*p = (struct store_parts){};
}

/* --- the parts of a document */

struct store_uses *store_uses_free(struct store_uses *u)
{
	for (unsigned i = 0; u && i < u->n; i++)
		unref_part(u->v[i].part);
	free(u);
	return NULL;
}

static void release(struct xb_json_extra *x)
{
	store_uses_free((struct store_uses *)x);
}

struct store_uses *store_uses_new(unsigned max)
{
	struct store_uses *u = malloc(sizeof(*u) + max * sizeof(*u->v));

	if (u)
		*u = (struct store_uses){ .extra.release = release };
	return u;
}

void store_uses_add(struct store_uses *u, size_t at, size_t n, struct store_part *part)
{
	part->refs++;
	u->v[u->n++] = (struct store_use){ .at = at, .n = n, .part = part };
}

void store_uses_attach(struct store_uses *u, struct xb_json *doc)
{
	struct store_uses *fitting = realloc(u, sizeof(*u) + u->n * sizeof(*u->v));

	xb_json_attach(doc, &(fitting ? fitting : u)->extra);
}

int store_uses_share(const struct xb_json *from, struct xb_json *to)
{
	const struct store_uses *u = store_uses_of(from);
	struct store_uses *copy;

	if (!u)
		return 0;
	copy = store_uses_new(u->n);
	if (!copy)
		return -ENOMEM;
	for (unsigned i = 0; i < u->n; i++)
		store_uses_add(copy, u->v[i].at, u->v[i].n, u->v[i].part);
	store_uses_attach(copy, to);
	return 0;
}

size_t store_uses_memory(const struct xb_json *doc)
{
	return malloc_usable_size(store_uses_of(doc));
}

bool store_part_next(const struct xb_json *doc, unsigned *iter, struct store_part_at *ret)
{
	const struct store_uses *u = store_uses_of(doc);

	if (!u || *iter >= u->n)
		return false;
	*ret = (struct store_part_at){ .at = u->v[*iter].at, .n = u->v[*iter].n, .value = u->v[*iter].part->value };
	++*iter;
	return true;
}

/* --- the table */

static struct store_part *new_part(struct store_parts *p, uint64_t id, struct xb_json *value)
{
	struct store_part *part = malloc(sizeof(*part));

	if (!part)
		return NULL;
	*part = (struct store_part){ .id = id, .value = value };
	p->newest = MAX(p->newest, id);
	return part;
}

static int enter(struct store_parts *p, struct store_part *part)
{
	int r = xb_map_set(p->by_value, xb_json_bytes(part->value), part, NULL);

	if (!r)
		part->table = p;
	return r;
}

static struct store_part *make(struct store_parts *p, struct xb_sv bytes)
{
	struct xb_json_limits limits = { .max_bytes = bytes.n };
	_cleanup_(xb_json_unrefp) struct xb_json *value = NULL;
	struct store_part *part;

	if (xb_json_parse(bytes, &limits, &value, NULL))
		return NULL;
	part = new_part(p, p->newest + 1, value);
	if (!part)
		return NULL;
	if (enter(p, part)) {
		free(part);
		return NULL;
	}
	TAKE_PTR(value);
	return part;
}

struct store_part *store_parts_obtain(struct store_parts *p, struct xb_sv bytes)
{
	struct store_part *part;
	uint64_t *seen, hash;

	if (bytes.n < STORE_PART_MIN)
		return NULL;
	part = xb_map_get(p->by_value, bytes);
	if (part)
		return part;
	hash = xb_hash(bytes);
	seen = &p->seen[hash % STORE_PARTS_SEEN];
	if (*seen == hash)
		return make(p, bytes);
	*seen = hash;
	return NULL;
}

/* --- to and from the file */

static int keep_loaded(struct store_parts *p, struct store_part *part)
{
	if (p->n_loaded == p->cap_loaded) {
		size_t cap = p->cap_loaded ? 2 * p->cap_loaded : 64;
		struct store_part **loaded = reallocarray(p->loaded, cap, sizeof(*loaded));

		if (!loaded)
			return -ENOMEM;
		p->loaded = loaded;
		p->cap_loaded = cap;
	}
	p->loaded[p->n_loaded++] = part;
	return 0;
}

int store_parts_load(struct store_parts *p, uint64_t id, struct xb_sv bytes)
{
	struct xb_json_limits limits = { .max_bytes = bytes.n };
	_cleanup_(xb_json_unrefp) struct xb_json *value = NULL;
	struct store_part *part;
	int r = xb_json_parse(bytes, &limits, &value, NULL);

	if (r)
		return r == -ENOMEM ? r : -EBADMSG;
	part = new_part(p, id, value);
	if (!part)
		return -ENOMEM;
	part->durable = true;
	part->refs = 1; /* the list's */
	r = keep_loaded(p, part);
	if (r) {
		free(part);
		return r;
	}
	TAKE_PTR(value);
	return xb_map_get(p->by_value, bytes) ? 0 : enter(p, part);
}

static struct store_part *loaded_part(const struct store_parts *p, uint64_t id)
{
	size_t low = 0, high = p->n_loaded;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->loaded[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->n_loaded && p->loaded[low]->id == id ? p->loaded[low] : NULL;
}

/* The number at that offset, and whose it is. */
static int attach_at(struct store_parts *p, struct store_uses *u, struct xb_sv bytes, uint64_t at)
{
	struct store_part *part;
	uint64_t id = 0;
	size_t n = 0;

	while (at < bytes.n && n < 19 && at + n < bytes.n && bytes.p[at + n] >= '0' && bytes.p[at + n] <= '9')
		id = id * 10 + (bytes.p[at + n++] - '0');
	part = n ? loaded_part(p, id) : NULL;
	if (!part)
		return -EBADMSG;
	store_uses_add(u, at, n, part);
	return 0;
}

int store_parts_attach(struct store_parts *p, struct xb_json *doc, struct xb_sv offsets)
{
	_cleanup_(xb_json_unrefp) struct xb_json *list = NULL;
	_cleanup_(store_uses_freep) struct store_uses *u = NULL;
	int64_t at;
	int r = xb_json_parse(offsets, NULL, &list, NULL);

	if (r)
		return r == -ENOMEM ? r : -EBADMSG;
	u = store_uses_new(xb_jv_count(xb_json_root(list)));
	if (!u)
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(xb_json_root(list)); !r && xb_jit_next(&it);)
		r = xb_jv_i64(it.value, &at) || at < 0 ? -EBADMSG : attach_at(p, u, xb_json_bytes(doc), at);
	if (!r && u->n)
		store_uses_attach(TAKE_PTR(u), doc);
	return r;
}

void store_parts_sweep(struct store_parts *p)
{
	for (size_t i = 0; i < p->n_loaded; i++) {
		struct store_part *part = p->loaded[i];

		if (part->refs == 1 && !part->table)
			p->dead(p->arg, part->id);
		unref_part(part);
	}
	free(p->loaded);
	p->loaded = NULL;
	p->n_loaded = p->cap_loaded = 0;
}

void store_uses_write(const struct xb_json *doc, struct xb_buf *out)
{
	struct store_part_at part;
	unsigned iter = 0;

	while (store_part_next(doc, &iter, &part)) {
		xb_buf_addc(out, iter == 1 ? '[' : ',');
		xb_buf_addu(out, part.at);
	}
	if (iter)
		xb_buf_addc(out, ']');
}
