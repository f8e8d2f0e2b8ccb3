/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

static int why_refused(const struct store *s)
{
	if (s->write_error)
		return s->write_error;
	return store_full(s) ? -EDQUOT : 0;
}

void store_limits_look(struct store *s)
{
	int now;

	s->engine->size(s->e, &s->size);
	now = why_refused(s);
	if (now == s->told)
		return;
	s->told = now;
	if (s->refuses)
		s->refuses(s->arg, now);
}
