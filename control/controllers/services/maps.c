/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "maps.h"

static const struct maps_own *own_of(const struct maps *m, struct xb_sv key)
{
	for (size_t i = 0; i < m->n; i++)
		if (xb_sv_is(key, m->own[i].key))
			return &m->own[i];
	return NULL;
}

static bool wants(const struct maps *m, struct xb_sv key)
{
	const struct maps_own *own = own_of(m, key);

	return own ? own->value != NULL : xb_jv_is(xb_jv_getsv(m->from, key));
}

bool maps_is(const struct maps *m, struct xb_jv old)
{
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(m->from); xb_jit_next(&it);) {
		if (own_of(m, it.key))
			continue;
		if (!xb_sv_eq(xb_jv_bytes(it.value), xb_jv_bytes(xb_jv_getsv(old, it.key))))
			return false;
		n++;
	}
	for (size_t i = 0; i < m->n; i++) {
		if (!m->own[i].value)
			continue;
		if (!xb_jv_streq(xb_jv_get(old, m->own[i].key), xb_sv(m->own[i].value)))
			return false;
		n++;
	}
	return xb_jv_count(old) == n;
}

static void write_members(const struct maps *m, struct xb_jw *w)
{
	for (struct xb_jit it = xb_jv_iter(m->from); xb_jit_next(&it);) {
		if (own_of(m, it.key))
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	for (size_t i = 0; i < m->n; i++)
		if (m->own[i].value)
			xb_jw_kstr(w, m->own[i].key, m->own[i].value);
}

void maps_write(const struct maps *m, struct xb_jw *w)
{
	xb_jw_object(w);
	write_members(m, w);
	xb_jw_end(w);
}

void maps_write_patch(const struct maps *m, struct xb_jv old, struct xb_jw *w)
{
	xb_jw_object(w);
	write_members(m, w);
	for (struct xb_jit it = xb_jv_iter(old); xb_jit_next(&it);) {
		if (wants(m, it.key))
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_null(w);
	}
	xb_jw_end(w);
}
