/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "hpa_status.h"
#include "xb/time.h"
#include "xb/tree.h"

enum { OWN = 3 }; /* AbleToScale, ScalingActive, ScalingLimited */

static int64_t number(struct xb_jv object, const char *field)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_get(object, field), &n);
	return n;
}

/* Decoded, in the arena. */
static struct xb_sv text(struct xb_arena *a, struct xb_jv object, const char *field)
{
	_cleanup_free_ char *copy = xb_jv_dup(xb_jv_get(object, field));

	return xb_arena_sv(a, xb_sv(copy));
}

int hpa_status_read(struct xb_arena *a, struct xb_jv hpa, struct hpa_status *ret)
{
	struct xb_jv status = xb_jv_get(hpa, "status"), list = xb_jv_get(status, "conditions");
	struct hpa_status s = {
		.arena = a, .current = number(status, "currentReplicas"), .desired = number(status, "desiredReplicas"),
		.last_scale = text(a, status, "lastScaleTime"),
	};

	s.conditions = xb_arena_alloc(a, (xb_jv_count(list) + OWN) * sizeof(*s.conditions));
	if (!s.conditions)
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		s.conditions[s.n_conditions++] = (struct hpa_condition){
			.type = text(a, it.value, "type"), .status = text(a, it.value, "status"), .reason = text(a, it.value, "reason"),
			.message = text(a, it.value, "message"), .since = text(a, it.value, "lastTransitionTime"),
		};
	*ret = s;
	return xb_arena_full(a) ? -ENOMEM : 0;
}

int hpa_status_say(struct hpa_status *s, const char *type, bool status, const char *reason, const char *message, int64_t now)
{
	struct xb_sv value = status ? XB_SV("True") : XB_SV("False");
	struct hpa_condition *c = s->conditions;

	while (c < s->conditions + s->n_conditions && !xb_sv_is(c->type, type))
		c++;
	if (c == s->conditions + s->n_conditions)
		s->conditions[s->n_conditions++] = (struct hpa_condition){ .type = xb_sv(type) };
	if (!xb_sv_eq(c->status, value))
		c->since = xb_arena_sv(s->arena, xb_sv(xb_time_format(now).s));
	c->status = value;
	c->reason = xb_sv(reason);
	c->message = xb_arena_sv(s->arena, xb_sv(message));
	return c->since.p && c->message.p ? 0 : -ENOMEM;
}

static void write_conditions(const struct hpa_status *s, struct xb_jw *w)
{
	xb_jw_array(w);
	for (const struct hpa_condition *c = s->conditions; c < s->conditions + s->n_conditions; c++) {
		xb_jw_object(w);
		xb_jw_ksv(w, "type", c->type);
		xb_jw_ksv(w, "status", c->status);
		xb_jw_ksv(w, "lastTransitionTime", c->since);
		xb_jw_ksv(w, "reason", c->reason);
		xb_jw_ksv(w, "message", c->message);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static bool says(struct xb_arena *a, struct xb_jv hpa, const struct xb_buf *out)
{
	struct xb_tree *there = xb_tree_from(a, xb_jv_get(hpa, "status"), NULL, NULL), *wanted = NULL;

	return there && !xb_tree_read(a, xb_buf_sv(out), NULL, &wanted) && xb_tree_equal(there, wanted);
}

void hpa_status_write(const struct hpa_status *s, struct xb_jv hpa, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	if (s->last_scale.n)
		xb_jw_ksv(&w, "lastScaleTime", s->last_scale);
	if (s->current)
		xb_jw_kint(&w, "currentReplicas", s->current);
	xb_jw_kint(&w, "desiredReplicas", s->desired);
	if (s->metrics) {
		xb_jw_key(&w, "currentMetrics");
		xb_jw_raw(&w, xb_sv(s->metrics));
	}
	xb_jw_key(&w, "conditions");
	write_conditions(s, &w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
	else if (says(s->arena, hpa, out))
		xb_buf_clear(out);
}
