/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Claims get volumes (upstream's pkg/controller/volume/persistentvolume). Both sides name each other when they are bound: the
 * volume first, by the claim's uid, then the claim; the volume's name for the claim is what decides.
 */
#include "../loops.h"
#include "binder.h"
#include "pods_by_claim.h"
#include "xb/work_queue.h"

/* --- writes --- */
static int take(struct binder_sync *s, struct xb_jv object, struct xb_jv *ret, struct xb_tree **ret_tree)
{
	struct xb_tree *tree = xb_tree_from(s->w->arena, object, NULL, NULL);
	int r = tree ? kcm_work_hold(s->w, object) : -ENOMEM;

	if (r)
		return r;
	*ret = object;
	*ret_tree = tree;
	return 0;
}

int binder_take_claim(struct binder_sync *s, struct xb_jv claim)
{
	return take(s, claim, &s->claim, &s->pair.claim);
}

int binder_take_volume(struct binder_sync *s, struct xb_jv volume)
{
	return take(s, volume, &s->volume, &s->pair.volume);
}

static int on_put(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct binder_sync *s = arg;
	struct written *written = s->step->of_claim ? s->b->claims_written : s->b->volumes_written;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf key = {};
	int r = code == 404 ? -ESTALE : xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	r = s->step->of_claim ? binder_take_claim(s, xb_json_root(doc)) : binder_take_volume(s, xb_json_root(doc));
	if (!r)
		r = kcm_key(xb_json_root(doc), &key) ? written_put(written, key.p, xb_json_root(doc)) : -ENOMEM;
	return r;
}

static void advance(struct binder_sync *s);

static void on_written(struct kcm_work *w, int error)
{
	if (error)
		kcm_work_done(w, error);
	else
		advance(w->state);
}

/* The object names the version that was read: if it is another one by now, the key comes again. */
static void put(struct binder_sync *s)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_tree *object = s->step->of_claim ? s->pair.claim : s->pair.volume;
	struct kcm_request q = {
		.method = "PUT", .kind = s->step->of_claim ? s->b->claim_kind : s->b->volume_kind, .sub = s->step->sub, .type = KCM_JSON,
		.name = xb_arena_strn(s->w->arena, xb_tree_text(xb_tree_path(object, "metadata", "name"))),
	};

	xb_tree_write(object, &body);
	if (body.err || !q.name) {
		kcm_work_done(s->w, -ENOMEM);
		return;
	}
	q.body = xb_buf_sv(&body);
	s->wrote = true;
	kcm_work_round(s->w, on_written);
	kcm_work_ask(s->w, &q, on_put, s);
	kcm_work_go(s->w);
}

static void advance(struct binder_sync *s)
{
	int r = 0;

	while (!r && s->steps->edit) {
		s->step = s->steps++;
		r = s->step->edit(&s->pair);
	}
	if (r < 0)
		kcm_work_done(s->w, r);
	else if (r)
		put(s);
	else
		s->then(s);
}

void binder_run(struct binder_sync *s, const struct binder_step *steps, void (*then)(struct binder_sync *s))
{
	s->steps = steps;
	s->then = then;
	s->wrote = false;
	advance(s);
}

void binder_done(struct binder_sync *s)
{
	kcm_work_done(s->w, 0);
}

void binder_set_phase(struct binder_sync *s, bool of_claim, const char *phase, void (*then)(struct binder_sync *s))
{
	static const struct binder_step claim[] = { { binder_claim_phase, true, "status" }, {} };
	static const struct binder_step volume[] = { { binder_volume_phase, false, "status" }, {} };

	s->pair.text = phase;
	binder_run(s, of_claim ? claim : volume, then);
}

void binder_bind(struct binder_sync *s)
{
	static const struct binder_step steps[] = {
		{ binder_reserve, false, NULL }, { binder_volume_phase, false, "status" },
		{ binder_name_volume, true, NULL }, { binder_claim_bound, true, "status" }, {},
	};

	s->pair.text = "Bound";
	binder_run(s, steps, binder_done);
}

void binder_tell(struct binder_sync *s, bool of_claim, enum xb_event_type type, const char *reason, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_event e = {
		.component = "persistentvolume-controller", .kind = of_claim ? s->b->claim_kind : s->b->volume_kind,
		.object = of_claim ? s->claim : s->volume, .type = type, .reason = reason,
	};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (!text.err)
		xb_recorder_event(s->b->kcm->recorder, &e, "%s", text.p);
}

/* --- what comes in --- */
static void sync_object(struct kcm_work *w)
{
	struct binder *b = w->loop;
	struct binder_sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	bool of_claim = *w->namespace_;
	struct xb_jv object = of_claim ? xb_informer_get(b->claims, w->namespace_, w->name) : xb_informer_get(b->volumes, NULL, w->name);
	int r;

	if (!s || !xb_jv_is(object)) {
		kcm_work_done(w, s ? 0 : -ENOMEM);
		return;
	}
	if (written_put_off(of_claim ? b->claims_written : b->volumes_written, w))
		return;
	*s = (struct binder_sync){ .w = w, .b = b, .pair.arena = w->arena };
	r = of_claim ? binder_take_claim(s, object) : binder_take_volume(s, object);
	if (r)
		kcm_work_done(w, r);
	else if (of_claim)
		binder_sync_claim(s);
	else
		binder_sync_volume(s);
}

static void queue_all(struct binder *b, const struct xb_index *index, struct xb_sv key)
{
	for (struct xb_index_it it = {}; xb_index_next(index, key, &it);)
		kcm_queue_add(b->queue, it.object);
}

static void queue_if_written(struct binder *b, struct written *written, struct xb_jv old, struct xb_jv object)
{
	_cleanup_buf_ struct xb_buf key = {};

	if (!kcm_key(xb_jv_is(object) ? object : old, &key))
		return;
	if (!xb_jv_is(object))
		written_forget(written, key.p);
	else if (written_changed(written, key.p, old, object))
		xb_work_queue_add(kcm_queue_keys(b->queue), key.p);
}

static struct xb_sv volume_of(struct xb_jv claim)
{
	return xb_jv_text(xb_jv_path(claim, "spec", "volumeName"));
}

/* Volumes that are for it learn that it has another one, or is gone. */
static void on_claim(void *arg, struct xb_jv old, struct xb_jv claim)
{
	struct binder *b = arg;
	_cleanup_buf_ struct xb_buf key = {};

	queue_if_written(b, b->claims_written, old, claim);
	if (xb_jv_is(old) && (!xb_jv_is(claim) || !xb_sv_eq(volume_of(old), volume_of(claim))) && kcm_key(old, &key))
		queue_all(b, b->volumes_by_claim, xb_buf_sv(&key));
}

static void queue_waiting_claims(struct binder *b, struct xb_jv volume)
{
	_cleanup_buf_ struct xb_buf key = {};

	xb_buf_addf(&key, "/%.*s", XB_SV_ARG(xb_volume_class(volume)));
	for (struct xb_index_it it = {}; !key.err && xb_index_next(b->claims_by_volume, xb_buf_sv(&key), &it);) {
		_cleanup_claim_ struct xb_claim c = {};

		if (!xb_claim_read(it.object, &c) && xb_claim_may_have(&c, volume))
			kcm_queue_add(b->queue, it.object);
	}
}

static void queue_its_claim(struct binder *b, struct xb_jv volume)
{
	struct xb_jv ref = xb_jv_path(volume, "spec", "claimRef");
	_cleanup_free_ char *namespace_ = xb_jv_dup(xb_jv_get(ref, "namespace")), *name = xb_jv_dup(xb_jv_get(ref, "name"));
	struct xb_jv claim = namespace_ && name ? xb_informer_get(b->claims, namespace_, name) : (struct xb_jv){};

	if (xb_jv_is(claim) && !xb_claim_is_bound(claim))
		kcm_queue_add(b->queue, claim);
}

static void on_volume(void *arg, struct xb_jv old, struct xb_jv volume)
{
	struct binder *b = arg;

	queue_if_written(b, b->volumes_written, old, volume);
	if (!xb_jv_is(old) || !xb_jv_is(volume) || (xb_volume_is_free(volume) && !xb_volume_is_free(old)))
		queue_all(b, b->claims_by_volume, xb_jv_text(xb_jv_path(xb_jv_is(volume) ? volume : old, "metadata", "name")));
	if (xb_jv_is(volume) && xb_volume_is_free(volume))
		queue_waiting_claims(b, volume);
	else if (xb_jv_is(volume) && !xb_jv_text(xb_jv_path(volume, "spec", "claimRef", "uid")).n)
		queue_its_claim(b, volume);
}

static void on_class(void *arg, struct xb_jv old, struct xb_jv class)
{
	struct binder *b = arg;
	_cleanup_buf_ struct xb_buf key = {};

	xb_buf_addf(&key, "/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_path(class, "metadata", "name"))));
	if (!xb_jv_is(class) || key.err)
		return;
	queue_all(b, b->claims_by_volume, xb_buf_sv(&key));
	queue_all(b, b->claims_by_volume, XB_SV("/"));
}

/* --- indexes --- */
static void add_class(struct xb_jv object, struct xb_index_entry *e)
{
	_cleanup_buf_ struct xb_buf key = {};

	xb_buf_addf(&key, "/%.*s", XB_SV_ARG(xb_volume_class(object)));
	xb_index_add(e, xb_buf_sv(&key));
}

static void by_claim(struct xb_jv volume, struct xb_index_entry *e)
{
	struct xb_jv ref = xb_jv_path(volume, "spec", "claimRef");
	_cleanup_buf_ struct xb_buf key = {};

	if (xb_volume_is_free(volume)) {
		add_class(volume, e);
		return;
	}
	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_get(ref, "namespace"))), XB_SV_ARG(xb_jv_text(xb_jv_get(ref, "name"))));
	xb_index_add(e, xb_buf_sv(&key));
}

static void by_volume(struct xb_jv claim, struct xb_index_entry *e)
{
	if (volume_of(claim).n)
		xb_index_add(e, volume_of(claim));
	else
		add_class(claim, e);
}

/* --- the loop --- */
static int follow(struct binder *b)
{
	struct kcm *k = b->kcm;
	const struct xb_kind *classes = kcm_kind("storage.k8s.io", "v1", "storageclasses");
	int r = xb_cache_follow(k->cache, b->volume_kind, on_volume, b);

	if (!r)
		r = xb_cache_follow(k->cache, b->claim_kind, on_claim, b);
	if (!r)
		r = xb_cache_follow(k->cache, classes, on_class, b);
	b->claims = xb_cache_of(k->cache, b->claim_kind);
	b->volumes = xb_cache_of(k->cache, b->volume_kind);
	b->classes = xb_cache_of(k->cache, classes);
	b->volumes_by_claim = kcm_index(k, b->volume_kind, by_claim);
	b->claims_by_volume = kcm_index(k, b->claim_kind, by_volume);
	b->pods_by_claim = kcm_index(k, kcm_kind("", "v1", "pods"), pods_by_claim);
	if (r || !b->claims || !b->volumes || !b->classes || !b->volumes_by_claim || !b->claims_by_volume || !b->pods_by_claim)
		return -ENOMEM;
	b->claims_written = written_new(b->claims);
	b->volumes_written = written_new(b->volumes);
	return b->claims_written && b->volumes_written ? 0 : -ENOMEM;
}

void binder_stop(void *loop)
{
	struct binder *b = loop;

	kcm_queue_free(b->queue);
	written_free(b->claims_written);
	written_free(b->volumes_written);
	free(b);
}

int binder_start(struct kcm *k, void **ret)
{
	struct binder *b = calloc(1, sizeof(*b));
	struct kcm_queue_config queue = { .name = "claims", .workers = 1, .sync = sync_object, .loop = b };
	int r;

	if (!b)
		return -ENOMEM;
	*b = (struct binder){
		.kcm = k, .claim_kind = kcm_kind("", "v1", "persistentvolumeclaims"), .volume_kind = kcm_kind("", "v1", "persistentvolumes"),
		.node_kind = kcm_kind("", "v1", "nodes"),
	};
	r = kcm_queue_new(k, &queue, &b->queue);
	if (!r)
		r = follow(b);
	if (r) {
		binder_stop(b);
		return r;
	}
	*ret = b;
	return 0;
}
