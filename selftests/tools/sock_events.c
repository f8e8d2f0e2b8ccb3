/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sock_events BPFFS CGROUP: what is kept of refusals, and that a reader never sees two of them mixed. TAP. */
#include <sys/mman.h>
#include "sock.h"
#include "xb/abi/event.h"
#include "xb/bpfobj.h"

#define SLOTS    1024
#define CLIENTS  4
#define SERVICES 7

static struct xb_event *ring;
static __u64 *cursor;
static int counters;

static int table(const char *name, void *ret_mem)
{
	char path[PATH_MAX];
	size_t bytes;
	int fd;

	snprintf(path, sizeof(path), "%s/xebec/v3/maps/%s", bpffs, name);
	fd = bpf_obj_get(path);
	if (fd < 0 || (ret_mem && xb_bpf_mmap(fd, ret_mem, &bytes) < 0))
		die(path);
	return fd;
}

/* As any reader of the ring does it. False: the event is not there, or not any more. */
static bool event_read(__u64 n, struct xb_event *ret)
{
	const struct xb_event *e = &ring[n % SLOTS];

	if (__atomic_load_n(&e->seq, __ATOMIC_ACQUIRE) != n + 1)
		return false;
	*ret = *e;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&e->seq, __ATOMIC_RELAXED) == n + 1;
}

static __u64 counted(enum xb_reason reason)
{
	__u64 each[64] = {}, sum = 0;
	__u32 key = reason;

	if (bpf_map_lookup_elem(counters, &key, each) < 0)
		die("xb_reason");
	for (size_t i = 0; i < ARRAY_SIZE(each); i++)
		sum += each[i];
	return sum;
}

static void refused(int type, const char *to, enum xb_reason reason, bool named, const char *what)
{
	union sa sa = sa_parse(to);
	__u64 n = *cursor, times = counted(reason);
	struct xb_event e = {};

	ask(type, to);
	is((long)(*cursor - n), 1, what);
	is((long)(counted(reason) - times), 1, "it is counted");
	ok(event_read(n, &e), "and kept");
	is(e.reason, reason, "with its reason");
	is(e.path, XB_PATH_SOCKET, "and path");
	is(!!e.svc, named, named ? "with its service" : "without a service");
	is(e.was.dport, ntohs(sa.in4.sin_port), "with the port");
	is(e.was.proto, type == SOCK_STREAM ? XB_PROTO_TCP : XB_PROTO_UDP, "the protocol");
	if (sa.any.sa_family == AF_INET)
		ok(e.was.family == XB_IPV4 && e.was.dst.be32[3] == sa.in4.sin_addr.s_addr && e.was.dst.be32[2] == htonl(0xffff), "and the address");
	else
		ok(e.was.family == XB_IPV6 && !memcmp(&e.was.dst, &sa.in6.sin6_addr, 16), "and the address");
	ok(e.netns && !e.now.dport, "its network namespace is told, nothing went on");
	ok(now() - (double)e.time / 1e9 < 5, "the time is that of CLOCK_MONOTONIC");
}

/* --- many clients, one reader */

static volatile bool *stopping;

static bool refuse_one(int fd, unsigned i)
{
	union sa sa = { .in4 = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x0a600300u + i) } };

	return connect(fd, &sa.any, sizeof(sa.in4)) < 0;
}

/* One service after the other, so that a mixture of two events shows: the address is in the first half of one, the service in the
 * second. */
static void refuse_loop(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; !*stopping; i = (i + 1) % SERVICES)
		if (!refuse_one(fd, i))
			_exit(1);
	_exit(0);
}

static void clients_start(pid_t pids[CLIENTS])
{
	fflush(stdout);
	for (int i = 0; i < CLIENTS; i++) {
		pids[i] = fork();
		if (!pids[i])
			refuse_loop();
	}
}

static void make_services(struct apply *a, __u32 ret_svc[SERVICES])
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (unsigned i = 0; i < SERVICES; i++) {
		char spec[64], name[32];
		struct xb_event e;

		snprintf(spec, sizeof(spec), "udp4 c=10.96.3.%u:80", i);
		snprintf(name, sizeof(name), "default/many-%u", i);
		set(a, name, spec);
		if (!refuse_one(fd, i) || !event_read(*cursor - 1, &e))
			die("no event");
		ret_svc[i] = e.svc;
	}
}

/* Reads one event again and again until it is written over. */
static void test_mixture(struct apply *a)
{
	__u64 began = *cursor, read = 0, mixed = 0, upto;
	__u32 svc[SERVICES];
	pid_t pids[CLIENTS];
	int status, bad = 0;

	make_services(a, svc);
	clients_start(pids);
	while ((upto = __atomic_load_n(cursor, __ATOMIC_RELAXED)) < began + 1000000) {
		struct xb_event e;

		while (upto > SLOTS && event_read(upto + 2 - SLOTS, &e)) {
			read++;
			mixed += e.was.dst.b[14] == 3 && (e.was.dst.b[15] >= SERVICES || svc[e.was.dst.b[15]] != e.svc);
		}
	}
	*stopping = true;
	for (int i = 0; i < CLIENTS; i++) {
		waitpid(pids[i], &status, 0);
		bad += status != 0;
	}
	printf("# %llu events read while %llu were written\n", read, *cursor - began);
	is(bad, 0, "every one was refused");
	ok(read > 10000, "a reader sees events while they are written");
	is((long)mixed, 0, "and none of them is a mixture");
}

int main(int argc, char **argv)
{
	struct apply *a;

	set_up(argc, argv);
	a = open_tables();
	table("xb_drop", &ring);
	table("xb_cursor", &cursor);
	counters = table("xb_reason", NULL);
	stopping = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	set(a, "default/web", "tcp4 c=10.96.0.10:80");
	set(a, "default/web", "tcp6 c=[fd00:10:96::10]:80");
	set(a, "default/local", "udp4 c=10.96.0.11:53 drop");
	refused(SOCK_STREAM, "10.96.0.10:80", XB_REFUSED_NO_BACKEND, true, "no backend: an event");
	refused(SOCK_STREAM, "[fd00:10:96::10]:80", XB_REFUSED_NO_BACKEND, true, "over IPv6: an event");
	refused(SOCK_STREAM, "10.96.0.10:81", XB_REFUSED_NO_PORT, false, "no such port: an event");
	refused(SOCK_DGRAM, "10.96.0.11:53", XB_DROPPED_NO_LOCAL_BACKEND, true, "none on this node, by policy: an event");
	test_mixture(a);
	apply_close(a);
	return finish();
}
