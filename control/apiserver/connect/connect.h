/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_CONNECT_H
#define APISERVER_CONNECT_H
/*
 * Subresources that a node or a pod answers: pods/log, exec, attach, portforward, and proxy of pods, services and nodes. Here it is
 * found out who that is, from committed objects; then the request moves to the thread of its connection and never comes back, so
 * that the loop that has the API does nothing for a stream's bytes.
 */
#include "../request.h"

/* NULL: it is none of these. */
request_handler *connect_handler(const struct route *t);

#endif
