/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_TRANSLATE_H
#define CONNECT_TRANSLATE_H
/*
 * exec and attach through WebSocket (KEP-4006): the client's messages begin with a byte that names a channel (0 standard input, 1
 * output, 2 error, 3 how it ended, 4 the terminal's size); towards the kubelet each channel is a stream of SPDY/3.1, as remote
 * command v4 has it. The client is upgraded first, so whatever goes wrong later is told on channel 3, as a Status.
 */
#include "../request.h"
#include "xb/stream.h"

/* -EOPNOTSUPP: the client wants something else. */
int translate_serve(struct request *q, const struct xb_stream_target *t, const char *path);

#endif
