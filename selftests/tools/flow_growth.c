/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow_growth BPFFS CGROUP fill FLOWS | grow SERVICES | known FLOWS: so many open TCP flows of each IP family, by the programs, as far as
 * there is room; the agent's part while their tables grow, with so many Services made at the same time; and how many of the flows
 * are known, in tables and old tables of what sizes: "FLOWS4 FLOWS6 of SETS4 SETS6 old SETS4 SETS6".
 */
#include <linux/pkt_cls.h>
#include <bpf/libbpf.h>
#include "sock.h"
#include "../../userspace/proxy/tables.h"
#include "xb/abi/flow.h"
#include "xb/abi/hdr.h"
#include "xb/model.h"

#define FIRST_PORT 1024
#define SYN 2
#define ACK 16

static const union xb_ip6 client[2] = { { .b = { [10] = 0xff, 0xff, 198, 18, 0, 1 } }, { .b = { 0xfd, 0x18, [15] = 1 } } };
static const union xb_ip6 service[2] = { { .b = { [10] = 0xff, 0xff, 10, 96, 0, 10 } }, { .b = { 0xfd, [15] = 0x10 } } };
static char maps_folder[PATH_MAX];

static void make_services(struct apply *a)
{
	struct xb_plan_node node = {
		.addr = { node4, node6 },
		.pods = {
			{ .v = { { .addr.b = { 198, 18 }, .bits = 15 } }, .n = 1 },
			{ .v = { { .addr.b = { 0xfd, 0x18 }, .bits = 16 } }, .n = 1 },
		},
	};

	apply_set_node(a, &node);
	apply_set_devices(a, NULL, 0);
	set(a, "default/four", "tcp4 c=10.96.0.10:80 be=ABCDE");
	set(a, "default/six", "tcp6 c=[fd00::10]:80 be=ABCDE");
}

static size_t make_packet(bool v6, unsigned short port, unsigned char flags, unsigned char ret[80])
{
	unsigned char *ip = ret + 14, *tcp = ip + (v6 ? 40 : 20);

	memset(ret, 0, 80);
	ret[12] = v6 ? 0x86 : 0x08;
	ret[13] = v6 ? 0xdd : 0x00;
	if (v6) {
		memcpy(ip, (unsigned char[]){ 0x60, 0, 0, 0, 0, 20, IPPROTO_TCP, 64 }, 8);
		memcpy(ip + 8, &client[1], 16);
		memcpy(ip + 24, &service[1], 16);
	} else {
		memcpy(ip, (unsigned char[]){ 0x45, 0, 0, 40, 0, 0, 0, 0, 64, IPPROTO_TCP }, 10);
		memcpy(ip + 12, client[0].b + 12, 4);
		memcpy(ip + 16, service[0].b + 12, 4);
	}
	memcpy(tcp, (unsigned char[]){ (unsigned char)(port >> 8), (unsigned char)port, 0, 80, [12] = 0x50, flags }, 14);
	return (size_t)(tcp + 20 - ret);
}

static void send_one(int program, bool v6, int n, unsigned char flags)
{
	unsigned char packet[80];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet);

	opts.data_size_in = (__u32)make_packet(v6, (unsigned short)(FIRST_PORT + n), flags, packet);
	if (bpf_prog_test_run_opts(program, &opts) < 0)
		die("BPF_PROG_TEST_RUN");
}

static int fill(int flows)
{
	_cleanup_(tables_freep) struct tables *pinned = NULL, *tables = NULL;
	_cleanup_free_ char *why = NULL;
	struct apply *a = open_tables();
	__u32 sizes[N_TABLES];
	int program;

	make_services(a);
	apply_close(a);
	errno = -tables_adopt(maps_folder, &pinned, &why);
	for (int i = 0; !errno && i < N_TABLES; i++)
		sizes[i] = pinned->t[i].size;
	if (!errno)
		errno = -tables_load(pinned, 1u << OBJECT_TC, sizes, &tables, &why);
	if (errno)
		die(why ? why : maps_folder);
	program = bpf_program__fd(bpf_object__find_program_by_name(tables->programs.object[OBJECT_TC], "xb_ingress"));
	for (int n = 0; n < flows; n++)
		for (int v6 = 0; v6 < 2; v6++) {
			send_one(program, v6, n, SYN);
			send_one(program, v6, n, ACK);
		}
	return 0;
}

static int grow(int services)
{
	struct apply *a = open_tables();
	int made = 0, calls = 0;

	make_services(a);
	while (apply_tend(a) < 250 && ++calls < 10000) {
		for (int i = 0; i < 50 && made < services; i++, made++) {
			char name[32], spec[64];

			snprintf(name, sizeof(name), "default/more-%d", made);
			snprintf(spec, sizeof(spec), "tcp4 c=10.97.%d.%d:80 be=ABCDE", made / 250, made % 250 + 1);
			if (set(a, name, spec) < 0)
				return 1;
		}
	}
	printf("# %d calls, %d services\n", calls, made);
	apply_close(a);
	return made < services;
}

static bool is_known(bool v6, int n)
{
	struct xb_tuple t = {
		.src = client[v6], .dst = service[v6], .sport = (__u16)(FIRST_PORT + n), .dport = 80, .proto = XB_PROTO_TCP,
		.family = v6 ? XB_IPV6 : XB_IPV4,
	};
	struct xb_model_answer answer;

	return xb_model_ask(&t, false, &answer) == 0 && answer.known;
}

static int known(int flows)
{
	int n[2] = {};
	__u32 size[4];
	char *why = NULL;

	if (xb_model_open(maps_folder, &why) < 0)
		die(why ? why : maps_folder);
	for (int i = 0; i < flows; i++)
		for (int v6 = 0; v6 < 2; v6++)
			n[v6] += is_known(v6, i);
	if (!xb_model_array("xb_flow4", &size[0]) || !xb_model_array("xb_flow6", &size[1]) || !xb_model_array("xb_flow4_old", &size[2]) ||
	    !xb_model_array("xb_flow6_old", &size[3]))
		die("tables of flows");
	printf("%d %d of %u %u old %u %u\n", n[0], n[1], size[0], size[1], size[2], size[3]);
	xb_model_close();
	return 0;
}

int main(int argc, char **argv)
{
	int number = argc > 4 ? atoi(argv[4]) : 0;

	bpffs = argc > 2 ? argv[1] : "";
	cgroup = argc > 2 ? argv[2] : "";
	snprintf(maps_folder, sizeof(maps_folder), "%s/xebec/v%d/maps", bpffs, XB_ABI_VERSION);
	if (argc == 5 && !strcmp(argv[3], "fill"))
		return fill(number);
	if (argc == 5 && !strcmp(argv[3], "grow"))
		return grow(number);
	if (argc == 5 && !strcmp(argv[3], "known"))
		return known(number);
	fputs("usage: flow_growth BPFFS CGROUP fill FLOWS | grow SERVICES | known FLOWS\n", stderr);
	return 2;
}
