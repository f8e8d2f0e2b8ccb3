/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same talk with several addresses, in turns: each round measures all of them, another goes first each time, and the figure
 * is the median of the rounds' ratios to the first address, so that what the machine does meanwhile falls on all alike. Where the
 * server is named, what is compared is the processor time of both ends, in which the kernel's work on their packets is.
 */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "command.h"
#include "xb/json.h"
#include "xb/macro.h"

static const char usage[] =
	"usage: xebec-bench service --to NAME=ADDR:PORT[,netns=FILE][,cgroup=FOLDER][,server=PID]...\n"
	"                           [--kind KIND]... [--rounds N] [--seconds S] [-o json]\n\n"
	"Each address leads to an echo port of \"xebec-bench serve --echo\", from the network namespace and the cgroup that are named. The\n"
	"others are measured against the first: by processor time of both ends with the server's process, else by the clock. Kinds, by default all but the last:\n"
	"  tcp_crr   connect, one byte there and back, close     tcp_rr   one byte there and back on one connection\n"
	"  udp_rr    one datagram there and back, connected      connect  time of connect() alone\n"
	"  stream    bytes one way on one connection, to a port of \"serve --sink\"\n";

enum { ROUNDS_MOST = 1000, TARGETS_MOST = 16, CONNECTS_A_ROUND = 2000 };
enum { UDP_PORT_FIRST = 10000, UDP_PORTS_EACH = 3000 };

static uint16_t udp_port; /* the next of the target's own */

/* An answer to a port that has just used a service by packets would be taken for its flow's: no two targets have the same. */
static int bind_udp_port(int fd, sa_family_t family)
{
	struct sockaddr_storage any = { .ss_family = family };
	socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	/* the same place in both families */
	((struct sockaddr_in *)&any)->sin_port = htons(udp_port++);
	return bind(fd, (const struct sockaddr *)&any, n) < 0 ? -errno : 0;
}

static int open_connection(const struct endpoint *to, int type)
{
	struct timeval patience = { .tv_sec = 5 };
	struct linger reset = { .l_onoff = 1 };
	int one = 1, fd = socket(to->addr.ss_family, type | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (type == SOCK_STREAM) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		/* a reset instead of TIME_WAIT: a run makes more connections than there are ports */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	r = type == SOCK_DGRAM ? bind_udp_port(fd, to->addr.ss_family) : 0;
	if (!r && connect(fd, (const struct sockaddr *)&to->addr, to->length) < 0)
		r = -errno;
	if (r)
		close(fd);
	return r ? r : fd;
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

/* --- what is measured: transactions, the time on the clock and of processors that they took */

struct cost {
	double n, clock_ns, processor_ns;
};

static clockid_t server_clock = -1;

static double processor_ns(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) < 0 ? 0 : t.tv_sec * 1e9 + t.tv_nsec;
}

static struct cost cost_now(double n)
{
	return (struct cost){
		.n = n, .clock_ns = now_ns(),
		.processor_ns = processor_ns(CLOCK_PROCESS_CPUTIME_ID) + (server_clock == -1 ? 0 : processor_ns(server_clock)),
	};
}

static struct cost cost_since(struct cost start, double n)
{
	struct cost now = cost_now(n);

	return (struct cost){ n, now.clock_ns - start.clock_ns, now.processor_ns - start.processor_ns };
}

static int open_or_fail(const struct endpoint *to, int type)
{
	int fd = open_connection(to, type);

	if (fd < 0)
		fail("connect", -fd);
	return fd;
}

static struct cost measure_crr(const struct endpoint *to, double seconds)
{
	struct cost start = cost_now(0);
	uint64_t stop = now_ns() + seconds * 1e9, n = 0;

	do {
		_cleanup_close_ int fd = open_or_fail(to, SOCK_STREAM);

		if (!round_trip(fd))
			fail("no echo", errno);
		n++;
	} while (now_ns() < stop);
	return cost_since(start, n);
}

static struct cost measure_rr(const struct endpoint *to, int type, double seconds)
{
	_cleanup_close_ int fd = open_or_fail(to, type);
	struct cost start = cost_now(0);
	uint64_t stop = now_ns() + seconds * 1e9, n = 0;

	do {
		if (!round_trip(fd))
			fail("no echo", errno);
		n++;
	} while (now_ns() < stop);
	return cost_since(start, n);
}

static struct cost measure_tcp_rr(const struct endpoint *to, double seconds)
{
	return measure_rr(to, SOCK_STREAM, seconds);
}

static struct cost measure_udp_rr(const struct endpoint *to, double seconds)
{
	return measure_rr(to, SOCK_DGRAM, seconds);
}

/* Of connect() with its handshake the median alone. */
static struct cost measure_connect(const struct endpoint *to, double seconds)
{
	static double clock[CONNECTS_A_ROUND], processor[CONNECTS_A_ROUND];
	uint64_t stop = now_ns() + seconds * 1e9;
	unsigned n = 0;

	do {
		struct cost start = cost_now(0), took;
		int fd = open_or_fail(to, SOCK_STREAM);

		took = cost_since(start, 1);
		close(fd);
		clock[n] = took.clock_ns;
		processor[n] = took.processor_ns;
		n++;
	} while (n < CONNECTS_A_ROUND && now_ns() < stop);
	return (struct cost){ 1, sample_of(clock, n).median, sample_of(processor, n).median };
}

/* Bytes: all that were sent have been taken when the other end closes too. */
static struct cost measure_stream(const struct endpoint *to, double seconds)
{
	static char bytes[128 << 10];
	_cleanup_close_ int fd = open_or_fail(to, SOCK_STREAM);
	struct cost start = cost_now(0);
	uint64_t stop = now_ns() + seconds * 1e9, sent = 0;

	do {
		ssize_t n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);

		if (n < 0)
			fail("send", errno);
		sent += n;
	} while (now_ns() < stop);
	shutdown(fd, SHUT_WR);
	if (recv(fd, bytes, 1, 0) != 0)
		fail("the other end did not close", errno);
	return cost_since(start, sent);
}

static const struct {
	const char *name;
	struct cost (*measure)(const struct endpoint *to, double seconds);
} kinds[] = {
	{ "tcp_crr", measure_crr },         { "tcp_rr", measure_tcp_rr },  { "udp_rr", measure_udp_rr },
	{ "connect", measure_connect },     { "stream", measure_stream },
};
enum { DEFAULT_KINDS = ARRAY_SIZE(kinds) - 1 };

/* An address, and the process that talks with it from its place. */
struct target {
	const char *name, *netns, *cgroup, *server;
	struct endpoint to;
	int orders;                     /* written to: struct order; read from: struct cost */
};

struct order {
	unsigned kind;
	double seconds;
};

static struct target parse_target(char *text)
{
	char *const places[] = { "netns", "cgroup", "server", NULL };
	char *address = strchr(text, '='), *more, *value;
	struct target t = { .name = text };

	if (!address || address == text)
		goto wrong;
	*address++ = 0;
	more = strchrnul(address, ',');
	if (*more)
		*more++ = 0;
	t.to = parse_endpoint("--to", address);
	while (*more) {
		int place = getsubopt(&more, places, &value);

		if (place < 0 || !value)
			goto wrong;
		*(place == 0 ? &t.netns : place == 1 ? &t.cgroup : &t.server) = value;
	}
	return t;
wrong:
	fprintf(stderr, "xebec-bench: --to: \"%s\" is not NAME=ADDR:PORT[,netns=FILE][,cgroup=FOLDER][,server=PID]\n", text);
	exit(EXIT_FAILURE);
}

/* Sockets belong to where their process is when it makes them. */
static void enter(const struct target *t)
{
	_cleanup_free_ char *procs = NULL;

	if (t->cgroup) {
		_cleanup_close_ int fd = asprintf(&procs, "%s/cgroup.procs", t->cgroup) < 0 ? -1 : open(procs, O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "0", 1) != 1)
			fail(t->cgroup, errno);
	}
	if (t->netns) {
		_cleanup_close_ int fd = open(t->netns, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
			fail(t->netns, errno);
	}
	if (t->server && clock_getcpuclockid(parse_number("server", t->server, 1, INT_MAX), &server_clock))
		fail(t->server, ESRCH);
}

static void start(struct target *t, unsigned number)
{
	struct order o;
	int ends[2];

	udp_port = UDP_PORT_FIRST + number * UDP_PORTS_EACH;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		fail("socketpair", errno);
	t->orders = ends[0];
	switch (fork()) {
	case -1:
		fail("fork", errno);
		break;
	case 0:
		close(ends[0]);
		enter(t);
		while (read(ends[1], &o, sizeof(o)) == sizeof(o)) {
			struct cost c = kinds[o.kind].measure(&t->to, o.seconds);

			if (write(ends[1], &c, sizeof(c)) != sizeof(c))
				break;
		}
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
}

static struct cost measure(const struct target *t, const struct order *o)
{
	struct cost c;

	if (write(t->orders, o, sizeof(*o)) != sizeof(*o) || read(t->orders, &c, sizeof(c)) != sizeof(c)) {
		fprintf(stderr, "xebec-bench: %s %s has failed\n", t->name, kinds[o->kind].name);
		exit(EXIT_FAILURE);
	}
	return c;
}

static void put_sample(struct xb_jw *w, const char *key, const struct sample *s)
{
	xb_jw_key(w, key);
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

static double rates[TARGETS_MOST][ROUNDS_MOST], costs[TARGETS_MOST][ROUNDS_MOST], ratios[TARGETS_MOST][ROUNDS_MOST];
static FILE *words;

static void measure_all(const struct target *t, unsigned n_targets, const struct order *o, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		for (unsigned k = 0; k < n_targets; k++) {
			unsigned at = (i + k) % n_targets;
			struct cost c = measure(&t[at], o);

			rates[at][i] = c.n * 1e9 / c.clock_ns;
			costs[at][i] = (t[at].server ? c.processor_ns : c.clock_ns) / c.n;
		}
		for (unsigned k = 0; k < n_targets; k++)
			ratios[k][i] = costs[0][i] / costs[k][i];
	}
}

static void run_kind(struct xb_jw *w, const struct target *t, unsigned n_targets, const struct order *o, unsigned rounds)
{
	measure_all(t, n_targets, o, rounds);
	xb_jw_key(w, kinds[o->kind].name);
	xb_jw_object(w);
	for (unsigned k = 0; k < n_targets; k++) {
		struct sample rate = sample_of(rates[k], rounds), cost = sample_of(costs[k], rounds), ratio = sample_of(ratios[k], rounds);

		fprintf(words, "%-8s  %-10s %11.0f/s %11.2f us each  ratio %.3f (quartiles %.3f to %.3f)\n", kinds[o->kind].name, t[k].name,
			rate.median, cost.median / 1e3, ratio.median, ratio.low, ratio.high);
		xb_jw_key(w, t[k].name);
		xb_jw_object(w);
		put_sample(w, "perSecond", &rate);
		put_sample(w, t[k].server ? "processorNanoseconds" : "nanoseconds", &cost);
		put_sample(w, "ratio", &ratio);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static unsigned parse_kind(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	fprintf(stderr, "xebec-bench: --kind: \"%s\" is none of the kinds that --help lists\n", name);
	exit(EXIT_FAILURE);
}

int cmd_service(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },      { "kind", required_argument, NULL, 'k' },
		{ "rounds", required_argument, NULL, 'r' },  { "seconds", required_argument, NULL, 's' },
		{ "output", required_argument, NULL, 'o' },  { "help", no_argument, NULL, '?' }, {},
	};
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);
	struct target to[TARGETS_MOST];
	unsigned rounds = 15, n_to = 0, chosen = 0;
	struct order order = { .seconds = 0.5 };
	bool json = false;
	int o;

	while ((o = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (o == 't' && n_to < TARGETS_MOST) {
			to[n_to++] = parse_target(optarg);
		} else if (o == 'k') {
			chosen |= 1u << parse_kind(optarg);
		} else if (o == 'r') {
			rounds = parse_number("--rounds", optarg, 1, ROUNDS_MOST);
		} else if (o == 's') {
			order.seconds = parse_number("--seconds", optarg, 0.01, 60);
		} else if (o == 'o' && !strcmp(optarg, "json")) {
			json = true;
		} else {
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (!n_to || optind < argc) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	words = json ? stderr : stdout;
	for (unsigned i = 0; i < n_to; i++)
		start(&to[i], i);
	xb_jw_object(&w);
	xb_jw_kint(&w, "rounds", rounds);
	for (order.kind = 0; order.kind < ARRAY_SIZE(kinds); order.kind++)
		if (chosen ? chosen & 1u << order.kind : order.kind < DEFAULT_KINDS)
			run_kind(&w, to, n_to, &order, rounds);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		fail("report", ENOMEM);
	if (json)
		printf("%s\n", out.p);
	return EXIT_SUCCESS;
}
