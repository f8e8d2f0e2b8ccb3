/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <time.h>

#include "filter.h"
#include "flow_list.h"
#include "rates.h"
#include "text.h"
#include "xb/time.h"
#include "../xalloc.h"

struct options {
	struct common common;
	struct target target;
	struct filter_options filter;
	int64_t interval_ms;
	int limit;
	bool flows, watch;
};
static const struct xb_flag rows[] = {
	XB_FLAG(BOOL, struct options, flows, "flows", "false", "Top", "Single flows in place of services."),
	XB_FLAG(DURATION, struct options, interval_ms, "interval", "1s", "Top", "Between the two looks."),
	XB_FLAG(INT, struct options, limit, "limit", "20", "Top", "How many rows.", .min = 1, .max = 1000000),
	XB_FLAG(BOOL, struct options, watch, "watch", "false", "Top", "Again and again, each interval.", .letter = 'w'),
	FILTER_ROWS(struct options),
	TARGET_ROWS(struct options),
	COMMON_TABLE_ROWS(struct options),
};

static const struct column service_columns[] = {
	COLUMN("TIME", "time"),
	COLUMN("SERVICE", "service"),
	COLUMN("FLOWS", "flows"),
	COLUMN("PACKETS/S", "packetsPerSecond"),
	COLUMN("BYTES/S", "bytesPerSecond"),
	COLUMN("REPLIES/S", "replyPacketsPerSecond"),
	COLUMN("REPLY-BYTES/S", "replyBytesPerSecond"),
};
static const struct column flow_columns[] = {
	COLUMN("TIME", "time"),
	COLUMN("SERVICE", "service"),
	COLUMN("PROTO", "protocol"),
	COLUMN("CLIENT", "client"),
	COLUMN("BACKEND", "backend"),
	COLUMN("PACKETS/S", "packetsPerSecond"),
	COLUMN("BYTES/S", "bytesPerSecond"),
	COLUMN("REPLIES/S", "replyPacketsPerSecond"),
	COLUMN("REPLY-BYTES/S", "replyBytesPerSecond"),
};

struct top {
	const struct options *o;
	struct filter filter;
	struct printer *p;
	struct tables *t;
	struct flow_list before;
	int64_t before_us;
};

static void top_done(struct top *top)
{
	filter_done(&top->filter);
	flow_list_done(&top->before);
	tables_free(top->t);
}

static void print_rate(const struct top *top, const struct rate *r, int64_t now_us)
{
	double seconds = (double)(now_us - top->before_us) / 1e6;
	struct printer *p = top->p;

	print_cell(p, "%s", xb_time_format(now_us).s);
	print_cell(p, "%s", name_of(top->t, r->svc).s);
	if (top->o->flows) {
		print_cell(p, "%s", proto_text(r->flow->was.proto));
		print_cell(p, "%s", endpoint_text(&r->flow->was.src, r->flow->was.sport).s);
		print_cell(p, "%s", endpoint_text(&r->flow->now.dst, r->flow->now.dport).s);
	} else {
		print_cell_number(p, r->flows);
	}
	for (int d = 0; d < 2; d++) {
		print_cell_number(p, (uint64_t)((double)r->packets[d] / seconds + 0.5));
		print_cell_bytes(p, (uint64_t)((double)r->bytes[d] / seconds + 0.5));
	}
}

/* The flows that are asked for. The agent may have pinned larger tables meanwhile. */
static int read_flows(struct top *top, struct flow_list *ret, char **reterr_why)
{
	struct ticks ticks;
	size_t n = 0;
	int r;

	if (!top->t || !tables_current(top->t)) {
		top->t = tables_free(top->t);
		r = target_tables(&top->o->target, &top->t, reterr_why);
		if (r)
			return r;
	}
	r = ticks_read(&ticks, reterr_why);
	if (r)
		return r;
	flow_list_read(top->t, ticks.now, ret);
	for (size_t i = 0; i < ret->rows.n; i++) {
		struct flow_row *f = &ret->rows.v[i];

		if (filter_takes(&top->filter, top->t, f->svc, &f->was, &f->now))
			ret->rows.v[n++] = *f;
	}
	ret->rows.n = n;
	return 0;
}

/* Waits for the interval, looks, and shows what has moved since the look before. */
static int look(struct top *top, char **reterr_why)
{
	const struct timespec interval = {
		.tv_sec = top->o->interval_ms / 1000, .tv_nsec = top->o->interval_ms % 1000 * XB_MILLISECOND,
	};
	_cleanup_rates_ struct rates rates = {};
	struct flow_list now = {};
	int64_t now_us;
	int r;

	nanosleep(&interval, NULL);
	r = read_flows(top, &now, reterr_why);
	if (r)
		return r;
	now_us = xb_time_now();
	rates_make(&top->before, &now, !top->o->flows, &rates);
	for (size_t i = 0; i < MIN(rates.v.n, (size_t)top->o->limit); i++)
		print_rate(top, &rates.v.v[i], now_us);
	flow_list_done(&top->before);
	top->before = now;
	top->before_us = now_us;
	return 0;
}

static int show(struct top *top, char **reterr_why)
{
	const struct column *columns = top->o->flows ? flow_columns : service_columns;
	size_t n = top->o->flows ? ARRAY_SIZE(flow_columns) : ARRAY_SIZE(service_columns);
	int r;

	if (!top->o->watch) {
		print_table(top->p, top->o->flows ? "flows" : "services", columns, n);
		r = look(top, reterr_why);
		print_table_end(top->p);
		return r;
	}
	print_stream(top->p, columns, n);
	do {
		r = look(top, reterr_why);
		if (!r)
			r = print_flush(top->p);
	} while (!r);
	return r;
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_(top_done) struct top top = { .o = o, .p = p };
	int r = filter_make(&o->filter, &o->target, &top.filter, reterr_why);

	if (!r)
		r = read_flows(&top, &top.before, reterr_why);
	top.before_us = xb_time_now();
	return r ? r : show(&top, reterr_why);
}

const struct command top_command = {
	.object = "top", .summary = "services, or flows, by what they send a second",
	.purpose = "Looks at the flow tables twice and shows what moved between, most bytes first: of the flows that a node translates packet by "
		   "packet (see xebec flows). What sockets of the node send by services is not in it, as no program sees their packets.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
