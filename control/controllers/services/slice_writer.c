/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "slice_writer.h"
#include "../pods.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define NAME_MAX_LEN 253 /* RFC 1123 subdomain */

const char *const slice_family[2] = { "IPv4", "IPv6" };

struct call {
	struct slice_writer *s;
	const char *what, *name;        /* "update" */
	struct xb_jv old;
};

static struct xb_jv meta(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "metadata", field);
}

static const char *slice_key(struct xb_jv slice, const char *manager, struct xb_buf *out)
{
	struct xb_jv labels = meta(slice, "labels");
	struct xb_sv name = xb_jv_text(xb_jv_get(labels, SLICE_SERVICE_NAME));

	xb_buf_clear(out);
	if (!name.n || (manager && !xb_jv_streq(xb_jv_get(labels, SLICE_MANAGED_BY), xb_sv(manager))))
		return NULL;
	xb_buf_addf(out, "%.*s/%.*s", XB_SV_ARG(xb_jv_text(meta(slice, "namespace"))), XB_SV_ARG(name));
	return out->err ? NULL : out->p;
}

void slices_by_service(struct xb_jv slice, struct xb_index_entry *e)
{
	_cleanup_buf_ struct xb_buf key = {};

	if (slice_key(slice, NULL, &key))
		xb_index_add(e, xb_buf_sv(&key));
}

void slice_changed(struct written *written, const char *manager, struct kcm_queue *queue, struct xb_jv old, struct xb_jv slice)
{
	_cleanup_buf_ struct xb_buf before = {}, now = {};

	slice_key(old, manager, &before);
	slice_key(slice, manager, &now);
	if (before.n && !xb_sv_eq(xb_buf_sv(&before), xb_buf_sv(&now)) && written_changed(written, before.p, old, (struct xb_jv){}))
		xb_work_queue_add(kcm_queue_keys(queue), before.p);
	if (now.n && written_changed(written, now.p, old, slice))
		xb_work_queue_add(kcm_queue_keys(queue), now.p);
}

bool slice_put_off(struct written *written, struct kcm_work *w, const struct xb_kind *kind, const char *manager)
{
	_cleanup_buf_ struct xb_buf selector = {};

	if (!written_doubted(written, w->key))
		return written_put_off(written, w);
	xb_buf_addf(&selector, "%s=%s,%s=%s", SLICE_SERVICE_NAME, w->name, SLICE_MANAGED_BY, manager);
	written_read(written, w, kind, xb_buf_sv(&selector));
	return true;
}

static int family_of(struct xb_jv slice)
{
	for (int i = 0; i < 2; i++)
		if (xb_jv_streq(xb_jv_get(slice, "addressType"), xb_sv(slice_family[i])))
			return i;
	return -1;
}

static struct slice_old describe(const struct slice_writer *s, struct xb_jv slice)
{
	return (struct slice_old){
		.slice = slice, .own = xb_sv_eq(xb_owner_uid(slice), xb_jv_text(meta(s->owner, "uid"))),
		.stale = !maps_is(&s->labels, meta(slice, "labels")) || (s->annotations && !maps_is(s->annotations, meta(slice, "annotations"))),
	};
}

int slice_writer_gather(const struct slice_writer *s, const struct xb_index *slices, struct slice_families *ret)
{
	size_t n = xb_index_count(slices, xb_sv(s->w->key)) + 1;
	struct slice_families f = { .other = xb_arena_alloc(s->w->arena, n * sizeof(*f.other)) };
	_cleanup_buf_ struct xb_buf key = {};

	for (int i = 0; i < 2; i++)
		f.old[i] = xb_arena_alloc(s->w->arena, n * sizeof(*f.old[i]));
	if (!f.old[0] || !f.old[1] || !f.other)
		return -ENOMEM;
	for (struct xb_index_it it = {}; xb_index_next(slices, xb_sv(s->w->key), &it);) {
		struct xb_jv slice = it.object;
		int family = family_of(slice);

		if (!slice_key(slice, s->manager, &key) || pods_deleting(slice))
			continue;
		if (family < 0)
			f.other[f.n_other++] = slice;
		else
			f.old[family][f.n[family]++] = describe(s, slice);
	}
	*ret = f;
	return key.err;
}

/* --- requests --- */
static int on_answered(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct call *c = arg;
	struct slice_writer *s = c->s;
	_cleanup_(xb_json_unrefp) struct xb_json *slice = NULL;
	bool deletes = !strcmp(c->what, "delete");
	int r = xb_calls_error(code, status);

	if ((deletes && r == -ENOENT) || kcm_is_terminating(status))
		return 0;
	if (xb_calls_unknown(code))
		written_doubt(s->written, s->w->key);
	if (r) {
		if (!s->why)
			s->why = xb_arena_printf(s->w->arena, "failed to %s %s EndpointSlice for %s %s: %s", c->what, c->name, s->owner_kind->kind,
						 s->w->key, status && status->message ? status->message : "");
		return r == -ENOENT ? -ESTALE : r;
	}
	if (deletes)
		return written_delete(s->written, s->w->key, c->old);
	r = xb_json_parse(body, NULL, &slice, NULL);
	return r ? r : written_put(s->written, s->w->key, xb_json_root(slice));
}

static int ask(struct slice_writer *s, const char *method, const char *what, struct xb_jv old, const struct xb_buf *body)
{
	struct call *c = xb_arena_alloc(s->w->arena, sizeof(*c));
	struct kcm_request q = { .method = method, .kind = s->kind, .type = KCM_JSON, .body = xb_buf_sv(body) };
	int r = xb_jv_is(old) ? kcm_work_hold(s->w, old) : 0;

	if (!c || r || body->err)
		return -ENOMEM;
	*c = (struct call){ .s = s, .what = what, .old = old, .name = xb_arena_strn(s->w->arena, xb_jv_text(meta(old, "name"))) };
	if (!c->name)
		return -ENOMEM;
	q.name = xb_jv_is(old) ? c->name : NULL;
	if (!strcmp(method, "PUT"))
		q.of = old;
	return kcm_work_ask(s->w, &q, on_answered, c);
}

int slice_writer_delete(struct slice_writer *s, struct xb_jv slice)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_text(meta(slice, "uid"))));
	return ask(s, "DELETE", "delete", slice, &body);
}

static void write_annotations(const struct slice_writer *s, struct xb_jv old, int64_t since, struct xb_jw *w)
{
	struct xb_time_text time = xb_time_format(since);
	struct maps_own trigger = { SLICE_TRIGGER_TIME, since ? time.s : NULL };
	struct maps beside = { .from = meta(old, "annotations"), .own = &trigger, .n = 1 };

	xb_jw_key(w, "annotations");
	maps_write_patch(s->annotations ? s->annotations : &beside, meta(old, "annotations"), w);
}

static void write_new_metadata(const struct slice_writer *s, struct xb_jw *w)
{
	_cleanup_buf_ struct xb_buf prefix = {};

	xb_buf_addf(&prefix, "%s%s", s->w->name, strlen(s->w->name) < NAME_MAX_LEN ? "-" : "");
	if (prefix.err)
		w->err = prefix.err;
	xb_jw_ksv(w, "generateName", xb_buf_sv(&prefix));
	xb_jw_key(w, "ownerReferences");
	xb_jw_array(w);
	xb_owner_write(w, s->owner_kind, s->owner);
	xb_jw_end(w);
}

static int put(struct slice_writer *s, const char *family, const struct slice *slice, int64_t since)
{
	struct xb_jv old = slice->old ? slice->old->slice : (struct xb_jv){};
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	if (!slice->old) {
		xb_jw_kstr(&w, "kind", s->kind->kind);
		xb_jw_kstr(&w, "apiVersion", "discovery.k8s.io/v1");
		xb_jw_kstr(&w, "addressType", family);
	}
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	if (slice->old)
		xb_jw_ksv(&w, "resourceVersion", xb_jv_text(meta(old, "resourceVersion")));
	else
		write_new_metadata(s, &w);
	xb_jw_key(&w, "labels");
	maps_write_patch(&s->labels, meta(old, "labels"), &w);
	write_annotations(s, old, since, &w);
	xb_jw_end(&w);
	slice_write(slice, &w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		return -ENOMEM;
	return slice->old ? ask(s, "PUT", "update", old, &body) : ask(s, "POST", "create", old, &body);
}

int slice_writer_ask(struct slice_writer *s, const char *family, const struct slice_plan *plan, int64_t since)
{
	int r = 0;

	for (size_t i = 0; !r && i < plan->n; i++) {
		const struct slice *slice = &plan->slices[i];

		if (slice->action == SLICE_DELETE)
			r = slice_writer_delete(s, slice->old->slice);
		else if (slice->action == SLICE_UPDATE || (slice->action == SLICE_CREATE && !pods_deleting(s->owner)))
			r = put(s, family, slice, since);
	}
	return r;
}

bool slice_plan_writes(const struct slice_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->slices[i].action != SLICE_KEEP)
			return true;
	return false;
}
