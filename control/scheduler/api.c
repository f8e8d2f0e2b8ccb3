/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "api.h"
#include "xb/log.h"
#include "xb/time.h"

#define PATCH "application/strategic-merge-patch+json"

struct call {
	LIST_ENTRY(call) link;
	struct sched_api *api;
	struct xb_rest_call *call;
	sched_api_done *done;
	void *arg;
	bool evicts;            /* the pod is to be deleted next */
	char *key, *uid;
};
struct sched_api {
	struct xb_rest *rest;
	void (*answered)(void *arg);
	void *arg;
	LIST_HEAD(, call) calls;
	unsigned under_way;
};

static struct call *call_free(struct call *o)
{
	if (!o)
		return NULL;
	free(o->key);
	free(o->uid);
	free(o);
	return NULL;
}
XB_DEFINE_CLEANUP(struct call *, call_free)

static void pod_path(const char *key, const char *sub, struct xb_buf *out)
{
	struct xb_sv name = xb_sv(key), namespace_;

	xb_sv_split(&name, '/', &namespace_);
	xb_buf_addf(out, "/api/v1/namespaces/%.*s/pods/%.*s%s", XB_SV_ARG(namespace_), XB_SV_ARG(name), sub);
}

static void on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status);

static int ask(struct call *o, const char *method, const char *sub, const char *type, const struct xb_buf *body)
{
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_rest_request q = { .method = method, .content_type = type, .body = xb_buf_sv(body) };

	pod_path(o->key, sub, &path);
	q.path = path.p;
	if (path.err || body->err)
		return -ENOMEM;
	return xb_rest_send(o->api->rest, &q, on_answer, o, &o->call);
}

static int delete(struct call *o)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "{\"preconditions\":{\"uid\":\"%s\"}}", o->uid);
	return ask(o, "DELETE", "", "application/json", &body);
}

static void on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct call *o = arg;
	struct sched_api *a = o->api;

	o->call = NULL;
	/* a status that could not be marked keeps nobody from making room */
	if (o->evicts && code != 404) {
		o->evicts = false;
		if (!delete(o))
			return;
	}
	LIST_REMOVE(o, link);
	a->under_way--;
	if (o->done)
		o->done(o->arg, o->key, o->uid, code, status);
	else if (code / 100 != 2 && code != 404)
		log_warning("pod %s: it cannot be written: %s", o->key, status->message ? status->message : "no answer");
	call_free(o);
	a->answered(a->arg);
}

static int begin(struct sched_api *a, const struct sched_pod *p, const struct call *like, struct call **ret)
{
	_cleanup_(call_freep) struct call *o = malloc(sizeof(*o));

	if (!o)
		return -ENOMEM;
	*o = *like;
	o->api = a;
	o->key = strdup(p->key);
	o->uid = xb_sv_dup(p->uid);
	if (!o->key || !o->uid)
		return -ENOMEM;
	*ret = TAKE_PTR(o);
	return 0;
}

static int start(struct call *o, int r)
{
	if (r) {
		call_free(o);
		return r;
	}
	LIST_INSERT_HEAD(&o->api->calls, o, link);
	o->api->under_way++;
	return 0;
}

int sched_api_bind(struct sched_api *a, const struct sched_pod *p, const char *node, sched_api_done *done, void *arg)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);
	struct call *o = NULL;
	int r = begin(a, p, &(struct call){ .done = done, .arg = arg }, &o);

	if (r)
		return r;
	xb_jw_object(&w);
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_kstr(&w, "kind", "Binding");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "name", p->name);
	xb_jw_ksv(&w, "namespace", p->namespace_);
	xb_jw_ksv(&w, "uid", p->uid);
	xb_jw_end(&w);
	xb_jw_key(&w, "target");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Node");
	xb_jw_kstr(&w, "name", node);
	xb_jw_end(&w);
	xb_jw_end(&w);
	r = xb_jw_finish(&w);
	return start(o, r ? r : ask(o, "POST", "/binding", "application/json", &body));
}

/* --- conditions --- */
static void write_condition(struct xb_jw *w, const struct sched_pod *p, const char *type, const char *status, const char *reason,
			    struct xb_sv message)
{
	struct xb_jv old = sched_pod_condition(xb_json_root(p->doc), type);
	bool same = xb_sv_is(sched_text(old, "status"), status);

	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	xb_jw_object(w);
	xb_jw_kstr(w, "type", type);
	xb_jw_kstr(w, "status", status);
	xb_jw_key(w, "lastProbeTime");
	xb_jw_null(w);
	if (!same)
		xb_jw_kstr(w, "lastTransitionTime", xb_time_format(xb_time_now()).s);
	xb_jw_kstr(w, "reason", reason);
	xb_jw_ksv(w, "message", message);
	xb_jw_end(w);
	xb_jw_end(w);
}

static struct xb_jv nominated_in(const struct sched_pod *p)
{
	return xb_jv_path(xb_json_root(p->doc), "status", "nominatedNodeName");
}

static bool says(const struct sched_pod *p, const char *reason, struct xb_sv message, const char *nominated)
{
	struct xb_jv now = sched_pod_condition(xb_json_root(p->doc), "PodScheduled");

	return xb_sv_is(sched_text(now, "status"), "False") && xb_sv_is(sched_text(now, "reason"), reason)
		&& xb_jv_streq(xb_jv_get(now, "message"), message) && xb_sv_eq(xb_jv_text(nominated_in(p)), xb_sv(nominated));
}

static void write_nominated(struct xb_jw *w, const char *node)
{
	xb_jw_key(w, "nominatedNodeName");
	if (node)
		xb_jw_str(w, node);
	else
		xb_jw_null(w);
}

static int patch_status(struct sched_api *a, const struct sched_pod *p, const struct call *like, struct xb_jw *w)
{
	struct call *o = NULL;
	int r = begin(a, p, like, &o);

	if (r)
		return r;
	r = xb_jw_finish(w);
	return start(o, r ? r : ask(o, "PATCH", "/status", PATCH, w->out));
}

static void open_status(struct xb_jw *w, const struct sched_pod *p)
{
	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "uid", p->uid);
	xb_jw_end(w);
	xb_jw_key(w, "status");
	xb_jw_object(w);
}

static void close_status(struct xb_jw *w)
{
	xb_jw_end(w);
	xb_jw_end(w);
}

int sched_api_unschedulable(struct sched_api *a, const struct sched_pod *p, const char *reason, struct xb_sv message,
			    const char *nominated)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	if (says(p, reason, message, nominated))
		return 0;
	open_status(&w, p);
	write_condition(&w, p, "PodScheduled", "False", reason, message);
	if (nominated || xb_jv_is(nominated_in(p)))
		write_nominated(&w, nominated);
	close_status(&w);
	return patch_status(a, p, &(struct call){}, &w);
}

int sched_api_unnominate(struct sched_api *a, const struct sched_pod *p)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	open_status(&w, p);
	write_nominated(&w, NULL);
	close_status(&w);
	return patch_status(a, p, &(struct call){}, &w);
}

int sched_api_evict(struct sched_api *a, const struct sched_pod *p, const char *scheduler)
{
	_cleanup_buf_ struct xb_buf body = {}, message = {};
	struct xb_jw w = XB_JW(&body);

	xb_buf_addf(&message, "%s: preempting to accommodate a higher priority pod", scheduler);
	if (message.err)
		return message.err;
	open_status(&w, p);
	write_condition(&w, p, "DisruptionTarget", "True", "PreemptionByScheduler", xb_buf_sv(&message));
	close_status(&w);
	return patch_status(a, p, &(struct call){ .evicts = true }, &w);
}

/* --- its life --- */
unsigned sched_api_under_way(const struct sched_api *a)
{
	return a->under_way;
}

struct sched_api *sched_api_new(struct xb_rest *rest, void (*answered)(void *arg), void *arg)
{
	struct sched_api *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	*a = (struct sched_api){ .rest = rest, .answered = answered, .arg = arg };
	LIST_INIT(&a->calls);
	return a;
}

struct sched_api *sched_api_free(struct sched_api *a)
{
	struct call *o;

	if (!a)
		return NULL;
	while ((o = LIST_FIRST(&a->calls))) {
		LIST_REMOVE(o, link);
		xb_rest_cancel(o->call);
		call_free(o);
	}
	free(a);
	return NULL;
}
