/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sock_bench BPFFS CGROUP: what the hooks and a change of the tables cost. Hooks: time inside the programs as the kernel
 * counts it (kernel.bpf_stats_enabled; the counting itself is some 20 ns of each), and connect() as a client sees it, A and B
 * interleaved, medians. Tables: processor time of this process. Figures, no verdicts. tools/bench/socket.sh runs it.
 */
#include <sys/resource.h>
#include "sock.h"

#define ROUNDS 20000

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* --- time in a program */

struct run {
	__u64 count, ns;
};

static struct run run_of(const char *hook)
{
	struct bpf_link_info link = {};
	struct bpf_prog_info prog = {};
	__u32 n = sizeof(link);
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/xebec/v%u/links/%s", bpffs, XB_ABI_VERSION, hook);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &link, &n) < 0)
		die(path);
	close(fd);
	fd = bpf_prog_get_fd_by_id(link.prog_id);
	n = sizeof(prog);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &prog, &n) < 0)
		die(hook);
	close(fd);
	return (struct run){ prog.run_cnt, prog.run_time_ns };
}

static void report(const char *what, const char *hook, struct run before)
{
	struct run after = run_of(hook);

	printf("%-58s %6.0f ns\n", what, (double)(after.ns - before.ns) / (double)(after.count - before.count));
}

static void connect_many(int type, const char *to, bool again)
{
	union sa sa = sa_parse(to);
	int fd = -1;

	for (int i = 0; i < ROUNDS; i++) {
		if (fd < 0)
			fd = socket(sa.any.sa_family, type, 0);
		connect(fd, &sa.any, sa_size(&sa));
		if (!again) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void send_many(const char *to)
{
	union sa sa = sa_parse(to);
	int fd = socket(sa.any.sa_family, SOCK_DGRAM, 0);

	for (int i = 0; i < ROUNDS; i++)
		sendto(fd, "x", 1, MSG_DONTWAIT, &sa.any, sa_size(&sa));
	close(fd);
}

static void getpeername_many(const char *to)
{
	union sa sa = sa_parse(to);
	int fd = socket(sa.any.sa_family, SOCK_STREAM, 0);
	socklen_t n;

	connect(fd, &sa.any, sa_size(&sa));
	for (int i = 0; i < ROUNDS; i++) {
		n = sizeof(sa);
		getpeername(fd, &sa.any, &n);
	}
	close(fd);
}

static void connect_spread(int services)
{
	unsigned seed = 1;

	for (int i = 0; i < ROUNDS; i++) {
		int k = (int)((unsigned)rand_r(&seed) % (unsigned)services), fd = socket(AF_INET, SOCK_STREAM, 0);
		struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(80) };
		struct linger hard = { 1, 0 };

		sa.sin_addr.s_addr = htonl(0x0a610000u + (unsigned)k);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		connect(fd, (struct sockaddr *)&sa, sizeof(sa));
		close(fd);
	}
}

static void hooks(struct apply *a)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct run r;

	set(a, "default/web", "tcp4 c=10.96.0.10:9 be=ABC");
	set(a, "default/web", "udp4 c=10.96.0.10:9 be=ABC");
	set(a, "default/web", "tcp6 c=[fd00:10:96::10]:9 be=ABC");
	set(a, "default/sticky", "tcp4 c=10.96.0.11:9 be=ABC aff=100");
	r = run_of("xb_connect4"), connect_many(SOCK_STREAM, "10.1.0.4:9", false);
	report("connect4, TCP, no service", "xb_connect4", r);
	r = run_of("xb_connect4"), connect_many(SOCK_STREAM, "10.96.0.10:9", false);
	report("connect4, TCP, a service (resolve, reverse entry, counter)", "xb_connect4", r);
	r = run_of("xb_connect4"), connect_many(SOCK_STREAM, "10.96.0.11:9", false);
	report("connect4, TCP, a service with affinity", "xb_connect4", r);
	r = run_of("xb_connect4"), connect_many(SOCK_STREAM, "10.96.0.10:10", false);
	report("connect4, TCP, another port of a cluster IP", "xb_connect4", r);
	r = run_of("xb_connect6"), connect_many(SOCK_STREAM, "[fd00:10:96::10]:9", false);
	report("connect6, TCP, a service", "xb_connect6", r);
	r = run_of("xb_connect4"), connect_many(SOCK_DGRAM, "10.96.0.10:9", false);
	report("connect4, UDP, a service, new socket (socket storage)", "xb_connect4", r);
	r = run_of("xb_connect4"), connect_many(SOCK_DGRAM, "10.96.0.10:9", true);
	report("connect4, UDP, a service, same socket", "xb_connect4", r);
	r = run_of("xb_sendmsg4"), send_many("10.96.0.10:9");
	report("sendmsg4, a service, known to the socket", "xb_sendmsg4", r);
	r = run_of("xb_sendmsg4"), send_many("10.1.0.4:9");
	report("sendmsg4, no service", "xb_sendmsg4", r);
	r = run_of("xb_getpeer4"), getpeername_many("10.96.0.10:9");
	report("getpeername4, TCP", "xb_getpeer4", r);
	close(stats);
}

/* --- connect() as a client sees it */

static double one_connect(int type, const char *to)
{
	union sa sa = sa_parse(to);
	int fd = socket(sa.any.sa_family, type, 0);
	struct linger hard = { 1, 0 };
	double start, t;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	start = now();
	if (connect(fd, &sa.any, sa_size(&sa)) < 0)
		die(to);
	t = (now() - start) * 1e9;
	close(fd);
	return t;
}

static void compare(const char *what, int type, const char *a, const char *b)
{
	static double ta[ROUNDS], tb[ROUNDS];
	double ma, mb;

	for (int i = 0; i < ROUNDS; i++) {
		ta[i] = one_connect(type, a);
		tb[i] = one_connect(type, b);
	}
	ma = median(ta, ROUNDS);
	mb = median(tb, ROUNDS);
	printf("%-58s %6.0f ns, %6.0f ns, ratio %.3f\n", what, ma, mb, mb / ma);
}

static void move_to(const char *folder)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	f = fopen(path, "we");
	if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
		die(path);
}

/* A program that only says yes, on a cgroup of its own, against none at all. */
static void null_hook(void)
{
	int prog = load_null_program();
	static double with[ROUNDS], without[ROUNDS];
	char inner[PATH_MAX];
	int cg, link;

	snprintf(inner, sizeof(inner), "%s/../%d-null", cgroup, getpid());
	if (mkdir(inner, 0755) < 0)
		die(inner);
	move_to(inner);
	cg = open(inner, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < ROUNDS; i += 100) {
		for (int k = 0; k < 100; k++)
			without[i + k] = one_connect(SOCK_DGRAM, "10.1.0.1:8080");
		link = bpf_link_create(prog, cg, BPF_CGROUP_INET4_CONNECT, NULL);
		for (int k = 0; k < 100; k++)
			with[i + k] = one_connect(SOCK_DGRAM, "10.1.0.1:8080");
		close(link);
	}
	printf("%-58s %6.0f ns, %6.0f ns\n", "connect(), UDP: without a hook, with one that does nothing", median(without, ROUNDS), median(with, ROUNDS));
	close(cg);
	close(prog);
	move_to(cgroup);
	rmdir(inner);
}

/* --- changes of the tables */

static void plan_many(struct xb_plan_port *p, struct xb_plan_backend *be, struct xb_plan_frontend *fe, char *name, int i)
{
	sprintf(name, "default/service-%d:http", i);
	*fe = (struct xb_plan_frontend){
		.kind = XB_FRONTEND_CLUSTER_IP, .addr.b = { 10, (__u8)(97 + (i >> 16)), (__u8)(i >> 8), (__u8)i }, .port = 80,
	};
	for (int k = 0; k < 10; k++)
		be[k] = (struct xb_plan_backend){ .addr.b = { 10, 1, 0, 1 }, .port = (__u16)(8080 + k) };
	*p = (struct xb_plan_port){ .name = name, .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = fe, .n_frontends = 1,
				    .set = { { be, 10, false }, { be, 10, false }, { be, 10, false } } };
}

static double processor_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void set_all(struct apply *a, int services)
{
	struct xb_plan_backend be[10];
	struct xb_plan_frontend fe;
	struct xb_plan_port p;
	char name[64];

	for (int i = 0; i < services; i++) {
		plan_many(&p, be, &fe, name, i);
		if (apply_set(a, &p, NULL) < 0)
			die(name);
	}
}

/* One backend less, or more, of a service at random: ROUNDS times. */
static void change_some(struct apply *a, int services)
{
	_cleanup_free_ double *t = calloc(ROUNDS, sizeof(*t));
	double before, all = processor_ms(), middle;
	struct xb_plan_backend be[10];
	struct xb_plan_frontend fe;
	struct xb_plan_port p;
	unsigned seed = 7;
	char name[64];

	for (int i = 0; i < ROUNDS; i++) {
		plan_many(&p, be, &fe, name, (int)((unsigned)rand_r(&seed) % (unsigned)services));
		p.set[0].n = p.set[1].n = p.set[2].n = i & 1 ? 10 : 9;
		before = now();
		apply_set(a, &p, NULL);
		t[i] = (now() - before) * 1e6;
	}
	all = processor_ms() - all;
	middle = median(t, ROUNDS);
	printf("  one change: %.2f us of processor time, median %.2f us, largest %.0f us\n", all * 1e3 / ROUNDS, middle, t[ROUNDS - 1]);
}

static void changes(int services)
{
	double start = processor_ms(), reserved, all;
	struct apply *a = open_tables();
	struct apply_stats s;
	struct rusage ru;
	struct run r;
	int stats;

	printf("%d services x 10 backends\n  opened in %.1f ms of processor time", services, processor_ms() - start);
	start = processor_ms();
	apply_reserve(a, &(struct xb_plan_counts){ (size_t)services, (size_t)services, (size_t)services * 10, false });
	reserved = processor_ms();
	set_all(a, services);
	all = processor_ms();
	printf(", room made in %.1f ms, all set in %.1f ms", reserved - start, all - reserved);
	set_all(a, services);
	printf(", and found set in %.1f ms\n", processor_ms() - all);
	change_some(a, services);
	apply_stats(a, &s);
	getrusage(RUSAGE_SELF, &ru);
	printf("  kernel memory %llu kB; this process at most %ld kB\n", (unsigned long long)s.memory / 1024, ru.ru_maxrss);
	apply_close(a);
	start = processor_ms();
	a = open_tables();
	printf("  adopted at restart in %.1f ms of processor time\n", processor_ms() - start);
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	r = run_of("xb_connect4"), connect_spread(services);
	report("  connect4, TCP, services at random", "xb_connect4", r);
	close(stats);
	apply_prune(a);
	apply_close(a);
	if (apply_cleanup(bpffs, NULL) < 0)
		die("cleanup");
}

int main(int argc, char **argv)
{
	struct apply *a;

	set_up(argc, argv);
	null_hook();
	a = open_tables();
	hooks(a);
	set(a, "default/web:http", "tcp4 c=10.96.0.20:80 be=A");
	compare("connect(), TCP: the backend, its service", SOCK_STREAM, "10.1.0.1:8080", "10.96.0.20:80");
	set(a, "default/web:http", "udp4 c=10.96.0.20:80 be=A");
	compare("connect(), UDP: the backend, its service", SOCK_DGRAM, "10.1.0.1:8080", "10.96.0.20:80");
	apply_close(a);
	apply_cleanup(bpffs, NULL);
	changes(100);
	changes(10000);
	changes(100000);
	return 0;
}
