/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "rates.h"
#include "../xalloc.h"

void rates_done(struct rates *r)
{
	xb_vec_done(&r->v);
}

/* The same flow at the look before; NULL when it is another one since. Both lists are sorted: *at moves on. */
static const struct flow_row *earlier(const struct flow_list *before, size_t *at, const struct flow_row *f)
{
	int order = 1;

	while (*at < before->rows.n && (order = flow_compare(&before->rows.v[*at], f)) < 0)
		++*at;
	return order || before->rows.v[*at].made != f->made ? NULL : &before->rows.v[*at];
}

static struct rate moved(const struct flow_row *was, const struct flow_row *is)
{
	struct rate r = { .svc = is->svc, .flow = is, .flows = 1 };

	for (int d = 0; d < 2; d++) {
		/* programs on several processors count approximately, and may lose */
		r.packets[d] = is->packets[d] - (was ? MIN(was->packets[d], is->packets[d]) : 0);
		r.bytes[d] = is->bytes[d] - (was ? MIN(was->bytes[d], is->bytes[d]) : 0);
	}
	return r;
}

static int compare_services(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	return (x->svc > y->svc) - (x->svc < y->svc);
}

static int compare_bytes(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;
	__u64 of_x = x->bytes[0] + x->bytes[1], of_y = y->bytes[0] + y->bytes[1];

	return of_x != of_y ? (of_x < of_y) - (of_x > of_y) : compare_services(a, b);
}

static void sort(struct rates *r, int (*compare)(const void *a, const void *b))
{
	if (r->v.n)
		qsort(r->v.v, r->v.n, sizeof(*r->v.v), compare);
}

static void add_up(struct rates *r)
{
	size_t n = 0;

	sort(r, compare_services);
	for (size_t i = 0; i < r->v.n; i++) {
		struct rate *last = n ? &r->v.v[n - 1] : NULL, one = r->v.v[i];

		one.flow = NULL;
		if (!last || last->svc != one.svc) {
			r->v.v[n++] = one;
			continue;
		}
		last->flows += one.flows;
		for (int d = 0; d < 2; d++) {
			last->packets[d] += one.packets[d];
			last->bytes[d] += one.bytes[d];
		}
	}
	r->v.n = n;
}

void rates_make(const struct flow_list *before, const struct flow_list *after, bool by_service, struct rates *ret)
{
	struct rates r = {};
	size_t at = 0;

	for (size_t i = 0; i < after->rows.n; i++) {
		const struct flow_row *f = &after->rows.v[i];

		xalloc(xb_vec_push(&r.v, moved(earlier(before, &at, f), f)) ? NULL : r.v.v);
	}
	if (by_service)
		add_up(&r);
	sort(&r, compare_bytes);
	*ret = r;
}
