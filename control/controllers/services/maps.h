/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_MAPS_H
#define CONTROLLERS_MAPS_H
/*
 * Labels and annotations of an object that takes them from another one: from's members, but for the keys in own, which have
 * the value given there, or are left out. Pure.
 */
#include "xb/json.h"

struct maps_own {
	const char *key, *value;        /* value NULL: left out */
};
struct maps {
	struct xb_jv from;              /* may be missing */
	const struct maps_own *own;
	size_t n;
};
bool maps_is(const struct maps *m, struct xb_jv old);   /* has old these members and no others */
void maps_write(const struct maps *m, struct xb_jw *w);
void maps_write_patch(const struct maps *m, struct xb_jv old, struct xb_jw *w); /* a merge patch that makes old so */

#endif
