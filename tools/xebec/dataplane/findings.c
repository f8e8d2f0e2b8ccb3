/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "findings.h"
#include "../xalloc.h"

void findings_done(struct findings *f)
{
	for (size_t i = 0; i < f->v.n; i++) {
		free(f->v.v[i].entry);
		free(f->v.v[i].what);
	}
	xb_vec_done(&f->v);
}

void findings_add(struct findings *f, char *entry, int64_t since_us, const char *fmt, ...)
{
	struct finding one = { .entry = entry, .since_us = since_us };
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&one.what, fmt, ap) < 0)
		one.what = NULL;
	va_end(ap);
	xalloc(one.what);
	xalloc(xb_vec_push(&f->v, one) ? NULL : f->v.v);
}

static int compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int r = strcmp(x->entry, y->entry);

	return r ? r : strcmp(x->what, y->what);
}

void findings_intersect(struct findings *f, const struct findings *other)
{
	size_t n = 0, k = 0;

	if (f->v.n)
		qsort(f->v.v, f->v.n, sizeof(*f->v.v), compare);
	if (other->v.n)
		qsort(other->v.v, other->v.n, sizeof(*other->v.v), compare);
	for (size_t i = 0; i < f->v.n; i++) {
		while (k < other->v.n && compare(&other->v.v[k], &f->v.v[i]) < 0)
			k++;
		if (k < other->v.n && !compare(&other->v.v[k], &f->v.v[i])) {
			f->v.v[n++] = f->v.v[i];
			continue;
		}
		free(f->v.v[i].entry);
		free(f->v.v[i].what);
	}
	f->v.n = n;
}
