/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "resources.h"
#include "xb/quantity.h"

#define DEFAULT_CPU    100
#define DEFAULT_MEMORY (200LL << 20)

void sched_resources_done(struct sched_resources *r)
{
	xb_vec_done(&r->extra);
}

static struct sched_extra *find(const struct sched_resources *r, uint32_t name)
{
	for (size_t i = 0; i < r->extra.n; i++)
		if (r->extra.v[i].name == name)
			return &r->extra.v[i];
	return NULL;
}

int64_t sched_resources_extra(const struct sched_resources *r, uint32_t name)
{
	const struct sched_extra *e = find(r, name);

	return e ? e->n : 0;
}

static int obtain(struct sched_resources *r, uint32_t name, struct sched_extra **ret)
{
	*ret = find(r, name);
	if (*ret)
		return 0;
	if (!name || xb_vec_push(&r->extra, (struct sched_extra){ .name = name }))
		return -ENOMEM;
	*ret = &r->extra.v[r->extra.n - 1];
	return 0;
}

static int read_one(struct sched_resources *r, struct sched_names *names, struct xb_sv key, const struct xb_quantity *q)
{
	struct sched_extra *extra;
	int e;

	if (xb_sv_is(key, "cpu")) {
		r->v[SCHED_CPU] += xb_quantity_milli(q);
	} else if (xb_sv_is(key, "memory")) {
		r->v[SCHED_MEMORY] += xb_quantity_value(q);
	} else if (xb_sv_is(key, "ephemeral-storage")) {
		r->v[SCHED_STORAGE] += xb_quantity_value(q);
	} else if (xb_sv_is(key, "pods")) {
		r->v[SCHED_PODS] += xb_quantity_value(q);
	} else {
		e = obtain(r, sched_names_id(names, key), &extra);
		if (e)
			return e;
		extra->n += xb_quantity_value(q);
	}
	return 0;
}

static int read_quantity(struct xb_jv v, struct xb_quantity *ret)
{
	return xb_quantity_parse(xb_jv_type(v) == XB_JSON_STRING ? xb_jv_text(v) : xb_jv_bytes(v), ret);
}

int sched_resources_read(struct sched_resources *r, struct sched_names *names, struct xb_jv list)
{
	struct xb_quantity q;
	int e = 0;

	for (struct xb_jit it = xb_jv_iter(list); !e && xb_jit_next(&it);)
		if (!read_quantity(it.value, &q))
			e = read_one(r, names, it.key, &q);
	return e;
}

int sched_resources_add(struct sched_resources *r, const struct sched_resources *more)
{
	struct sched_extra *extra;

	if (xb_vec_room(&r->extra, more->extra.n))
		return -ENOMEM;
	for (int i = 0; i < SCHED_RESOURCES; i++)
		r->v[i] += more->v[i];
	for (size_t i = 0; i < more->extra.n; i++)
		if (!obtain(r, more->extra.v[i].name, &extra))
			extra->n += more->extra.v[i].n;
	return 0;
}

void sched_resources_sub(struct sched_resources *r, const struct sched_resources *less)
{
	struct sched_extra *extra;

	for (int i = 0; i < SCHED_RESOURCES; i++)
		r->v[i] -= less->v[i];
	for (size_t i = 0; i < less->extra.n; i++) {
		extra = find(r, less->extra.v[i].name);
		if (extra)
			extra->n -= less->extra.v[i].n;
	}
}

int sched_resources_max(struct sched_resources *r, const struct sched_resources *other)
{
	struct sched_extra *extra;

	if (xb_vec_room(&r->extra, other->extra.n))
		return -ENOMEM;
	for (int i = 0; i < SCHED_RESOURCES; i++)
		r->v[i] = MAX(r->v[i], other->v[i]);
	for (size_t i = 0; i < other->extra.n; i++)
		if (!obtain(r, other->extra.v[i].name, &extra))
			extra->n = MAX(extra->n, other->extra.v[i].n);
	return 0;
}

/* --- a pod's --- */
static int read_container(struct sched_names *names, struct xb_jv container, bool nonzero, struct sched_resources *ret)
{
	struct xb_jv requests = xb_jv_path(container, "resources", "requests");

	if (nonzero && !xb_jv_is(xb_jv_get(requests, "cpu")))
		ret->v[SCHED_CPU] += DEFAULT_CPU;
	if (nonzero && !xb_jv_is(xb_jv_get(requests, "memory")))
		ret->v[SCHED_MEMORY] += DEFAULT_MEMORY;
	return sched_resources_read(ret, names, requests);
}

/* An init container runs beside the sidecars that were started before it; a sidecar stays. */
static int read_init(struct sched_names *names, struct xb_jv container, bool nonzero, struct sched_resources *sidecars,
		     struct sched_resources *most)
{
	_cleanup_(sched_resources_done) struct sched_resources own = {};
	bool stays = xb_sv_is(xb_jv_text(xb_jv_get(container, "restartPolicy")), "Always");
	int r = read_container(names, container, nonzero, &own);

	if (!r && stays)
		r = sched_resources_add(sidecars, &own);
	else if (!r)
		r = sched_resources_add(&own, sidecars);
	return r ? r : sched_resources_max(most, stays ? sidecars : &own);
}

static int read_pod(struct sched_names *names, struct xb_jv spec, bool nonzero, struct sched_resources *ret)
{
	_cleanup_(sched_resources_done) struct sched_resources sidecars = {}, most = {};
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "containers")); !r && xb_jit_next(&it);)
		r = read_container(names, it.value, nonzero, ret);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "initContainers")); !r && xb_jit_next(&it);)
		r = read_init(names, it.value, nonzero, &sidecars, &most);
	if (!r)
		r = sched_resources_add(ret, &sidecars);
	if (!r)
		r = sched_resources_max(ret, &most);
	return r ? r : sched_resources_read(ret, names, xb_jv_get(spec, "overhead"));
}

int sched_resources_of_pod(struct sched_names *names, struct xb_jv spec, struct sched_resources *ret)
{
	return read_pod(names, spec, false, ret);
}

int sched_resources_nonzero(struct sched_names *names, struct xb_jv spec, int64_t ret[2])
{
	_cleanup_(sched_resources_done) struct sched_resources all = {};
	int r = read_pod(names, spec, true, &all);

	if (r)
		return r;
	ret[0] = all.v[SCHED_CPU];
	ret[1] = all.v[SCHED_MEMORY];
	return 0;
}
