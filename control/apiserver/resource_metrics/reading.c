/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "reading.h"
#include "usage_text.h"
#include "xb/map.h"

struct measured {
	double cpu, memory;             /* seconds, bytes */
	double started;                 /* seconds since 1970; 0: not said */
	int64_t cpu_ms;                 /* when cpu was measured */
	bool has_cpu, has_memory;
};
struct reading {
	struct measured node;
	struct xb_map *containers;      /* by reading_key: struct measured */
	int64_t now_ms;
};

struct reading *reading_free(struct reading *r)
{
	if (!r)
		return NULL;
	for (struct xb_map_it it = {}; r->containers && xb_map_next(r->containers, &it);)
		free(it.value);
	xb_map_free(r->containers);
	free(r);
	return NULL;
}

void reading_key(struct xb_sv namespace_, struct xb_sv pod, struct xb_sv container, struct xb_buf *out)
{
	xb_buf_addf(out, "%.*s/%.*s/%.*s", XB_SV_ARG(namespace_), XB_SV_ARG(pod), XB_SV_ARG(container));
}

static struct measured *container_of_sample(struct reading *r, const struct usage_sample *s)
{
	_cleanup_buf_ struct xb_buf key = {};
	_cleanup_free_ struct measured *m = NULL;
	struct measured *known;

	reading_key(s->namespace_, s->pod, s->container, &key);
	if (key.err)
		return NULL;
	known = xb_map_get(r->containers, xb_buf_sv(&key));
	if (known)
		return known;
	m = calloc(1, sizeof(*m));
	return m && !xb_map_set(r->containers, xb_buf_sv(&key), m, NULL) ? TAKE_PTR(m) : NULL;
}

static int take(void *arg, const struct usage_sample *s)
{
	struct reading *r = arg;
	struct measured *m = s->metric < USAGE_CONTAINER_CPU ? &r->node : container_of_sample(r, s);

	if (!m)
		return -ENOMEM;
	switch (s->metric) {
	case USAGE_NODE_CPU:
	case USAGE_CONTAINER_CPU:
		m->cpu = s->value;
		m->cpu_ms = s->at_ms ? s->at_ms : r->now_ms;
		m->has_cpu = true;
		break;
	case USAGE_NODE_MEMORY:
	case USAGE_CONTAINER_MEMORY:
		m->memory = s->value;
		m->has_memory = true;
		break;
	case USAGE_CONTAINER_START:
		m->started = s->value;
	}
	return 0;
}

struct reading *reading_new(struct xb_sv text, int64_t now_ms)
{
	_cleanup_(reading_freep) struct reading *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->now_ms = now_ms;
	r->containers = xb_map_new(XB_MAP_COPY);
	return r->containers && !usage_text_read(text, take, r) ? TAKE_PTR(r) : NULL;
}

bool reading_is_newer(const struct reading *r, const struct reading *older)
{
	return !older || r->node.cpu_ms > older->node.cpu_ms;
}

/* A counter that fell is one of a container that was started anew. */
static bool rate(const struct measured *m, const struct measured *older, struct usage *ret)
{
	double started_ms = m->started * 1000;

	if (!m->has_cpu || !m->has_memory)
		return false;
	*ret = (struct usage){ .memory = m->memory, .at_ms = m->cpu_ms };
	if (older && older->has_cpu && m->cpu_ms > older->cpu_ms && m->cpu >= older->cpu) {
		ret->window_ms = m->cpu_ms - older->cpu_ms;
		ret->cores = (m->cpu - older->cpu) * 1000 / (double)ret->window_ms;
		return true;
	}
	if (started_ms <= 0 || (double)m->cpu_ms - started_ms < 1)
		return false;
	ret->window_ms = m->cpu_ms - (int64_t)started_ms;
	ret->cores = m->cpu * 1000 / (double)ret->window_ms;
	return true;
}

bool reading_of_node(const struct reading *r, const struct reading *older, struct usage *ret)
{
	return rate(&r->node, older ? &older->node : NULL, ret);
}

bool reading_of_container(const struct reading *r, const struct reading *older, struct xb_sv key, struct usage *ret)
{
	const struct measured *m = xb_map_get(r->containers, key);

	return m && rate(m, older ? xb_map_get(older->containers, key) : NULL, ret);
}
