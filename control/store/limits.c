/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

/* Once full, a twentieth must be free again, or each freed page would let one write in. */
static bool is_full(const struct store *s)
{
	return s->quota && s->size.used >= s->quota - (s->full ? s->quota / 20 : 0);
}

void store_limits_look(struct store *s)
{
	int now;

	s->engine->size(s->e, &s->size);
	s->full = is_full(s);
	now = s->write_error ? s->write_error : s->full ? -EDQUOT : 0;
	if (now == s->told)
		return;
	s->told = now;
	if (s->refuses)
		s->refuses(s->arg, now);
}
