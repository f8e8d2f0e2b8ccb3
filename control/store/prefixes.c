/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

int store_relax(struct store *s, const char *prefix)
{
	size_t n = 0;
	char **more;

	while (s->relaxed && s->relaxed[n])
		n++;
	more = reallocarray(s->relaxed, n + 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->relaxed = more;
	more[n + 1] = NULL;
	more[n] = strdup(prefix);
	return more[n] ? 0 : -ENOMEM;
}

bool store_is_relaxed(const struct store *s, const char *key)
{
	for (char **prefix = s->relaxed; prefix && *prefix; prefix++)
		if (xb_sv_starts(xb_sv(key), *prefix))
			return true;
	return false;
}

void store_prefixes_done(struct store *s)
{
	for (char **prefix = s->relaxed; prefix && *prefix; prefix++)
		free(*prefix);
	free(s->relaxed);
}
