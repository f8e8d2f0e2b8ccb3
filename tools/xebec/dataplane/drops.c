/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "events.h"
#include "filter.h"
#include "text.h"
#include "xb/bpfobj.h"
#include "xb/reason.h"
#include "xb/time.h"
#include "xb/why.h"

struct options {
	struct common common;
	struct target target;
	struct filter_options filter;
	const char *reason;
	bool watch;
};
static const struct xb_flag rows[] = {
	XB_FLAG(BOOL, struct options, watch, "watch", "false", "Drop", "Show the latest, and then those that come.", .letter = 'w'),
	XB_FLAG(STRING, struct options, reason, "reason", NULL, "Filter", "A reason's name, such as refused-no-backend."),
	FILTER_ROWS(struct options),
	TARGET_ROWS(struct options),
	COMMON_TABLE_ROWS(struct options),
};

static const struct column counter_columns[] = {
	COLUMN("REASON", "reason"),
	COLUMN("COUNT", "count"),
	COLUMN("WHAT", "what"),
	WIDE_COLUMN("ADVICE", "advice"),
};
static const struct column socket_columns[] = {
	COLUMN("COUNTER", "counter"),
	COLUMN("COUNT", "count"),
	COLUMN("WHAT", "what"),
};
static const struct column drop_columns[] = {
	COLUMN("TIME", "time"),
	COLUMN("REASON", "reason"),
	COLUMN("PROTO", "protocol"),
	COLUMN("CLIENT", "client"),
	COLUMN("ADDRESS", "address"),
	COLUMN("SERVICE", "service"),
	COLUMN("PATH", "path"),
	WIDE_COLUMN("DEVICE", "ifindex"),
	WIDE_COLUMN("WHAT", "what"),
	WIDE_COLUMN("ADVICE", "advice"),
};

struct choice {
	struct filter filter;
	enum xb_reason reason;  /* XB_REASON_NONE: any */
};

/* --- counters --- */
static void print_advice(struct printer *p, const struct xb_reason_row *row)
{
	if (row->advice)
		print_cell(p, "%s", row->advice);
	else
		print_cell_none(p);
}

static int print_counters(struct printer *p, const struct tables *t, const struct choice *c, char **reterr_why)
{
	const struct table *reasons = &t->t[TABLE_REASON];

	print_table(p, "counters", counter_columns, ARRAY_SIZE(counter_columns));
	for (__u32 i = XB_REASON_NONE + 1; i < reasons->size; i++) {
		const struct xb_reason_row *row = xb_reason_row(i);
		__u64 count;
		int r = xb_bpf_percpu_sum(reasons->fd, i, &count, 1);

		if (r)
			return xb_why(reterr_why, r, "cannot read '%s/xb_reason': %s", t->folder, strerror(-r));
		if (!count || (c->reason && c->reason != i))
			continue;
		print_cell(p, "%s", row->name);
		print_cell_number(p, count);
		print_cell(p, "%s", row->what);
		print_advice(p, row);
	}
	print_table_end(p);
	return 0;
}

#define SOCKET(name, what) { #name, offsetof(struct xb_metrics, name) / sizeof(__u64), what }
static const struct socket_row {
	const char *name;
	size_t word;
	const char *what;
} socket_rows[] = {
	SOCKET(tcp_connect, "connect() of TCP to a service: sent to a backend."),
	SOCKET(udp_connect, "connect() of UDP to a service: sent to a backend."),
	SOCKET(udp_flow, "First datagram of a socket to a service: sent to a backend."),
	SOCKET(udp_reselect, "The backend of a socket's datagrams was gone: another one was chosen."),
	SOCKET(reverse_lost, "getpeername() of an old connection shows the backend: its entry was displaced."),
};

static int print_sockets(struct printer *p, const struct tables *t, char **reterr_why)
{
	__u64 words[sizeof(struct xb_metrics) / sizeof(__u64)];
	int r = xb_bpf_percpu_sum(t->t[TABLE_METRICS].fd, 0, words, ARRAY_SIZE(words));

	if (r)
		return xb_why(reterr_why, r, "cannot read '%s/xb_metrics': %s", t->folder, strerror(-r));
	print_table(p, "socketPath", socket_columns, ARRAY_SIZE(socket_columns));
	for (size_t i = 0; i < ARRAY_SIZE(socket_rows); i++) {
		print_cell(p, "%s", socket_rows[i].name);
		print_cell_number(p, words[socket_rows[i].word]);
		print_cell(p, "%s", socket_rows[i].what);
	}
	print_table_end(p);
	return 0;
}

/* --- events --- */
static void print_drop(void *arg, struct printer *p, const struct tables *t, const struct xb_event *e)
{
	const struct choice *c = arg;
	const struct xb_reason_row *row = xb_reason_row(e->reason);

	if ((c->reason && c->reason != e->reason) || !filter_takes(&c->filter, t, e->svc, &e->was, &e->now))
		return;
	print_cell(p, "%s", xb_time_format_micro(event_time(e)).s);
	print_cell(p, "%s", row->name);
	print_cell(p, "%s", proto_text(e->was.proto));
	print_cell(p, "%s", event_client(e).s);
	print_cell(p, "%s", endpoint_text(&e->was.dst, e->was.dport).s);
	if (e->svc)
		print_cell(p, "%s", name_of(t, e->svc).s);
	else
		print_cell_none(p);
	print_cell(p, "%s", path_text(e->path));
	if (e->ifindex)
		print_cell_number(p, e->ifindex);
	else
		print_cell_none(p);
	print_cell(p, "%s", row->what);
	print_advice(p, row);
}

static int show(const struct tables *t, struct choice *c, struct events *e, struct printer *p, char **reterr_why)
{
	struct xb_event event;
	/* counters know neither service nor client */
	int r = filter_is_open(&c->filter) ? print_counters(p, t, c, reterr_why) : 0;

	if (!r && filter_is_open(&c->filter) && !c->reason)
		r = print_sockets(p, t, reterr_why);
	if (r)
		return r;
	print_table(p, "drops", drop_columns, ARRAY_SIZE(drop_columns));
	while (events_next(e, &event) || events_next(e, &event))
		print_drop(c, p, t, &event);
	print_table_end(p);
	return 0;
}

static int run_filtered(const struct options *o, struct choice *c, struct printer *p, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	struct events e;
	int r = target_tables(&o->target, &t, reterr_why);

	if (r)
		return r;
	events_begin(t, TABLE_DROP, true, &e);
	if (!o->watch)
		return show(t, c, &e, p, reterr_why);
	print_stream(p, drop_columns, ARRAY_SIZE(drop_columns));
	return events_follow(&o->target, &e, p, print_drop, c, reterr_why);
}

static int read_reason(const char *name, enum xb_reason *ret, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf all = {};

	if (!name || !xb_reason_by_name(xb_sv(name), ret))
		return 0;
	for (int i = 0; i < XB_REASONS; i++)
		if (xb_reason_is_refusal(i))
			xb_buf_addf(&all, "%s%s", all.n ? ", " : "", xb_reason_row(i)->name);
	return xb_why(reterr_why, -EINVAL, "--reason: \"%s\" is none of %s", name, all.p ? all.p : "");
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	struct choice c = {};
	int r = read_reason(o->reason, &c.reason, reterr_why);

	if (!r)
		r = filter_make(&o->filter, &o->target, &c.filter, reterr_why);
	if (!r)
		r = run_filtered(o, &c, p, reterr_why);
	filter_done(&c.filter);
	return r;
}

const struct command drops_command = {
	.object = "drops", .summary = "what a node's data plane refused or dropped, why, and what to do about it",
	.purpose = "Shows how often each reason was met since the tables were made, and the latest refusals and drops in full. The second "
		   "table counts what sockets of the node asked for.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
