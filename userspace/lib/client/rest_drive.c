/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Curl in the loop. */
#include "rest_inner.h"

#define PROBE_MS        20U             /* from a full buffer until the server is asked for a byte */
#define MAX_AT_ONCE     250L            /* streams and requests of one connection: as many as upstream's servers allow */

struct watched {                        /* one socket of curl's */
	uv_poll_t poll;
	TAILQ_ENTRY(watched) link;
	struct xb_rest *r;
	curl_socket_t fd;
};

static void deliver(struct xb_rest *r)
{
	int left;

	while (r->ready) {
		struct xb_rest_call *c = r->ready;

		r->ready = c->next_ready;
		c->is_ready = false;
		rest_call_lines(c);
	}
	for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));) {
		struct xb_rest_call *c = NULL;
		CURLcode result = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		rest_call_finish(c, result);
	}
}

/* All that curl sends and reads it does in here. */
static void drive(struct xb_rest *r, curl_socket_t fd, int flags)
{
	int running;

	if (!rest_may(r))
		return;
	r->woken_ns = uv_hrtime();
	curl_multi_socket_action(r->multi, fd, flags, &running);
	if (rest_may(r))
		deliver(r);
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

static void on_probed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
}

/*
 * Curl 7.88 reads an HTTP/2 connection for all of its streams into one buffer, and stops in it where a stream's own is full. It runs that
 * stream again for the rest of the frame, but none for what is behind before the server sends more; and none at all when the stream is
 * cut off there. So curl is told that there is more, once the frame's rest has come. If nothing was behind, nghttp2 does not say before
 * the next byte, of whatever, that the frame is at its end, and with it perhaps the answer: the server is asked for a byte then.
 */
static void on_reread(uv_timer_t *t)
{
	struct xb_rest *r = t->data;
	struct watched *w;

	if (r->looked) {
		if (r->filled)
			xb_rest_send(r, &(struct xb_rest_request){ .method = "HEAD", .path = "/version" }, on_probed, NULL, NULL);
		return;
	}
	r->looked = true;
	if (r->filled)
		uv_timer_start(&r->reread, on_reread, PROBE_MS, 0);
	drive(r, CURL_SOCKET_TIMEOUT, 0);       /* the frame's rest, if it is yet to come */
	for (unsigned n = r->n_sockets; n && (w = TAILQ_FIRST(&r->sockets)); n--) {
		TAILQ_REMOVE(&r->sockets, w, link);
		TAILQ_INSERT_TAIL(&r->sockets, w, link);
		drive(r, w->fd, CURL_CSELECT_IN);
	}
}

void rest_drive_reread(struct xb_rest *r)
{
	r->looked = false;
	uv_timer_start(&r->reread, on_reread, 0, 0);
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

/* --- the client's part --- */
void rest_drive_init(struct xb_rest *r, uv_loop_t *loop)
{
	uv_timer_init(loop, &r->timer);
	uv_timer_init(loop, &r->reread);
	r->timer.data = r->reread.data = r;
	r->open_timers = 2;
	r->loop = loop;
	TAILQ_INIT(&r->sockets);
	curl_multi_setopt(r->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, MAX_AT_ONCE);
	curl_multi_setopt(r->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(r->multi, CURLMOPT_SOCKETDATA, r);
	curl_multi_setopt(r->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(r->multi, CURLMOPT_TIMERDATA, r);
}

static void timer_closed(uv_handle_t *h)
{
	struct xb_rest *r = h->data;

	if (!--r->open_timers)
		free(r);
}

void rest_drive_free(struct xb_rest *r)
{
	uv_close((uv_handle_t *)&r->timer, timer_closed);
	uv_close((uv_handle_t *)&r->reread, timer_closed);
}
