/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "index.h"
#include "target.h"
#include "text.h"

struct options {
	struct common common;
	struct target target;
	char **names;
};
static const struct xb_flag rows[] = {
	XB_FLAG(WORDS, struct options, names, "[NAMESPACE/NAME...]", NULL, "", "The services; all without."),
	TARGET_ROWS(struct options),
	COMMON_TABLE_ROWS(struct options),
};

static const struct column columns[] = {
	COLUMN("NAME", "name"),
	COLUMN("PROTO", "protocol"),
	WIDE_COLUMN("FAMILY", "family"),
	COLUMN("CLUSTER-IP", "clusterIPs"),
	COLUMN("NODE-PORT", "nodePorts"),
	COLUMN("EXTERNAL-IP", "externalIPs"),
	COLUMN("LOAD-BALANCER", "loadBalancerIPs"),
	COLUMN("INTERNAL", "internalBackends"),
	COLUMN("EXTERNAL", "externalBackends"),
	COLUMN("OUTSIDE", "outsideBackends"),
	COLUMN("LOCAL", "localBackends"),
	COLUMN("AFFINITY", "affinitySeconds"),
	WIDE_COLUMN("SILENT-WHEN-EMPTY", "silentWhenEmpty"),
	WIDE_COLUMN("SOURCE-RANGES", "sourceRanges"),
	WIDE_COLUMN("MAGLEV", "maglevSize"),
	WIDE_COLUMN("DSR", "dsr"),
	WIDE_COLUMN("MEMORY", "memoryBytes"),
	WIDE_COLUMN("SLOT", "slot"),
};

static void print_kind(struct printer *p, const struct frontend *f, size_t n, enum xb_frontend_kind kind)
{
	print_cell_list(p);
	for (size_t i = 0; i < n; i++)
		if (f[i].kind == kind)
			print_item(p, "%s", frontend_text(&f[i].addr, f[i].port).s);
	print_cell_list_end(p);
}

/* Of any set. A backend is in several of them, most often in all. */
static __u32 count_local(const struct tables *t, const struct xb_svc *svc)
{
	__u32 most = 0;

	for (int s = 0; s < XB_SCOPES; s++) {
		struct xb_set set = set_at(svc, s);
		__u32 n = 0;

		for (__u32 i = 0; i < set.count; i++) {
			struct xb_peer backend;

			n += backend_at(t, svc->family, set.base + i, &backend) && backend.local;
		}
		most = MAX(most, n);
	}
	return most;
}

static void print_ranges(struct printer *p, const struct index *x, __u32 id)
{
	size_t n = 0;
	const struct source_range *r = id ? index_ranges(x, id, &n) : NULL;

	print_cell_list(p);
	for (size_t i = 0; i < n; i++) {
		struct xb_net net = { .ip = ip_of(&r[i].addr), .bits = r[i].bits };

		if (net.ip.family == AF_INET)
			net.bits -= 96;
		print_item(p, "%s", xb_net_format(&net).s);
	}
	print_cell_list_end(p);
}

/* Bytes of the tables that are there for this port alone. Blocks of backends are powers of two, and sets may share one. */
static uint64_t memory(const struct xb_svc *svc, size_t n_frontends)
{
	bool v4 = svc->family == XB_IPV4;
	uint64_t lines = (svc->maglev.size + XB_MAG_LINE - 1) / XB_MAG_LINE;
	uint64_t bytes = sizeof(struct xb_svc) + sizeof(struct xb_name) + lines * sizeof(struct xb_mag);

	bytes += n_frontends * (v4 ? sizeof(struct xb_fe4) : sizeof(struct xb_fe6));
	for (int s = 0; s < XB_SETS; s++)
		bytes += (uint64_t)set_block(svc, s) * (v4 ? sizeof(struct xb_be4) : sizeof(struct xb_be6));
	return bytes;
}

static void number_or_none(struct printer *p, __u32 n)
{
	if (n)
		print_cell_number(p, n);
	else
		print_cell_none(p);
}

static void print_service(struct printer *p, const struct tables *t, const struct index *x, const struct slot *slot)
{
	const struct xb_svc *svc = svc_at(t, slot->svc);
	size_t n;
	const struct frontend *f = index_frontends(x, slot->svc, &n);

	print_cell(p, "%s", slot->name);
	print_cell(p, "%s", proto_text(slot->proto));
	print_cell(p, "%s", family_text(slot->family));
	print_kind(p, f, n, XB_FRONTEND_CLUSTER_IP);
	print_kind(p, f, n, XB_FRONTEND_NODE_PORT);
	print_kind(p, f, n, XB_FRONTEND_EXTERNAL_IP);
	print_kind(p, f, n, XB_FRONTEND_LOAD_BALANCER);
	for (int s = 0; s < XB_SCOPES; s++)
		print_cell_number(p, set_at(svc, s).count);
	print_cell_number(p, count_local(t, svc));
	if (svc->affinity_seconds)
		print_cell_seconds(p, svc->affinity_seconds);
	else
		print_cell_none(p);
	print_cell_list(p);
	for (int s = 0; s < XB_SCOPES; s++)
		if (svc->drop[s])
			print_item(p, "%s", set_text(s));
	print_cell_list_end(p);
	print_ranges(p, x, svc->source_ranges);
	number_or_none(p, svc->maglev.size);
	print_cell_bool(p, svc->dsr);
	print_cell_bytes(p, memory(svc, n));
	print_cell_number(p, slot->svc);
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_index_ struct index x = {};
	int r = target_tables(&o->target, &t, reterr_why);

	if (r)
		return r;
	index_make(t, &x);
	r = index_select(&x, o->names, reterr_why);
	if (r)
		return r;
	print_table(p, "services", columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < x.slots.n; i++)
		print_service(p, t, &x, &x.slots.v[i]);
	print_table_end(p);
	return 0;
}

const struct command services_command = {
	.object = "services", .summary = "the services that a node's tables hold",
	.purpose = "Shows the ports of services in a node's tables: where clients reach them, and how many backends each kind of client may "
		   "get. INTERNAL: by a cluster IP; EXTERNAL: in the cluster, by a node port, external or load balancer IP; OUTSIDE: from "
		   "outside, by the same; LOCAL: how many of them are on this node.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
