/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "index.h"

int xb_json_copy_begin(struct xb_json_copy *c, struct xb_jv v)
{
	size_t bytes = xb_jv_bytes(v).n, entries = xb_json_entry_at(v.doc, v.at).next - v.at;

	*c = (struct xb_json_copy){ .doc = xb_json_alloc(bytes), .index = malloc(MAX(entries, 1u) * sizeof(*c->index)) };
	if (c->doc && c->index)
		return 0;
	free(c->doc);
	free(c->index);
	return -ENOMEM;
}

/* A member comes with its key, but for the root. */
static struct xb_json_entry start(struct xb_json_copy *c, struct xb_jv v, const char **ret_from)
{
	struct xb_json_entry e = xb_json_entry_at(v.doc, v.at);

	*ret_from = v.doc->bytes + e.start;
	if (!c->entries) {
		*ret_from = xb_json_value_start(v);
		e.member = e.key_escaped = false;
	} else if (c->doc->bytes[c->n - 1] != '{' && c->doc->bytes[c->n - 1] != '[') {
		c->doc->bytes[c->n++] = ',';
	}
	e.start = c->n;
	return e;
}

static void add(struct xb_json_copy *c, const char *from, size_t n)
{
	memcpy(c->doc->bytes + c->n, from, n);
	c->n += n;
}

void xb_json_copy_value(struct xb_json_copy *c, struct xb_jv v)
{
	struct xb_sv bytes = xb_jv_bytes(v);
	uint32_t end = xb_json_entry_at(v.doc, v.at).next, root = c->entries;
	const char *from;
	struct xb_json_entry e = start(c, v, &from);
	uint32_t moved = e.start - (uint32_t)(from - v.doc->bytes), at = v.at;

	add(c, from, bytes.p + bytes.n - from);
	do {
		e.next += root - v.at;
		c->index[c->entries++] = e;
		if (++at < end) {
			e = xb_json_entry_at(v.doc, at);
			e.start += moved;
		}
	} while (at < end);
}

uint32_t xb_json_copy_open(struct xb_json_copy *c, struct xb_jv container)
{
	const char *from, *bracket = xb_json_value_start(container);
	struct xb_json_entry e = start(c, container, &from);

	add(c, from, bracket + 1 - from);
	c->index[c->entries] = e;
	return c->entries++;
}

void xb_json_copy_close(struct xb_json_copy *c, uint32_t opened)
{
	c->index[opened].next = c->entries;
	c->doc->bytes[c->n++] = c->index[opened].type == XB_JSON_OBJECT ? '}' : ']';
}

/* Not what was to hold all of it, cut off: documents live long, and would leave holes between them. */
int xb_json_copy_end(struct xb_json_copy *c, struct xb_json **ret)
{
	struct xb_json *d = xb_json_alloc(c->n);
	int r = -ENOMEM;

	if (d) {
		memcpy(d->bytes, c->doc->bytes, c->n);
		memset(d->bytes + c->n, 0, XB_JSON_PAD);
		r = xb_json_put_index(&d, c->index, c->entries);
	}
	free(c->index);
	free(c->doc);
	if (r)
		free(d);
	else
		*ret = d;
	return r;
}
