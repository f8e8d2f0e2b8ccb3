/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "events.h"
#include "text.h"
#include "xb/time.h"

#define POLL_MS 50

static __u64 cursor(const struct events *e)
{
	const __u64 *at = table_at(e->t, TABLE_CURSOR, e->ring == TABLE_NEW);

	return at ? __atomic_load_n(at, __ATOMIC_ACQUIRE) : 0;
}

void events_begin(const struct tables *t, enum table_id ring, bool oldest, struct events *ret)
{
	__u64 size = t->t[ring].size, end;

	*ret = (struct events){ .t = t, .ring = ring };
	end = cursor(ret);
	ret->next = !oldest ? end : end > size ? end - size : 0;
}

/* seq, record, seq again. */
static bool read_event(const struct events *e, struct xb_event *ret)
{
	const struct xb_event *slot = table_at(e->t, e->ring, (__u32)(e->next & (e->t->t[e->ring].size - 1)));
	__u64 seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
	struct xb_event copy = *slot;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (seq != e->next + 1 || __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) != seq)
		return false;
	*ret = copy;
	return true;
}

bool events_next(struct events *e, struct xb_event *ret)
{
	__u64 size = e->t->t[e->ring].size, end = cursor(e);

	if (end - e->next > size) {
		e->lost += end - size - e->next;
		e->next = end - size;
	}
	while (e->next < end) {
		if (read_event(e, ret)) {
			e->next++;
			return true;
		}
		if (e->awaited != e->next + 1) {
			e->awaited = e->next + 1;
			return false;
		}
		e->next++;
		e->lost++;
	}
	return false;
}

int64_t event_time(const struct xb_event *e)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return xb_time_now() - ((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - (int64_t)(e->time / 1000));
}

struct client_text event_client(const struct xb_event *e)
{
	struct client_text text;

	if (e->path == XB_PATH_SOCKET)
		snprintf(text.s, sizeof(text.s), "netns:%" PRIu64, (uint64_t)e->netns);
	else
		snprintf(text.s, sizeof(text.s), "%s", endpoint_text(&e->was.src, e->was.sport).s);
	return text;
}

/* The agent pins grown tables in place of the old ones; the rings among them are the same. */
static int renew(const struct target *target, struct tables **t, struct events *e, char **reterr_why)
{
	struct tables *now = NULL;
	int r;

	if (tables_current(*t))
		return 0;
	r = target_tables(target, &now, reterr_why);
	if (r)
		return r;
	tables_free(*t);
	e->t = *t = now;
	return 0;
}

int events_follow(const struct target *target, struct events *e, struct printer *p,
		  void (*each)(void *arg, struct printer *p, const struct tables *t, const struct xb_event *event), void *arg,
		  char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	struct xb_event event;
	__u64 told = 0;
	int r = target_tables(target, &t, reterr_why);

	e->t = t;
	while (!r) {
		while (events_next(e, &event))
			each(arg, p, t, &event);
		r = print_flush(p);
		if (r)
			break;
		if (e->lost != told)
			fprintf(stderr, "xebec: %" PRIu64 " events came faster than they were read\n", (uint64_t)(e->lost - told));
		told = e->lost;
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * XB_MILLISECOND }, NULL);
		r = renew(target, &t, e, reterr_why);
	}
	return r;
}
