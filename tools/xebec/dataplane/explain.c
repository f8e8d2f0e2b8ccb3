/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <endian.h>

#include "index.h"
#include "target.h"
#include "text.h"
#include "xb/model.h"
#include "xb/reason.h"
#include "xb/why.h"
#include "../xalloc.h"

#define SOME_PORT 40000         /* of a client whose own port is not said */

struct options {
	struct common common;
	struct target target;
	const char *proto;
	char **words;
};
static const struct xb_flag rows[] = {
	XB_FLAG(WORDS, struct options, words, "IP:PORT [from IP[:PORT]]", NULL, "", "Where to, and from where."),
	XB_FLAG(CHOICE, struct options, proto, "proto", "tcp", "Explain", "The protocol.", .choices = "tcp|udp|sctp"),
	TARGET_ROWS(struct options),
	COMMON_TABLE_ROWS(struct options),
};

static const struct column columns[] = { COLUMN("STEP", "step"), COLUMN("WHAT", "what") };

/* Who asks for what, and what the programs' own text says to it. */
struct question {
	struct printer *p;
	const struct tables *t;
	const struct index *x;
	const struct xb_node *node;
	struct xb_tuple packet;
	bool by_socket;         /* no client was said: a process of the node, at connect() */
	bool host, pod;         /* the client is the node itself; or in a network of pods */
	bool port_said;
	bool loopback;          /* asked for by a loopback address; packet.dst is the node's own in its place */
	struct xb_model_answer a;
};

#define STEP(q, step, ...) ({ print_cell((q)->p, "%s", (step)); print_cell((q)->p, __VA_ARGS__); })

/* --- reading the question --- */
static int read_endpoint(const char *word, bool port_needed, union xb_ip6 *ret_addr, __u16 *ret_port, char **reterr_why)
{
	const char *colon = strrchr(word, ':');
	struct xb_sv host = xb_sv(word);
	uint64_t port = 0;
	struct xb_ip ip;

	if (word[0] == '[') {
		const char *end = strchr(word, ']');

		host = end ? (struct xb_sv){ word + 1, end - word - 1 } : (struct xb_sv){};
		colon = end && end[1] == ':' ? end + 1 : NULL;
	} else if (colon && strchr(word, ':') == colon) {
		host.n = colon - word;
	} else {
		colon = NULL; /* of an IPv6 address, which needs brackets to have a port */
	}
	if (xb_ip_parse(host, &ip) || (colon && (xb_sv_u64(xb_sv(colon + 1), &port) || !port || port > 65535)) || (port_needed && !colon))
		return xb_why(reterr_why, -EINVAL, "\"%s\" is not %s", word, port_needed ? "IP:PORT (\"10.96.0.1:443\", \"[fd00::1]:443\")" :
			      "IP or IP:PORT");
	*ret_addr = addr_of(&ip);
	*ret_port = port;
	return 0;
}

static enum xb_proto read_proto(const char *word)
{
	if (!strcmp(word, "udp"))
		return XB_PROTO_UDP;
	return strcmp(word, "sctp") ? XB_PROTO_TCP : XB_PROTO_SCTP;
}

static bool is_v4(const struct question *q)
{
	return q->packet.family == XB_IPV4;
}

static bool in_pods(const struct xb_node *node, const union xb_ip6 *addr, bool v4)
{
	for (int i = 0; i < XB_NETS_MAX; i++) {
		const struct xb_net4 *four = &node->pods4[i];
		const struct xb_net6 *six = &node->pods6[i];

		if (v4 ? four->mask.be32 && (addr->be32[3] & four->mask.be32) == four->addr.be32 :
			 six->mask.word[0] && (addr->word[0] & six->mask.word[0]) == six->addr.word[0] &&
			 (addr->word[1] & six->mask.word[1]) == six->addr.word[1])
			return true;
	}
	return false;
}

static int read_question(const struct options *o, struct question *q, char **reterr_why)
{
	char *const *w = o->words;
	int r;

	if (!w || !w[0] || (w[1] && (strcmp(w[1], "from") || !w[2] || w[3])))
		return xb_why(reterr_why, -EINVAL, "what to explain: IP:PORT, or IP:PORT from IP");
	r = read_endpoint(w[0], true, &q->packet.dst, &q->packet.dport, reterr_why);
	if (!r && w[1])
		r = read_endpoint(w[2], false, &q->packet.src, &q->packet.sport, reterr_why);
	if (r)
		return r;
	q->packet.proto = read_proto(o->proto);
	q->packet.family = ip_of(&q->packet.dst).family == AF_INET ? XB_IPV4 : XB_IPV6;
	q->by_socket = !w[1];
	if (w[1] && ip_of(&q->packet.src).family != ip_of(&q->packet.dst).family)
		return xb_why(reterr_why, -EINVAL, "\"%s\" and \"%s\" are of two families", w[0], w[2]);
	return 0;
}

static bool is_loopback(const union xb_ip6 *addr)
{
	return ip_of(addr).family == AF_INET ? addr->b[12] == 127 : !addr->word[0] && addr->word[1] == htobe64(1);
}

/* What else the tables know of the client. */
static void place_client(struct question *q)
{
	struct xb_fe_key key = {};

	q->port_said = q->packet.sport;
	if (!q->port_said)
		q->packet.sport = SOME_PORT;
	q->loopback = q->by_socket && q->node && is_loopback(&q->packet.dst);
	if (q->loopback)
		q->packet.dst = is_v4(q) ? addr_of4(q->node->addr4) : q->node->addr6;
	if (q->by_socket && q->node)
		q->packet.src = is_v4(q) ? addr_of4(q->node->addr4) : q->node->addr6;
	key.addr = q->packet.src;
	q->host = q->by_socket || xb_frontends_get(&q->t->fe[!is_v4(q)], &key).kind == XB_FRONTEND_NODE_ADDR;
	q->pod = q->node && in_pods(q->node, &q->packet.src, is_v4(q));
}

/* --- the steps --- */
static void explain_client(const struct question *q)
{
	struct endpoint_text client = addr_text(&q->packet.src);

	if (q->by_socket)
		STEP(q, "client", "a process of this node or of a pod here, by its socket: at connect() or sendmsg(), before there is a packet");
	else if (q->host)
		STEP(q, "client", "%s is an address of this node", client.s);
	else if (q->pod)
		STEP(q, "client", "%s is in a network of pods: inside the cluster", client.s);
	else
		STEP(q, "client", "%s is in no network of pods: outside the cluster", client.s);
}

static void explain_entry(const struct question *q)
{
	struct endpoint_text to = endpoint_text(&q->packet.dst, q->packet.dport);

	if (q->loopback)
		STEP(q, "entry", "by a loopback address the node's own sockets reach node ports, those of pods do not: as %s", to.s);
	switch (q->a.fe.kind) {
	case XB_FRONTEND_NONE:
		STEP(q, "entry", "%s/%s is none of any service", to.s, proto_text(q->packet.proto));
		return;
	case XB_FRONTEND_NODE_ADDR:
		STEP(q, "entry", "%s is an address of this node, and no node port", to.s);
		return;
	case XB_FRONTEND_VIP:
		STEP(q, "entry", "%s is an address of services, and none has this port with %s", to.s, proto_text(q->packet.proto));
		return;
	default:
		STEP(q, "entry", "%s/%s is %s of %s", to.s, proto_text(q->packet.proto), kind_text(q->a.fe.kind), name_of(q->t, q->a.fe.svc).s);
	}
}

static void explain_ranges(const struct question *q)
{
	const struct xb_svc *svc = svc_at(q->t, q->a.svc);
	size_t n = 0;

	if (q->a.fe.kind != XB_FRONTEND_LOAD_BALANCER || !svc || !svc->source_ranges)
		return;
	index_ranges(q->x, svc->source_ranges, &n);
	if (q->by_socket)
		STEP(q, "source ranges", "the service has %zu: a socket has no source address yet, so its packets are judged on their way", n);
	else
		STEP(q, "source ranges", "the client is in %s of the service's %zu", q->a.reason == XB_DROPPED_SOURCE_RANGE ? "none" : "one", n);
}

static void explain_set(const struct question *q)
{
	static const char *const whose[XB_SCOPES] = {
		[XB_SCOPE_INTERNAL] = "for clients of a cluster IP", [XB_SCOPE_EXTERNAL] = "for clients inside the cluster of any other address",
		[XB_SCOPE_OUTSIDE] = "for clients outside",
	};
	_cleanup_buf_ struct xb_buf all = {};

	if (!q->a.svc)
		return;
	for (__u32 i = 0; i < q->a.set.count; i++) {
		struct xb_peer backend;

		if (backend_at(q->t, q->packet.family, q->a.set.base + i, &backend))
			xb_buf_addf(&all, "%s%s%s", all.n ? ", " : "", endpoint_text(&backend.addr, backend.port).s, backend.local ? " (here)" : "");
	}
	STEP(q, "backends", "the %s set, %s: %u%s%s", set_text(q->a.scope), q->a.scope < XB_SCOPES ? whose[q->a.scope] : "?",
	     q->a.set.count, all.n ? ": " : "", all.n ? all.p : "");
}

static bool set_has(const struct question *q, const struct xb_peer *backend)
{
	for (__u32 i = 0; i < q->a.set.count; i++) {
		struct xb_peer here;

		if (backend_at(q->t, q->packet.family, q->a.set.base + i, &here) && here.port == backend->port &&
		    !memcmp(&here.addr, &backend->addr, sizeof(here.addr)))
			return true;
	}
	return false;
}

/* As affinity_pick() in bpf/lib/backend.h: the choice for all scopes, or where this one has not that backend its own. */
static bool had_backend(const struct question *q, struct xb_aff *ret)
{
	struct xb_aff_key key = { .client = q->packet.src, .svc = q->a.svc };
	int fd = q->t->t[TABLE_AFF].fd;

	if (q->by_socket || fd < 0 || bpf_map_lookup_elem(fd, &key, ret))
		return false;
	if (set_has(q, &ret->backend))
		return true;
	key.scope = q->a.scope + 1;
	return !bpf_map_lookup_elem(fd, &key, ret) && set_has(q, &ret->backend);
}

static void explain_choice(const struct question *q)
{
	const struct xb_svc *svc = svc_at(q->t, q->a.svc);
	struct xb_aff aff;

	if (!svc || !q->a.set.count)
		return;
	if (q->a.known)
		STEP(q, "choice", "the flow is known: it goes where it went before");
	else if (svc->affinity_seconds && had_backend(q, &aff))
		STEP(q, "choice", "session affinity for %u s: this client was last sent to %s", svc->affinity_seconds,
		     endpoint_text(&aff.backend.addr, aff.backend.port).s);
	else if (svc->affinity_seconds)
		STEP(q, "choice", "session affinity for %u s: this client has no backend yet; at random, and then kept", svc->affinity_seconds);
	else if (q->by_socket)
		STEP(q, "choice", "at random, each connection anew");
	else if (q->a.scope == XB_SCOPE_OUTSIDE && svc->maglev.size)
		STEP(q, "choice", "by Maglev from the client's address and port, the same on every node");
	else
		STEP(q, "choice", "by hash of the flow%s", q->port_said ? "" : ": from another source port it may be another one");
}

static const char *why_masquerade(const struct question *q, bool local)
{
	if (!memcmp(&q->packet.src, &q->a.now.dst, sizeof(q->packet.src)))
		return "the backend is the client itself, which would take its own address for its peer's";
	if (q->pod)
		return local ? "the client's port to this backend is in use by another service" : "--masquerade-all is set";
	return "the backend is on another node, and its answer must come back through this one";
}

static void explain_masquerade(const struct question *q, bool local)
{
	bool same = !memcmp(&q->a.now.src, &q->packet.src, sizeof(q->packet.src)) && q->a.now.sport == q->packet.sport;

	if (q->by_socket)
		STEP(q, "masquerade", "no: the socket has the backend's address from the start, and no packet is rewritten");
	else if (q->a.tunnelled)
		STEP(q, "masquerade", "no: direct server return. The packet goes as it is, in an IP packet to the backend's node, which answers");
	else if (!same)
		STEP(q, "masquerade", "yes, as %s: %s", endpoint_text(&q->a.now.src, q->a.now.sport).s, why_masquerade(q, local));
	else if (local)
		STEP(q, "masquerade", "no: the backend is on this node, and its answer comes through here by itself");
	else
		STEP(q, "masquerade", "no: the client is %s, whose answers come back here", q->host ? "this node" : "a pod's");
}

static void explain_backend(const struct question *q)
{
	struct xb_set set = q->a.set;
	bool local = false;

	if (!q->a.now.dport)
		return;
	for (__u32 i = 0; i < set.count; i++) {
		struct xb_peer b;

		if (backend_at(q->t, q->packet.family, set.base + i, &b) && b.port == q->a.now.dport &&
		    !memcmp(&b.addr, &q->a.now.dst, sizeof(b.addr)))
			local = b.local;
	}
	if (!q->by_socket)
		STEP(q, "backend", "%s, on %s node", endpoint_text(&q->a.now.dst, q->a.now.dport).s, local ? "this" : "another");
	explain_masquerade(q, local);
}

static const char *verdict_of(const struct question *q)
{
	if (q->a.now.dport)
		return q->a.tunnelled ? "tunnelled" : "translated";
	if (xb_reason_is_refusal(q->a.reason))
		return q->a.reason < XB_DROPPED_NO_LOCAL_BACKEND ? "refused" : "dropped";
	return "passed";
}

static void explain_end(const struct question *q)
{
	const struct xb_reason_row *row = xb_reason_row(q->a.reason);

	if (xb_reason_is_refusal(q->a.reason) || q->a.reason == XB_TABLE_ERROR) {
		STEP(q, "why", "%s", row->what);
		STEP(q, "advice", "%s", row->advice);
	} else if (!q->a.now.dport) {
		STEP(q, "why", "No service has to do with it: it is sent as it is.");
	}
}

static void explain(const struct question *q)
{
	print_table(q->p, "steps", columns, ARRAY_SIZE(columns));
	explain_client(q);
	explain_entry(q);
	explain_ranges(q);
	explain_set(q);
	explain_choice(q);
	explain_backend(q);
	explain_end(q);
	print_table_end(q->p);
	print_string(q->p, "verdict", verdict_of(q));
	print_string(q->p, "reason", xb_reason_row(q->a.reason)->name);
	if (q->a.svc)
		print_string(q->p, "service", name_of(q->t, q->a.svc).s);
	if (q->a.now.dport && !q->by_socket)
		print_string(q->p, "backend", endpoint_text(&q->a.now.dst, q->a.now.dport).s);
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_index_ struct index x = {};
	struct question q = { .p = p, .x = &x };
	int r = read_question(o, &q, reterr_why);

	if (!r)
		r = target_tables(&o->target, &t, reterr_why);
	if (!r)
		r = xb_model_open(t->folder, reterr_why);
	if (r)
		return r;
	index_make(t, &x);
	q.t = t;
	q.node = table_at(t, TABLE_NODE, 0);
	place_client(&q);
	r = xb_model_ask(&q.packet, q.host, &q.a);
	if (!r)
		explain(&q);
	xb_model_close();
	return r;
}

const struct command explain_command = {
	.object = "explain", .summary = "where a connection would go, and why",
	.purpose = "Says step by step what a node's data plane does with a connection to an address and port: the programs' own text, run here "
		   "over the node's tables, which stay as they are. Without a client it is a process of the node that connects; with one, the "
		   "first packet of it that comes to the node. A client's port decides which backend it gets: \"from 198.51.100.9:40000\".",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
