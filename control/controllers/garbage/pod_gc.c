/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Deletes pods that nobody else will (upstream's pkg/controller/podgc): those bound to a node that is gone, those that hang on a node
 * that was declared out of service, those that are being deleted and never had a node, and the oldest of those that are over when
 * there are too many. Nothing is polled: the keys are the nodes, and "over" and "unscheduled" for the rest.
 */
#include "../loops.h"
#include "../pods.h"
#include "../work.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define PERIOD_MS     20000     /* what is not urgent is looked at so long after it began */
#define QUARANTINE_MS 40000     /* a node that is not known may only be new, or come again */
#define BURST         500       /* pods deleted in one sync */
#define AGAIN_MS      1000

struct pod_gc {
	struct kcm *kcm;
	const struct xb_kind *pod_kind, *node_kind;
	struct xb_informer *nodes;
	struct xb_index *pods;          /* by "node/<name>", "unscheduled", "over" */
	struct kcm_queue *queue;
};
struct victim {
	struct kcm_work *w;
	const char *namespace_, *name, *uid;
};

static bool is_over(struct xb_jv pod)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));

	return xb_sv_is(phase, "Succeeded") || xb_sv_is(phase, "Failed");
}

static struct xb_sv node_name(struct xb_jv pod)
{
	return xb_jv_text(xb_jv_path(pod, "spec", "nodeName"));
}

static const char *node_key(struct xb_sv name, struct xb_buf *out)
{
	xb_buf_clear(out);
	xb_buf_addf(out, "node/%.*s", XB_SV_ARG(name));
	return out->err ? NULL : out->p;
}

static void by_place(struct xb_jv pod, struct xb_index_entry *e)
{
	_cleanup_buf_ struct xb_buf key = {};

	if (is_over(pod))
		xb_index_add(e, XB_SV("over"));
	if (node_name(pod).n && node_key(node_name(pod), &key))
		xb_index_add(e, xb_buf_sv(&key));
	else if (pods_deleting(pod))
		xb_index_add(e, XB_SV("unscheduled"));
}

static bool is_out_of_service(struct xb_jv node)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "spec", "taints")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "key"), XB_SV("node.kubernetes.io/out-of-service")))
			return !pods_ready(node, NULL);
	return false;
}

/* --- one pod: it is told to have failed, since nobody is there to tell how it ended; then it goes at once --- */
static int ask(struct victim *v, const char *method, const char *sub, const char *type, struct xb_buf *body,
	       int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status))
{
	const struct pod_gc *l = v->w->loop;
	struct kcm_request q = {
		.method = method, .kind = l->pod_kind, .namespace_ = v->namespace_, .name = v->name, .sub = sub, .type = type,
		.body = xb_buf_sv(body),
	};

	return body->err ? -ENOMEM : kcm_work_ask(v->w, &q, answered, v);
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

static int delete(struct victim *v)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"%s\"}}", v->uid);
	return ask(v, "DELETE", NULL, KCM_JSON, &body, on_deleted);
}

static int on_failed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	if (is_gone(code))
		return 0;
	return xb_calls_error(code, status) ? xb_calls_error(code, status) : delete(arg);
}

static int fail_first(struct victim *v, bool disrupted)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "uid", v->uid);
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "phase", "Failed");
	if (disrupted) {
		xb_jw_key(&w, "conditions");
		xb_jw_array(&w);
		xb_jw_object(&w);
		xb_jw_kstr(&w, "type", "DisruptionTarget");
		xb_jw_kstr(&w, "status", "True");
		xb_jw_kstr(&w, "lastTransitionTime", xb_time_format(xb_time_now()).s);
		xb_jw_kstr(&w, "reason", "DeletionByPodGC");
		xb_jw_kstr(&w, "message", "PodGC: node no longer exists");
		xb_jw_end(&w);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
	return xb_jw_finish(&w) ? -ENOMEM : ask(v, "PATCH", "status", KCM_STRATEGIC, &body, on_failed);
}

/* Within a round. */
static int end_pod(struct kcm_work *w, struct xb_jv pod, bool disrupted)
{
	struct victim *v = xb_arena_alloc(w->arena, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*v = (struct victim){
		.w = w,
		.namespace_ = xb_arena_strn(w->arena, xb_jv_meta(pod, "namespace")),
		.name = xb_arena_strn(w->arena, xb_jv_meta(pod, "name")),
		.uid = xb_arena_strn(w->arena, xb_jv_meta(pod, "uid")),
	};
	if (!v->namespace_ || !v->name || !v->uid)
		return -ENOMEM;
	return is_over(pod) ? delete(v) : fail_first(v, disrupted);
}

/* The pods of an index's key: all, or those that are being deleted. More than a burst come again. */
static void end_pods(struct kcm_work *w, struct xb_sv key, bool only_deleting, bool disrupted)
{
	struct pod_gc *l = w->loop;
	unsigned n = 0;
	int r = 0;

	kcm_work_round(w, kcm_work_done);
	for (struct xb_index_it it = {}; !r && n < BURST && xb_index_next(l->pods, key, &it);) {
		if (only_deleting && !pods_deleting(it.object))
			continue;
		r = end_pod(w, it.object, disrupted);
		n++;
	}
	if (n == BURST)
		xb_work_queue_add_after(kcm_queue_keys(l->queue), w->key, AGAIN_MS);
	if (r)
		kcm_work_done(w, r);
	else
		kcm_work_go(w);
}

/* --- a node --- */
static int on_node_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct kcm_work *w = arg;

	w->state = code == 404 ? w : NULL;
	return code == 404 ? 0 : xb_calls_error(code, status);
}

static void after_node_read(struct kcm_work *w, int error)
{
	if (error || !w->state)
		kcm_work_done(w, error);
	else
		end_pods(w, xb_sv(w->key), false, true);
}

static void sync_node(struct kcm_work *w)
{
	struct pod_gc *l = w->loop;
	struct xb_jv node = xb_informer_get(l->nodes, NULL, w->name);

	if (is_out_of_service(node)) {
		end_pods(w, xb_sv(w->key), true, false);
		return;
	}
	if (xb_jv_is(node) || !xb_index_count(l->pods, xb_sv(w->key))) {
		kcm_work_done(w, 0);
		return;
	}
	kcm_work_round(w, after_node_read);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = l->node_kind, .name = w->name }, on_node_read, w);
	kcm_work_go(w);
}

/* --- pods that are over --- */
struct over {
	struct xb_jv pod;
	int64_t made;
	bool evicted;
};

static int by_worth(const void *a, const void *b)
{
	const struct over *x = a, *y = b;

	if (x->evicted != y->evicted)
		return x->evicted ? -1 : 1;
	if (x->made != y->made)
		return x->made < y->made ? -1 : 1;
	return xb_sv_cmp(xb_jv_meta(x->pod, "name"), xb_jv_meta(y->pod, "name"));
}

static void sync_over(struct kcm_work *w)
{
	struct pod_gc *l = w->loop;
	size_t all = xb_index_count(l->pods, XB_SV("over")), n = 0, left = (size_t)l->kcm->options->terminated_pod_gc_threshold;
	_cleanup_free_ struct over *pods = all > left ? calloc(all, sizeof(*pods)) : NULL;
	int r = 0;

	if (!pods) {
		kcm_work_done(w, all > left ? -ENOMEM : 0);
		return;
	}
	for (struct xb_index_it it = {}; xb_index_next(l->pods, XB_SV("over"), &it);) {
		bool failed = xb_jv_streq(xb_jv_path(it.object, "status", "phase"), XB_SV("Failed"));

		pods[n++] = (struct over){
			.pod = it.object,
			.made = pods_time(xb_jv_path(it.object, "metadata", "creationTimestamp")),
			.evicted = failed && xb_jv_streq(xb_jv_path(it.object, "status", "reason"), XB_SV("Evicted")),
		};
	}
	qsort(pods, n, sizeof(*pods), by_worth);
	kcm_work_round(w, kcm_work_done);
	for (size_t i = 0; !r && i < MIN(n - left, (size_t)BURST); i++)
		r = end_pod(w, pods[i].pod, false);
	if (n - left > BURST)
		xb_work_queue_add_after(kcm_queue_keys(l->queue), w->key, AGAIN_MS);
	if (r)
		kcm_work_done(w, r);
	else
		kcm_work_go(w);
}

static void sync_key(struct kcm_work *w)
{
	if (!strcmp(w->namespace_, "node"))
		sync_node(w);
	else if (!strcmp(w->key, "over"))
		sync_over(w);
	else
		end_pods(w, xb_sv(w->key), true, false);
}

/* --- what comes in --- */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct pod_gc *l = arg;
	struct xb_work_queue *keys = kcm_queue_keys(l->queue);
	int threshold = l->kcm->options->terminated_pod_gc_threshold;
	_cleanup_buf_ struct xb_buf key = {}, name = {};
	struct xb_jv node;

	if (!xb_jv_is(pod))
		return;
	if (threshold > 0 && is_over(pod) && xb_index_count(l->pods, XB_SV("over")) > (size_t)threshold)
		xb_work_queue_add_after(keys, "over", PERIOD_MS);
	if (!node_name(pod).n && pods_deleting(pod))
		xb_work_queue_add_after(keys, "unscheduled", PERIOD_MS);
	xb_buf_addsv(&name, node_name(pod));
	if (!name.n || !node_key(node_name(pod), &key))
		return;
	node = xb_informer_get(l->nodes, NULL, name.p);
	if (!xb_jv_is(node))
		xb_work_queue_add_after(keys, key.p, QUARANTINE_MS);
	else if (pods_deleting(pod) && is_out_of_service(node))
		xb_work_queue_add(keys, key.p);
}

static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct pod_gc *l = arg;
	_cleanup_buf_ struct xb_buf key = {};

	if (!node_key(xb_jv_meta(xb_jv_is(node) ? node : old, "name"), &key))
		return;
	if (!xb_jv_is(node))
		xb_work_queue_add_after(kcm_queue_keys(l->queue), key.p, QUARANTINE_MS);
	else if (is_out_of_service(node) && !is_out_of_service(old))
		xb_work_queue_add(kcm_queue_keys(l->queue), key.p);
}

/* --- the loop --- */
void pod_gc_stop(void *loop)
{
	struct pod_gc *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int pod_gc_start(struct kcm *k, void **ret)
{
	struct pod_gc *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "orphaned_pods_nodes", .workers = 1, .sync = sync_key, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct pod_gc){ .kcm = k, .pod_kind = kcm_kind("", "v1", "pods"), .node_kind = kcm_kind("", "v1", "nodes") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->node_kind, on_node, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	l->nodes = xb_cache_of(k->cache, l->node_kind);
	l->pods = kcm_index(k, l->pod_kind, by_place);
	if (r || !l->nodes || !l->pods) {
		pod_gc_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
