/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LIB_NET_GRPC_WIRE_H
#define LIB_NET_GRPC_WIRE_H
/* What gRPC puts into HTTP/2 (grpc: doc/PROTOCOL-HTTP2.md): messages with a prefix, and how a call ended. Pure functions. */
#include "xb/grpc.h"

#define GRPC_PREFIX_BYTES 5

void grpc_wire_put(struct xb_buf *out, struct xb_sv message);
/*
 * The message that bytes begin with; it takes GRPC_PREFIX_BYTES and its own length of them. 1; 0: it is not whole yet; -EMSGSIZE:
 * it is longer than limit, *ret_bytes; -EPROTO: it says that it is compressed, which we do not offer to read, or no such thing.
 */
int grpc_wire_get(struct xb_sv bytes, size_t limit, struct xb_sv *ret_message, size_t *ret_bytes);
void grpc_wire_timeout(char ret[16], unsigned ms);      /* the value of grpc-timeout; rounded up where it does not fit in 8 digits */

/* How a call ended, from the fields of its head and trailers. */
struct grpc_ending {
	int http;                               /* 0: none came */
	int code;                               /* -1: the server did not say */
	bool grpc;                              /* a content-type of gRPC */
	char *why;                              /* owned; may be NULL */
};
/* Takes note of a field; others are passed over, and so is what is repeated. 0, -ENOMEM. */
int grpc_ending_field(struct grpc_ending *e, struct xb_sv name, struct xb_sv value);
/* Once the stream was closed with this code of HTTP/2: settles code and, where the server gave none, why. 0, -ENOMEM. */
int grpc_ending_settle(struct grpc_ending *e, uint32_t h2_code);
int grpc_ending_set(struct grpc_ending *e, int code, const char *fmt, ...) _printf_(3, 4); /* ours; 0, -ENOMEM */
void grpc_ending_done(struct grpc_ending *e);

#endif
