/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "services.h"
#include "xb/time.h"
#include "xb/vec.h"

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
	for (size_t i = 0; i < v->programmed.n; i++)
		free(v->programmed.v[i].name);
	xb_vec_done(&v->programmed);
	xb_vec_done(&v->slices);
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
static int obtain(struct services *s, struct xb_sv namespace_, struct xb_sv name, struct service **ret)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct service *v;
	int r;

	xb_buf_addsv(&key, namespace_);
	xb_buf_addc(&key, '/');
	xb_buf_addsv(&key, name);
	if (key.err)
		return key.err;
	v = xb_map_get(s->by_key, xb_buf_sv(&key));
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

static struct xb_sv meta_text(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_path(object, "metadata", field));
}

/* The Service that a slice belongs to (KEP-0752); {} for none. */
static struct xb_sv owner(struct xb_jv slice)
{
	return xb_jv_text(xb_jv_path(slice, "metadata", "labels", "kubernetes.io/service-name"));
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
	struct xb_jv either = xb_jv_is(object) ? object : old;
	struct service *v = NULL;
	int r = obtain(s, meta_text(either, "namespace"), meta_text(either, "name"), &v);

	if (r < 0)
		return r;
	v->object = object;
	services_mark(v);
	return 0;
}

static void note_trigger(struct service *v, struct xb_jv slice)
{
	struct xb_jv text = xb_jv_path(slice, "metadata", "annotations", "endpoints.kubernetes.io/last-change-trigger-time");
	int64_t us;

	if (!xb_time_parse(xb_jv_text(text), &us) && (!v->trigger_us || us < v->trigger_us))
		v->trigger_us = us;
}

static size_t slice_at(const struct service *v, struct xb_jv slice)
{
	size_t i = 0;

	while (i < v->slices.n && (v->slices.v[i].doc != slice.doc || v->slices.v[i].at != slice.at))
		i++;
	return i;
}

static int drop_slice(struct services *s, struct xb_jv slice)
{
	struct service *v = NULL;
	size_t i;
	int r = obtain(s, meta_text(slice, "namespace"), owner(slice), &v);

	if (r < 0)
		return r;
	i = slice_at(v, slice);
	if (i < v->slices.n)
		xb_vec_remove(&v->slices, i);
	services_mark(v);
	return 0;
}

static int put_slice(struct services *s, struct xb_jv old, struct xb_jv object)
{
	struct service *v = NULL;
	size_t i;
	int r = obtain(s, meta_text(object, "namespace"), owner(object), &v);

	if (r < 0)
		return r;
	note_trigger(v, object);
	services_mark(v);
	i = slice_at(v, old);
	if (i == v->slices.n)
		return xb_vec_push(&v->slices, object);
	v->slices.v[i] = object;
	return 0;
}

int services_slice_changed(struct services *s, struct xb_jv old, struct xb_jv object)
{
	struct xb_sv before = owner(old), after = owner(object);
	int r = 0;

	if (before.n && !xb_sv_eq(before, after))
		r = drop_slice(s, old);
	if (after.n && !r)
		r = put_slice(s, old, object);
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
	if (xb_jv_is(v->object) || v->slices.n || v->programmed.n || v->dirty_since_ms)
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
