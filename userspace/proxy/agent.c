/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent_state.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/vec.h"
#include "xb/why.h"

#define UNHEALTHY_MS 60000

/* What no plan reads of a Service, and what it takes for said: the copies are a third without it. */
static const char *const leave_out[] = {
	"apiVersion", "kind", "metadata.managedFields", "metadata.ownerReferences", "metadata.finalizers", "metadata.generateName",
	"metadata.creationTimestamp", "metadata.generation", "metadata.labels",
	"metadata.annotations.kubectl.kubernetes.io/last-applied-configuration", "spec.selector", "spec.ports.targetPort",
	"spec.ports.appProtocol", "spec.ports.protocol=\"TCP\"", "spec.ipFamilies", "spec.ipFamilyPolicy", "spec.type=\"ClusterIP\"",
	"spec.sessionAffinity=\"None\"", "spec.internalTrafficPolicy=\"Cluster\"", "spec.externalTrafficPolicy=\"Cluster\"",
	"spec.allocateLoadBalancerNodePorts", "status.loadBalancer={}", "status.conditions", NULL,
};

/* Said twice by each server that knows more than one. */
static const char *const leave_out_then[] = { "spec.clusterIP", NULL };

static bool has_cluster_ips(struct xb_jv service)
{
	return xb_jv_count(xb_jv_path(service, "spec", "clusterIPs"));
}

bool agent_synced(const struct agent *a)
{
	return xb_informer_synced(a->services_informer) && xb_informer_synced(a->slices_informer) && networks_synced(a->networks);
}

void agent_fail(struct agent *a)
{
	if (!a->failed)
		a->c.failed(a->c.arg);
	a->failed = true;
}

/* --- what comes in --- */
static void count_event(struct agent *a, uint64_t *count)
{
	++*count;
	a->metrics.last_queued_us = xb_time_now();
	if (!a->events++)
		a->woken_ns = xb_rest_woken_ns(a->c.rest);
}

static void on_service(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct agent *a = arg;

	count_event(a, &a->metrics.service_changes);
	/* An index that missed a change would keep a view of a document that is gone. */
	if (services_service_changed(a->services, old, object) < 0)
		agent_fail(a);
}

/* What plans read of a slice, on a document without anything in it. */
static int pack_slice(void *arg, struct xb_jv object, struct xb_json **ret)
{
	const struct agent *a = arg;
	_cleanup_(xb_plan_slice_freep) struct xb_plan_slice *slice = NULL;
	int r = xb_plan_slice_new(object, a->c.node_name, &slice);

	if (!r)
		r = xb_json_parse(XB_SV("{}"), NULL, ret, NULL);
	if (!r)
		xb_plan_slice_attach(TAKE_PTR(slice), *ret);
	return r;
}

static void on_slice(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct agent *a = arg;

	count_event(a, &a->metrics.endpoint_changes);
	if (services_slice_changed(a->services, xb_plan_slice_of(old.doc), xb_plan_slice_of(object.doc)) < 0)
		agent_fail(a);
}

static void on_pod(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct agent *a = arg;

	if (services_service_changed(a->pods, old, object) < 0)
		agent_fail(a);
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
		const struct xb_plan_addr *addrs;
		size_t n = node_addrs(a->node, families[i], &addrs);
		int r = a->c.plane->set_node_addrs(a->tables, families[i], addrs, n);

		if (r == -ESTALE)
			agent_start_anew(a);
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
		agent_bring_node(a);
}

static void on_networks(void *arg)
{
	struct agent *a = arg;

	if (a->applied && !a->failed)
		agent_bring_node(a);
}

static void on_links(void *arg)
{
	agent_bring_devices(arg);
}

/* --- the agent --- */
static int open_tables(struct agent *a, char **reterr_why)
{
	struct apply_config c = {
		.bpffs_path = a->c.bpffs_path, .cgroup_path = a->c.cgroup_path, .xdp_devices = a->c.xdp_devices,
		.loop = xb_rest_loop(a->c.rest), .flows_most = a->c.flows_most,
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
		agent_bring_devices(a);
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
		.rest = a->c.rest, .path = "/api/v1/services", .label_selector = XB_PLAN_SELECTOR,
		.leave_out = leave_out, .leave_out_then = leave_out_then, .when = has_cluster_ips,
		.changed = on_service, .trouble = on_trouble, .arg = a,
	};
	struct xb_informer_config slices = {
		.rest = a->c.rest, .path = "/apis/discovery.k8s.io/v1/endpointslices", .label_selector = XB_PLAN_SELECTOR,
		.transform = pack_slice, .changed = on_slice, .trouble = on_trouble, .arg = a,
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
	uv_close((uv_handle_t *)&a->tend, handle_closed);
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
	uv_timer_init(loop, &a->tend);
	a->before_sleep.data = a->retry.data = a->tend.data = a;
	a->handles = 3;
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
	uv_prepare_start(&a->before_sleep, agent_flush);
	uv_timer_start(&a->tend, agent_tend, 0, 0);
	*ret = TAKE_PTR(a);
	return 0;
}

void agent_health(const struct agent *a, struct agent_health *ret)
{
	int64_t oldest = agent_synced(a) ? services_oldest_dirty_ms(a->services) : 0;

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

	if (!agent_synced(a) || a->failed)
		return xb_why(reterr_why, -EAGAIN, "the API server's lists are not whole yet");
	log_info("adopting the tables anew and setting all Services, as was asked for");
	a->c.plane->close(TAKE_PTR(a->tables));
	r = open_tables(a, reterr_why);
	if (r < 0) {
		agent_fail(a);
		return r;
	}
	agent_bring_devices(a);
	agent_start_anew(a);
	agent_flush(&a->before_sleep);
	return 0;
}

struct metrics *agent_metrics(struct agent *a)
{
	return &a->metrics;
}

void agent_write_metrics(const struct agent *a, struct xb_buf *out)
{
	struct metrics_now now = {
		.synced = agent_synced(a), .services_known = services_count(a->services), .unprogrammed = faults_count(a->faults),
		.pending = services_dirty(a->services),
		.host_ports = a->c.host_ports, .host_ports_synced = host_ports_synced(a->host_ports),
		.cluster_cidr = networks_cluster_cidr(a->networks), .nodeport_addresses = a->c.nodeport_addresses,
		.masquerade_all = a->c.masquerade_all,
	};

	if (a->tables)
		a->c.plane->stats(a->tables, &now.tables);
	now.counted = a->tables && a->c.plane->reasons && a->c.plane->reasons(a->tables, now.reasons) == 0;
	xb_informer_stats(a->services_informer, &now.services);
	xb_informer_stats(a->slices_informer, &now.slices);
	if (a->host_ports)
		host_ports_stats(a->host_ports, &now.pods);
	proxy_metrics_write(&a->metrics, &now, out);
}
