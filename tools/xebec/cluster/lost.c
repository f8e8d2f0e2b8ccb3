/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lost.h"
#include "sweep.h"
#include "xb/log.h"
#include "xb/why.h"
#include "../xalloc.h"

#define LOOK_MS 5000                    /* from the first change to the look: one look for many */

struct lost {
	const struct cluster *c;
	unsigned node;
	uv_fs_event_t tasks;
	uv_timer_t timer;
	uv_work_t look;
	bool looking, changed;
	struct sweep_result found;      /* of the look under way, with its error */
	int error;
	char *why;
};

static void on_timer(uv_timer_t *t);

static void is_due(struct lost *l)
{
	if (l->looking)
		l->changed = true;
	else if (!uv_is_active((uv_handle_t *)&l->timer))
		uv_timer_start(&l->timer, on_timer, LOOK_MS, 0);
}

static void look(uv_work_t *w)
{
	struct lost *l = w->data;

	l->found = (struct sweep_result){};
	l->error = sweep_lost(l->c, l->node, &l->found, &l->why);
}

static void on_looked(uv_work_t *w, int status)
{
	struct lost *l = w->data;
	bool again = l->changed || l->found.more || l->error;

	if (l->error)
		log_warning("node-%u: %s", l->node, l->why ? l->why : strerror(-l->error));
	if (l->found.n_dropped)
		log_info("node-%u: removed %u things that containerd had lost", l->node, l->found.n_dropped);
	free(TAKE_PTR(l->why));
	l->looking = l->changed = false;
	if (again)
		is_due(l);
}

static void on_timer(uv_timer_t *t)
{
	struct lost *l = t->data;

	l->looking = !uv_queue_work(t->loop, &l->look, look, on_looked);
}

static void on_task(uv_fs_event_t *h, const char *name, int events, int status)
{
	is_due(h->data);
}

int lost_follow(uv_loop_t *loop, const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *tasks = cluster_tasks(c, node);
	struct lost *l;
	int r = make_folders(tasks, 0711, reterr_why);

	if (r)
		return r;
	l = xalloc(calloc(1, sizeof(*l)));
	*l = (struct lost){ .c = c, .node = node };
	l->tasks.data = l->timer.data = l->look.data = l;
	uv_timer_init(loop, &l->timer);
	uv_fs_event_init(loop, &l->tasks);
	r = uv_fs_event_start(&l->tasks, on_task, tasks, 0);
	is_due(l); /* of what came and went while nobody followed */
	return r ? xb_why(reterr_why, r, "cannot follow '%s': %s", tasks, strerror(-r)) : 0;
}
