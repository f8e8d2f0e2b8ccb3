/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "follow.h"

static int drain(struct follow *f)
{
	const struct store_event *e;

	while ((e = store_watch_next(f->watch))) {
		int r = f->changed(f->arg, e->type == STORE_DELETED ? NULL : e->object, e->previous);

		if (r)
			return r;
	}
	return store_watch_error(f->watch);
}

static void on_ready(void *arg)
{
	(void)follow_catch_up(arg);
}

void follow_stop(struct follow *f)
{
	f->watch = store_watch_free(f->watch);
}

int follow_start(struct follow *f)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	struct store_object *o;
	int r;

	follow_stop(f);
	f->reset(f->arg);
	r = store_walk_new(f->store, f->prefix, NULL, 0, &walk);
	while (!r && (o = store_walk_next(walk)))
		r = f->changed(f->arg, o, NULL);
	if (!r)
		r = store_walk_error(walk);
	if (!r)
		r = store_watch_new(f->store, f->prefix, store_walk_revision(walk), on_ready, f, &f->watch);
	if (r)
		f->reset(f->arg);
	return r ? r : drain(f);
}

int follow_catch_up(struct follow *f)
{
	int r = f->watch ? drain(f) : -ESTALE;

	return r ? follow_start(f) : 0;
}
