/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/epoll.h>
#include "http_conn.h"

#define PATIENCE_MS 400
#define EVENTS 64
#define ROUNDS_MAX 256 /* of one turn of the loop */

static int rearm(struct patience *p, int op)
{
	struct epoll_event once = { .events = EPOLLIN | EPOLLONESHOT };

	return epoll_ctl(p->once, op, p->conns, &once) ? -errno : 0;
}

/* Until nothing is left: TLS reads no more at a time than its buffer holds, and what stayed would wait as long again. */
static void on_patience_over(uv_timer_t *timer)
{
	struct xb_http_server *s = timer->data;
	struct epoll_event events[EVENTS];
	int n = 1;

	for (int round = 0; n > 0 && round < ROUNDS_MAX; round++) {
		n = epoll_wait(s->patience.conns, events, EVENTS, 0);
		for (int i = 0; i < n; i++)
			conn_read(events[i].data.ptr);
	}
	rearm(&s->patience, EPOLL_CTL_MOD);
}

static void on_first(uv_poll_t *poll, int status, int events)
{
	struct xb_http_server *s = poll->data;
	struct epoll_event first;

	if (epoll_wait(s->patience.once, &first, 1, 0) > 0)
		uv_timer_start(&s->patience.timer, on_patience_over, PATIENCE_MS, 0);
}

int patience_open(struct xb_http_server *s)
{
	struct patience *p = &s->patience;
	_cleanup_close_ int conns = epoll_create1(EPOLL_CLOEXEC), once = epoll_create1(EPOLL_CLOEXEC);
	int r;

	if (conns < 0 || once < 0)
		return -errno;
	*p = (struct patience){ .conns = conns, .once = once };
	r = rearm(p, EPOLL_CTL_ADD);
	if (!r)
		r = uv_poll_init(s->config.loop, &p->poll, once);
	if (r)
		return r;
	uv_timer_init(s->config.loop, &p->timer);
	p->poll.data = p->timer.data = s;
	uv_poll_start(&p->poll, UV_READABLE, on_first);
	uv_unref((uv_handle_t *)&p->poll);
	TAKE_FD(conns);
	TAKE_FD(once);
	return 0;
}

void patience_close(struct xb_http_server *s)
{
	close(s->patience.once);
	close(s->patience.conns);
}

int patience_add(struct conn *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	return epoll_ctl(c->server->patience.conns, EPOLL_CTL_ADD, c->transport.fd, &event) ? -errno : 0;
}

void patience_remove(struct conn *c)
{
	epoll_ctl(c->server->patience.conns, EPOLL_CTL_DEL, c->transport.fd, NULL);
}
