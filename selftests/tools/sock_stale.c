/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sock_stale BPFFS CGROUP: what becomes of sockets whose backend goes. TAP. */
#include <sys/eventfd.h>
#include "sock.h"
#include "xb/log.h"

#define VIP "10.96.0.60:53"
#define VIP6 "[fd00:10:96::60]:53"

static int udp_connected(const char *to)
{
	union sa sa = sa_parse(to);
	int fd = socket(sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &sa.any, sa_size(&sa)) < 0)
		die(to);
	return fd;
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t n = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
	return error;
}

/* Lets the loop run for a second at most, until the socket has an error. */
static int error_within(int fd, double seconds)
{
	double until = now() + seconds;
	int error;

	while (!(error = error_of(fd)) && now() < until) {
		uv_run(loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	return error;
}

static void change(struct apply *a, const char *name, const char *spec)
{
	set(a, name, spec);
	apply_commit(a);
}

static void test_destroyed(struct apply *a, const char *family, const char *vip)
{
	_cleanup_close_ int fd = -1;
	char spec[128], other[128];
	union sa sa = sa_parse(vip);
	struct answer x = {};
	double began;

	snprintf(spec, sizeof(spec), "udp%s c=%s be=A", family, vip);
	snprintf(other, sizeof(other), "udp%s c=%s be=B", family, vip);
	set(a, "default/dns", spec);
	fd = udp_connected(vip);
	began = now();
	change(a, "default/dns", other);
	is(error_within(fd, 1), ECONNABORTED, "a socket that is connected to a removed backend gets an error");
	printf("# after %.1f ms\n", (now() - began) * 1000);
	if (connect(fd, &sa.any, sa_size(&sa)) < 0 || send(fd, "x", 1, 0) < 0)
		die("connect again");
	x = receive(fd, x);
	is(x.letter, 'B', "and connects to a living one then");
	set(a, "default/dns", spec);
	apply_commit(a);
	apply_remove(a, "default/dns", sa.any.sa_family, XB_PROTO_UDP);
	apply_commit(a);
	is(error_within(fd, 1), ECONNABORTED, "so does one whose service is removed");
}

/* Each kind of socket beside one that must go: when that one is gone, the others have been looked at. */
static void test_spared(struct apply *a)
{
	_cleanup_close_ int doomed = -1, living = -1, direct = -1, again = -1, open = socket(AF_INET, SOCK_DGRAM, 0);
	_cleanup_close_ int tcp = socket(AF_INET, SOCK_STREAM, 0);
	union sa to_tcp = sa_parse("10.96.0.60:80"), to_a = sa_parse("10.1.0.1:8080");
	char c;

	set(a, "default/dns", "udp4 c=" VIP " be=A");
	set(a, "default/tcp", "tcp4 c=10.96.0.60:80 be=A");
	set(a, "default/other", "udp4 c=10.96.0.61:53 be=A");
	doomed = udp_connected(VIP);
	living = udp_connected("10.96.0.61:53");
	direct = udp_connected("10.1.0.1:8080");
	again = udp_connected(VIP);
	if (connect(again, &to_a.any, sizeof(to_a.in4)) < 0 || connect(tcp, &to_tcp.any, sizeof(to_tcp.in4)) < 0)
		die("connect");
	is(ask_from(open, VIP).letter, 'A', "an unconnected socket asks");
	set(a, "default/tcp", "tcp4 c=10.96.0.60:80 be=B");
	change(a, "default/dns", "udp4 c=" VIP " be=B");
	is(error_within(doomed, 1), ECONNABORTED, "of several sockets the stale one goes");
	is(error_of(living), 0, "one that reaches the same backend by another service stays");
	is(error_of(direct), 0, "one that is connected to the backend itself stays");
	is(error_of(again), 0, "also when it was connected to the service before");
	is(error_of(open), 0, "one that is not connected stays");
	is(ask_from(open, VIP).letter, 'B', "and asks another backend");
	is(read(tcp, &c, 1), 1, "a TCP connection drains");
	is(c, 'A', "from its own backend");
}

static void test_terminating(struct apply *a)
{
	_cleanup_close_ int drains = -1, doomed = -1;

	set(a, "default/dns", "udp4 c=" VIP " be=A");
	set(a, "default/other", "udp4 c=10.96.0.61:53 be=A");
	drains = udp_connected(VIP);
	doomed = udp_connected("10.96.0.61:53");
	change(a, "default/dns", "udp4 c=" VIP " be=B serve=A");
	change(a, "default/other", "udp4 c=10.96.0.61:53 be=B");
	is(error_within(doomed, 1), ECONNABORTED, "a backend is removed");
	is(error_of(drains), 0, "one that terminates keeps its sockets while it serves");
	change(a, "default/dns", "udp4 c=" VIP " be=B");
	is(error_within(drains, 1), ECONNABORTED, "and no longer");
}

/* A pod: another network namespace, that nobody has told the agent of. */
static void pod(int report, int go)
{
	_cleanup_close_ int fd = -1, bound = -1;
	struct { int error[2]; } r;
	uint64_t one = 1;
	union sa sa = sa_parse(VIP);
	struct pollfd p = { .events = POLLIN };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	shell("ip link set lo up; ip addr add 10.1.0.1/32 dev lo; ip addr add 10.9.9.9/32 dev lo");
	fd = udp_connected(VIP);
	bound = socket(AF_INET, SOCK_DGRAM, 0);
	if (setsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0 || connect(bound, &sa.any, sizeof(sa.in4)) < 0)
		_exit(1);
	if (write(go, &one, sizeof(one)) != sizeof(one))
		_exit(1);
	p.fd = fd;
	poll(&p, 1, 2000);
	r.error[0] = error_of(fd);
	p.fd = bound;
	poll(&p, 1, 1000);
	r.error[1] = error_of(bound);
	_exit(write(report, &r, sizeof(r)) != sizeof(r));
}

static void test_other_namespace(struct apply *a)
{
	int report[2], go = eventfd(0, 0), error[2] = {};
	struct pollfd p = { .events = POLLIN };
	uint64_t one;
	pid_t pid;

	set(a, "default/dns", "udp4 c=" VIP " be=A");
	fflush(stdout);
	if (pipe(report) < 0)
		die("pipe");
	pid = fork();
	if (!pid)
		pod(report[1], go);
	if (read(go, &one, sizeof(one)) != sizeof(one))
		die("pod");
	change(a, "default/dns", "udp4 c=" VIP " be=B");
	p.fd = report[0];
	for (double until = now() + 4; poll(&p, 1, 1) == 0 && now() < until;)
		uv_run(loop, UV_RUN_NOWAIT);
	if (read(report[0], error, sizeof(error)) != sizeof(error))
		die("pod");
	is(error[0], ECONNABORTED, "a socket in another network namespace gets an error");
	is(error[1], ECONNABORTED, "so does one that is bound to a device there");
	waitpid(pid, NULL, 0);
}

/* What went while no agent ran. */
static void test_restart(struct apply **a)
{
	_cleanup_close_ int fd = -1;

	set(*a, "default/dns", "udp4 c=" VIP " be=A");
	fd = udp_connected(VIP);
	set(*a, "default/dns", "udp4 c=" VIP " be=B");
	apply_close(*a);
	uv_run(loop, UV_RUN_DEFAULT);
	is(error_of(fd), 0, "an agent that dies before it looks");
	*a = open_tables();
	apply_commit(*a);
	is(error_within(fd, 1), ECONNABORTED, "leaves it to the next one");
}

static void test_many(struct apply *a)
{
	static int fds[500];
	struct apply_stats stats, was;
	double began;
	int gone = 0;

	apply_commit(a);
	uv_run(loop, UV_RUN_DEFAULT);
	set(a, "default/dns", "udp4 c=" VIP " be=A");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = udp_connected(VIP);
	apply_stats(a, &was);
	began = now();
	change(a, "default/dns", "udp4 c=" VIP " be=B");
	while (gone < (int)ARRAY_SIZE(fds) && now() < began + 3) {
		uv_run(loop, UV_RUN_NOWAIT);
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			gone += error_of(fds[i]) == ECONNABORTED;
	}
	is(gone, ARRAY_SIZE(fds), "all of 500 stale sockets get an error");
	for (double until = now() + 1; now() < until; uv_run(loop, UV_RUN_NOWAIT)) {
		apply_stats(a, &stats);
		if (stats.sockets_destroyed - was.sockets_destroyed == ARRAY_SIZE(fds))
			break;
	}
	is((long)(stats.sockets_destroyed - was.sockets_destroyed), ARRAY_SIZE(fds), "and are counted");
	printf("# within %.1f ms\n", (now() - began) * 1000);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

int main(int argc, char **argv)
{
	struct apply *a;

	set_up(argc, argv);
	xb_log_init("sock_stale", 0, false);
	loop = uv_default_loop();
	a = open_tables();
	test_destroyed(a, "4", VIP);
	test_destroyed(a, "6", VIP6);
	test_spared(a);
	test_terminating(a);
	test_other_namespace(a);
	test_restart(&a);
	test_many(a);
	apply_close(a);
	uv_run(loop, UV_RUN_DEFAULT);
	return finish();
}
