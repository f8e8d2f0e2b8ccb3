/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent.h"
#include "node.h"
#include "services.h"
#include "xb/links.h"
#include "xb/log.h"
#include "xb/recorder.h"
#include "xb/time.h"
#include "xb/vec.h"

/* As upstream's informers: what belongs to another proxy, and what has no virtual IP, is not even sent. */
#define SELECTOR     "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"
#define RETRY_MS     30000
#define UNHEALTHY_MS 60000

/* What no plan reads, and makes up most of a slice: kept copies are a third without it. */
static const char *const leave_out[] = {
	"metadata.managedFields", "metadata.ownerReferences", "metadata.finalizers", "metadata.generateName", "metadata.creationTimestamp",
	"metadata.generation", "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration", "spec.selector",
	"spec.ports.targetPort", "endpoints.targetRef", NULL,
};

struct agent {
	struct agent_config c;
	struct xb_informer *services_informer, *slices_informer;
	struct services *services;
	struct node *node;
	struct xb_links *links;
	struct apply *apply;
	struct xb_recorder *recorder;
	struct metrics metrics;
	struct {
		struct service **v;
		size_t n, cap;
	} faulty;                       /* those with a fault */
	uv_prepare_t before_sleep;
	uv_timer_t retry;
	bool pruned;                    /* the first application is done */
	bool failed;
	unsigned handles;               /* of libuv, still open */
};

static bool synced(const struct agent *a)
{
	return xb_informer_synced(a->services_informer) && xb_informer_synced(a->slices_informer);
}

static void fail(struct agent *a)
{
	if (!a->failed)
		a->c.failed(a->c.arg);
	a->failed = true;
}

/* --- faults of single services --- */
static void set_fault(struct agent *a, struct service *v, int fault, char *why)
{
	if (fault && !v->fault && xb_vec_push(&a->faulty, v) < 0)
		fail(a);
	for (size_t i = 0; !fault && v->fault && i < a->faulty.n; i++)
		if (a->faulty.v[i] == v)
			xb_vec_remove(&a->faulty, i);
	if (!fault && v->fault_told)
		log_info("service %s is in the tables now", v->key);
	if (fault != v->fault)
		v->fault_told = false;
	a->metrics.faults += fault != 0;
	v->fault = fault;
	free(v->fault_why);
	v->fault_why = why;
}

static void warn(const struct agent *a, struct xb_jv service, const char *reason, const char *why)
{
	struct xb_event e = {
		.component = "kube-proxy",
		.kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("services")),
		.object = service,
		.type = XB_EVENT_WARNING,
		.reason = reason,
	};

	xb_recorder_event(a->recorder, &e, "%s", why);
}

static void tell_faults(struct agent *a)
{
	for (size_t i = 0; i < a->faulty.n; i++) {
		struct service *v = a->faulty.v[i];
		const char *why = v->fault_why ? v->fault_why : strerror(-v->fault);

		if (v->fault_told)
			continue;
		v->fault_told = true;
		log_warning("service %s cannot be brought into the tables: %s", v->key, why);
		if (v->fault == -ENOSPC || v->fault == -EADDRINUSE)
			warn(a, v->object, v->fault == -ENOSPC ? "ServiceTableFull" : "ServiceAddressInUse", why);
	}
}

static void retry_faulty(struct agent *a)
{
	for (size_t i = 0; i < a->faulty.n; i++)
		services_mark(a->services, a->faulty.v[i]);
}

/* --- from the index to the tables --- */
static bool in_plan(const struct plan *plan, const struct service_port *p)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->v[i].family == p->family && plan->v[i].proto == p->proto && !strcmp(plan->v[i].name, p->name))
			return true;
	return false;
}

/* Returns how many ports went. */
static size_t remove_vanished(struct agent *a, struct service *v, const struct plan *plan)
{
	size_t removed = 0;

	for (size_t i = v->programmed.n; i-- > 0;) {
		struct service_port *p = &v->programmed.v[i];

		if (in_plan(plan, p))
			continue;
		removed += !apply_remove(a->apply, p->name, p->family, p->proto);
		free(p->name);
		xb_vec_remove(&v->programmed, i);
	}
	return removed;
}

static int remember(struct service *v, const struct plan_port *p)
{
	struct service_port known = { .family = p->family, .proto = p->proto };

	for (size_t i = 0; i < v->programmed.n; i++)
		if (v->programmed.v[i].family == p->family && v->programmed.v[i].proto == p->proto &&
		    !strcmp(v->programmed.v[i].name, p->name))
			return 0;
	known.name = strdup(p->name);
	if (!known.name)
		return -ENOMEM;
	if (xb_vec_push(&v->programmed, known) < 0) {
		free(known.name);
		return -ENOMEM;
	}
	return 0;
}

/* One port that cannot be set does not keep the others out. Every port is remembered: a failed one may be in the tables
 * all the same, as it was before. */
static int set_ports(struct agent *a, struct service *v, const struct plan *plan, char **reterr_why)
{
	int first = 0;

	for (size_t i = 0; i < plan->n; i++) {
		_cleanup_free_ char *why = NULL;
		int r = remember(v, &plan->v[i]);

		if (!r)
			r = apply_set(a->apply, &plan->v[i], &why);
		if (r < 0 && !first) {
			first = r;
			*reterr_why = TAKE_PTR(why);
		}
	}
	return first;
}

static size_t program(struct agent *a, struct service *v)
{
	_cleanup_(plan_done) struct plan plan = {};
	char *why = NULL;
	size_t removed = 0;
	int r = 0;

	if (xb_jv_is(v->object))
		r = plan_make(v->object, v->slices.v, v->slices.n, a->c.node_name, &plan);
	/* Going on would prune what was not planned. */
	if (r < 0) {
		fail(a);
		return 0;
	}
	removed = remove_vanished(a, v, &plan);
	r = set_ports(a, v, &plan, &why);
	if (r < 0 || v->fault)
		set_fault(a, v, r, why);
	if (!r && v->trigger_us >= a->metrics.start_us)
		histogram_observe(&a->metrics.programming, (double)(xb_time_now() - v->trigger_us) / 1e6);
	v->trigger_us = 0;
	services_forget(a->services, v);
	return removed;
}

static size_t drain(struct agent *a)
{
	size_t removed = 0;
	struct service *v;

	while (!a->failed && (v = services_next_dirty(a->services)))
		removed += program(a, v);
	return removed;
}

static void count_service(void *arg, struct service *v)
{
	if (xb_jv_is(v->object))
		plan_count(v->object, v->slices.v, v->slices.n, arg);
}

/* Room for the whole first list at once; what an earlier run left in the tables needs none. */
static void reserve(struct agent *a)
{
	struct plan_counts want = {};
	struct apply_stats have;
	int r;

	services_each(a->services, count_service, &want);
	apply_stats(a->apply, &have);
	r = apply_reserve(a->apply, want.ports - MIN(want.ports, have.ports), want.frontends - MIN(want.frontends, have.frontends),
			  want.backends - MIN(want.backends, have.backends));
	if (r < 0)
		log_warning_errno(r, "cannot make room for %zu ports and %zu backends at once: %m", want.ports, want.backends);
}

static void first_application(struct agent *a, int64_t began_ms)
{
	int pruned = a->failed ? 0 : apply_prune(a->apply);
	struct apply_stats s;

	a->pruned = true;
	if (pruned && a->faulty.n)
		retry_faulty(a);
	drain(a);
	apply_stats(a->apply, &s);
	log_info("%zu ports with %zu frontends and %zu backends are in the tables, %d left from before were removed; %lld ms", s.ports,
		 s.frontends, s.backends, pruned, (long long)(xb_time_ms() - began_ms));
}

static void on_retry(uv_timer_t *t)
{
	retry_faulty(t->data);
}

static void flush(uv_prepare_t *h)
{
	struct agent *a = h->data;
	int64_t began_ms = xb_time_ms();
	uint64_t began = uv_hrtime();
	bool first = !a->pruned;

	if (a->failed || !synced(a) || (!first && !services_oldest_dirty_ms(a->services)))
		return;
	if (first)
		reserve(a);
	/* A port that went may have made way for one that was refused. */
	if (drain(a) && a->faulty.n) {
		retry_faulty(a);
		drain(a);
	}
	if (first)
		first_application(a, began_ms);
	tell_faults(a);
	if (a->faulty.n && !uv_is_active((uv_handle_t *)&a->retry))
		uv_timer_start(&a->retry, on_retry, RETRY_MS, 0);
	a->metrics.last_sync_us = xb_time_now();
	histogram_observe(&a->metrics.sync, (double)(uv_hrtime() - began) / 1e9);
}

/* --- what comes in --- */
static void on_service(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct agent *a = arg;

	a->metrics.service_changes++;
	a->metrics.last_queued_us = xb_time_now();
	/* An index that missed a change would keep a view of a document that is gone. */
	if (services_service_changed(a->services, old, object) < 0)
		fail(a);
}

static void on_slice(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct agent *a = arg;

	a->metrics.endpoint_changes++;
	a->metrics.last_queued_us = xb_time_now();
	if (services_slice_changed(a->services, old, object) < 0)
		fail(a);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s; trying on, the tables stay as they are", path, why);
	else
		log_info("%s: the API server answers again", path);
}

static void on_node_addrs(void *arg)
{
	struct agent *a = arg;
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; a->apply && i < ARRAY_SIZE(families); i++) {
		const struct plan_addr *addrs;
		size_t n = node_addrs(a->node, families[i], &addrs);
		int r = apply_set_node_addrs(a->apply, families[i], addrs, n);

		if (r < 0)
			log_warning_errno(r, "cannot keep this node's addresses in the tables: %m");
	}
}

static void on_links(void *arg)
{
	struct agent *a = arg;
	const struct xb_link *links;
	size_t n = xb_links_get(a->links, &links);

	if (apply_set_devices(a->apply, links, n) < 0)
		fail(a);
}

/* --- the agent --- */
static int open_tables(struct agent *a, char **reterr_why)
{
	struct apply_config c = {
		.bpffs_path = a->c.bpffs_path, .cgroup_path = a->c.cgroup_path, .xdp_devices = a->c.xdp_devices,
	};
	int r;

	c.n_node_addrs4 = node_addrs(a->node, AF_INET, &c.node_addrs4);
	c.n_node_addrs6 = node_addrs(a->node, AF_INET6, &c.node_addrs6);
	r = apply_open(&c, &a->apply, reterr_why);
	if (!r)
		r = xb_links_new(xb_rest_loop(a->c.rest), on_links, a, &a->links);
	if (!r)
		on_links(a);
	return r;
}

static int start_informers(struct agent *a)
{
	struct xb_informer_config services = {
		.rest = a->c.rest, .path = "/api/v1/services", .label_selector = SELECTOR, .leave_out = leave_out,
		.changed = on_service, .trouble = on_trouble, .arg = a,
	};
	struct xb_informer_config slices = {
		.rest = a->c.rest, .path = "/apis/discovery.k8s.io/v1/endpointslices", .label_selector = SELECTOR,
		.leave_out = leave_out, .changed = on_slice, .trouble = on_trouble, .arg = a,
	};
	int r = xb_informer_new(&services, &a->services_informer);

	return r < 0 ? r : xb_informer_new(&slices, &a->slices_informer);
}

static void handle_closed(uv_handle_t *h)
{
	struct agent *a = h->data;

	if (!--a->handles)
		free(a);
}

struct agent *agent_free(struct agent *a)
{
	if (!a)
		return NULL;
	xb_informer_free(a->services_informer);
	xb_informer_free(a->slices_informer);
	node_free(a->node);
	xb_links_free(a->links);
	xb_recorder_free(a->recorder);
	services_free(a->services);
	apply_close(a->apply);
	xb_vec_done(&a->faulty);
	uv_close((uv_handle_t *)&a->before_sleep, handle_closed);
	uv_close((uv_handle_t *)&a->retry, handle_closed);
	return NULL;
}

int agent_new(const struct agent_config *c, struct agent **ret, char **reterr_why)
{
	_cleanup_(agent_freep) struct agent *a = calloc(1, sizeof(*a));
	uv_loop_t *loop = xb_rest_loop(c->rest);
	int r;

	if (!a)
		return -ENOMEM;
	a->c = *c;
	proxy_metrics_init(&a->metrics);
	uv_prepare_init(loop, &a->before_sleep);
	uv_timer_init(loop, &a->retry);
	a->before_sleep.data = a->retry.data = a;
	a->handles = 2;
	a->services = services_new();
	a->recorder = xb_recorder_new(c->rest, c->node_name);
	if (!a->services || !a->recorder)
		return -ENOMEM;
	r = node_new(&(struct node_config){ .rest = c->rest, .name = c->node_name, .networks = c->nodeport_addresses,
					    .changed = on_node_addrs, .arg = a }, &a->node, reterr_why);
	if (!r)
		r = open_tables(a, reterr_why);
	if (!r)
		r = start_informers(a);
	if (r < 0)
		return r;
	uv_prepare_start(&a->before_sleep, flush);
	*ret = TAKE_PTR(a);
	return 0;
}

void agent_health(const struct agent *a, struct agent_health *ret)
{
	int64_t oldest = synced(a) ? services_oldest_dirty_ms(a->services) : 0;

	*ret = (struct agent_health){
		.healthy = !oldest || xb_time_ms() - oldest < UNHEALTHY_MS,
		.eligible = node_eligible(a->node),
		.last_updated_us = a->metrics.last_sync_us ? a->metrics.last_sync_us : a->metrics.start_us,
	};
}

struct metrics *agent_metrics(struct agent *a)
{
	return &a->metrics;
}

void agent_write_metrics(const struct agent *a, struct xb_buf *out)
{
	struct metrics_now now = {
		.synced = synced(a), .services_known = services_count(a->services), .unprogrammed = a->faulty.n,
		.pending = services_dirty(a->services),
	};

	apply_stats(a->apply, &now.tables);
	xb_informer_stats(a->services_informer, &now.services);
	xb_informer_stats(a->slices_informer, &now.slices);
	proxy_metrics_write(&a->metrics, &now, out);
}
