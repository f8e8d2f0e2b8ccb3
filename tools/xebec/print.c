/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include "print.h"

void print_begin(struct printer *p, const char *output)
{
	*p = (struct printer){ .json = !strcmp(output, "json"), .wide = !strcmp(output, "wide") };
	p->w = XB_JW(&p->out);
	if (p->json)
		xb_jw_object(&p->w);
}

/* Of the text form. */
static void label(struct printer *p, const char *name)
{
	xb_buf_addf(&p->out, "%*s%s:", (int)p->depth * 2, "", name);
}

void print_string(struct printer *p, const char *name, const char *value)
{
	if (p->json) {
		xb_jw_kstr(&p->w, name, value);
		return;
	}
	label(p, name);
	xb_buf_addf(&p->out, " %s\n", value);
}

void print_word(struct printer *p, const char *name, const char *value)
{
	if (p->json)
		print_string(p, name, value);
	else
		xb_buf_addf(&p->out, "%s\n", value);
}

void print_number(struct printer *p, const char *name, uint64_t value)
{
	if (p->json) {
		xb_jw_kint(&p->w, name, (int64_t)value);
		return;
	}
	label(p, name);
	xb_buf_addf(&p->out, " %" PRIu64 "\n", value);
}

void print_group(struct printer *p, const char *name)
{
	if (p->json) {
		xb_jw_key(&p->w, name);
		xb_jw_object(&p->w);
	} else {
		label(p, name);
		xb_buf_addc(&p->out, '\n');
	}
	p->depth++;
}

void print_group_end(struct printer *p)
{
	p->depth--;
	if (p->json)
		xb_jw_end(&p->w);
}

int print_end(struct printer *p)
{
	int r;

	if (p->stream)
		return print_flush(p);
	if (p->json) {
		xb_jw_end(&p->w);
		r = xb_jw_finish(&p->w);
		xb_buf_addc(&p->out, '\n');
		if (r)
			return r;
	}
	if (p->out.err)
		return p->out.err;
	return fwrite(p->out.p, 1, p->out.n, stdout) == p->out.n && !fflush(stdout) ? 0 : -EIO;
}

void print_done(struct printer *p)
{
	xb_buf_done(&p->out);
	xb_buf_done(&p->cells);
	xb_vec_done(&p->starts);
	xb_vec_done(&p->widths);
}
