/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include "print.h"
#include "xb/time.h"

#define GAP 3           /* spaces between columns, as kubectl has them */

static bool shown(const struct printer *p, const struct column *c)
{
	return c->heading && (p->wide || !c->wide);
}

static void table_begin(struct printer *p, const char *name, const struct column *columns, size_t n)
{
	p->name = name;
	p->columns = columns;
	p->n_columns = n;
	p->at = 0;
	p->headed = false;
	p->widths.n = 0;
	for (size_t i = 0; i < n; i++)
		if (xb_vec_push(&p->widths, shown(p, &columns[i]) ? strlen(columns[i].heading) : 0))
			p->out.err = -ENOMEM;
}

void print_table(struct printer *p, const char *name, const struct column *columns, size_t n_columns)
{
	table_begin(p, name, columns, n_columns);
	if (p->json) {
		xb_jw_key(&p->w, name);
		xb_jw_array(&p->w);
	} else if (p->out.n) {
		xb_buf_addc(&p->out, '\n');
	}
}

void print_stream(struct printer *p, const struct column *columns, size_t n_columns)
{
	table_begin(p, NULL, columns, n_columns);
	p->stream = true;
	xb_buf_clear(&p->out);
	p->w = XB_JW(&p->out);
}

/* --- as text: rows are kept until the widths of their columns are known --- */
static void pad(struct printer *p, size_t n)
{
	xb_buf_addf(&p->out, "%*s", (int)n, "");
}

static void lay_out_headings(struct printer *p)
{
	size_t owed = 0;

	for (size_t i = 0; i < p->n_columns; i++) {
		if (!shown(p, &p->columns[i]))
			continue;
		pad(p, owed);
		xb_buf_adds(&p->out, p->columns[i].heading);
		owed = p->widths.v[i] - strlen(p->columns[i].heading) + GAP;
	}
	xb_buf_addc(&p->out, '\n');
	p->headed = true;
}

static void lay_out_row(struct printer *p, const size_t *starts)
{
	size_t owed = 0;

	for (size_t i = 0; i < p->n_columns; i++) {
		const char *cell = p->cells.p + starts[i];

		if (!shown(p, &p->columns[i]))
			continue;
		pad(p, owed);
		xb_buf_adds(&p->out, cell);
		owed = p->widths.v[i] - strlen(cell) + GAP;
	}
	xb_buf_addc(&p->out, '\n');
}

static void lay_out(struct printer *p)
{
	if (p->out.err || p->cells.err)
		return;
	for (size_t i = 0; i < p->starts.n; i++) {
		size_t column = i % p->n_columns;

		if (shown(p, &p->columns[column]))
			p->widths.v[column] = MAX(p->widths.v[column], strlen(p->cells.p + p->starts.v[i]));
	}
	if (p->starts.n && !p->headed)
		lay_out_headings(p);
	for (size_t i = 0; i + p->n_columns <= p->starts.n; i += p->n_columns)
		lay_out_row(p, p->starts.v + i);
	p->starts.n = 0;
	xb_buf_clear(&p->cells);
}

/* --- cells --- */
static void cell_begin(struct printer *p, bool empty)
{
	if (p->json) {
		if (!p->at)
			xb_jw_object(&p->w);
		if (!empty)
			xb_jw_key(&p->w, p->columns[p->at].name);
	} else if (xb_vec_push(&p->starts, p->cells.n)) {
		p->out.err = -ENOMEM;
	}
}

static void cell_end(struct printer *p)
{
	if (!p->json)
		xb_buf_addc(&p->cells, '\0');
	p->at = (p->at + 1) % p->n_columns;
	if (p->at || !p->json)
		return;
	xb_jw_end(&p->w);
	if (!p->stream)
		return;
	if (xb_jw_finish(&p->w))
		p->out.err = -ENOMEM;
	xb_buf_addc(&p->out, '\n');
	p->w = XB_JW(&p->out);
}

static void add_text(struct printer *p, const char *fmt, va_list ap)
{
	_cleanup_buf_ struct xb_buf text = {};

	if (!p->json) {
		xb_buf_addv(&p->cells, fmt, ap);
		return;
	}
	xb_buf_addv(&text, fmt, ap);
	if (text.err)
		p->out.err = text.err;
	xb_jw_sv(&p->w, xb_buf_sv(&text));
}

void print_cell(struct printer *p, const char *fmt, ...)
{
	va_list ap;

	cell_begin(p, false);
	va_start(ap, fmt);
	add_text(p, fmt, ap);
	va_end(ap);
	cell_end(p);
}

void print_cell_none(struct printer *p)
{
	cell_begin(p, true);
	if (!p->json)
		xb_buf_adds(&p->cells, "<none>");
	cell_end(p);
}

void print_cell_bool(struct printer *p, bool value)
{
	cell_begin(p, false);
	if (p->json)
		xb_jw_bool(&p->w, value);
	else
		xb_buf_adds(&p->cells, value ? "true" : "false");
	cell_end(p);
}

/* A number in JSON, and as text what is in "text". */
static void number(struct printer *p, uint64_t value, const char *text)
{
	cell_begin(p, false);
	if (p->json)
		xb_jw_int(&p->w, (int64_t)value);
	else
		xb_buf_adds(&p->cells, text);
	cell_end(p);
}

void print_cell_number(struct printer *p, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	number(p, value, text);
}

void print_cell_seconds(struct printer *p, uint64_t seconds)
{
	number(p, seconds, xb_time_human((int64_t)seconds).s);
}

void print_cell_bytes(struct printer *p, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;
	char text[32];

	while (value >= 1024 && unit < ARRAY_SIZE(units) - 1) {
		value /= 1024;
		unit++;
	}
	snprintf(text, sizeof(text), unit && value < 100 ? "%.1f%s" : "%.0f%s", value, units[unit]);
	number(p, bytes, text);
}

void print_cell_list(struct printer *p)
{
	cell_begin(p, false);
	p->items = 0;
	if (p->json)
		xb_jw_array(&p->w);
}

void print_item(struct printer *p, const char *fmt, ...)
{
	va_list ap;

	if (p->items++ && !p->json)
		xb_buf_addc(&p->cells, ',');
	va_start(ap, fmt);
	add_text(p, fmt, ap);
	va_end(ap);
}

void print_cell_list_end(struct printer *p)
{
	if (p->json)
		xb_jw_end(&p->w);
	else if (!p->items)
		xb_buf_adds(&p->cells, "<none>");
	cell_end(p);
}

/* --- ends --- */
void print_table_end(struct printer *p)
{
	if (p->json) {
		xb_jw_end(&p->w);
		return;
	}
	lay_out(p);
	if (!p->headed)
		xb_buf_addf(&p->out, "No %s found.\n", p->name);
}

int print_flush(struct printer *p)
{
	size_t n;

	if (!p->json)
		lay_out(p);
	n = p->out.n;
	if (p->out.err)
		return p->out.err;
	if (n && (fwrite(p->out.p, 1, n, stdout) != n || fflush(stdout)))
		return -EPIPE;
	xb_buf_clear(&p->out);
	return 0;
}
