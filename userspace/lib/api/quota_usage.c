/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/quota.h"

static bool is_measured(struct xb_sv resource)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (!(*k)->stored && xb_quota_measures(*k, resource))
			return true;
	return false;
}

static int add_sum(struct xb_quota_usage *u, struct xb_sv resource, struct xb_jv limit)
{
	struct xb_quota_sum s = { .resource = resource, .measured = is_measured(resource) };
	struct xb_quantity hard;

	if (!xb_quantity_parse(xb_jv_text(limit), &hard))
		s.used.form = hard.form;
	return xb_vec_push(&u->sums, s);
}

int xb_quota_usage_new(struct xb_jv quota, int64_t now, struct xb_quota_usage **ret)
{
	_cleanup_(xb_quota_usage_freep) struct xb_quota_usage *u = calloc(1, sizeof(*u));
	int r = u ? 0 : -ENOMEM;

	if (r)
		return r;
	u->now = now;
	u->doc = xb_json_ref(quota.doc);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(quota, "spec", "hard")); !r && xb_jit_next(&it);)
		r = add_sum(u, it.key, it.value);
	if (!r)
		*ret = TAKE_PTR(u);
	return r;
}

struct xb_quota_usage *xb_quota_usage_free(struct xb_quota_usage *u)
{
	if (!u)
		return NULL;
	xb_json_unref(u->doc);
	xb_vec_done(&u->sums);
	free(u);
	return NULL;
}

static bool same(struct xb_jv a, struct xb_jv b)
{
	return xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b));
}

bool xb_quota_usage_is_of(const struct xb_quota_usage *u, struct xb_jv quota)
{
	struct xb_jv own = xb_json_root(u->doc);

	return same(xb_jv_get(own, "spec"), xb_jv_get(quota, "spec")) &&
	       same(xb_jv_path(own, "metadata", "uid"), xb_jv_path(quota, "metadata", "uid"));
}

bool xb_quota_usage_measures(const struct xb_quota_usage *u, const struct xb_kind *k)
{
	for (size_t i = 0; i < u->sums.n; i++)
		if (xb_quota_measures(k, u->sums.v[i].resource))
			return true;
	return false;
}

bool xb_quota_usage_change(struct xb_quota_usage *u, const struct xb_kind *k, struct xb_jv old, struct xb_jv object)
{
	struct xb_jv quota = xb_json_root(u->doc);
	bool before = xb_jv_is(old) && xb_quota_selects(quota, k, old), after = xb_jv_is(object) && xb_quota_selects(quota, k, object);
	bool changed = false;

	for (size_t i = 0; (before || after) && i < u->sums.n; i++) {
		struct xb_quota_sum *s = &u->sums.v[i];
		__int128 more = 0;

		if (after)
			more += xb_quota_amount(k, object, s->resource, u->now);
		if (before)
			more -= xb_quota_amount(k, old, s->resource, u->now);
		s->used.nano += more;
		changed |= more != 0;
	}
	return changed;
}
