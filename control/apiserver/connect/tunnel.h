/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_TUNNEL_H
#define CONNECT_TUNNEL_H
/*
 * portforward through WebSocket (KEP-4006): the client's binary messages hold the bytes of a connection of SPDY to the kubelet, as
 * that would be without them. So this takes the frames off and puts them on, and knows nothing of SPDY.
 */
#include "../request.h"
#include "xb/stream.h"

/* -EOPNOTSUPP: the client wants something else. */
int tunnel_serve(struct request *q, const struct xb_stream_target *t, const char *path);

#endif
