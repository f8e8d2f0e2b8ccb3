/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "index.h"

enum { LARGEST = 1 << 28, DEFAULT_BYTES = 3 << 20, DEFAULT_DEPTH = 128, DEEPEST = 1000, NO_PARENT = LARGEST - 1 };

static const char end_of_input[] = "unexpected end of JSON input";

struct scan {
	const char *base, *end;         /* *end is 0, so no test for the end is needed where a 0 is a fault anyway */
	struct xb_json_entry *index;    /* small until the document turns out to need more */
	struct xb_json_entry small[512];
	uint32_t n, cap;
	unsigned max_depth;
	struct xb_json_fault fault;
};

static int fault(struct scan *s, const char *p, const char *what)
{
	bool at_end = p >= s->end;

	s->fault = (struct xb_json_fault){ .offset = p - s->base, .what = at_end ? end_of_input : what,
					   .byte = at_end ? -1 : (unsigned char)*p };
	return -EBADMSG;
}

static struct xb_json_entry *entry_add(struct scan *s)
{
	struct xb_json_entry *more;

	if (s->n == s->cap) {
		more = realloc(s->index == s->small ? NULL : s->index, 2 * s->cap * sizeof(*more));
		if (!more)
			return NULL;
		if (s->index == s->small)
			memcpy(more, s->small, sizeof(s->small));
		s->index = more;
		s->cap *= 2;
	}
	s->index[s->n] = (struct xb_json_entry){};
	return &s->index[s->n++];
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The backslash at *p and what belongs to it. */
static int scan_escape(struct scan *s, const char **p)
{
	const char *at = *p + 1;

	if (*at != 'u') {
		if (!*at || !strchr("\"\\/bfnrt", *at))
			return fault(s, at, "in string escape code");
		*p = at + 1;
		return 0;
	}
	for (int i = 0; i < 4; i++)
		if (!is_hex(*++at))
			return fault(s, at, "in \\u hexadecimal character escape");
	*p = at + 1;
	return 0;
}

/* The string whose opening quote is at *p; leaves *p behind the closing one. 1 when it has escapes. */
static int scan_string(struct scan *s, const char **p)
{
	const char *at = *p + 1;
	int escaped = 0;
	size_t n;

	for (;;) {
		at = xb_json_skip_plain(at);
		if (*at == '"') {
			*p = at + 1;
			return escaped;
		}
		if (*at == '\\') {
			if (scan_escape(s, &at) < 0)
				return -EBADMSG;
			escaped = 1;
			continue;
		}
		n = (unsigned char)*at < 0x80 ? 0 : xb_sv_utf8((struct xb_sv){ at, s->end - at });
		if (!n)
			return fault(s, at, (unsigned char)*at < 0x80 ? "in string literal" : "in string literal (not UTF-8)");
		at += n;
	}
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int scan_number(struct scan *s, const char **p)
{
	const char *at = *p + (**p == '-');

	if (!is_digit(*at))
		return fault(s, at, "in numeric literal");
	if (*at++ != '0')
		while (is_digit(*at))
			at++;
	if (*at == '.') {
		if (!is_digit(*++at))
			return fault(s, at, "after decimal point in numeric literal");
		while (is_digit(*at))
			at++;
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		if (*at == '+' || *at == '-')
			at++;
		if (!is_digit(*at))
			return fault(s, at, "in exponent of numeric literal");
		while (is_digit(*at))
			at++;
	}
	*p = at;
	return 0;
}

static int scan_literal(struct scan *s, const char **p, const char *literal)
{
	static const struct {
		const char *literal, *what[4];
	} texts[] = {
		{ "true", { "in literal true (expecting 'r')", "in literal true (expecting 'u')",
			    "in literal true (expecting 'e')" } },
		{ "false", { "in literal false (expecting 'a')", "in literal false (expecting 'l')",
			     "in literal false (expecting 's')", "in literal false (expecting 'e')" } },
		{ "null", { "in literal null (expecting 'u')", "in literal null (expecting 'l')",
			    "in literal null (expecting 'l')" } },
	};
	size_t t = *literal == 't' ? 0 : *literal == 'f' ? 1 : 2;

	for (size_t i = 1; literal[i]; i++)
		if ((*p)[i] != literal[i])
			return fault(s, *p + i, texts[t].what[i - 1]);
	*p += strlen(literal);
	return 0;
}

static int scan_scalar(struct scan *s, const char **p, struct xb_json_entry *e)
{
	int r;

	switch (**p) {
	case '"':
		e->type = XB_JSON_STRING;
		r = scan_string(s, p);
		e->escaped = r > 0;
		return r;
	case '-':
	case '0' ... '9':
		e->type = XB_JSON_NUMBER;
		return scan_number(s, p);
	case 't':
		e->type = XB_JSON_BOOL;
		return scan_literal(s, p, "true");
	case 'f':
		e->type = XB_JSON_BOOL;
		return scan_literal(s, p, "false");
	case 'n':
		e->type = XB_JSON_NULL;
		return scan_literal(s, p, "null");
	default:
		return fault(s, *p, "looking for beginning of value");
	}
}

static int scan_key(struct scan *s, const char **p, struct xb_json_entry *e)
{
	int r;

	if (**p != '"')
		return fault(s, *p, "looking for beginning of object key string");
	r = scan_string(s, p);
	if (r < 0)
		return r;
	e->member = 1;
	e->key_escaped = r > 0;
	*p = xb_json_skip_space(*p);
	if (**p != ':')
		return fault(s, *p, "after object key");
	*p = xb_json_skip_space(*p + 1);
	return 0;
}

/* While a container is open its next holds the index of the one around it: the index is its own stack. */
static int scan_document(struct scan *s)
{
	const char *p = xb_json_skip_space(s->base);
	uint32_t parent = NO_PARENT;
	unsigned depth = 0;
	int r;

	for (;;) {
		struct xb_json_entry *e = entry_add(s);

		if (!e)
			return -ENOMEM;
		e->start = p - s->base;
		if (parent != NO_PARENT && s->index[parent].type == XB_JSON_OBJECT) {
			r = scan_key(s, &p, e);
			if (r < 0)
				return r;
		}
		if (*p == '{' || *p == '[') {
			if (++depth > s->max_depth) {
				(void)fault(s, p, "exceeded max depth");
				s->fault.byte = -1;
				return -E2BIG;
			}
			e->type = *p == '{' ? XB_JSON_OBJECT : XB_JSON_ARRAY;
			e->next = parent;
			parent = s->n - 1;
			p = xb_json_skip_space(p + 1);
			if (*p != (e->type == XB_JSON_OBJECT ? '}' : ']'))
				continue;
		} else {
			r = scan_scalar(s, &p, e);
			if (r < 0)
				return r;
			e->next = s->n;
		}
		for (;;) {
			p = xb_json_skip_space(p);
			if (parent == NO_PARENT)
				return p == s->end ? 0 : fault(s, p, "after top-level value");
			e = &s->index[parent];
			if (*p == ',')
				break;
			if (*p != (e->type == XB_JSON_OBJECT ? '}' : ']'))
				return fault(s, p, e->type == XB_JSON_OBJECT ? "after object key:value pair" : "after array element");
			p++;
			depth--;
			parent = e->next;
			e->next = s->n;
		}
		p = xb_json_skip_space(p + 1);
	}
}

static bool fits_narrow(size_t bytes, const struct xb_json_entry *index, uint32_t n)
{
	if (bytes > XB_JSON_NARROW_BYTES)
		return false;
	for (uint32_t i = 1; i < n; i++)
		if (index[i].next - i > XB_JSON_NARROW_SPAN)
			return false;
	return true;
}

static void narrow(const struct xb_json_entry *index, uint32_t n, struct xb_json_narrow *out)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct xb_json_entry e = index[i];

		out[i] = (struct xb_json_narrow){ e.start, i ? e.next - i : 0, e.type, e.member, e.escaped, e.key_escaped };
	}
}

struct xb_json *xb_json_alloc(size_t n)
{
	struct xb_json *d = malloc(xb_json_index_offset(n));

	if (!d)
		return NULL;
	atomic_init(&d->refs, 1);
	d->n = n;
	d->entries = 0;
	d->narrow = false;
	d->extra = NULL;
	return d;
}

int xb_json_put_index(struct xb_json **d, const struct xb_json_entry *index, uint32_t n)
{
	size_t at = xb_json_index_offset((*d)->n);
	bool is_narrow = fits_narrow((*d)->n, index, n);
	struct xb_json *whole = realloc(*d, at + n * (is_narrow ? sizeof(struct xb_json_narrow) : sizeof(*index)));

	if (!whole)
		return -ENOMEM;
	if (is_narrow)
		narrow(index, n, (struct xb_json_narrow *)((char *)whole + at));
	else
		memcpy((char *)whole + at, index, n * sizeof(*index));
	whole->entries = n;
	whole->narrow = is_narrow;
	*d = whole;
	return 0;
}

int xb_json_parse(struct xb_sv bytes, const struct xb_json_limits *limits, struct xb_json **ret,
		  struct xb_json_fault *reterr)
{
	size_t max_bytes = limits && limits->max_bytes ? limits->max_bytes : DEFAULT_BYTES;
	unsigned max_depth = limits && limits->max_depth ? limits->max_depth : DEFAULT_DEPTH;
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct scan s;
	int r;

	if (bytes.n > MIN(max_bytes, (size_t)LARGEST)) {
		if (reterr)
			*reterr = (struct xb_json_fault){ .offset = max_bytes, .what = "document is too large", .byte = -1 };
		return -E2BIG;
	}
	d = xb_json_alloc(bytes.n);
	if (!d)
		return -ENOMEM;
	if (bytes.n)
		memcpy(d->bytes, bytes.p, bytes.n);
	memset(d->bytes + bytes.n, 0, XB_JSON_PAD);

	s.base = d->bytes;
	s.end = d->bytes + bytes.n;
	s.index = s.small;
	s.n = 0;
	s.cap = ARRAY_SIZE(s.small);
	s.max_depth = MIN(max_depth, (unsigned)DEEPEST);
	r = scan_document(&s);
	if (!r)
		r = xb_json_put_index(&d, s.index, s.n);
	if (s.index != s.small)
		free(s.index);
	if (r < 0) {
		if (reterr && r != -ENOMEM)
			*reterr = s.fault;
		return r;
	}
	*ret = TAKE_PTR(d);
	return 0;
}

/* Go shows the byte as if it were a code point, in its %q form. */
static void add_byte(struct xb_buf *out, int byte)
{
	static const char escapes[32] = { ['\a'] = 'a', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n',
					  ['\r'] = 'r', ['\t'] = 't', ['\v'] = 'v' };

	if (byte == '\'' || byte == '\\')
		xb_buf_addf(out, "'\\%c'", byte);
	else if (byte < 0x20 && escapes[byte])
		xb_buf_addf(out, "'\\%c'", escapes[byte]);
	else if (byte < 0x20 || byte == 0x7f)
		xb_buf_addf(out, "'\\x%02x'", byte);
	else if (byte < 0x80)
		xb_buf_addf(out, "'%c'", byte);
	else if (byte <= 0xa0 || byte == 0xad)
		xb_buf_addf(out, "'\\u%04x'", byte);
	else
		xb_buf_addf(out, "'%c%c'", 0xc0 | byte >> 6, 0x80 | (byte & 0x3f));
}

void xb_json_fault_text(const struct xb_json_fault *f, struct xb_buf *out)
{
	if (f->byte >= 0) {
		xb_buf_adds(out, "invalid character ");
		add_byte(out, f->byte);
		xb_buf_addc(out, ' ');
	}
	xb_buf_adds(out, f->what);
}
