/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

static int add(char ***list, const char *prefix)
{
	size_t n = 0;
	char **more;

	while (*list && (*list)[n])
		n++;
	more = reallocarray(*list, n + 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*list = more;
	more[n + 1] = NULL;
	more[n] = strdup(prefix);
	return more[n] ? 0 : -ENOMEM;
}

int store_relax(struct store *s, const char *prefix)
{
	return add(&s->relaxed, prefix);
}

int store_patient(struct store *s, const char *prefix)
{
	return add(&s->patient, prefix);
}

bool store_has_prefix(char *const *prefixes, const char *key)
{
	for (; prefixes && *prefixes; prefixes++)
		if (xb_sv_starts(xb_sv(key), *prefixes))
			return true;
	return false;
}

static void done(char **list)
{
	for (char **prefix = list; prefix && *prefix; prefix++)
		free(*prefix);
	free(list);
}

void store_prefixes_done(struct store *s)
{
	done(s->relaxed);
	done(s->patient);
}
