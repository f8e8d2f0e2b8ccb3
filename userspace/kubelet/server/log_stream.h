/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_LOG_STREAM_H
#define KUBELET_LOG_STREAM_H
/*
 * A container's log, read from its file for one client: 64 KiB at a time on libuv's pool, the next when the client has taken what
 * there was. Followed, it goes on with what is written (inotify), also when the file is rotated, until the container is over, which
 * is asked five times a second. Costs 130 KiB while it lasts; and while it is followed and nothing is written, no system call.
 */
#include <uv.h>
#include "log_line.h"

struct log_stream;
struct log_stream_config {
	uv_loop_t *loop;
	const char *path;               /* copied */
	struct log_wanted wanted;
	/* Text for the client, borrowed. False: it has enough for now, log_stream_resume goes on. */
	bool (*text)(void *arg, struct xb_sv text);
	bool (*running)(void *arg);     /* is the container */
	void (*ended)(void *arg, int error); /* 0 or -errno; the stream is gone afterwards. Not from within new or resume */
	void *arg;
};
int log_stream_new(const struct log_stream_config *c, struct log_stream **ret);
void log_stream_resume(struct log_stream *s);
void log_stream_cancel(struct log_stream *s);   /* nothing is called any more; not from text. NULL is taken. The loop must turn on */

#endif
