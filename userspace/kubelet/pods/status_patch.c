/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status.h"

/* What a status of ours may have and then have no more. */
static const char *const owned[] = {
	"reason", "message", "podIP", "podIPs", "initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses",
};
/* Lists that a strategic patch merges by the address. */
static const char *const by_ip[] = { "podIPs", "hostIPs" };

/* Null, an empty list, an empty object and no member are one. */
static bool is_nothing(struct xb_jv v)
{
	enum xb_json_type type = xb_jv_type(v);

	return type <= XB_JSON_NULL || (type >= XB_JSON_ARRAY && !xb_jv_count(v));
}

static bool same_string(struct xb_jv a, struct xb_jv b)
{
	_cleanup_buf_ struct xb_buf text = {};

	if (!xb_jv_escaped(a))
		return xb_jv_streq(b, xb_jv_text(a));
	xb_json_unescape(xb_jv_text(a), &text);
	return !text.err && xb_jv_streq(b, xb_buf_sv(&text));
}

static bool same(struct xb_jv a, struct xb_jv b);

static bool holds(struct xb_jv a, struct xb_jv b)
{
	for (struct xb_jit it = xb_jv_iter(a); xb_jit_next(&it);)
		if (!same(it.value, xb_jv_getsv(b, it.key)))
			return false;
	return true;
}

static bool same_list(struct xb_jv a, struct xb_jv b)
{
	struct xb_jit i = xb_jv_iter(a), j = xb_jv_iter(b);

	if (xb_jv_count(a) != xb_jv_count(b))
		return false;
	while (xb_jit_next(&i) && xb_jit_next(&j))
		if (!same(i.value, j.value))
			return false;
	return true;
}

/* Members in any order. */
static bool same(struct xb_jv a, struct xb_jv b)
{
	if (is_nothing(a) || is_nothing(b) || xb_jv_type(a) != xb_jv_type(b))
		return is_nothing(a) && is_nothing(b);
	switch (xb_jv_type(a)) {
	case XB_JSON_STRING:
		return same_string(a, b);
	case XB_JSON_ARRAY:
		return same_list(a, b);
	case XB_JSON_OBJECT:
		return holds(a, b) && holds(b, a);
	default:
		return xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b));
	}
}

static bool same_conditions(struct xb_jv ours, struct xb_jv server)
{
	for (struct xb_jit it = xb_jv_iter(ours); xb_jit_next(&it);) {
		struct xb_sv type = xb_jv_text(xb_jv_get(it.value, "type"));
		bool found = false;

		for (struct xb_jit at = xb_jv_iter(server); !found && xb_jit_next(&at);)
			found = xb_jv_streq(xb_jv_get(at.value, "type"), type) && same(it.value, at.value);
		if (!found)
			return false;
	}
	return true;
}

bool status_same(struct xb_jv ours, struct xb_jv server)
{
	for (struct xb_jit it = xb_jv_iter(ours); xb_jit_next(&it);) {
		struct xb_jv theirs = xb_jv_getsv(server, it.key);

		if (!(xb_sv_is(it.key, "conditions") ? same_conditions(it.value, theirs) : same(it.value, theirs)))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		if (!xb_jv_is(xb_jv_get(ours, owned[i])) && !is_nothing(xb_jv_get(server, owned[i])))
			return false;
	return true;
}

static bool is_by_ip(struct xb_sv key)
{
	return xb_sv_is(key, by_ip[0]) || xb_sv_is(key, by_ip[1]);
}

static void write_replaced(struct xb_jw *w, struct xb_jv list)
{
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		xb_jw_raw(w, xb_jv_bytes(it.value));
	xb_jw_object(w);
	xb_jw_kstr(w, "$patch", "replace");
	xb_jw_end(w);
	xb_jw_end(w);
}

/* A condition of ours that has lost its reason or message must say so, as the lists of conditions are merged. */
static void write_condition(struct xb_jw *w, struct xb_jv condition)
{
	static const char *const words[] = { "reason", "message" };

	xb_jw_object(w);
	for (struct xb_jit it = xb_jv_iter(condition); xb_jit_next(&it);) {
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!xb_jv_is(xb_jv_get(condition, words[i]))) {
			xb_jw_key(w, words[i]);
			xb_jw_null(w);
		}
	xb_jw_end(w);
}

static void write_conditions(struct xb_jw *w, struct xb_jv list)
{
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		write_condition(w, it.value);
	xb_jw_end(w);
}

static void write_members(struct xb_jv ours, struct xb_jv server, struct xb_jw *w)
{
	for (struct xb_jit it = xb_jv_iter(ours); xb_jit_next(&it);) {
		struct xb_jv theirs = xb_jv_getsv(server, it.key);
		bool conditions = xb_sv_is(it.key, "conditions");

		if (conditions ? same_conditions(it.value, theirs) : same(it.value, theirs))
			continue;
		xb_jw_keysv(w, it.key);
		if (conditions)
			write_conditions(w, it.value);
		else if (is_by_ip(it.key))
			write_replaced(w, it.value);
		else
			xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		if (!xb_jv_is(xb_jv_get(ours, owned[i])) && !is_nothing(xb_jv_get(server, owned[i]))) {
			xb_jw_key(w, owned[i]);
			xb_jw_null(w);
		}
}

int status_patch(struct xb_jv ours, struct xb_jv server, struct xb_sv uid, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", uid);
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	write_members(ours, server, &w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return xb_jw_finish(&w) < 0 ? -ENOMEM : 0;
}
