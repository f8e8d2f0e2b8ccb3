/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/mman.h>
#include "http2.h"

#define STREAM_WINDOW (256 << 10)       /* of request body ahead of us, as upstream; and of a connection: */
#define CONN_WINDOW (1 << 20)
#define WIRE_BYTES (64 << 10)           /* made ahead of the socket */
#define QUEUED_FRAMES_MAX 2000          /* beyond, we read no more until the client takes some */
#define RESET_BURST 1000                /* streams that a client may abandon, and how many more each second */
#define RESET_RATE 100
#define TOKEN_BURST 500                 /* frames that bring nothing, likewise */
#define TOKEN_RATE 100
#define CONTINUATIONS_MAX 8
#define FRAMES_BYTES (20 << 10)         /* of nghttp2's own 16 KiB to make frames in */

static struct http2_stream *stream_of(nghttp2_session *session, int32_t id)
{
	return id ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static void terminate(struct conn *c, uint32_t code)
{
	if (nghttp2_session_terminate_session(c->h2->session, code))
		conn_die(c);
}

/* Frames that cost us work and bring no request nearer: CVE-2019-9512, -9515, -9518, CVE-2023-44487. */
static bool brings_nothing(const nghttp2_frame_hd *hd)
{
	switch (hd->type) {
	case NGHTTP2_HEADERS:
	case NGHTTP2_CONTINUATION: /* nghttp2 counts these */
	case NGHTTP2_WINDOW_UPDATE:
		return false;
	case NGHTTP2_DATA:
		return !hd->length && !(hd->flags & NGHTTP2_FLAG_END_STREAM);
	default:
		return true;
	}
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *arg)
{
	struct conn *c = arg;
	struct http2 *h = c->h2;
	uint64_t earned = (conn_now(c) - h->tokens_at) * TOKEN_RATE / 1000;

	if (!brings_nothing(hd))
		return 0;
	if (earned) {
		h->tokens = MIN(h->tokens + earned, (uint64_t)TOKEN_BURST);
		h->tokens_at = conn_now(c);
	}
	if (h->tokens)
		h->tokens--;
	else
		terminate(c, NGHTTP2_ENHANCE_YOUR_CALM);
	return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct conn *c = arg;

	c->h2->head_at = conn_now(c);
	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST && http2_stream_new(c, frame->hd.stream_id))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
		     const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);
	int r = 0;

	if (s && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		r = http2_stream_add_field(s, (struct xb_sv){ (char *)name, name_n }, (struct xb_sv){ (char *)value, value_n });
	return r ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* nghttp2 would leave such a field out; RFC 9113 8.2.1 calls the request malformed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
			     const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);
	struct http2 *h = ((struct conn *)arg)->h2;
	bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	if (frame->hd.type == NGHTTP2_SETTINGS)
		h->greeted = true;
	if (frame->hd.type == NGHTTP2_HEADERS)
		h->head_at = 0;
	if (!s)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		http2_stream_end_head(s, end);
	else if (end && (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS))
		http2_stream_complete(s);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
	struct http2_stream *s = stream_of(session, id);

	return s && http2_stream_add_body(s, (struct xb_sv){ (char *)bytes, n }) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct http2_stream *s = stream_of(session, id);

	((struct conn *)arg)->h2->head_at = 0;
	if (s)
		http2_stream_closed(s);
	return 0;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t n,
		     nghttp2_data_source *source, void *arg)
{
	struct conn *c = arg;

	if (c->out.pending >= WIRE_BYTES)
		return NGHTTP2_ERR_WOULDBLOCK;
	if (http_out_add(&c->out, (struct xb_sv){ (const char *)head, 9 }) || http2_stream_sent(source->ptr, n))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return 0;
}

/*
 * nghttp2 makes frames in 16 KiB of its own, but data goes around it and the rest is small: in a mapping of its own only
 * the first page is ever there, where malloc would hand out what the TLS handshake has just used and freed.
 */
static void *take_memory(size_t n, void *arg)
{
	struct http2 *h = arg;
	void *p;

	if (n < 16 << 10 || n > FRAMES_BYTES || h->frames)
		return malloc(n);
	p = mmap(NULL, FRAMES_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	h->frames = p == MAP_FAILED ? NULL : p;
	return h->frames;
}

static void give_memory(void *p, void *arg)
{
	struct http2 *h = arg;

	if (!p || p != h->frames) {
		free(p);
		return;
	}
	munmap(p, FRAMES_BYTES);
	h->frames = NULL;
}

static void *take_zeroed_memory(size_t n, size_t size, void *arg)
{
	return calloc(n, size);
}

static void *change_memory(void *p, size_t n, void *arg)
{
	struct http2 *h = arg;

	if (!p)
		return take_memory(n, arg);
	if (p == h->frames)
		return n <= FRAMES_BYTES ? p : NULL;
	return realloc(p, n);
}

static int session_new(struct conn *c, nghttp2_session **ret)
{
	nghttp2_mem memory = { c->h2, take_memory, give_memory, take_zeroed_memory, change_memory };
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int r = -ENOMEM;

	if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option))
		goto out;
	nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
	nghttp2_option_set_stream_reset_rate_limit(option, RESET_BURST, RESET_RATE);
	nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
	if (!nghttp2_session_server_new3(ret, callbacks, c, option, &memory))
		r = 0;
out:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return r;
}

static int say_settings(struct conn *c)
{
	nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, c->server->limits.head_bytes },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
	};
	nghttp2_session *session = c->h2->session;

	if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, ARRAY_SIZE(settings)) ||
	    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, CONN_WINDOW))
		return -ENOMEM;
	return 0;
}

int http2_open(struct conn *c)
{
	struct http2 *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	LIST_INIT(&h->streams);
	TAILQ_INIT(&h->timed);
	TAILQ_INIT(&h->news);
	h->heard_at = h->idle_at = h->tokens_at = conn_now(c);
	h->tokens = TOKEN_BURST;
	c->h2 = h;
	c->protocol = &http2_protocol;
	return session_new(c, &h->session) || say_settings(c) ? -ENOMEM : 0;
}

static void http2_receive(struct conn *c, const char *bytes, size_t n)
{
	struct http2 *h = c->h2;

	h->heard_at = conn_now(c);
	h->pinged_at = 0;
	if (n && nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes, n) < 0) {
		count(&c->server->stats.faults, 1);
		conn_die(c);
	}
}

/* Frames for the wire, as many as fit. */
static bool make_frames(struct conn *c)
{
	const uint8_t *bytes;
	size_t before = c->out.pending;
	ssize_t n = 1;

	while (n > 0 && c->out.pending < WIRE_BYTES) {
		size_t had = c->out.pending;

		n = nghttp2_session_mem_send(c->h2->session, &bytes);
		if (n < 0 || http_out_add(&c->out, (struct xb_sv){ (const char *)bytes, n }))
			conn_die(c);
		else if (!n && c->out.pending > had)
			n = 1; /* it was data, which send_data has put there */
	}
	return c->out.pending > before;
}

static bool http2_step(struct conn *c)
{
	struct http2 *h = c->h2;

	if (!TAILQ_EMPTY(&h->news)) {
		http2_stream_attend(TAILQ_FIRST(&h->news));
		return true;
	}
	if (c->eof) {
		conn_die(c);
		return false;
	}
	if (make_frames(c) || !TAILQ_EMPTY(&h->news))
		return true;
	if (!c->out.pending && !nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session))
		conn_linger(c);
	return false;
}

static int http2_wants(const struct conn *c)
{
	return nghttp2_session_get_outbound_queue_size(c->h2->session) < QUEUED_FRAMES_MAX ? UV_READABLE : UV_DISCONNECT;
}

/* A client from which nothing comes is asked whether it lives, and has the same time again to answer. */
static uint64_t ping_ms(const struct conn *c)
{
	return c->server->config.idle_seconds * 1000ull / 4;
}

static uint64_t http2_deadline(struct conn *c)
{
	const struct xb_http_config *config = &c->server->config;
	struct http2 *h = c->h2;
	uint64_t until;

	if (LIST_EMPTY(&h->streams))
		until = h->idle_at + (h->greeted ? config->idle_seconds : config->header_seconds) * 1000ull;
	else
		until = (h->pinged_at ? h->pinged_at : h->heard_at) + ping_ms(c);
	if (h->head_at)
		until = MIN(until, h->head_at + config->header_seconds * 1000ull);
	if (!TAILQ_EMPTY(&h->timed))
		until = MIN(until, TAILQ_FIRST(&h->timed)->deadline);
	return until;
}

static void http2_on_deadline(struct conn *c)
{
	struct http2 *h = c->h2;
	uint64_t now = conn_now(c), header_ms = c->server->config.header_seconds * 1000ull;

	while (!TAILQ_EMPTY(&h->timed) && TAILQ_FIRST(&h->timed)->deadline <= now)
		http2_stream_late(TAILQ_FIRST(&h->timed));
	if (!h->greeted || (h->head_at && h->head_at + header_ms <= now)) {
		conn_die(c);
	} else if (LIST_EMPTY(&h->streams)) {
		if (h->idle_at + c->server->config.idle_seconds * 1000ull <= now)
			terminate(c, NGHTTP2_NO_ERROR);
	} else if (h->pinged_at) {
		if (h->pinged_at + ping_ms(c) <= now)
			conn_die(c);
	} else if (h->heard_at + ping_ms(c) <= now) {
		h->pinged_at = now;
		if (nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, NULL))
			conn_die(c);
	}
}

/* GOAWAY says which requests were taken: the client repeats later ones elsewhere (RFC 9113 6.8). */
static void http2_shutdown(struct conn *c)
{
	struct http2 *h = c->h2;
	struct http2_stream *s;

	if (!h->away && nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h->session),
				  NGHTTP2_NO_ERROR, NULL, 0))
		conn_die(c);
	h->away = true;
	LIST_FOREACH(s, &h->streams, link)
		conn_tell(&s->request);
}

static void http2_closed(struct conn *c)
{
	struct http2_stream *s;

	LIST_FOREACH(s, &c->h2->streams, link)
		if (s->request.active && s->request.on_close) {
			s->request.active = false;
			s->request.on_close(&s->request);
		}
}

static bool http2_held(const struct conn *c)
{
	const struct http2_stream *s;

	LIST_FOREACH(s, &c->h2->streams, link)
		if (s->request.active)
			return true;
	return false;
}

static void http2_done(struct conn *c)
{
	struct http2 *h = c->h2;

	nghttp2_session_del(h->session);
	while (!LIST_EMPTY(&h->streams))
		http2_stream_free(LIST_FIRST(&h->streams));
	free(h);
}

const struct protocol http2_protocol = {
	.receive = http2_receive, .step = http2_step, .wants = http2_wants, .deadline = http2_deadline,
	.on_deadline = http2_on_deadline, .shutdown = http2_shutdown, .closed = http2_closed, .held = http2_held,
	.done = http2_done,
};
