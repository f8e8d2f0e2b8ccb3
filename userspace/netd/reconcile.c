/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "reconcile.h"
#include "xb/map.h"
#include "xb/why.h"

/* Something that the kernel is to hold: a route or a neighbour entry, found by its key. */
struct want {
	char key[1 + sizeof(struct xb_net)];
	size_t key_bytes;
	const struct xb_route *route;   /* or */
	const struct xb_neigh *neigh;
	struct target *of;              /* NULL: of this node itself */
	bool have;
};
struct comparison {
	struct routes *r;
	struct want *wants;
	size_t n;
	struct xb_map *by_key;
	struct route_list routes;
	struct neigh_list neighs;
};

static void comparison_done(struct comparison *c)
{
	free(c->wants);
	xb_map_free(c->by_key);
	xb_vec_done(&c->routes);
	xb_vec_done(&c->neighs);
}

/* Routes are told apart by where they lead, neighbours by address, forwarding entries by hardware address. */
static size_t route_key(const struct xb_route *route, char *ret)
{
	ret[0] = 'r';
	memcpy(ret + 1, &route->dst, sizeof(route->dst));
	return 1 + sizeof(route->dst);
}

static size_t neigh_key(const struct xb_neigh *e, char *ret)
{
	size_t n = e->forwarding ? sizeof(e->mac) : sizeof(e->ip);

	ret[0] = e->forwarding ? 'f' : 'n';
	memcpy(ret + 1, e->forwarding ? (const void *)e->mac : (const void *)&e->ip, n);
	return 1 + n;
}

/* Of two nodes that claim the same, which is the cluster's mistake, the first has it. */
static int want(struct comparison *c, const struct xb_route *route, const struct xb_neigh *neigh, struct target *of)
{
	struct want *w = &c->wants[c->n];

	*w = (struct want){ .route = route, .neigh = neigh, .of = of };
	w->key_bytes = route ? route_key(route, w->key) : neigh_key(neigh, w->key);
	if (xb_map_get(c->by_key, (struct xb_sv){ w->key, w->key_bytes })) {
		if (of && route && !of->fault)
			of->fault = xb_why(&of->why, -EADDRINUSE, "another node has the pod network %s as well", xb_net_format(&route->dst).s);
		return 0;
	}
	c->n++;
	return xb_map_set(c->by_key, (struct xb_sv){ w->key, w->key_bytes }, w, NULL);
}

static int want_path(struct comparison *c, struct target *t)
{
	int r = path_uses_vxlan(&t->path) ? want(c, NULL, &t->path.entry, t) : 0;

	for (int f = 0; !r && f < FAMILIES; f++) {
		if (t->path.way[f] == WAY_VXLAN)
			r = want(c, NULL, &t->path.neighs[f], t);
		if (!r && t->path.way[f] != WAY_NONE)
			r = want(c, &t->path.routes[f], NULL, t);
	}
	return r;
}

static int keep_route(void *arg, const struct xb_route *route)
{
	struct route_list *list = arg;

	return xb_vec_push(list, *route);
}

static int keep_neigh(void *arg, const struct xb_neigh *e)
{
	struct neigh_list *list = arg;

	return e->permanent ? xb_vec_push(list, *e) : 0;
}

static int read_kernel(struct comparison *c)
{
	struct xb_netlink *n = c->r->netlink;
	int r = xb_netlink_each_route(n, AF_INET, PATH_PROTOCOL, 0, keep_route, &c->routes);

	if (!r)
		r = xb_netlink_each_route(n, AF_INET6, PATH_PROTOCOL, 0, keep_route, &c->routes);
	if (!r && c->r->vxlan)
		r = xb_netlink_each_neigh(n, c->r->vxlan, true, keep_neigh, &c->neighs);
	if (!r && c->r->vxlan)
		r = xb_netlink_each_neigh(n, c->r->vxlan, false, keep_neigh, &c->neighs);
	return r;
}

static struct want *find(const struct comparison *c, const char *key, size_t n)
{
	return xb_map_get(c->by_key, (struct xb_sv){ key, n });
}

/* What is there and not wanted goes; what is there in another form is replaced in place. */
static void compare_routes(struct comparison *c)
{
	for (size_t i = 0; i < c->routes.n; i++) {
		const struct xb_route *have = &c->routes.v[i];
		char key[1 + sizeof(struct xb_net)];
		struct want *w = find(c, key, route_key(have, key));

		if (w && !w->have && path_same_route(w->route, have)) {
			w->have = true;
			continue;
		}
		c->r->repairs += c->r->begun;
		if (w && !w->have && !xb_netlink_replace_route(c->r->netlink, w->route))
			w->have = true;
		else
			xb_netlink_del_route(c->r->netlink, have);
	}
}

static void compare_neighs(struct comparison *c)
{
	for (size_t i = 0; i < c->neighs.n; i++) {
		const struct xb_neigh *have = &c->neighs.v[i];
		char key[1 + sizeof(struct xb_net)];
		struct want *w = find(c, key, neigh_key(have, key));

		if (w && path_same_neigh(w->neigh, have)) {
			w->have = true;
			continue;
		}
		c->r->repairs += c->r->begun;
		xb_netlink_del_neigh(c->r->netlink, have);
	}
}

static void add_missing(struct comparison *c, bool routes)
{
	for (size_t i = 0; i < c->n; i++) {
		struct want *w = &c->wants[i];
		int r;

		if (w->have || routes != (w->route != NULL))
			continue;
		c->r->repairs += c->r->begun;
		r = w->route ? xb_netlink_add_route(c->r->netlink, w->route) : xb_netlink_set_neigh(c->r->netlink, w->neigh);
		if (r >= 0 || !w->of || w->of->fault)
			continue;
		w->of->fault = r;
		if (r == -EEXIST)
			xb_why(&w->of->why, r, "there is a route to %s that is none of ours", xb_net_format(&w->route->dst).s);
		else
			xb_why(&w->of->why, r, "cannot set its %s: %s", w->route ? "route" : "neighbour entry", xb_netlink_why(c->r->netlink, r));
	}
}

int reconcile(struct routes *r, struct target *const *all, size_t n, char **reterr_why)
{
	_cleanup_(comparison_done) struct comparison c = { .r = r };
	struct xb_route own[FAMILIES];
	int code = 0;

	c.wants = calloc(n * (1 + 2 * FAMILIES) + FAMILIES, sizeof(*c.wants));
	c.by_key = xb_map_new(XB_MAP_BORROW);
	if (!c.wants || !c.by_key)
		return -ENOMEM;
	/* What is sent to a pod that is gone is refused; it would else go out by the default route, and come back. */
	for (int f = 0; !code && f < FAMILIES; f++) {
		own[f] = (struct xb_route){ .dst = r->self.cidrs[f], .type = RTN_UNREACHABLE, .protocol = PATH_PROTOCOL };
		if (own[f].dst.ip.family != AF_UNSPEC)
			code = want(&c, &own[f], NULL, NULL);
	}
	for (size_t i = 0; !code && i < n; i++)
		code = want_path(&c, all[i]);
	if (!code)
		code = read_kernel(&c);
	if (code < 0)
		return xb_why(reterr_why, code, "cannot read this node's routes: %s", xb_netlink_why(r->netlink, code));
	/* Neighbours go before routes by them, as packets follow at once. */
	compare_neighs(&c);
	add_missing(&c, false);
	compare_routes(&c);
	add_missing(&c, true);
	r->begun = true;
	return 0;
}
