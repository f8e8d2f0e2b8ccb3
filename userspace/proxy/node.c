/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node.h"
#include "xb/informer.h"
#include "xb/vec.h"
#include "xb/why.h"

struct node {
	struct node_config c;
	struct xb_addrs *kernel;
	struct xb_informer *informer;
	struct xb_jv object;            /* the Node, {} while not known; its document is ours, too */
	char *zone;
	struct xb_plan_port_networks networks;
	struct xb_plan_addrs addrs[2];  /* IPv4, IPv6 */
};

/* Keeps the old addresses without memory for the new. Returns whether they changed. */
static bool refresh(struct node *n)
{
	struct xb_plan_addrs found[2] = {};
	const struct xb_ifaddr *all;
	size_t count = xb_addrs_get(n->kernel, &all);
	bool differ = false;
	int r = xb_plan_port_addrs(n->object, all, count, &n->networks, found);

	for (int i = 0; i < 2; i++) {
		if (!r && (found[i].n != n->addrs[i].n ||
			   (found[i].n && memcmp(found[i].v, n->addrs[i].v, found[i].n * sizeof(*found[i].v))))) {
			struct xb_plan_addrs old = n->addrs[i];

			n->addrs[i] = found[i];
			found[i] = old;
			differ = true;
		}
		xb_vec_done(&found[i]);
	}
	return differ;
}

static void on_kernel_change(void *arg)
{
	struct node *n = arg;

	n->c.changed(n->c.arg, NODE_FACTS | (refresh(n) ? NODE_PORT_ADDRS : 0));
}

/* Keeps the old one without memory for the new: the next change of the object tries again. */
static bool refresh_zone(struct node *n)
{
	struct xb_jv label = xb_jv_path(n->object, "metadata", "labels", "topology.kubernetes.io/zone");
	_cleanup_free_ char *zone = xb_sv_dup(xb_jv_text(label));

	if (!zone || !strcmp(zone, node_zone(n)))
		return false;
	free(n->zone);
	n->zone = TAKE_PTR(zone);
	return true;
}

/* A Node that is deleted counts as it was: its pods are still here. */
static void on_object(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct node *n = arg;

	if (!xb_jv_is(object))
		return;
	xb_json_ref(object.doc);
	xb_json_unref((struct xb_json *)n->object.doc);
	n->object = object;
	n->c.changed(n->c.arg, NODE_FACTS | (refresh_zone(n) ? NODE_ZONE : 0) | (n->networks.primary && refresh(n) ? NODE_PORT_ADDRS : 0));
}

static int parse_network(struct node *n, const char *text, char **reterr_why)
{
	int r = xb_plan_port_networks_add(&n->networks, text);

	if (r == -EINVAL)
		return xb_why(reterr_why, r, "--nodeport-addresses: \"%s\" is neither a network (10.0.0.0/8) nor \"primary\"", text);
	return r;
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	struct node *n = arg;

	n->c.trouble(n->c.arg, path, why);
}

static int watch_object(struct node *n)
{
	_cleanup_buf_ struct xb_buf selector = {};
	static const char *const leave_out[] = { "metadata.managedFields", "metadata.annotations", "status.images", "status.conditions",
						 "status.capacity", "status.allocatable", "status.nodeInfo", NULL };
	struct xb_informer_config c = { .rest = n->c.rest, .path = "/api/v1/nodes", .leave_out = leave_out, .changed = on_object,
					.trouble = on_trouble, .arg = n };

	xb_buf_addf(&selector, "metadata.name=%s", n->c.name);
	c.field_selector = selector.p;
	return selector.err ? selector.err : xb_informer_new(&c, &n->informer);
}

struct node *node_free(struct node *n)
{
	if (!n)
		return NULL;
	xb_informer_free(n->informer);
	xb_addrs_free(n->kernel);
	xb_plan_port_networks_done(&n->networks);
	xb_json_unref((struct xb_json *)n->object.doc);
	free(n->zone);
	xb_vec_done(&n->addrs[0]);
	xb_vec_done(&n->addrs[1]);
	free(n);
	return NULL;
}

int node_new(const struct node_config *c, struct node **ret, char **reterr_why)
{
	_cleanup_(node_freep) struct node *n = calloc(1, sizeof(*n));
	int r = 0;

	if (!n)
		return -ENOMEM;
	n->c = *c;
	for (size_t i = 0; !r && c->networks && c->networks[i]; i++)
		r = parse_network(n, c->networks[i], reterr_why);
	if (r < 0)
		return r;
	if (n->networks.primary && n->networks.n)
		return xb_why(reterr_why, -EINVAL, "--nodeport-addresses: \"primary\" must be the only value");
	r = xb_addrs_new(xb_rest_loop(c->rest), on_kernel_change, n, &n->kernel);
	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "cannot read this node's addresses: %m");
	}
	refresh(n);
	r = watch_object(n);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(n);
	return 0;
}

size_t node_addrs(const struct node *n, int family, const struct xb_plan_addr **ret)
{
	const struct xb_plan_addrs *a = &n->addrs[family == AF_INET6];

	*ret = a->v;
	return a->n;
}

bool node_addrs_are_all(const struct node *n)
{
	return !n->networks.primary && !n->networks.n;
}

bool node_synced(const struct node *n)
{
	return xb_informer_synced(n->informer);
}

struct xb_jv node_object(const struct node *n)
{
	return n->object;
}

const char *node_zone(const struct node *n)
{
	return n->zone ? n->zone : "";
}

size_t node_kernel_addrs(const struct node *n, const struct xb_ifaddr **ret)
{
	return xb_addrs_get(n->kernel, ret);
}

bool node_eligible(const struct node *n)
{
	if (xb_jv_text(xb_jv_path(n->object, "metadata", "deletionTimestamp")).n)
		return false;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(n->object, "spec", "taints")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "key"), XB_SV("ToBeDeletedByClusterAutoscaler")))
			return false;
	return true;
}
