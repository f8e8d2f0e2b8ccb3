/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon_backoff.h"
#include "xb/map.h"

#define FIRST_US 1000000ll
#define MAX_US   (15 * 60 * 1000000ll)

struct failure {
	int64_t delay, at;
};
struct daemon_backoff {
	struct xb_map *by_key;          /* "uid/node"; the one that failed the longest time ago first */
};

struct daemon_backoff *daemon_backoff_new(void)
{
	struct daemon_backoff *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->by_key = xb_map_new(XB_MAP_COPY);
	return b->by_key ? b : daemon_backoff_free(b);
}

struct daemon_backoff *daemon_backoff_free(struct daemon_backoff *b)
{
	if (!b)
		return NULL;
	for (struct xb_map_it it = {}; b->by_key && xb_map_next(b->by_key, &it);)
		free(it.value);
	xb_map_free(b->by_key);
	free(b);
	return NULL;
}

static void forget_old(struct daemon_backoff *b, int64_t now)
{
	for (struct xb_map_it it = {}; xb_map_next(b->by_key, &it);) {
		struct failure *f = it.value;

		if (now - f->at <= 2 * MAX_US)
			return;
		xb_map_del(b->by_key, it.key);
		free(f);
	}
}

int64_t daemon_backoff_take(struct daemon_backoff *b, struct xb_sv uid, struct xb_sv node, int64_t now)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct failure *f;

	forget_old(b, now);
	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(uid), XB_SV_ARG(node));
	if (key.err)
		return key.err;
	f = xb_map_get(b->by_key, xb_buf_sv(&key));
	if (f && now - f->at < f->delay)
		return f->delay - (now - f->at);
	if (f)
		xb_map_del(b->by_key, xb_buf_sv(&key));
	else
		f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct failure){ .delay = f->delay ? MIN(2 * f->delay, MAX_US) : FIRST_US, .at = now };
	if (!xb_map_set(b->by_key, xb_buf_sv(&key), f, NULL))
		return 0;
	free(f);
	return -ENOMEM;
}
