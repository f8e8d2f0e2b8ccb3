/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stream.h"

#define READ_BYTES (64 << 10)
#define TURN_BYTES (256 << 10)  /* of one stream, before the loop looks at others */
#define IOVECS 16
#define LEAVE_MS 5000
#define LEAVING_MS 30000

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

void stream_unref(struct xb_stream *s)
{
	if (--s->handles)
		return;
	http_out_drop(&s->out);
	xb_buf_done(&s->unread);
	free(s->why);
	if (s->gone)
		s->gone(s->gone_arg);
	free(s);
}

static void on_handle_closed(uv_handle_t *h)
{
	stream_unref(h->data);
}

static void on_poll_closed(uv_handle_t *h)
{
	struct xb_stream *s = h->data;

	free(h);
	stream_unref(s);
}

int stream_new(uv_loop_t *loop, const struct xb_stream_ops *ops, void *arg, struct xb_stream **ret)
{
	struct xb_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->ops = ops;
	s->arg = arg;
	s->transport.fd = -1;
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	s->handles = 1;
	*ret = s;
	return 0;
}

int stream_attach(struct xb_stream *s)
{
	uv_poll_t *poll = malloc(sizeof(*poll));
	int r = poll ? uv_poll_init(s->loop, poll, s->transport.fd) : -ENOMEM;

	if (r) {
		free(poll);
		return r;
	}
	poll->data = s;
	s->poll = poll;
	s->events = 0;
	s->handles++;
	return 0;
}

void stream_detach(struct xb_stream *s)
{
	if (s->poll)
		uv_close((uv_handle_t *)TAKE_PTR(s->poll), on_poll_closed);
	if (s->transport.fd >= 0)
		transport_close(&s->transport);
	s->blocked = false;
}

/* The next turn of the loop calls on_timer. */
static void soon(struct xb_stream *s)
{
	uv_timer_start(&s->timer, on_timer, 0, 0);
}

/* That no event of the socket tells of. */
static bool has_news(const struct xb_stream *s)
{
	return s->unread.n || s->transport.more || (s->eof && !s->eof_told) || (s->broken && !s->eof) || (s->out.pending && !s->blocked);
}

static void arm_timer(struct xb_stream *s)
{
	uint64_t now = uv_now(s->loop), until = s->deadline;

	if (s->leaving_at && (!until || s->leaving_at < until))
		until = s->leaving_at;
	if (until)
		uv_timer_start(&s->timer, on_timer, until > now ? until - now : 0, 0);
	else
		uv_timer_stop(&s->timer);
}

void stream_fail(struct xb_stream *s, int error)
{
	if (s->over)
		return;
	s->over = true;
	s->error = error;
	dial_free(s);
	stream_detach(s);
	http_out_drop(&s->out);
	if (s->left)
		xb_stream_free(s);
	else
		soon(s);
}

/* Both sides have ended. */
static bool is_done(const struct xb_stream *s)
{
	return s->eof_told && s->ended;
}

/* A peer that closes before it has read all resets the connection: its last words are here already. */
static void broken(struct xb_stream *s, int error)
{
	if (s->left || s->broken || s->eof) {
		stream_fail(s, s->broken ? s->broken : error);
		return;
	}
	s->broken = error;
	s->blocked = false;
	s->ending = s->ended = true;
	http_out_drop(&s->out);
	if (s->poll)
		uv_poll_stop(s->poll);
	if (s->paused)
		s->leaving_at = uv_now(s->loop) + LEAVING_MS;
	if (s->paused)
		arm_timer(s);
	else
		soon(s);
}

static int wanted(const struct xb_stream *s)
{
	int events = s->blocked || s->transport.recv_wants_write ? UV_WRITABLE : 0;

	if (s->dial)
		return s->connecting || s->transport.recv_wants_write ? UV_WRITABLE : UV_READABLE;
	if (!s->eof && !s->paused)
		events |= UV_READABLE;
	else if (!s->eof && !s->leaving_at)
		events |= UV_DISCONNECT;
	return events ? events : UV_PRIORITIZED; /* nothing but a reset */
}

void stream_arm(struct xb_stream *s)
{
	int events;

	if (s->over || !s->poll)
		return;
	if (is_done(s)) {
		stream_fail(s, s->broken);
		return;
	}
	if (s->broken)
		return;
	events = wanted(s);
	if (events == s->events)
		return;
	s->events = events;
	if (uv_poll_start(s->poll, events, on_poll))
		stream_fail(s, -ENOMEM);
}

static int flush(struct xb_stream *s)
{
	struct iovec iov[IOVECS];
	ssize_t r;

	while (s->out.pending && !s->blocked) {
		r = s->transport.ops->send(&s->transport, iov, http_out_view(&s->out, iov, IOVECS));
		if (r == -EAGAIN) {
			s->blocked = true;
			return 0;
		}
		if (r < 0)
			return r;
		http_out_sent(&s->out, r);
	}
	if (!s->out.pending && s->ending && !s->ended) {
		s->ended = true;
		s->transport.ops->finish(&s->transport);
	}
	return 0;
}

static void give(struct xb_stream *s, const char *bytes, size_t n)
{
	s->eof_told |= !n;
	if (!s->left)
		s->ops->received(s, bytes, n);
}

static bool may_read(const struct xb_stream *s)
{
	return !s->paused && !s->over && !s->freed && !s->dial;
}

static void give_unread(struct xb_stream *s)
{
	_cleanup_buf_ struct xb_buf bytes = s->unread;

	s->unread = (struct xb_buf){};
	for (size_t at = 0, part; at < bytes.n; at += part) {
		part = MIN(bytes.n - at, (size_t)READ_BYTES);
		give(s, bytes.p + at, part);
		if ((!may_read(s) || s->unread.n) && at + part < bytes.n) {
			xb_buf_add(&s->unread, bytes.p + at + part, bytes.n - at - part);
			return;
		}
	}
}

static void read_socket(struct xb_stream *s)
{
	static _Thread_local char scratch[READ_BYTES];
	size_t turn = 0;
	ssize_t n;

	do {
		n = s->transport.ops->recv(&s->transport, scratch, sizeof(scratch));
		if (n == -EAGAIN && !s->broken)
			return;
		if (n < 0) {
			stream_fail(s, s->broken ? s->broken : n == -EPROTO ? -ECONNRESET : (int)n);
			return;
		}
		s->eof = !n;
		turn += n;
		give(s, scratch, n);
	} while (!s->eof && may_read(s) && !s->unread.n && s->transport.more && turn < TURN_BYTES);
}

static void send_on(struct xb_stream *s)
{
	int r = flush(s);

	if (r)
		broken(s, r);
	else if (!s->out.pending && !s->left && s->ops->drained)
		s->ops->drained(s);
}

static void run(struct xb_stream *s)
{
	s->running = true;
	if (s->out.pending && !s->blocked && !s->over)
		send_on(s);
	if (may_read(s) && s->unread.n)
		give_unread(s);
	if (may_read(s) && !s->unread.n && s->eof && !s->eof_told)
		give(s, NULL, 0);
	else if (may_read(s) && !s->unread.n && !s->eof)
		read_socket(s);
	s->running = false;
	if (may_read(s) && has_news(s))
		soon(s);
	stream_arm(s);
}

static int socket_error(const struct xb_stream *s)
{
	socklen_t n = sizeof(int);
	int error = 0;

	getsockopt(s->transport.fd, SOL_SOCKET, SO_ERROR, &error, &n);
	return error ? -error : -ECONNRESET;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct xb_stream *s = poll->data;

	if (s->dial && status >= 0) {
		dial_ready(s);
		return;
	}
	if (status < 0 || (events & UV_PRIORITIZED)) {
		if (s->dial)
			dial_failed(s, socket_error(s));
		else
			broken(s, socket_error(s));
		return;
	}
	if (events & UV_DISCONNECT && s->paused) {
		s->leaving_at = uv_now(s->loop) + LEAVING_MS;
		arm_timer(s);
	}
	if (events & UV_WRITABLE)
		s->blocked = false;
	run(s);
}

static void on_timer(uv_timer_t *timer)
{
	struct xb_stream *s = timer->data;
	uint64_t now = uv_now(s->loop);

	if (s->over) {
		if (s->told || s->freed)
			return;
		s->told = true;
		s->ops->closed(s, s->error);
		return;
	}
	if (s->deadline && s->deadline <= now) {
		if (s->dial)
			dial_failed(s, -ETIMEDOUT);
		else
			stream_fail(s, -ETIMEDOUT);
		return;
	}
	if (s->leaving_at && s->leaving_at <= now) {
		stream_fail(s, -ECONNRESET);
		return;
	}
	arm_timer(s);
	if (s->transport.fd >= 0)
		run(s);
}

struct xb_stream *xb_stream_free(struct xb_stream *s)
{
	if (!s || s->freed)
		return NULL;
	s->freed = s->over = true;
	dial_free(s);
	stream_detach(s);
	uv_close((uv_handle_t *)&s->timer, on_handle_closed);
	return NULL;
}

void xb_stream_leave(struct xb_stream *s)
{
	if (s->over || s->dial) {
		xb_stream_free(s);
		return;
	}
	s->left = true;
	xb_stream_end(s);
	xb_stream_pause(s, false);
	xb_stream_deadline(s, LEAVE_MS);
}

void xb_stream_hand_over(struct xb_stream *s, const struct xb_stream_ops *ops, void *arg)
{
	s->ops = ops;
	s->arg = arg;
}

void *xb_stream_arg(const struct xb_stream *s)
{
	return s->arg;
}

uv_loop_t *xb_stream_loop(const struct xb_stream *s)
{
	return s->loop;
}

const char *xb_stream_why(const struct xb_stream *s)
{
	return s->why ? s->why : s->error ? strerror(-s->error) : "EOF";
}

/* What leaves at once is not copied. */
void xb_stream_writev(struct xb_stream *s, const struct iovec *iov, int n)
{
	ssize_t sent = 0;
	int r = 0;

	if (s->over || s->ending)
		return;
	if (!s->out.pending && !s->blocked && !s->dial)
		sent = s->transport.ops->send(&s->transport, iov, n);
	if (sent == -EAGAIN)
		s->blocked = true;
	else if (sent < 0)
		r = (int)sent;
	sent = MAX(sent, 0);
	for (int i = 0; i < n && !r; i++) {
		size_t part = MIN((size_t)sent, iov[i].iov_len);

		sent -= (ssize_t)part;
		r = http_out_add(&s->out, (struct xb_sv){ (const char *)iov[i].iov_base + part, iov[i].iov_len - part });
	}
	if (!r && s->out.pending && !s->dial)
		r = flush(s);
	if (r)
		broken(s, r);
	else
		stream_arm(s);
}

void xb_stream_write(struct xb_stream *s, struct xb_sv bytes)
{
	struct iovec iov = { (char *)bytes.p, bytes.n };

	if (bytes.n)
		xb_stream_writev(s, &iov, 1);
}

size_t xb_stream_pending(const struct xb_stream *s)
{
	return s->out.pending;
}

void xb_stream_end(struct xb_stream *s)
{
	int r;

	if (s->over || s->ending)
		return;
	s->ending = true;
	r = s->dial ? 0 : flush(s);
	if (r)
		broken(s, r);
	else if (!s->running)
		stream_arm(s);
}

void xb_stream_pause(struct xb_stream *s, bool paused)
{
	if (s->paused == paused || s->over)
		return;
	s->paused = paused;
	s->leaving_at = 0;
	if (s->running)
		return;
	stream_arm(s);
	if (!paused && has_news(s))
		soon(s);
}

void xb_stream_deadline(struct xb_stream *s, unsigned ms)
{
	if (s->over)
		return;
	s->deadline = ms ? uv_now(s->loop) + ms : 0;
	if (has_news(s))
		soon(s);
	else
		arm_timer(s);
}

int xb_stream_unread(struct xb_stream *s, struct xb_sv bytes)
{
	if (!bytes.n)
		return 0;
	xb_buf_addsv(&s->unread, bytes);
	if (!s->over)
		soon(s);
	return s->unread.err;
}

int stream_adopt(uv_loop_t *loop, struct transport *t, struct http_out *out, bool eof, void (*gone)(void *arg), void *gone_arg,
		 struct xb_stream **ret)
{
	struct xb_stream *s;
	int r = stream_new(loop, NULL, NULL, &s);

	if (r)
		return r;
	s->transport = *t;
	s->transport.peer = NULL;
	s->eof = eof;
	r = stream_attach(s);
	if (r) {
		s->transport.fd = -1;
		xb_stream_free(s);
		return r;
	}
	t->fd = -1;
	t->ssl = NULL;
	http_out_splice(&s->out, out);
	s->gone = gone;
	s->gone_arg = gone_arg;
	*ret = s;
	return 0;
}
