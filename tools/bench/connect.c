/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* New connections at a steady rate: proof that something done meanwhile (a restart, an update) loses none. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "command.h"
#include "xb/macro.h"

static const char usage[] =
	"usage: xebec-bench connect --to ADDR:PORT [--rate N] [--clients N] [--seconds S] [--names FILE]\n\n"
	"Opens N connections a second (default 1000) to an HTTP port of \"xebec-bench serve\", one request each, for S seconds\n"
	"(default 10) or until SIGTERM; later ones too that fell behind. Prints: connections, failed, slowest, rate; exit status 1\n"
	"when one failed.\n"
	"  --clients N    so many have a connection each at the same time (default 1)\n"
	"  --names FILE   append \"<start ns> <end ns> <answer>\" for each connection (CLOCK_MONOTONIC), to tell who answered when\n";

#define CLIENTS_MOST 256

struct load {
	struct endpoint to;
	uint64_t start, end;            /* by now_ns() */
	double gap;                     /* nanoseconds between two connections */
	FILE *names;                    /* NULL: not asked for */
	atomic_ulong next;              /* number of the connection that is made next */
};
struct client {
	pthread_t thread;
	struct load *load;
	uint64_t slowest, made, failed;
	int last_error;
};

static atomic_bool stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = true;
}

/* False when it is time to stop. */
static bool wait_until(uint64_t due)
{
	struct timespec t = { .tv_sec = due / 1000000000, .tv_nsec = due % 1000000000 };

	if (due > now_ns())
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	return !stopping;
}

/* One request; the answer's body goes to name. Returns 0 or -errno. */
static int ask(const struct endpoint *to, char name[64])
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct timeval patience = { .tv_sec = 5 };
	struct linger reset = { .l_onoff = 1 };
	_cleanup_close_ int fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[1024];
	const char *body;
	int status;
	ssize_t n;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (connect(fd, (const struct sockaddr *)&to->addr, to->length) < 0)
		return -errno;
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return -errno;
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	answer[n] = 0;
	if (sscanf(answer, "HTTP/1.%*1d %3d", &status) != 1 || status != 200)
		return -EPROTO;
	body = strstr(answer, "\r\n\r\n");
	snprintf(name, 64, "%.*s", body ? (int)strcspn(body + 4, "\n") : 0, body ? body + 4 : "");
	return 0;
}

static void *connect_at_pace(void *arg)
{
	struct client *c = arg;
	struct load *l = c->load;

	for (;;) {
		uint64_t due = l->start + (uint64_t)(l->next++ * l->gap), began, ended;
		char name[64] = "";
		int r;

		if (due >= l->end || !wait_until(due))
			return NULL;
		began = now_ns();
		r = ask(&l->to, name);
		ended = now_ns();
		c->made++;
		c->slowest = MAX(c->slowest, ended - began);
		if (r < 0) {
			c->failed++;
			c->last_error = -r;
		}
		if (l->names)
			fprintf(l->names, "%llu %llu %s\n", (unsigned long long)began, (unsigned long long)ended, r < 0 ? "-" : name);
	}
}

/* The signals come to this thread alone, so none cuts a request short. Returns what all n have done. */
static struct client run(struct load *l, unsigned n)
{
	static struct client clients[CLIENTS_MOST];
	struct client all = {};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	for (unsigned i = 0; i < n; i++) {
		clients[i].load = l;
		if (pthread_create(&clients[i].thread, NULL, connect_at_pace, &clients[i])) {
			fprintf(stderr, "xebec-bench: --clients: cannot start %u threads\n", n);
			exit(EXIT_FAILURE);
		}
	}
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	for (unsigned i = 0; i < n; i++) {
		const struct client *c = &clients[i];

		pthread_join(c->thread, NULL);
		all.made += c->made;
		all.failed += c->failed;
		all.slowest = MAX(all.slowest, c->slowest);
		if (c->failed)
			all.last_error = c->last_error;
	}
	return all;
}

int cmd_connect(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },      { "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' }, { "names", required_argument, NULL, 'n' },
		{ "clients", required_argument, NULL, 'c' }, { "help", no_argument, NULL, '?' }, {},
	};
	double rate = 1000, seconds = 10;
	unsigned n_clients = 1;
	struct load l = {};
	struct client all;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 't') {
			l.to = parse_endpoint("--to", optarg);
		} else if (o == 'r') {
			rate = parse_number("--rate", optarg, 1, 1e6);
		} else if (o == 's') {
			seconds = parse_number("--seconds", optarg, 0.1, 3600);
		} else if (o == 'c') {
			n_clients = parse_number("--clients", optarg, 1, CLIENTS_MOST);
		} else if (o == 'n') {
			l.names = fopen(optarg, "ae");
			if (!l.names) {
				fprintf(stderr, "xebec-bench: --names: cannot open %s: %m\n", optarg);
				return EXIT_FAILURE;
			}
		} else {
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (!l.to.length || optind < argc) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	l.start = now_ns();
	l.end = l.start + (uint64_t)(seconds * 1e9);
	l.gap = 1e9 / rate;
	all = run(&l, n_clients);
	if (l.names && fclose(l.names))
		perror("xebec-bench: --names");
	printf("connections %llu failed %llu slowest_us %llu rate %.0f%s%s\n", (unsigned long long)all.made, (unsigned long long)all.failed,
	       (unsigned long long)(all.slowest / 1000), all.made * 1e9 / (now_ns() - l.start), all.failed ? " last error: " : "",
	       all.failed ? strerror(all.last_error) : "");
	return all.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
