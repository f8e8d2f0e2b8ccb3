/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet_bench BPFFS DEVICE CLIENT SERVICE:PORT OTHER: what a packet costs in the programs that run on a device of the network namespace,
 * beside those of packet_bench.bpf.c, by BPF_PROG_TEST_RUN. SERVICE:PORT (TCP) has one backend, behind the device itself; OTHER is
 * forwarded and no service's.
 *
 * Each run is one packet, as it changes the packet, so a program starts as cold as a system call leaves the processor; all take
 * turns, and what one costs that does nothing (two readings of the clock) is taken off. Medians. Figures, no verdicts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf.h>
#include "packet_bench.skel.h"
#include "xb/abi/types.h"
#include "xb/macro.h"

#define TIMES 20000
#define TIMES_NEW 2000          /* as masquerading to one backend has only so many ports */
#define FRAME 60
#define SYN 2
#define ACK 16

static void die(const char *what)
{
	fprintf(stderr, "packet_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- packets */

struct talk {
	struct in_addr src, dst;
	__u16 sport, dport;
};

static __u32 sum16(const __u8 *p, size_t n, __u32 sum)
{
	for (size_t i = 0; i < n; i += 2)
		sum += (__u32)(p[i] << 8 | p[i + 1]);
	return sum;
}

static void put16(__u8 *at, __u32 v)
{
	at[0] = (__u8)(v >> 8);
	at[1] = (__u8)v;
}

static __u16 checksum(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* Ethernet, IPv4, TCP without data, padded to the least that Ethernet carries. */
static void make_frame(__u8 frame[FRAME], const struct talk *t, __u8 flags)
{
	__u8 *ip = frame + 14, *tcp = ip + 20;

	memset(frame, 0, FRAME);
	frame[5] = frame[11] = 2;
	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, 40);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, &t->src, 4);
	memcpy(ip + 16, &t->dst, 4);
	put16(ip + 10, checksum(sum16(ip, 20, 0)));
	put16(tcp, t->sport);
	put16(tcp + 2, t->dport);
	tcp[12] = 0x50;
	tcp[13] = flags;
	put16(tcp + 16, checksum(sum16(ip + 12, 8, sum16(tcp, 20, IPPROTO_TCP + 20))));
}

static struct talk talk_of(const __u8 frame[FRAME])
{
	const __u8 *ip = frame + 14, *tcp = ip + 20;
	struct talk t = { .sport = (__u16)(tcp[0] << 8 | tcp[1]), .dport = (__u16)(tcp[2] << 8 | tcp[3]) };

	memcpy(&t.src, ip + 12, 4);
	memcpy(&t.dst, ip + 16, 4);
	return t;
}

static struct talk turned(struct talk t)
{
	return (struct talk){ t.dst, t.src, t.dport, t.sport };
}

/* --- programs */

static unsigned ifindex;

/* The program that a pinned link holds on the device. */
static int program_of(const char *bpffs, const char *place)
{
	struct bpf_link_info info = {};
	__u32 n = sizeof(info);
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/xebec/v%u/links/dev%u_%s", bpffs, XB_ABI_VERSION, ifindex, place);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n) < 0)
		die(path);
	close(fd);
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	if (fd < 0)
		die(place);
	return fd;
}

struct program {
	int fd;
	bool xdp;
};

/* One packet through a program: the frame is what came out. Nanoseconds. */
static double run(struct program p, __u8 frame[FRAME], __u32 repeat, __u32 *ret_verdict)
{
	struct xdp_md xdp = { .data_end = FRAME, .ingress_ifindex = ifindex };
	struct __sk_buff skb = { .ifindex = ifindex };
	__u8 in[FRAME];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = FRAME, .data_out = frame, .data_size_out = FRAME,
		    .ctx_in = p.xdp ? (void *)&xdp : (void *)&skb, .ctx_size_in = p.xdp ? sizeof(xdp) : sizeof(skb), .repeat = (int)repeat);

	memcpy(in, frame, FRAME);
	if (bpf_prog_test_run_opts(p.fd, &opts) < 0)
		die("BPF_PROG_TEST_RUN");
	*ret_verdict = opts.retval;
	return opts.duration;
}

static __u32 pass(struct program p, const struct talk *t, __u8 flags, __u8 frame[FRAME])
{
	__u32 verdict;

	make_frame(frame, t, flags);
	run(p, frame, 1, &verdict);
	return verdict;
}

/* --- figures */

struct figure {
	const char *what;
	struct program program;
	struct talk talk;
	__u8 flags;
	__u16 first_port;               /* not 0: each from another port, from here on */
	__u32 verdict;                  /* that is expected */
	unsigned n;
	double ns[TIMES];
};

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static void take(struct figure *f)
{
	__u8 frame[FRAME];
	__u32 verdict;

	if (f->first_port)
		f->talk.sport = (__u16)(f->first_port + f->n);
	make_frame(frame, &f->talk, f->flags);
	f->ns[f->n++] = run(f->program, frame, 1, &verdict);
	if (verdict == f->verdict)
		return;
	fprintf(stderr, "packet_bench: %s: the program said %d and not %d\n", f->what, (int)verdict, (int)f->verdict);
	exit(1);
}

static double hot(const struct figure *f)
{
	__u8 frame[FRAME];
	double least = 0;
	__u32 verdict;

	for (int i = 0; i < 9; i++) {
		double t;

		make_frame(frame, &f->talk, f->flags);
		t = run(f->program, frame, 100000, &verdict);
		least = !least || t < least ? t : least;
	}
	return least;
}

/* A connection of the client's is open; what its backend sends comes as *ret_answer. */
static void open_flow(struct program p, const struct talk *client, __u32 sent, struct talk *ret_answer)
{
	__u8 frame[FRAME];
	struct talk answer;

	if (pass(p, client, SYN, frame) != sent)
		goto refused;
	answer = turned(talk_of(frame));
	if (pass(p, &answer, SYN | ACK, frame) != sent || pass(p, client, ACK, frame) != sent)
		goto refused;
	*ret_answer = answer;
	return;
refused:
	fprintf(stderr, "packet_bench: the service's packets are not sent on by the device\n");
	exit(1);
}

static void fill_peer(const struct packet_bench *b, const struct talk *service, const struct talk *backend)
{
	struct {
		struct in_addr addr;
		__u16 port, slot;
		__u32 proto;
	} key = { service->dst, service->dport, 0, IPPROTO_TCP };
	struct {
		__u32 count, backend;
	} value = { 1, 7 };
	struct {
		struct in_addr addr;
		__u32 port;
	} to = { backend->src, backend->sport };
	__u32 number = 7;

	if (bpf_map_update_elem(bpf_map__fd(b->maps.peer_services), &key, &value, BPF_ANY) < 0)
		die("peer_services");
	key.slot = 1;
	if (bpf_map_update_elem(bpf_map__fd(b->maps.peer_slots), &key, &value, BPF_ANY) < 0 ||
	    bpf_map_update_elem(bpf_map__fd(b->maps.peer_backends), &number, &to, BPF_ANY) < 0)
		die("peer_slots");
}

int main(int argc, char **argv)
{
	struct talk client = { .sport = 1000 }, other, answer;
	struct packet_bench *b = packet_bench__open_and_load();
	struct program tc = {}, no_tc = {}, xdp = { .xdp = true }, no_xdp = xdp, reflect = xdp, peer = xdp;
	char *colon = argc == 6 ? strchr(argv[4], ':') : NULL;

	if (!b)
		die("load");
	if (!colon)
		return fprintf(stderr, "usage: packet_bench BPFFS DEVICE CLIENT SERVICE:PORT OTHER\n"), 1;
	*colon = 0;
	client.dport = (__u16)atoi(colon + 1);
	ifindex = if_nametoindex(argv[2]);
	if (!ifindex || !inet_aton(argv[3], &client.src) || !inet_aton(argv[4], &client.dst))
		die("arguments");
	other = client;
	if (!inet_aton(argv[5], &other.dst))
		die("arguments");
	tc.fd = program_of(argv[1], "ingress");
	xdp.fd = program_of(argv[1], "xdp");
	no_tc.fd = bpf_program__fd(b->progs.tc_nothing);
	no_xdp.fd = bpf_program__fd(b->progs.xdp_nothing);
	reflect.fd = bpf_program__fd(b->progs.reflect);
	peer.fd = bpf_program__fd(b->progs.peer_xdp);
	open_flow(xdp, &client, XDP_TX, &answer);
	fill_peer(b, &client, &answer);

	static struct figure figures[16];
	const struct figure wanted[] = {
		{ "tc: a program that does nothing", no_tc, other, ACK, 0, (__u32)TC_ACT_UNSPEC, 0, {} },
		{ "tc: a packet of no service", tc, other, ACK, 0, (__u32)TC_ACT_UNSPEC, 0, {} },
		{ "tc: a known flow, from the client", tc, client, ACK, 0, TC_ACT_REDIRECT, 0, {} },
		{ "tc: a known flow, from the backend", tc, answer, ACK, 0, TC_ACT_REDIRECT, 0, {} },
		{ "tc: a new flow", tc, client, SYN, 1024, TC_ACT_REDIRECT, 0, {} },
		{ "XDP: a program that does nothing", no_xdp, other, ACK, 0, XDP_PASS, 0, {} },
		{ "XDP: a packet of no service", xdp, other, ACK, 0, XDP_PASS, 0, {} },
		{ "XDP: a known flow, from the client", xdp, client, ACK, 0, XDP_TX, 0, {} },
		{ "XDP: a known flow, from the backend", xdp, answer, ACK, 0, XDP_TX, 0, {} },
		{ "XDP: a new flow", xdp, client, SYN, 1024 + TIMES_NEW, XDP_TX, 0, {} },
		{ "XDP: sent back as it is", reflect, other, ACK, 0, XDP_TX, 0, {} },
		{ "XDP: three hash maps instead, no flows", peer, client, ACK, 0, XDP_TX, 0, {} },
	};
	size_t n = ARRAY_SIZE(wanted);

	memcpy(figures, wanted, sizeof(wanted));
	for (unsigned i = 0; i < TIMES; i++)
		for (size_t k = 0; k < n; k++)
			if (!figures[k].first_port || i % (TIMES / TIMES_NEW) == 0)
				take(&figures[k]);
	for (size_t k = 0; k < n; k++)
		qsort(figures[k].ns, figures[k].n, sizeof(double), by_value);
	for (size_t k = 0; k < n; k++) {
		const struct figure *f = &figures[k], *none = &figures[f->program.xdp ? 5 : 0];
		double off = f == none ? 0 : none->ns[none->n / 2];

		printf("%-42s %5.0f ns  (quartiles %.0f to %.0f)\n", f->what, f->ns[f->n / 2] - off, f->ns[f->n / 4] - off,
		       f->ns[f->n * 3 / 4] - off);
	}
	printf("%-42s %5.0f ns, tc; %.0f ns, XDP\n", "a packet of no service, again and again", hot(&figures[1]) - hot(&figures[0]),
	       hot(&figures[6]) - hot(&figures[5]));
	packet_bench__destroy(b);
	return 0;
}
