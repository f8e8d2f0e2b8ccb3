/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>

#include "health_ports.h"
#include "xb/http_server.h"
#include "xb/ip.h"
#include "xb/map.h"
#include "xb/why.h"

struct health_ports {
	struct health_ports_config c;
	struct xb_map *by_service;      /* struct health_port */
};

struct health_port {
	struct health_ports *all;
	struct xb_http_server *server;
	__u16 port;
	unsigned local;
	bool whole;                     /* at each address */
	char service[];
};

/* --- answering --- */
static void on_request(struct xb_http_request *r, void *arg)
{
	const struct health_port *p = arg;
	_cleanup_buf_ struct xb_buf body = {};
	bool healthy = p->all->c.healthy(p->all->c.arg);
	struct xb_sv name = xb_sv(p->service), namespace_;
	char weight[16];

	xb_sv_split(&name, '/', &namespace_);
	xb_buf_addf(&body, "{\n\t\"service\": {\n\t\t\"namespace\": \"%.*s\",\n\t\t\"name\": \"%.*s\"\n\t},\n\t\"localEndpoints\": %u,\n"
		    "\t\"serviceProxyHealthy\": %s\n}", XB_SV_ARG(namespace_), XB_SV_ARG(name), p->local, healthy ? "true" : "false");
	snprintf(weight, sizeof(weight), "%u", p->local);
	xb_http_add_header(r, "X-Content-Type-Options", "nosniff");
	xb_http_add_header(r, "X-Load-Balancing-Endpoint-Weight", weight);
	xb_http_respond_buf(r, healthy && p->local ? 200 : 503, "application/json", &body);
}

/* --- listening --- */
static int listen_at(struct health_port *p, int family, const struct xb_plan_addr *addr)
{
	struct sockaddr_in at4 = { .sin_family = AF_INET, .sin_port = htons(p->port) };
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_port = htons(p->port) };

	memcpy(&at4.sin_addr, addr->b, sizeof(at4.sin_addr));
	memcpy(&at6.sin6_addr, addr->b, sizeof(at6.sin6_addr));
	/* of no use without the name of a device */
	if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&at6.sin6_addr))
		return 0;
	return xb_http_server_listen(p->server, family == AF_INET ? (struct sockaddr *)&at4 : (struct sockaddr *)&at6);
}

static int listen_at_all(struct health_port *p)
{
	static const struct xb_plan_addr any;
	int r = listen_at(p, AF_INET6, &any); /* takes IPv4 as well */

	return r == -EAFNOSUPPORT ? listen_at(p, AF_INET, &any) : r;
}

static int why_not(const struct health_port *p, int family, const struct xb_plan_addr *addr, int r, char **reterr_why)
{
	struct xb_ip ip = { .family = family };

	memcpy(ip.b, addr->b, sizeof(ip.b));
	errno = -r;
	return xb_why(reterr_why, r, "healthCheckNodePort: cannot listen at port %u of %s: %m", p->port, xb_ip_format(&ip).s);
}

static int listen_each(struct health_port *p, char **reterr_why)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const struct xb_plan_addr any;
	int first = 0;

	if (node_addrs_are_all(p->all->c.node)) {
		first = listen_at_all(p);
		return first < 0 ? why_not(p, AF_INET6, &any, first, reterr_why) : 0;
	}
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		const struct xb_plan_addr *addrs;
		size_t n = node_addrs(p->all->c.node, families[f], &addrs);

		for (size_t i = 0; i < n; i++) {
			int r = listen_at(p, families[f], &addrs[i]);

			if (r < 0 && !first)
				first = why_not(p, families[f], &addrs[i], r, reterr_why);
		}
	}
	return first;
}

static int start(struct health_port *p, char **reterr_why)
{
	struct xb_http_config c = {
		.loop = p->all->c.loop, .handler = on_request, .arg = p, .max_body_bytes = 4096, .max_connections = 200, .idle_seconds = 60,
	};
	int r;

	xb_http_server_free(TAKE_PTR(p->server));
	r = xb_http_server_new(&c, &p->server);
	if (!r)
		r = listen_each(p, reterr_why);
	p->whole = !r;
	return r;
}

/* --- the services --- */
static void port_free(struct health_port *p)
{
	xb_http_server_free(p->server);
	free(p);
}

static int port_of(struct health_ports *h, const char *service, struct health_port **ret)
{
	size_t n = strlen(service);
	struct health_port *p = xb_map_get(h->by_service, xb_sv(service));
	int r;

	if (!p) {
		p = calloc(1, sizeof(*p) + n + 1);
		if (!p)
			return -ENOMEM;
		p->all = h;
		memcpy(p->service, service, n);
		r = xb_map_set(h->by_service, xb_sv(p->service), p, NULL);
		if (r < 0) {
			free(p);
			return r;
		}
	}
	*ret = p;
	return 0;
}

int health_ports_set(struct health_ports *h, const char *service, __u16 port, unsigned local, char **reterr_why)
{
	struct health_port *p;
	int r;

	if (!port) {
		p = xb_map_del(h->by_service, xb_sv(service));
		if (p)
			port_free(p);
		return 0;
	}
	r = port_of(h, service, &p);
	if (r < 0)
		return r;
	p->local = local;
	if (p->whole && p->port == port)
		return 0;
	p->port = port;
	return start(p, reterr_why);
}

void health_ports_move(struct health_ports *h)
{
	for (struct xb_map_it it = {}; xb_map_next(h->by_service, &it);)
		((struct health_port *)it.value)->whole = false;
}

struct health_ports *health_ports_free(struct health_ports *h)
{
	if (!h)
		return NULL;
	for (struct xb_map_it it = {}; h->by_service && xb_map_next(h->by_service, &it);)
		port_free(it.value);
	xb_map_free(h->by_service);
	free(h);
	return NULL;
}

struct health_ports *health_ports_new(const struct health_ports_config *c)
{
	_cleanup_(health_ports_freep) struct health_ports *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->c = *c;
	h->by_service = xb_map_new(XB_MAP_BORROW);
	return h->by_service ? TAKE_PTR(h) : NULL;
}
