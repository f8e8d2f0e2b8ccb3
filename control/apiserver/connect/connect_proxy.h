/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_PROXY_H
#define CONNECT_PROXY_H
#include "../request.h"

struct xb_proxy_request;
/* The subresource "proxy" of pods, services and nodes: [scheme:]name[:port]. */
request_handler proxy_handler;
/* connect.c: xb_proxy for q, which it takes, unless there is an error. */
int connect_hand_on(struct request *q, const struct xb_proxy_request *p);

#endif
