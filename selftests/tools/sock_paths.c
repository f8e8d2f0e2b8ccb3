/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sock_paths BPFFS CGROUP: every way to a service, as a client sees it. TAP. */
#include "sock.h"
#include "../../userspace/proxy/apply_state.h"

static void test_tcp(struct apply *a)
{
	struct answer x;

	is(set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC"), 0, "a service over IPv4");
	is(set(a, "default/web:http", "tcp6 c=[fd00:10:96::10]:80 n=30080 be=ABC"), 0, "the same over IPv6");
	is_text(spread(SOCK_STREAM, "10.96.0.10:80", 60), "ABC", "TCP over IPv4 spreads over all backends");
	is_text(spread(SOCK_STREAM, "[fd00:10:96::10]:80", 60), "ABC", "TCP over IPv6 does");
	is_text(spread(SOCK_STREAM, "[::ffff:10.96.0.10]:80", 60), "ABC", "TCP over IPv4 in an IPv6 socket does");
	x = ask(SOCK_STREAM, "10.96.0.10:80");
	is_text(x.peer, "10.96.0.10:80", "getpeername() names the cluster IP");
	x = ask(SOCK_STREAM, "[fd00:10:96::10]:80");
	is_text(x.peer, "[fd00:10:96::10]:80", "getpeername() does over IPv6");
	x = ask(SOCK_STREAM, "[::ffff:10.96.0.10]:80");
	is_text(x.peer, "[::ffff:10.96.0.10]:80", "getpeername() does over IPv4 in an IPv6 socket");
	x = ask(SOCK_STREAM, "10.1.0.4:8080");
	ok(x.letter == 'D' && !strcmp(x.peer, "10.1.0.4:8080"), "what is no service is let be");
	x = ask_proto(SOCK_STREAM, 262, "10.96.0.10:80");
	ok(one_of("ABC", x.letter), "MPTCP reaches the service");
}

/* A socket that is used again for another peer is not told of the one before. */
static void test_socket_again(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM, 0);
	union sa service = sa_parse("10.96.0.10:80"), direct = sa_parse("10.1.0.4:8080"), none = { .any.sa_family = AF_UNSPEC };
	struct answer x = {};

	if (connect(fd, &service.any, sa_size(&service)) < 0 || connect(fd, &none.any, sizeof(none.any)) < 0 ||
	    connect(fd, &direct.any, sa_size(&direct)) < 0)
		die("connect again");
	x = receive(fd, x);
	is_text(x.peer, "10.1.0.4:8080", "a socket that left a service for another peer knows that peer");
}

static void test_undefined(struct apply *a)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM, 0);

	is(ask(SOCK_STREAM, "10.96.0.10:81").error, ECONNREFUSED, "another port of a cluster IP is refused");
	is(ask(SOCK_STREAM, "[fd00:10:96::10]:81").error, ECONNREFUSED, "over IPv6 too");
	is(ask(SOCK_DGRAM, "10.96.0.10:80").error, ECONNREFUSED, "another protocol of it too");
	is(ask_from(fd, "10.96.0.10:53").error, ECONNREFUSED, "sendto() to another port too");
	is(ask(SOCK_STREAM, "10.96.0.11:80").error, ENETUNREACH, "an address of no service is let be");
	is(set(a, "default/second", "tcp4 c=10.96.0.10:82 be=A"), 0, "a second service port at the address");
	is(apply_remove(a, "default/second", AF_INET, XB_PROTO_TCP), 0, "removed");
	is(ask(SOCK_STREAM, "10.96.0.10:82").error, ECONNREFUSED, "refused again while the first one stays");
}

static void test_udp(struct apply *a)
{
	_cleanup_close_ int fd4 = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
	struct answer x, y;

	set(a, "kube-system/dns:dns", "udp4 c=10.96.0.53:53 n=30053 be=ABC");
	set(a, "kube-system/dns:dns", "udp6 c=[fd00:10:96::53]:53 n=30053 be=ABC");
	is_text(spread(SOCK_DGRAM, "10.96.0.53:53", 60), "ABC", "connected UDP spreads");
	x = ask(SOCK_DGRAM, "10.96.0.53:53");
	is_text(x.peer, "10.96.0.53:53", "getpeername() of connected UDP names the cluster IP");
	is_text(x.from, "10.96.0.53:53", "and recvfrom() too");
	x = ask_from(fd4, "10.96.0.53:53");
	ok(one_of("ABC", x.letter), "sendto() reaches a backend");
	is_text(x.from, "10.96.0.53:53", "recvfrom() names the cluster IP");
	y = ask_from(fd4, "10.96.0.53:53");
	is(y.letter, x.letter, "the socket stays with its backend");
	x = ask_from(fd6, "[fd00:10:96::53]:53");
	is_text(x.from, "[fd00:10:96::53]:53", "recvfrom() over IPv6");
	x = ask_from(fd6, "[::ffff:10.96.0.53]:53");
	is_text(x.from, "[::ffff:10.96.0.53]:53", "recvfrom() over IPv4 in an IPv6 socket");
	x = ask_from(fd4, "10.1.0.5:8080");
	is_text(x.from, "10.1.0.5:8080", "sendto() of the same socket to no service is let be");
	x = ask_from(fd4, "127.0.0.1:30053");
	is_text(x.from, "127.0.0.1:30053", "node port over UDP, from 127.0.0.1");
}

static void test_udp_change(struct apply *a)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char letter;
	int stayed = 0, wrong = 0, refused;

	set(a, "default/flow", "udp4 c=10.96.0.60:60 be=ABC");
	letter = ask_from(fd, "10.96.0.60:60").letter;
	for (int i = 0; i < 50; i++) {
		char spec[64];

		snprintf(spec, sizeof(spec), "udp4 c=10.96.0.60:60 be=%s", i & 1 ? "ABC" : "ABCD");
		set(a, "default/flow", spec);
		stayed += ask_from(fd, "10.96.0.60:60").letter == letter;
	}
	is(stayed, 50, "a UDP flow stays with its backend while others come and go");
	for (int i = 0; i < 200; i++) {
		char spec[64];

		snprintf(spec, sizeof(spec), "udp4 c=10.96.0.60:60 be=%s", i & 1 ? "AB" : "CD");
		set(a, "default/flow", spec);
		wrong += !one_of(i & 1 ? "AB" : "CD", ask_from(fd, "10.96.0.60:60").letter);
	}
	is(wrong, 0, "and never uses one that is gone");
	set(a, "default/flow", "udp4 c=10.96.0.60:60");
	refused = ask_from(fd, "10.96.0.60:60").error;
	is(refused, ECONNREFUSED, "without any backend left: refused");
	set(a, "default/flow", "udp4 c=10.96.0.60:60 be=A");
	is(ask_from(fd, "10.96.0.60:60").letter, 'A', "with one again: that one");
	set(a, "default/flow", "udp4 c=10.96.0.61:60 be=A");
	is(ask_from(fd, "10.96.0.60:60").error, ENETUNREACH, "a frontend that its service gave up leads nowhere");
	set(a, "default/other", "udp4 c=10.96.0.60:60 be=E");
	is(ask_from(fd, "10.96.0.60:60").letter, 'E', "a frontend that another service took over leads there");
	apply_remove(a, "default/other", AF_INET, XB_PROTO_UDP);
	is(ask_from(fd, "10.96.0.60:60").error, ENETUNREACH, "and one that is gone leads nowhere");
	apply_remove(a, "default/flow", AF_INET, XB_PROTO_UDP);
}

/* A backend that terminates, and serves on. */
static void test_udp_drains(struct apply *a)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char was, other[2] = "";

	set(a, "default/drain", "udp4 c=10.96.0.54:53 be=AB");
	was = ask_from(fd, "10.96.0.54:53").letter;
	other[0] = was == 'A' ? 'B' : 'A';
	set(a, "default/drain", was == 'A' ? "udp4 c=10.96.0.54:53 be=B serve=A" : "udp4 c=10.96.0.54:53 be=A serve=B");
	is(ask_from(fd, "10.96.0.54:53").letter, was, "a socket keeps a backend that only drains");
	is_text(spread(SOCK_DGRAM, "10.96.0.54:53", 20), other, "new ones do not get it");
	set(a, "default/drain", was == 'A' ? "udp4 c=10.96.0.54:53 be=B" : "udp4 c=10.96.0.54:53 be=A");
	is(ask_from(fd, "10.96.0.54:53").letter, other[0], "and loses it when it has drained");
	apply_remove(a, "default/drain", AF_INET, XB_PROTO_UDP);
}

static void test_empty(struct apply *a)
{
	double start = now();

	set(a, "default/empty", "tcp4 c=10.96.0.20:80 n=30020");
	is(ask(SOCK_STREAM, "10.96.0.20:80").error, ECONNREFUSED, "no backends: refused");
	is(ask(SOCK_STREAM, "127.0.0.1:30020").error, ECONNREFUSED, "at the node port too");
	set(a, "default/empty", "tcp4 c=10.96.0.20:80 n=30020 drop ext=");
	is(ask(SOCK_STREAM, "10.96.0.20:80").error, ETIMEDOUT, "none on this node, by policy: timed out");
	ok(now() - start < 1, "all at once");
	set(a, "default/empty", "tcp4 c=10.96.0.20:80 n=30020 x=203.0.113.7:80 be=A ext=BC");
	is_text(spread(SOCK_STREAM, "10.96.0.20:80", 30), "A", "the cluster IP has the internal set");
	is_text(spread(SOCK_STREAM, "203.0.113.7:80", 40), "BC", "an external IP the external one");
	is_text(spread(SOCK_STREAM, "192.0.2.1:30020", 40), "BC", "and a node port");
	is(ask(SOCK_STREAM, "203.0.113.7:81").error, ENETUNREACH, "another port of an external IP is let be");
	apply_remove(a, "default/empty", AF_INET, XB_PROTO_TCP);
	is(ask(SOCK_STREAM, "10.96.0.20:80").error, ENETUNREACH, "a removed service is gone");
}

static void test_node_ports(struct apply *a)
{
	static const char *const at[] = { "127.0.0.1:30080", "127.0.0.5:30080", "192.0.2.1:30080", "[::1]:30080", "[2001:db8::1]:30080",
					  "[::ffff:127.0.0.1]:30080", "0.0.0.0:30080" };
	int status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		ok(one_of("ABC", ask(SOCK_STREAM, at[i]).letter), "node port at %s", at[i]);
	is(ask(SOCK_STREAM, "127.0.0.1:30081").error, ECONNREFUSED, "another port of loopback is its own");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNET) < 0)
			exit(9);
		shell("ip link set lo up");
		/* nobody listens in this namespace: a refusal by the kernel, and no backend's letter */
		exit(ask(SOCK_STREAM, "127.0.0.1:30080").error == ECONNREFUSED ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "loopback in another network namespace is not the node's");
	apply_set_node_addrs(a, AF_INET, NULL, 0);
	is(ask(SOCK_STREAM, "192.0.2.1:30080").error, ECONNREFUSED, "an address that is the node's no longer");
	apply_set_node_addrs(a, AF_INET, &node4, 1);
	ok(one_of("ABC", ask(SOCK_STREAM, "192.0.2.1:30080").letter), "and is again");
}

static void test_affinity(struct apply *a)
{
	char first;
	int same = 0;

	set(a, "default/sticky", "tcp4 c=10.96.0.30:80 be=ABCDE aff=1");
	first = ask(SOCK_STREAM, "10.96.0.30:80").letter;
	for (int i = 0; i < 50; i++)
		same += ask(SOCK_STREAM, "10.96.0.30:80").letter == first;
	is(same, 50, "affinity keeps a client at its backend");
	set(a, "default/sticky", first == 'A' ? "tcp4 c=10.96.0.30:80 be=ABC aff=1" : "tcp4 c=10.96.0.30:80 be=ABCDE aff=1");
	is(ask(SOCK_STREAM, "10.96.0.30:80").letter, first, "also when others go");
	set(a, "default/sticky", first == 'E' ? "tcp4 c=10.96.0.30:80 be=D aff=1" : "tcp4 c=10.96.0.30:80 be=E aff=1");
	is(ask(SOCK_STREAM, "10.96.0.30:80").letter, first == 'E' ? 'D' : 'E', "and moves when that one goes");
	set(a, "default/sticky", "tcp4 c=10.96.0.30:80 be=ABCDE aff=1");
	same = 0;
	for (int i = 0; i < 12; i++) {
		char was = ask(SOCK_STREAM, "10.96.0.30:80").letter;

		usleep(1300000);
		same += ask(SOCK_STREAM, "10.96.0.30:80").letter == was;
		if (same <= i)
			break;
	}
	ok(same < 12, "the time being over, it may go elsewhere");
	apply_remove(a, "default/sticky", AF_INET, XB_PROTO_TCP);
}

static void test_conflict(struct apply *a)
{
	struct xb_plan_frontend fe = { .kind = XB_FRONTEND_EXTERNAL_IP, .addr.b = { 10, 96, 0, 10 }, .port = 80 };
	struct xb_plan_port p = { .name = (char *)"other/thief", .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = &fe, .n_frontends = 1 };
	_cleanup_free_ char *why = NULL;

	is(apply_set(a, &p, &why), -EADDRINUSE, "a frontend of another service is not taken over");
	has_text(why, "10.96.0.10 port 80 of other/thief belongs to default/web:http already", "the sentence names both");
	is_text(spread(SOCK_STREAM, "10.96.0.10:80", 40), "ABC", "the first owner keeps it");
	apply_remove(a, "other/thief", AF_INET, XB_PROTO_TCP);
	is_text(spread(SOCK_STREAM, "10.96.0.10:80", 40), "ABC", "also after the other one is removed");
	is(apply_remove(a, "other/thief", AF_INET, XB_PROTO_TCP), -ENOENT, "which is not there twice");
}

static void test_no_change(struct apply *a)
{
	struct apply_stats before, after;

	apply_stats(a, &before);
	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	apply_stats(a, &after);
	is((long)(after.publishes - before.publishes), 0, "setting what is there already publishes nothing");
	is((long)(after.backends - before.backends), 0, "and takes no backends");
	printf("# tables of a small cluster: %llu kB\n", (unsigned long long)after.memory / 1024);
	ok(after.memory < 16 << 20, "tables of a small cluster take less than 16 MB, of which 8 are for session affinity");
}

/* The kind of an address by itself. */
static int kind_at(struct apply *a, __u8 last)
{
	struct xb_fe_key key = { .addr.b = { [10] = 255, [11] = 255, 203, 0, 113, last } };

	return xb_frontends_get(&a->fe[0], &key).kind;
}

/* Programs look no further where an address by itself is not there, and refuse all other ports of one that has a cluster IP. */
static void test_addresses(struct apply **a)
{
	const struct xb_plan_addr both[] = { node4, { { 203, 0, 113, 9 } } };

	set(*a, "default/out", "tcp4 x=203.0.113.9:80 l=203.0.113.8:80 be=A");
	ok(kind_at(*a, 9) == XB_FRONTEND_SHARED && kind_at(*a, 8) == XB_FRONTEND_SHARED, "external addresses have an entry by themselves");
	set(*a, "default/in", "tcp4 c=203.0.113.9:81 be=A");
	is(kind_at(*a, 9), XB_FRONTEND_VIP, "one that is a cluster IP too refuses other ports");
	set(*a, "default/out", "tcp4 c=203.0.113.9:80 be=A");
	set(*a, "default/in", "tcp4 x=203.0.113.9:81 be=A");
	ok(kind_at(*a, 9) == XB_FRONTEND_VIP && !kind_at(*a, 8), "that goes with the frontend whose kind it is");
	apply_set_node_addrs(*a, AF_INET, both, 2);
	apply_remove(*a, "default/out", AF_INET, XB_PROTO_TCP);
	is(kind_at(*a, 9), XB_FRONTEND_NODE_ADDR, "an address of the node stays one");
	apply_close(*a);
	*a = open_tables();
	apply_set_node_addrs(*a, AF_INET, &node4, 1);
	is(kind_at(*a, 9), XB_FRONTEND_SHARED, "and when it is no more has what services have there, after a restart too");
	apply_remove(*a, "default/in", AF_INET, XB_PROTO_TCP);
	is(kind_at(*a, 9), XB_FRONTEND_NONE, "the last frontend takes it away");
}

int main(int argc, char **argv)
{
	struct apply *a;

	set_up(argc, argv);
	a = open_tables();
	test_tcp(a);
	test_socket_again();
	test_undefined(a);
	test_udp(a);
	test_udp_change(a);
	test_udp_drains(a);
	test_empty(a);
	test_node_ports(a);
	test_affinity(a);
	test_conflict(a);
	test_no_change(a);
	test_addresses(&a);
	apply_close(a);
	return finish();
}
