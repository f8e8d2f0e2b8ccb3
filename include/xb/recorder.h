/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_RECORDER_H
#define XB_RECORDER_H
/*
 * Events (core/v1) on objects, so that `kubectl describe` tells what was done with one, and why not. As client-go's correlator:
 * the same event again counts up the one that is there; more than ten that differ in their message only, within ten minutes,
 * become one "(combined from similar events)"; and of one object's, each component sends at most 25 at once and one
 * every five minutes. Nothing is reported back: an event is help, not state. One loop, one thread.
 */
#include "xb/kinds.h"
#include "xb/rest.h"

struct xb_recorder;
/* host: of the source, NULL for none; both borrowed. NULL without memory. */
struct xb_recorder *xb_recorder_new(struct xb_rest *rest, const char *host);
struct xb_recorder *xb_recorder_free(struct xb_recorder *r); /* before its xb_rest; what is under way is dropped */
XB_DEFINE_CLEANUP(struct xb_recorder *, xb_recorder_free)

enum xb_event_type { XB_EVENT_NORMAL, XB_EVENT_WARNING };
struct xb_event {
	const char *component;          /* the source: "replicaset-controller" */
	const struct xb_kind *kind;     /* of the object that it is about */
	struct xb_jv object;
	enum xb_event_type type;
	const char *reason;             /* "SuccessfulCreate" */
	const char *field_path;         /* the part of the object, "spec.containers{web}"; NULL: all of it */
};
/* Borrows everything. At most 16 requests are under way and 1000 events wait; beyond, events are dropped. */
void xb_recorder_event(struct xb_recorder *r, const struct xb_event *e, const char *fmt, ...) _printf_(3, 4);
void xb_recorder_hold(struct xb_recorder *r, bool hold); /* events wait while it is held, which it is not at first */

struct xb_recorder_stats {
	uint64_t events, sent, limited, dropped, failed; /* told; requests; kept back by a limit; for want of room; refused */
};
void xb_recorder_stats(const struct xb_recorder *r, struct xb_recorder_stats *ret);

#endif
