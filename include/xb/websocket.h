/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_WEBSOCKET_H
#define XB_WEBSOCKET_H
/*
 * The server's side of WebSocket (RFC 6455): the handshake's answer, frames from a client, incrementally, and the heads of frames
 * to it. No extensions. What the RFC forbids a client is an error: frames without a mask, reserved bits and opcodes, control frames
 * that are long or in pieces, lengths not in their shortest form, a message that begins within another. No buffers: data is handed
 * on as it comes, a message's size is not limited.
 */
#include "xb/str.h"

enum xb_ws_opcode {
	XB_WS_CONTINUATION = 0, XB_WS_TEXT = 1, XB_WS_BINARY = 2, XB_WS_CLOSE = 8, XB_WS_PING = 9, XB_WS_PONG = 10,
};
enum xb_ws_code { XB_WS_NORMAL = 1000, XB_WS_GOING_AWAY = 1001, XB_WS_PROTOCOL_ERROR = 1002, XB_WS_INTERNAL_ERROR = 1011 }; /* of close */

#define XB_WS_ACCEPT_BYTES 29
#define XB_WS_CONTROL_MAX 125

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key (16 bytes in base64); -EINVAL when it is not one. */
int xb_ws_accept(struct xb_sv key, char ret[XB_WS_ACCEPT_BYTES]);

struct xb_ws_ops {                      /* 0, or a negative errno, with which feed ends */
	/* A piece of a message, maybe empty: its first, its last. */
	int (*data)(void *arg, enum xb_ws_opcode type, bool first, bool last, struct xb_sv bytes);
	int (*control)(void *arg, enum xb_ws_opcode type, struct xb_sv payload); /* close, ping, pong */
};
struct xb_ws {
	const struct xb_ws_ops *ops;
	void *arg;
	unsigned char head[14];
	uint8_t n_head;                 /* of it, so far */
	uint8_t opcode, message;        /* of this frame; of the message under way, 0: none */
	bool fin, in_payload, begun;    /* begun: a piece of the message was handed on */
	uint8_t at;                     /* in the mask */
	uint64_t left;                  /* of the payload */
	uint8_t n_control;
	char control[XB_WS_CONTROL_MAX];
};
void xb_ws_init(struct xb_ws *w, const struct xb_ws_ops *ops, void *arg);
/* -EBADMSG: not what a client may send: close with XB_WS_PROTOCOL_ERROR; feed no more then. */
int xb_ws_feed(struct xb_ws *w, const char *bytes, size_t n);

/* The head of a whole frame from a server, of n bytes of payload; how long it is. */
#define XB_WS_HEAD_MAX 10
size_t xb_ws_head(char ret[XB_WS_HEAD_MAX], enum xb_ws_opcode type, uint64_t n);

#endif
