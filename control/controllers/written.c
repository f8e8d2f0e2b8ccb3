/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "written.h"
#include "xb/map.h"
#include "xb/time.h"
#include "xb/vec.h"
#include "xb/work_queue.h"

#define EXPIRE_MS (5 * 60 * 1000)

struct awaited {
	char *uid;
	uint64_t version;               /* 0: a deletion */
};
struct entry {
	XB_VEC(struct awaited) awaited;
	int64_t until_ms;
	bool again;                     /* a sync was put off */
};
struct written {
	const struct xb_informer *copy;
	struct xb_map *entries;
};

static struct xb_sv meta(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_path(object, "metadata", field));
}

static uint64_t version_of(struct xb_jv object)
{
	uint64_t n = 0;

	xb_sv_u64(meta(object, "resourceVersion"), &n);
	return n;
}

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->awaited.n; i++)
		free(e->awaited.v[i].uid);
	xb_vec_done(&e->awaited);
	free(e);
}

struct written *written_new(const struct xb_informer *copy)
{
	struct written *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->copy = copy;
	w->entries = xb_map_new(XB_MAP_COPY);
	return w->entries ? w : written_free(w);
}

struct written *written_free(struct written *w)
{
	if (!w)
		return NULL;
	for (struct xb_map_it it = {}; w->entries && xb_map_next(w->entries, &it);)
		entry_free(it.value);
	xb_map_free(w->entries);
	free(w);
	return NULL;
}

void written_forget(struct written *w, const char *key)
{
	entry_free(xb_map_del(w->entries, xb_sv(key)));
}

static struct entry *obtain(struct written *w, const char *key)
{
	struct entry *e = xb_map_get(w->entries, xb_sv(key));

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (e && xb_map_set(w->entries, xb_sv(key), e, NULL)) {
		free(e);
		return NULL;
	}
	return e;
}

static struct awaited *find(struct entry *e, struct xb_sv uid)
{
	for (size_t i = 0; i < e->awaited.n; i++)
		if (xb_sv_is(uid, e->awaited.v[i].uid))
			return &e->awaited.v[i];
	return NULL;
}

static int await(struct written *w, const char *key, struct xb_sv uid, uint64_t version)
{
	struct entry *e = obtain(w, key);
	struct awaited *a = e ? find(e, uid) : NULL;
	char *copy = NULL;

	if (!e)
		return -ENOMEM;
	e->until_ms = xb_time_ms() + EXPIRE_MS;
	if (a) {
		a->version = version;
		return 0;
	}
	copy = xb_sv_dup(uid);
	if (!copy || xb_vec_room(&e->awaited, 1)) {
		free(copy);
		return -ENOMEM;
	}
	e->awaited.v[e->awaited.n++] = (struct awaited){ copy, version };
	return 0;
}

static struct xb_jv shown(const struct written *w, struct xb_jv object)
{
	_cleanup_free_ char *namespace_ = xb_sv_dup(meta(object, "namespace")), *name = xb_sv_dup(meta(object, "name"));
	struct xb_jv v = namespace_ && name ? xb_informer_get(w->copy, namespace_, name) : (struct xb_jv){};

	return xb_sv_eq(meta(v, "uid"), meta(object, "uid")) ? v : (struct xb_jv){};
}

/* The watch may have been faster than the answer. */
int written_put(struct written *w, const char *key, struct xb_jv object)
{
	if (version_of(shown(w, object)) >= version_of(object))
		return 0;
	return await(w, key, meta(object, "uid"), version_of(object));
}

int written_delete(struct written *w, const char *key, struct xb_jv object)
{
	return xb_jv_is(shown(w, object)) ? await(w, key, meta(object, "uid"), 0) : 0;
}

bool written_put_off(struct written *w, struct kcm_work *work)
{
	struct entry *e = xb_map_get(w->entries, xb_sv(work->key));

	if (e && xb_time_ms() > e->until_ms) {
		written_forget(w, work->key);
		return false;
	}
	if (!e)
		return false;
	e->again = true;
	xb_work_queue_add_after(kcm_queue_keys(work->queue), work->key, EXPIRE_MS + 1);
	kcm_work_done(work, 0);
	return true;
}

static bool settle(struct written *w, const char *key, struct entry *e, struct awaited *a)
{
	bool again = e->again;

	free(a->uid);
	xb_vec_remove(&e->awaited, (size_t)(a - e->awaited.v));
	if (e->awaited.n)
		return false;
	written_forget(w, key);
	return again;
}

bool written_changed(struct written *w, const char *key, struct xb_jv old, struct xb_jv object)
{
	struct entry *e = xb_map_get(w->entries, xb_sv(key));
	struct awaited *a = e ? find(e, meta(xb_jv_is(object) ? object : old, "uid")) : NULL;
	uint64_t wanted = a ? a->version : 0, came = version_of(object);
	bool done;

	if (!a)
		return true;
	/* on the way to what is awaited */
	if (came && (!wanted || came < wanted))
		return false;
	done = settle(w, key, e, a);
	return done || came != wanted;
}
