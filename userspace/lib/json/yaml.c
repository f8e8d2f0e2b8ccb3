/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <yaml.h>

#include "xb/map.h"
#include "xb/vec.h"
#include "xb/yaml.h"
#include "yaml_scalar.h"

struct xb_yaml {
	yaml_parser_t parser;
	struct xb_yaml_limits limits;
	bool ended;
};

/* The value of a << key, kept out of its object until that ends, so that the object's own keys come first. */
struct merge {
	struct xb_tree *into, *from;
};

struct document {
	struct xb_arena *arena;
	struct xb_map *anchors;         /* name: node */
	struct xb_tree *root, *in;      /* in: the innermost open object or array */
	unsigned depth;
	struct xb_sv key;               /* of the value to come, when has_key */
	bool has_key, merging;
	XB_VEC(struct merge) merges;    /* of the open objects, innermost last */
	uint32_t values, aliased;
	struct xb_buf *reterr;
};

static void document_done(struct document *d)
{
	xb_vec_done(&d->merges);
	d->anchors = xb_map_free(d->anchors);
	d->arena = xb_arena_free(d->arena);
}

int xb_yaml_new(struct xb_sv bytes, const struct xb_yaml_limits *limits, struct xb_yaml **ret)
{
	_cleanup_free_ struct xb_yaml *y = calloc(1, sizeof(*y));

	if (!y)
		return -ENOMEM;
	if (limits)
		y->limits = *limits;
	if (!y->limits.max_bytes)
		y->limits.max_bytes = 3 << 20;
	if (!y->limits.max_depth)
		y->limits.max_depth = 128;
	if (!y->limits.max_values)
		y->limits.max_values = 500000;
	if (!y->limits.max_aliased)
		y->limits.max_aliased = 50000;
	if (bytes.n > y->limits.max_bytes)
		return -E2BIG;
	if (!yaml_parser_initialize(&y->parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&y->parser, (const unsigned char *)(bytes.p ? bytes.p : ""), bytes.n);
	*ret = TAKE_PTR(y);
	return 0;
}

struct xb_yaml *xb_yaml_free(struct xb_yaml *y)
{
	if (y)
		yaml_parser_delete(&y->parser);
	free(y);
	return NULL;
}

/* go-yaml shows a scanner's line counted from 1 and, by an old slip that its users know, a parser's counted from 0. */
static int parser_fault(const yaml_parser_t *p, struct xb_buf *reterr)
{
	size_t line = p->problem_mark.line;

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (!line)
		line = p->context_mark.line;
	else if (p->error == YAML_SCANNER_ERROR)
		line++;
	xb_buf_adds(reterr, "yaml: ");
	if (line)
		xb_buf_addf(reterr, "line %zu: ", line);
	xb_buf_adds(reterr, p->problem ? p->problem : "unknown problem parsing YAML content");
	return -EBADMSG;
}

static int _printf_(3, 4) fault(struct document *d, int code, const char *fmt, ...)
{
	va_list ap;

	xb_buf_adds(d->reterr, "yaml: ");
	va_start(ap, fmt);
	xb_buf_addv(d->reterr, fmt, ap);
	va_end(ap);
	return code;
}

static int take_key(struct document *d, const struct xb_tree *n, const yaml_event_t *event)
{
	d->has_key = true;
	d->merging = event->type == YAML_SCALAR_EVENT && event->data.scalar.plain_implicit && xb_tree_is(n, "<<");
	switch (n->type) {
	case XB_JSON_STRING:
	case XB_JSON_NUMBER:
		d->key = n->text;
		return 0;
	case XB_JSON_BOOL:
		d->key = n->b ? XB_SV("true") : XB_SV("false");
		return 0;
	default:
		return fault(d, -EBADMSG, "line %zu: a map key must be a string, a number or a boolean", event->start_mark.line + 1);
	}
}

/* Puts n where the document stands: it is the root, an element, a key or the value of the key before. */
static int place(struct document *d, struct xb_tree *n, const yaml_event_t *event)
{
	if (!d->in) {
		d->root = n;
		return 0;
	}
	if (d->in->type == XB_JSON_ARRAY) {
		xb_tree_append(d->in, n);
		return 0;
	}
	if (!d->has_key)
		return take_key(d, n, event);
	d->has_key = false;
	if (d->merging) {
		n->parent = d->in;
		return xb_vec_push(&d->merges, (struct merge){ d->in, n });
	}
	if (xb_tree_getsv(d->in, d->key)) {
		(void)fault(d, -EBADMSG, "unmarshal errors:\n  line %zu: key ", event->start_mark.line + 1);
		xb_buf_addq(d->reterr, d->key);
		xb_buf_adds(d->reterr, " already set in map");
		return -EBADMSG;
	}
	xb_tree_set(d->in, d->key, n);
	return 0;
}

static int name_anchor(struct document *d, const yaml_char_t *anchor, struct xb_tree *n)
{
	struct xb_sv name;

	if (!anchor)
		return 0;
	name = xb_arena_sv(d->arena, xb_sv((const char *)anchor));
	return name.p ? xb_map_set(d->anchors, name, n, NULL) : -ENOMEM;
}

/* Values in the tree n, or more than most of them without counting on. */
static uint32_t count_values(const struct xb_tree *n, uint32_t most)
{
	const struct xb_tree *root = n;
	uint32_t count = 1;

	while (count <= most) {
		if (n->first) {
			n = n->first;
		} else {
			while (n != root && !n->next)
				n = n->parent;
			if (n == root)
				break;
			n = n->next;
		}
		count++;
	}
	return count;
}

static int on_alias(struct xb_yaml *y, struct document *d, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct xb_tree *n = xb_map_get(d->anchors, xb_sv(name));

	if (!n)
		return fault(d, -EBADMSG, "unknown anchor '%s' referenced", name);
	for (const struct xb_tree *open = d->in; open; open = open->parent)
		if (open == n)
			return fault(d, -EBADMSG, "anchor '%s' value contains itself", name);
	d->aliased += count_values(n, y->limits.max_aliased - d->aliased);
	if (d->aliased > y->limits.max_aliased)
		return fault(d, -E2BIG, "document contains excessive aliasing");
	n = xb_tree_copy(d->arena, n);
	return n ? place(d, n, event) : -ENOMEM;
}

static int on_scalar(struct document *d, const yaml_event_t *event)
{
	struct xb_sv text = { (const char *)event->data.scalar.value, event->data.scalar.length };
	_cleanup_buf_ struct xb_buf what = {};
	struct xb_tree *n;
	int r;

	r = xb_yaml_scalar(d->arena, text, event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
			   (const char *)event->data.scalar.tag, &n, &what);
	if (r == -EBADMSG)
		return what.err ? what.err : fault(d, r, "line %zu: %s", event->start_mark.line + 1, what.p);
	if (!r)
		r = name_anchor(d, event->data.scalar.anchor, n);
	return r < 0 ? r : place(d, n, event);
}

static int on_open(struct xb_yaml *y, struct document *d, const yaml_event_t *event)
{
	bool object = event->type == YAML_MAPPING_START_EVENT;
	struct xb_tree *n = object ? xb_tree_object(d->arena) : xb_tree_array(d->arena);
	int r;

	if (!n)
		return -ENOMEM;
	if (++d->depth > y->limits.max_depth)
		return fault(d, -E2BIG, "line %zu: exceeded max depth of %u", event->start_mark.line + 1, y->limits.max_depth);
	r = name_anchor(d, object ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, n);
	if (!r)
		r = place(d, n, event);
	if (!r)
		d->in = n;
	return r;
}

/* Moves the members of from to the object, but for names it has. */
static int merge_object(struct document *d, struct xb_tree *into, struct xb_tree *from)
{
	struct xb_tree *next;

	if (from->type != XB_JSON_OBJECT)
		return fault(d, -EBADMSG, "map merge requires map or sequence of maps as the value");
	for (struct xb_tree *child = from->first; child; child = next) {
		struct xb_sv key = child->key;

		next = child->next;
		if (xb_tree_getsv(into, key))
			continue;
		xb_tree_remove(child);
		xb_tree_set(into, key, child);
	}
	return 0;
}

static int merge_value(struct document *d, struct xb_tree *into, struct xb_tree *from)
{
	int r = 0;

	if (from->type != XB_JSON_ARRAY)
		return merge_object(d, into, from);
	for (struct xb_tree *n = from->first; n && !r; n = n->next)
		r = merge_object(d, into, n);
	return r;
}

static int on_close(struct document *d)
{
	size_t first = d->merges.n;
	int r = 0;

	while (first && d->merges.v[first - 1].into == d->in)
		first--;
	for (size_t i = first; i < d->merges.n && !r; i++)
		r = merge_value(d, d->in, d->merges.v[i].from);
	d->merges.n = first;
	d->in = d->in->parent;
	d->depth--;
	return r;
}

static int on_event(struct xb_yaml *y, struct document *d, const yaml_event_t *event)
{
	if (++d->values > y->limits.max_values)
		return fault(d, -E2BIG, "line %zu: document has too many values", event->start_mark.line + 1);
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return on_alias(y, d, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(d, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return on_open(y, d, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(d);
	default:
		return 0;
	}
}

/* Up to the end of a document or of the stream: 1 or 0. */
static int read_document(struct xb_yaml *y, struct document *d)
{
	for (;;) {
		yaml_event_type_t type;
		yaml_event_t event;
		int r;

		if (!yaml_parser_parse(&y->parser, &event))
			return parser_fault(&y->parser, d->reterr);
		type = event.type;
		r = on_event(y, d, &event);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		if (type == YAML_DOCUMENT_END_EVENT)
			return 1;
		if (type == YAML_STREAM_END_EVENT)
			return 0;
	}
}

int xb_yaml_next(struct xb_yaml *y, struct xb_buf *out, struct xb_buf *reterr)
{
	_cleanup_(document_done) struct document d = { .reterr = reterr };
	size_t before = out->n;
	int r;

	if (y->ended)
		return 0;
	d.arena = xb_arena_new(0);
	d.anchors = xb_map_new(XB_MAP_BORROW);
	r = d.arena && d.anchors ? read_document(y, &d) : -ENOMEM;
	y->ended = r <= 0;
	if (r <= 0)
		return r;
	xb_tree_write(d.root, out);
	if (out->err) {
		out->n = before;
		y->ended = true;
		return out->err;
	}
	return 1;
}
