/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "inner.h"
#include "xb/log.h"

#define HOUSEKEEPING_MS (5 * 60 * 1000)

void request_drop(struct request *q)
{
	runtime_cancel(q->call);
	keyring_done(&q->secrets);
	keyring_done(&q->own);
	image_name_done(&q->name);
	xb_json_unref(q->doc);
	xb_buf_done(&q->faults);
	free((char *)q->found.ref);
	free((char *)q->found.username);
	free(q->uid);
	free(q->container_name);
	free(q->asked);
	free(q->image);
	free(q->ref);
	free(q->why);
	free(q);
}

/* Tells what is finished. A callback may ask for more, or forget: so each is taken out first. */
static void tell(uv_timer_t *t)
{
	struct images *i = t->data;
	struct request **at = &i->requests;

	while (*at) {
		struct request *q = *at;

		if (!q->finished) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		if (q->done)
			q->done(q->arg, !q->reason && q->found.ref ? &q->found : NULL, q->reason, q->why);
		request_drop(q);
		if (i->freed)
			return;
		at = &i->requests;
	}
}

static void collected(void *arg, int error, uint64_t freed)
{
	if (error == -ENOSPC)
		log_warning_errno(error, "cannot free enough room of images (%" PRIu64 " bytes were): %m", freed);
}

static void keep_house(uv_timer_t *t)
{
	struct images *i = t->data;

	backoffs_drop(i, NULL);
	images_collect(i, false, collected, i);
}

int images_new(const struct images_config *c, struct images **ret)
{
	struct images *i = calloc(1, sizeof(*i));
	uv_timer_t *const timers[] = { &i->soon, &i->backoff_timer, &i->housekeeping };

	if (!i)
		return -ENOMEM;
	i->config = *c;
	for (unsigned k = 0; k < ARRAY_SIZE(timers); k++) {
		uv_timer_init(c->loop, timers[k]);
		timers[k]->data = i;
		i->open_handles++;
	}
	uv_timer_start(&i->housekeeping, keep_house, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
	list_images(i);
	*ret = i;
	return 0;
}

static void closed(uv_handle_t *h)
{
	struct images *i = h->data;

	if (!--i->open_handles)
		free(i);
}

struct images *images_free(struct images *i)
{
	if (!i)
		return NULL;
	i->freed = true;
	while (i->requests) {
		struct request *q = i->requests;

		i->requests = q->next;
		request_drop(q);
	}
	collection_stop(i);
	runtime_cancel(i->listing);
	runtime_cancel(i->measuring);
	for (size_t k = 0; k < i->backoffs.n; k++) {
		free(i->backoffs.v[k].uid);
		free(i->backoffs.v[k].image);
		free(i->backoffs.v[k].fault);
	}
	xb_vec_done(&i->backoffs);
	records_done(i);
	free(i->folder);
	uv_close((uv_handle_t *)&i->soon, closed);
	uv_close((uv_handle_t *)&i->backoff_timer, closed);
	uv_close((uv_handle_t *)&i->housekeeping, closed);
	return NULL;
}

void request_finish(struct request *q, const char *reason, char *why)
{
	pull_stop(q);
	q->finished = true;
	q->reason = reason;
	q->why = why;
	if (reason)
		request_event(q, true, "Failed", "Error: %s", reason);
	uv_timer_start(&q->images->soon, tell, 0, 0);
}

void images_forget(struct images *i, const char *uid)
{
	for (struct request *q = i->requests; q; q = q->next) {
		if (strcmp(q->uid, uid))
			continue;
		q->done = NULL;
		if (q->queued)
			request_finish(q, NULL, NULL);
	}
	backoffs_drop(i, uid);
}

const char *images_folder(const struct images *i)
{
	return i->folder;
}
