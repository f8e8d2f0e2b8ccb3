/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metadata.h"
#include "metrics.h"
#include "quota.h"
#include "stored.h"
#include "write.h"
#include "xb/time.h"

static void answer_object(struct request *q, const struct xb_json *doc)
{
	request_reply_object(q, q->answer_code, doc);
}

int write_init(struct request *q)
{
	q->write = (struct write){
		.arena = q->arena,
		.registry = q->server->registry,
		.user = q->user,
		.kind = q->route.kind,
		.sub = q->route.sub,
		.namespace_ = q->route.namespace_,
		.name = q->route.name,
		.now = xb_arena_strn(q->arena, xb_sv(xb_time_format(xb_time_now()).s)),
		.dry_run = q->query.n_dry_run > 0,
	};
	q->answer = answer_object;
	return q->write.now ? 0 : -ENOMEM;
}

int write_check_name(struct request *q, const struct xb_tree *object)
{
	struct xb_sv name = xb_tree_text(xb_tree_path(object, "metadata", "name")), url = q->write.name;

	if (!name.n)
		return xb_status_bad_request(&q->fault, "the name of the object (%.*s based on URL) was undeterminable: name must be provided",
					     XB_SV_ARG(url));
	if (!xb_sv_eq(name, url))
		return xb_status_bad_request(&q->fault, "the name of the object (%.*s) does not match the name on the URL (%.*s)",
					     XB_SV_ARG(name), XB_SV_ARG(url));
	return 0;
}

const char *write_key(struct request *q, const struct write *w)
{
	return route_key(q->arena, w->kind, w->namespace_, w->name);
}

int write_read(struct request *q, struct store_object **ret_head, struct xb_tree **ret_old)
{
	const struct write *w = &q->write;
	const char *key = write_key(q, w);
	struct store_object *head;
	struct xb_tree *old;
	int r;

	if (!key)
		return -ENOMEM;
	head = store_head(q->server->store, key);
	if (!head)
		return xb_status_not_found(&q->fault, w->kind->group, w->kind->plural, w->name);
	r = request_keep(q, xb_json_ref(head->doc));
	if (r)
		return r;
	old = stored_tree(q->arena, head->doc);
	if (!old)
		return -ENOMEM;
	*ret_head = head;
	*ret_old = old;
	return 0;
}

static void run_validation(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct strategy *s = strategy_of(w->kind);
	const struct strategy_part *part = strategy_part_of(w);
	const struct xb_path *at = XB_PATH(NULL, "metadata");
	const struct xb_tree *meta = xb_tree_get(object, "metadata");

	if (old)
		xb_validate_object_meta_update(e, at, meta, xb_tree_get(old, "metadata"));
	else
		xb_validate_object_meta(e, at, meta, w->kind->namespaced, s->name);
	if (write_is_status(w)) {
		if (s->validate_status)
			s->validate_status(w, object, old, e);
		return;
	}
	if (s->validate)
		s->validate(w, object, e);
	if (part)
		part->validate(w, object, old, e);
	else if (old && s->validate_update)
		s->validate_update(w, object, old, e);
}

int write_validate(struct request *q, struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	const struct strategy *s = strategy_of(w->kind);
	struct xb_field_errors e = { .arena = w->arena };
	int r;

	if (s->begin && !write_is_status(w)) {
		r = s->begin(w, object, old, &e);
		if (r)
			return r;
		w->begun = true;
	}
	if (!e.n)
		run_validation(w, object, old, &e);
	r = w->no_memory || e.no_memory ? -ENOMEM : xb_field_errors_status(&e, w->kind->group, w->kind->kind, w->name, &q->fault);
	if (r)
		write_end(w, false);
	return r;
}

int write_begin_removal(struct request *q, struct write *w, const struct xb_tree *old)
{
	const struct strategy *s = strategy_of(w->kind);
	struct xb_field_errors e = { .arena = w->arena };
	int r;

	r = s->begin ? s->begin(w, NULL, old, &e) : 0;
	w->begun = !r;
	return r;
}

void write_end(struct write *w, bool committed)
{
	const struct strategy *s = strategy_of(w->kind);

	quota_release(w);
	if (w->begun && s->end)
		s->end(w, committed);
	w->begun = false;
}

static void answer_now(struct request *q, int error, const struct xb_json *doc)
{
	q->in_store = false;
	if (error)
		request_fail(q, error);
	else
		q->answer(q, doc);
}

static void written(void *arg, int error, struct store_object *o)
{
	struct request *q = arg;

	metrics_committed(q->server->metrics, uv_hrtime() - q->queued);
	write_end(&q->write, !error);
	answer_now(q, error, o ? o->doc : NULL);
}

static void settled(void *arg, int error, struct store_object *o)
{
	struct request *q = arg;

	answer_now(q, error, q->result);
}

static int wait_for_store(struct request *q, const struct xb_json *result, int code)
{
	int r;

	q->answer_code = code;
	q->result = result;
	q->in_store = true;
	r = store_barrier(q->server->store, settled, q);
	if (r)
		q->in_store = false;
	return r;
}

int write_nothing(struct request *q, const struct xb_json *doc, int code)
{
	int r = request_keep(q, xb_json_ref(doc));

	return r ? r : wait_for_store(q, doc, code);
}

/* What would be: with the version that there is, or none. */
static int answer_dry(struct request *q, uint64_t expect, struct xb_tree *object, int code)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	struct xb_tree *meta = xb_tree_get(object, "metadata");
	struct xb_json *doc = NULL;
	char *version;
	int r;

	xb_tree_del(meta, "resourceVersion");
	if (expect) {
		version = xb_arena_printf(q->arena, "%llu", (unsigned long long)expect);
		if (!version)
			return -ENOMEM;
		xb_tree_setc(meta, "resourceVersion", xb_tree_str(q->arena, xb_sv(version)));
	}
	xb_tree_write(object, &bytes);
	if (bytes.err)
		return bytes.err;
	r = xb_json_parse(xb_buf_sv(&bytes), &(struct xb_json_limits){ .max_bytes = 1u << 28 }, &doc, NULL);
	if (!r)
		r = request_keep(q, doc);
	return r ? r : wait_for_store(q, doc, code);
}

typedef int queue_fn(struct store *s, const char *key, uint64_t expect, const struct store_value *v, store_done done, void *arg);

static bool is_patient(const struct request *q, const char *key, const struct xb_tree *object)
{
	const struct strategy *s = strategy_of(q->write.kind);
	const struct store_object *head;

	if (s->patient || !s->is_heartbeat || !write_is_status(&q->write))
		return s->patient;
	head = store_head(q->server->store, key);
	return head && s->is_heartbeat(xb_json_root(head->doc), object);
}

/* May it wait in the store? What waited on its connection has come together with others, and does not wait again. */
static bool waits(struct request *q, const char *key, const struct xb_tree *object)
{
	return is_patient(q, key, object) && !(q->http && xb_http_patient(q->http));
}

static void goes_to_store(struct request *q, int code)
{
	q->answer_code = code;
	q->in_store = true;
	q->queued = uv_hrtime();
}

/* r: what the store said to it. */
static int went_to_store(struct request *q, int r)
{
	if (!r)
		return 0;
	q->in_store = false;
	write_end(&q->write, false);
	return r;
}

static int queue(struct request *q, queue_fn *fn, uint64_t expect, struct xb_tree *object, int code)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	const char *key = write_key(q, &q->write);
	struct store_value value;
	int r;

	if (q->write.dry_run) {
		write_end(&q->write, false);
		return answer_dry(q, expect, object, code);
	}
	goes_to_store(q, code);
	r = key ? stored_value(q->arena, object, &bytes, &value) : -ENOMEM;
	value.patient = !r && waits(q, key, object);
	return went_to_store(q, r ? r : fn(q->server->store, key, expect, &value, written, q));
}

int write_amend(struct request *q, const char *key, uint64_t expect, struct store_amendment *a)
{
	a->patient = waits(q, key, NULL);
	goes_to_store(q, 200);
	return went_to_store(q, store_amend(q->server->store, key, expect, a, written, q));
}

int write_put(struct request *q, uint64_t expect, struct xb_tree *object, int code)
{
	return queue(q, store_put, expect, object, code);
}

int write_remove(struct request *q, uint64_t expect, struct xb_tree *object, int code)
{
	return queue(q, store_delete, expect, object, code);
}
