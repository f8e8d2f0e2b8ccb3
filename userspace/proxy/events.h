/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_EVENTS_H
#define PROXY_EVENTS_H
/* Events on Services (core/v1), so that `kubectl describe service` tells what went wrong with one on this node. */
#include "xb/rest.h"

struct events;
struct events *events_new(struct xb_rest *rest, const char *node_name); /* both borrowed; NULL without memory */
struct events *events_free(struct events *e);           /* before its xb_rest; what is under way is dropped */
XB_DEFINE_CLEANUP(struct events *, events_free)
/* Sends a Warning. Nothing is repeated or reported: an event is help, not state. Beyond 16 under way they are left out. */
void events_warn(struct events *e, struct xb_jv service, const char *reason, const char *message);

#endif
