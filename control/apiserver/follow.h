/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_FOLLOW_H
#define APISERVER_FOLLOW_H
/*
 * An index beside the store that is kept equal to it: every object under a prefix once at the start, then every committed
 * change. Who asks the index calls follow_catch_up first, which costs nothing when nothing changed; so what a client was
 * told is committed is in force for its next request. Loop thread only.
 */
#include "../store/store.h"

struct follow {
	struct store *store;
	const char *prefix;                     /* of keys; ends with '/' */
	/* now: NULL when it was deleted; before: NULL when it is new. Both are borrowed. 0 or -ENOMEM. */
	int (*changed)(void *arg, struct store_object *now, struct store_object *before);
	void (*reset)(void *arg);               /* forget everything: all objects come anew */
	void *arg;
	struct store_watch *watch;              /* private; NULL: to be started */
};
/* The fields but watch are set by the caller. A failure is made good by a later follow_catch_up; until then the index may
 * lack objects, but holds none that is gone. */
int follow_start(struct follow *f);
int follow_catch_up(struct follow *f);
void follow_stop(struct follow *f);             /* before the store is closed */

#endif
