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
	COLUMN("SERVICE", "service"),
	COLUMN("PROTO", "protocol"),
	COLUMN("SET", "set"),
	COLUMN("BACKEND", "backend"),
	COLUMN("LOCAL", "local"),
	COLUMN("WHEN-EMPTY", "whenEmpty"),
	WIDE_COLUMN("INDEX", "index"),
	WIDE_COLUMN("GENERATION", "generation"),
};

/* The serving set is of no client, so nothing is done for want of one. */
static bool drops(const struct xb_svc *svc, int set)
{
	return set < XB_SCOPES && svc->drop[set];
}

/* The sets that are the very same are shown as one. */
static bool same_set(const struct xb_svc *svc, int a, int b)
{
	struct xb_set x = set_at(svc, a), y = set_at(svc, b);

	return x.count == y.count && (!x.count || x.base == y.base) && drops(svc, a) == drops(svc, b);
}

static void begin_row(struct printer *p, const struct slot *slot, const struct xb_svc *svc, int set)
{
	print_cell(p, "%s", slot->name);
	print_cell(p, "%s", proto_text(slot->proto));
	print_cell_list(p);
	for (int s = set; s < XB_SETS; s++)
		if (same_set(svc, set, s))
			print_item(p, "%s", set_text(s));
	print_cell_list_end(p);
}

static void print_empty(struct printer *p, const struct slot *slot, const struct xb_svc *svc, int set)
{
	begin_row(p, slot, svc, set);
	print_cell_none(p);
	print_cell_none(p);
	print_cell(p, "%s", drops(svc, set) ? "drop" : "refuse");
	print_cell_none(p);
	print_cell_number(p, set_at(svc, set).gen);
}

static void print_set(struct printer *p, const struct tables *t, const struct slot *slot, int which)
{
	const struct xb_svc *svc = svc_at(t, slot->svc);
	struct xb_set set = set_at(svc, which);

	if (!set.count && which < XB_SCOPES)
		print_empty(p, slot, svc, which);
	for (__u32 i = 0; i < set.count; i++) {
		struct xb_peer backend;

		begin_row(p, slot, svc, which);
		if (backend_at(t, slot->family, set.base + i, &backend)) {
			print_cell(p, "%s", endpoint_text(&backend.addr, backend.port).s);
			print_cell_bool(p, backend.local);
		} else {
			print_cell(p, "nowhere");
			print_cell_none(p);
		}
		print_cell_none(p);
		print_cell_number(p, set.base + i);
		print_cell_number(p, set.gen);
	}
}

static void print_service(struct printer *p, const struct tables *t, const struct slot *slot)
{
	const struct xb_svc *svc = svc_at(t, slot->svc);

	for (int s = 0; s < XB_SETS; s++) {
		bool again = false;

		for (int k = 0; k < s; k++)
			again |= same_set(svc, k, s);
		if (!again)
			print_set(p, t, slot, s);
	}
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
	print_table(p, "backends", columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < x.slots.n; i++)
		print_service(p, t, &x.slots.v[i]);
	print_table_end(p);
	return 0;
}

const struct command backends_command = {
	.object = "backends", .summary = "the backends of services in a node's tables",
	.purpose = "Shows the sets of backends of services, one for each kind of client: internal, by a cluster IP; external, in the cluster, "
		   "by a node port, external or load balancer IP; outside, from outside, by the same; serving, all to which a flow that is "
		   "there goes on, also while they terminate. LOCAL: it is on this node.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
