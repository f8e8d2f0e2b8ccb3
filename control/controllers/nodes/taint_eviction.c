/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Deletes pods from nodes with taints NoExecute that they do not tolerate, or not for so long (upstream's pkg/controller/tainteviction).
 * Their time runs from when this process saw the taint, as upstream's: a node that came back while nobody looked is not emptied
 * before its taint could be taken off.
 */
#include "taint_seconds.h"
#include "../loops.h"
#include "../pods.h"
#include "../work.h"
#include "xb/map.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define WORKERS     8
#define SECONDS_MAX INT64_C(1000000000) /* nobody waits that long; some ask for more than there are milliseconds */
#define REASON      "DeletionByTaintManager"

struct wait {                   /* of a pod that is to go when its time is over */
	int64_t since_ms;
	char key[];
};
struct eviction {
	struct kcm *kcm;
	const struct xb_kind *pod_kind, *node_kind;
	struct xb_informer *pods, *nodes;
	struct xb_index *by_node;
	struct xb_map *waits;
	struct kcm_queue *queue;
};

static struct xb_jv taints_of(struct xb_jv node)
{
	return xb_jv_path(node, "spec", "taints");
}

static int64_t seconds_left(struct xb_jv node, struct xb_jv pod)
{
	return taint_seconds(taints_of(node), xb_jv_path(pod, "spec", "tolerations"));
}

static struct xb_jv node_of(const struct eviction *l, struct xb_jv pod)
{
	_cleanup_buf_ struct xb_buf name = {};

	xb_buf_addsv(&name, xb_jv_text(xb_jv_path(pod, "spec", "nodeName")));
	return name.n ? xb_informer_get(l->nodes, NULL, name.p) : (struct xb_jv){};
}

static void tell(const struct eviction *l, struct xb_jv pod, const char *what, const char *key)
{
	struct xb_event e = {
		.component = "taint-eviction-controller", .kind = l->pod_kind, .object = pod, .type = XB_EVENT_NORMAL,
		.reason = "TaintManagerEviction",
	};

	xb_recorder_event(l->kcm->recorder, &e, "%s Pod %s", what, key);
}

/* --- who waits --- */
static struct wait *wait_since_now(struct eviction *l, const char *key)
{
	struct wait *wait = xb_map_get(l->waits, xb_sv(key));
	size_t n = strlen(key) + 1;

	if (wait)
		return wait;
	wait = malloc(sizeof(*wait) + n);
	if (!wait)
		return NULL;
	wait->since_ms = xb_time_ms();
	memcpy(wait->key, key, n);
	if (!xb_map_set(l->waits, xb_sv(wait->key), wait, NULL))
		return wait;
	free(wait);
	return NULL;
}

static int64_t left_ms(const struct wait *wait, int64_t seconds)
{
	return wait->since_ms + MIN(seconds, SECONDS_MAX) * 1000 - xb_time_ms();
}

static bool forget(struct eviction *l, const char *key)
{
	struct wait *wait = xb_map_del(l->waits, xb_sv(key));
	bool waited = wait;

	free(wait);
	return waited;
}

/* --- a pod goes --- */
static int ask(struct kcm_work *w, const char *method, const char *sub, const char *type, const struct xb_buf *body,
	       int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status))
{
	const struct eviction *l = w->loop;
	struct kcm_request q = {
		.method = method, .kind = l->pod_kind, .name = w->name, .sub = sub, .type = type, .body = xb_buf_sv(body),
	};

	return body->err ? body->err : kcm_work_ask(w, &q, answered, w);
}

/* Gone already, perhaps with another one in its place. */
static bool is_gone(int code)
{
	return code == 404 || code == 409 || code == 422;
}

static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return is_gone(code) ? 0 : xb_calls_error(code, status);
}

static struct xb_jv pod_of(const struct kcm_work *w)
{
	return *(struct xb_jv *)w->state;
}

static struct xb_sv uid_of(const struct kcm_work *w)
{
	return xb_jv_text(xb_jv_path(pod_of(w), "metadata", "uid"));
}

static int delete(struct kcm_work *w)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\"}}", XB_SV_ARG(uid_of(w)));
	return ask(w, "DELETE", NULL, KCM_JSON, &body, on_deleted);
}

static int on_condition(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	int r = is_gone(code) ? 0 : xb_calls_error(code, status);

	return r || is_gone(code) ? r : delete(arg);
}

static bool has_condition(struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("DisruptionTarget")))
			return xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("True")) &&
			       xb_jv_streq(xb_jv_get(it.value, "reason"), XB_SV(REASON));
	return false;
}

static int begin_end(struct kcm_work *w)
{
	_cleanup_buf_ struct xb_buf body = {};

	if (has_condition(pod_of(w)))
		return delete(w);
	xb_buf_addf(&body, "{\"metadata\":{\"uid\":\"%.*s\"},\"status\":{\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\","
		    "\"reason\":\"" REASON "\",\"message\":\"Taint manager: deleting due to NoExecute taint\",\"lastTransitionTime\":\"%s\"}]}}",
		    XB_SV_ARG(uid_of(w)), xb_time_format(xb_time_now()).s);
	return ask(w, "PATCH", "status", KCM_STRATEGIC, &body, on_condition);
}

/* The copy may be behind: a pod is not deleted for a taint that went, or that it tolerates longer. */
static int on_node_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct kcm_work *w = arg;
	const struct eviction *l = w->loop;
	const struct wait *wait = xb_map_get(l->waits, xb_sv(w->key));
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = code == 404 ? 0 : xb_calls_error(code, status);
	int64_t seconds;

	if (!r && code != 404)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r || !doc || !wait)
		return r;
	seconds = seconds_left(xb_json_root(doc), pod_of(w));
	if (seconds == TAINT_FOR_EVER || left_ms(wait, seconds) > 0)
		return 0;
	tell(w->loop, pod_of(w), "Marking for deletion", w->key);
	return begin_end(w);
}

static void evict(struct kcm_work *w, struct xb_jv pod)
{
	const struct eviction *l = w->loop;
	struct xb_jv *held = w->state = xb_arena_alloc(w->arena, sizeof(*held));
	const char *node = xb_arena_strn(w->arena, xb_jv_text(xb_jv_path(pod, "spec", "nodeName")));

	if (!held || !node || kcm_work_hold(w, pod)) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	*held = pod;
	kcm_work_round(w, kcm_work_done);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = l->node_kind, .name = node }, on_node_read, w);
	kcm_work_go(w);
}

static void sync_pod(struct kcm_work *w)
{
	struct eviction *l = w->loop;
	struct xb_jv pod = xb_informer_get(l->pods, w->namespace_, w->name);
	int64_t seconds = seconds_left(node_of(l, pod), pod), left;
	const struct wait *wait;

	if (!xb_jv_is(pod) || pods_deleting(pod)) {
		forget(l, w->key);
		kcm_work_done(w, 0);
		return;
	}
	if (seconds == TAINT_FOR_EVER) {
		if (forget(l, w->key))
			tell(l, pod, "Cancelling deletion of", w->key);
		kcm_work_done(w, 0);
		return;
	}
	wait = wait_since_now(l, w->key);
	left = wait ? left_ms(wait, seconds) : 0;
	if (wait && left <= 0) {
		evict(w, pod);
		return;
	}
	if (wait)
		kcm_queue_add_after(l->queue, pod, left);
	kcm_work_done(w, wait ? 0 : -ENOMEM);
}

/* --- what comes in --- */
static bool has_execute(struct xb_jv node)
{
	for (struct xb_jit it = xb_jv_iter(taints_of(node)); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "effect"), XB_SV("NoExecute")))
			return true;
	return false;
}

static bool differs(struct xb_jv a, struct xb_jv b, const char *field)
{
	return !xb_sv_eq(xb_jv_bytes(xb_jv_path(a, "spec", field)), xb_jv_bytes(xb_jv_path(b, "spec", field)));
}

static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct eviction *l = arg;
	_cleanup_buf_ struct xb_buf key = {};

	if (!xb_jv_is(pod) && xb_map_count(l->waits) && kcm_key(old, &key))
		forget(l, key.p);
	if (!xb_jv_is(pod) || !(differs(old, pod, "nodeName") || differs(old, pod, "tolerations")))
		return;
	if (has_execute(node_of(l, pod)))
		kcm_queue_add(l->queue, pod);
}

/* A node that is gone leaves its pods to the garbage collector. */
static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct eviction *l = arg;

	if (!xb_jv_is(node) || !differs(old, node, "taints") || !(has_execute(old) || has_execute(node)))
		return;
	for (struct xb_index_it it = {}; xb_index_next(l->by_node, xb_jv_text(xb_jv_path(node, "metadata", "name")), &it);)
		kcm_queue_add(l->queue, it.object);
}

/* --- the loop --- */
void taint_eviction_stop(void *loop)
{
	struct eviction *l = loop;

	kcm_queue_free(l->queue);
	if (l->waits)
		for (struct xb_map_it it = {}; xb_map_next(l->waits, &it);)
			free(it.value);
	xb_map_free(l->waits);
	free(l);
}

int taint_eviction_start(struct kcm *k, void **ret)
{
	struct eviction *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "noexec_taint_pod", .workers = WORKERS, .sync = sync_pod, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct eviction){ .kcm = k, .pod_kind = kcm_kind("", "v1", "pods"), .node_kind = kcm_kind("", "v1", "nodes") };
	l->waits = xb_map_new(XB_MAP_BORROW);
	l->pods = xb_cache_of(k->cache, l->pod_kind);
	l->nodes = xb_cache_of(k->cache, l->node_kind);
	l->by_node = kcm_index(k, l->pod_kind, kcm_by_node);
	r = l->waits && l->pods && l->nodes && l->by_node ? kcm_queue_new(k, &queue, &l->queue) : -ENOMEM;
	if (!r)
		r = xb_cache_follow(k->cache, l->node_kind, on_node, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	if (r) {
		taint_eviction_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
