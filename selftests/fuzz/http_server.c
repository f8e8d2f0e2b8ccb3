/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a client sends on one connection, in pieces, and then the end. The first byte says: HTTP/1.1 as it stands ('1'), or frames
 * of HTTP/2 behind the preface. Requests reach the handler whole and within limits, and nothing of the connection stays.
 */
#include <stdint.h>

#include "../../userspace/lib/net/http_conn.h"

#define HEAD_BYTES 4096
#define BODY_BYTES 8192
#define TURNS_MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static uv_loop_t loop;
static struct xb_http_server *server;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_fields(const struct xb_http_request *r)
{
	struct xb_sv name, value;
	size_t iter = 0;

	while (xb_http_header_next(r, &iter, &name, &value)) {
		must(name.n && name.n + value.n <= HEAD_BYTES);
		for (size_t i = 0; i < value.n; i++)
			must(value.p[i] && value.p[i] != '\r' && value.p[i] != '\n');
	}
}

static void on_close(struct xb_http_request *r)
{
}

/* Some answer at once, some in a stream, and some are for the client to leave. */
static void handler(struct xb_http_request *r, void *arg)
{
	struct xb_sv path = xb_http_path(r), body = xb_http_body(r);

	must(xb_http_method(r).n && path.n && body.n <= BODY_BYTES);
	check_fields(r);
	xb_http_add_header(r, "X-Length", "1");
	switch (path.p[path.n - 1]) {
	case 's':
		xb_http_stream_begin(r, 200, "text/plain", NULL);
		xb_http_stream_write(r, body);
		xb_http_stream_write(r, xb_http_query(r));
		xb_http_stream_end(r);
		return;
	case 'w':
		xb_http_on_close(r, on_close, NULL);
		xb_http_stream_begin(r, 200, "text/plain", NULL);
		xb_http_stream_write(r, XB_SV("begun"));
		return;
	default:
		xb_http_respond(r, 200, "text/plain", body);
	}
}

static void start(void)
{
	struct xb_http_config config = {
		.loop = &loop, .handler = handler, .max_header_bytes = HEAD_BYTES, .max_body_bytes = BODY_BYTES,
	};

	if (server)
		return;
	must(!uv_loop_init(&loop) && !xb_http_server_new(&config, &server));
}

static uint64_t open_connections(void)
{
	struct xb_http_stats stats;

	xb_http_server_stats(server, &stats);
	return stats.connections;
}

static void turn(int fd)
{
	char answer[4096];

	uv_run(&loop, UV_RUN_NOWAIT);
	while (fd >= 0 && recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
}

/* The client goes on while the server reads. */
static void say(int fd, struct xb_sv bytes, size_t step)
{
	for (unsigned turns = 0; bytes.n && turns < TURNS_MAX; turns++) {
		ssize_t sent = send(fd, bytes.p, MIN(step, bytes.n), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return;
		if (sent > 0)
			bytes = (struct xb_sv){ bytes.p + sent, bytes.n - sent };
		turn(fd);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
	const struct sockaddr_storage peer = { .ss_family = AF_INET };
	int fds[2];

	if (n < 2)
		return 0;
	start();
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
	conn_new(server, fds[0], &peer);
	if (bytes[0] != '1')
		say(fds[1], (struct xb_sv){ hello, sizeof(hello) - 1 }, sizeof(hello));
	say(fds[1], (struct xb_sv){ (const char *)bytes + 2, n - 2 }, bytes[1] ? bytes[1] : n);
	shutdown(fds[1], SHUT_WR);
	for (unsigned turns = 0; open_connections() && turns < 20; turns++)
		turn(fds[1]);
	close(fds[1]);
	for (unsigned turns = 0; open_connections(); turns++) {
		must(turns < TURNS_MAX);
		turn(-1);
	}
	return 0;
}
