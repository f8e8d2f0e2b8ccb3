/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_WEBSOCKET_CONN_H
#define CONNECT_WEBSOCKET_CONN_H
/* A client's connection that speaks WebSocket: the handshake, and messages to it. */
#include "../request.h"
#include "xb/stream.h"
#include "xb/websocket.h"

/* What was found out while the request was still the API's. */
struct ws_offer {
	char accept[XB_WS_ACCEPT_BYTES];
	const char *protocol;           /* one of the known; static */
};
/*
 * The first protocol that the client offers of known (NULL-terminated; "" stands for none offered). -EOPNOTSUPP: it does not speak
 * WebSocket, or offers none of these; -EINVAL and 400: it does not speak it well.
 */
int ws_offer_read(struct request *q, const char *const *known, struct ws_offer *ret);

/* Answers 101: as xb_http_upgrade. */
int ws_upgrade(struct xb_http_request *r, const struct ws_offer *offer, const struct xb_stream_ops *ops, void *arg,
	       struct xb_stream **ret);
/* One message of two parts, of which the first is short (8 bytes at most) and may be empty. */
void ws_send(struct xb_stream *s, enum xb_ws_opcode type, struct xb_sv first, struct xb_sv second);
/* Says why and leaves. */
void ws_close(struct xb_stream *s, enum xb_ws_code code);
/* Answers a ping; true: it was a close, and the client is gone for good. */
bool ws_control(struct xb_stream *s, enum xb_ws_opcode type, struct xb_sv payload);

#endif
