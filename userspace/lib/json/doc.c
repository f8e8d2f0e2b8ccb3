/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <malloc.h>

#include "index.h"

struct xb_json *xb_json_ref(const struct xb_json *d)
{
	struct xb_json *shared = (struct xb_json *)d;

	atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

struct xb_json *xb_json_unref(struct xb_json *d)
{
	if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	if (d->extra)
		d->extra->release(d->extra);
	free(d);
	return NULL;
}

void xb_json_attach(struct xb_json *d, struct xb_json_extra *x)
{
	d->extra = x;
}

struct xb_json_extra *xb_json_attached(const struct xb_json *d)
{
	return d->extra;
}

struct xb_sv xb_json_bytes(const struct xb_json *d)
{
	return (struct xb_sv){ d->bytes, d->n };
}

size_t xb_json_memory(const struct xb_json *d)
{
	return malloc_usable_size((void *)d) + (d->extra ? d->extra->bytes : 0);
}

struct xb_jv xb_json_root(const struct xb_json *d)
{
	return (struct xb_jv){ d, 0 };
}

static struct xb_json_entry entry(struct xb_jv v)
{
	return xb_json_entry_at(v.doc, v.at);
}

enum xb_json_type xb_jv_type(struct xb_jv v)
{
	return v.doc ? entry(v).type : XB_JSON_NONE;
}

static struct xb_sv key_text(struct xb_jv member)
{
	const struct xb_json_entry e = entry(member);
	const char *p = member.doc->bytes + e.start;

	return (struct xb_sv){ p + 1, xb_json_string_end(member.doc, p, e.key_escaped) - p - 1 };
}

const char *xb_json_value_start(struct xb_jv v)
{
	struct xb_sv key;

	if (!entry(v).member)
		return v.doc->bytes + entry(v).start;
	key = key_text(v);
	return xb_json_behind_key(key.p + key.n);
}

static const char *scalar_end(struct xb_jv v, const char *p)
{
	if (*p == '"')
		return xb_json_string_end(v.doc, p, entry(v).escaped) + 1;
	while (*p && *p != ',' && *p != ']' && *p != '}' && !xb_json_is_space(*p))
		p++;
	return p;
}

/* Of the value that starts at p: down the last children to a value without any, then up again over one closing bracket a level. */
static const char *value_end(struct xb_jv v, const char *p)
{
	struct xb_json_entry e;
	unsigned levels = 0;

	while ((e = entry(v)).next > v.at + 1) {
		uint32_t end = e.next, next;

		for (v.at++; (next = entry(v).next) < end; v.at = next)
			;
		levels++;
	}
	if (levels)
		p = xb_json_value_start(v);
	if (e.type == XB_JSON_OBJECT || e.type == XB_JSON_ARRAY)
		p = xb_json_skip_space(p + 1) + 1;
	else
		p = scalar_end(v, p);
	while (levels--)
		p = xb_json_skip_space(p) + 1;
	return p;
}

struct xb_sv xb_jv_bytes(struct xb_jv v)
{
	const char *p;

	if (!v.doc)
		return (struct xb_sv){};
	p = xb_json_value_start(v);
	return (struct xb_sv){ p, value_end(v, p) - p };
}

struct xb_jit xb_jv_iter(struct xb_jv v)
{
	enum xb_json_type type = xb_jv_type(v);

	if (type != XB_JSON_OBJECT && type != XB_JSON_ARRAY)
		return (struct xb_jit){};
	return (struct xb_jit){ .in = v, .next = v.at + 1, .end = entry(v).next };
}

bool xb_jit_next(struct xb_jit *it)
{
	struct xb_json_entry e;

	if (it->next >= it->end)
		return false;
	it->value = (struct xb_jv){ it->in.doc, it->next };
	e = entry(it->value);
	if (e.member) {
		it->key = key_text(it->value);
		it->key_escaped = e.key_escaped;
	}
	it->next = e.next;
	return true;
}

static bool is_plain(struct xb_sv text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~' || text.p[i] == '"' || text.p[i] == '\\')
			return false;
	return true;
}

int xb_json_with(const struct xb_json *d, const struct xb_json_change *c, size_t n, struct xb_json **ret)
{
	size_t index = xb_json_index_offset(d->n), entry = d->narrow ? sizeof(struct xb_json_narrow) : sizeof(struct xb_json_entry);
	size_t bytes = index + d->entries * entry;
	struct xb_json *copy;

	for (size_t i = 0; i < n; i++)
		if (c[i].string.doc != d || xb_jv_type(c[i].string) != XB_JSON_STRING || xb_jv_escaped(c[i].string) ||
		    xb_jv_text(c[i].string).n != c[i].text.n || !is_plain(c[i].text))
			return -EINVAL;
	copy = malloc(bytes);
	if (!copy)
		return -ENOMEM;
	memcpy(copy->bytes, d->bytes, bytes - offsetof(struct xb_json, bytes));
	atomic_init(&copy->refs, 1);
	copy->n = d->n;
	copy->entries = d->entries;
	copy->narrow = d->narrow;
	copy->extra = NULL;
	for (size_t i = 0; i < n; i++)
		memcpy(copy->bytes + (xb_jv_text(c[i].string).p - d->bytes), c[i].text.p, c[i].text.n);
	*ret = copy;
	return 0;
}

static unsigned hex4(const char *p)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++)
		code = code << 4 | (p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return code;
}

/* The \u escape at *p, two of them when they are a surrogate pair; a surrogate on its own becomes U+FFFD, as in Go. */
static unsigned unescape_unicode(const char **p, const char *end)
{
	unsigned code = hex4(*p + 2), low;

	*p += 6;
	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return 0xfffd;
	low = hex4(*p + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*p += 6;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static size_t utf8_encode(unsigned code, char out[4])
{
	if (code < 0x80) {
		out[0] = code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = 0xc0 | code >> 6;
		out[1] = 0x80 | (code & 0x3f);
		return 2;
	}
	if (code < 0x10000) {
		out[0] = 0xe0 | code >> 12;
		out[1] = 0x80 | (code >> 6 & 0x3f);
		out[2] = 0x80 | (code & 0x3f);
		return 3;
	}
	out[0] = 0xf0 | code >> 18;
	out[1] = 0x80 | (code >> 12 & 0x3f);
	out[2] = 0x80 | (code >> 6 & 0x3f);
	out[3] = 0x80 | (code & 0x3f);
	return 4;
}

/* What the backslash at *p stands for; steps over it. */
static size_t unescape_one(const char **p, const char *end, char out[4])
{
	static const char plain[128] = { ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t' };
	unsigned char c = (*p)[1];

	if (c == 'u')
		return utf8_encode(unescape_unicode(p, end), out);
	out[0] = plain[c] ? plain[c] : c;
	*p += 2;
	return 1;
}

void xb_json_unescape(struct xb_sv text, struct xb_buf *out)
{
	const char *p = text.p, *end, *stop;
	char code[4];

	if (!text.n)
		return;
	end = p + text.n;
	while (p < end) {
		stop = memchr(p, '\\', end - p);
		stop = stop ? stop : end;
		xb_buf_add(out, p, stop - p);
		p = stop;
		if (p < end)
			xb_buf_add(out, code, unescape_one(&p, end, code));
	}
}

/* Whether the escaped text means s. */
static bool unescaped_eq(struct xb_sv text, struct xb_sv s)
{
	const char *p = text.p, *end = text.p + text.n;
	char code[4];
	size_t at = 0;

	while (p < end) {
		size_t n = 1;

		if (*p == '\\')
			n = unescape_one(&p, end, code);
		else
			code[0] = *p++;
		if (s.n - at < n || memcmp(s.p + at, code, n))
			return false;
		at += n;
	}
	return at == s.n;
}

static __always_inline bool is_key(struct xb_jv member, uint32_t start, bool escaped, struct xb_sv key)
{
	const char *p = member.doc->bytes + start + 1;

	if (escaped)
		return unescaped_eq(key_text(member), key);
	return member.doc->n - start > key.n + 1 && p[key.n] == '"' && (!key.n || !memcmp(p, key.p, key.n));
}

/* Each member is asked: of those of one name the last counts. That is most of what reading documents costs, so nothing is unpacked. */
static struct xb_jv find_narrow(struct xb_jv object, uint32_t end, struct xb_sv key)
{
	const struct xb_json_narrow *index = xb_json_index(object.doc);
	struct xb_jv found = {}, member = object;

	for (member.at++; member.at < end; member.at += index[member.at].span)
		if (is_key(member, index[member.at].start, index[member.at].key_escaped, key))
			found = member;
	return found;
}

static struct xb_jv find_wide(struct xb_jv object, uint32_t end, struct xb_sv key)
{
	const struct xb_json_entry *index = xb_json_index(object.doc);
	struct xb_jv found = {}, member = object;

	for (member.at++; member.at < end; member.at = index[member.at].next)
		if (is_key(member, index[member.at].start, index[member.at].key_escaped, key))
			found = member;
	return found;
}

struct xb_jv xb_jv_getsv(struct xb_jv object, struct xb_sv key)
{
	struct xb_json_entry e;

	if (!object.doc)
		return object;
	e = entry(object);
	if (e.type != XB_JSON_OBJECT)
		return (struct xb_jv){};
	return object.doc->narrow ? find_narrow(object, e.next, key) : find_wide(object, e.next, key);
}

struct xb_jv xb_jv_get(struct xb_jv object, const char *key)
{
	return xb_jv_getsv(object, xb_sv(key));
}

struct xb_jv xb_jv_path_(struct xb_jv object, const char *first, ...)
{
	va_list ap;

	va_start(ap, first);
	for (const char *key = first; key; key = va_arg(ap, const char *))
		object = xb_jv_get(object, key);
	va_end(ap);
	return object;
}

struct xb_jv xb_jv_at(struct xb_jv array, size_t i)
{
	struct xb_jit it = xb_jv_iter(array);

	if (xb_jv_type(array) == XB_JSON_ARRAY)
		while (xb_jit_next(&it))
			if (!i--)
				return it.value;
	return (struct xb_jv){};
}

size_t xb_jv_count(struct xb_jv v)
{
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(v); it.next < it.end; n++)
		it.next = xb_json_entry_at(v.doc, it.next).next;
	return n;
}

struct xb_sv xb_jv_text(struct xb_jv v)
{
	const char *p;

	if (xb_jv_type(v) != XB_JSON_STRING)
		return (struct xb_sv){};
	p = xb_json_value_start(v);
	return (struct xb_sv){ p + 1, xb_json_string_end(v.doc, p, entry(v).escaped) - p - 1 };
}

bool xb_jv_escaped(struct xb_jv v)
{
	return v.doc && entry(v).escaped;
}

bool xb_jv_streq(struct xb_jv v, struct xb_sv s)
{
	if (xb_jv_type(v) != XB_JSON_STRING)
		return false;
	return xb_jv_escaped(v) ? unescaped_eq(xb_jv_text(v), s) : xb_sv_eq(xb_jv_text(v), s);
}

char *xb_jv_dup(struct xb_jv v)
{
	struct xb_buf decoded = {};

	if (xb_jv_type(v) != XB_JSON_STRING)
		return NULL;
	if (!xb_jv_escaped(v))
		return xb_sv_dup(xb_jv_text(v));
	xb_json_unescape(xb_jv_text(v), &decoded);
	return xb_buf_steal(&decoded);
}

int xb_jv_i64(struct xb_jv v, int64_t *ret)
{
	if (xb_jv_type(v) != XB_JSON_NUMBER || xb_sv_i64(xb_jv_bytes(v), ret))
		return -EINVAL;
	return 0;
}

bool xb_jv_true(struct xb_jv v)
{
	return xb_jv_type(v) == XB_JSON_BOOL && *xb_json_value_start(v) == 't';
}

double xb_jv_double(struct xb_jv v)
{
	/* a number never ends the bytes: see XB_JSON_PAD */
	return xb_jv_type(v) == XB_JSON_NUMBER ? strtod(xb_json_value_start(v), NULL) : 0;
}
