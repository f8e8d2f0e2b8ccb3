/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "plan_read.h"
#include "xb/time.h"

/*
 * Behind the record lie, without padding: the Service's name; for each port its protocol, number, and name; for each endpoint its
 * facts, its address, and the zones that it is hinted for, if any. A name is its length and then so many bytes, a list of zones their
 * number and then so many names.
 */
struct xb_plan_slice {
	struct xb_json_extra extra;
	int64_t trigger_us;
	__u32 n_ports, n_endpoints, endpoints_at;
	int family;                 /* AF_UNSPEC: of no address that there is, and without ports or endpoints */
	unsigned char packed[];
};

enum { READY = 1, DRAINING = 2, LOCAL = 4, NODE_HINTS = 8, FOR_NODE = 16, ZONE_HINTS = 32 };
#define NAME_MAX_LENGTH 255         /* no Service's port and no zone has a longer one */

static size_t addr_size(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/* --- writing --- */
static void put_name(struct xb_buf *out, struct xb_sv name)
{
	xb_buf_addc(out, (char)name.n);
	xb_buf_addsv(out, name);
}

/* The Service that a slice belongs to (KEP-0752), as "namespace/name"; empty for none. */
static void put_service(struct xb_buf *out, struct xb_jv metadata)
{
	struct xb_sv namespace_ = xb_jv_text(xb_jv_get(metadata, "namespace"));
	struct xb_sv name = xb_jv_text(xb_jv_path(metadata, "labels", "kubernetes.io/service-name"));
	size_t n = namespace_.n + 1 + name.n;

	if (!name.n || n > NAME_MAX_LENGTH) {
		xb_buf_addc(out, 0);
		return;
	}
	xb_buf_addc(out, (char)n);
	xb_buf_addf(out, "%.*s/%.*s", XB_SV_ARG(namespace_), XB_SV_ARG(name));
}

static void put_ports(struct xb_buf *out, struct xb_jv ports, __u32 *ret_n)
{
	for (struct xb_jit it = xb_jv_iter(ports); xb_jit_next(&it);) {
		struct xb_sv name = xb_jv_text(xb_jv_get(it.value, "name"));
		enum xb_proto proto = xb_plan_read_proto(xb_jv_get(it.value, "protocol"));
		__u16 port = xb_plan_read_port(xb_jv_get(it.value, "port"));

		if (!port || name.n > NAME_MAX_LENGTH)
			continue;
		xb_buf_addc(out, (char)proto);
		xb_buf_add(out, &port, sizeof(port));
		put_name(out, name);
		(*ret_n)++;
	}
}

/* A condition that is not said: ready and serving count as true, terminating as false (discovery/v1 EndpointConditions). */
static bool condition(struct xb_jv endpoint, const char *name, bool unsaid)
{
	struct xb_jv v = xb_jv_path(endpoint, "conditions", name);

	return xb_jv_type(v) == XB_JSON_BOOL ? xb_jv_true(v) : unsaid;
}

static bool names(struct xb_jv hints, const char *name)
{
	for (struct xb_jit it = xb_jv_iter(hints); xb_jit_next(&it);)
		if (*name && xb_jv_streq(xb_jv_get(it.value, "name"), xb_sv(name)))
			return true;
	return false;
}

static void put_zones(struct xb_buf *out, struct xb_jv hints)
{
	size_t at = out->n;
	unsigned char n = 0;

	xb_buf_addc(out, 0);
	for (struct xb_jit it = xb_jv_iter(hints); xb_jit_next(&it) && n < 255;) {
		struct xb_sv name = xb_jv_text(xb_jv_get(it.value, "name"));

		if (!name.n || name.n > NAME_MAX_LENGTH)
			continue;
		put_name(out, name);
		n++;
	}
	if (!out->err)
		out->p[at] = (char)n;
}

/* Those that may serve. The addresses of one endpoint are interchangeable: the first is used. */
static void put_endpoints(struct xb_buf *out, struct xb_jv endpoints, int family, const char *node, __u32 *ret_n)
{
	for (struct xb_jit it = xb_jv_iter(endpoints); xb_jit_next(&it);) {
		struct xb_jv zones = xb_jv_path(it.value, "hints", "forZones"), nodes = xb_jv_path(it.value, "hints", "forNodes");
		bool ready = condition(it.value, "ready", true);
		bool draining = condition(it.value, "serving", true) && condition(it.value, "terminating", false);
		struct xb_plan_addr addr;

		if ((!ready && !draining) || !xb_plan_read_addr(xb_jv_at(xb_jv_get(it.value, "addresses"), 0), family, &addr))
			continue;
		xb_buf_addc(out, (char)((ready ? READY : 0) | (draining ? DRAINING : 0) |
					(xb_jv_streq(xb_jv_get(it.value, "nodeName"), xb_sv(node)) ? LOCAL : 0) |
					(xb_jv_count(nodes) ? NODE_HINTS : 0) | (names(nodes, node) ? FOR_NODE : 0) |
					(xb_jv_count(zones) ? ZONE_HINTS : 0)));
		xb_buf_add(out, addr.b, addr_size(family));
		if (xb_jv_count(zones))
			put_zones(out, zones);
		(*ret_n)++;
	}
}

static int family_of(struct xb_jv slice)
{
	struct xb_jv type = xb_jv_get(slice, "addressType");

	return xb_jv_streq(type, XB_SV("IPv4")) ? AF_INET : xb_jv_streq(type, XB_SV("IPv6")) ? AF_INET6 : AF_UNSPEC;
}

int xb_plan_slice_new(struct xb_jv slice, const char *node, struct xb_plan_slice **ret)
{
	struct xb_jv metadata = xb_jv_get(slice, "metadata");
	struct xb_jv trigger = xb_jv_path(metadata, "annotations", "endpoints.kubernetes.io/last-change-trigger-time");
	struct xb_plan_slice head = { .family = family_of(slice) }, *s;
	_cleanup_buf_ struct xb_buf packed = {};

	if (xb_time_parse(xb_jv_text(trigger), &head.trigger_us) < 0)
		head.trigger_us = 0;
	put_service(&packed, metadata);
	if (head.family != AF_UNSPEC)
		put_ports(&packed, xb_jv_get(slice, "ports"), &head.n_ports);
	head.endpoints_at = (__u32)packed.n;
	if (head.family != AF_UNSPEC)
		put_endpoints(&packed, xb_jv_get(slice, "endpoints"), head.family, node, &head.n_endpoints);
	s = packed.err ? NULL : malloc(sizeof(*s) + packed.n);
	if (!s)
		return -ENOMEM;
	head.extra.bytes = sizeof(*s) + packed.n;
	*s = head;
	memcpy(s->packed, packed.p, packed.n);
	*ret = s;
	return 0;
}

struct xb_plan_slice *xb_plan_slice_free(struct xb_plan_slice *s)
{
	free(s);
	return NULL;
}

/* --- with a document --- */
static void release(struct xb_json_extra *x)
{
	xb_plan_slice_free(container_of(x, struct xb_plan_slice, extra));
}

void xb_plan_slice_attach(struct xb_plan_slice *s, struct xb_json *doc)
{
	s->extra.release = release;
	xb_json_attach(doc, &s->extra);
}

const struct xb_plan_slice *xb_plan_slice_of(const struct xb_json *doc)
{
	struct xb_json_extra *x = doc ? xb_json_attached(doc) : NULL;

	return x ? container_of(x, struct xb_plan_slice, extra) : NULL;
}

/* --- reading --- */
static struct xb_sv take_name(const unsigned char **at)
{
	struct xb_sv name = { (const char *)*at + 1, **at };

	*at += 1 + name.n;
	return name;
}

struct xb_sv xb_plan_slice_service(const struct xb_plan_slice *s)
{
	const unsigned char *at = s->packed;

	return take_name(&at);
}

int64_t xb_plan_slice_trigger_us(const struct xb_plan_slice *s)
{
	return s->trigger_us;
}

int plan_slice_family(const struct xb_plan_slice *s)
{
	return s->family;
}

size_t plan_slice_most_backends(const struct xb_plan_slice *s)
{
	return (size_t)s->n_ports * s->n_endpoints;
}

bool plan_slice_next_port(const struct xb_plan_slice *s, struct plan_slice_it *it, struct plan_slice_port *ret)
{
	if (!it->at) {
		it->at = s->packed;
		take_name(&it->at);
	}
	if (it->n++ == s->n_ports)
		return false;
	ret->proto = *it->at++;
	memcpy(&ret->port, it->at, sizeof(ret->port));
	it->at += sizeof(ret->port);
	ret->name = take_name(&it->at);
	return true;
}

static bool take_zones(const unsigned char **at, const char *zone)
{
	bool found = false;

	for (unsigned n = *(*at)++; n; n--)
		found |= xb_sv_eq(take_name(at), xb_sv(zone));
	return found;
}

bool plan_slice_next_endpoint(const struct xb_plan_slice *s, const char *zone, struct plan_slice_it *it, struct candidate *ret)
{
	unsigned facts;

	if (!it->at)
		it->at = s->packed + s->endpoints_at;
	if (it->n++ == s->n_endpoints)
		return false;
	facts = *it->at++;
	*ret = (struct candidate){
		.b.local = facts & LOCAL, .ready = facts & READY, .draining = facts & DRAINING,
		.zone_hints = facts & ZONE_HINTS, .node_hints = facts & NODE_HINTS, .for_node = facts & FOR_NODE,
	};
	memcpy(ret->b.addr.b, it->at, addr_size(s->family));
	it->at += addr_size(s->family);
	ret->for_zone = ret->zone_hints && take_zones(&it->at, zone);
	return true;
}
