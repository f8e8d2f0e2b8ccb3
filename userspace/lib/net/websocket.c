/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <endian.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include "xb/websocket.h"

#define KEY_BYTES 24            /* 16 in base64 */
#define PIECE_BYTES (16 << 10)  /* unmasked at a time */

int xb_ws_accept(struct xb_sv key, char ret[XB_WS_ACCEPT_BYTES])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
	unsigned char joined[KEY_BYTES + sizeof(guid)], digest[SHA_DIGEST_LENGTH], decoded[KEY_BYTES];

	if (key.n != KEY_BYTES || key.p[KEY_BYTES - 1] != '=' || key.p[KEY_BYTES - 2] != '=' ||
	    EVP_DecodeBlock(decoded, (const unsigned char *)key.p, KEY_BYTES) != 18)
		return -EINVAL;
	memcpy(joined, key.p, KEY_BYTES);
	memcpy(joined + KEY_BYTES, guid, sizeof(guid));
	SHA1(joined, KEY_BYTES + sizeof(guid) - 1, digest);
	EVP_EncodeBlock((unsigned char *)ret, digest, sizeof(digest));
	return 0;
}

void xb_ws_init(struct xb_ws *w, const struct xb_ws_ops *ops, void *arg)
{
	*w = (struct xb_ws){ .ops = ops, .arg = arg };
}

static bool is_control(const struct xb_ws *w)
{
	return w->opcode & 8;
}

static int check_head(const struct xb_ws *w)
{
	unsigned length = w->head[1] & 0x7f;

	if (w->head[0] & 0x70 || !(w->head[1] & 0x80))
		return -EBADMSG;
	switch (w->opcode) {
	case XB_WS_CONTINUATION:
		return w->message ? 0 : -EBADMSG;
	case XB_WS_TEXT:
	case XB_WS_BINARY:
		return w->message ? -EBADMSG : 0;
	case XB_WS_CLOSE:
	case XB_WS_PING:
	case XB_WS_PONG:
		return w->fin && length <= XB_WS_CONTROL_MAX ? 0 : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

/* Of the head with its mask, once its first two bytes are there. */
static unsigned head_length(const struct xb_ws *w)
{
	unsigned length = w->head[1] & 0x7f;

	return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + 4;
}

static int take_length(struct xb_ws *w)
{
	unsigned length = w->head[1] & 0x7f;
	uint64_t wide;
	uint16_t narrow;

	w->left = length;
	if (length == 126) {
		memcpy(&narrow, w->head + 2, sizeof(narrow));
		w->left = be16toh(narrow);
		return w->left < 126 ? -EBADMSG : 0;
	}
	if (length == 127) {
		memcpy(&wide, w->head + 2, sizeof(wide));
		w->left = be64toh(wide);
		return w->left <= UINT16_MAX || w->left >> 63 ? -EBADMSG : 0;
	}
	return 0;
}

static int end_frame(struct xb_ws *w)
{
	w->in_payload = false;
	w->n_head = 0;
	if (is_control(w))
		return w->ops->control(w->arg, w->opcode, (struct xb_sv){ w->control, w->n_control });
	if (w->fin)
		w->message = 0;
	return 0;
}

static int give(struct xb_ws *w, struct xb_sv piece)
{
	bool first = !w->begun, last = w->fin && !w->left;

	w->begun = !last;
	return w->ops->data(w->arg, w->message, first, last, piece);
}

static int begin_frame(struct xb_ws *w)
{
	int r = take_length(w);

	if (r)
		return r;
	w->in_payload = true;
	w->at = 0;
	w->n_control = 0;
	if (!is_control(w) && w->opcode)
		w->message = w->opcode;
	if (w->left)
		return 0;
	/* an empty frame says something only by beginning or ending a message */
	r = is_control(w) || (!w->fin && w->begun) ? 0 : give(w, (struct xb_sv){});
	return r ? r : end_frame(w);
}

static int feed_head(struct xb_ws *w, char byte)
{
	int r;

	w->head[w->n_head++] = (unsigned char)byte;
	if (w->n_head == 2) {
		w->fin = w->head[0] & 0x80;
		w->opcode = w->head[0] & 0x0f;
		r = check_head(w);
		if (r)
			return r;
	}
	return w->n_head > 2 && w->n_head == head_length(w) ? begin_frame(w) : 0;
}

static int feed_payload(struct xb_ws *w, const char *bytes, size_t n)
{
	const unsigned char *mask = w->head + head_length(w) - 4;
	char piece[PIECE_BYTES];
	int r = 0;

	for (size_t i = 0; i < n; i++)
		piece[i] = bytes[i] ^ mask[(w->at + i) & 3];
	w->at = (w->at + n) & 3;
	w->left -= n;
	if (is_control(w)) {
		memcpy(w->control + w->n_control, piece, n);
		w->n_control += n;
	} else {
		r = give(w, (struct xb_sv){ piece, n });
	}
	return r || w->left ? r : end_frame(w);
}

int xb_ws_feed(struct xb_ws *w, const char *bytes, size_t n)
{
	size_t part;
	int r = 0;

	for (size_t used = 0; used < n && !r; used += part) {
		part = w->in_payload ? MIN(MIN((uint64_t)(n - used), w->left), (uint64_t)PIECE_BYTES) : 1;
		r = w->in_payload ? feed_payload(w, bytes + used, part) : feed_head(w, bytes[used]);
	}
	return r;
}

size_t xb_ws_head(char ret[XB_WS_HEAD_MAX], enum xb_ws_opcode type, uint64_t n)
{
	uint16_t narrow = htobe16((uint16_t)n);
	uint64_t wide = htobe64(n);

	ret[0] = (char)(0x80 | type);
	if (n < 126) {
		ret[1] = (char)n;
		return 2;
	}
	ret[1] = n <= UINT16_MAX ? 126 : 127;
	if (n <= UINT16_MAX)
		memcpy(ret + 2, &narrow, sizeof(narrow));
	else
		memcpy(ret + 2, &wide, sizeof(wide));
	return n <= UINT16_MAX ? 4 : 10;
}
