/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "services.h"
#include "xb/time.h"

struct services {
	const char *resource;
	struct xb_map *by_key;
	struct service *dirty, **dirty_end;
	size_t n_dirty;
};

struct services *services_new(const char *resource)
{
	struct services *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->resource = resource;
	s->dirty_end = &s->dirty;
	s->by_key = xb_map_new(XB_MAP_BORROW);
	return s->by_key ? s : services_free(s);
}

static void service_free(struct service *v)
{
	for (struct service_port *p = v->programmed, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	free(v->slices);
	free(v->fault_why);
	free(v);
}

struct services *services_free(struct services *s)
{
	if (!s)
		return NULL;
	for (struct xb_map_it it = {}; s->by_key && xb_map_next(s->by_key, &it);)
		service_free(it.value);
	xb_map_free(s->by_key);
	free(s);
	return NULL;
}

/* --- finding --- */
static int obtain(struct services *s, struct xb_sv key, struct service **ret)
{
	struct service *v = xb_map_get(s->by_key, key);
	int r;

	if (!v) {
		v = calloc(1, sizeof(*v) + key.n + 1);
		if (!v)
			return -ENOMEM;
		v->in = s;
		memcpy(v->key, key.p, key.n);
		r = xb_map_set(s->by_key, (struct xb_sv){ v->key, key.n }, v, NULL);
		if (r < 0) {
			free(v);
			return r;
		}
	}
	*ret = v;
	return 0;
}

/* --- changes --- */
void services_mark(struct service *v)
{
	struct services *s = v->in;

	if (v->dirty_since_ms)
		return;
	v->dirty_since_ms = xb_time_ms();
	v->next_dirty = NULL;
	*s->dirty_end = v;
	s->dirty_end = &v->next_dirty;
	s->n_dirty++;
}

int services_service_changed(struct services *s, struct xb_jv old, struct xb_jv object)
{
	struct xb_jv metadata = xb_jv_get(xb_jv_is(object) ? object : old, "metadata");
	_cleanup_buf_ struct xb_buf key = {};
	struct service *v = NULL;
	int r;

	xb_buf_addsv(&key, xb_jv_text(xb_jv_get(metadata, "namespace")));
	xb_buf_addc(&key, '/');
	xb_buf_addsv(&key, xb_jv_text(xb_jv_get(metadata, "name")));
	r = key.err ? key.err : obtain(s, xb_buf_sv(&key), &v);
	if (r < 0)
		return r;
	v->object = object;
	services_mark(v);
	return 0;
}

static void note_trigger(struct service *v, int64_t us)
{
	if (us && (!v->trigger_us || us < v->trigger_us))
		v->trigger_us = us;
}

static size_t slice_at(const struct service *v, const struct xb_plan_slice *slice)
{
	size_t i = 0;

	while (i < v->n_slices && v->slices[i] != slice)
		i++;
	return i;
}

static int drop_slice(struct services *s, const struct xb_plan_slice *slice)
{
	struct service *v = NULL;
	size_t i;
	int r = obtain(s, xb_plan_slice_service(slice), &v);

	if (r < 0)
		return r;
	i = slice_at(v, slice);
	if (i < v->n_slices)
		memmove(&v->slices[i], &v->slices[i + 1], (--v->n_slices - i) * sizeof(*v->slices));
	services_mark(v);
	return 0;
}

static int put_slice(struct services *s, const struct xb_plan_slice *old, const struct xb_plan_slice *slice)
{
	struct service *v = NULL;
	size_t i;
	int r = obtain(s, xb_plan_slice_service(slice), &v);

	if (r < 0)
		return r;
	note_trigger(v, xb_plan_slice_trigger_us(slice));
	services_mark(v);
	i = slice_at(v, old);
	if (i == v->n_slices) {
		const struct xb_plan_slice **more = reallocarray(v->slices, i + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		v->slices = more;
		v->n_slices++;
	}
	v->slices[i] = slice;
	return 0;
}

int services_slice_changed(struct services *s, const struct xb_plan_slice *old, const struct xb_plan_slice *slice)
{
	struct xb_sv before = old ? xb_plan_slice_service(old) : (struct xb_sv){};
	struct xb_sv after = slice ? xb_plan_slice_service(slice) : (struct xb_sv){};
	int r = 0;

	if (before.n && !xb_sv_eq(before, after))
		r = drop_slice(s, old);
	if (after.n && !r)
		r = put_slice(s, old, slice);
	return r;
}

/* --- after a change --- */
struct service *services_next_dirty(struct services *s)
{
	struct service *v = s->dirty;

	if (!v)
		return NULL;
	s->dirty = v->next_dirty;
	if (!s->dirty)
		s->dirty_end = &s->dirty;
	s->n_dirty--;
	v->dirty_since_ms = 0;
	return v;
}

int64_t services_oldest_dirty_ms(const struct services *s)
{
	return s->dirty ? s->dirty->dirty_since_ms : 0;
}

size_t services_dirty(const struct services *s)
{
	return s->n_dirty;
}

void services_forget(struct service *v)
{
	if (xb_jv_is(v->object) || v->n_slices || v->programmed || v->dirty_since_ms)
		return;
	xb_map_del(v->in->by_key, xb_sv(v->key));
	service_free(v);
}

const char *services_resource(const struct services *s)
{
	return s->resource;
}

size_t services_count(const struct services *s)
{
	return xb_map_count(s->by_key);
}

void services_each(const struct services *s, void (*each)(void *arg, struct service *v), void *arg)
{
	for (struct xb_map_it it = {}; xb_map_next(s->by_key, &it);)
		each(arg, it.value);
}
