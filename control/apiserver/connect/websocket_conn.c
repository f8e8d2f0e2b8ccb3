/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <endian.h>
#include <strings.h>
#include <sys/uio.h>
#include "connect_reply.h"
#include "websocket_conn.h"

static const char *choose(struct request *q, const char *const *known)
{
	struct xb_sv list, word;
	bool offered = false;
	size_t iter = 0;

	while (xb_http_header_each(q->http, "Sec-WebSocket-Protocol", &iter, &list))
		while (xb_sv_split(&list, ',', &word)) {
			word = xb_sv_trim(word);
			offered |= word.n > 0;
			for (size_t i = 0; known[i]; i++)
				if (word.n && xb_sv_is(word, known[i]))
					return known[i];
		}
	for (size_t i = 0; known[i] && !offered; i++)
		if (!*known[i])
			return known[i];
	return NULL;
}

int ws_offer_read(struct request *q, const char *const *known, struct ws_offer *ret)
{
	const char *upgrade = reply_upgrade(q);
	struct ws_offer offer = {};

	if (!upgrade || strcasecmp(upgrade, "websocket"))
		return -EOPNOTSUPP;
	offer.protocol = choose(q, known);
	if (!offer.protocol)
		return -EOPNOTSUPP;
	if (!xb_sv_is(xb_http_header(q->http, "Sec-WebSocket-Version"), "13"))
		return xb_status_bad_request(&q->fault, "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header");
	if (!xb_sv_is(xb_http_method(q->http), "GET"))
		return xb_status_bad_request(&q->fault, "websocket: request method is not GET");
	if (xb_ws_accept(xb_http_header(q->http, "Sec-WebSocket-Key"), offer.accept))
		return xb_status_bad_request(&q->fault,
					     "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header must be Base64 encoded value of 16-byte in length");
	*ret = offer;
	return 0;
}

int ws_upgrade(struct xb_http_request *r, const struct ws_offer *offer, const struct xb_stream_ops *ops, void *arg,
	       struct xb_stream **ret)
{
	int error = xb_http_add_header(r, "Sec-WebSocket-Accept", offer->accept);

	if (!error && *offer->protocol)
		error = xb_http_add_header(r, "Sec-WebSocket-Protocol", offer->protocol);
	return error ? error : xb_http_upgrade(r, "websocket", ops, arg, ret);
}

void ws_send(struct xb_stream *s, enum xb_ws_opcode type, struct xb_sv first, struct xb_sv second)
{
	char head[XB_WS_HEAD_MAX + 8];
	size_t n = xb_ws_head(head, type, first.n + second.n);
	struct iovec iov[2] = { { head, n + first.n }, { (char *)second.p, second.n } };

	memcpy(head + n, first.p, first.n);
	xb_stream_writev(s, iov, second.n ? 2 : 1);
}

void ws_close(struct xb_stream *s, enum xb_ws_code code)
{
	uint16_t wire = htobe16((uint16_t)code);

	ws_send(s, XB_WS_CLOSE, (struct xb_sv){ (char *)&wire, sizeof(wire) }, (struct xb_sv){});
	xb_stream_leave(s);
}

bool ws_control(struct xb_stream *s, enum xb_ws_opcode type, struct xb_sv payload)
{
	if (type == XB_WS_PING)
		ws_send(s, XB_WS_PONG, XB_SV(""), payload);
	return type == XB_WS_CLOSE;
}
