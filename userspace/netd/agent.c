/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/netfilter/nfnetlink.h>

#include "agent.h"
#include "conflist.h"
#include "masq.h"
#include "node_status.h"
#include "routes.h"
#include "xb/informer.h"
#include "xb/log.h"
#include "xb/map.h"
#include "xb/prometheus.h"
#include "xb/sysctl.h"
#include "xb/time.h"
#include "xb/vec.h"
#include "xb/why.h"

#define SETTLE_MS    100            /* what is taken away together is put back together */
#define RETRY_MS     10000
#define UNHEALTHY_MS 60000

/* What no part of this reads, and makes up most of a Node. */
static const char *const leave_out[] = {
	"metadata.managedFields", "metadata.annotations", "metadata.labels", "metadata.ownerReferences", "spec.taints", "status.images",
	"status.nodeInfo", "status.conditions", "status.capacity", "status.allocatable", "status.volumesInUse", "status.volumesAttached",
	"status.config", "status.daemonEndpoints", "status.runtimeHandlers", "status.features", NULL,
};

struct agent {
	struct xb_rest *rest;
	const struct options *o;
	struct xb_informer *nodes;
	struct node_status *status;
	struct xb_netlink_monitor *route_monitor, *masq_monitor;
	struct routes *routes;
	struct masq *masq;          /* NULL: not wanted */
	struct peer self;
	struct xb_map *by_name;     /* struct target */
	XB_VEC(struct target *) targets;
	XB_VEC(struct target *) dirty;
	bool all, masq_all;         /* to be made whole */
	bool ready;                 /* once everything was in place */
	bool forwarding;            /* is on, by us */
	bool failing;               /* and that was said */
	bool blocked;               /* after a failure, until it is time for another attempt */
	int64_t waiting_ms;         /* since when something waits for the kernel; 0: nothing */
	int64_t start_us;
	uint64_t reconciles, faults;
	uv_prepare_t before_sleep;
	uv_timer_t settle, retry;
	unsigned handles;           /* of libuv, still open */
};

static void wait_for_kernel(struct agent *a)
{
	a->waiting_ms = a->waiting_ms ? a->waiting_ms : xb_time_ms();
}

/* --- Nodes --- */
static struct target *add_target(struct agent *a, struct xb_jv node)
{
	struct target *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->name = xb_jv_dup(xb_jv_path(node, "metadata", "name"));
	if (!t->name || xb_vec_room(&a->dirty, 1) < 0 || xb_vec_push(&a->targets, t) < 0) {
		free(t->name);
		free(t);
		return NULL;
	}
	if (xb_map_set(a->by_name, xb_sv(t->name), t, NULL) < 0) {
		a->targets.n--;
		free(t->name);
		free(t);
		return NULL;
	}
	return t;
}

static void forget_target(struct agent *a, struct target *t)
{
	for (size_t i = 0; i < a->dirty.n; i++)
		if (a->dirty.v[i] == t)
			xb_vec_remove(&a->dirty, i);
	for (size_t i = 0; i < a->targets.n; i++)
		if (a->targets.v[i] == t) {
			a->targets.v[i] = a->targets.v[--a->targets.n];
			break;
		}
	xb_map_del(a->by_name, xb_sv(t->name));
	free(t->name);
	free(t->why);
	free(t);
}

static void masq_one(struct agent *a, const struct peer *had, const struct peer *now)
{
	if (a->ready && a->masq && !a->masq_all && masq_change(a->masq, had, now) < 0)
		a->masq_all = true;
}

static bool has_cidr(const struct peer *p)
{
	return p->cidrs[0].ip.family != AF_UNSPEC || p->cidrs[1].ip.family != AF_UNSPEC;
}

static void self_changed(struct agent *a, struct xb_jv node)
{
	struct peer now = {};

	if (xb_jv_is(node))
		peer_read(node, &now);
	/* One that is gone, or was made anew and has no range yet, says nothing of the pods that are here. */
	if (!has_cidr(&now) || peer_eq(&a->self, &now))
		return;
	a->self = now;
	routes_set_self(a->routes, &now);
	a->all = a->masq_all = true;
	wait_for_kernel(a);
}

static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct agent *a = arg;
	struct xb_jv name = xb_jv_path(xb_jv_is(node) ? node : old, "metadata", "name");
	struct target *t = xb_map_get(a->by_name, xb_jv_text(name));
	struct peer now = {}, had;

	if (xb_jv_streq(name, xb_sv(a->o->node_name))) {
		self_changed(a, node);
	} else if (!xb_jv_is(node)) {
		if (!t)
			return;
		routes_change(a->routes, t, true);
		masq_one(a, &t->peer, NULL);
		forget_target(a, t);
	} else {
		peer_read(node, &now);
		if (t && peer_eq(&t->peer, &now))
			return;
		t = t ? t : add_target(a, node);
		/* The copy has it all the same: what is looked at next is all of it. */
		if (!t || (!t->dirty && xb_vec_push(&a->dirty, t) < 0)) {
			a->all = a->masq_all = true;
			return;
		}
		had = t->peer;
		t->dirty = true;
		t->peer = now;
		masq_one(a, &had, &now);
		wait_for_kernel(a);
	}
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s; trying on, routes stay as they are", path, why);
	else
		log_info("%s: the API server answers again", path);
}

/* --- the kernel --- */

/* A node that has its default route from router advertisements would refuse them once it forwards, unless told not to. */
static int forward_ipv6(struct agent *a)
{
	struct xb_link l;
	struct xb_route to;
	struct xb_ip outside = { AF_INET6, { 0x20 } };
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	int on = 0, accept = 0, r = xb_sysctl_get(&on, "net/ipv6/conf/all/forwarding");

	if (r < 0 || on)
		return r;
	if (!xb_netlink_new(&n) && !xb_netlink_route_to(n, &outside, &to) && !xb_netlink_get_link(n, to.ifindex, &l) &&
	    !xb_sysctl_get(&accept, "net/ipv6/conf/%s/accept_ra", l.name) && accept == 1)
		xb_sysctl_set("2", "net/ipv6/conf/%s/accept_ra", l.name);
	return xb_sysctl_set("1", "net/ipv6/conf/all/forwarding");
}

static int forward(struct agent *a, char **reterr_why)
{
	int r = a->self.cidrs[0].ip.family != AF_UNSPEC ? xb_sysctl_set("1", "net/ipv4/ip_forward") : 0;

	if (!r && a->self.cidrs[1].ip.family != AF_UNSPEC)
		r = forward_ipv6(a);
	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "cannot turn on forwarding: %m");
	}
	return 0;
}

static void tell_fault(struct agent *a, struct target *t)
{
	if (t->fault && !t->told) {
		log_warning("node %s: its pods cannot be reached: %s", t->name, t->why ? t->why : strerror(-t->fault));
		a->faults++;
	} else if (!t->fault && t->told) {
		log_info("node %s: its pods can be reached now", t->name);
	}
	t->told = t->fault;
}

static int masquerade(struct agent *a, char **reterr_why)
{
	const struct peer **peers = calloc(a->targets.n + 1, sizeof(*peers));
	int r = peers ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < a->targets.n; i++)
		peers[i] = &a->targets.v[i]->peer;
	if (!r)
		r = masq_set(a->masq, &a->self, peers, a->targets.n, reterr_why);
	free(peers);
	return r;
}

static int write_conflist(struct agent *a, char **reterr_why)
{
	bool written = false;
	int r;

	if (!*a->o->cni_conf_dir || !has_cidr(&a->self))
		return 0;
	r = conflist_write(a->o->cni_conf_dir, &a->self, routes_pod_mtu(a->routes), a->o->cni_data_dir, &written, reterr_why);
	if (written)
		log_info("%s/10-xebec.conflist: pods get addresses of %s and %s, MTU %u", a->o->cni_conf_dir,
			 xb_net_format(&a->self.cidrs[0]).s, xb_net_format(&a->self.cidrs[1]).s, routes_pod_mtu(a->routes));
	return r;
}

static int set_all(struct agent *a, char **reterr_why)
{
	int r = a->forwarding ? 0 : forward(a, reterr_why);

	a->forwarding = !r && has_cidr(&a->self);
	if (!r && a->all)
		r = routes_reconcile(a->routes, a->targets.v, a->targets.n, reterr_why);
	if (r < 0)
		return r;
	if (a->all) {
		a->reconciles++;
		a->dirty.n = 0;
		for (size_t i = 0; i < a->targets.n; i++)
			a->targets.v[i]->dirty = false;
	}
	a->all = false;
	if (a->masq_all && a->masq)
		r = masquerade(a, reterr_why);
	if (!r)
		a->masq_all = false;
	return r;
}

static void set_dirty(struct agent *a)
{
	for (size_t i = 0; i < a->dirty.n; i++) {
		struct target *t = a->dirty.v[i];

		t->dirty = false;
		routes_change(a->routes, t, false);
		tell_fault(a, t);
	}
	a->dirty.n = 0;
}

static bool any_fault(const struct agent *a)
{
	for (size_t i = 0; i < a->targets.n; i++)
		if (a->targets.v[i]->fault)
			return true;
	return false;
}

static void on_settled(uv_timer_t *t)
{
	struct agent *a = t->data;

	a->all = true;
}

static void on_retry(uv_timer_t *t)
{
	struct agent *a = t->data;

	a->blocked = false;
	a->all = true;
}

static void settle_later(struct agent *a, unsigned ms)
{
	if (!uv_is_active((uv_handle_t *)&a->settle))
		uv_timer_start(&a->settle, on_settled, ms, 0);
}

static void say_ready(struct agent *a)
{
	struct routes_stats s;

	routes_stats(a->routes, a->targets.v, a->targets.n, &s);
	log_info("%zu other nodes: %u networks are reached directly, %u by VXLAN", a->targets.n, s.direct, s.vxlan);
	a->ready = true;
}

/* What is done with the kernel is some 10 us a request; all of it is small. */
static void flush(uv_prepare_t *h)
{
	struct agent *a = h->data;
	_cleanup_free_ char *why = NULL;
	bool whole = a->all || !a->ready;
	int r;

	if (a->blocked || !xb_informer_synced(a->nodes) || (!whole && !a->masq_all && !a->dirty.n))
		return;
	a->all = whole;
	a->masq_all |= !a->ready;
	r = set_all(a, &why);
	if (!r)
		set_dirty(a);
	if (!r)
		r = write_conflist(a, &why);
	for (size_t i = 0; whole && i < a->targets.n; i++)
		tell_fault(a, a->targets.v[i]);
	if (r < 0) {
		if (!a->failing && r != -EINTR)
			log_warning("%s; trying on", why ? why : strerror(-r));
		a->failing = r != -EINTR;
		a->faults += r != -EINTR;
		a->blocked = true;
		/* What was being changed while it was read is read again soon. */
		uv_timer_start(&a->retry, on_retry, r == -EINTR ? SETTLE_MS : RETRY_MS, 0);
		return;
	}
	a->failing = false;
	a->waiting_ms = 0;
	if (!a->ready)
		say_ready(a);
	node_status_available(a->status, true);
	if (any_fault(a) && !uv_is_active((uv_handle_t *)&a->retry))
		uv_timer_start(&a->retry, on_retry, RETRY_MS, 0);
}

/* --- notices --- */
static void on_route_notice(void *arg, const struct nlmsghdr *h)
{
	struct agent *a = arg;

	if (a->ready && !uv_is_active((uv_handle_t *)&a->settle) && routes_matter(a->routes, a->targets.v, a->targets.n, h))
		settle_later(a, SETTLE_MS);
}

static void on_route_lost(void *arg)
{
	settle_later(arg, SETTLE_MS);
}

static void on_masq_notice(void *arg, const struct nlmsghdr *h)
{
	struct agent *a = arg;

	if (masq_matters(h)) {
		a->masq_all = true;
		settle_later(a, SETTLE_MS);
	}
}

static void on_masq_lost(void *arg)
{
	struct agent *a = arg;

	a->masq_all = true;
	settle_later(a, SETTLE_MS);
}

static int listen_to_kernel(struct agent *a, char **reterr_why)
{
	static const unsigned of_routes[] = {
		RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH, 0,
	};
	static const unsigned of_masq[] = { NFNLGRP_NFTABLES, 0 };
	struct xb_netlink_monitor_config c = {
		.loop = xb_rest_loop(a->rest), .bus = NETLINK_ROUTE, .groups = of_routes, .ignore = routes_portid(a->routes),
		.notice = on_route_notice, .lost = on_route_lost, .arg = a,
	};
	int r = xb_netlink_monitor_new(&c, &a->route_monitor);

	if (!r && a->masq) {
		c.bus = NETLINK_NETFILTER;
		c.groups = of_masq;
		c.ignore = masq_portid(a->masq);
		c.notice = on_masq_notice;
		c.lost = on_masq_lost;
		r = xb_netlink_monitor_new(&c, &a->masq_monitor);
	}
	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "cannot listen to the kernel's notices: %m");
	}
	return 0;
}

/* --- the agent --- */
static void handle_closed(uv_handle_t *h)
{
	struct agent *a = h->data;

	if (!--a->handles)
		free(a);
}

struct agent *netd_agent_free(struct agent *a)
{
	if (!a)
		return NULL;
	xb_informer_free(a->nodes);
	node_status_free(a->status);
	xb_netlink_monitor_free(a->route_monitor);
	xb_netlink_monitor_free(a->masq_monitor);
	while (a->targets.n)
		forget_target(a, a->targets.v[0]);
	xb_vec_done(&a->targets);
	xb_vec_done(&a->dirty);
	xb_map_free(a->by_name);
	routes_free(a->routes);
	masq_free(a->masq);
	uv_close((uv_handle_t *)&a->before_sleep, handle_closed);
	uv_close((uv_handle_t *)&a->settle, handle_closed);
	uv_close((uv_handle_t *)&a->retry, handle_closed);
	return NULL;
}

static int open_kernel(struct agent *a, char **reterr_why)
{
	const struct options *o = a->o;
	int r = routes_new(&(struct routes_config){ .mode = o->path_mode, .vni = (uint32_t)o->vni, .port = (uint16_t)o->vxlan_port,
						    .mtu = (uint32_t)o->mtu }, &a->routes, reterr_why);

	if (!r && o->masquerade)
		r = masq_new(&(struct masq_config){ o->cidrs, o->n_cidrs }, &a->masq, reterr_why);
	/* An earlier run may have been told otherwise. */
	if (!r && !o->masquerade)
		r = masq_cleanup(reterr_why);
	if (!r && *o->cni_bin_dir)
		r = conflist_install(o->cni_bin_dir, reterr_why);
	return r;
}

static int watch(struct agent *a)
{
	struct xb_informer_config c = {
		.rest = a->rest, .path = "/api/v1/nodes", .leave_out = leave_out, .changed = on_node, .trouble = on_trouble, .arg = a,
	};
	int r = node_status_new(a->rest, a->o->node_name, &a->status);

	return r < 0 ? r : xb_informer_new(&c, &a->nodes);
}

int netd_agent_new(struct xb_rest *rest, const struct options *o, struct agent **ret, char **reterr_why)
{
	_cleanup_(netd_agent_freep) struct agent *a = calloc(1, sizeof(*a));
	uv_loop_t *loop = xb_rest_loop(rest);
	int r;

	if (!a)
		return -ENOMEM;
	a->rest = rest;
	a->o = o;
	a->start_us = xb_time_now();
	a->waiting_ms = xb_time_ms();
	uv_prepare_init(loop, &a->before_sleep);
	uv_timer_init(loop, &a->settle);
	uv_timer_init(loop, &a->retry);
	a->before_sleep.data = a->settle.data = a->retry.data = a;
	a->handles = 3;
	a->by_name = xb_map_new(XB_MAP_BORROW);
	r = a->by_name ? open_kernel(a, reterr_why) : -ENOMEM;
	if (!r)
		r = listen_to_kernel(a, reterr_why);
	if (!r)
		r = watch(a);
	if (r < 0)
		return r;
	uv_prepare_start(&a->before_sleep, flush);
	*ret = TAKE_PTR(a);
	return 0;
}

bool netd_agent_healthy(const struct agent *a)
{
	return !a->waiting_ms || xb_time_ms() - a->waiting_ms < UNHEALTHY_MS;
}

void netd_agent_write_metrics(const struct agent *a, struct xb_buf *out)
{
	struct routes_stats s;
	size_t faulty = 0;

	routes_stats(a->routes, a->targets.v, a->targets.n, &s);
	for (size_t i = 0; i < a->targets.n; i++)
		faulty += a->targets.v[i]->fault != 0;
	xb_prom_one(out, "xebec_netd_nodes", "gauge", "Other nodes known", (double)a->targets.n);
	xb_prom_one(out, "xebec_netd_unreachable_nodes", "gauge", "Nodes whose pods cannot be reached", (double)faulty);
	xb_prom_head(out, "xebec_netd_routes", "gauge", "Pod networks of other nodes, by the way to them");
	xb_prom_sample(out, "xebec_netd_routes", "way=\"direct\"", s.direct);
	xb_prom_sample(out, "xebec_netd_routes", "way=\"vxlan\"", s.vxlan);
	xb_prom_one(out, "xebec_netd_reconciles_total", "counter", "Times that all routes were compared with the kernel's", (double)a->reconciles);
	xb_prom_one(out, "xebec_netd_repairs_total", "counter", "Routes and entries that others had changed", (double)s.repairs);
	xb_prom_one(out, "xebec_netd_faults_total", "counter", "Faults that were said", (double)a->faults);
	xb_prom_one(out, "xebec_netd_pod_mtu_bytes", "gauge", "MTU of pods made from now on", routes_pod_mtu(a->routes));
	xb_prom_process(out, a->start_us);
}

int netd_agent_cleanup(const struct options *o, char **reterr_why)
{
	int r = *o->cni_conf_dir ? conflist_remove(o->cni_conf_dir, reterr_why) : 0;

	if (!r)
		r = routes_cleanup(reterr_why);
	return r < 0 ? r : masq_cleanup(reterr_why);
}
