/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/evp.h>
#include "xb/protobuf.h"
#include "xb/time.h"

/* A message is at most two levels of JSON: with the depth of XB_T_ANY it stays below xb_json_parse's limit. */
enum { DEPTH_MAX = 32, ANY_DEPTH_MAX = 64, NUMBER_MAX = (1 << 29) - 1 };
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* One field as it stands on the wire; {} has the value of one that is missing. */
struct part {
	uint64_t number, value;
	struct xb_sv bytes;
	enum wire_type type;
};

struct decoder {
	struct xb_arena *arena;
	struct xb_buf *why;
	unsigned depth;
};

_printf_(2, 3) static int fault(struct xb_buf *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(why, fmt, ap);
	va_end(ap);
	return why->err ? why->err : -EBADMSG;
}

static int wrong_wire_type(struct xb_buf *why, enum wire_type type, const char *name)
{
	return fault(why, "proto: wrong wireType = %d for field %s", type, name);
}

static int varint_read(struct xb_sv *rest, uint64_t *ret, struct xb_buf *why)
{
	uint64_t value = 0;

	for (size_t i = 0; i < rest->n; i++) {
		const unsigned char byte = rest->p[i];

		if (i == 9 && byte > 1)
			return fault(why, "proto: integer overflow");
		value |= (uint64_t)(byte & 0x7f) << 7 * i;
		if (byte & 0x80)
			continue;
		*rest = (struct xb_sv){ rest->p + i + 1, rest->n - i - 1 };
		*ret = value;
		return 0;
	}
	return fault(why, "unexpected EOF");
}

static int bytes_read(struct xb_sv *rest, uint64_t n, struct xb_sv *ret, struct xb_buf *why)
{
	if (n > rest->n)
		return fault(why, "unexpected EOF");
	*ret = (struct xb_sv){ rest->p, n };
	*rest = (struct xb_sv){ rest->p + n, rest->n - n };
	return 0;
}

/* Takes the next field off rest: 1, or 0 when there is none. */
static int part_read(struct xb_sv *rest, struct part *ret, struct xb_buf *why)
{
	struct part part = {};
	uint64_t tag, n;
	int r;

	if (!rest->n)
		return 0;
	r = varint_read(rest, &tag, why);
	if (r < 0)
		return r;
	part.number = tag >> 3;
	part.type = tag & 7;
	if (!part.number || part.number > NUMBER_MAX)
		return fault(why, "proto: illegal tag %llu (wire type %d)", (unsigned long long)part.number, part.type);
	switch (part.type) {
	case WIRE_VARINT:
		r = varint_read(rest, &part.value, why);
		break;
	case WIRE_BYTES:
		r = varint_read(rest, &n, why);
		if (!r)
			r = bytes_read(rest, n, &part.bytes, why);
		break;
	case WIRE_FIXED64:
	case WIRE_FIXED32:
		r = bytes_read(rest, part.type == WIRE_FIXED64 ? 8 : 4, &part.bytes, why);
		break;
	default: /* groups, which nobody here writes, and the two that mean nothing */
		return fault(why, "proto: illegal wireType %d", part.type);
	}
	if (r < 0)
		return r;
	*ret = part;
	return 1;
}

/* A message of few fields at once: types are those of the fields 1 to n, ret their last values. */
static int parts_read(struct xb_sv message, const enum wire_type *types, unsigned n, struct part *ret, struct xb_buf *why)
{
	struct part part;
	int r;

	while ((r = part_read(&message, &part, why)) > 0) {
		if (part.number > n)
			continue;
		if (part.type != types[part.number - 1])
			return fault(why, "proto: wrong wireType = %d for field %d", part.type, (int)part.number);
		ret[part.number - 1] = part;
	}
	return r;
}

static int string_node(const struct decoder *d, const struct xb_field *f, struct xb_sv s, struct xb_tree **ret)
{
	for (struct xb_sv left = s; left.n;) {
		const size_t n = xb_sv_utf8(left);

		if (!n)
			return fault(d->why, "proto: field %s contains invalid UTF-8", f->name);
		left = (struct xb_sv){ left.p + n, left.n - n };
	}
	*ret = xb_tree_str(d->arena, s);
	return *ret ? 0 : -ENOMEM;
}

static int base64_node(const struct decoder *d, struct xb_sv bytes, struct xb_tree **ret)
{
	const size_t length = (bytes.n + 2) / 3 * 4;
	unsigned char *text = xb_arena_alloc(d->arena, length + 1);

	if (!text)
		return -ENOMEM;
	EVP_EncodeBlock(text, (const unsigned char *)bytes.p, bytes.n);
	*ret = xb_tree_str(d->arena, (struct xb_sv){ (char *)text, length });
	return *ret ? 0 : -ENOMEM;
}

/* Seconds and nanoseconds since 1970; Go's zero time, and none at all, are no time. Of the kind Time only seconds count. */
static int time_node(const struct decoder *d, const struct xb_field *f, struct xb_sv message, struct xb_tree **ret)
{
	static const enum wire_type types[] = { WIRE_VARINT, WIRE_VARINT };
	const int64_t first = -62167219200, zero = -62135596800, last = 253402300799; /* years 0, 1 and 9999 */
	struct part part[ARRAY_SIZE(types)] = {};
	struct xb_time_text text;
	int64_t seconds;
	char *copy;
	int r;

	if (!message.n)
		return 0;
	r = parts_read(message, types, ARRAY_SIZE(types), part, d->why);
	if (r < 0)
		return r;
	seconds = part[0].value;
	if (seconds < first || seconds > last || part[1].value >= XB_SECOND)
		return fault(d->why, "proto: time out of range for field %s", f->name);
	if (seconds == zero && (!part[1].value || f->kind == XB_T_TIME))
		return 0;
	text = f->kind == XB_T_TIME ? xb_time_format(seconds * 1000000) : xb_time_format_micro(seconds * 1000000 + part[1].value / 1000);
	copy = xb_arena_strn(d->arena, xb_sv(text.s));
	*ret = copy ? xb_tree_str(d->arena, xb_sv(copy)) : NULL;
	return *ret ? 0 : -ENOMEM;
}

static int quantity_node(const struct decoder *d, const struct xb_field *f, struct xb_sv message, struct xb_tree **ret)
{
	static const enum wire_type types[] = { WIRE_BYTES };
	struct part text = {};
	int r;

	r = parts_read(message, types, ARRAY_SIZE(types), &text, d->why);
	return r < 0 ? r : string_node(d, f, text.bytes, ret);
}

static int int_or_string_node(const struct decoder *d, const struct xb_field *f, struct xb_sv message, struct xb_tree **ret)
{
	static const enum wire_type types[] = { WIRE_VARINT, WIRE_VARINT, WIRE_BYTES };
	struct part part[ARRAY_SIZE(types)] = {};
	int r;

	r = parts_read(message, types, ARRAY_SIZE(types), part, d->why);
	if (r < 0)
		return r;
	if (part[0].value > 1)
		return fault(d->why, "proto: impossible IntOrString.Type for field %s", f->name);
	if (part[0].value)
		return string_node(d, f, part[2].bytes, ret);
	*ret = xb_tree_int(d->arena, part[1].value);
	return *ret ? 0 : -ENOMEM;
}

/* authentication's ExtraValue: a message of nothing but items = 1. */
static int strings_node(const struct decoder *d, const struct xb_field *f, struct xb_sv message, struct xb_tree **ret)
{
	struct xb_tree *list = xb_tree_array(d->arena), *s;
	struct part part;
	int r;

	if (!list)
		return -ENOMEM;
	while ((r = part_read(&message, &part, d->why)) > 0) {
		if (part.number != 1)
			continue;
		if (part.type != WIRE_BYTES)
			return wrong_wire_type(d->why, part.type, f->name);
		r = string_node(d, f, part.bytes, &s);
		if (r)
			return r;
		xb_tree_append(list, s);
	}
	*ret = list;
	return r;
}

static int any_node(const struct decoder *d, const struct xb_field *f, struct xb_sv message, struct xb_tree **ret)
{
	static const struct xb_json_limits limits = { .max_depth = ANY_DEPTH_MAX };
	static const enum wire_type types[] = { WIRE_BYTES };
	struct part raw = {};
	int r;

	r = parts_read(message, types, ARRAY_SIZE(types), &raw, d->why);
	if (r < 0 || !raw.bytes.n)
		return r;
	r = xb_tree_read(d->arena, raw.bytes, &limits, ret);
	return r == -EBADMSG || r == -E2BIG ? fault(d->why, "proto: field %s is not JSON, or is too deep", f->name) : r;
}

static int message_decode(struct decoder *d, const struct xb_type *t, unsigned embedded, struct xb_sv message, struct xb_tree *object);

/* One value of the field, an element where it is a list or map. *ret stays NULL when it is a time that is not set. */
static int value_node(struct decoder *d, const struct xb_field *f, const struct part *part, struct xb_tree **ret)
{
	const bool number = f->kind == XB_T_INT32 || f->kind == XB_T_INT64 || f->kind == XB_T_BOOL;

	if (part->type != (number ? WIRE_VARINT : WIRE_BYTES))
		return wrong_wire_type(d->why, part->type, f->name);
	switch ((enum xb_field_type)f->kind) {
	case XB_T_STRING:
		return string_node(d, f, part->bytes, ret);
	case XB_T_BYTES:
		return base64_node(d, part->bytes, ret);
	case XB_T_TIME:
	case XB_T_MICRO_TIME:
		return time_node(d, f, part->bytes, ret);
	case XB_T_QUANTITY:
		return quantity_node(d, f, part->bytes, ret);
	case XB_T_INT_OR_STRING:
		return int_or_string_node(d, f, part->bytes, ret);
	case XB_T_STRINGS:
		return strings_node(d, f, part->bytes, ret);
	case XB_T_ANY:
		return any_node(d, f, part->bytes, ret);
	case XB_T_BOOL:
		*ret = xb_tree_bool(d->arena, part->value);
		break;
	case XB_T_INT32:
	case XB_T_INT64:
		*ret = xb_tree_int(d->arena, part->value);
		break;
	case XB_T_OBJECT:
		*ret = xb_tree_object(d->arena);
		return *ret ? message_decode(d, f->type, 0, part->bytes, *ret) : -ENOMEM;
	case XB_T_DOUBLE: /* the API has none in protobuf */
		return wrong_wire_type(d->why, part->type, f->name);
	}
	return *ret ? 0 : -ENOMEM;
}

static struct xb_tree *obtain(struct decoder *d, const struct xb_field *f, struct xb_tree *object)
{
	const struct xb_sv key = { f->name, f->name_len };
	struct xb_tree *n = xb_tree_getsv(object, key);

	if (n)
		return n;
	n = f->shape == XB_LIST ? xb_tree_array(d->arena) : xb_tree_object(d->arena);
	if (n)
		xb_tree_set(object, key, n);
	return n;
}

static int element_decode(struct decoder *d, const struct xb_field *f, const struct part *part, struct xb_tree *list)
{
	struct xb_tree *n = NULL;
	int r;

	r = value_node(d, f, part, &n);
	if (!r && n)
		xb_tree_append(list, n);
	return r;
}

/* Numbers come one by one or, from encoders of a later day, packed into one field. */
static int list_decode(struct decoder *d, const struct xb_field *f, const struct part *part, struct xb_tree *list)
{
	struct part element = { .type = WIRE_VARINT };
	struct xb_sv packed = part->bytes;
	int r = 0;

	if (part->type != WIRE_BYTES || (f->kind != XB_T_INT32 && f->kind != XB_T_INT64))
		return element_decode(d, f, part, list);
	while (packed.n && !r) {
		r = varint_read(&packed, &element.value, d->why);
		if (!r)
			r = element_decode(d, f, &element, list);
	}
	return r;
}

static int entry_decode(struct decoder *d, const struct xb_field *f, const struct part *part, struct xb_tree *map)
{
	static const enum wire_type types[] = { WIRE_BYTES, WIRE_BYTES };
	struct part entry[ARRAY_SIZE(types)] = { { .type = WIRE_BYTES }, { .type = WIRE_BYTES } };
	struct xb_tree *key = NULL, *value = NULL;
	int r;

	if (part->type != WIRE_BYTES)
		return wrong_wire_type(d->why, part->type, f->name);
	r = parts_read(part->bytes, types, ARRAY_SIZE(types), entry, d->why);
	if (!r)
		r = string_node(d, f, entry[0].bytes, &key);
	if (!r)
		r = value_node(d, f, &entry[1], &value);
	if (r < 0)
		return r;
	if (value)
		xb_tree_set(map, key->text, value);
	return 0;
}

static int field_decode(struct decoder *d, const struct xb_field *f, const struct part *part, struct xb_tree *object)
{
	const bool adds = f->shape != XB_ONE || f->kind == XB_T_OBJECT; /* what comes twice adds to what is there */
	struct xb_tree *n = adds ? obtain(d, f, object) : NULL;
	int r;

	if (adds && !n)
		return -ENOMEM;
	if (f->shape == XB_LIST)
		return list_decode(d, f, part, n);
	if (f->shape == XB_MAP)
		return entry_decode(d, f, part, n);
	if (adds && part->type != WIRE_BYTES)
		return wrong_wire_type(d->why, part->type, f->name);
	if (adds)
		return message_decode(d, f->type, 0, part->bytes, n);
	r = value_node(d, f, part, &n);
	if (r < 0)
		return r;
	if (n)
		xb_tree_set(object, (struct xb_sv){ f->name, f->name_len }, n);
	return 0;
}

static const struct xb_field *row_of(const struct xb_type *t, unsigned embedded, uint64_t number)
{
	for (unsigned i = 0; i < t->n_fields; i++)
		if (t->fields[i].number == number && t->fields[i].embedded == embedded)
			return &t->fields[i];
	return NULL;
}

static bool is_embedded(const struct xb_type *t, uint64_t number)
{
	for (unsigned i = 0; i < t->n_fields; i++)
		if (t->fields[i].embedded == number)
			return true;
	return false;
}

/* embedded: the message is the one of that number in t's, and its fields are t's rows too. */
static int message_decode(struct decoder *d, const struct xb_type *t, unsigned embedded, struct xb_sv message, struct xb_tree *object)
{
	const struct xb_field *f;
	struct part part;
	int r;

	if (++d->depth > DEPTH_MAX)
		return fault(d->why, "proto: exceeded max depth");
	while ((r = part_read(&message, &part, d->why)) > 0) {
		f = row_of(t, embedded, part.number);
		if (f)
			r = field_decode(d, f, &part, object);
		else if (!embedded && is_embedded(t, part.number))
			r = part.type == WIRE_BYTES ? message_decode(d, t, part.number, part.bytes, object)
						    : wrong_wire_type(d->why, part.type, t->name);
		if (r < 0)
			return r;
	}
	d->depth--;
	return r;
}

int xb_protobuf_decode(struct xb_arena *a, const struct xb_type *t, struct xb_sv message, struct xb_tree *object, struct xb_buf *retwhy)
{
	struct decoder d = { .arena = a, .why = retwhy };

	return message_decode(&d, t, 0, message, object);
}

int xb_protobuf_open(struct xb_sv body, struct xb_protobuf_envelope *ret, struct xb_buf *retwhy)
{
	static const enum wire_type types[] = { WIRE_BYTES, WIRE_BYTES };
	static const char magic[4] = { 'k', '8', 's', 0 };
	struct part part[ARRAY_SIZE(types)] = {}, type_meta[ARRAY_SIZE(types)] = {};
	int r;

	if (!body.n)
		return fault(retwhy, "empty data");
	if (body.n < sizeof(magic) || memcmp(body.p, magic, sizeof(magic)))
		return fault(retwhy, "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
	if (body.n == sizeof(magic))
		return fault(retwhy, "empty body");
	r = parts_read((struct xb_sv){ body.p + sizeof(magic), body.n - sizeof(magic) }, types, ARRAY_SIZE(types), part, retwhy);
	if (!r)
		r = parts_read(part[0].bytes, types, ARRAY_SIZE(types), type_meta, retwhy);
	if (r < 0)
		return r;
	*ret = (struct xb_protobuf_envelope){ type_meta[0].bytes, type_meta[1].bytes, part[1].bytes };
	return 0;
}
