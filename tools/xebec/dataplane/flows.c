/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "events.h"
#include "filter.h"
#include "flow_list.h"
#include "text.h"
#include "xb/reason.h"
#include "xb/time.h"

struct options {
	struct common common;
	struct target target;
	struct filter_options filter;
	const char *state;
	bool watch;
};
static const struct xb_flag rows[] = {
	XB_FLAG(BOOL, struct options, watch, "watch", "false", "Flow", "Show new flows as they come.", .letter = 'w'),
	XB_FLAG(CHOICE, struct options, state, "state", "any", "Filter", "How far it has come.", .choices = "any|new|replied|open|closing|closed"),
	FILTER_ROWS(struct options),
	TARGET_ROWS(struct options),
	COMMON_TABLE_ROWS(struct options),
};

static const struct column columns[] = {
	COLUMN("PROTO", "protocol"),
	COLUMN("CLIENT", "client"),
	COLUMN("SERVICE", "service"),
	COLUMN("ADDRESS", "address"),
	COLUMN("BACKEND", "backend"),
	COLUMN("MASQUERADED", "masqueraded"),
	COLUMN("STATE", "state"),
	COLUMN("AGE", "ageSeconds"),
	COLUMN("EXPIRES", "expiresSeconds"),
	COLUMN("PACKETS", "packets"),
	COLUMN("BYTES", "bytes"),
	COLUMN("REPLIES", "replyPackets"),
	COLUMN("REPLY-BYTES", "replyBytes"),
	WIDE_COLUMN("SET", "set"),
	WIDE_COLUMN("TUNNELLED", "tunnelled"),
};
static const struct column new_columns[] = {
	COLUMN("TIME", "time"),
	COLUMN("PROTO", "protocol"),
	COLUMN("CLIENT", "client"),
	COLUMN("SERVICE", "service"),
	COLUMN("ADDRESS", "address"),
	COLUMN("BACKEND", "backend"),
	COLUMN("MASQUERADED", "masqueraded"),
	COLUMN("PATH", "path"),
	WIDE_COLUMN("REASON", "reason"),
};

/* Who to whom by way of what: the cells that both tables have. */
static void print_way(struct printer *p, const struct tables *t, __u32 svc, const char *client, const struct xb_tuple *was,
		      const struct xb_tuple *now)
{
	bool same_source = now->sport == was->sport && !memcmp(&now->src, &was->src, sizeof(was->src));

	print_cell(p, "%s", proto_text(was->proto));
	print_cell(p, "%s", client);
	print_cell(p, "%s", name_of(t, svc).s);
	print_cell(p, "%s", endpoint_text(&was->dst, was->dport).s);
	print_cell(p, "%s", endpoint_text(&now->dst, now->dport).s);
	if (same_source)
		print_cell_none(p);
	else
		print_cell(p, "%s", endpoint_text(&now->src, now->sport).s);
}

static uint64_t seconds(const struct ticks *k, __u32 ticks)
{
	return (uint64_t)((double)ticks * k->seconds);
}

static void print_flow(struct printer *p, const struct tables *t, const struct ticks *k, const struct flow_row *f)
{
	print_way(p, t, f->svc, endpoint_text(&f->was.src, f->was.sport).s, &f->was, &f->now);
	print_cell(p, "%s", flow_state_text(f->state));
	print_cell_seconds(p, seconds(k, k->now - f->made));
	print_cell_seconds(p, seconds(k, f->expires - k->now));
	for (int d = 0; d < 2; d++) {
		print_cell_number(p, f->packets[d]);
		print_cell_bytes(p, f->bytes[d]);
	}
	print_cell(p, "%s", set_text(f->scope));
	print_cell_bool(p, f->tunnelled);
}

static int list(const struct options *o, const struct filter *filter, struct printer *p, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_flow_list_ struct flow_list l = {};
	struct ticks ticks;
	int r = target_tables(&o->target, &t, reterr_why);

	if (!r)
		r = ticks_read(&ticks, reterr_why);
	if (r)
		return r;
	flow_list_read(t, ticks.now, &l);
	print_table(p, "flows", columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < l.rows.n; i++) {
		const struct flow_row *f = &l.rows.v[i];

		if (strcmp(o->state, "any") && strcmp(o->state, flow_state_text(f->state)))
			continue;
		if (filter_takes(filter, t, f->svc, &f->was, &f->now))
			print_flow(p, t, &ticks, f);
	}
	print_table_end(p);
	return 0;
}

static void print_new(void *arg, struct printer *p, const struct tables *t, const struct xb_event *e)
{
	const struct filter *filter = arg;

	if (!filter_takes(filter, t, e->svc, &e->was, &e->now))
		return;
	print_cell(p, "%s", xb_time_format_micro(event_time(e)).s);
	print_way(p, t, e->svc, event_client(e).s, &e->was, &e->now);
	print_cell(p, "%s", path_text(e->path));
	print_cell(p, "%s", xb_reason_row(e->reason)->name);
}

static int watch(const struct options *o, struct filter *filter, struct printer *p, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	struct events e;
	int r = target_tables(&o->target, &t, reterr_why);

	if (r)
		return r;
	events_begin(t, TABLE_NEW, false, &e);
	print_stream(p, new_columns, ARRAY_SIZE(new_columns));
	return events_follow(&o->target, &e, p, print_new, filter, reterr_why);
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_filter_ struct filter filter = {};
	int r = filter_make(&o->filter, &o->target, &filter, reterr_why);

	if (r)
		return r;
	return o->watch ? watch(o, &filter, p, reterr_why) : list(o, &filter, p, reterr_why);
}

const struct command flows_command = {
	.object = "flows", .summary = "connections by packets that a node translates, and new ones as they come",
	.purpose = "Shows the flows that a node translates packet by packet: those of clients outside, and of whatever passed no socket of the "
		   "node. (What a socket of the node sends carries the backend's address from the start, and has no entry.) MASQUERADED: the "
		   "address and port of the node's that the backend sees in the client's place.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
