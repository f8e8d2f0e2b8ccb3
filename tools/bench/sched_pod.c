/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sched.h"

#define SELECTOR(kind) "\"labelSelector\":{\"matchLabels\":{\"xebec-bench/kind\":\"" kind "\"}}"
/* scheduler_perf's templates; preemptible ones fill nodes of 4 CPUs for one of preemption to need three of them */
static const struct sched_kind kinds[] = {
	{ "basic", "100m", "500Mi", NULL, false },
	{ "anti-affinity", "100m", "500Mi", "\"affinity\":{\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{"
	  SELECTOR("anti-affinity") ",\"topologyKey\":\"kubernetes.io/hostname\"}]}}", false },
	{ "affinity", "100m", "500Mi", "\"affinity\":{\"podAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{"
	  SELECTOR("affinity") ",\"topologyKey\":\"topology.kubernetes.io/zone\"}]}}", false },
	{ "spread", "100m", "500Mi", "\"topologySpreadConstraints\":[{\"maxSkew\":5,\"topologyKey\":\"topology.kubernetes.io/zone\","
	  "\"whenUnsatisfiable\":\"DoNotSchedule\"," SELECTOR("spread") "}]", false },
	{ "preemptible", "900m", "500Mi", NULL, false },
	{ "preemption", "3000m", "500Mi", NULL, true },
};

const struct sched_kind *sched_kind(struct xb_sv name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (xb_sv_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

void sched_kinds(struct xb_buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		xb_buf_addf(out, "%s%s", i ? ", " : "", kinds[i].name);
}

void sched_write_pod(const struct sched_pod *p, struct xb_buf *out)
{
	const struct sched_kind *k = p->kind;

	xb_buf_adds(out, "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"");
	names_add(p->names, p->index, out);
	xb_buf_addf(out, "\",\"labels\":{\"app.kubernetes.io/managed-by\":\"xebec-bench\",\"xebec-bench/kind\":\"%s\"}},\"spec\":{", k->name);
	xb_buf_addf(out, "\"schedulerName\":\"%s\",\"automountServiceAccountToken\":false,%s%s", p->scheduler, k->spec ? k->spec : "", k->spec ? "," : "");
	if (k->high_priority)
		xb_buf_adds(out, "\"priorityClassName\":\"" SCHED_CLASS "\",");
	xb_buf_addf(out, "\"containers\":[{\"name\":\"pause\",\"image\":\"registry.k8s.io/pause:3.10\",\"ports\":[{\"containerPort\":80}],\"resources\":{"
		    "\"limits\":{\"cpu\":\"%s\",\"memory\":\"%s\"},\"requests\":{\"cpu\":\"%s\",\"memory\":\"%s\"}}}]}}", k->cpu, k->memory, k->cpu, k->memory);
}

void sched_write_class(struct xb_buf *out)
{
	xb_buf_adds(out, "{\"kind\":\"PriorityClass\",\"apiVersion\":\"scheduling.k8s.io/v1\",\"metadata\":{\"name\":\"" SCHED_CLASS "\"},\"value\":1000}");
}
