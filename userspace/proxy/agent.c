/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent.h"
#include "faults.h"
#include "health_ports.h"
#include "host_ports.h"
#include "networks.h"
#include "node.h"
#include "services.h"
#include "xb/links.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/vec.h"
#include "xb/why.h"

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
	struct host_ports *host_ports;  /* NULL: without */
	struct services *services, *pods;
	struct health_ports *health_ports;
	struct node *node;
	struct networks *networks;
	struct xb_links *links;
	void *tables;                   /* of the data plane */
	struct faults *faults;
	struct metrics metrics;
	uv_prepare_t before_sleep;
	uv_timer_t retry;
	bool applied;                   /* all Services have been set */
	bool pruned;                    /* and what is not confirmed is gone */
	bool stale;                     /* both have to be done again: the data plane lost what it knew */
	bool failed;
	unsigned handles;               /* of libuv, still open */
};

static bool synced(const struct agent *a)
{
	return xb_informer_synced(a->services_informer) && xb_informer_synced(a->slices_informer) && networks_synced(a->networks);
}

static void fail(struct agent *a)
{
	if (!a->failed)
		a->c.failed(a->c.arg);
	a->failed = true;
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
		removed += !a->c.plane->remove(a->tables, p->name, p->family, p->proto);
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
			r = a->c.plane->set(a->tables, &plan->v[i], &why);
		if (r < 0 && !first) {
			first = r;
			*reterr_why = TAKE_PTR(why);
		}
	}
	return first;
}

static int make_plan(const struct agent *a, const struct service *v, struct plan *ret)
{
	struct plan_here here = { .node = a->c.node_name, .zone = node_zone(a->node) };

	if (!xb_jv_is(v->object))
		return 0;
	return v->in == a->pods ? plan_make_pod(v->object, ret) : plan_make(v->object, v->slices.v, v->slices.n, &here, ret);
}

/* Brings in what a plan says. A fault of the tables is told before one of the health check. */
static void set_service(struct agent *a, struct service *v, const struct plan *plan)
{
	_cleanup_free_ char *why = NULL, *check_why = NULL;
	int r = set_ports(a, v, plan, &why), check = 0, fault = 0;

	if ((plan->health_port || v->checked) && !a->c.compared)
		check = health_ports_set(a->health_ports, v->key, plan->health_port, plan->local_ready, &check_why);
	v->checked = plan->health_port;
	v->zoned = plan->zoned;
	if (r < 0 || check < 0 || v->fault)
		fault = r < 0 ? faults_set(a->faults, v, r, NULL, TAKE_PTR(why)) :
				faults_set(a->faults, v, check, "FailedToStartServiceHealthcheck", TAKE_PTR(check_why));
	if (fault < 0)
		fail(a);
	a->metrics.faults += r < 0 || check < 0;
	if (!r && v->trigger_us >= a->metrics.start_us)
		histogram_observe(&a->metrics.programming, (double)(xb_time_now() - v->trigger_us) / 1e6);
	v->trigger_us = 0;
}

static size_t program(struct agent *a, struct service *v)
{
	_cleanup_(plan_done) struct plan plan = {};
	size_t removed = 0;
	int r = make_plan(a, v, &plan);

	/* Going on would prune what was not planned. */
	if (r < 0) {
		fail(a);
		return 0;
	}
	removed = remove_vanished(a, v, &plan);
	set_service(a, v, &plan);
	services_forget(v);
	return removed;
}

static size_t drain(struct agent *a)
{
	size_t removed = 0;
	struct service *v;

	while (!a->failed && ((v = services_next_dirty(a->services)) || (v = services_next_dirty(a->pods))))
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
	a->c.plane->stats(a->tables, &have);
	r = a->c.plane->reserve(a->tables, want.ports - MIN(want.ports, have.ports),
				want.frontends - MIN(want.frontends, have.frontends), want.backends - MIN(want.backends, have.backends));
	if (r < 0)
		log_warning_errno(r, "cannot make room for %zu ports and %zu backends at once: %m", want.ports, want.backends);
}

/* What an agent of another mode left would go on serving what has changed since. */
static void remove_others(struct agent *a)
{
	for (size_t i = 0; data_planes[i]; i++) {
		_cleanup_free_ char *why = NULL;
		int r = data_planes[i] != a->c.plane ? data_planes[i]->cleanup(a->c.bpffs_path, &why) : 0;

		if (r < 0 && r != -ENOENT)
			log_warning("what mode %s may have left is still there: %s", data_planes[i]->mode, why ? why : strerror(-r));
	}
}

static void prune(struct agent *a)
{
	int n = a->failed ? 0 : a->c.plane->prune(a->tables);

	a->pruned = true;
	if (n > 0)
		log_info("%d left from before were removed from the tables", n);
	if (n && faults_count(a->faults))
		faults_retry(a->faults);
	drain(a);
}

static void tell_applied(const struct agent *a, int64_t began_ms)
{
	struct apply_stats s;

	a->c.plane->stats(a->tables, &s);
	log_info("%zu ports with %zu frontends and %zu backends are in the tables; %lld ms", s.ports, s.frontends, s.backends,
		 (long long)(xb_time_ms() - began_ms));
}

static void mark_service(void *arg, struct service *v)
{
	services_mark(v);
}

/* The next flush sets all of them, and prunes. */
static void start_anew(struct agent *a)
{
	services_each(a->services, mark_service, NULL);
	services_each(a->pods, mark_service, NULL);
	a->applied = a->pruned = a->stale = false;
}

static void bring_node(struct agent *a)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct plan_node node;
	int r;

	networks_get(a->networks, &node);
	networks_describe(&node, &text);
	r = a->c.plane->set_node(a->tables, &node);
	if (r > 0)
		log_info("%s", text.p ? text.p : "");
	else if (r == -ESTALE)
		start_anew(a);
	else if (r < 0)
		log_warning_errno(r, "cannot keep this node's networks in the tables: %m");
}

static void apply_changes(struct agent *a)
{
	int64_t began_ms = xb_time_ms();
	bool first = !a->applied;

	if (first) {
		bring_node(a);
		reserve(a);
	}
	/* A port that went may have made way for one that was refused. */
	if (drain(a) && faults_count(a->faults)) {
		faults_retry(a->faults);
		drain(a);
	}
	a->applied = true;
	if (first)
		host_ports_expect(a->host_ports);
	if (!a->pruned && host_ports_settled(a->host_ports))
		prune(a);
	if (first && !a->c.compared)
		tell_applied(a, began_ms);
}

static void commit(struct agent *a)
{
	_cleanup_free_ char *why = NULL;
	int r = a->c.plane->commit(a->tables, &why);

	if (r == -ESTALE) {
		log_warning("%s; setting all Services anew", why ? why : "the tables are not as they were left");
		free(TAKE_PTR(why));
		start_anew(a);
		apply_changes(a);
		r = a->c.plane->commit(a->tables, &why);
	}
	a->stale = r < 0;
	if (r < 0)
		log_err("Services cannot be brought into the tables: %s", why ? why : strerror(-r));
}

static void on_retry(uv_timer_t *t);

static void bring_devices(struct agent *a)
{
	const struct xb_link *links;
	size_t n;
	int r;

	if (!a->links || a->failed)
		return;
	n = xb_links_get(a->links, &links);
	r = a->c.plane->set_devices(a->tables, links, n);
	if (r < 0)
		fail(a);
	if (r > 0 && !uv_is_active((uv_handle_t *)&a->retry))
		uv_timer_start(&a->retry, on_retry, RETRY_MS, 0);
}

static void on_retry(uv_timer_t *t)
{
	struct agent *a = t->data;

	if (a->stale)
		start_anew(a);
	faults_retry(a->faults);
	bring_devices(a);
}

static void end_dry_run(struct agent *a)
{
	struct apply_stats s;

	uv_prepare_stop(&a->before_sleep);
	a->c.plane->stats(a->tables, &s);
	a->c.compared(a->c.arg, s.publishes);
}

static bool anything_to_do(const struct agent *a)
{
	return !a->applied || (!a->pruned && host_ports_settled(a->host_ports)) || services_dirty(a->services) || services_dirty(a->pods);
}

static void flush(uv_prepare_t *h)
{
	struct agent *a = h->data;
	uint64_t began = uv_hrtime();
	bool first;

	if (a->failed || !synced(a) || !anything_to_do(a))
		return;
	first = !a->applied;
	apply_changes(a);
	if (a->c.compared) {
		if (a->pruned)
			end_dry_run(a);
		return;
	}
	commit(a);
	if (first && !a->stale)
		remove_others(a);
	faults_tell(a->faults);
	if ((faults_count(a->faults) || a->stale) && !uv_is_active((uv_handle_t *)&a->retry))
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

static void on_pod(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct agent *a = arg;

	if (services_service_changed(a->pods, old, object) < 0)
		fail(a);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s; trying on, the tables stay as they are", path, why);
	else
		log_info("%s: the API server answers again", path);
}

static void on_pods_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s; trying on, hostPorts stay as they are", path, why);
	else
		on_trouble(arg, path, NULL);
}

static void on_pods_late(void *arg)
{
	log_warning("the pods of this node are still not known: their hostPorts are not served, what an earlier run served of them is removed; "
		    "Services are served");
}

static void bring_node_addrs(struct agent *a)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct plan_addr *addrs;
		size_t n = node_addrs(a->node, families[i], &addrs);
		int r = a->c.plane->set_node_addrs(a->tables, families[i], addrs, n);

		if (r == -ESTALE)
			start_anew(a);
		else if (r < 0)
			log_warning_errno(r, "cannot keep this node's addresses in the tables: %m");
	}
}

static void mark_zoned(void *arg, struct service *v)
{
	if (v->zoned)
		services_mark(v);
}

static void mark_checked(void *arg, struct service *v)
{
	if (v->checked)
		services_mark(v);
}

static void on_node_change(void *arg, unsigned what)
{
	struct agent *a = arg;

	if (a->failed)
		return;
	if (what & NODE_PORT_ADDRS)
		bring_node_addrs(a);
	if ((what & NODE_PORT_ADDRS) && !node_addrs_are_all(a->node)) {
		health_ports_move(a->health_ports);
		services_each(a->services, mark_checked, NULL);
	}
	if (what & NODE_ZONE)
		services_each(a->services, mark_zoned, NULL);
	if ((what & NODE_FACTS) && a->applied)
		bring_node(a);
}

static void on_networks(void *arg)
{
	struct agent *a = arg;

	if (a->applied && !a->failed)
		bring_node(a);
}

static void on_links(void *arg)
{
	bring_devices(arg);
}

/* --- the agent --- */
static int open_tables(struct agent *a, char **reterr_why)
{
	struct apply_config c = {
		.bpffs_path = a->c.bpffs_path, .cgroup_path = a->c.cgroup_path, .xdp_devices = a->c.xdp_devices,
		.loop = xb_rest_loop(a->c.rest),
	};
	_cleanup_free_ char *why = NULL;
	int r;

	c.n_node_addrs4 = node_addrs(a->node, AF_INET, &c.node_addrs4);
	c.n_node_addrs6 = node_addrs(a->node, AF_INET6, &c.node_addrs6);
	r = a->c.plane->open(&c, &a->tables, &why);
	if ((r == -EPERM || r == -ENOSYS) && a->c.fallback) {
		log_warning("%s: Services are made by %s, as --proxy-mode names no other way", why ? why : strerror(-r), a->c.fallback->mode);
		a->c.plane = a->c.fallback;
		return a->c.plane->open(&c, &a->tables, reterr_why);
	}
	*reterr_why = TAKE_PTR(why);
	return r;
}

static int follow_node(struct agent *a, char **reterr_why)
{
	struct node_config node = {
		.rest = a->c.rest, .name = a->c.node_name, .networks = a->c.nodeport_addresses,
		.changed = on_node_change, .trouble = on_trouble, .arg = a,
	};
	struct networks_config networks = {
		.rest = a->c.rest, .cluster_cidr = a->c.cluster_cidr, .detect_local_mode = a->c.detect_local_mode,
		.masquerade_all = a->c.masquerade_all, .changed = on_networks, .trouble = on_trouble, .arg = a,
	};
	int r = node_new(&node, &a->node, reterr_why);

	networks.node = a->node;
	return r < 0 ? r : networks_new(&networks, &a->networks, reterr_why);
}

static int follow_links(struct agent *a)
{
	int r;

	if (!a->c.plane->set_devices)
		return 0;
	r = xb_links_new(xb_rest_loop(a->c.rest), on_links, a, &a->links);
	if (!r)
		bring_devices(a);
	return r;
}

static int follow_pods(struct agent *a)
{
	struct host_ports_config c = {
		.rest = a->c.rest, .node_name = a->c.node_name,
		.changed = on_pod, .trouble = on_pods_trouble, .late = on_pods_late, .arg = a,
	};

	return host_ports_new(&c, &a->host_ports);
}

static int start_informers(struct agent *a)
{
	struct xb_informer_config services = {
		.rest = a->c.rest, .path = "/api/v1/services", .label_selector = PLAN_SELECTOR, .leave_out = leave_out,
		.changed = on_service, .trouble = on_trouble, .arg = a,
	};
	struct xb_informer_config slices = {
		.rest = a->c.rest, .path = "/apis/discovery.k8s.io/v1/endpointslices", .label_selector = PLAN_SELECTOR,
		.leave_out = leave_out, .changed = on_slice, .trouble = on_trouble, .arg = a,
	};
	int r = xb_informer_new(&services, &a->services_informer);

	if (!r)
		r = xb_informer_new(&slices, &a->slices_informer);
	return !r && a->c.host_ports ? follow_pods(a) : r;
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
	host_ports_free(a->host_ports);
	networks_free(a->networks);
	node_free(a->node);
	xb_links_free(a->links);
	faults_free(a->faults);
	health_ports_free(a->health_ports);
	services_free(a->services);
	services_free(a->pods);
	if (a->tables)
		a->c.plane->close(a->tables);
	uv_close((uv_handle_t *)&a->before_sleep, handle_closed);
	uv_close((uv_handle_t *)&a->retry, handle_closed);
	return NULL;
}

static bool is_healthy(void *arg)
{
	struct agent_health h;

	agent_health(arg, &h);
	return h.healthy;
}

static int serve_health_checks(struct agent *a)
{
	struct health_ports_config c = { .loop = xb_rest_loop(a->c.rest), .node = a->node, .healthy = is_healthy, .arg = a };

	a->health_ports = health_ports_new(&c);
	return a->health_ports ? 0 : -ENOMEM;
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
	a->services = services_new("services");
	a->pods = services_new("pods");
	a->faults = faults_new(c->rest, c->node_name);
	if (!a->services || !a->pods || !a->faults)
		return -ENOMEM;
	r = follow_node(a, reterr_why);
	if (!r)
		r = serve_health_checks(a);
	if (!r)
		r = open_tables(a, reterr_why);
	if (!r)
		r = follow_links(a);
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
		.host_ports = a->c.host_ports, .host_ports_synced = host_ports_synced(a->host_ports),
		.last_updated_us = a->metrics.last_sync_us ? a->metrics.last_sync_us : a->metrics.start_us,
	};
}

const char *agent_mode(const struct agent *a)
{
	return a->c.plane->mode;
}

int agent_renew(struct agent *a, char **reterr_why)
{
	int r;

	if (!synced(a) || a->failed)
		return xb_why(reterr_why, -EAGAIN, "the API server's lists are not whole yet");
	log_info("adopting the tables anew and setting all Services, as was asked for");
	a->c.plane->close(TAKE_PTR(a->tables));
	r = open_tables(a, reterr_why);
	if (r < 0) {
		fail(a);
		return r;
	}
	bring_devices(a);
	start_anew(a);
	flush(&a->before_sleep);
	return 0;
}

struct metrics *agent_metrics(struct agent *a)
{
	return &a->metrics;
}

void agent_write_metrics(const struct agent *a, struct xb_buf *out)
{
	struct metrics_now now = {
		.synced = synced(a), .services_known = services_count(a->services), .unprogrammed = faults_count(a->faults),
		.pending = services_dirty(a->services), .host_ports = a->c.host_ports,
	};

	if (a->tables)
		a->c.plane->stats(a->tables, &now.tables);
	xb_informer_stats(a->services_informer, &now.services);
	xb_informer_stats(a->slices_informer, &now.slices);
	if (a->host_ports)
		host_ports_stats(a->host_ports, &now.pods);
	proxy_metrics_write(&a->metrics, &now, out);
}
