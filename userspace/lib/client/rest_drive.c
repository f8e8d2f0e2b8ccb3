/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Curl in the loop, and the calls that wait for it. */
#include "rest_inner.h"

#define MAX_AT_ONCE     250U            /* streams and requests of one connection: as many as upstream's servers allow */

struct watched {                        /* one socket of curl's */
	uv_poll_t poll;
	TAILQ_ENTRY(watched) link;
	struct xb_rest *r;
	curl_socket_t fd;
};

/* --- those that wait --- */
void rest_drive_remove(struct xb_rest_call *c)
{
	struct xb_rest *r = c->via;

	r->streams -= c->line != NULL;
	if (c->is_waiting) {
		TAILQ_REMOVE(&r->waiting, c, waiting_link);
		c->is_waiting = false;
		return;
	}
	curl_multi_remove_handle(r->multi, c->easy);
	r->in_flight--;
	if (r->connecting == c)
		r->connecting = NULL;
	if (c->is_ready)
		TAILQ_REMOVE(&r->ready, c, ready_link);
	c->is_ready = false;
	if (!TAILQ_EMPTY(&r->waiting))
		rest_drive_soon(r);
}

/* What waits for a connection that cannot be made is not to find that out one by one. */
static void share_fate(struct xb_rest *r, CURLcode result, const char *error)
{
	struct xb_rest_call *c;

	TAILQ_FOREACH(c, &r->waiting, waiting_link) {
		c->fate = result;
		memcpy(c->error, error, sizeof(c->error));
	}
	while ((c = TAILQ_FIRST(&r->waiting)) && c->fate)
		rest_call_finish(c, c->fate);
}

static bool start_next(struct xb_rest *r)
{
	struct xb_rest_call *c = TAILQ_FIRST(&r->waiting);

	if (r->connecting && r->connecting->sent)
		r->connecting = NULL;
	if (!c || r->connecting || r->in_flight == MAX_AT_ONCE)
		return false;
	TAILQ_REMOVE(&r->waiting, c, waiting_link);
	c->is_waiting = false;
	r->in_flight++;
	r->connecting = c;
	if (curl_multi_add_handle(r->multi, c->easy))
		rest_call_finish(c, CURLE_OUT_OF_MEMORY);
	return true;
}

/* --- turns --- */
static void finished(struct xb_rest *r, struct xb_rest_call *c, CURLcode result)
{
	bool no_connection = result && c == r->connecting && !c->sent && !(result == CURLE_OPERATION_TIMEDOUT && c->hasty);
	char error[CURL_ERROR_SIZE];

	memcpy(error, c->error, sizeof(error));
	rest_call_finish(c, result);
	if (no_connection)
		share_fate(r, result, error);
}

static void deliver(struct xb_rest *r)
{
	struct xb_rest_call *c;
	int left;

	while ((c = TAILQ_FIRST(&r->ready))) {
		TAILQ_REMOVE(&r->ready, c, ready_link);
		c->is_ready = false;
		rest_call_lines(c);
	}
	for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));) {
		CURLcode result = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		finished(r, c, result);
	}
}

/* All that curl sends and reads it does in here. */
static void drive(struct xb_rest *r, curl_socket_t fd, int flags)
{
	int running;

	r->woken_ns = uv_hrtime();
	do {
		if (r->may && !r->may(r->may_arg))
			return;
		curl_multi_socket_action(r->multi, fd, flags, &running);
		fd = CURL_SOCKET_TIMEOUT;
		flags = 0;
		deliver(r);
	} while (start_next(r));
}

static void on_poll(uv_poll_t *h, int error, int events)
{
	struct watched *w = h->data;
	int flags = error < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	drive(w->r, w->fd, flags);
}

static void on_timer(uv_timer_t *t)
{
	drive(t->data, CURL_SOCKET_TIMEOUT, 0);
}

/* Curl 7.88 reads a connection for all of its streams; what is behind a stream whose buffer is full it may not look at before more
 * comes. So it is told that there is more, until nothing comes of that. */
static void read_on(struct xb_rest *r)
{
	struct watched *w;

	r->came = r->unread = false;
	for (unsigned n = r->n_sockets; n && (w = TAILQ_FIRST(&r->sockets)); n--) {
		TAILQ_REMOVE(&r->sockets, w, link);
		TAILQ_INSERT_TAIL(&r->sockets, w, link);
		drive(r, w->fd, CURL_CSELECT_IN);
	}
	if (r->came)
		rest_drive_unread(r);
}

static void on_soon(uv_timer_t *t)
{
	struct xb_rest *r = t->data;

	start_next(r);
	drive(r, CURL_SOCKET_TIMEOUT, 0);
	if (r->unread)
		read_on(r);
}

void rest_drive_soon(struct xb_rest *r)
{
	uv_timer_start(&r->soon, on_soon, 0, 0);
}

void rest_drive_unread(struct xb_rest *r)
{
	r->unread = true;
	rest_drive_soon(r);
}

/* --- curl's wishes --- */
static int want_timer(CURLM *multi, long ms, void *arg)
{
	struct xb_rest *r = arg;

	if (ms < 0)
		uv_timer_stop(&r->timer);
	else
		uv_timer_start(&r->timer, on_timer, ms, 0);
	return 0;
}

static void watched_closed(uv_handle_t *h)
{
	free(h->data);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct xb_rest *r = arg;
	struct watched *w = socket_arg;

	if (what == CURL_POLL_REMOVE) {
		if (w) {
			curl_multi_assign(r->multi, fd, NULL);
			TAILQ_REMOVE(&r->sockets, w, link);
			r->n_sockets--;
			uv_close((uv_handle_t *)&w->poll, watched_closed);
		}
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return -1;
		*w = (struct watched){ .r = r, .fd = fd };
		if (uv_poll_init_socket(r->loop, &w->poll, fd) < 0) {
			free(w);
			return -1;
		}
		w->poll.data = w;
		TAILQ_INSERT_TAIL(&r->sockets, w, link);
		r->n_sockets++;
		curl_multi_assign(r->multi, fd, w);
	}
	return uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
			     on_poll) < 0 ? -1 : 0;
}

int rest_drive_init(struct xb_rest *r, uv_loop_t *loop)
{
	int code = uv_timer_init(loop, &r->timer);

	if (!code)
		code = uv_timer_init(loop, &r->soon);
	if (code < 0)
		return code;
	r->timer.data = r->soon.data = r;
	r->loop = loop;
	r->open_handles = 2;
	TAILQ_INIT(&r->sockets);
	curl_multi_setopt(r->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)MAX_AT_ONCE);
	curl_multi_setopt(r->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(r->multi, CURLMOPT_SOCKETDATA, r);
	curl_multi_setopt(r->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(r->multi, CURLMOPT_TIMERDATA, r);
	return 0;
}
