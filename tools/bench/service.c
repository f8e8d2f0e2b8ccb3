/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A service address beside the pod's own address, in turns: each round measures both, the one that goes first alternates,
 * and the figure is the median of the rounds' ratios, so that what the machine does meanwhile falls on both alike.
 */
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "xb/json.h"
#include "xb/macro.h"

static const char usage[] =
	"usage: xebec-bench service --vip ADDR:PORT --direct ADDR:PORT [--rounds N] [--seconds S] [-o json]\n\n"
	"Both addresses lead to an echo port of \"xebec-bench serve --echo\". Measured, interleaved:\n"
	"  tcp_crr   connect, one byte there and back, close     tcp_rr   one byte there and back on one connection\n"
	"  udp_rr    one datagram there and back, connected      connect  time of connect() alone\n";

enum { ROUNDS_MOST = 1000, CONNECTS_A_ROUND = 2000 };

static int open_connection(const struct endpoint *to, int type)
{
	struct timeval patience = { .tv_sec = 5 };
	struct linger reset = { .l_onoff = 1 };
	int one = 1, fd = socket(to->addr.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (type == SOCK_STREAM) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		/* a reset instead of TIME_WAIT: a run makes more connections than there are ports */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	if (connect(fd, (const struct sockaddr *)&to->addr, to->length) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static bool round_trip(int fd)
{
	char c = 'x';

	return send(fd, &c, 1, MSG_NOSIGNAL) == 1 && recv(fd, &c, 1, 0) == 1;
}

static void fail(const char *what, int error)
{
	errno = error;
	fprintf(stderr, "xebec-bench: %s: %m\n", what);
	exit(EXIT_FAILURE);
}

/* Transactions a second. */
static double measure_crr(const struct endpoint *to, double seconds)
{
	uint64_t start = now_ns(), stop = start + seconds * 1e9, n = 0;

	do {
		_cleanup_close_ int fd = open_connection(to, SOCK_STREAM);

		if (fd < 0)
			fail("connect", -fd);
		if (!round_trip(fd))
			fail("no echo", errno);
		n++;
	} while (now_ns() < stop);
	return n * 1e9 / (now_ns() - start);
}

static double measure_rr(const struct endpoint *to, int type, double seconds)
{
	_cleanup_close_ int fd = open_connection(to, type);
	uint64_t start = now_ns(), stop = start + seconds * 1e9, n = 0;

	if (fd < 0)
		fail("connect", -fd);
	do {
		if (!round_trip(fd))
			fail("no echo", errno);
		n++;
	} while (now_ns() < stop);
	return n * 1e9 / (now_ns() - start);
}

static double measure_tcp_rr(const struct endpoint *to, double seconds)
{
	return measure_rr(to, SOCK_STREAM, seconds);
}

static double measure_udp_rr(const struct endpoint *to, double seconds)
{
	return measure_rr(to, SOCK_DGRAM, seconds);
}

/* The median time of connect() with its handshake, as connections a second, so that more is better everywhere. */
static double measure_connect(const struct endpoint *to, double seconds)
{
	static double took[CONNECTS_A_ROUND];

	for (unsigned i = 0; i < CONNECTS_A_ROUND; i++) {
		uint64_t start = now_ns();
		_cleanup_close_ int fd = open_connection(to, SOCK_STREAM);

		if (fd < 0)
			fail("connect", -fd);
		took[i] = now_ns() - start;
	}
	return 1e9 / sample_of(took, CONNECTS_A_ROUND).median;
}

static const struct {
	const char *name;
	double (*measure)(const struct endpoint *to, double seconds);
} kinds[] = {
	{ "tcp_crr", measure_crr }, { "tcp_rr", measure_tcp_rr }, { "udp_rr", measure_udp_rr }, { "connect", measure_connect },
};

static void report(struct xb_jw *w, const char *name, double *vip, double *direct, double *ratio, unsigned rounds)
{
	struct sample v = sample_of(vip, rounds), d = sample_of(direct, rounds), r = sample_of(ratio, rounds);

	if (!w) {
		printf("%-8s  vip %9.0f/s  direct %9.0f/s  ratio %.3f (quartiles %.3f to %.3f)\n", name, v.median, d.median, r.median,
		       r.low, r.high);
		return;
	}
	xb_jw_key(w, name);
	xb_jw_object(w);
	for (int i = 0; i < 3; i++) {
		const struct sample *s = i == 0 ? &v : i == 1 ? &d : &r;

		xb_jw_key(w, i == 0 ? "vipPerSecond" : i == 1 ? "directPerSecond" : "ratio");
		xb_jw_object(w);
		xb_jw_key(w, "median");
		xb_jw_double(w, s->median);
		xb_jw_key(w, "quartiles");
		xb_jw_array(w);
		xb_jw_double(w, s->low);
		xb_jw_double(w, s->high);
		xb_jw_end(w);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

int cmd_service(int argc, char **argv)
{
	static const struct option options[] = {
		{ "vip", required_argument, NULL, 'v' },     { "direct", required_argument, NULL, 'd' },
		{ "rounds", required_argument, NULL, 'r' },  { "seconds", required_argument, NULL, 's' },
		{ "output", required_argument, NULL, 'o' },  { "help", no_argument, NULL, '?' }, {},
	};
	static double rates[2][ROUNDS_MOST], ratio[ROUNDS_MOST];
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);
	struct endpoint to[2] = {};
	unsigned rounds = 15;
	double seconds = 0.5;
	bool json = false;
	int o;

	while ((o = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (o == 'v') {
			to[0] = parse_endpoint("--vip", optarg);
		} else if (o == 'd') {
			to[1] = parse_endpoint("--direct", optarg);
		} else if (o == 'r') {
			rounds = parse_number("--rounds", optarg, 1, ROUNDS_MOST);
		} else if (o == 's') {
			seconds = parse_number("--seconds", optarg, 0.01, 60);
		} else if (o == 'o' && !strcmp(optarg, "json")) {
			json = true;
		} else {
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (!to[0].length || !to[1].length || optind < argc) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	xb_jw_object(&w);
	xb_jw_kint(&w, "rounds", rounds);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned i = 0; i < rounds; i++) {
			rates[i & 1][i] = kinds[k].measure(&to[i & 1], seconds);
			rates[!(i & 1)][i] = kinds[k].measure(&to[!(i & 1)], seconds);
			ratio[i] = rates[0][i] / rates[1][i];
		}
		report(json ? &w : NULL, kinds[k].name, rates[0], rates[1], ratio, rounds);
	}
	xb_jw_end(&w);
	if (json) {
		if (xb_jw_finish(&w) < 0)
			fail("report", ENOMEM);
		printf("%s\n", out.p);
	}
	return EXIT_SUCCESS;
}
