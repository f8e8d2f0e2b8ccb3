/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "written.h"
#include "pods.h"
#include "xb/map.h"
#include "xb/reflector.h"
#include "xb/time.h"
#include "xb/vec.h"
#include "xb/work_queue.h"

#define EXPIRE_MS (5 * 60 * 1000)
#define LOOK_MS   1000                  /* what was awaited may have been deleted where nobody saw: between two lists */

struct awaited {
	char *uid;
	uint64_t version;               /* 0: a deletion */
};
struct entry {
	XB_VEC(struct awaited) awaited;
	int64_t until_ms;
	bool again;                     /* a sync was put off */
	bool doubted;
};
struct written {
	const struct xb_informer *copy;
	struct xb_map *entries;
};

static uint64_t version_of(struct xb_jv object)
{
	uint64_t n = 0;

	xb_sv_u64(xb_jv_meta(object, "resourceVersion"), &n);
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
	_cleanup_free_ char *namespace_ = xb_sv_dup(xb_jv_meta(object, "namespace")), *name = xb_sv_dup(xb_jv_meta(object, "name"));
	struct xb_jv v = namespace_ && name ? xb_informer_get(w->copy, namespace_, name) : (struct xb_jv){};

	return xb_sv_eq(xb_jv_meta(v, "uid"), xb_jv_meta(object, "uid")) ? v : (struct xb_jv){};
}

/* The watch may have been faster than the answer, and the object may even have gone again. */
static bool is_shown(const struct written *w, struct xb_jv object)
{
	uint64_t version = version_of(object);

	return version_of(shown(w, object)) >= version || xb_informer_version(w->copy) >= version;
}

int written_put(struct written *w, const char *key, struct xb_jv object)
{
	return is_shown(w, object) ? 0 : await(w, key, xb_jv_meta(object, "uid"), version_of(object));
}

int written_delete(struct written *w, const char *key, struct xb_jv object)
{
	struct xb_jv v = shown(w, object);

	return xb_jv_is(v) && !pods_deleting(v) ? await(w, key, xb_jv_meta(object, "uid"), 0) : 0;
}

void written_doubt(struct written *w, const char *key)
{
	struct entry *e = obtain(w, key);

	if (!e)
		return;
	e->doubted = true;
	e->until_ms = xb_time_ms() + EXPIRE_MS;
}

bool written_doubted(const struct written *w, const char *key)
{
	const struct entry *e = xb_map_get(w->entries, xb_sv(key));

	return e && e->doubted;
}

static void drop(struct entry *e, struct awaited *a)
{
	free(a->uid);
	xb_vec_remove(&e->awaited, (size_t)(a - e->awaited.v));
}

static bool is_settled(const struct entry *e)
{
	return !e->awaited.n && !e->doubted;
}

static bool settle(struct written *w, const char *key, struct entry *e, struct awaited *a)
{
	bool again = e->again;

	drop(e, a);
	if (!is_settled(e))
		return false;
	written_forget(w, key);
	return again;
}

/* --- reading again --- */
struct reading {
	struct written *written;
	struct kcm_work *work;
};

static const struct xb_json_limits limits = { .max_bytes = 1 << 28 };

/* All that is there as the server has it now; what is not there any more goes from the copy by itself. */
static int on_listed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct reading *d = arg;
	struct entry *e = xb_map_get(d->written->entries, xb_sv(d->work->key));
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, &limits, &doc, NULL);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(doc ? xb_json_root(doc) : (struct xb_jv){}, "items")); !r && xb_jit_next(&it);)
		r = written_put(d->written, d->work->key, it.value);
	if (!r && e)
		e->doubted = false;
	return r;
}

static void on_read(struct kcm_work *work, int error)
{
	kcm_work_done(work, error ? error : -EAGAIN);
}

void written_read(struct written *w, struct kcm_work *work, const struct xb_kind *kind, struct xb_sv selector)
{
	struct reading *d = xb_arena_alloc(work->arena, sizeof(*d));
	struct kcm_request q = { .method = "GET", .accept = XB_ACCEPT_METADATA };
	_cleanup_buf_ struct xb_buf path = {};

	xb_kind_path(kind, xb_sv(work->namespace_), (struct xb_sv){}, NULL, &path);
	xb_rest_add_query(&path, "labelSelector", selector);
	if (!d || path.err) {
		kcm_work_done(work, -ENOMEM);
		return;
	}
	*d = (struct reading){ w, work };
	q.path = path.p;
	kcm_work_round(work, on_read);
	kcm_work_ask(work, &q, on_listed, d);
	kcm_work_go(work);
}

/* --- a sync --- */
static void drop_shown(const struct written *w, struct entry *e)
{
	uint64_t version = xb_informer_version(w->copy);

	for (size_t i = e->awaited.n; i--;)
		if (e->awaited.v[i].version && e->awaited.v[i].version <= version)
			drop(e, &e->awaited.v[i]);
}

bool written_put_off(struct written *w, struct kcm_work *work)
{
	struct entry *e = xb_map_get(w->entries, xb_sv(work->key));

	if (!e)
		return false;
	drop_shown(w, e);
	if (is_settled(e) || xb_time_ms() > e->until_ms) {
		written_forget(w, work->key);
		return false;
	}
	e->again = true;
	xb_work_queue_add_after(kcm_queue_keys(work->queue), work->key, LOOK_MS);
	kcm_work_done(work, 0);
	return true;
}

bool written_changed(struct written *w, const char *key, struct xb_jv old, struct xb_jv object)
{
	struct entry *e = xb_map_get(w->entries, xb_sv(key));
	struct awaited *a = e ? find(e, xb_jv_meta(xb_jv_is(object) ? object : old, "uid")) : NULL;
	uint64_t wanted = a ? a->version : 0, came = pods_deleting(object) ? 0 : version_of(object);
	bool done;

	if (!a)
		return true;
	/* on the way to what is awaited */
	if (came && (!wanted || came < wanted))
		return false;
	done = settle(w, key, e, a);
	return done || came != wanted;
}
