/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "xb/http1.h"

#define METHOD_MAX 32
#define EXTENSION_BYTES_MAX 4096        /* of all chunks of a request: nobody uses them but attackers */
#define INTERIM_MAX 8                   /* of responses before the one that counts */
#define BODY_RESERVE_MAX (64 << 10)     /* a length promised is not yet a length sent */

static int fault(struct xb_http1 *p, int code, const char *why)
{
	p->state = XB_HTTP1_FAULT;
	p->fault_code = p->response ? 502 : code;
	p->fault = why;
	return -EBADMSG;
}

/* RFC 9110 5.6.2 */
static bool is_token_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct xb_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_byte(s.p[i]))
			return false;
	return s.n > 0;
}

/* RFC 9110 5.5: no control characters but the tab; bytes above 127 are opaque. */
static bool is_field_value(struct xb_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 127)
			return false;
	return true;
}

static bool is_host(struct xb_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 127 || strchr("/?#@\\\"<>^`{|}", s.p[i]))
			return false;
	return true;
}

static struct xb_sv trim_blanks(struct xb_sv s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool is_name(struct xb_sv s, const char *name)
{
	return s.n == strlen(name) && !strncasecmp(s.p, name, s.n);
}

static bool list_has(struct xb_sv list, const char *word)
{
	struct xb_sv item;

	while (xb_sv_split(&list, ',', &item))
		if (is_name(trim_blanks(item), word))
			return true;
	return false;
}

/* RFC 9112 3.2: origin form, absolute form, and "*" for OPTIONS. */
static int take_target(struct xb_http1 *p, struct xb_sv method, struct xb_sv target)
{
	size_t skip = 0;

	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] <= ' ' || target.p[i] >= 127 || target.p[i] == '#')
			return fault(p, 400, "malformed request target");
	if (xb_sv_is(method, "CONNECT"))
		return fault(p, 400, "CONNECT is not supported");
	if (target.n > 8 && !strncasecmp(target.p, "https://", 8))
		skip = 8;
	else if (target.n > 7 && !strncasecmp(target.p, "http://", 7))
		skip = 7;
	if (skip) {
		size_t host = skip;

		while (skip < target.n && target.p[skip] != '/' && target.p[skip] != '?')
			skip++;
		/* "http://host" has the path "/": the byte behind the target, a space, becomes it */
		if (skip == target.n)
			p->head.p[target.p + skip - p->head.p] = '/';
		if (skip == host || (skip < target.n && target.p[skip] == '?'))
			return fault(p, 400, "malformed request target");
	} else if (target.n == 0 || (target.p[0] != '/' && !(xb_sv_is(target, "*") && xb_sv_is(method, "OPTIONS")))) {
		return fault(p, 400, "malformed request target");
	}
	p->target = target.p + skip - p->head.p;
	p->target_n = MAX(target.n - skip, (size_t)1);
	return 0;
}

static int take_version(struct xb_http1 *p, struct xb_sv version)
{
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) || version.p[6] != '.' || version.p[5] < '0' || version.p[5] > '9' ||
	    version.p[7] < '0' || version.p[7] > '9')
		return fault(p, 400, "malformed HTTP version");
	if (version.p[5] != '1')
		return fault(p, 505, "HTTP version not supported");
	p->minor = version.p[7] - '0';
	p->close = p->minor == 0;
	return 0;
}

static int take_request_line(struct xb_http1 *p, struct xb_sv line)
{
	struct xb_sv method, target, version = line;
	int r;

	if (!xb_sv_split(&version, ' ', &method) || !xb_sv_split(&version, ' ', &target) || !version.p)
		return fault(p, 400, "malformed request line");
	if (!is_token(method) || method.n > METHOD_MAX)
		return fault(p, 400, "malformed method");
	r = take_version(p, version);
	if (r)
		return r;
	p->method = method.p - p->head.p;
	p->method_n = method.n;
	r = take_target(p, method, target);
	if (!r)
		p->state = XB_HTTP1_FIELDS;
	return r;
}

/* The words behind the code may be missing, and their space with them. */
static int take_status_line(struct xb_http1 *p, struct xb_sv line)
{
	struct xb_sv version, code, reason = line;
	uint64_t status;
	int r;

	if (!xb_sv_split(&reason, ' ', &version) || !xb_sv_split(&reason, ' ', &code))
		return fault(p, 502, "malformed status line");
	r = take_version(p, version);
	if (r)
		return r;
	if (code.n != 3 || xb_sv_u64(code, &status) || status < 100 || !is_field_value(reason))
		return fault(p, 502, "malformed status line");
	p->status = (uint16_t)status;
	p->state = XB_HTTP1_FIELDS;
	return 0;
}

static int take_length(struct xb_http1 *p, struct xb_sv value)
{
	if (p->has_length)
		return fault(p, 400, "more than one Content-Length");
	if (!value.n)
		return fault(p, 400, "malformed Content-Length");
	p->has_length = true;
	p->left = 0;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return fault(p, 400, "malformed Content-Length");
		if (p->left <= UINT64_MAX / 10 - 9)
			p->left = p->left * 10 + (value.p[i] - '0');
	}
	return 0;
}

/* The fields that say how the message is framed and what becomes of the connection. */
static int take_meaning(struct xb_http1 *p, struct xb_sv name, struct xb_sv value)
{
	if (is_name(name, "Content-Length"))
		return take_length(p, value);
	if (is_name(name, "Transfer-Encoding")) {
		if (p->chunked)
			return fault(p, 400, "more than one Transfer-Encoding");
		if (!is_name(value, "chunked"))
			return fault(p, 501, "unsupported transfer encoding");
		p->chunked = true;
	} else if (is_name(name, "Connection")) {
		p->close |= list_has(value, "close");
	} else if (p->response) {
		return 0;
	} else if (is_name(name, "Host")) {
		if (p->has_host)
			return fault(p, 400, "more than one Host");
		if (!is_host(value))
			return fault(p, 400, "malformed Host");
		p->has_host = true;
	} else if (is_name(name, "Expect")) {
		if (!is_name(value, "100-continue"))
			return fault(p, 417, "unknown expectation");
		p->expect_continue = true;
	}
	return 0;
}

static int split_field(struct xb_http1 *p, struct xb_sv line, struct xb_sv *ret_name, struct xb_sv *ret_value)
{
	struct xb_sv name, value = line;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return fault(p, 400, "folded header line");
	if (!xb_sv_split(&value, ':', &name) || !value.p || !is_token(name))
		return fault(p, 400, "malformed header name");
	value = trim_blanks(value);
	if (!is_field_value(value))
		return fault(p, 400, "malformed header value");
	*ret_name = name;
	*ret_value = value;
	return 0;
}

static int take_field(struct xb_http1 *p, struct xb_sv line)
{
	struct xb_sv name, value;
	int r;

	r = split_field(p, line, &name, &value);
	if (r)
		return r;
	if (p->n_fields == p->limits->fields)
		return fault(p, 431, "too many header fields");
	if (p->n_fields == p->cap_fields) {
		uint32_t cap = MAX(2 * p->cap_fields, 16u);
		struct xb_http1_field *bigger = reallocarray(p->fields, cap, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		p->fields = bigger;
		p->cap_fields = cap;
	}
	p->fields[p->n_fields++] = (struct xb_http1_field){ name.p - p->head.p, name.n, value.p - p->head.p, value.n };
	return take_meaning(p, name, value);
}

/* What comes after it is the response that counts. */
static int skip_interim(struct xb_http1 *p)
{
	if (++p->interim > INTERIM_MAX || p->chunked || p->has_length)
		return fault(p, 502, "malformed interim response");
	xb_buf_clear(&p->head);
	p->n_fields = 0;
	p->state = XB_HTTP1_STATUS_LINE;
	return 0;
}

/* RFC 9112 6.3 */
static bool has_no_body(const struct xb_http1 *p)
{
	return p->to_head || p->status == 101 || p->status == 204 || p->status == 304;
}

static int end_head(struct xb_http1 *p)
{
	p->head_n = p->head.n;
	if (p->response && p->status < 200 && p->status != 101)
		return skip_interim(p);
	if (!p->has_host && p->minor && !p->response)
		return fault(p, 400, "missing Host");
	if (p->chunked && p->has_length)
		return fault(p, 400, "both Content-Length and Transfer-Encoding");
	if (p->chunked && !p->minor)
		return fault(p, 400, "Transfer-Encoding in HTTP/1.0");
	if (p->left > p->limits->body_bytes)
		return fault(p, 413, "the request body is too large");
	if (p->response && has_no_body(p)) {
		p->state = XB_HTTP1_COMPLETE;
		return 0;
	}
	if (p->response && !p->chunked && !p->has_length) {
		p->close = true;
		p->state = XB_HTTP1_BODY_TO_END;
		return 0;
	}
	p->expect_continue = p->expect_continue && p->minor && (p->chunked || p->left);
	p->state = p->chunked ? XB_HTTP1_CHUNK_SIZE : p->left ? XB_HTTP1_COUNTED_BODY : XB_HTTP1_COMPLETE;
	return p->left ? xb_buf_reserve(&p->body, MIN(p->left, (uint64_t)BODY_RESERVE_MAX)) : 0;
}

/* One whole line of the head or of the trailers, without its CRLF. */
static int take_line(struct xb_http1 *p, struct xb_sv line)
{
	struct xb_sv name, value;

	if (p->state == XB_HTTP1_REQUEST_LINE)
		return line.n ? take_request_line(p, line) : 0; /* empty lines before a request: RFC 9112 2.2 */
	if (p->state == XB_HTTP1_STATUS_LINE)
		return take_status_line(p, line);
	if (p->state == XB_HTTP1_FIELDS)
		return line.n ? take_field(p, line) : end_head(p);
	if (!line.n) {
		p->state = XB_HTTP1_COMPLETE;
		return 0;
	}
	return split_field(p, line, &name, &value);
}

/* Gathers the line in head, behind what is there. A trailer's line is dropped once it has been checked. */
static int feed_line(struct xb_http1 *p, const char *bytes, size_t n, size_t *ret_used)
{
	const char *lf = memchr(bytes, '\n', n);
	size_t part = lf ? (size_t)(lf - bytes) + 1 : n;
	bool trailer = p->state == XB_HTTP1_TRAILERS;
	struct xb_sv line;
	int r;

	*ret_used = part;
	if ((trailer ? p->trailer_bytes : p->head.n) + part > p->limits->head_bytes)
		return fault(p, 431, "the request header is too large");
	if (trailer)
		p->trailer_bytes += part;
	xb_buf_add(&p->head, bytes, part);
	if (p->head.err)
		return p->head.err;
	if (!lf)
		return 0;
	line = (struct xb_sv){ p->head.p + p->line, p->head.n - p->line - 1 };
	if (!line.n || line.p[line.n - 1] != '\r')
		return fault(p, 400, "a line must end with CR LF");
	line.n--;
	if (memchr(line.p, '\r', line.n))
		return fault(p, 400, "a stray CR");
	r = take_line(p, line);
	if (trailer)
		p->head.n = p->head_n;
	p->line = p->head.n;
	return r;
}

static int feed_chunk_size(struct xb_http1 *p, char c)
{
	int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

	if (digit >= 0) {
		if (++p->size_digits > 15)
			return fault(p, 400, "malformed chunk size");
		p->left = p->left << 4 | digit;
		if (p->body.n + p->left > p->limits->body_bytes)
			return fault(p, 413, "the request body is too large");
		return 0;
	}
	if (!p->size_digits || (c != '\r' && c != ';'))
		return fault(p, 400, "malformed chunk size");
	p->state = c == '\r' ? XB_HTTP1_CHUNK_SIZE_LF : XB_HTTP1_CHUNK_EXTENSION;
	return 0;
}

/* The frame around a chunk's bytes, a byte at a time. */
static int feed_chunk_frame(struct xb_http1 *p, char c)
{
	switch (p->state) {
	case XB_HTTP1_CHUNK_SIZE:
		return feed_chunk_size(p, c);
	case XB_HTTP1_CHUNK_EXTENSION:
		if (++p->extension_bytes > EXTENSION_BYTES_MAX || (c != '\r' && !is_field_value((struct xb_sv){ &c, 1 })))
			return fault(p, 400, "malformed chunk extension");
		if (c == '\r')
			p->state = XB_HTTP1_CHUNK_SIZE_LF;
		return 0;
	case XB_HTTP1_CHUNK_SIZE_LF:
		if (c != '\n')
			return fault(p, 400, "malformed chunk size");
		p->size_digits = 0;
		p->state = p->left ? XB_HTTP1_CHUNK_DATA : XB_HTTP1_TRAILERS;
		return 0;
	case XB_HTTP1_CHUNK_CR:
		if (c != '\r')
			return fault(p, 400, "malformed chunk");
		p->state = XB_HTTP1_CHUNK_LF;
		return 0;
	default:
		if (c != '\n')
			return fault(p, 400, "malformed chunk");
		p->state = XB_HTTP1_CHUNK_SIZE;
		return 0;
	}
}

static int feed_body(struct xb_http1 *p, const char *bytes, size_t n, size_t *ret_used)
{
	bool to_end = p->state == XB_HTTP1_BODY_TO_END;
	size_t part = to_end ? n : MIN((uint64_t)n, p->left);

	*ret_used = part;
	if (to_end && p->body.n + part > p->limits->body_bytes)
		return fault(p, 502, "the body is too large");
	xb_buf_add(&p->body, bytes, part);
	if (p->body.err)
		return p->body.err;
	p->left -= to_end ? 0 : part;
	if (!p->left && !to_end)
		p->state = p->state == XB_HTTP1_CHUNK_DATA ? XB_HTTP1_CHUNK_CR : XB_HTTP1_COMPLETE;
	return 0;
}

int xb_http1_feed(struct xb_http1 *p, const char *bytes, size_t n, size_t *ret_used)
{
	size_t used = 0, part;
	int r = p->state == XB_HTTP1_FAULT ? -EBADMSG : 0;

	while (!r && used < n && p->state != XB_HTTP1_COMPLETE) {
		switch (p->state) {
		case XB_HTTP1_REQUEST_LINE:
		case XB_HTTP1_STATUS_LINE:
		case XB_HTTP1_FIELDS:
		case XB_HTTP1_TRAILERS:
			r = feed_line(p, bytes + used, n - used, &part);
			break;
		case XB_HTTP1_COUNTED_BODY:
		case XB_HTTP1_BODY_TO_END:
		case XB_HTTP1_CHUNK_DATA:
			r = feed_body(p, bytes + used, n - used, &part);
			break;
		default:
			r = feed_chunk_frame(p, bytes[used]);
			part = 1;
		}
		used += part;
	}
	*ret_used = used;
	return r ? r : p->state == XB_HTTP1_COMPLETE;
}

void xb_http1_init(struct xb_http1 *p, const struct xb_http1_limits *limits)
{
	*p = (struct xb_http1){ .limits = limits };
}

void xb_http1_init_response(struct xb_http1 *p, const struct xb_http1_limits *limits, bool to_head)
{
	*p = (struct xb_http1){ .limits = limits, .state = XB_HTTP1_STATUS_LINE, .response = true, .to_head = to_head };
}

int xb_http1_end(struct xb_http1 *p)
{
	if (p->state == XB_HTTP1_BODY_TO_END)
		p->state = XB_HTTP1_COMPLETE;
	return p->state == XB_HTTP1_COMPLETE ? 1 : fault(p, 502, "the connection ended within a message");
}

void xb_http1_done(struct xb_http1 *p)
{
	xb_buf_done(&p->head);
	xb_buf_done(&p->body);
	free(p->fields);
}

void xb_http1_clear(struct xb_http1 *p)
{
	const struct xb_http1_limits *limits = p->limits;

	xb_http1_done(p);
	xb_http1_init(p, limits);
}

struct xb_sv xb_http1_method(const struct xb_http1 *p)
{
	return (struct xb_sv){ p->head.p + p->method, p->method_n };
}

struct xb_sv xb_http1_target(const struct xb_http1 *p)
{
	return (struct xb_sv){ p->head.p + p->target, p->target_n };
}

bool xb_http1_find(const char *head, const struct xb_http1_field *fields, size_t n, const char *name, size_t *iter,
		   struct xb_sv *ret)
{
	const size_t name_n = strlen(name);

	while (*iter < n) {
		const struct xb_http1_field *f = &fields[(*iter)++];

		if (f->name_n != name_n || strncasecmp(head + f->name, name, name_n))
			continue;
		*ret = (struct xb_sv){ head + f->value, f->value_n };
		return true;
	}
	return false;
}

bool xb_http1_next(const struct xb_http1 *p, const char *name, size_t *iter, struct xb_sv *ret)
{
	return xb_http1_find(p->head.p, p->fields, p->n_fields, name, iter, ret);
}
