/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_GC_H
#define CONTROLLERS_GC_H
/* The inside of the garbage collector: gc_monitors.c keeps the graph by what the server has, garbage_collector.c acts on it. */
#include "gc_graph.h"
#include "../resources.h"
#include "xb/map.h"
#include "xb/reflector.h"
#include "xb/work_queue.h"

struct gc_monitor;
struct gc {
	struct kcm *kcm;
	struct gc_graph *graph;
	struct kcm_queue *queue;                /* keys are uids */
	struct kcm_queue *discovery;            /* of one key, which comes again and again */
	struct resources known, asked;          /* as the server told last; the answers under way. Their arenas are theirs */
	XB_VEC(struct gc_monitor *) monitors;   /* of each kind that ever was there */
	int64_t began_ms;
	bool whole;                             /* the graph has all there was: the work may begin */
	struct xb_map *absent;                  /* owners that were found to be gone: see gc_absent_key */
};

int gc_monitors_start(struct gc *g);
void gc_monitors_run(struct gc *g);                     /* the shared copies are whole */
void gc_monitors_stop(struct gc *g);

/* Coordinates of an owner, as one string, appended: uids are never used again, so once gone is gone. */
void gc_absent_key(struct xb_sv api_version, struct xb_sv kind, struct xb_sv namespace_, struct xb_sv name, struct xb_sv uid,
		   struct xb_buf *out);
void gc_absent_add(struct gc *g, struct xb_sv key);

#endif
