/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "job_indexes.h"

/* Ranges come in ascending order of their beginning. */
static void append(struct job_indexes *x, struct job_range r)
{
	struct job_range *last = x->n ? &x->v[x->n - 1] : NULL;

	if (last && r.first <= last->last + 1)
		last->last = MAX(last->last, r.last);
	else
		x->v[x->n++] = r;
}

static size_t count_parts(struct xb_sv text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	return n;
}

int job_indexes_parse(struct xb_arena *a, struct xb_sv text, int64_t limit, struct job_indexes *ret)
{
	struct job_indexes x = { .v = xb_arena_alloc(a, count_parts(text) * sizeof(*x.v)) };
	struct xb_sv part, low;

	if (!x.v)
		return -ENOMEM;
	while (xb_sv_split(&text, ',', &part)) {
		struct job_range r;

		if (!xb_sv_split(&part, '-', &low) || xb_sv_i64(low, &r.first) || r.first < 0)
			continue;
		r.last = r.first;
		if ((part.p && xb_sv_i64(part, &r.last)) || r.first >= limit)
			continue;
		r.last = MIN(r.last, limit - 1);
		append(&x, r);
	}
	*ret = x;
	return 0;
}

void job_indexes_write(const struct job_indexes *x, struct xb_buf *out)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct job_range *r = &x->v[i];

		xb_buf_addf(out, "%s%lld", i ? "," : "", (long long)r->first);
		if (r->last > r->first)
			xb_buf_addf(out, "%c%lld", r->last == r->first + 1 ? ',' : '-', (long long)r->last);
	}
}

static int ascending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int job_indexes_unite(struct xb_arena *a, struct job_indexes *x, const struct job_indexes *with)
{
	struct job_indexes sum = { .v = xb_arena_alloc(a, (x->n + with->n + 1) * sizeof(*sum.v)) };
	size_t i = 0, j = 0;

	if (!sum.v)
		return -ENOMEM;
	while (i < x->n || j < with->n)
		if (j == with->n || (i < x->n && x->v[i].first <= with->v[j].first))
			append(&sum, x->v[i++]);
		else
			append(&sum, with->v[j++]);
	*x = sum;
	return 0;
}

int job_indexes_add(struct xb_arena *a, struct job_indexes *x, int64_t *indexes, size_t n)
{
	struct job_indexes more = { .v = xb_arena_alloc(a, (n + 1) * sizeof(*more.v)) };

	if (!more.v)
		return -ENOMEM;
	if (n)
		qsort(indexes, n, sizeof(*indexes), ascending);
	for (size_t i = 0; i < n; i++)
		append(&more, (struct job_range){ indexes[i], indexes[i] });
	return job_indexes_unite(a, x, &more);
}

bool job_indexes_has(const struct job_indexes *x, int64_t index)
{
	size_t low = 0, high = x->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (x->v[middle].last < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < x->n && x->v[low].first <= index;
}

int64_t job_indexes_total(const struct job_indexes *x)
{
	int64_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		n += x->v[i].last - x->v[i].first + 1;
	return n;
}

int64_t job_indexes_common(const struct job_indexes *x, const struct job_indexes *y)
{
	int64_t n = 0;

	for (size_t i = 0, j = 0; i < x->n && j < y->n;) {
		int64_t first = MAX(x->v[i].first, y->v[j].first), last = MIN(x->v[i].last, y->v[j].last);

		n += MAX(last - first + 1, 0);
		if (x->v[i].last < y->v[j].last)
			i++;
		else
			j++;
	}
	return n;
}

size_t job_indexes_missing(const struct job_indexes *x, int64_t limit, size_t room, int64_t *ret)
{
	int64_t candidate = 0;
	size_t n = 0;

	for (size_t i = 0; i <= x->n; i++) {
		int64_t end = i < x->n ? MIN(x->v[i].first, limit) : limit;

		for (; candidate < end && n < room; candidate++)
			ret[n++] = candidate;
		if (i < x->n)
			candidate = x->v[i].last + 1;
	}
	return n;
}
