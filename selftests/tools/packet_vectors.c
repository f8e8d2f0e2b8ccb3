/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet_vectors BPFFS CGROUP: each vector of packet_table.h by the programs in the kernel (BPF_PROG_TEST_RUN) and by the same text in
 * this process, tc alone and XDP in front of it. All must do the same. TAP.
 */
#include "sock.h"
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sys/mman.h>
#include <bpf/libbpf.h>
#include "../../userspace/proxy/tables.h"
#include "packet_table.h"
#include "xb/bpfobj.h"
#include "xb/model.h"

#define MTU_OUTSIDE 1500
#define MTU_POD 1400
#define NAT_FIRST 61000
#define NAT_COUNT 2000

#ifndef BPF_F_TEST_SKB_CHECKSUM_COMPLETE /* Linux 6.17: the packet's whole sum is known, and right still when the program has run */
#define BPF_F_TEST_SKB_CHECKSUM_COMPLETE (1u << 2)
#endif

static struct apply *apply;
static struct tables *tables;           /* as they are pinned, with programs of our own that run nowhere */
static int fd_of[3];                    /* by enum xb_model_hook */
static __u32 outside, pods;             /* indexes of the devices */
static int processors;
static bool reached[XB_REASONS];
static char maps_folder[PATH_MAX];

struct driver {
	const char *name;
	bool model, fast;
	__u32 flags;
};

struct result {
	enum action action;
	bool sent;                      /* by XDP */
	size_t n;
	__u8 bytes[XB_MODEL_FRAME];
};

/* --- services */

static void backends_of(const char *letters, int family, struct xb_plan_set *set)
{
	for (set->n = 0; letters[set->n]; set->n++) {
		struct xb_plan_backend *b = &set->backends[set->n];

		*b = (struct xb_plan_backend){ .port = BACKEND_PORT, .local = letters[set->n] == 'b' };
		text_host(letters[set->n], family == AF_INET6, b->addr.b);
	}
}

static void serve_row(const struct service_row *row, const char *backends, int family, enum xb_proto proto)
{
	bool v6 = family == AF_INET6;
	struct xb_plan_backend list[4];
	struct xb_plan_frontend fe = { .kind = row->kind, .port = (__u16)atoi(row->at) };
	struct xb_plan_net range = { .bits = v6 ? 32 : 24 };
	struct xb_plan_port p = {
		.name = (char *)row->name, .family = family, .proto = proto, .frontends = &fe, .n_frontends = 1,
		.affinity_seconds = row->affinity, .dsr = row->dsr, .maglev = row->maglev,
		.source_ranges = &range, .n_source_ranges = !!row->range[v6], .source_ranges_set = row->range[v6],
	};
	_cleanup_free_ char *why = NULL;
	int r;

	if (row->at[1] == ':') {
		text_host(row->at[0], v6, fe.addr.b);
		fe.port = (__u16)atoi(row->at + 2);
	}
	if (row->range[v6]) {
		char text[64];

		snprintf(text, sizeof(text), "%.*s", (int)strcspn(row->range[v6], "/"), row->range[v6]);
		inet_pton(family, text, range.addr.b);
	}
	for (int i = 0; i < XB_SETS; i++) {
		p.set[i].backends = list;
		backends_of(backends, family, &p.set[i]);
		p.set[i].drop_when_empty = i < XB_SCOPES && row->silent;
	}
	r = apply_set(apply, &p, &why);
	if (r < 0) {
		printf("# %s: %s\n", row->name, why ? why : strerror(-r));
		die("apply_set");
	}
}

static void serve_all(const struct service_row *row, const char *backends)
{
	static const enum xb_proto protos[] = { XB_PROTO_TCP, XB_PROTO_UDP, XB_PROTO_SCTP };

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		serve_row(row, backends, AF_INET, protos[i]);
		serve_row(row, backends, AF_INET6, protos[i]);
	}
}

static const struct service_row *row_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (!strcmp(services[i].name, name))
			return &services[i];
	return NULL;
}

/* --- tables before a vector */

static struct xb_plan_net net(const char *text, unsigned bits)
{
	struct xb_plan_net n = { .bits = bits };

	inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, n.addr.b);
	return n;
}

static void set_node(enum arrangement how)
{
	struct xb_plan_node node = {
		.addr = { node4, node6 }, .nat_first = NAT_FIRST, .nat_count = how == ONE_NAT_PORT ? 1 : NAT_COUNT,
		.pods = { { .v = { net("10.244.0.0", 16) }, .n = 1 }, { .v = { net("fd00:244::", 32) }, .n = 1 } },
		.services = { { .v = { net("10.96.0.0", 16) }, .n = 1 }, { .v = { net("fd00:96::", 32) }, .n = 1 } },
		.masquerade_all = how == MASQUERADE_ALL,
	};

	if (how == NO_NODE_ADDRESS)
		memset(node.addr, 0, sizeof(node.addr));
	apply_set_node(apply, &node);
}

static void forget_keys(enum table_id id)
{
	__u8 key[64];

	while (bpf_map_get_next_key(tables->t[id].fd, NULL, key) == 0)
		bpf_map_delete_elem(tables->t[id].fd, key);
}

/* Every way is taken, by a flow that does not give way. */
static void fill_flows(void)
{
	struct xb_flow4_set *sets4 = tables->t[TABLE_FLOW4].mem;
	struct xb_flow6_set *sets6 = tables->t[TABLE_FLOW6].mem;
	struct xb_flow_way taken = { .tag = 1u << 31 | XB_FLOW_ASSURED };
	__u32 now;

	if (xb_tick_now(&now) < 0)
		die("xb_tick_now");
	taken.expires = now + 1000;
	for (__u32 way = 0; way < XB_FLOW_WAYS; way++) {
		for (__u32 i = 0; i < tables->t[TABLE_FLOW4].size; i++)
			sets4[i].head.way[way] = taken;
		for (__u32 i = 0; i < tables->t[TABLE_FLOW6].size; i++)
			sets6[i].head.way[way] = taken;
	}
}

/* A frontend of "broken" leads nowhere, or its sets do; the other way round, where they did. */
static void lead_one(struct xb_fe *fe, enum arrangement how)
{
	struct xb_svc *svc = tables->t[TABLE_SVC].mem;

	if (fe->port != 85)
		return;
	fe->svc ^= (how == NO_SUCH_SERVICE) << 24;
	for (int i = 0; how == NO_SUCH_BACKEND && i < XB_SETS; i++)
		svc[fe->svc].set[i].base ^= 1 << 24;
}

static void lead_astray(enum arrangement how)
{
	struct xb_fe4_bucket *four = tables->t[TABLE_FE4].mem;
	struct xb_fe6_bucket *six = tables->t[TABLE_FE6].mem;

	for (__u32 i = 0; i < tables->t[TABLE_FE4].size; i++)
		for (int way = 0; way < XB_FE_WAYS; way++)
			lead_one(&four[i].way[way].fe, how);
	for (__u32 i = 0; i < tables->t[TABLE_FE6].size; i++)
		for (int way = 0; way < XB_FE_WAYS; way++)
			lead_one(&six[i].way[way].fe, how);
}

static void set_rate(bool none_left)
{
	struct xb_rate rates[processors];
	__u32 now, zero = 0;

	xb_model_set_flow_rate(none_left ? 0 : 131072);
	if (xb_tick_now(&now) < 0)
		die("xb_tick_now");
	for (int i = 0; i < processors; i++)
		rates[i] = (struct xb_rate){ now, none_left ? 131072 : 0 };
	if (bpf_map_update_elem(tables->t[TABLE_RATE].fd, &zero, rates, BPF_ANY) < 0)
		die("xb_rate");
}

static void arrange(enum arrangement how)
{
	memset(tables->t[TABLE_FLOW4].mem, 0, tables->t[TABLE_FLOW4].bytes);
	memset(tables->t[TABLE_FLOW6].mem, 0, tables->t[TABLE_FLOW6].bytes);
	forget_keys(TABLE_FRAG);
	forget_keys(TABLE_AFF);
	set_node(how);
	set_rate(how == NO_MORE_FLOWS);
	lead_astray(how);
	if (how == FLOWS_FULL)
		fill_flows();
}

static void arrange_between(enum arrangement how)
{
	if (how != BACKEND_GONE && how != BACKEND_JOINED)
		return;
	serve_all(row_of("there"), how == BACKEND_JOINED ? "br" : "b");
	xb_model_forget("xb_svc");
}

static void arrange_back(enum arrangement how)
{
	lead_astray(how);
	if (how == BACKEND_GONE || how == BACKEND_JOINED)
		serve_all(row_of("there"), row_of("there")->backends);
}

/* --- routes of the model: as those of the namespace */

static bool has_host(const struct bpf_fib_lookup *fib, char letter)
{
	__u8 addr[16];

	text_host(letter, fib->family == AF_INET6, addr);
	return !memcmp(fib->family == AF_INET6 ? (void *)fib->ipv6_dst : (void *)&fib->ipv4_dst, addr, fib->family == AF_INET6 ? 16 : 4);
}

static int model_route(struct bpf_fib_lookup *fib, __u32 *ret_mtu)
{
	bool pod = has_host(fib, 'p') || has_host(fib, 'b'), other = has_host(fib, 'r') || has_host(fib, 'm');

	if (has_host(fib, 'n'))
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	fib->ifindex = pod ? pods : outside;
	*ret_mtu = pod ? MTU_POD : MTU_OUTSIDE;
	memcpy(fib->smac, "\2\0\0\0\0\1", 6);
	memcpy(fib->dmac, other ? "\2\0\0\0\1\2" : "\2\0\0\0\1\376", 6);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/* --- one packet by one driver */

static __u64 counted(const struct driver *d, __u32 reason)
{
	__u64 each[processors], sum = 0;

	if (d->model)
		return xb_model_counted((enum xb_reason)reason);
	if (bpf_map_lookup_elem(tables->t[TABLE_REASON].fd, &reason, each) < 0)
		die("xb_reason");
	for (int i = 0; i < processors; i++)
		sum += each[i];
	return sum;
}

static int run_in_kernel(const struct driver *d, enum xb_model_hook hook, __u32 ifindex, struct result *p)
{
	struct __sk_buff skb = { .ifindex = ifindex, .ingress_ifindex = hook == XB_MODEL_EGRESS ? 0 : ifindex };
	struct xdp_md xdp = { .data_end = (__u32)p->n, .ingress_ifindex = ifindex };
	__u8 in[XB_MODEL_FRAME];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = in, .data_size_in = (__u32)p->n);

	o.data_out = p->bytes;
	o.data_size_out = sizeof(p->bytes);
	memcpy(in, p->bytes, p->n);
	if (hook == XB_MODEL_XDP) {
		o.ctx_in = &xdp;
		o.ctx_size_in = sizeof(xdp);
	} else {
		o.ctx_in = &skb;
		o.ctx_size_in = sizeof(skb);
		o.flags = d->flags;
	}
	if (bpf_prog_test_run_opts(fd_of[hook], &o) < 0)
		return -errno;
	p->n = o.data_size_out;
	return (int)o.retval;
}

static int run_hook(const struct driver *d, enum xb_model_hook hook, __u32 ifindex, struct result *p)
{
	struct xb_model_frame frame;
	int r;

	if (!d->model)
		return run_in_kernel(d, hook, ifindex, p);
	r = xb_model_run(hook, p->bytes, (__u32)p->n, ifindex, &frame);
	if (r < 0)
		return r;
	p->n = frame.len;
	memcpy(p->bytes, frame.bytes, frame.len);
	return frame.verdict;
}

static bool is_pods(const char *packet)
{
	const char *way = strchr(packet, '>') - 1;

	while (way[-1] != ' ')
		way--;
	return *way == 'p' || *way == 'b';
}

/* 0, or what the hook answered that it must not. */
static int run_step(const struct driver *d, const struct step *s, struct result *p)
{
	__u32 ifindex = is_pods(s->in) ? pods : outside;
	__u8 mac[12];
	int verdict;

	if (d->fast && !(s->how & OUT) && ifindex == outside) {
		verdict = run_hook(d, XB_MODEL_XDP, ifindex, p);
		p->action = verdict == XDP_DROP ? DROP : ON;
		p->sent = verdict == XDP_TX || verdict == XDP_DROP;
		if (p->sent || verdict != XDP_PASS)
			return p->sent ? 0 : verdict;
	}
	memcpy(mac, p->bytes, 12);
	verdict = run_hook(d, s->how & OUT ? XB_MODEL_EGRESS : XB_MODEL_INGRESS, ifindex, p);
	p->action = verdict == TC_ACT_SHOT ? DROP : verdict == TC_ACT_UNSPEC ? UP : memcmp(mac, p->bytes, 12) ? BACK : ON;
	return verdict == TC_ACT_SHOT || verdict == TC_ACT_UNSPEC || verdict == TC_ACT_REDIRECT ? 0 : verdict;
}

/* --- what must come out */

static void show(const char *what, const __u8 *bytes, size_t n)
{
	printf("# %s", what);
	for (size_t i = 0; i < n && i < 160; i++)
		printf("%s%02x", i % 4 == 2 ? " " : "", bytes[i]);
	puts(n > 160 ? " ..." : "");
}

static void macs_of(const struct step *s, const struct result *got, struct text_packet *want)
{
	static const __u8 back[12] = { 2, [5] = 2, 2, [11] = 1 };
	const char *to = s->out ? strchr(s->out, '>') + 1 : "";

	if (s->action == BACK)
		memcpy(want->bytes, back, 12);
	else if (got->sent)
		memcpy(want->bytes, *to == 'r' ? "\2\0\0\0\1\2\2\0\0\0\0\1" : "\2\0\0\0\1\376\2\0\0\0\0\1", 12);
}

/* Learns the source port of masquerading from the first packet that has one. */
static void learn_port(const struct step *s, const struct result *got)
{
	struct text_packet p;

	if (text_nat || !s->out || !strstr(s->out, ":?>"))
		return;
	text_build(s->out, &p);
	if (p.l4 + 2 <= got->n)
		text_nat = (__u16)(got->bytes[p.l4] << 8 | got->bytes[p.l4 + 1]);
	if (text_nat < NAT_FIRST || text_nat >= NAT_FIRST + NAT_COUNT)
		printf("# source port %u is none of masquerading\n", text_nat);
}

static bool check_packet(const struct step *s, const struct result *got)
{
	struct text_packet want;
	int at;

	if (s->action == DROP)
		return true;
	learn_port(s, got);
	text_build(s->out ? s->out : s->in, &want);
	macs_of(s, got, &want);
	at = text_differ(&want, got->bytes, got->n);
	if (at < 0)
		return true;
	printf("# %s: %zu bytes where %zu were expected, another one at %d, that is %d of the network header\n", s->in, got->n, want.n, at,
	       at - TEXT_ETH);
	show("expected ", want.bytes + TEXT_ETH, want.n - TEXT_ETH);
	show("     got ", got->bytes + TEXT_ETH, got->n - TEXT_ETH);
	return false;
}

static bool check_reasons(const struct driver *d, const struct step *s, const __u64 before[XB_REASONS])
{
	bool good = true;

	for (__u32 i = 1; i < XB_REASONS; i++) {
		__u64 more = counted(d, i) - before[i];

		reached[i] |= more && !d->model;
		if (more == (i == s->reason))
			continue;
		good = false;
		printf("# %s: reason %u was counted %llu times\n", s->in, i, (unsigned long long)more);
	}
	return good;
}

static bool check_step(const struct driver *d, const struct step *s)
{
	static const char *const words[] = { [UP] = "up the stack", [ON] = "on", [BACK] = "back", [DROP] = "dropped" };
	struct text_packet in;
	struct result got = {};
	__u64 before[XB_REASONS];
	bool good = true;
	int r;

	text_build(s->in, &in);
	memcpy(got.bytes, in.bytes, in.n);
	got.n = in.n;
	for (__u32 i = 0; i < XB_REASONS; i++)
		before[i] = counted(d, i);
	r = run_step(d, s, &got);
	if (r) {
		printf("# %s: %d (%s)\n", s->in, r, r < 0 ? strerror(-r) : "no verdict");
		return false;
	}
	if (got.action != s->action || (d->fast && got.sent != !!(s->how & FAST))) {
		good = false;
		printf("# %s: went %s%s, not %s\n", s->in, words[got.action], got.sent ? " by XDP" : "", words[s->action]);
	}
	good &= check_packet(s, &got);
	good &= check_reasons(d, s, before);
	return good;
}

/* Whether somebody who reads the sum over all of a packet will get it: what is sent back or into a tunnel goes out, and SCTP's
 * checksum is another. */
static bool is_received(const struct step *s)
{
	return (s->action == ON || s->action == UP) && !strstr(s->in, "sctp") && strncmp(s->out ? s->out : "", "ipip", 4);
}

/* A step that names its family is for that one. */
static bool is_other_family(const char *text)
{
	char c = text[strcspn(text, " ") - 1];

	return c == (text_v6 ? '4' : '6');
}

static bool check_vector(const struct driver *d, const struct vector *v)
{
	_cleanup_free_ char *why = NULL;
	bool good = true;

	text_nat = 0;
	arrange(v->arranged);
	if (d->model && xb_model_open(maps_folder, &why) < 0)
		die(why);
	for (int i = 0; i < STEPS && v->step[i].in && (!d->flags || is_received(&v->step[i])); i++) {
		if (i == 1)
			arrange_between(v->arranged);
		if (!is_other_family(v->step[i].in))
			good &= check_step(d, &v->step[i]);
	}
	arrange_back(v->arranged);
	return good;
}

/* --- all of it */

static void make_devices(void)
{
	cpu_set_t one;
	char script[4096];

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare");
	snprintf(script, sizeof(script),
		 "set -e; ip link set lo up\n"
		 "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad\n"
		 "ip link add e0 address 02:00:00:00:00:01 mtu %d type veth peer name e1\n"
		 "ip link add p0 address 02:00:00:00:00:03 mtu %d type veth peer name p1 mtu %d\n"
		 "for i in e0 e1 p0 p1; do ip link set $i up; done\n"
		 "ip addr add 192.0.2.1/24 dev e0; ip addr add 2001:db8::1/64 dev e0 nodad\n"
		 "for i in 192.0.2.2 2001:db8::2; do ip neigh add $i dev e0 lladdr 02:00:00:00:01:02 nud permanent; done\n"
		 "for i in 192.0.2.254 2001:db8::fe; do ip neigh add $i dev e0 lladdr 02:00:00:00:01:fe nud permanent; done\n"
		 "ip route add default via 192.0.2.254; ip route add default via 2001:db8::fe\n"
		 "ip route add 10.244.2.0/24 via 192.0.2.2; ip route add fd00:244:2::/64 via 2001:db8::2\n"
		 "for i in 10.244.1.2 10.244.1.9 fd00:244:1::2 fd00:244:1::9; do\n"
		 "ip route add $i dev p0; ip neigh add $i dev p0 lladdr 02:00:00:00:02:01 nud permanent; done\n",
		 MTU_OUTSIDE, MTU_POD, MTU_POD);
	shell(script);
	outside = if_nametoindex("e0");
	pods = if_nametoindex("p0");
	/* what the rate of flows says is of one processor */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void load_programs(void)
{
	static const char *const names[] = { [XB_MODEL_INGRESS] = "xb_ingress", [XB_MODEL_EGRESS] = "xb_egress", [XB_MODEL_XDP] = "xb_xdp" };
	_cleanup_(tables_freep) struct tables *pinned = NULL;
	_cleanup_free_ char *why = NULL;
	__u32 sizes[N_TABLES];

	snprintf(maps_folder, sizeof(maps_folder), "%s/xebec/v%d/maps", bpffs, XB_ABI_VERSION);
	errno = -tables_adopt(maps_folder, &pinned, &why);
	if (errno)
		die(why ? why : maps_folder);
	for (int i = 0; i < N_TABLES; i++)
		sizes[i] = pinned->t[i].size;
	errno = -tables_load(pinned, 1u << OBJECT_SOCK | 1u << OBJECT_TC | 1u << OBJECT_XDP, sizes, &tables, &why);
	if (errno)
		die(why ? why : "tables_load");
	/* the agent does not look into flows by itself */
	errno = -xb_bpf_mmap(tables->t[TABLE_FLOW4].fd, &tables->t[TABLE_FLOW4].mem, &tables->t[TABLE_FLOW4].bytes);
	if (!errno)
		errno = -xb_bpf_mmap(tables->t[TABLE_FLOW6].fd, &tables->t[TABLE_FLOW6].mem, &tables->t[TABLE_FLOW6].bytes);
	if (errno)
		die("flows");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct bpf_object *object = tables->programs.object[i == XB_MODEL_XDP ? OBJECT_XDP : OBJECT_TC];

		fd_of[i] = bpf_program__fd(bpf_object__find_program_by_name(object, names[i]));
	}
}

static bool knows_complete(void)
{
	static const struct driver d = { .flags = BPF_F_TEST_SKB_CHECKSUM_COMPLETE };
	struct text_packet in;
	struct result p = {};

	text_build("tcp c:1000>p:80 S", &in);
	memcpy(p.bytes, in.bytes, in.n);
	p.n = in.n;
	return run_in_kernel(&d, XB_MODEL_INGRESS, outside, &p) != -EINVAL;
}

static void check_all(const struct driver *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		for (int family = 4; family <= 6; family += 2) {
			if (vectors[i].only && vectors[i].only != family)
				continue;
			text_v6 = family == 6;
			ok(check_vector(d, &vectors[i]), "%s: IPv%d: %s", d->name, family, vectors[i].what);
		}
}

int main(int argc, char **argv)
{
	static const struct driver drivers[] = {
		{ "tc", false, false, 0 },
		{ "tc, sums known", false, false, BPF_F_TEST_SKB_CHECKSUM_COMPLETE },
		{ "XDP, tc", false, true, 0 },
		{ "model of tc", true, false, 0 },
		{ "model of XDP, tc", true, true, 0 },
	};

	if (argc != 3) {
		fprintf(stderr, "usage: %s BPFFS CGROUP\n", argv[0]);
		return EXIT_FAILURE;
	}
	bpffs = argv[1];
	cgroup = argv[2];
	processors = libbpf_num_possible_cpus();
	make_devices();
	apply = open_tables();
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		serve_all(&services[i], services[i].backends);
	set_node(AS_IT_IS);
	load_programs();
	xb_model_set_route(model_route);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (!drivers[i].flags || knows_complete())
			check_all(&drivers[i]);
		else
			printf("# no runs with known sums before Linux 6.17\n");
	}
	for (int i = 1; i < XB_REASONS; i++)
		ok(reached[i], "reason %d was a packet's", i);
	xb_model_close();
	tables_free(tables);
	apply_close(apply);
	apply_cleanup(bpffs, NULL);
	return finish();
}
