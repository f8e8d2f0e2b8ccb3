/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include "mount_watch.h"

struct mount_watch {
	uv_poll_t poll;
	int fd;
	void (*changed)(void *arg);
	void *arg;
};

static void on_poll(uv_poll_t *h, int error, int events)
{
	struct mount_watch *w = h->data;

	w->changed(w->arg);
}

static void closed(uv_handle_t *h)
{
	struct mount_watch *w = h->data;

	close(w->fd);
	free(w);
}

struct mount_watch *mount_watch_free(struct mount_watch *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->poll, closed);
	return NULL;
}

int mount_watch_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct mount_watch **ret)
{
	_cleanup_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ struct mount_watch *w = calloc(1, sizeof(*w));
	int r;

	if (fd < 0)
		return -errno;
	if (!w)
		return -ENOMEM;
	r = uv_poll_init(loop, &w->poll, fd);
	if (r < 0)
		return r;
	w->fd = TAKE_FD(fd);
	w->changed = changed;
	w->arg = arg;
	w->poll.data = w;
	uv_poll_start(&w->poll, UV_PRIORITIZED, on_poll);
	uv_unref((uv_handle_t *)&w->poll);      /* it alone keeps no loop running */
	*ret = TAKE_PTR(w);
	return 0;
}
