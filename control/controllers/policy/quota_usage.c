/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "quota_usage.h"
#include "xb/quantity.h"
#include "xb/quota.h"
#include "xb/vec.h"

struct sum {
	struct xb_sv resource;
	struct xb_quantity used;
	bool measured;
};
struct quota_usage {
	int64_t now;
	struct xb_json *doc;            /* of the quota, for its spec and the names of resources */
	XB_VEC(struct sum) sums;        /* what it limits, in its order */
};

static bool is_measured(struct xb_sv resource)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (!(*k)->stored && xb_quota_measures(*k, resource))
			return true;
	return false;
}

static int add_sum(struct quota_usage *u, struct xb_sv resource, struct xb_jv limit)
{
	struct sum s = { .resource = resource, .measured = is_measured(resource) };
	struct xb_quantity hard;

	if (!xb_quantity_parse(xb_jv_text(limit), &hard))
		s.used.form = hard.form;
	return xb_vec_push(&u->sums, s);
}

int quota_usage_new(struct xb_jv quota, int64_t now, struct quota_usage **ret)
{
	_cleanup_(quota_usage_freep) struct quota_usage *u = calloc(1, sizeof(*u));
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

struct quota_usage *quota_usage_free(struct quota_usage *u)
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

bool quota_usage_is_of(const struct quota_usage *u, struct xb_jv quota)
{
	struct xb_jv own = xb_json_root(u->doc);

	return same(xb_jv_get(own, "spec"), xb_jv_get(quota, "spec")) &&
	       same(xb_jv_path(own, "metadata", "uid"), xb_jv_path(quota, "metadata", "uid"));
}

bool quota_usage_measures(const struct quota_usage *u, const struct xb_kind *k)
{
	for (size_t i = 0; i < u->sums.n; i++)
		if (xb_quota_measures(k, u->sums.v[i].resource))
			return true;
	return false;
}

bool quota_usage_change(struct quota_usage *u, const struct xb_kind *k, struct xb_jv old, struct xb_jv object)
{
	struct xb_jv quota = xb_json_root(u->doc);
	bool before = xb_jv_is(old) && xb_quota_selects(quota, k, old), after = xb_jv_is(object) && xb_quota_selects(quota, k, object);
	bool changed = false;

	for (size_t i = 0; (before || after) && i < u->sums.n; i++) {
		struct sum *s = &u->sums.v[i];
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

/* --- the status --- */
static bool says(const struct quota_usage *u, struct xb_jv quota)
{
	struct xb_jv used = xb_jv_path(quota, "status", "used");
	struct xb_quantity there;
	size_t n = 0;

	if (!xb_jv_is(used) || !same(xb_jv_path(quota, "spec", "hard"), xb_jv_path(quota, "status", "hard")))
		return false;
	for (size_t i = 0; i < u->sums.n; i++) {
		const struct sum *s = &u->sums.v[i];

		if (!s->measured)
			continue;
		if (xb_quantity_parse(xb_jv_text(xb_jv_getsv(used, s->resource)), &there) || there.nano != s->used.nano)
			return false;
		n++;
	}
	return n == xb_jv_count(used);
}

static void write_used(struct xb_jw *w, const struct sum *s)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_quantity_write(&s->used, &text);
	if (text.err)
		w->err = text.err;
	xb_jw_keysv(w, s->resource);
	xb_jw_sv(w, xb_buf_sv(&text));
}

void quota_usage_status(const struct quota_usage *u, struct xb_jv quota, struct xb_buf *out)
{
	struct xb_jv hard = xb_jv_path(quota, "spec", "hard");
	struct xb_jw w = XB_JW(out);

	if (says(u, quota))
		return;
	xb_jw_object(&w);
	xb_jw_key(&w, "hard");
	xb_jw_raw(&w, xb_jv_is(hard) ? xb_jv_bytes(hard) : XB_SV("{}"));
	xb_jw_key(&w, "used");
	xb_jw_object(&w);
	for (size_t i = 0; i < u->sums.n; i++)
		if (u->sums.v[i].measured)
			write_used(&w, &u->sums.v[i]);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
