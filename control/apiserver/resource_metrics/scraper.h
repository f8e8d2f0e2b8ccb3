/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef RESOURCE_METRICS_SCRAPER_H
#define RESOURCE_METRICS_SCRAPER_H
/*
 * What nodes and the containers on them use, asked of kubelets only while somebody wants to know. A rate of processor time needs
 * two readings: of a node that was not asked for a minute there is none, so it is read twice, a second apart, and the first
 * answer takes that long. Later ones use the reading before, and readings younger than 15 s as they are. A minute after the last
 * question all is forgotten, and nothing runs.
 *
 * Some 120 bytes a container and reading are kept, two readings each; a reading costs a connection and 0.2 ms for 1000 containers.
 */
#include <uv.h>
#include "xb/arena.h"
#include "xb/stream.h"

struct scraper;
struct scraper_config {
	uv_loop_t *loop;
	/* The kubelet of that node, its host in the arena. 0 or a negative errno. */
	int (*find)(void *arg, struct xb_arena *a, const char *node, struct xb_stream_target *ret);
	void *arg;
};
struct scraper *scraper_new(const struct scraper_config *c);    /* NULL without memory */
struct scraper *scraper_free(struct scraper *s);                /* no question is answered any more; its handles go as the loop runs */

struct scraper_question;
/* Which nodes: those that were added. done: all of them were read, or could not be; never called from within ask. */
struct scraper_question *scraper_question_new(struct scraper *s, void (*done)(void *arg), void *arg); /* NULL without memory */
int scraper_question_add(struct scraper_question *q, struct xb_sv node); /* -ENOMEM */
int scraper_question_ask(struct scraper_question *q);           /* -ENOMEM */
struct scraper_question *scraper_question_free(struct scraper_question *q); /* also to take it back. NULL is taken */

struct usage {
	double cores;           /* used, of processors, over the window */
	double memory;          /* bytes of the working set */
	int64_t at_ms;          /* since 1970: the end of the window */
	int64_t window_ms;
};
/* What is known now; false: nothing, or not yet a rate. */
bool scraper_node(const struct scraper *s, struct xb_sv node, struct usage *ret);
bool scraper_container(const struct scraper *s, struct xb_sv node, struct xb_sv namespace_, struct xb_sv pod, struct xb_sv container,
		       struct usage *ret);

#endif
