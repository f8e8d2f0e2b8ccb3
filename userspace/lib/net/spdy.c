/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <endian.h>
#include <zlib.h>
#include "xb/spdy.h"

/* A history of 2 KiB holds the dictionary; with it deflate takes some 14 KB, where its default takes 270. */
#define WINDOW_BITS 11
#define MEMORY_LEVEL 1
#define DICTIONARY_MAX 1536
#define CONTROL_MAX (64 << 10)
#define BLOCK_MAX 1024          /* of headers that we send */

enum type { SYN_STREAM = 1, SYN_REPLY, RST_STREAM, SETTINGS, PING = 6, GOAWAY, HEADERS, WINDOW_UPDATE };
enum flag { FIN = 1 };

static void put32(unsigned char *to, uint32_t n)
{
	n = htobe32(n);
	memcpy(to, &n, sizeof(n));
}

static uint32_t get32(const unsigned char *from)
{
	uint32_t n;

	memcpy(&n, from, sizeof(n));
	return be32toh(n);
}

/* The dictionary of header blocks (draft 3, section 2.6.10.1): words, each behind its length, and a tail. */
static size_t write_dictionary(unsigned char ret[DICTIONARY_MAX])
{
	static const char *const words[] = {
		"options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding", "accept-language",
		"accept-ranges", "age", "allow", "authorization", "cache-control", "connection", "content-base", "content-encoding",
		"content-language", "content-length", "content-location", "content-md5", "content-range", "content-type", "date",
		"etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
		"if-unmodified-since", "last-modified", "location", "max-forwards", "pragma", "proxy-authenticate",
		"proxy-authorization", "range", "referer", "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade",
		"user-agent", "vary", "via", "warning", "www-authenticate", "method", "get", "status", "200 OK", "version",
		"HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin",
	};
	static const char tail[] =
		"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
		"203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
		"404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
		"Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
		"chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
		"publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		put32(ret + n, (uint32_t)strlen(words[i]));
		memcpy(ret + n + 4, words[i], strlen(words[i]));
		n += 4 + strlen(words[i]);
	}
	memcpy(ret + n, tail, sizeof(tail) - 1);
	return n + sizeof(tail) - 1;
}

int xb_spdy_init(struct xb_spdy *s, const struct xb_spdy_ops *ops, void *arg)
{
	unsigned char dictionary[DICTIONARY_MAX];
	z_stream *z = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
	if (deflateInit2(z, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(z);
		return -ENOMEM;
	}
	deflateSetDictionary(z, dictionary, (uInt)write_dictionary(dictionary));
	*s = (struct xb_spdy){ .ops = ops, .arg = arg, .deflate = z };
	return 0;
}

void xb_spdy_done(struct xb_spdy *s)
{
	if (s->deflate)
		deflateEnd(s->deflate);
	free(TAKE_PTR(s->deflate));
}

/* --- what comes --- */

static bool is_data(const struct xb_spdy *s)
{
	return !(s->head[0] & 0x80);
}

static enum type type_of(const struct xb_spdy *s)
{
	return s->head[2] << 8 | s->head[3];
}

/* What a control frame must have, of which we read no more than 8 bytes. */
static uint32_t shortest(enum type type)
{
	switch (type) {
	case SYN_STREAM:
		return 10;
	case RST_STREAM:
	case WINDOW_UPDATE:
	case GOAWAY:
		return 8;
	case SYN_REPLY:
	case SETTINGS:
	case PING:
	case HEADERS:
		return 4;
	default:
		return 0;
	}
}

static int check_control(const struct xb_spdy *s)
{
	if (s->head[0] != 0x80 || s->head[1] != 3 || s->left > CONTROL_MAX || s->left < shortest(type_of(s)))
		return -EBADMSG;
	return 0;
}

static int end_control(struct xb_spdy *s)
{
	uint32_t first = get32(s->control), id = first & INT32_MAX;
	bool fin = s->head[4] & FIN;
	int r = 0;

	switch (type_of(s)) {
	case SYN_STREAM:
		return s->ops->opened(s->arg, id);
	case SYN_REPLY:
		r = s->ops->replied(s->arg, id);
		break;
	case RST_STREAM:
		return s->ops->reset(s->arg, id, get32(s->control + 4));
	case PING:
		return s->ops->ping(s->arg, first);
	case GOAWAY:
		return s->ops->goaway(s->arg);
	case HEADERS:
		break;
	default:
		return 0;
	}
	return !r && fin ? s->ops->ended(s->arg, id) : r;
}

static int end_frame(struct xb_spdy *s)
{
	s->in_payload = false;
	s->n_head = 0;
	if (!is_data(s))
		return end_control(s);
	return s->head[4] & FIN ? s->ops->ended(s->arg, get32(s->head)) : 0;
}

static int feed_head(struct xb_spdy *s, char byte)
{
	int r;

	s->head[s->n_head++] = (unsigned char)byte;
	if (s->n_head < sizeof(s->head))
		return 0;
	s->left = get32(s->head + 4) & 0xffffff;
	s->n_control = 0;
	r = is_data(s) ? 0 : check_control(s);
	if (r)
		return r;
	s->in_payload = true;
	return s->left ? 0 : end_frame(s);
}

static int feed_payload(struct xb_spdy *s, const char *bytes, size_t n)
{
	size_t kept = MIN(n, sizeof(s->control) - s->n_control);
	int r = 0;

	s->left -= (uint32_t)n;
	if (is_data(s)) {
		r = s->ops->data(s->arg, get32(s->head), (struct xb_sv){ bytes, n });
	} else {
		memcpy(s->control + s->n_control, bytes, kept);
		s->n_control += kept;
	}
	return r || s->left ? r : end_frame(s);
}

int xb_spdy_feed(struct xb_spdy *s, const char *bytes, size_t n)
{
	size_t part;
	int r = 0;

	for (size_t used = 0; used < n && !r; used += part) {
		part = s->in_payload ? MIN(n - used, (size_t)s->left) : 1;
		r = s->in_payload ? feed_payload(s, bytes + used, part) : feed_head(s, bytes[used]);
	}
	return r;
}

/* --- what is sent --- */

static void add_control(struct xb_buf *out, enum type type, const unsigned char *payload, size_t n)
{
	unsigned char head[XB_SPDY_HEAD] = { 0x80, 3, 0, type };

	put32(head + 4, (uint32_t)n);
	xb_buf_add(out, head, sizeof(head));
	xb_buf_add(out, payload, n);
}

/* The number of pairs, then each text behind its length. */
static int write_block(const char *const *fields, unsigned char block[BLOCK_MAX], size_t *ret_n)
{
	uint32_t pairs = 0;
	size_t n = 4;

	for (; fields[0]; fields++) {
		size_t length = strlen(fields[0]);

		if (n + 4 + length > BLOCK_MAX)
			return -EIO;
		put32(block + n, (uint32_t)length);
		memcpy(block + n + 4, fields[0], length);
		n += 4 + length;
		pairs++;
	}
	put32(block, pairs / 2);
	*ret_n = n;
	return 0;
}

int xb_spdy_open(struct xb_spdy *s, uint32_t stream, const char *const *fields, struct xb_buf *out)
{
	unsigned char block[BLOCK_MAX], payload[10 + 2 * BLOCK_MAX] = {};
	z_stream *z = s->deflate;
	size_t n;
	int r = write_block(fields, block, &n);

	if (r)
		return r;
	put32(payload, stream);
	z->next_in = block;
	z->avail_in = (uInt)n;
	z->next_out = payload + 10;
	z->avail_out = sizeof(payload) - 10;
	if (deflate(z, Z_SYNC_FLUSH) != Z_OK || !z->avail_out)
		return -EIO;
	add_control(out, SYN_STREAM, payload, sizeof(payload) - z->avail_out);
	return out->err;
}

void xb_spdy_reset(uint32_t stream, uint32_t status, struct xb_buf *out)
{
	unsigned char payload[8];

	put32(payload, stream);
	put32(payload + 4, status);
	add_control(out, RST_STREAM, payload, sizeof(payload));
}

void xb_spdy_ping(uint32_t id, struct xb_buf *out)
{
	unsigned char payload[4];

	put32(payload, id);
	add_control(out, PING, payload, sizeof(payload));
}

void xb_spdy_goaway(struct xb_buf *out)
{
	static const unsigned char nothing[8]; /* the last stream of theirs: none; and no error */

	add_control(out, GOAWAY, nothing, sizeof(nothing));
}

void xb_spdy_data_head(char ret[XB_SPDY_HEAD], uint32_t stream, bool fin, size_t n)
{
	put32((unsigned char *)ret, stream);
	put32((unsigned char *)ret + 4, (uint32_t)n);
	ret[4] = fin ? FIN : 0;
}
