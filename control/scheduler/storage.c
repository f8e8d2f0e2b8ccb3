/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "storage.h"
#include "xb/volumes.h"

static struct sched_stored *stored_free(struct sched_stored *o)
{
	xb_json_unref(o->doc);
	xb_json_unref(o->assumed);
	free(o->key);
	free(o);
	return NULL;
}

static struct sched_stored *find(const struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key)
{
	return xb_map_get(s->objects[kind], key);
}

static struct sched_stored *obtain(struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key)
{
	struct sched_stored *o = find(s, kind, key);

	if (o)
		return o;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->key = xb_sv_dup(key);
	if (o->key && !xb_map_set(s->objects[kind], xb_sv(o->key), o, NULL))
		return o;
	return stored_free(o);
}

static struct xb_jv seen(const struct sched_stored *o)
{
	struct xb_json *doc = o && o->assumed ? o->assumed : o ? o->doc : NULL;

	return doc ? xb_json_root(doc) : (struct xb_jv){};
}

/* --- what is offered --- */
static void withdraw(struct sched_stored *o)
{
	struct sched_offer *f = o->offer;

	if (!f)
		return;
	f->volumes.v[o->slot] = f->volumes.v[--f->volumes.n];
	f->volumes.v[o->slot]->slot = o->slot;
	o->offer = NULL;
}

static struct sched_offer *offer_of(struct sched_storage *s, struct xb_sv class)
{
	struct sched_offer *f = xb_map_get(s->offers, class);

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (f && !xb_map_set(s->offers, class, f, NULL))
		return f;
	free(f);
	return NULL;
}

static int offer(struct sched_storage *s, struct sched_stored *o)
{
	struct xb_jv volume = seen(o);
	struct xb_sv phase = xb_jv_text(xb_jv_path(volume, "status", "phase"));
	struct sched_offer *f;

	withdraw(o);
	if (!xb_jv_is(volume) || (phase.n && !xb_sv_is(phase, "Available") && !xb_sv_is(phase, "Pending")))
		return 0;
	f = offer_of(s, xb_volume_class(volume));
	if (!f || xb_vec_push(&f->volumes, o))
		return -ENOMEM;
	o->offer = f;
	o->slot = f->volumes.n - 1;
	return 0;
}

static int changed(struct sched_storage *s, enum sched_storage_kind kind, struct sched_stored *o)
{
	int r = kind == SCHED_VOLUMES ? offer(s, o) : 0;

	if (o->doc || o->assumed || o->users)
		return r;
	xb_map_del(s->objects[kind], xb_sv(o->key));
	stored_free(o);
	return r;
}

/* --- what is seen --- */
int sched_storage_set(struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key, struct xb_jv object)
{
	struct sched_stored *o = obtain(s, kind, key);

	if (!o)
		return -ENOMEM;
	xb_json_unref(o->doc);
	o->doc = xb_jv_is(object) ? xb_json_ref(object.doc) : NULL;
	o->assumed = xb_json_unref(o->assumed);
	return changed(s, kind, o);
}

int sched_storage_assume(struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key, struct xb_json *doc)
{
	struct sched_stored *o = obtain(s, kind, key);

	if (!o)
		return -ENOMEM;
	xb_json_unref(o->assumed);
	o->assumed = xb_json_ref(doc);
	return changed(s, kind, o);
}

int sched_storage_forget(struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key)
{
	struct sched_stored *o = find(s, kind, key);

	if (!o || !o->assumed)
		return 0;
	o->assumed = xb_json_unref(o->assumed);
	return changed(s, kind, o);
}

struct xb_jv sched_storage_get(const struct sched_storage *s, enum sched_storage_kind kind, struct xb_sv key)
{
	return seen(find(s, kind, key));
}

const struct sched_offer *sched_storage_offer(const struct sched_storage *s, struct xb_sv class)
{
	return xb_map_get(s->offers, class);
}

int sched_storage_use(struct sched_storage *s, struct xb_sv claim, int n)
{
	struct sched_stored *o = obtain(s, SCHED_CLAIMS, claim);

	if (!o)
		return -ENOMEM;
	o->users += n;
	return changed(s, SCHED_CLAIMS, o);
}

unsigned sched_storage_users(const struct sched_storage *s, struct xb_sv claim)
{
	const struct sched_stored *o = find(s, SCHED_CLAIMS, claim);

	return o ? o->users : 0;
}

/* --- its life --- */
struct sched_storage *sched_storage_free(struct sched_storage *s)
{
	if (!s)
		return NULL;
	for (unsigned i = 0; i < SCHED_STORAGE_KINDS; i++) {
		for (struct xb_map_it it = {}; s->objects[i] && xb_map_next(s->objects[i], &it);)
			stored_free(it.value);
		xb_map_free(s->objects[i]);
	}
	for (struct xb_map_it it = {}; s->offers && xb_map_next(s->offers, &it);) {
		struct sched_offer *f = it.value;

		xb_vec_done(&f->volumes);
		free(f);
	}
	xb_map_free(s->offers);
	free(s);
	return NULL;
}

struct sched_storage *sched_storage_new(void)
{
	_cleanup_(sched_storage_freep) struct sched_storage *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->offers = xb_map_new(XB_MAP_COPY);
	for (unsigned i = 0; i < SCHED_STORAGE_KINDS; i++) {
		s->objects[i] = xb_map_new(XB_MAP_BORROW);
		if (!s->objects[i])
			return NULL;
	}
	return s->offers ? TAKE_PTR(s) : NULL;
}
