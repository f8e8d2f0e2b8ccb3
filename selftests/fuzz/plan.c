/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An array of a Service (or pod) and EndpointSlices, as an API server might send them: a plan that apply.h takes, whatever it is. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>

#include "xb/plan.h"

#define SLICES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int compare(const struct xb_plan_backend *a, const struct xb_plan_backend *b)
{
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return r ? r : (int)a->port - (int)b->port;
}

static void check_set(const struct xb_plan_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->backends[i].port || (i && compare(&s->backends[i - 1], &s->backends[i]) >= 0))
			abort();
	if (s->n && s->drop_when_empty)
		abort();
}

static void check(const struct xb_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct xb_plan_port *p = &plan->v[i];

		if (!p->name || (p->family != AF_INET && p->family != AF_INET6) || p->proto == XB_PROTO_NONE || !p->n_frontends)
			abort();
		for (size_t f = 0; f < p->n_frontends; f++) {
			const struct xb_plan_frontend *fe = &p->frontends[f];

			if (!fe->port || fe->kind < XB_FRONTEND_CLUSTER_IP || fe->kind > XB_FRONTEND_LOAD_BALANCER)
				abort();
		}
		for (int s = 0; s < XB_SCOPES; s++)
			check_set(&p->set[s]);
		for (size_t r = 0; r < p->n_source_ranges; r++)
			if (p->source_ranges[r].bits > (p->family == AF_INET ? 32 : 128) ||
			    (r && xb_plan_net_compare(&p->source_ranges[r - 1], &p->source_ranges[r]) >= 0))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const struct xb_plan_here here = { .node = "here", .zone = "z1" };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_(xb_plan_done) struct xb_plan plan = {}, of_pod = {};
	struct xb_plan_slice *slices[SLICES_MAX];
	const struct xb_plan_slice *const *all = (const struct xb_plan_slice *const *)slices;
	struct xb_plan_counts counts = {};
	struct xb_jv root;
	size_t n_slices = 0;

	if (xb_json_parse((struct xb_sv){ (const char *)bytes, n }, NULL, &doc, NULL) < 0)
		return 0;
	root = xb_json_root(doc);
	for (size_t i = 1; i < xb_jv_count(root) && n_slices < SLICES_MAX; i++)
		if (xb_plan_slice_new(xb_jv_at(root, i), here.node, &slices[n_slices++]))
			abort();
	if (xb_plan_make(xb_jv_at(root, 0), all, n_slices, &here, &plan) || xb_plan_make_pod(xb_jv_at(root, 0), &of_pod))
		abort();
	check(&plan);
	check(&of_pod);
	xb_plan_count(xb_jv_at(root, 0), all, n_slices, &counts);
	if (counts.ports < plan.n)
		abort();
	while (n_slices)
		xb_plan_slice_free(slices[--n_slices]);
	return 0;
}
