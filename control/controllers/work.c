/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "work.h"
#include "queue.h"
#include "xb/log.h"
#include "xb/patch.h"

const char *kcm_key(struct xb_jv object, struct xb_buf *out)
{
	struct xb_jv meta = xb_jv_get(object, "metadata");
	struct xb_sv namespace_ = xb_jv_text(xb_jv_get(meta, "namespace"));

	xb_buf_clear(out);
	xb_buf_addsv(out, namespace_);
	if (namespace_.n)
		xb_buf_addc(out, '/');
	xb_buf_addsv(out, xb_jv_text(xb_jv_get(meta, "name")));
	return out->err ? NULL : out->p;
}

void kcm_queue_add(struct kcm_queue *q, struct xb_jv object)
{
	kcm_queue_add_after(q, object, 0);
}

void kcm_queue_add_after(struct kcm_queue *q, struct xb_jv object, int64_t ms)
{
	_cleanup_buf_ struct xb_buf key = {};

	if (kcm_key(object, &key))
		xb_work_queue_add_after(q->keys, key.p, (uint64_t)MAX(ms, 0));
}

struct xb_work_queue *kcm_queue_keys(struct kcm_queue *q)
{
	return q->keys;
}

static void work_free(struct kcm_work *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		w->queue->works = w->next;
	if (w->next)
		w->next->prev = w->prev;
	xb_calls_cancel(w->calls);
	for (size_t i = 0; i < w->held.n; i++)
		xb_json_unref(w->held.v[i]);
	xb_vec_done(&w->held);
	xb_arena_free(w->arena);
}

static int split_key(struct kcm_work *w, const char *key)
{
	const char *slash = strchr(key, '/');

	w->key = xb_arena_strn(w->arena, xb_sv(key));
	w->namespace_ = xb_arena_strn(w->arena, (struct xb_sv){ key, slash ? (size_t)(slash - key) : 0 });
	w->name = xb_arena_strn(w->arena, xb_sv(slash ? slash + 1 : key));
	return w->key && w->namespace_ && w->name ? 0 : -ENOMEM;
}

static void begin(void *arg, const char *key)
{
	struct kcm_queue *q = arg;
	_cleanup_(xb_arena_freep) struct xb_arena *arena = xb_arena_new(0);
	struct kcm_work *w = arena ? xb_arena_alloc(arena, sizeof(*w)) : NULL;

	if (w)
		w->arena = arena;
	if (!w || split_key(w, key)) {
		xb_work_queue_done(q->keys, key, -ENOMEM);
		return;
	}
	TAKE_PTR(arena);
	w->kcm = q->kcm;
	w->loop = q->c.loop;
	w->queue = q;
	w->next = q->works;
	if (w->next)
		w->next->prev = w;
	q->works = w;
	q->c.sync(w);
}

void kcm_work_done(struct kcm_work *w, int error)
{
	if (error && error != -EAGAIN && error != -ESTALE)
		log_warning("%s: %s: %s; it comes again", w->queue->c.name, w->key, w->why ? w->why : strerror(-error));
	xb_work_queue_done(w->queue->keys, w->key, error);
	work_free(w);
}

static void on_answered(void *arg, int error)
{
	struct kcm_work *w = arg;

	w->calls = NULL;
	w->then(w, error);
}

static void begin_round(struct kcm_work *w, struct xb_rest *rest, void (*then)(struct kcm_work *w, int error))
{
	w->then = then;
	w->calls = xb_calls_new(rest, on_answered, w);
}

void kcm_work_round(struct kcm_work *w, void (*then)(struct kcm_work *w, int error))
{
	begin_round(w, w->kcm->rest, then);
}

void kcm_work_round_of_lists(struct kcm_work *w, void (*then)(struct kcm_work *w, int error))
{
	begin_round(w, w->kcm->watch_rest, then);
}

/* The object as the patch makes it. */
static int render_update(const struct kcm_request *q, struct xb_buf *out)
{
	_cleanup_(xb_arena_freep) struct xb_arena *arena = xb_arena_new(0);
	struct xb_tree *object = arena ? xb_tree_from(arena, q->of, NULL, NULL) : NULL, *patch = NULL, *kind, *version;
	_cleanup_buf_ struct xb_buf text = {};
	int r = object ? xb_tree_read(arena, q->body, NULL, &patch) : -ENOMEM;

	if (!r)
		r = xb_patch_merge(arena, &object, patch);
	if (r)
		return r;
	xb_kind_api_version(q->kind, &text);
	kind = xb_tree_str(arena, xb_sv(q->kind->kind));
	version = xb_tree_str(arena, xb_buf_sv(&text));
	if (text.err || !kind || !version)
		return -ENOMEM;
	xb_tree_setc(object, "kind", kind);
	xb_tree_setc(object, "apiVersion", version);
	xb_tree_write(object, out);
	return out->err;
}

int kcm_work_ask(struct kcm_work *w, const struct kcm_request *q,
		 int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status), void *arg)
{
	_cleanup_buf_ struct xb_buf path = {}, update = {};
	struct xb_rest_request request = {
		.method = q->method,
		.content_type = q->body.n ? q->type : NULL,
		.accept = q->accept,
		.body = q->body,
	};

	if (q->kind)
		xb_kind_path(q->kind, xb_sv(q->namespace_ ? q->namespace_ : w->namespace_), xb_sv(q->name), q->sub, &path);
	else
		xb_buf_adds(&path, q->path);
	request.path = path.p;
	if (xb_jv_is(q->of) && render_update(q, &update))
		return -ENOMEM;
	if (update.n)
		request.body = xb_buf_sv(&update);
	return path.err || !w->calls ? -ENOMEM : xb_calls_add(w->calls, &request, answered, arg);
}

/* Not by a merge, which would leave what the status has no more. */
static int render_status(const struct xb_kind *kind, struct xb_jv object, struct xb_sv status, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf version = {};
	struct xb_jw w = XB_JW(out);

	xb_kind_api_version(kind, &version);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", kind->kind);
	xb_jw_ksv(&w, "apiVersion", xb_buf_sv(&version));
	for (struct xb_jit it = xb_jv_iter(object); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, "kind") || xb_sv_is(it.key, "apiVersion") || xb_sv_is(it.key, "status"))
			continue;
		xb_jw_keysv(&w, it.key);
		xb_jw_raw(&w, xb_jv_bytes(it.value));
	}
	xb_jw_key(&w, "status");
	xb_jw_raw(&w, status);
	xb_jw_end(&w);
	return version.err || xb_jw_finish(&w) ? -ENOMEM : 0;
}

int kcm_work_ask_status(struct kcm_work *w, const struct xb_kind *kind, struct xb_jv object, struct xb_sv status,
			int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status), void *arg)
{
	struct kcm_request q = { .method = "PUT", .kind = kind, .name = w->name, .sub = "status", .type = KCM_JSON };
	_cleanup_buf_ struct xb_buf body = {};
	int r = render_status(kind, object, status, &body);

	q.body = xb_buf_sv(&body);
	return r ? r : kcm_work_ask(w, &q, answered, arg);
}

bool kcm_is_terminating(const struct xb_status *status)
{
	for (size_t i = 0; status && i < status->n_causes; i++)
		if (status->causes[i].reason && !strcmp(status->causes[i].reason, "NamespaceTerminating"))
			return true;
	return false;
}

void kcm_work_go(struct kcm_work *w)
{
	if (w->calls)
		xb_calls_end(w->calls);
	else
		w->then(w, -ENOMEM);
}

int kcm_work_hold(struct kcm_work *w, struct xb_jv object)
{
	int r = xb_vec_room(&w->held, 1);

	if (!r)
		w->held.v[w->held.n++] = xb_json_ref(object.doc);
	return r;
}

struct kcm_queue *kcm_queue_free(struct kcm_queue *q)
{
	struct kcm_process *all;

	if (!q)
		return NULL;
	all = q->kcm->process;
	while (q->works)
		work_free(q->works);
	for (size_t i = 0; i < all->queues.n; i++)
		if (all->queues.v[i] == q)
			xb_vec_remove(&all->queues, i);
	xb_work_queue_free(q->keys);
	free(q);
	return NULL;
}

int kcm_queue_new(struct kcm *k, const struct kcm_queue_config *c, struct kcm_queue **ret)
{
	struct kcm_queue *q = calloc(1, sizeof(*q));
	struct xb_work_queue_config keys = {
		.loop = k->loop,
		.name = c->name,
		.workers = (unsigned)c->workers,
		.work = begin,
		.arg = q,
		.backoff_max_ms = c->backoff_max_ms,
	};
	int r;

	if (!q)
		return -ENOMEM;
	q->kcm = k;
	q->c = *c;
	r = xb_work_queue_new(&keys, &q->keys);
	if (!r)
		r = xb_vec_push(&k->process->queues, q);
	if (r) {
		xb_work_queue_free(q->keys);
		free(q);
		return r;
	}
	*ret = q;
	return 0;
}
