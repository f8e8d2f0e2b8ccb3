/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCK_H
#define SOCK_H
/*
 * For programs that drive apply.h directly and look at what real sockets see. They run in a network namespace of their own,
 * in a cgroup that the caller gives. All addresses are on its loopback device: backends A to E at 10.1.0.1-5 and
 * fd10::1-5, port 8080, which answer their letter over TCP and UDP; the node at 192.0.2.1 and 2001:db8::1.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "../../userspace/proxy/apply.h"

#define BACKENDS 5
#define BACKEND_PORT 8080

static const char *bpffs, *cgroup;
static struct xb_plan_addr node4 = { { 192, 0, 2, 1 } }, node6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static uv_loop_t *loop;             /* given to open_tables(); NULL: none */
static __u32 table_size_most;       /* the same; 0: none */
static int n_tests, n_failed;

static inline void _printf_(2, 3) ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", good ? "ok" : "not ok", ++n_tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts("");
	fflush(stdout);
	n_failed += !good;
}

static inline void is(long got, long want, const char *what)
{
	ok(got == want, "%s", what);
	if (got != want)
		printf("# expected %ld, got %ld\n", want, got);
}

static inline void is_text(const char *got, const char *want, const char *what)
{
	ok(!strcmp(got, want), "%s", what);
	if (strcmp(got, want))
		printf("# expected '%s', got '%s'\n", want, got);
}

static inline void has_text(const char *got, const char *want, const char *what)
{
	ok(got && strstr(got, want), "%s", what);
	if (!got || !strstr(got, want))
		printf("# expected '%s' in '%s'\n", want, got ? got : "(nothing)");
}

static inline void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- addresses: "10.96.0.1:80", "[fd00::1]:80" */

union sa {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

static inline socklen_t sa_size(const union sa *sa)
{
	return sa->any.sa_family == AF_INET6 ? sizeof(sa->in6) : sizeof(sa->in4);
}

static inline union sa sa_parse(const char *text)
{
	char addr[64];
	union sa sa = {};
	const char *colon = strrchr(text, ':');

	if (*text == '[') {
		snprintf(addr, sizeof(addr), "%.*s", (int)(colon - text) - 2, text + 1);
		sa.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(colon + 1)) };
		inet_pton(AF_INET6, addr, &sa.in6.sin6_addr);
	} else {
		snprintf(addr, sizeof(addr), "%.*s", (int)(colon - text), text);
		sa.in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };
		inet_pton(AF_INET, addr, &sa.in4.sin_addr);
	}
	return sa;
}

static const char *sa_text(const union sa *sa)
{
	static char text[80];
	char addr[64];

	if (sa->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &sa->in6.sin6_addr, addr, sizeof(addr));
		snprintf(text, sizeof(text), "[%s]:%u", addr, ntohs(sa->in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &sa->in4.sin_addr, addr, sizeof(addr));
		snprintf(text, sizeof(text), "%s:%u", addr, ntohs(sa->in4.sin_port));
	}
	return text;
}

/* --- plans as text: "tcp4 c=10.96.0.1:80 n=30080 x=203.0.113.1:80 be=ABC ext=AB serve=ABCD aff=2 drop maglev src=10.0.0.0/8". Serving are
 * those of be and ext and serve. */

static inline void add_frontend(struct xb_plan_port *p, enum xb_frontend_kind kind, const char *at)
{
	struct xb_plan_frontend *fe = &p->frontends[p->n_frontends++];
	union sa sa;

	*fe = (struct xb_plan_frontend){ .kind = kind };
	if (kind == XB_FRONTEND_NODE_PORT) {
		fe->port = (__u16)atoi(at);
		return;
	}
	sa = sa_parse(at);
	memcpy(fe->addr.b, p->family == AF_INET6 ? (void *)&sa.in6.sin6_addr : (void *)&sa.in4.sin_addr, p->family == AF_INET6 ? 16 : 4);
	fe->port = ntohs(p->family == AF_INET6 ? sa.in6.sin6_port : sa.in4.sin_port);
}

static inline void add_backends(struct xb_plan_set *set, int family, const char *letters)
{
	set->n = 0;
	for (; *letters; letters++) {
		struct xb_plan_backend *b = &set->backends[set->n++];
		__u8 i = (__u8)(*letters - 'A' + 1);

		*b = (struct xb_plan_backend){ .port = BACKEND_PORT };
		if (family == AF_INET6)
			memcpy(b->addr.b, (unsigned char[16]){ 0xfd, 0x10, [15] = i }, 16);
		else
			memcpy(b->addr.b, (unsigned char[4]){ 10, 1, 0, i }, 4);
	}
}

/* "10.0.0.0/8" */
static inline void add_source_range(struct xb_plan_port *p, char *text)
{
	struct xb_plan_net *net = &p->source_ranges[p->n_source_ranges++];
	char *slash = strchr(text, '/');

	*slash = '\0';
	*net = (struct xb_plan_net){ .bits = (unsigned)atoi(slash + 1) };
	inet_pton(p->family, text, net->addr.b);
}

static inline int letter_order(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* Each letter once, sorted. */
static inline void add_serving(struct xb_plan_set *set, int family, const char *letters)
{
	char all[32], *to = all;

	for (const char *c = letters; *c; c++)
		if (!memchr(all, *c, (size_t)(to - all)))
			*to++ = *c;
	*to = '\0';
	qsort(all, (size_t)(to - all), 1, letter_order);
	add_backends(set, family, all);
}

static inline int set(struct apply *a, const char *name, const char *spec)
{
	struct xb_plan_frontend frontends[8];
	struct xb_plan_backend internal[8], external[8], serving[8];
	struct xb_plan_net ranges[16];
	char serving_letters[32] = "";
	struct xb_plan_port p = {
		.name = (char *)name, .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = frontends,
		.set = { { .backends = internal }, { .backends = external }, [XB_SERVING] = { .backends = serving } },
		.source_ranges = ranges,
	};
	_cleanup_free_ char *copy = strdup(spec), *why = NULL;
	bool split = false;
	char *save;
	int r;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strncmp(word, "tcp", 3) || !strncmp(word, "udp", 3)) {
			p.proto = word[0] == 't' ? XB_PROTO_TCP : XB_PROTO_UDP;
			p.family = word[3] == '6' ? AF_INET6 : AF_INET;
		} else if (!strncmp(word, "c=", 2)) {
			add_frontend(&p, XB_FRONTEND_CLUSTER_IP, word + 2);
		} else if (!strncmp(word, "n=", 2)) {
			add_frontend(&p, XB_FRONTEND_NODE_PORT, word + 2);
		} else if (!strncmp(word, "x=", 2)) {
			add_frontend(&p, XB_FRONTEND_EXTERNAL_IP, word + 2);
		} else if (!strncmp(word, "be=", 3)) {
			add_backends(&p.set[XB_SCOPE_INTERNAL], p.family, word + 3);
			strcat(serving_letters, word + 3);
		} else if (!strncmp(word, "ext=", 4)) {
			add_backends(&p.set[XB_SCOPE_EXTERNAL], p.family, word + 4);
			strcat(serving_letters, word + 4);
			split = true;
		} else if (!strncmp(word, "serve=", 6)) {
			strcat(serving_letters, word + 6);
		} else if (!strncmp(word, "src=", 4)) {
			add_source_range(&p, word + 4);
			p.source_ranges_set = true;
		} else if (!strncmp(word, "l=", 2)) {
			add_frontend(&p, XB_FRONTEND_LOAD_BALANCER, word + 2);
		} else if (!strcmp(word, "maglev")) {
			p.maglev = true;
		} else if (!strncmp(word, "aff=", 4)) {
			p.affinity_seconds = (__u32)atoi(word + 4);
		} else if (!strcmp(word, "drop")) {
			p.set[XB_SCOPE_INTERNAL].drop_when_empty = true;
		}
	}
	if (!split)
		p.set[XB_SCOPE_EXTERNAL] = p.set[XB_SCOPE_INTERNAL];
	p.set[XB_SCOPE_OUTSIDE] = p.set[XB_SCOPE_EXTERNAL];
	add_serving(&p.set[XB_SERVING], p.family, serving_letters);
	r = apply_set(a, &p, &why);
	if (r < 0 && r != -EADDRINUSE)
		printf("# apply_set %s: %s %s\n", name, strerror(-r), why ? why : "");
	return r;
}

static inline struct apply *open_tables(void)
{
	struct apply_config c = {
		.bpffs_path = bpffs, .cgroup_path = cgroup, .loop = loop, .table_size_most = table_size_most,
		.node_addrs4 = &node4, .n_node_addrs4 = 1, .node_addrs6 = &node6, .n_node_addrs6 = 1,
	};
	struct apply *a;
	char *why = NULL;
	int r = apply_open(&c, &a, &why);

	if (r < 0) {
		printf("# %s\n", why ? why : "");
		errno = -r;
		die("apply_open");
	}
	return a;
}

/* --- what a client sees */

struct answer {
	int error;                  /* of connect(), sendto() or recvfrom(); EAGAIN when nothing came for 2 s */
	char letter;
	char from[80], peer[80];    /* source of the answer; getpeername() */
};

static inline struct answer receive(int fd, struct answer a)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	union sa sa = {};
	socklen_t n = sizeof(sa);

	if (poll(&p, 1, 2000) != 1)
		a.error = EAGAIN;
	else if (recvfrom(fd, &a.letter, 1, 0, &sa.any, &n) != 1)
		a.error = errno ? errno : ENODATA;
	else if (n)
		snprintf(a.from, sizeof(a.from), "%s", sa_text(&sa));
	n = sizeof(sa);
	if (getpeername(fd, &sa.any, &n) == 0)
		snprintf(a.peer, sizeof(a.peer), "%s", sa_text(&sa));
	return a;
}

static inline struct answer ask_proto(int type, int proto, const char *to)
{
	union sa sa = sa_parse(to);
	_cleanup_close_ int fd = socket(sa.any.sa_family, type | SOCK_CLOEXEC, proto);
	struct linger reset = { .l_onoff = 1 };     /* no port waits for a minute: thousands a second would use up all */
	struct answer a = {};

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		die("socket");
	if (connect(fd, &sa.any, sa_size(&sa)) < 0) {
		a.error = errno;
		return a;
	}
	if (type == SOCK_DGRAM && send(fd, "x", 1, 0) < 0)
		a.error = errno;
	return receive(fd, a);
}

static inline struct answer ask(int type, const char *to)
{
	return ask_proto(type, 0, to);
}

static inline struct answer ask_from(int fd, const char *to)
{
	union sa sa = sa_parse(to);
	struct answer a = {};

	if (sendto(fd, "x", 1, 0, &sa.any, sa_size(&sa)) < 0) {
		a.error = errno;
		return a;
	}
	return receive(fd, a);
}

static inline bool one_of(const char *letters, char c)
{
	return c && strchr(letters, c);
}

/* Letters that answered n times, each once, sorted. */
static inline const char *spread(int type, const char *to, int n)
{
	static char seen[BACKENDS + 2];
	size_t k = 0;
	bool had[256] = {};

	while (n--)
		had[(unsigned char)ask(type, to).letter] = true;
	for (int c = 0; c < 256; c++)
		if (had[c] && k < sizeof(seen) - 1)
			seen[k++] = (char)(c ? c : '-');
	seen[k] = '\0';
	return seen;
}

/* --- the backends: one process, outside the cgroup */

static inline int listen_at(int type, const char *at)
{
	union sa sa = sa_parse(at);
	int fd = socket(sa.any.sa_family, type, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 || bind(fd, &sa.any, sa_size(&sa)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 4096) < 0))
		die(at);
	return fd;
}

static inline void serve(const struct pollfd *p, bool stream, char letter)
{
	union sa sa;
	socklen_t n = sizeof(sa);
	char c;

	if (stream) {
		int fd = accept(p->fd, NULL, NULL);

		/* a client that has left already does not want its letter */
		if (fd >= 0 && send(fd, &letter, 1, MSG_NOSIGNAL) >= 0)
			shutdown(fd, SHUT_WR);
		close(fd);
	} else if (recvfrom(p->fd, &c, 1, 0, &sa.any, &n) >= 0) {
		sendto(p->fd, &letter, 1, 0, &sa.any, n);
	}
}

static inline void start_backends(void)
{
	struct pollfd p[BACKENDS * 4];
	int ready[2];
	char c;

	if (pipe(ready) < 0)
		die("pipe");
	if (fork()) {
		close(ready[1]);
		if (read(ready[0], &c, 1) != 1)
			die("backends");
		close(ready[0]);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < BACKENDS * 4; i++) {
		char at[64];

		snprintf(at, sizeof(at), i & 2 ? "[fd10::%d]:%d" : "10.1.0.%d:%d", i / 4 + 1, BACKEND_PORT);
		p[i] = (struct pollfd){ .fd = listen_at(i & 1 ? SOCK_DGRAM : SOCK_STREAM, at), .events = POLLIN };
	}
	if (write(ready[1], "x", 1) != 1)
		die("backends");
	close(ready[1]);
	while (poll(p, BACKENDS * 4, -1) >= 0)
		for (int i = 0; i < BACKENDS * 4; i++)
			if (p[i].revents)
				serve(&p[i], !(i & 1), (char)('A' + i / 4));
	exit(0);
}

static inline void shell(const char *script)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execlp("sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || status)
		die(script);
}

static inline void set_up(int argc, char **argv)
{
	char procs[PATH_MAX];
	FILE *f;

	if (argc != 3) {
		fprintf(stderr, "usage: %s BPFFS CGROUP\n", argv[0]);
		exit(EXIT_FAILURE);
	}
	bpffs = argv[1];
	cgroup = argv[2];
	signal(SIGPIPE, SIG_IGN);
	if (unshare(CLONE_NEWNET) < 0)
		die("unshare");
	shell("ip link set lo up && for i in 1 2 3 4 5; do ip addr add 10.1.0.$i/32 dev lo; ip -6 addr add fd10::$i/128 dev lo nodad; done && "
	      "ip addr add 192.0.2.1/32 dev lo && ip -6 addr add 2001:db8::1/128 dev lo nodad");
	start_backends();
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	f = fopen(procs, "we");
	if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
		die(procs);
}

/* A connect4 program that lets everything be. */
static inline int load_null_program(void)
{
	struct bpf_insn yes[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "yes", "GPL", yes, ARRAY_SIZE(yes), &opts);

	if (fd < 0)
		die("bpf_prog_load");
	return fd;
}

static inline int finish(void)
{
	printf("1..%d\n", n_tests);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
