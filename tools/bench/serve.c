/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include "command.h"
#include "xb/macro.h"

static const char usage[] =
	"usage: xebec-bench serve [--http ADDR:PORT]... [--echo ADDR:PORT]... [--sink ADDR:PORT]... [--text TEXT]\n\n"
	"  --http ADDR:PORT   answer each request on a connection with TEXT and a newline\n"
	"  --echo ADDR:PORT   TCP: send back what comes; UDP on the same port: answer each datagram with TEXT, or itself without\n"
	"  --sink ADDR:PORT   TCP: take what comes, and close when the client has said all\n"
	"  --text TEXT        what to say, for instance a pod's name\n\n"
	"Runs until SIGTERM or SIGINT.\n";

/* what a listener accepts has the role as far behind its own */
enum role { ROLE_HTTP_LISTENER, ROLE_ECHO_LISTENER, ROLE_SINK_LISTENER, ROLE_HTTP, ROLE_ECHO, ROLE_SINK, ROLE_UDP, ROLE_SIGNAL };
struct peer {
	int fd;
	enum role role;
	unsigned matched; /* ROLE_HTTP: how much of the blank line has been seen */
};

static char reply[1024], text[256];
static int reply_length, epoll;

static struct peer *add(int fd, enum role role)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = p };

	if (!p)
		abort();
	*p = (struct peer){ .fd = fd, .role = role };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		perror("xebec-bench: epoll_ctl");
		exit(EXIT_FAILURE);
	}
	return p;
}

static void drop(struct peer *p)
{
	close(p->fd);
	free(p);
}

static void open_port(const char *flag, const char *at, int type, enum role role)
{
	struct endpoint e = parse_endpoint(flag, at);
	int one = 1, fd = socket(e.addr.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&e.addr, e.length) < 0 || (type == SOCK_STREAM && listen(fd, 4096) < 0)) {
		fprintf(stderr, "xebec-bench: cannot listen on %s: %m\n", at);
		exit(EXIT_FAILURE);
	}
	add(fd, role);
}

static void accept_all(const struct peer *listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		add(fd, listener->role + (ROLE_HTTP - ROLE_HTTP_LISTENER));
	}
}

/* One answer for each blank line that ends a request's header; requests with a body are not for this server. */
static bool answer_http(struct peer *p, const char *bytes, ssize_t n)
{
	static const char blank[] = "\r\n\r\n";

	for (ssize_t i = 0; i < n; i++) {
		p->matched = bytes[i] == blank[p->matched] ? p->matched + 1 : bytes[i] == '\r';
		if (p->matched < 4)
			continue;
		p->matched = 0;
		if (send(p->fd, reply, reply_length, MSG_NOSIGNAL) != reply_length)
			return false;
	}
	return true;
}

static bool answer(struct peer *p, const char *bytes, ssize_t n)
{
	if (p->role == ROLE_HTTP)
		return answer_http(p, bytes, n);
	return p->role == ROLE_SINK || send(p->fd, bytes, n, MSG_NOSIGNAL) == n;
}

static void receive(struct peer *p)
{
	char bytes[65536];
	ssize_t n = recv(p->fd, bytes, sizeof(bytes), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !answer(p, bytes, n))
		drop(p);
}

static void answer_datagrams(const struct peer *p)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char bytes[65536];
	ssize_t n;

	while ((n = recvfrom(p->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &length)) >= 0) {
		if (text[0])
			sendto(p->fd, text, strlen(text), 0, (struct sockaddr *)&from, length);
		else
			sendto(p->fd, bytes, n, 0, (struct sockaddr *)&from, length);
		length = sizeof(from);
	}
}

static void serve(struct peer *p)
{
	switch (p->role) {
	case ROLE_HTTP_LISTENER:
	case ROLE_ECHO_LISTENER:
	case ROLE_SINK_LISTENER:
		accept_all(p);
		break;
	case ROLE_UDP:
		answer_datagrams(p);
		break;
	case ROLE_HTTP:
	case ROLE_ECHO:
	case ROLE_SINK:
		receive(p);
		break;
	case ROLE_SIGNAL:
		exit(EXIT_SUCCESS);
	}
}

int cmd_serve(int argc, char **argv)
{
	static const struct option options[] = {
		{ "http", required_argument, NULL, 'h' }, { "echo", required_argument, NULL, 'e' },
		{ "sink", required_argument, NULL, 's' }, { "text", required_argument, NULL, 't' }, { "help", no_argument, NULL, '?' }, {},
	};
	struct epoll_event events[64];
	sigset_t stop;
	int o, ports = 0;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'h') {
			open_port("--http", optarg, SOCK_STREAM, ROLE_HTTP_LISTENER);
		} else if (o == 'e') {
			open_port("--echo", optarg, SOCK_STREAM, ROLE_ECHO_LISTENER);
			open_port("--echo", optarg, SOCK_DGRAM, ROLE_UDP);
		} else if (o == 's') {
			open_port("--sink", optarg, SOCK_STREAM, ROLE_SINK_LISTENER);
		} else if (o == 't') {
			snprintf(text, sizeof(text), "%s\n", optarg);
		} else {
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
		ports += o != 't';
	}
	if (!ports || optind < argc) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	reply_length = snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
				strlen(text), text);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	add(signalfd(-1, &stop, SFD_CLOEXEC), ROLE_SIGNAL);
	for (;;) {
		int n = epoll_wait(epoll, events, ARRAY_SIZE(events), -1);

		for (int i = 0; i < n; i++)
			serve(events[i].data.ptr);
	}
}
