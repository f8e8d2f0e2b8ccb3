/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "belongs.h"
#include "scheduler.h"
#include "xb/log.h"
#include "xb/time.h"

/* A change for which there is no memory is lost until its object changes again. */
static void check(int r, const char *what, struct xb_sv name)
{
	if (r)
		log_err_errno(r, "%s %.*s: %m", what, XB_SV_ARG(name));
}

const struct xb_kind *sched_kind(const char *group, const char *version, const char *plural)
{
	return xb_kind_by_resource(xb_sv(group), xb_sv(version), xb_sv(plural));
}

struct worth {
	struct scheduler *scheduler;
	const struct sched_change *change;
};

static bool is_worth(void *arg, const struct sched_pod *p)
{
	struct worth *w = arg;

	return sched_cycle_worth(w->scheduler->cache, p, w->change);
}

void sched_wake(struct scheduler *s, const struct sched_change *change)
{
	struct worth w = { s, change };

	if (!sched_queue_count(s->queue, SCHED_PARKED))
		return;
	check(sched_queue_wake_if(s->queue, is_worth, &w, xb_time_ms()), "parked pods", (struct xb_sv){});
	sched_work(s);
}

void sched_wake_for_room(struct scheduler *s, const struct sched_pod *p, uint32_t node)
{
	struct sched_change change = { .events = SCHED_POD_DELETED, .pod = p };

	if (s->cache->nodes.v[node].there)
		change.node = &s->cache->nodes.v[node];
	sched_wake(s, &change);
}

/* --- nodes and namespaces --- */
static struct xb_sv name_of(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "name"));
}

static void on_node(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct scheduler *s = arg;
	struct sched_change change = {};
	uint32_t node;
	int r;

	if (!xb_jv_is(object)) {
		sched_cache_del_node(s->cache, name_of(old));
		return;
	}
	r = sched_cache_set_node(s->cache, object, &change.events, &node);
	check(r, "node", name_of(object));
	if (r || !change.events)
		return;
	change.node = &s->cache->nodes.v[node];
	sched_wake(s, &change);
}

static void on_namespace(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct scheduler *s = arg;
	struct xb_sv name = name_of(xb_jv_is(object) ? object : old);

	check(sched_cache_set_namespace(s->cache, name, object), "namespace", name);
	sched_wake(s, &(struct sched_change){ .events = SCHED_NAMESPACE });
}

/* --- claims, volumes, classes --- */
static void on_stored(struct scheduler *s, enum sched_storage_kind kind, struct xb_jv old, struct xb_jv object)
{
	static const unsigned events[] = { SCHED_CLAIM, SCHED_VOLUME, SCHED_STORAGE_CLASS };
	static const char *const names[] = { "claim", "volume", "storage class" };
	struct sched_change change = { .events = events[kind], .object = xb_jv_is(object) ? object : old };
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(change.object, "metadata", "namespace"));
	_cleanup_buf_ struct xb_buf key = {};
	int r;

	xb_buf_addf(&key, "%.*s%s%.*s", XB_SV_ARG(namespace_), namespace_.n ? "/" : "", XB_SV_ARG(name_of(change.object)));
	r = key.err ? key.err : sched_storage_set(s->cache->storage, kind, xb_buf_sv(&key), object);
	check(r, names[kind], xb_buf_sv(&key));
	if (kind == SCHED_CLAIMS)
		sched_reserve_look(s, xb_buf_sv(&key));
	if (xb_jv_is(object))
		sched_wake(s, &change);
}

static void look_at_its_claim(struct scheduler *s, struct xb_jv volume)
{
	struct xb_jv ref = xb_jv_path(volume, "spec", "claimRef");
	_cleanup_buf_ struct xb_buf key = {};

	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(sched_text(ref, "namespace")), XB_SV_ARG(sched_text(ref, "name")));
	if (xb_jv_is(ref) && !key.err)
		sched_reserve_look(s, xb_buf_sv(&key));
}

static void on_claim(void *arg, struct xb_jv old, struct xb_jv object)
{
	on_stored(arg, SCHED_CLAIMS, old, object);
}

static void on_volume(void *arg, struct xb_jv old, struct xb_jv object)
{
	on_stored(arg, SCHED_VOLUMES, old, object);
	look_at_its_claim(arg, object);
}

static void on_class(void *arg, struct xb_jv old, struct xb_jv object)
{
	on_stored(arg, SCHED_CLASSES, old, object);
}

/* --- what pods belong to --- */
static void on_service(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct scheduler *s = arg;

	check(sched_belongs_set_service(s->cache, old, object), "service", name_of(xb_jv_is(object) ? object : old));
}

static void on_owner(struct scheduler *s, const char *kind, struct xb_jv old, struct xb_jv object)
{
	struct xb_jv known = xb_jv_is(object) ? object : old;
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(known, "metadata", "namespace"));

	check(sched_belongs_set_owner(s->cache, kind, namespace_, name_of(known), object), kind, name_of(known));
}

static void on_replication_controller(void *arg, struct xb_jv old, struct xb_jv object)
{
	on_owner(arg, "ReplicationController", old, object);
}

static void on_replica_set(void *arg, struct xb_jv old, struct xb_jv object)
{
	on_owner(arg, "ReplicaSet", old, object);
}

static void on_stateful_set(void *arg, struct xb_jv old, struct xb_jv object)
{
	on_owner(arg, "StatefulSet", old, object);
}

static int follow_what_pods_belong_to(struct scheduler *s)
{
	int r = xb_cache_follow(s->copies, sched_kind("", "v1", "services"), on_service, s);

	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("", "v1", "replicationcontrollers"), on_replication_controller, s);
	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("apps", "v1", "replicasets"), on_replica_set, s);
	return r ? r : xb_cache_follow(s->copies, sched_kind("apps", "v1", "statefulsets"), on_stateful_set, s);
}

/* --- pods --- */
static void forget(struct scheduler *s, struct sched_pod *p)
{
	uint32_t node = p->node != SCHED_NO_NODE ? p->node : p->nominated;

	sched_queue_del(s->queue, p);
	sched_unreserve(s, p);
	sched_cache_nominate(s->cache, p, SCHED_NO_NODE);
	sched_cache_unplace(s->cache, p);
	if (node != SCHED_NO_NODE)
		sched_wake_for_room(s, p, node);
	sched_cache_del_pod(s->cache, p);
}

static int make(struct scheduler *s, struct xb_jv object, struct sched_pod **ret)
{
	struct sched_pod *p = NULL;
	int r = sched_pod_new(s->cache, object, &p);

	if (!r)
		r = sched_cache_add_pod(s->cache, p);
	if (!r)
		*ret = p;
	return r;
}

static bool gives(const struct sched_resources *before, const struct sched_resources *after)
{
	for (int i = 0; i < SCHED_RESOURCES; i++)
		if (after->v[i] < before->v[i])
			return true;
	return false;
}

/* On that node, whatever was known. */
static int place_anew(struct scheduler *s, struct sched_pod *p, struct xb_jv object, uint32_t node, unsigned *ret_events)
{
	struct sched_resources before = { .v = { 0 } };
	bool counted = p->node == node;
	int r;

	memcpy(before.v, p->request.v, sizeof(before.v));
	sched_queue_del(s->queue, p);
	sched_cache_nominate(s->cache, p, SCHED_NO_NODE);
	sched_cache_unplace(s->cache, p);
	r = sched_pod_read(s->cache, p, object);
	if (!r)
		r = sched_cache_place(s->cache, p, node);
	*ret_events = counted ? SCHED_POD_LABELS : SCHED_POD_ADDED;
	if (counted && gives(&before, &p->request))
		*ret_events |= SCHED_POD_DELETED;
	return r;
}

static int on_placed(struct scheduler *s, struct sched_pod *p, struct xb_jv object, struct xb_sv node_name)
{
	bool assumed = p && p->assumed;
	unsigned events = SCHED_POD_ADDED;
	uint32_t node;
	int r = p ? 0 : make(s, object, &p);

	if (!r)
		r = sched_cache_node(s->cache, node_name, &node);
	if (r)
		return r;
	p->assumed = false;
	sched_unreserve(s, p);
	if (p->node == node && sched_pod_same(p, object, assumed)) {
		sched_pod_renew(p, object);
		sched_pod_forget_defaults(s->cache, p);
		if (!assumed)
			return 0;
	} else {
		r = place_anew(s, p, object, node, &events);
	}
	sched_wake(s, &(struct sched_change){ .events = events, .pod = p });
	return r;
}

static int renominate(struct scheduler *s, struct sched_pod *p, struct xb_jv object)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(object, "status", "nominatedNodeName"));
	uintptr_t node = name.n ? (uintptr_t)xb_map_get(s->cache->node_by_name, name) : 0;

	return sched_cache_nominate(s->cache, p, node ? node - 1 : SCHED_NO_NODE);
}

static int on_waiting(struct scheduler *s, struct sched_pod *p, struct xb_jv object, unsigned profile)
{
	struct sched_change change = { .events = SCHED_POD_ITSELF };
	bool is_new = !p;
	int r = p ? 0 : make(s, object, &p);

	if (r)
		return r;
	if (!is_new && (p->assumed || sched_pod_same(p, object, false))) {
		sched_pod_renew(p, object);
		return 0;
	}
	p->profile = profile;
	if (is_new)
		r = renominate(s, p, object);
	else
		r = sched_pod_read(s->cache, p, object);
	if (r || p->gated || p->terminating) {
		sched_queue_del(s->queue, p);
		return r;
	}
	if (p->place == SCHED_NOWHERE)
		r = sched_queue_add(s->queue, p, xb_time_ms());
	else if (p->place == SCHED_PARKED && sched_cycle_worth(s->cache, p, &change))
		r = sched_queue_wake(s->queue, p, xb_time_ms());
	sched_work(s);
	return r;
}

static bool find_profile(const struct scheduler *s, struct xb_sv name, unsigned *ret)
{
	for (size_t i = 0; i < s->config->profiles.n; i++)
		if (xb_sv_is(name, s->config->profiles.v[i].name)) {
			*ret = i;
			return true;
		}
	return false;
}

/* The order in the active queue is by priority, which does not change in a pod's life. */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct scheduler *s = arg;
	struct xb_jv meta = xb_jv_get(xb_jv_is(object) ? object : old, "metadata"), spec = xb_jv_get(object, "spec");
	struct xb_sv node = sched_text(spec, "nodeName"), scheduler = sched_text(spec, "schedulerName");
	_cleanup_buf_ struct xb_buf key = {};
	struct sched_pod *p;
	unsigned profile;
	int r = 0;

	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(sched_text(meta, "namespace")), XB_SV_ARG(sched_text(meta, "name")));
	p = key.err ? NULL : sched_cache_pod(s->cache, xb_buf_sv(&key));
	if (p && (!xb_jv_is(object) || sched_pod_ended(object) || !xb_sv_eq(p->uid, sched_text(meta, "uid")))) {
		forget(s, p);
		p = NULL;
	}
	if (key.err || !xb_jv_is(object) || sched_pod_ended(object))
		return;
	if (node.n)
		r = on_placed(s, p, object, node);
	else if (find_profile(s, scheduler.n ? scheduler : XB_SV("default-scheduler"), &profile))
		r = on_waiting(s, p, object, profile);
	check(r, "pod", xb_buf_sv(&key));
}

/* --- the copies --- */
static void on_synced(void *arg)
{
	log_info("every collection is read: scheduling begins");
	sched_work(arg);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s; trying on", path, why);
	else
		log_info("%s: the API server answers again", path);
}

/* Of Services and owners only selectors are read. */
static const char *const leave_out_of_services[] = {
	"metadata.annotations", "metadata.labels", "metadata.creationTimestamp", "metadata.ownerReferences",
	"metadata.finalizers", "spec.ports", "spec.type", "spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy",
	"spec.sessionAffinity", "spec.sessionAffinityConfig", "spec.internalTrafficPolicy", "spec.externalTrafficPolicy", "status", NULL
};
static const char *const leave_out_of_owners[] = {
	"metadata.annotations", "metadata.labels", "metadata.creationTimestamp", "metadata.generation",
	"metadata.ownerReferences", "metadata.finalizers", "spec.template", "spec.replicas", "spec.minReadySeconds", "spec.serviceName",
	"spec.podManagementPolicy", "spec.updateStrategy", "spec.revisionHistoryLimit", "spec.volumeClaimTemplates",
	"spec.persistentVolumeClaimRetentionPolicy", "spec.ordinals", "status", NULL
};
/* Nor what the status says of containers and addresses. */
static const char *const leave_out_of_pods[] = {
	"metadata.annotations", "status.conditions.lastTransitionTime", "status.containerStatuses",
	"status.initContainerStatuses", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs", NULL
};
/* Nor, once it has a node, what it asked of nodes: it is only counted, and sent away. */
static const char *const leave_out_of_placed[] = {
	"metadata.creationTimestamp", "metadata.ownerReferences", "metadata.finalizers", "spec.containers.name", "spec.containers.image",
	"spec.containers.resources.limits", "spec.containers.ports.name", "spec.containers.ports.containerPort", "spec.restartPolicy",
	"spec.schedulerName", "spec.preemptionPolicy", "spec.nodeSelector", "spec.tolerations", "status.conditions", "status.qosClass", NULL
};

/* One that is to go keeps its conditions: they tell since when. */
static bool is_placed(struct xb_jv pod)
{
	return xb_jv_is(xb_jv_path(pod, "spec", "nodeName")) && !xb_jv_is(sched_pod_condition(pod, "DisruptionTarget"));
}

static const struct xb_cache_lean lean[] = {
	{ .group = "", .plural = "pods", .leave_out = leave_out_of_pods, .leave_out_then = leave_out_of_placed, .when = is_placed },
	{ .group = "", .plural = "services", .leave_out = leave_out_of_services },
	{ .group = "", .plural = "replicationcontrollers", .leave_out = leave_out_of_owners },
	{ .group = "apps", .plural = "replicasets", .leave_out = leave_out_of_owners },
	{ .group = "apps", .plural = "statefulsets", .leave_out = leave_out_of_owners },
	{}
};

int sched_follow(struct scheduler *s)
{
	struct xb_cache_config c = { .rest = s->rest, .lean = lean, .synced = on_synced, .trouble = on_trouble, .arg = s };
	int r = xb_cache_new(&c, &s->copies);

	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("", "v1", "namespaces"), on_namespace, s);
	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("", "v1", "nodes"), on_node, s);
	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("storage.k8s.io", "v1", "storageclasses"), on_class, s);
	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("", "v1", "persistentvolumes"), on_volume, s);
	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("", "v1", "persistentvolumeclaims"), on_claim, s);
	if (!r)
		r = follow_what_pods_belong_to(s);
	if (!r)
		r = xb_cache_follow(s->copies, sched_kind("", "v1", "pods"), on_pod, s);
	if (r)
		return r;
	s->budgets = xb_cache_of(s->copies, sched_kind("policy", "v1", "poddisruptionbudgets"));
	return s->budgets ? 0 : -ENOMEM;
}
