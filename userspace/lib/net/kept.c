/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kept.h"

#define DUMPS_MOST 10

static int dump(struct kept *k)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	int r = xb_netlink_new(&n);

	if (r < 0)
		return r;
	/* a dump that changes interrupted is not whole */
	r = -EINTR;
	for (int i = 0; r == -EINTR && i < DUMPS_MOST; i++)
		r = k->dump(k->arg, n);
	if (!r)
		k->stale = false;
	return r;
}

static void tell(uv_check_t *h)
{
	struct kept *k = container_of(h, struct kept, after_reading);

	/* once more in the next turn */
	if (k->stale && dump(k) < 0)
		return;
	uv_check_stop(h);
	if (k->changed)
		k->changed(k->changed_arg);
}

void kept_touch(struct kept *k, bool missed)
{
	k->stale |= missed;
	uv_check_start(&k->after_reading, tell);
}

static void on_notice(void *arg, const struct nlmsghdr *h)
{
	struct kept *k = arg;

	k->notice(k->arg, h);
}

static void on_lost(void *arg)
{
	kept_touch(arg, true);
}

int kept_begin(struct kept *k, uv_loop_t *loop, const unsigned *groups)
{
	struct xb_netlink_monitor_config c = {
		.loop = loop, .bus = NETLINK_ROUTE, .groups = groups, .notice = on_notice, .lost = on_lost, .arg = k,
	};
	int r;

	k->after_reading.data = k->arg;
	uv_check_init(loop, &k->after_reading);
	/* Listening comes before the dump, so that nothing falls between the two. */
	r = xb_netlink_monitor_new(&c, &k->monitor);
	return r < 0 ? r : dump(k);
}

void kept_end(struct kept *k, void (*closed)(uv_handle_t *h))
{
	xb_netlink_monitor_free(k->monitor);
	uv_close((uv_handle_t *)&k->after_reading, closed);
}
