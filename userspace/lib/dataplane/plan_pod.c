/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>

#include "plan_read.h"
#include "xb/vec.h"

static bool pod_addr(struct xb_jv status, int family, struct xb_plan_addr *ret)
{
	struct xb_jv ips = xb_jv_get(status, "podIPs");

	if (!xb_jv_count(ips))
		return xb_plan_read_addr(xb_jv_get(status, "podIP"), family, ret);
	for (struct xb_jit it = xb_jv_iter(ips); xb_jit_next(&it);)
		if (xb_plan_read_addr(xb_jv_get(it.value, "ip"), family, ret))
			return true;
	return false;
}

/* "namespace/pod:8080/TCP", with "10.0.0.1:" or "[fd00::1]:" before the port where the pod asks for one address. No Service's port
 * has a name with two slashes. */
static int make_name(struct xb_jv pod, struct xb_jv port, const struct xb_plan_port *p, char **ret)
{
	static const struct xb_plan_addr any;
	struct xb_jv meta = xb_jv_get(pod, "metadata"), proto = xb_jv_get(port, "protocol");
	char addr[INET6_ADDRSTRLEN];
	struct xb_buf name = {};

	xb_buf_addsv(&name, xb_jv_text(xb_jv_get(meta, "namespace")));
	xb_buf_addc(&name, '/');
	xb_buf_addsv(&name, xb_jv_text(xb_jv_get(meta, "name")));
	xb_buf_addc(&name, ':');
	if (memcmp(&p->frontends->addr, &any, sizeof(any)))
		xb_buf_addf(&name, p->family == AF_INET ? "%s:" : "[%s]:", inet_ntop(p->family, &p->frontends->addr, addr, sizeof(addr)));
	xb_buf_addu(&name, p->frontends->port);
	xb_buf_addc(&name, '/');
	xb_buf_addsv(&name, xb_jv_is(proto) ? xb_jv_text(proto) : XB_SV("TCP"));
	*ret = xb_buf_steal(&name);
	return *ret ? 0 : -ENOMEM;
}

static int add_backend(struct xb_plan_port *p, struct xb_plan_addr addr, __u16 port)
{
	p->frontends = calloc(1, sizeof(*p->frontends));
	if (!p->frontends)
		return -ENOMEM;
	for (int i = 0; i < XB_SETS; i++) {
		p->set[i].backends = malloc(sizeof(*p->set[i].backends));
		if (!p->set[i].backends)
			return -ENOMEM;
		p->set[i].backends[0] = (struct xb_plan_backend){ .addr = addr, .port = port, .local = true };
		p->set[i].n = 1;
	}
	return 0;
}

/* port: of a container. A port at "0.0.0.0" or "::" is one at any address of that family, without an address of both. */
static int add_port(struct xb_plan *plan, struct xb_jv pod, struct xb_jv port, int family, struct xb_plan_addr addr)
{
	_cleanup_(xb_plan_port_done) struct xb_plan_port p = { .family = family };
	struct xb_jv host_ip = xb_jv_get(port, "hostIP");
	struct xb_plan_frontend at = { .kind = XB_FRONTEND_NODE_PORT, .port = xb_plan_read_port(xb_jv_get(port, "hostPort")) };
	__u16 target = xb_plan_read_port(xb_jv_get(port, "containerPort"));
	int r;

	p.proto = xb_plan_read_proto(xb_jv_get(port, "protocol"));
	if (!at.port || !target || p.proto == XB_PROTO_NONE || (xb_jv_text(host_ip).n && !xb_plan_read_addr(host_ip, family, &at.addr)))
		return 0;
	r = add_backend(&p, addr, target);
	if (r < 0)
		return r;
	p.frontends[p.n_frontends++] = at;
	r = make_name(pod, port, &p, &p.name);
	if (!r)
		r = xb_vec_push(plan, p);
	if (!r)
		p = (struct xb_plan_port){};
	return r;
}

/* Of init containers, only sidecars (KEP-753) are there while the pod runs. */
static int add_containers(struct xb_plan *plan, struct xb_jv pod, const char *list, int family, struct xb_plan_addr addr)
{
	bool init = !strcmp(list, "initContainers");
	int r = 0;

	for (struct xb_jit c = xb_jv_iter(xb_jv_path(pod, "spec", list)); xb_jit_next(&c);) {
		if (init && !xb_jv_streq(xb_jv_get(c.value, "restartPolicy"), XB_SV("Always")))
			continue;
		for (struct xb_jit port = xb_jv_iter(xb_jv_get(c.value, "ports")); !r && xb_jit_next(&port);)
			r = add_port(plan, pod, port.value, family, addr);
	}
	return r;
}

int xb_plan_make_pod(struct xb_jv pod, struct xb_plan *ret)
{
	static const int families[] = { AF_INET, AF_INET6 };
	_cleanup_(xb_plan_done) struct xb_plan plan = {};
	struct xb_jv spec = xb_jv_get(pod, "spec"), status = xb_jv_get(pod, "status");
	bool served = xb_jv_streq(xb_jv_get(status, "phase"), XB_SV("Running")) && !xb_jv_true(xb_jv_get(spec, "hostNetwork"));
	int r = 0;

	for (size_t f = 0; !r && served && f < ARRAY_SIZE(families); f++) {
		struct xb_plan_addr addr;

		if (!pod_addr(status, families[f], &addr))
			continue;
		r = add_containers(&plan, pod, "containers", families[f], addr);
		if (!r)
			r = add_containers(&plan, pod, "initContainers", families[f], addr);
	}
	if (r < 0)
		return r;
	*ret = plan;
	plan = (struct xb_plan){};
	return 0;
}
