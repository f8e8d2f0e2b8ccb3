/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nodes whose kubelet is silent become Unknown, nodes that are not ready are tainted, and the pods on them are not ready (upstream's
 * pkg/controller/nodelifecycle). A sign of life is a change of a Node's heartbeat or of its Lease; it counts from when it was seen here,
 * so nodes' clocks do not matter. Of a Lease, two numbers are remembered: with 5,000 nodes, 500 are renewed each second.
 */
#include "node_state.h"
#include "node_zones.h"
#include "../loops.h"
#include "../pods.h"
#include "../work.h"
#include "xb/log.h"
#include "xb/map.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define COMPONENT "node-controller"
#define NAMESPACE "kube-node-lease"
#define LEASES    "/apis/coordination.k8s.io/v1/namespaces/" NAMESPACE "/leases"
#define TURN_MS   100           /* all that fail together are known before the first is emptied */
#define WORKERS   8

struct node {                   /* what is remembered of a Node */
	struct zone_member member;
	struct zone *zone;
	int64_t seen_ms;        /* its last sign of life, by our clock */
	int64_t renewed_us;     /* what its Lease said then */
	enum node_ready ready;
	bool excluded;          /* does not count for its zone */
	bool its_turn;          /* may have its taint NoExecute */
	bool unmarked;          /* pods on it may still say that they are ready */
	char name[];
};
struct lifecycle {
	struct kcm *kcm;
	const struct xb_kind *node_kind, *pod_kind, *lease_kind;
	struct xb_informer *copy, *leases;
	struct xb_index *pods;
	bool blind;             /* Leases are not seen: nobody's silence means anything */
	struct xb_map *nodes;
	struct zones *zones;
	struct kcm_queue *queue, *rounds; /* of nodes; "monitor" and "turn" */
};

static struct xb_event event_on(const struct lifecycle *l, struct xb_jv node, const char *reason)
{
	return (struct xb_event){ .component = COMPONENT, .kind = l->node_kind, .object = node, .type = XB_EVENT_NORMAL, .reason = reason };
}

static void tell_membership(const struct lifecycle *l, struct xb_jv node, const char *reason, const char *verb, const char *where)
{
	struct xb_event e = event_on(l, node, reason);
	struct xb_sv name = xb_jv_meta(node, "name");

	xb_recorder_event(l->kcm->recorder, &e, "Node %.*s event: %s Node %.*s %s Controller", XB_SV_ARG(name), verb, XB_SV_ARG(name), where);
}

/* --- signs of life --- */
static int64_t grace_ms(const struct lifecycle *l, const struct node *n)
{
	const struct kcm_options *o = l->kcm->options;

	return n->ready == NODE_READY_NONE ? o->node_startup_grace_ms : o->node_monitor_grace_ms;
}

static bool is_silent(const struct lifecycle *l, const struct node *n, int64_t now)
{
	return !l->blind && now - n->seen_ms > grace_ms(l, n);
}

static bool saw_lease(struct node *n, struct xb_jv lease)
{
	int64_t us = pods_time(xb_jv_path(lease, "spec", "renewTime"));

	if (us <= n->renewed_us)
		return false;
	n->renewed_us = us;
	n->seen_ms = xb_time_ms();
	return true;
}

static void on_lease(void *arg, struct xb_jv old, struct xb_jv lease)
{
	const struct lifecycle *l = arg;
	struct node *n = xb_jv_streq(xb_jv_path(lease, "metadata", "namespace"), XB_SV(NAMESPACE)) ? xb_map_get(l->nodes, xb_jv_meta(lease, "name")) :
												     NULL;

	if (n)
		saw_lease(n, lease);
}

static void all_are_seen(struct lifecycle *l)
{
	for (struct xb_map_it it = {}; xb_map_next(l->nodes, &it);)
		((struct node *)it.value)->seen_ms = xb_time_ms();
}

/* What was written while nothing was seen is not known, so everybody has the whole grace period again. */
static void look_whether_blind(struct lifecycle *l)
{
	bool blind = !xb_informer_well(l->leases);

	if (l->blind && !blind)
		all_are_seen(l);
	l->blind = blind;
}

/* --- zones --- */
static void add_key(const struct lifecycle *l, const struct node *n)
{
	xb_work_queue_add(kcm_queue_keys(l->queue), n->name);
}

static void no_turn(struct node *n)
{
	zone_leave(n->zone, &n->member);
	n->its_turn = false;
}

static void monitor(struct lifecycle *l)
{
	int64_t now = xb_time_ms();

	zones_count_begin(l->zones);
	for (struct xb_map_it it = {}; xb_map_next(l->nodes, &it);) {
		struct node *n = it.value;
		bool silent = is_silent(l, n, now);

		if (silent && n->ready != NODE_READY_UNKNOWN)
			add_key(l, n);
		if (!n->excluded)
			zones_count(n->zone, n->ready == NODE_READY_TRUE && !silent);
	}
	switch (zones_judge(l->zones, now)) {
	case ZONES_SAME:
		break;
	case ZONES_STOPPED:
		log_warning("no node is ready: none is emptied until one is");
		for (struct xb_map_it it = {}; xb_map_next(l->nodes, &it);) {
			struct node *n = it.value;

			if (n->its_turn)
				zone_wait(n->zone, &n->member);
			n->its_turn = false;
			add_key(l, n);
		}
		break;
	case ZONES_RESUMED:
		all_are_seen(l);
		for (struct xb_map_it it = {}; xb_map_next(l->nodes, &it);)
			add_key(l, it.value);
		break;
	}
}

static void give_turns(struct lifecycle *l)
{
	struct zone_member *m;
	int64_t ms;

	while ((m = zones_next(l->zones, xb_time_ms()))) {
		struct node *n = container_of(m, struct node, member);

		n->its_turn = true;
		add_key(l, n);
	}
	ms = zones_wait_ms(l->zones, xb_time_ms());
	if (ms >= 0)
		xb_work_queue_add_after(kcm_queue_keys(l->rounds), "turn", (uint64_t)MAX(ms, (int64_t)TURN_MS));
}

static void sync_round(struct kcm_work *w)
{
	struct lifecycle *l = w->loop;

	if (!strcmp(w->key, "monitor")) {
		look_whether_blind(l);
		if (!l->blind)
			monitor(l);
		xb_work_queue_add_after(kcm_queue_keys(l->rounds), w->key, (uint64_t)l->kcm->options->node_monitor_ms);
	}
	give_turns(l);
	kcm_work_done(w, 0);
}

/* --- a node's work --- */
static void on_written(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void patch(struct kcm_work *w, const char *sub, const struct xb_buf *body, void (*then)(struct kcm_work *w, int error))
{
	const struct lifecycle *l = w->loop;
	struct kcm_request q = {
		.method = "PATCH", .kind = l->node_kind, .name = w->name, .sub = sub, .type = KCM_STRATEGIC, .body = xb_buf_sv(body),
	};

	if (body->err) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	kcm_work_round(w, then);
	kcm_work_ask(w, &q, NULL, NULL);
	kcm_work_go(w);
}

/* w->state: the node as it was. */
static void on_status_written(struct kcm_work *w, int error)
{
	const struct lifecycle *l = w->loop;
	struct xb_jv node = *(struct xb_jv *)w->state;
	struct xb_event e = event_on(l, node, "NodeNotReady");

	if (!error && node_ready(node) == NODE_READY_TRUE)
		xb_recorder_event(l->kcm->recorder, &e, "Node %s status is now: NodeNotReady", w->name);
	on_written(w, error);
}

static int on_lease_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct kcm_work *w = arg;
	const struct lifecycle *l = w->loop;
	struct node *n = xb_map_get(l->nodes, xb_sv(w->name));
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (!r && n)
		saw_lease(n, xb_jv_at(xb_jv_get(xb_json_root(doc), "items"), 0));
	return r;
}

static void after_lease_read(struct kcm_work *w, int error)
{
	const struct lifecycle *l = w->loop;
	const struct node *n = xb_map_get(l->nodes, xb_sv(w->name));
	_cleanup_buf_ struct xb_buf body = {};

	if (error || !n || !is_silent(l, n, xb_time_ms())) {
		kcm_work_done(w, error);
		return;
	}
	node_silence_patch(*(struct xb_jv *)w->state, xb_time_now(), &body);
	patch(w, "status", &body, on_status_written);
}

/* The watch of Leases may be behind: its Lease is read before it is given up. As that is what the process may do, it is a list. */
static void give_up(struct kcm_work *w, struct xb_jv node)
{
	struct xb_jv *was = w->state = xb_arena_alloc(w->arena, sizeof(*was));
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "%s?fieldSelector=metadata.name%%3D%s", LEASES, w->name);
	if (!was || path.err || kcm_work_hold(w, node)) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	*was = node;
	kcm_work_round_of_lists(w, after_lease_read);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .path = path.p }, on_lease_read, w);
	kcm_work_go(w);
}

/* --- the pods of a node that is not ready --- */
struct told {
	struct kcm_work *w;
	struct xb_jv pod;
};

static int on_pod_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct told *t = arg;
	const struct lifecycle *l = t->w->loop;
	struct xb_event e = {
		.component = COMPONENT, .kind = l->pod_kind, .object = t->pod, .type = XB_EVENT_WARNING, .reason = "NodeNotReady",
	};
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	if (!r && code != 404)
		xb_recorder_event(l->kcm->recorder, &e, "Node is not ready");
	return r;
}

/* Within a round. */
static int mark_pod(struct kcm_work *w, struct xb_jv pod)
{
	const struct lifecycle *l = w->loop;
	struct told *t = xb_arena_alloc(w->arena, sizeof(*t));
	_cleanup_buf_ struct xb_buf body = {};
	const char *namespace_ = xb_arena_strn(w->arena, xb_jv_meta(pod, "namespace")), *name = xb_arena_strn(w->arena, xb_jv_meta(pod, "name"));
	struct kcm_request q = {
		.method = "PATCH", .kind = l->pod_kind, .namespace_ = namespace_, .name = name, .sub = "status", .type = KCM_STRATEGIC,
	};

	xb_buf_addf(&body, "{\"metadata\":{\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"},\"status\":{\"conditions\":"
		    "[{\"type\":\"Ready\",\"status\":\"False\",\"lastTransitionTime\":\"%s\"}]}}",
		    XB_SV_ARG(xb_jv_meta(pod, "uid")), XB_SV_ARG(xb_jv_meta(pod, "resourceVersion")), xb_time_format(xb_time_now()).s);
	q.body = xb_buf_sv(&body);
	if (!t || !namespace_ || !name || body.err || kcm_work_hold(w, pod))
		return -ENOMEM;
	*t = (struct told){ w, pod };
	return kcm_work_ask(w, &q, on_pod_written, t);
}

static void on_marked(struct kcm_work *w, int error)
{
	struct lifecycle *l = w->loop;
	struct node *n = xb_map_get(l->nodes, xb_sv(w->name));

	if (error && n)
		n->unmarked = true;
	kcm_work_done(w, error);
}

static void mark_pods(struct kcm_work *w, struct node *n)
{
	struct lifecycle *l = w->loop;
	int r = 0;

	n->unmarked = false;
	kcm_work_round(w, on_marked);
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods, xb_sv(w->name), &it);)
		if (pods_ready(it.object, NULL))
			r = mark_pod(w, it.object);
	if (r)
		on_marked(w, r);
	else
		kcm_work_go(w);
}

static enum node_execute execute(const struct lifecycle *l, const struct node *n)
{
	if (zones_stopped(l->zones))
		return NODE_EXECUTE_NEVER;
	return n->its_turn ? NODE_EXECUTE_NOW : NODE_EXECUTE_LATER;
}

/* One thing at a time; what it changes brings the next. */
static void sync_node(struct kcm_work *w)
{
	struct lifecycle *l = w->loop;
	struct node *n = xb_map_get(l->nodes, xb_sv(w->name));
	struct xb_jv node = xb_informer_get(l->copy, NULL, w->name);
	_cleanup_buf_ struct xb_buf body = {};

	if (!n || !xb_jv_is(node)) {
		kcm_work_done(w, 0);
		return;
	}
	if (is_silent(l, n, xb_time_ms()) && n->ready != NODE_READY_UNKNOWN) {
		give_up(w, node);
		return;
	}
	node_spec_patch(node, execute(l, n), xb_time_now(), &body);
	if (body.n || body.err)
		patch(w, NULL, &body, on_written);
	else if (n->unmarked)
		mark_pods(w, n);
	else
		kcm_work_done(w, 0);
}

/* --- what comes in --- */
static void forget(struct lifecycle *l, struct xb_jv node)
{
	struct node *n = xb_map_del(l->nodes, xb_jv_meta(node, "name"));

	if (!n)
		return;
	tell_membership(l, node, "RemovingNode", "Removing", "from");
	zone_leave(n->zone, &n->member);
	free(n);
}

/* One that never told anything has been silent since it was made. */
static int64_t first_seen_ms(struct xb_jv node)
{
	int64_t age_us = xb_time_now() - pods_time(xb_jv_path(node, "metadata", "creationTimestamp"));

	return xb_time_ms() - (node_ready(node) == NODE_READY_NONE ? MAX(age_us / 1000, (int64_t)0) : 0);
}

static struct node *node_new(struct lifecycle *l, struct xb_jv node)
{
	struct xb_sv name = xb_jv_meta(node, "name");
	struct node *n = calloc(1, sizeof(*n) + name.n + 1);

	if (!n)
		return NULL;
	memcpy(n->name, name.p, name.n);
	n->seen_ms = first_seen_ms(node);
	if (!xb_map_set(l->nodes, (struct xb_sv){ n->name, name.n }, n, NULL))
		return n;
	free(n);
	return NULL;
}

static int place(struct lifecycle *l, struct node *n, struct xb_jv node)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct zone *zone;

	node_state_zone(node, &key);
	zone = key.err ? NULL : zones_obtain(l->zones, xb_buf_sv(&key));
	if (!zone)
		return -ENOMEM;
	if (n->zone && n->zone != zone)
		zone_leave(n->zone, &n->member);
	n->zone = zone;
	n->excluded = xb_jv_is(xb_jv_path(node, "metadata", "labels", "node.kubernetes.io/exclude-disruption"));
	return 0;
}

static struct xb_sv heartbeat(struct xb_jv node)
{
	return xb_jv_bytes(xb_jv_get(node_condition(node, "Ready"), "lastHeartbeatTime"));
}

static void changed(struct lifecycle *l, struct node *n, struct xb_jv old, struct xb_jv node)
{
	enum node_ready was = n->ready;

	n->ready = node_ready(node);
	if (xb_jv_is(old) && !xb_sv_eq(heartbeat(old), heartbeat(node)))
		n->seen_ms = xb_time_ms();
	if (n->ready != NODE_READY_UNKNOWN)
		n->unmarked = false;
	else if (was != NODE_READY_UNKNOWN)
		n->unmarked = true;
	if (!node_awaits_execute(node)) {
		no_turn(n);
	} else if (!n->its_turn) {
		zone_wait(n->zone, &n->member);
		xb_work_queue_add_after(kcm_queue_keys(l->rounds), "turn", TURN_MS);
	}
	add_key(l, n);
}

static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct lifecycle *l = arg;
	struct node *n;

	if (xb_jv_is(old) && !xb_sv_eq(xb_jv_meta(old, "uid"), xb_jv_meta(node, "uid"))) {
		forget(l, old);
		old = (struct xb_jv){};
	}
	if (!xb_jv_is(node))
		return;
	n = xb_map_get(l->nodes, xb_jv_meta(node, "name"));
	if (!n) {
		n = node_new(l, node);
		tell_membership(l, node, "RegisteredNode", "Registered", "in");
	}
	if (n && !place(l, n, node))
		changed(l, n, old, node);
}

/* --- the loop --- */
void node_lifecycle_stop(void *loop)
{
	struct lifecycle *l = loop;

	kcm_queue_free(l->queue);
	kcm_queue_free(l->rounds);
	if (l->nodes)
		for (struct xb_map_it it = {}; xb_map_next(l->nodes, &it);)
			free(it.value);
	xb_map_free(l->nodes);
	zones_free(l->zones);
	free(l);
}

static int start(struct lifecycle *l)
{
	const struct kcm_options *o = l->kcm->options;
	struct zone_rules rules = {
		.rate = o->node_eviction_rate, .secondary_rate = o->secondary_node_eviction_rate,
		.unhealthy_threshold = o->unhealthy_zone_threshold, .large_cluster = o->large_cluster_size_threshold,
	};
	struct kcm_queue_config queue = { .name = "node_lifecycle_controller", .workers = WORKERS, .sync = sync_node, .loop = l };
	struct kcm_queue_config rounds = { .name = "node_lifecycle_controller_rounds", .workers = 1, .sync = sync_round, .loop = l };
	int r;

	l->zones = zones_new(&rules);
	l->nodes = xb_map_new(XB_MAP_BORROW);
	l->copy = xb_cache_of(l->kcm->cache, l->node_kind);
	l->pods = kcm_index(l->kcm, l->pod_kind, kcm_by_node);
	l->leases = xb_cache_of(l->kcm->cache, l->lease_kind);
	r = l->zones && l->nodes && l->copy && l->leases && l->pods ? 0 : -ENOMEM;
	if (!r)
		r = kcm_queue_new(l->kcm, &queue, &l->queue);
	if (!r)
		r = kcm_queue_new(l->kcm, &rounds, &l->rounds);
	if (!r)
		r = xb_cache_follow(l->kcm->cache, l->node_kind, on_node, l);
	if (!r)
		r = xb_cache_follow(l->kcm->cache, l->lease_kind, on_lease, l);
	if (!r)
		xb_work_queue_add(kcm_queue_keys(l->rounds), "monitor");
	return r;
}

int node_lifecycle_start(struct kcm *k, void **ret)
{
	struct lifecycle *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct lifecycle){
		.kcm = k, .node_kind = kcm_kind("", "v1", "nodes"), .pod_kind = kcm_kind("", "v1", "pods"),
		.lease_kind = kcm_kind("coordination.k8s.io", "v1", "leases"), .blind = true,
	};
	r = start(l);
	if (r) {
		node_lifecycle_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
