/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "table.h"
#include "xb/time.h"

int64_t table_seconds(struct xb_jv time)
{
	int64_t us;

	return xb_time_parse(xb_jv_text(time), &us) < 0 ? INT64_MIN : us / 1000000;
}

void cell_since(struct table_row *r, struct xb_jv time)
{
	int64_t at = table_seconds(time);

	xb_jw_str(r->w, at == INT64_MIN ? "<unknown>" : xb_time_human(r->now - at).s);
}

void cell_name(struct table_row *r, struct xb_jv object)
{
	cell_text(r, xb_jv_path(object, "metadata", "name"), "");
}

void cell_age(struct table_row *r, struct xb_jv object)
{
	cell_since(r, xb_jv_path(object, "metadata", "creationTimestamp"));
}

void cell_text(struct table_row *r, struct xb_jv text, const char *otherwise)
{
	if (xb_jv_text(text).n)
		xb_jw_raw(r->w, xb_jv_bytes(text));
	else
		xb_jw_str(r->w, otherwise);
}

void cell_int(struct table_row *r, struct xb_jv n, int64_t otherwise)
{
	(void)xb_jv_i64(n, &otherwise);
	xb_jw_int(r->w, otherwise);
}

void cell_open(struct xb_buf *b)
{
	xb_buf_addc(b, '"');
}

void cell_join(struct xb_buf *b, struct xb_sv text)
{
	if (b->n > 1)
		xb_buf_addc(b, ',');
	xb_buf_addsv(b, text);
}

void cell_more(struct xb_buf *b, size_t count)
{
	if (count > CELL_SHOWN)
		xb_buf_addf(b, " + %zu more...", count - CELL_SHOWN);
}

void cell_close(struct table_row *r, struct xb_buf *b, const char *otherwise)
{
	bool empty = b->n <= 1;

	xb_buf_addc(b, '"');
	if (b->err)
		r->w->err = b->err;
	else if (empty)
		xb_jw_str(r->w, otherwise);
	else
		xb_jw_raw(r->w, xb_buf_sv(b));
}

void cell_labels(struct table_row *r, struct xb_jv map)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(map); xb_jit_next(&it);) {
		cell_join(&b, it.key);
		xb_buf_addc(&b, '=');
		xb_buf_addsv(&b, xb_jv_text(it.value));
	}
	cell_close(r, &b, "<none>");
}
