/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* New connections at a steady rate: proof that something done meanwhile (a restart, an update) loses none. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "command.h"
#include "xb/macro.h"

static const char usage[] =
	"usage: xebec-bench connect --to ADDR:PORT [--rate N] [--seconds S] [--names FILE]\n\n"
	"Opens N connections a second (default 1000) to an HTTP port of \"xebec-bench serve\", one request each, for S seconds\n"
	"(default 10) or until SIGTERM. Prints: connections, failed, slowest; exit status 1 when one failed.\n"
	"  --names FILE   append \"<start ns> <end ns> <answer>\" for each connection (CLOCK_MONOTONIC), to tell who answered when\n";

/* Waits until due; true when it is time to stop. The signals are blocked otherwise, so none cuts a request short. */
static bool pause_until(uint64_t due)
{
	uint64_t now = now_ns(), left = due > now ? due - now : 0;
	struct timespec pause = { .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	return sigtimedwait(&stop, NULL, &pause) > 0;
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
	body = strstr(answer, "\r\n\r\n");
	snprintf(name, 64, "%.*s", body ? (int)strcspn(body + 4, "\n") : 0, body ? body + 4 : "");
	return 0;
}

int cmd_connect(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },      { "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' }, { "names", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, '?' }, {},
	};
	double rate = 1000, seconds = 10;
	uint64_t start, slowest = 0, made = 0, failed = 0;
	struct endpoint to = {};
	FILE *names = NULL;
	int o, last_error = 0;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 't') {
			to = parse_endpoint("--to", optarg);
		} else if (o == 'r') {
			rate = parse_number("--rate", optarg, 1, 1e6);
		} else if (o == 's') {
			seconds = parse_number("--seconds", optarg, 0.1, 3600);
		} else if (o == 'n') {
			names = fopen(optarg, "ae");
			if (!names) {
				fprintf(stderr, "xebec-bench: --names: cannot open %s: %m\n", optarg);
				return EXIT_FAILURE;
			}
		} else {
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (!to.length || optind < argc) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	start = now_ns();
	for (;;) {
		uint64_t due = start + made * (1e9 / rate), began, ended;
		char name[64] = "";
		int r;

		if (due > start + seconds * 1e9 || pause_until(due))
			break;
		began = now_ns();
		r = ask(&to, name);
		ended = now_ns();
		made++;
		slowest = MAX(slowest, ended - began);
		if (r < 0) {
			failed++;
			last_error = -r;
		}
		if (names)
			fprintf(names, "%llu %llu %s\n", (unsigned long long)began, (unsigned long long)ended, r < 0 ? "-" : name);
	}
	if (names && fclose(names))
		perror("xebec-bench: --names");
	printf("connections %llu failed %llu slowest_us %llu rate %.0f%s%s\n", (unsigned long long)made, (unsigned long long)failed,
	       (unsigned long long)(slowest / 1000), made * 1e9 / (now_ns() - start), failed ? " last error: " : "",
	       failed ? strerror(last_error) : "");
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
