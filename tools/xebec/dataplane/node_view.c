/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "node_view.h"
#include "xb/file.h"
#include "xb/why.h"
#include "../xalloc.h"

void node_view_done(struct node_view *v)
{
	free(v->zone);
	xb_plan_port_networks_done(&v->port_networks);
	xb_json_unref(v->object);
	xb_vec_done(&v->addrs);
}

static int read_object(struct api *a, const char *name, struct node_view *v, char **reterr_why)
{
	_cleanup_free_ char *path = xprintf("/api/v1/nodes/%s", name), *why = NULL;
	struct xb_jv labels;
	int r = api_get(a, path, &v->object, &why);

	if (r == 404)
		return xb_why(reterr_why, -ENOENT, "there is no Node \"%s\": --hostname-override says which this is", name);
	if (r != 200) {
		*reterr_why = TAKE_PTR(why);
		return r < 0 ? r : -EIO;
	}
	v->facts.node = xb_json_root(v->object);
	labels = xb_jv_path(v->facts.node, "metadata", "labels");
	v->zone = xalloc(xb_sv_dup(xb_jv_text(xb_jv_get(labels, "topology.kubernetes.io/zone"))));
	return 0;
}

/* As kube-proxy, which does without where there are none, or where it may not list them. */
static int read_service_cidrs(struct api *a, struct node_view *v, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *list = NULL;
	_cleanup_free_ char *why = NULL;
	int r = api_get(a, "/apis/networking.k8s.io/v1/servicecidrs", &list, &why);

	if (r != 200 && r != 403 && r != 404) {
		*reterr_why = TAKE_PTR(why);
		return r < 0 ? r : -EIO;
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(xb_json_root(list), "items")); r == 200 && xb_jit_next(&it);)
		xb_plan_nets_add_service_cidr(it.value, v->services);
	xb_plan_nets_sort(v->services);
	v->facts.services = v->services;
	return 0;
}

static int read_kernel(struct node_view *v, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf ports = {};
	const struct xb_ifaddr *addrs;
	struct xb_addrs *kernel = NULL;
	uv_loop_t loop;
	int r;

	uv_loop_init(&loop);
	r = xb_addrs_new(&loop, NULL, NULL, &kernel);
	for (size_t i = 0, n = r < 0 ? 0 : xb_addrs_get(kernel, &addrs); i < n; i++)
		xalloc(xb_vec_push(&v->addrs, addrs[i]) ? NULL : v->addrs.v);
	xb_addrs_free(kernel);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	if (r < 0)
		return xb_why(reterr_why, r, "cannot read this node's addresses: %s", strerror(-r));
	v->facts.addrs = v->addrs.v;
	v->facts.n_addrs = v->addrs.n;
	r = xb_file_read("/proc/sys/net/ipv4/ip_local_port_range", 64, &ports);
	if (r < 0 || sscanf(ports.p, "%d %d", &v->facts.local_first, &v->facts.local_last) != 2)
		return xb_why(reterr_why, r < 0 ? r : -EINVAL, "cannot read net.ipv4.ip_local_port_range");
	return 0;
}

/* What it says are flags that it took. */
static int take_told(const struct agent_says *says, struct node_view *v, char **reterr_why)
{
	struct xb_sv rest = xb_sv(says->nodeport_addresses), one;
	int r = 0;

	if (*says->cluster_cidr) {
		r = xb_plan_nets_add(xb_sv(says->cluster_cidr), v->cluster);
		v->facts.cluster = v->cluster;
	}
	while (!r && rest.n && xb_sv_split(&rest, ',', &one)) {
		_cleanup_free_ char *text = xalloc(xb_sv_dup(one));

		r = xb_plan_port_networks_add(&v->port_networks, text);
	}
	if (r < 0)
		return xb_why(reterr_why, r, "kube-proxy says \"%s\" and \"%s\" where networks were expected", says->cluster_cidr,
			      says->nodeport_addresses);
	v->facts.masquerade_all = says->masquerade_all;
	v->told = true;
	return 0;
}

int node_view_read(struct api *a, const char *name, const struct agent_says *says, struct node_view *v, char **reterr_why)
{
	int r = read_object(a, name, v, reterr_why);

	if (!r)
		r = read_service_cidrs(a, v, reterr_why);
	if (!r)
		r = read_kernel(v, reterr_why);
	return r || !says->cluster_cidr || !says->nodeport_addresses ? r : take_told(says, v, reterr_why);
}
