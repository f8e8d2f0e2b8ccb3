/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/expectations.h"
#include "xb/map.h"
#include "xb/time.h"

#define EXPIRE_MS (5 * 60 * 1000)

struct awaited {
	unsigned creations;
	struct xb_map *deletions;       /* uids; NULL: none */
	bool doubted;
	int64_t since_ms;
};
struct xb_expectations {
	struct xb_map *by_key;
	int64_t expire_ms;
};

static struct awaited *awaited_free(struct awaited *a)
{
	if (!a)
		return NULL;
	xb_map_free(a->deletions);
	free(a);
	return NULL;
}
XB_DEFINE_CLEANUP(struct awaited *, awaited_free)

struct xb_expectations *xb_expectations_new(unsigned expire_ms)
{
	_cleanup_(xb_expectations_freep) struct xb_expectations *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->expire_ms = expire_ms ? expire_ms : EXPIRE_MS;
	e->by_key = xb_map_new(XB_MAP_COPY);
	return e->by_key ? TAKE_PTR(e) : NULL;
}

struct xb_expectations *xb_expectations_free(struct xb_expectations *e)
{
	if (!e)
		return NULL;
	for (struct xb_map_it it = {}; e->by_key && xb_map_next(e->by_key, &it);)
		awaited_free(it.value);
	xb_map_free(e->by_key);
	free(e);
	return NULL;
}

/* Takes a. */
static int await(struct xb_expectations *e, const char *key, struct awaited *a)
{
	_cleanup_(awaited_freep) struct awaited *new = a;
	void *old = NULL;
	int r;

	new->since_ms = xb_time_ms();
	r = xb_map_set(e->by_key, xb_sv(key), new, &old);
	if (r)
		return r;
	awaited_free(old);
	TAKE_PTR(new);
	return 0;
}

int xb_expectations_creations(struct xb_expectations *e, const char *key, unsigned n)
{
	struct awaited *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->creations = n;
	return await(e, key, a);
}

int xb_expectations_deletions(struct xb_expectations *e, const char *key, const struct xb_sv *uids, size_t n)
{
	_cleanup_(awaited_freep) struct awaited *a = calloc(1, sizeof(*a));
	int r = 0;

	if (!a || !(a->deletions = xb_map_new(XB_MAP_COPY)))
		return -ENOMEM;
	for (size_t i = 0; !r && i < n; i++)
		r = xb_map_set(a->deletions, uids[i], a, NULL);
	return r ? r : await(e, key, TAKE_PTR(a));
}

static bool met(const struct awaited *a)
{
	return !a->doubted && !a->creations && (!a->deletions || !xb_map_count(a->deletions));
}

static void drop_if_met(struct xb_expectations *e, const char *key, const struct awaited *a)
{
	if (met(a))
		xb_expectations_forget(e, key);
}

void xb_expectations_created(struct xb_expectations *e, const char *key)
{
	struct awaited *a = xb_map_get(e->by_key, xb_sv(key));

	if (!a || !a->creations)
		return;
	a->creations--;
	drop_if_met(e, key, a);
}

void xb_expectations_deleted(struct xb_expectations *e, const char *key, struct xb_sv uid)
{
	struct awaited *a = xb_map_get(e->by_key, xb_sv(key));

	if (!a || !a->deletions)
		return;
	xb_map_del(a->deletions, uid);
	drop_if_met(e, key, a);
}

void xb_expectations_doubt(struct xb_expectations *e, const char *key)
{
	struct awaited *a = xb_map_get(e->by_key, xb_sv(key));

	if (a)
		a->doubted = true;
}

bool xb_expectations_doubted(const struct xb_expectations *e, const char *key)
{
	const struct awaited *a = xb_map_get(e->by_key, xb_sv(key));

	return a && a->doubted;
}

void xb_expectations_resolve(struct xb_expectations *e, const char *key, unsigned creations, bool (*is_there)(void *arg, struct xb_sv uid),
			     void *arg)
{
	struct awaited *a = xb_map_get(e->by_key, xb_sv(key));

	if (!a)
		return;
	a->doubted = false;
	a->creations = creations;
	for (struct xb_map_it it = {}; a->deletions && xb_map_next(a->deletions, &it);)
		if (is_there(arg, it.key))
			xb_map_del(a->deletions, it.key);
	drop_if_met(e, key, a);
}

bool xb_expectations_met(const struct xb_expectations *e, const char *key)
{
	const struct awaited *a = xb_map_get(e->by_key, xb_sv(key));

	return !a || met(a) || xb_time_ms() - a->since_ms > e->expire_ms;
}

void xb_expectations_forget(struct xb_expectations *e, const char *key)
{
	awaited_free(xb_map_del(e->by_key, xb_sv(key)));
}
