/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../spec/spec.h"
#include "evict.h"
#include "xb/quota.h"

#define CRITICAL_PRIORITY 2000000000

static int64_t priority_of(struct xb_jv pod)
{
	int64_t priority;

	return xb_jv_i64(xb_jv_path(pod, "spec", "priority"), &priority) ? 0 : priority;
}

bool evict_is_critical(struct xb_jv pod)
{
	return spec_is_static(pod) || xb_jv_is(xb_jv_path(pod, "metadata", "annotations", "kubernetes.io/config.mirror")) ||
	       priority_of(pod) >= CRITICAL_PRIORITY;
}

static bool is_asked_for(enum signal s)
{
	return s == SIGNAL_MEMORY || s == SIGNAL_NODEFS || s == SIGNAL_IMAGEFS;
}

static struct xb_quantity sum(struct xb_jv pod, struct xb_sv resource)
{
	const struct xb_kind *pods = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));

	return (struct xb_quantity){ xb_quota_amount(pods, pod, resource, 0), XB_BINARY_SI };
}

static uint64_t bytes_of(const struct xb_quantity *q)
{
	return (uint64_t)MAX(xb_quantity_value(q), INT64_C(0));
}

uint64_t evict_request(struct xb_jv pod, enum signal s)
{
	struct xb_quantity q = {};

	if (is_asked_for(s))
		q = sum(pod, s == SIGNAL_MEMORY ? XB_SV("requests.memory") : XB_SV("requests.ephemeral-storage"));
	return bytes_of(&q);
}

static int by_more(const struct candidate *a, const struct candidate *b)
{
	int64_t more_a = (int64_t)(a->usage - a->request), more_b = (int64_t)(b->usage - b->request);

	return (more_b > more_a) - (more_b < more_a);
}

static int by_priority(const struct candidate *a, const struct candidate *b)
{
	int64_t x = priority_of(a->pod), y = priority_of(b->pod);

	return (x > y) - (x < y);
}

static int by_excess(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = (y->usage > y->request) - (x->usage > x->request);

	order = order ? order : by_priority(x, y);
	return order ? order : by_more(x, y);
}

static int by_priority_first(const void *a, const void *b)
{
	int order = by_priority(a, b);

	return order ? order : by_more(a, b);
}

void evict_rank(struct candidate *c, size_t n, enum signal s)
{
	if (n)
		qsort(c, n, sizeof(*c), s == SIGNAL_PID ? by_priority_first : by_excess);
}

/* --- words */
static void write_number(uint64_t n, bool bytes, struct xb_buf *out)
{
	struct xb_quantity q = { (__int128)n * 1000000000, bytes ? XB_BINARY_SI : XB_DECIMAL_SI };

	xb_quantity_write(&q, out);
}

void evict_write_cause(const struct threshold *t, const struct observation *o, struct xb_buf *out)
{
	xb_buf_addf(out, "The node was low on resource: %s. Threshold quantity: ", signal_resource(t->signal));
	if (t->amount.is_percent)
		write_number(amount_of(&t->amount, o->capacity), is_asked_for(t->signal), out);
	else
		xb_quantity_write(&t->amount.quantity, out);
	xb_buf_adds(out, ", available: ");
	write_number(o->available, is_asked_for(t->signal), out);
	xb_buf_adds(out, ". ");
}

void evict_write_container(struct xb_jv container, enum signal s, uint64_t usage, struct xb_buf *out)
{
	struct xb_quantity request = { 0, XB_BINARY_SI };

	xb_quantity_parse(xb_jv_text(xb_jv_path(container, "resources", "requests", signal_resource(s))), &request);
	if ((uint64_t)xb_quantity_value(&request) >= usage)
		return;
	xb_buf_addf(out, "Container %.*s was using ", XB_SV_ARG(xb_jv_text(xb_jv_get(container, "name"))));
	write_number(usage, true, out);
	xb_buf_adds(out, ", request is ");
	xb_quantity_write(&request, out);
	xb_buf_addf(out, ", has larger consumption of %s. ", signal_resource(s));
}

/* --- limits */
static bool has_size_limit(struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "volumes")); xb_jit_next(&it);) {
		struct xb_jv dir = xb_jv_get(it.value, "emptyDir");

		if (xb_jv_text(xb_jv_get(dir, "sizeLimit")).n && !xb_jv_streq(xb_jv_get(dir, "medium"), XB_SV("Memory")))
			return true;
	}
	return false;
}

bool evict_has_disk_limit(struct xb_jv pod)
{
	return sum(pod, XB_SV("limits.ephemeral-storage")).nano > 0 || has_size_limit(pod);
}

bool evict_write_over_limit(struct xb_jv pod, uint64_t bytes, struct xb_buf *out)
{
	struct xb_quantity limit = sum(pod, XB_SV("limits.ephemeral-storage"));

	if (limit.nano <= 0 || bytes <= bytes_of(&limit))
		return false;
	xb_buf_adds(out, "Pod ephemeral local storage usage exceeds the total limit of containers ");
	xb_quantity_write(&limit, out);
	xb_buf_adds(out, ". ");
	return true;
}
