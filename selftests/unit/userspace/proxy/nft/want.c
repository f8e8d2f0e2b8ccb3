/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include "../../../../../userspace/proxy/nft/want.h"

/* --- what is wanted, as text: a line for each set, rule and element */
static void print_step(struct xb_buf *out, int family, const struct nft_step *s)
{
	static const char *const words[] = {
		[STEP_SADDR] = "saddr", [STEP_DADDR] = "daddr", [STEP_PROTO] = "proto", [STEP_DPORT] = "dport", [STEP_RANDOM] = "random",
		[STEP_IN] = "in", [STEP_NOT_IN] = "not-in", [STEP_VMAP] = "vmap", [STEP_REMEMBER] = "remember", [STEP_NEW] = "new",
		[STEP_TCP] = "tcp", [STEP_CHANCE] = "chance", [STEP_FROM] = "from", [STEP_FROM_NODE] = "from-node", [STEP_MARKED] = "marked",
		[STEP_MARK] = "mark", [STEP_UNMARK] = "unmark", [STEP_JUMP] = "jump", [STEP_GOTO] = "goto", [STEP_RETURN] = "return",
		[STEP_DROP] = "drop", [STEP_RESET] = "reset", [STEP_REFUSE] = "refuse", [STEP_DNAT] = "dnat", [STEP_MASQUERADE] = "masquerade",
	};
	char addr[INET6_ADDRSTRLEN];

	xb_buf_addf(out, " %s", words[s->kind]);
	if (s->name)
		xb_buf_addf(out, " %s", s->name);
	if (s->kind == STEP_FROM || s->kind == STEP_DNAT)
		xb_buf_addf(out, " %s", inet_ntop(family, &s->net.addr, addr, sizeof(addr)));
	if (s->net.bits)
		xb_buf_addf(out, "/%u", s->net.bits);
	if (s->number)
		xb_buf_addf(out, " %u", s->number);
}

static void print_chain(struct xb_buf *out, const struct nft_wanted *w, const struct nft_object *o)
{
	for (size_t i = o->chain.first; i < o->chain.first + o->chain.n; i++) {
		if (w->steps.v[i].kind == STEP_RULE)
			xb_buf_addf(out, "%s%s:", i > o->chain.first ? "\n" : "", o->name);
		else
			print_step(out, w->family, &w->steps.v[i]);
	}
	xb_buf_addc(out, '\n');
}

static void print_element(struct xb_buf *out, const struct nft_object *o)
{
	xb_buf_addf(out, "%s[", o->name);
	for (unsigned i = 0; i < o->element.key_bytes; i++)
		xb_buf_addf(out, "%02x%s", o->element.key[i], i % 4 == 3 && i + 1 < o->element.key_bytes ? " " : "");
	xb_buf_addf(out, "]%s", o->element.end ? " end" : "");
	if (o->set >= NFT_BY_ADDR)
		xb_buf_addf(out, " %s", o->element.chain ? o->element.chain : "drop");
	xb_buf_addc(out, '\n');
}

static void print(struct xb_buf *out, const struct nft_wanted *w)
{
	assert_int_equal(w->err, 0);
	for (size_t i = 0; i < w->n; i++) {
		if (w->v[i].kind == NFT_SET)
			xb_buf_addf(out, "set %s\n", w->v[i].name);
		else if (w->v[i].kind == NFT_CHAIN)
			print_chain(out, w, &w->v[i]);
		else
			print_element(out, &w->v[i]);
		assert_int_not_equal(w->v[i].digest, 0);
	}
}

static void is(const struct xb_plan_port *p, const char *want)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(nft_wanted_done) struct nft_wanted w = { .family = p->family, .arena = a };
	_cleanup_buf_ struct xb_buf out = {};

	nft_want_port(&w, p);
	print(&out, &w);
	assert_string_equal(out.p ? out.p : "", want);
}

/* --- ports */
static struct xb_plan_frontend vip = { XB_FRONTEND_CLUSTER_IP, { { 10, 96, 0, 1 } }, 80 };
static struct xb_plan_backend near = { { { 10, 1, 0, 1 } }, 8080, true }, far = { { { 10, 1, 0, 2 } }, 8080, false };
static struct xb_plan_backend both[] = { { { { 10, 1, 0, 1 } }, 8080, true }, { { { 10, 1, 0, 2 } }, 8080, false } };
#define BOTH { both, 2, false }
#define FAR  { &far, 1, false }
#define NEAR { &near, 1, false }
#define NONE { NULL, 0, false }
#define SILENT { NULL, 0, true }

#define ENDPOINT_1 "endpoint-a/b/tcp/c__10.1.0.1/8080: from 10.1.0.1/32 mark\n" \
		   "endpoint-a/b/tcp/c__10.1.0.1/8080: dnat 10.1.0.1 8080\n"
#define ENDPOINT_2 "endpoint-a/b/tcp/c__10.1.0.2/8080: from 10.1.0.2/32 mark\n" \
		   "endpoint-a/b/tcp/c__10.1.0.2/8080: dnat 10.1.0.2 8080\n"
#define SERVICE    "service-a/b/tcp/c: chance 2 goto endpoint-a/b/tcp/c__10.1.0.1/8080\n" \
		   "service-a/b/tcp/c: goto endpoint-a/b/tcp/c__10.1.0.2/8080\n"
#define VIP_IN     "cluster-ips[0a600001]\nservice-ips[0a600001 06000000 00500000] service-a/b/tcp/c\n"

static void a_cluster_ip(void **state)
{
	struct xb_plan_port p = { .name = (char *)"a/b:c", .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = &vip, .n_frontends = 1,
				  .set = { BOTH, BOTH, BOTH } };

	is(&p, ENDPOINT_1 ENDPOINT_2 SERVICE VIP_IN);
	p.set[XB_SCOPE_INTERNAL] = (struct xb_plan_set)FAR;
	is(&p, ENDPOINT_2 "service-a/b/tcp/c: goto endpoint-a/b/tcp/c__10.1.0.2/8080\n" VIP_IN);
}

static void no_endpoint_is_refused_or_silent(void **state)
{
	struct xb_plan_port p = { .name = (char *)"a/b:c", .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = &vip, .n_frontends = 1,
				  .set = { NONE, NONE, NONE } };

	is(&p, "cluster-ips[0a600001]\nno-endpoint-services[0a600001 06000000 00500000] reject\n");
	p.set[XB_SCOPE_INTERNAL] = (struct xb_plan_set)SILENT;
	is(&p, "cluster-ips[0a600001]\nno-endpoint-services[0a600001 06000000 00500000] drop\n");
}

static void clients_from_outside(void **state)
{
	struct xb_plan_frontend fe[] = { { XB_FRONTEND_NODE_PORT, {}, 30080 }, { XB_FRONTEND_EXTERNAL_IP, { { 203, 0, 113, 7 } }, 80 } };
	struct xb_plan_port p = { .name = (char *)"a/b:c", .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = fe, .n_frontends = 2,
				  .set = { NONE, BOTH, BOTH } };

	/* policy Cluster: everybody is masqueraded, as some backends are elsewhere */
	is(&p, ENDPOINT_1 ENDPOINT_2 "cluster-a/b/tcp/c: chance 2 goto endpoint-a/b/tcp/c__10.1.0.1/8080\n"
	   "cluster-a/b/tcp/c: goto endpoint-a/b/tcp/c__10.1.0.2/8080\n"
	   "external-a/b/tcp/c: mark goto cluster-a/b/tcp/c\n"
	   "service-nodeports[06000000 75800000] external-a/b/tcp/c\nservice-ips[cb007107 06000000 00500000] external-a/b/tcp/c\n");
	/* all are here: replies come through here, and the client's address stays */
	p.set[XB_SCOPE_EXTERNAL] = p.set[XB_SCOPE_OUTSIDE] = (struct xb_plan_set)NEAR;
	is(&p, ENDPOINT_1 "cluster-a/b/tcp/c: goto endpoint-a/b/tcp/c__10.1.0.1/8080\n"
	   "external-a/b/tcp/c: goto cluster-a/b/tcp/c\n"
	   "service-nodeports[06000000 75800000] external-a/b/tcp/c\nservice-ips[cb007107 06000000 00500000] external-a/b/tcp/c\n");
}

static void policy_local(void **state)
{
	struct xb_plan_frontend fe[] = { vip, { XB_FRONTEND_NODE_PORT, {}, 30080 } };
	struct xb_plan_port p = { .name = (char *)"a/b:c", .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = fe, .n_frontends = 2,
				  .set = { BOTH, BOTH, NEAR } };

	is(&p, ENDPOINT_1 ENDPOINT_2 SERVICE "local-a/b/tcp/c: goto endpoint-a/b/tcp/c__10.1.0.1/8080\n"
	   "external-a/b/tcp/c: saddr in pod-networks goto service-a/b/tcp/c\n"
	   "external-a/b/tcp/c: from-node mark goto service-a/b/tcp/c\n"
	   "external-a/b/tcp/c: goto local-a/b/tcp/c\n"
	   VIP_IN "service-nodeports[06000000 75800000] external-a/b/tcp/c\n");
	/* none here: who is inside gets there all the same, and the others get nothing */
	p.set[XB_SCOPE_OUTSIDE] = (struct xb_plan_set)SILENT;
	is(&p, ENDPOINT_1 ENDPOINT_2 SERVICE "external-a/b/tcp/c: saddr in pod-networks goto service-a/b/tcp/c\n"
	   "external-a/b/tcp/c: from-node mark goto service-a/b/tcp/c\n"
	   VIP_IN "service-nodeports[06000000 75800000] external-a/b/tcp/c\nno-endpoint-nodeports[06000000 75800000] drop\n");
}

static void source_ranges_concern_load_balancer_ips(void **state)
{
	struct xb_plan_frontend fe[] = { { XB_FRONTEND_EXTERNAL_IP, { { 203, 0, 113, 7 } }, 80 },
					 { XB_FRONTEND_LOAD_BALANCER, { { 203, 0, 113, 8 } }, 80 } };
	struct xb_plan_net range = { { { 198, 51, 100, 0 } }, 24 };
	struct xb_plan_port p = { .name = (char *)"a/b:c", .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = fe, .n_frontends = 2,
				  .set = { NONE, FAR, FAR }, .source_ranges = &range, .n_source_ranges = 1, .source_ranges_set = true };
	const char *head = ENDPOINT_2 "cluster-a/b/tcp/c: goto endpoint-a/b/tcp/c__10.1.0.2/8080\nexternal-a/b/tcp/c: mark goto cluster-a/b/tcp/c\n";
	const char *tail = "firewall-a/b/tcp/c: drop\n"
			   "service-ips[cb007107 06000000 00500000] external-a/b/tcp/c\n"
			   "service-ips[cb007108 06000000 00500000] external-a/b/tcp/c\n"
			   "firewall-ips[cb007108 06000000 00500000] firewall-a/b/tcp/c\n";
	char want[2048];

	snprintf(want, sizeof(want), "%sfirewall-a/b/tcp/c: from 198.51.100.0/24 return\n%s", head, tail);
	is(&p, want);
	/* ranges of the other family only */
	p.n_source_ranges = 0;
	snprintf(want, sizeof(want), "%s%s", head, tail);
	is(&p, want);
}

static void affinity(void **state)
{
	struct xb_plan_port p = { .name = (char *)"a/b:c", .family = AF_INET, .proto = XB_PROTO_TCP, .frontends = &vip, .n_frontends = 1,
				  .affinity_seconds = 9, .set = { BOTH, NONE, NONE } };

	is(&p, "set affinity-a/b/tcp/c__10.1.0.1/8080\n"
	   "endpoint-a/b/tcp/c__10.1.0.1/8080: from 10.1.0.1/32 mark\n"
	   "endpoint-a/b/tcp/c__10.1.0.1/8080: saddr remember affinity-a/b/tcp/c__10.1.0.1/8080 9 dnat 10.1.0.1 8080\n"
	   "set affinity-a/b/tcp/c__10.1.0.2/8080\n"
	   "endpoint-a/b/tcp/c__10.1.0.2/8080: from 10.1.0.2/32 mark\n"
	   "endpoint-a/b/tcp/c__10.1.0.2/8080: saddr remember affinity-a/b/tcp/c__10.1.0.2/8080 9 dnat 10.1.0.2 8080\n"
	   "service-a/b/tcp/c: saddr in affinity-a/b/tcp/c__10.1.0.1/8080 goto endpoint-a/b/tcp/c__10.1.0.1/8080\n"
	   "service-a/b/tcp/c: saddr in affinity-a/b/tcp/c__10.1.0.2/8080 goto endpoint-a/b/tcp/c__10.1.0.2/8080\n"
	   SERVICE VIP_IN);
}

static void many_are_in_a_map(void **state)
{
	struct xb_plan_backend many[9] = {};
	struct xb_plan_port p = { .name = (char *)"a/b", .family = AF_INET6, .proto = XB_PROTO_UDP, .frontends = &vip, .n_frontends = 1,
				  .set = { { many, 9, false }, NONE, NONE } };
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(nft_wanted_done) struct nft_wanted w = { .family = AF_INET6, .arena = a };
	_cleanup_buf_ struct xb_buf out = {};

	for (unsigned char i = 0; i < 9; i++)
		many[i] = (struct xb_plan_backend){ { { 0xfd, [15] = i } }, 53, false };
	nft_want_port(&w, &p);
	print(&out, &w);
	assert_non_null(strstr(out.p, "\nset service-a/b/udp\nservice-a/b/udp: random 9 vmap service-a/b/udp\n"
				      "service-a/b/udp[00000000] endpoint-a/b/udp__fd00../53\n"));
	assert_non_null(strstr(out.p, "\nservice-a/b/udp[08000000] endpoint-a/b/udp__fd00..8/53\n"));
	assert_non_null(strstr(out.p, "\ncluster-ips[0a600001 00000000 00000000 00000000]\n"
				      "service-ips[0a600001 00000000 00000000 00000000 11000000 00500000] service-a/b/udp\n"));
}

/* --- the base */
static void base_is(int family, const struct xb_plan_node *node, const char *part)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(nft_wanted_done) struct nft_wanted w = { .family = family, .arena = a };
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_plan_addr addr = { { 192, 0, 2, 1 } };

	nft_want_base(&w, node, &addr, 1);
	print(&out, &w);
	if (!strstr(out.p, part))
		fail_msg("'%s' is not in\n%s", part, out.p);
}

static void strangers_at_cluster_ips_are_masqueraded(void **state)
{
	struct xb_plan_node node = { .pods[0] = { { { { { 10, 244 } }, 16 } }, 1 } };

	base_is(AF_INET, &node, "\nservices: daddr in cluster-ips saddr not-in pod-networks mark\nservices: daddr proto dport vmap service-ips\n");
	base_is(AF_INET, &node, "\nnodeport-ips[c0000201]\npod-networks[0af40000]\npod-networks[0af50000] end\n");
	/* where pods are not known, nobody is */
	base_is(AF_INET6, &node, "\ncluster-ips-check: daddr in service-networks drop\nservices: daddr proto dport vmap service-ips\n");
	node.masquerade_all = true;
	base_is(AF_INET, &node, "\nservices: daddr in cluster-ips mark\nservices: daddr proto dport vmap service-ips\n");
}

static void networks_do_not_overlap(void **state)
{
	struct xb_plan_net nets[] = { { { { 10, 96 } }, 12 }, { { { 10, 96, 4 } }, 24 }, { { { 10, 96 } }, 12 }, { { { 255 } }, 8 } };
	struct xb_plan_node node = { .services[0].n = ARRAY_SIZE(nets) };


	memcpy(node.services[0].v, nets, sizeof(nets));
	base_is(AF_INET, &node, "\nnodeport-ips[c0000201]\nservice-networks[0a600000]\nservice-networks[0a700000] end\nservice-networks[ff000000]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cluster_ip),
		cmocka_unit_test(no_endpoint_is_refused_or_silent),
		cmocka_unit_test(clients_from_outside),
		cmocka_unit_test(policy_local),
		cmocka_unit_test(source_ranges_concern_load_balancer_ips),
		cmocka_unit_test(affinity),
		cmocka_unit_test(many_are_in_a_map),
		cmocka_unit_test(strangers_at_cluster_ips_are_masqueraded),
		cmocka_unit_test(networks_do_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
