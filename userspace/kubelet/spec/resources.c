/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "resources.h"
#include "xb/quantity.h"

#define PERIOD_US       100000
#define MIN_QUOTA_US    1000            /* the least the kernel takes */
#define MIN_SHARES      2
#define MAX_SHARES      262144

#define OOM_GUARANTEED  (-997)          /* the kubelet itself is at -999 */
#define OOM_BEST_EFFORT 1000

static int64_t milli_of(struct xb_jv list, const char *name)
{
	struct xb_quantity q;

	return xb_quantity_parse(xb_jv_text(xb_jv_get(list, name)), &q) < 0 ? 0 : xb_quantity_milli(&q);
}

static int64_t value_of(struct xb_jv amount)
{
	struct xb_quantity q;

	return xb_quantity_parse(xb_jv_text(amount), &q) < 0 ? 0 : xb_quantity_value(&q);
}

/* In 128 bits: who asks for the largest number there is gets the most there is. */
static int64_t scaled(int64_t milli, int64_t unit, int64_t least, int64_t most)
{
	__int128 n = (__int128)milli * unit / 1000;

	return n < least ? least : n > most ? most : (int64_t)n;
}

void resources_of(const struct facts *f, struct xb_jv requests, struct xb_jv limits, Runtime__V1__LinuxContainerResources *out)
{
	bool requested = xb_jv_is(xb_jv_get(requests, "cpu"));
	int64_t limit = milli_of(limits, "cpu");

	out->cpu_shares = scaled(requested ? milli_of(requests, "cpu") : limit, 1024, MIN_SHARES, MAX_SHARES);
	out->memory_limit_in_bytes = value_of(xb_jv_get(limits, "memory"));
	if (!f->cpu_cfs_quota)
		return;
	out->cpu_period = PERIOD_US;
	out->cpu_quota = limit ? scaled(limit, PERIOD_US, MIN_QUOTA_US, INT64_MAX) : 0;
}

/* --- huge pages: limits by size, "hugepages-2Mi"; the kernel calls that "2MB" --- */
static char *page_name(struct make *m, int64_t bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB" };
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	return make_printf(m, "%lld%s", (long long)bytes, units[unit]);
}

static int64_t page_bytes(struct xb_sv resource)
{
	static const char prefix[] = "hugepages-";
	struct xb_quantity size;

	if (!xb_sv_starts(resource, prefix))
		return 0;
	resource.p += strlen(prefix);
	resource.n -= strlen(prefix);
	return xb_quantity_parse(resource, &size) < 0 ? 0 : xb_quantity_value(&size);
}

static void put_hugepages(struct make *m, struct xb_jv limits, Runtime__V1__LinuxContainerResources *out)
{
	Runtime__V1__HugepageLimit **list, *limit;
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(limits); xb_jit_next(&it);)
		n += page_bytes(it.key) > 0;
	list = n ? make_room(m, n * (sizeof(*list) + sizeof(*limit))) : NULL;
	if (!list)
		return;
	limit = (Runtime__V1__HugepageLimit *)(list + n);
	out->hugepage_limits = list;
	for (struct xb_jit it = xb_jv_iter(limits); xb_jit_next(&it);) {
		int64_t bytes = page_bytes(it.key);

		if (bytes <= 0)
			continue;
		runtime__v1__hugepage_limit__init(limit);
		limit->page_size = page_name(m, bytes);
		limit->limit = (uint64_t)MAX(value_of(it.value), 0);
		list[out->n_hugepage_limits++] = limit++;
	}
}

/* --- oom_score_adj --- */
/* A request of a tenth of the node's memory is 900: a container that uses no more than it asked for scores below one that does. */
static int64_t score(const struct facts *f, int64_t requested)
{
	return f->memory_bytes ? 1000 - (int64_t)((__int128)1000 * requested / (__int128)f->memory_bytes) : 1000;
}

/* A sidecar is not killed before the containers it serves. */
static int64_t least_request(struct xb_jv pod)
{
	int64_t least = -1;

	for (struct spec_it it = spec_containers(pod); spec_next(&it);) {
		int64_t request = value_of(xb_jv_path(it.container, "resources", "requests", "memory"));

		if (it.kind == SPEC_MAIN && (least < 0 || request < least))
			least = request;
	}
	return MAX(least, 0);
}

static bool is_node_critical(struct xb_jv pod)
{
	int64_t priority = 0;

	if (!xb_jv_streq(xb_jv_path(pod, "spec", "priorityClassName"), XB_SV("system-node-critical")))
		return false;
	xb_jv_i64(xb_jv_path(pod, "spec", "priority"), &priority);
	return spec_is_static(pod) || priority >= 2000000000;
}

static int64_t oom_score_adj(const struct spec_input *in)
{
	enum spec_qos qos = spec_qos(in->pod);
	enum spec_container_kind kind = SPEC_MAIN;
	int64_t adj;

	if (qos == SPEC_QOS_GUARANTEED || is_node_critical(in->pod))
		return OOM_GUARANTEED;
	if (qos == SPEC_QOS_BEST_EFFORT)
		return OOM_BEST_EFFORT;
	adj = score(in->facts, value_of(xb_jv_path(in->container, "resources", "requests", "memory")));
	spec_find(in->pod, xb_jv_text(xb_jv_get(in->container, "name")), &kind);
	if (kind == SPEC_SIDECAR)
		adj = MIN(adj, score(in->facts, least_request(in->pod)));
	/* between the two other classes, whatever was asked for */
	return MIN(MAX(adj, 1000 + OOM_GUARANTEED), OOM_BEST_EFFORT - 1);
}

void resources_of_container(struct make *m, const struct spec_input *in, Runtime__V1__LinuxContainerResources *out)
{
	struct xb_jv resources = xb_jv_get(in->container, "resources");

	resources_of(in->facts, xb_jv_get(resources, "requests"), xb_jv_get(resources, "limits"), out);
	put_hugepages(m, xb_jv_get(resources, "limits"), out);
	out->oom_score_adj = oom_score_adj(in);
}
