/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fake.h"
#include "xb/time.h"

/* What it uses: nothing, as of now. */
static Runtime__V1__ContainerStats *stats_of(struct fake_turn *t, const struct fake_container *c)
{
	const Runtime__V1__ContainerStatus *st = fake_container_state(t, c);
	Runtime__V1__ContainerAttributes *a = FAKE_NEW(t, ContainerAttributes, CONTAINER_ATTRIBUTES);
	Runtime__V1__ContainerStats *stats = FAKE_NEW(t, ContainerStats, CONTAINER_STATS);
	Runtime__V1__UInt64Value *zero = FAKE_NEW(t, UInt64Value, UINT64_VALUE);
	Runtime__V1__CpuUsage *cpu = FAKE_NEW(t, CpuUsage, CPU_USAGE);
	Runtime__V1__MemoryUsage *memory = FAKE_NEW(t, MemoryUsage, MEMORY_USAGE);

	if (!st || !a || !stats || !zero || !cpu || !memory)
		return NULL;
	a->id = st->id;
	a->metadata = st->metadata;
	a->labels = st->labels;
	a->n_labels = st->n_labels;
	a->annotations = st->annotations;
	a->n_annotations = st->n_annotations;
	cpu->timestamp = memory->timestamp = xb_time_now() * 1000;
	cpu->usage_core_nano_seconds = cpu->usage_nano_cores = zero;
	memory->working_set_bytes = memory->usage_bytes = memory->rss_bytes = zero;
	memory->page_faults = memory->major_page_faults = zero;
	stats->attributes = a;
	stats->cpu = cpu;
	stats->memory = memory;
	return stats;
}

static bool fits(const struct fake_container *c, const Runtime__V1__ContainerStats *stats, const Runtime__V1__ContainerStatsFilter *f)
{
	return c->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING &&
	       (!f || ((!f->id[0] || !strcmp(f->id, c->id)) && (!f->pod_sandbox_id[0] || !strcmp(f->pod_sandbox_id, c->sandbox->id)) &&
		       fake_has_labels(stats->attributes->labels, stats->attributes->n_labels, f->label_selector, f->n_label_selector)));
}

/* Of the running containers that fit, and of that sandbox unless it is NULL. */
static int list(struct fake_turn *t, const Runtime__V1__ContainerStatsFilter *filter, const struct fake_sandbox *s,
		Runtime__V1__ContainerStats ***ret, size_t *ret_n)
{
	const struct fake_container *c;
	size_t n = 0, found = 0;

	TAILQ_FOREACH(c, &t->f->containers, link)
		n++;
	*ret = xb_arena_alloc(t->arena, (n + 1) * sizeof(void *));
	TAILQ_FOREACH(c, &t->f->containers, link) {
		Runtime__V1__ContainerStats *stats;

		if (s && c->sandbox != s)
			continue;
		stats = stats_of(t, c);
		if (!stats || !*ret)
			return fake_no_memory(t);
		if (fits(c, stats, filter))
			(*ret)[found++] = stats;
	}
	*ret_n = found;
	return XB_GRPC_OK;
}

int fake_container_stats(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ContainerStatsRequest *q = request;
	Runtime__V1__ContainerStatsFilter filter = RUNTIME__V1__CONTAINER_STATS_FILTER__INIT;
	Runtime__V1__ContainerStatsResponse *reply = to;
	Runtime__V1__ContainerStats **found;
	size_t n;
	int code;

	filter.id = q->container_id;
	code = list(t, &filter, NULL, &found, &n);
	if (code != XB_GRPC_OK)
		return code;
	if (!n)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "failed to find container: not found");
	reply->stats = found[0];
	return XB_GRPC_OK;
}

int fake_list_container_stats(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ListContainerStatsRequest *q = request;
	Runtime__V1__ListContainerStatsResponse *reply = to;

	return list(t, q->filter, NULL, &reply->stats, &reply->n_stats);
}

static Runtime__V1__PodSandboxStats *sandbox_stats(struct fake_turn *t, const struct fake_sandbox *s)
{
	const Runtime__V1__PodSandboxStatus *st = fake_sandbox_state(t, s);
	Runtime__V1__PodSandboxAttributes *a = FAKE_NEW(t, PodSandboxAttributes, POD_SANDBOX_ATTRIBUTES);
	Runtime__V1__LinuxPodSandboxStats *on_linux = FAKE_NEW(t, LinuxPodSandboxStats, LINUX_POD_SANDBOX_STATS);
	Runtime__V1__PodSandboxStats *stats = FAKE_NEW(t, PodSandboxStats, POD_SANDBOX_STATS);

	if (!st || !a || !on_linux || !stats || list(t, NULL, s, &on_linux->containers, &on_linux->n_containers) != XB_GRPC_OK)
		return NULL;
	a->id = st->id;
	a->metadata = st->metadata;
	a->labels = st->labels;
	a->n_labels = st->n_labels;
	a->annotations = st->annotations;
	a->n_annotations = st->n_annotations;
	stats->attributes = a;
	stats->linux_stats = on_linux;
	return stats;
}

int fake_pod_sandbox_stats(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__PodSandboxStatsRequest *q = request;
	const struct fake_sandbox *s = fake_find_sandbox(t->f, q->pod_sandbox_id);
	Runtime__V1__PodSandboxStatsResponse *reply = to;

	if (!s)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "an error occurred when trying to find sandbox %s: not found", q->pod_sandbox_id);
	reply->stats = sandbox_stats(t, s);
	return reply->stats ? XB_GRPC_OK : fake_no_memory(t);
}

int fake_list_pod_sandbox_stats(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ListPodSandboxStatsRequest *q = request;
	const Runtime__V1__PodSandboxStatsFilter *f = q->filter;
	Runtime__V1__ListPodSandboxStatsResponse *reply = to;
	const struct fake_sandbox *s;
	size_t n = 0;

	TAILQ_FOREACH(s, &t->f->sandboxes, link)
		n++;
	reply->stats = xb_arena_alloc(t->arena, (n + 1) * sizeof(void *));
	TAILQ_FOREACH(s, &t->f->sandboxes, link) {
		Runtime__V1__PodSandboxStats *stats = sandbox_stats(t, s);

		if (!stats || !reply->stats)
			return fake_no_memory(t);
		if (s->ready && (!f || ((!f->id[0] || !strcmp(f->id, s->id)) &&
					fake_has_labels(stats->attributes->labels, stats->attributes->n_labels, f->label_selector,
							f->n_label_selector))))
			reply->stats[reply->n_stats++] = stats;
	}
	return XB_GRPC_OK;
}
