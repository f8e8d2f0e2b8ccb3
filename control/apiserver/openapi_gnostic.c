/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "openapi.h"

/*
 * A message is rows of what JSON's members become. A member may stand several messages deep ("type" of a Schema is the
 * first field of a TypeItem that is field 22): way lists the numbers, outermost first. A map is a message of repeated
 * entries, each with its name as field 1 and its value as 2.
 */
enum form { STRING, STRINGS, BOOL, MESSAGE, MESSAGES, MAP };
#define DEEP 3
struct message;
struct member {
	const char *key;
	unsigned char way[DEEP + 1];   /* ends with 0; of a MAP the last is the entries' */
	enum form form;
	const struct message *of;
};
struct message {
	const struct member *members;
	unsigned n;
	unsigned char extensions;      /* number of the NamedAny that take members "x-..." */
	unsigned char within;          /* number that an entry's value is wrapped in; 0 for none */
	const struct variant *variants;/* NULL: members is all there is */
};
/* One of several messages, by the first member that is there and says so. */
struct variant {
	const char *key, *text;        /* text NULL: any */
	unsigned char way[DEEP + 1];
	const struct message *of;
};

#define MEMBERS(...) \
	.members = (const struct member[]){ __VA_ARGS__ }, .n = ARRAY_SIZE(((const struct member[]){ __VA_ARGS__ }))
#define ROW(key_, form_, of_, ...) { .key = key_, .way = { __VA_ARGS__ }, .form = form_, .of = of_ }
#define TEXT(key, ...) ROW(key, STRING, NULL, __VA_ARGS__)
#define TEXTS(key, ...) ROW(key, STRINGS, NULL, __VA_ARGS__)
#define FLAG(key, ...) ROW(key, BOOL, NULL, __VA_ARGS__)
#define ONE(key, of, ...) ROW(key, MESSAGE, of, __VA_ARGS__)
#define EACH(key, of, ...) ROW(key, MESSAGES, of, __VA_ARGS__)
#define ENTRIES(key, of, ...) ROW(key, MAP, of, __VA_ARGS__)

static const struct message schema = {
	MEMBERS(TEXT("$ref", 1), TEXT("format", 2), TEXT("description", 4), TEXTS("required", 19),
		ONE("additionalProperties", &schema, 21, 1), TEXT("type", 22, 1),
		ONE("items", &schema, 23, 1), ENTRIES("properties", &schema, 25, 1)),
	.extensions = 31,
};
static const struct message info = { MEMBERS(TEXT("title", 1), TEXT("version", 2)) };
static const struct message reference = { MEMBERS(TEXT("$ref", 1)) };
static const struct message body = {
	MEMBERS(TEXT("name", 2), TEXT("in", 3), FLAG("required", 4), ONE("schema", &schema, 5)),
};
static const struct message query = {
	MEMBERS(TEXT("in", 2), TEXT("name", 4), TEXT("type", 6), FLAG("uniqueItems", 20)),
};
static const struct message path_parameter = {
	MEMBERS(FLAG("required", 1), TEXT("in", 2), TEXT("name", 4), TEXT("type", 5),
		FLAG("uniqueItems", 19)),
};
/* Of an operation, and of the document: a ParametersItem has one level more than a Parameter. */
static const struct message parameter_item = {
	.variants = (const struct variant[]){ { "$ref", NULL, { 2 }, &reference }, { "in", "body", { 1, 1 }, &body },
					      { "in", "query", { 1, 2, 3 }, &query }, { "in", "path", { 1, 2, 4 }, &path_parameter }, {} },
};
static const struct message parameter = {
	.variants = (const struct variant[]){ { "in", "query", { 2, 3 }, &query }, {} },
};
static const struct message response = {
	MEMBERS(TEXT("description", 1), ONE("schema", &schema, 2, 1)),
	.within = 1,
};
static const struct message operation = {
	MEMBERS(TEXTS("tags", 1), TEXT("operationId", 5), TEXTS("produces", 6), TEXTS("consumes", 7),
		EACH("parameters", &parameter_item, 8), ENTRIES("responses", &response, 9, 1)),
	.extensions = 13,
};
static const struct message path_item = {
	MEMBERS(ONE("get", &operation, 2), ONE("put", &operation, 3), ONE("post", &operation, 4),
		ONE("delete", &operation, 5), ONE("patch", &operation, 8),
		EACH("parameters", &parameter_item, 9)),
};
static const struct message document = {
	MEMBERS(TEXT("swagger", 1), ONE("info", &info, 2), ENTRIES("paths", &path_item, 8, 2),
		ENTRIES("definitions", &schema, 9, 1), ENTRIES("parameters", &parameter, 10, 1)),
};

/* --- the wire (protobuf's encoding: base-128 numbers, fields led by number and type) --- */

static void put_number(struct xb_buf *out, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		xb_buf_addc(out, (char)(n | 0x80));
	xb_buf_addc(out, (char)n);
}

static void put_bytes(struct xb_buf *out, unsigned number, struct xb_sv bytes)
{
	put_number(out, number << 3 | 2);
	put_number(out, bytes.n);
	xb_buf_addsv(out, bytes);
}

static int put_child(struct xb_buf *out, unsigned number, const struct xb_buf *child)
{
	if (child->err)
		return child->err;
	put_bytes(out, number, xb_buf_sv(child));
	return 0;
}

/* bytes as the field at the end of way, with the messages around it */
static int put_at(struct xb_buf *out, const unsigned char *way, struct xb_sv bytes)
{
	_cleanup_buf_ struct xb_buf inner = {};
	int r;

	if (!way[1]) {
		put_bytes(out, way[0], bytes);
		return 0;
	}
	r = put_at(&inner, way + 1, bytes);
	return r ? r : put_child(out, way[0], &inner);
}

/* --- from JSON --- */

static int put_message(struct xb_buf *out, const struct message *m, struct xb_jv v);

static int put_text(struct xb_buf *out, const unsigned char *way, struct xb_jv v)
{
	_cleanup_buf_ struct xb_buf plain = {};

	if (xb_jv_type(v) != XB_JSON_STRING)
		return -EBADMSG;
	if (!xb_jv_escaped(v))
		return put_at(out, way, xb_jv_text(v));
	xb_json_unescape(xb_jv_text(v), &plain);
	return plain.err ? plain.err : put_at(out, way, xb_buf_sv(&plain));
}

static int put_one(struct xb_buf *out, const unsigned char *way, const struct message *m, struct xb_jv v)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	int r;

	r = put_message(&bytes, m, v);
	if (!r)
		r = bytes.err;
	return r ? r : put_at(out, way, xb_buf_sv(&bytes));
}

/* NamedX: 1 is the name, 2 the value */
static int put_entry(struct xb_buf *out, unsigned number, const struct message *m, struct xb_sv name, struct xb_jv v)
{
	_cleanup_buf_ struct xb_buf entry = {};
	const unsigned char way[] = { 2, m->within, 0 };
	int r;

	put_bytes(&entry, 1, name);
	r = put_one(&entry, way, m, v);
	return r ? r : put_child(out, number, &entry);
}

static int put_map(struct xb_buf *out, const struct member *x, struct xb_jv v)
{
	_cleanup_buf_ struct xb_buf entries = {};
	const unsigned char outer[] = { x->way[0], 0 };
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(v); !r && xb_jit_next(&it);)
		r = put_entry(&entries, x->way[1], x->of, it.key, it.value);
	if (!r)
		r = entries.err;
	return r ? r : put_at(out, outer, xb_buf_sv(&entries));
}

static int put_member(struct xb_buf *out, const struct member *x, struct xb_jv v)
{
	int r = 0;

	switch (x->form) {
	case STRING:
		return put_text(out, x->way, v);
	case BOOL:
		put_number(out, x->way[0] << 3);
		put_number(out, xb_jv_true(v));
		return 0;
	case MESSAGE:
		return put_one(out, x->way, x->of, v);
	case MAP:
		return put_map(out, x, v);
	default:
		for (struct xb_jit it = xb_jv_iter(v); !r && xb_jit_next(&it);)
			r = x->form == STRINGS ? put_text(out, x->way, it.value) : put_one(out, x->way, x->of, it.value);
		return r;
	}
}

/* NamedAny: its value is an Any, of which readers take the YAML alone; JSON on a line is YAML. */
static void put_extension(struct xb_buf *out, unsigned number, struct xb_sv name, struct xb_jv v)
{
	_cleanup_buf_ struct xb_buf entry = {}, any = {}, yaml = {};

	xb_buf_addsv(&yaml, xb_jv_bytes(v));
	xb_buf_addc(&yaml, '\n');
	put_bytes(&any, 2, xb_buf_sv(&yaml));
	put_bytes(&entry, 1, name);
	put_bytes(&entry, 2, xb_buf_sv(&any));
	put_bytes(out, number, xb_buf_sv(&entry));
	if (yaml.err || any.err || entry.err)
		out->err = -ENOMEM;
}

static const struct member *find_member(const struct message *m, struct xb_sv key)
{
	for (unsigned i = 0; i < m->n; i++)
		if (xb_sv_is(key, m->members[i].key))
			return &m->members[i];
	return NULL;
}

static int put_variant(struct xb_buf *out, const struct variant *all, struct xb_jv v)
{
	for (; all->key; all++) {
		const struct xb_jv told = xb_jv_get(v, all->key);

		if (xb_jv_is(told) && (!all->text || xb_jv_streq(told, xb_sv(all->text))))
			return put_one(out, all->way, all->of, v);
	}
	return -EBADMSG;
}

static int put_message(struct xb_buf *out, const struct message *m, struct xb_jv v)
{
	int r = 0;

	if (xb_jv_type(v) != XB_JSON_OBJECT)
		return -EBADMSG;
	if (m->variants)
		return put_variant(out, m->variants, v);
	for (struct xb_jit it = xb_jv_iter(v); !r && xb_jit_next(&it);) {
		const struct member *x = find_member(m, it.key);

		if (x)
			r = put_member(out, x, it.value);
		else if (m->extensions && xb_sv_starts(it.key, "x-"))
			put_extension(out, m->extensions, it.key, it.value);
		else
			return -EBADMSG;
	}
	return r;
}

int openapi_to_gnostic(struct xb_sv json, struct xb_buf *out)
{
	const struct xb_json_limits limits = { .max_bytes = 64 << 20 };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r;

	r = xb_json_parse(json, &limits, &doc, NULL);
	if (!r)
		r = put_message(out, &document, xb_json_root(doc));
	return r ? r : out->err;
}
