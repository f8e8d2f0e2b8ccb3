/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "ledger.h"
#include "xb/why.h"

#define KEY_MAX (1 + 256 + NFT_KEY_MAX + 1)

/* --- entries */
struct key {
	char b[KEY_MAX];
	size_t n, name_bytes;
};

static struct key key_of(const struct nft_object *o)
{
	struct key k = { .name_bytes = strlen(o->name) + 1 };

	k.b[0] = (char)o->kind;
	memcpy(k.b + 1, o->name, k.name_bytes);
	k.n = 1 + k.name_bytes;
	if (o->kind == NFT_ELEMENT) {
		memcpy(k.b + k.n, o->element.key, o->element.key_bytes);
		k.n += o->element.key_bytes;
		k.b[k.n++] = o->element.end;
	}
	return k;
}

static struct nft_entry *find(const struct nft_ledger *l, const struct key *k)
{
	return xb_map_get(l->entries, (struct xb_sv){ k->b, k->n });
}

static struct nft_entry *add(struct nft_ledger *l, const struct key *k)
{
	struct nft_entry *e = calloc(1, sizeof(*e) + k->n);

	if (!e)
		return NULL;
	memcpy(e->key, k->b, k->n);
	e->name_bytes = (__u16)k->name_bytes;
	e->key_bytes = (__u16)(k->n - 1 - k->name_bytes);
	e->kind = (enum nft_object_kind)k->b[0];
	if (xb_map_set(l->entries, (struct xb_sv){ e->key, k->n }, e, NULL) == 0)
		return e;
	free(e);
	return NULL;
}

static void forget(struct nft_ledger *l, struct nft_entry *e)
{
	xb_map_del(l->entries, (struct xb_sv){ e->key, 1u + e->name_bytes + e->key_bytes });
	free(e);
}

struct nft_owner *nft_owner_new(const char *name, enum xb_proto proto)
{
	size_t n = strlen(name) + 1;
	struct nft_owner *o = calloc(1, sizeof(*o) + n);

	if (!o)
		return NULL;
	o->proto = proto;
	memcpy(o->name, name, n);
	return o;
}

struct nft_owner *nft_owner_free(struct nft_owner *o)
{
	if (!o)
		return NULL;
	xb_vec_done(&o->entries);
	free(o);
	return NULL;
}

int nft_ledger_init(struct nft_ledger *l, int family)
{
	*l = (struct nft_ledger){ .family = family, .entries = xb_map_new(XB_MAP_BORROW) };
	return l->entries ? 0 : -ENOMEM;
}

void nft_ledger_done(struct nft_ledger *l)
{
	for (struct xb_map_it it = {}; l->entries && xb_map_next(l->entries, &it);)
		free(it.value);
	l->entries = xb_map_free(l->entries);
}

int nft_ledger_adopt(struct nft_ledger *l, const struct nft_object *o)
{
	struct key k = key_of(o);
	struct nft_entry *e = find(l, &k);

	if (!e)
		e = add(l, &k);
	if (!e)
		return -ENOMEM;
	e->digest = o->digest;
	return 0;
}

const struct nft_entry *nft_ledger_find(const struct nft_ledger *l, const struct nft_object *o)
{
	struct key k = key_of(o);

	return find(l, &k);
}

/* --- numbers */
static int compare_digests(const void *x, const void *y)
{
	const struct nft_object *a = x, *b = y;

	return (a->digest > b->digest) - (a->digest < b->digest);
}

static void give(struct nft_object *to, const struct nft_object *from)
{
	to->digest = from->digest;
	to->element.chain = from->element.chain;
}

/* Which number a backend has does not matter, so those that have one below n keep it: a backend that comes or goes is one or
 * two elements, not all. */
static int place(const struct nft_ledger *l, struct nft_object *v, size_t n)
{
	_cleanup_free_ struct nft_object *sorted = malloc(n * sizeof(*sorted));
	_cleanup_free_ bool *taken = calloc(n, sizeof(*taken));
	_cleanup_free_ bool *placed = calloc(n, sizeof(*placed));
	size_t next = 0;

	if (!sorted || !taken || !placed)
		return -ENOMEM;
	memcpy(sorted, v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_digests);
	for (size_t i = 0; i < n; i++) {
		const struct nft_entry *e = nft_ledger_find(l, &v[i]);
		struct nft_object want = { .digest = e ? e->digest : 0 };
		const struct nft_object *had = bsearch(&want, sorted, n, sizeof(*sorted), compare_digests);

		if (!had || taken[had - sorted])
			continue;
		give(&v[i], had);
		taken[had - sorted] = placed[i] = true;
	}
	for (size_t i = 0; i < n; i++) {
		if (placed[i])
			continue;
		while (taken[next])
			next++;
		give(&v[i], &sorted[next++]);
	}
	return 0;
}

static bool numbered(const struct nft_object *o)
{
	return o->kind == NFT_ELEMENT && o->set == NFT_BY_NUMBER;
}

static int place_all(const struct nft_ledger *l, struct nft_wanted *w)
{
	int r = 0;

	for (size_t i = 0, n; !r && i < w->n; i += n) {
		for (n = 1; numbered(&w->v[i]) && i + n < w->n && numbered(&w->v[i + n]) && w->v[i + n].name == w->v[i].name; n++)
			;
		if (numbered(&w->v[i]))
			r = place(l, w->v + i, n);
	}
	return r;
}

/* --- what is stale */
/* Chains go before what they jump to, and all that refers to a set before the set. */
static int rank(const struct nft_entry *e)
{
	if (e->kind == NFT_ELEMENT)
		return 0;
	if (e->kind == NFT_SET)
		return 4;
	if (!strncmp(nft_entry_name(e), "external-", strlen("external-")))
		return 1;
	return strncmp(nft_entry_name(e), NFT_ENDPOINT, strlen(NFT_ENDPOINT)) ? 2 : 3;
}

/* Elements of one set are neighbours. */
static int compare_stale(const void *x, const void *y)
{
	const struct nft_entry *a = *(struct nft_entry *const *)x, *b = *(struct nft_entry *const *)y;
	int r = rank(a) - rank(b);

	return r ? r : strcmp(nft_entry_name(a), nft_entry_name(b));
}

static bool others_want(const struct nft_entry *e)
{
	return e->refs > 1;
}

static int delete_elements(struct nft_ledger *l, struct nft_entry *const *v, size_t n, struct xb_nft_batch *b)
{
	_cleanup_free_ struct nft_key *keys = malloc(n * sizeof(*keys));
	size_t kept = 0;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const unsigned char *key = (const unsigned char *)v[i]->key + 1 + v[i]->name_bytes;

		if (!others_want(v[i]) && v[i]->digest)
			keys[kept++] = (struct nft_key){ key, v[i]->key_bytes - 1u, key[v[i]->key_bytes - 1] };
	}
	if (kept)
		nft_del_elements(b, l->family, nft_entry_name(v[0]), keys, kept);
	return 0;
}

/* The elements among them, one set after the other; *ret_n: how many those are. */
static int delete_stale_elements(struct nft_ledger *l, struct nft_entry *const *v, size_t n, struct xb_nft_batch *b, size_t *ret_n)
{
	size_t at = 0, end;
	int r = 0;

	for (; !r && at < n && v[at]->kind == NFT_ELEMENT; at = end) {
		for (end = at + 1; end < n && v[end]->kind == NFT_ELEMENT && !strcmp(nft_entry_name(v[end]), nft_entry_name(v[at])); end++)
			;
		r = delete_elements(l, v + at, end - at, b);
	}
	*ret_n = at;
	return r;
}

static void delete_stale_rest(struct nft_ledger *l, struct nft_entry *const *v, size_t n, struct xb_nft_batch *b)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i]->kind == NFT_CHAIN)
			nft_del_chain(b, l->family, nft_entry_name(v[i]));
		else
			nft_del_set(b, l->family, nft_entry_name(v[i]));
	}
}

/* --- a change */
static int conflict(const struct nft_ledger *l, const struct nft_owner *o, const struct nft_object *object, const struct nft_entry *e,
		    char **reterr_why)
{
	const unsigned char *key = object->element.key;
	unsigned at = object->set == NFT_BY_ADDR ? l->family == AF_INET ? 4 : 16 : 0, port = key[at + 4] << 8 | key[at + 5];
	char addr[INET6_ADDRSTRLEN] = "node";

	if (at)
		inet_ntop(l->family, key, addr, sizeof(addr));
	return xb_why(reterr_why, -EADDRINUSE, "%s port %u of %s belongs to %s already", addr, port, o->name, e->owner->name);
}

/* Stamps: what the owner has gets this one, what it wants the next. */
static int resolve(struct nft_ledger *l, struct nft_change *c, char **reterr_why)
{
	const struct nft_wanted *w = c->wanted;
	int r = 0;

	for (size_t i = 0; i < c->owner->entries.n; i++)
		c->owner->entries.v[i]->stamp = l->stamp;
	for (size_t i = 0; i < w->n; i++) {
		struct key k = key_of(&w->v[i]);
		struct nft_entry *e = find(l, &k);

		if (!e)
			e = add(l, &k);
		if (!e)
			return -ENOMEM;
		if (e->owner && e->owner != c->owner) {
			if (!r)
				r = conflict(l, c->owner, &w->v[i], e, reterr_why);
			continue;
		}
		if (e->stamp == l->stamp + 1)
			continue;
		e->stamp = l->stamp + 1;
		c->entries[i] = e;
	}
	return r;
}

static void put_sets_and_chains(struct nft_ledger *l, const struct nft_change *c, struct xb_nft_batch *b)
{
	const struct nft_wanted *w = c->wanted;

	for (size_t i = 0; i < w->n; i++) {
		if (!c->entries[i] || c->entries[i]->digest)
			continue;
		if (w->v[i].kind == NFT_SET)
			nft_put_set(b, l->family, w->v[i].name, w->v[i].set);
		else if (w->v[i].kind == NFT_CHAIN)
			nft_put_chain(b, l->family, w->v[i].name, w->v[i].chain.hook);
	}
	for (size_t i = 0; i < w->n; i++) {
		const struct nft_object *o = &w->v[i];

		if (o->kind != NFT_CHAIN || !c->entries[i] || c->entries[i]->digest == o->digest)
			continue;
		if (c->entries[i]->digest)
			nft_del_rules(b, l->family, o->name);
		nft_put_rules(b, l->family, o->name, w->steps.v + o->chain.first, o->chain.n, o->digest);
	}
}

static bool missing(const struct nft_change *c, size_t i)
{
	return c->wanted->v[i].kind == NFT_ELEMENT && c->entries[i] && c->entries[i]->digest != c->wanted->v[i].digest;
}

static int replace_elements(struct nft_ledger *l, const struct nft_change *c, struct xb_nft_batch *b)
{
	const struct nft_wanted *w = c->wanted;
	int r = 0;

	for (size_t i = 0, end; !r && i < w->n; i = end) {
		for (end = i + 1; missing(c, i) && end < w->n && missing(c, end) && w->v[end].name == w->v[i].name; end++)
			;
		if (missing(c, i))
			r = delete_elements(l, c->entries + i, end - i, b);
	}
	return r;
}

static void put_elements(struct nft_ledger *l, const struct nft_change *c, struct xb_nft_batch *b)
{
	const struct nft_wanted *w = c->wanted;

	for (size_t i = 0, end; i < w->n; i = end) {
		for (end = i + 1; missing(c, i) && end < w->n && missing(c, end) && w->v[end].name == w->v[i].name; end++)
			;
		if (missing(c, i))
			nft_put_elements(b, l->family, w->v + i, end - i);
	}
}

static int gather_stale(struct nft_ledger *l, struct nft_change *c)
{
	int r = 0;

	for (size_t i = 0; !r && i < c->owner->entries.n; i++)
		if (c->owner->entries.v[i]->stamp == l->stamp)
			r = xb_vec_push(&c->stale, c->owner->entries.v[i]);
	if (c->stale.n)
		qsort(c->stale.v, c->stale.n, sizeof(*c->stale.v), compare_stale);
	return r;
}

static int write_change(struct nft_ledger *l, struct nft_change *c, struct xb_nft_batch *b)
{
	size_t elements = 0;
	int r = gather_stale(l, c);

	if (r < 0)
		return r;
	put_sets_and_chains(l, c, b);
	r = replace_elements(l, c, b);
	if (!r)
		r = delete_stale_elements(l, c->stale.v, c->stale.n, b, &elements);
	if (r < 0)
		return r;
	put_elements(l, c, b);
	delete_stale_rest(l, c->stale.v + elements, c->stale.n - elements, b);
	return b->buf.err;
}

int nft_ledger_change(struct nft_ledger *l, struct nft_owner *o, struct nft_wanted *w, struct xb_nft_batch *b, struct nft_change *ret,
		      char **reterr_why)
{
	struct nft_change c = { .owner = o, .wanted = w };
	int r = w->err ? w->err : place_all(l, w), conflicts = 0;

	if (r < 0)
		return r;
	l->stamp += 2;
	c.entries = calloc(w->n + 1, sizeof(*c.entries));
	r = c.entries ? resolve(l, &c, reterr_why) : -ENOMEM;
	if (r == -EADDRINUSE) {
		conflicts = r;
		r = 0;
	}
	if (!r)
		r = write_change(l, &c, b);
	if (r < 0) {
		nft_change_drop(l, &c);
		return r;
	}
	*ret = c;
	return conflicts;
}

int nft_ledger_unwanted(struct nft_ledger *l, size_t max, struct xb_nft_batch *b, struct nft_change *ret)
{
	struct nft_change c = {};
	size_t elements = 0;
	int r = 0;

	for (struct xb_map_it it = {}; !r && xb_map_next(l->entries, &it);) {
		struct nft_entry *e = it.value;

		if (!e->owner && !e->refs)
			r = xb_vec_push(&c.stale, e);
	}
	if (!r && c.stale.n) {
		qsort(c.stale.v, c.stale.n, sizeof(*c.stale.v), compare_stale);
		c.stale.n = MIN(c.stale.n, max);
		r = delete_stale_elements(l, c.stale.v, c.stale.n, b, &elements);
	}
	if (!r) {
		delete_stale_rest(l, c.stale.v + elements, c.stale.n - elements, b);
		r = b->buf.err;
	}
	if (r < 0) {
		nft_change_drop(l, &c);
		return r;
	}
	*ret = c;
	return 0;
}

/* --- its end */
static void own(struct nft_owner *o, struct nft_entry *e, const struct nft_object *object)
{
	e->digest = object->digest;
	if (object->kind == NFT_ELEMENT && object->element.shared)
		e->refs++;
	else
		e->owner = o;
}

int nft_change_keep(struct nft_ledger *l, struct nft_change *c)
{
	size_t wanted = c->wanted ? c->wanted->n : 0;
	int r = c->owner ? xb_vec_room(&c->owner->entries, wanted) : 0;

	if (r < 0)
		return r;
	/* What it had gives its counts back first, so that what it still wants keeps its own. */
	for (size_t i = 0; c->owner && i < c->owner->entries.n; i++)
		if (c->owner->entries.v[i]->refs)
			c->owner->entries.v[i]->refs--;
	if (c->owner)
		c->owner->entries.n = 0;
	for (size_t i = 0; i < wanted; i++) {
		if (!c->entries[i])
			continue;
		own(c->owner, c->entries[i], &c->wanted->v[i]);
		c->owner->entries.v[c->owner->entries.n++] = c->entries[i];
	}
	for (size_t i = 0; i < c->stale.n; i++)
		if (!c->stale.v[i]->refs)
			forget(l, c->stale.v[i]);
	free(c->entries);
	xb_vec_done(&c->stale);
	*c = (struct nft_change){};
	return 0;
}

void nft_change_drop(struct nft_ledger *l, struct nft_change *c)
{
	for (size_t i = 0; c->entries && i < c->wanted->n; i++)
		if (c->entries[i] && !c->entries[i]->digest)
			forget(l, c->entries[i]);
	free(c->entries);
	xb_vec_done(&c->stale);
	*c = (struct nft_change){};
}
