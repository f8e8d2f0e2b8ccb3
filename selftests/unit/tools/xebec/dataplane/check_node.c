/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What follows from the node, beside tables that are right and such as are wrong. */
#include "memory.h"
#include <linux/rtnetlink.h>
#include "../../../../../tools/xebec/dataplane/index.c"
#include "../../../../../tools/xebec/dataplane/findings.c"
#include "../../../../../tools/xebec/dataplane/check_node.c"

static const __u32 sizes[N_TABLES] = {
	[TABLE_HDR] = 1, [TABLE_FE4] = 16, [TABLE_FE6] = 4, [TABLE_SVC] = 8, [TABLE_NAME] = 8, [TABLE_NODE] = 1,
};

struct scene {
	struct tables *t;
	struct xb_ifaddr addrs[2];
	struct xb_plan_nets services[2], cluster[2];
	struct xb_plan_node_facts facts;
	struct xb_plan_port_networks networks;
};

static struct xb_ifaddr addr_on(const char *text, uint32_t ifindex)
{
	struct xb_ifaddr a = { .ifindex = ifindex, .scope = RT_SCOPE_UNIVERSE };

	assert_int_equal(xb_ip_parse(xb_sv(text), &a.net.ip), 0);
	return a;
}

static void put(struct scene *c, int f, const char *text)
{
	struct xb_fe_key key = { .addr = address(text) };

	assert_int_equal(xb_frontends_put(&c->t->fe[f], &key, XB_FRONTEND_NODE_ADDR, 0), 0);
}

static struct xb_node *record(struct scene *c)
{
	return element(c->t, TABLE_NODE, 0);
}

static int set_up(void **state)
{
	struct scene *c = xalloc(calloc(1, sizeof(*c)));
	struct xb_plan_node node;

	c->t = memory_tables(sizes);
	((struct xb_hdr *)element(c->t, TABLE_HDR, 0))->hash_seed = 12345;
	assert_int_equal(tables_index(c->t), 0);
	c->addrs[0] = addr_on("192.0.2.1", 2);
	c->addrs[1] = addr_on("2001:db8::1", 2);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.96.0.0/12,fd00:10:96::/108"), c->services), 0);
	assert_int_equal(xb_plan_nets_add(XB_SV("10.244.0.0/16,10.245.0.0/16"), c->cluster), 0);
	c->facts = (struct xb_plan_node_facts){
		.addrs = c->addrs, .n_addrs = ARRAY_SIZE(c->addrs), .local_first = 32768, .local_last = 60999,
		.cluster = c->cluster, .services = c->services,
	};
	xb_plan_node_make(&c->facts, &node);
	xb_plan_node_record(&node, record(c));
	put(c, 0, "192.0.2.1");
	put(c, 1, "2001:db8::1");
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *c = *state;

	xb_plan_port_networks_done(&c->networks);
	tables_free(c->t);
	free(c);
	return 0;
}

/* Exactly these, each "entry: what", in the order in which they are found. */
static void expect(struct scene *c, const char *const *lines, size_t n)
{
	_cleanup_findings_ struct findings f = {};
	_cleanup_index_ struct index x = {};

	index_make(c->t, &x);
	check_node(c->t, &x, &c->facts, &c->networks, &f);
	for (size_t i = 0; i < f.v.n; i++) {
		_cleanup_free_ char *line = xprintf("%s: %s", f.v.v[i].entry, f.v.v[i].what);

		assert_true(i < n);
		assert_string_equal(line, lines[i]);
	}
	assert_int_equal(f.v.n, n);
}
#define EXPECT(c, ...) ({ const char *const _l[] = { __VA_ARGS__ }; expect((c), _l, ARRAY_SIZE(_l)); })

static void right_tables(void **state)
{
	struct scene *c = *state;
	struct xb_net4 *pods = record(c)->pods4, was = pods[0];

	expect(c, NULL, 0);
	/* their order says nothing */
	pods[0] = pods[1];
	pods[1] = was;
	expect(c, NULL, 0);
}

static void masquerading(void **state)
{
	struct scene *c = *state;

	record(c)->addr4 = (union xb_ip4){};
	record(c)->addr6.b[15] = 2;
	record(c)->nat_count = 5;
	record(c)->masquerade_all = 1;
	EXPECT(c, "xb_node: masquerades as nothing, and should as 192.0.2.1",
	       "xb_node: masquerades as 2001:db8::2, and should as 2001:db8::1",
	       "xb_node: masquerades by 5 ports from 1024 on, and should by 28976 from 1024 on",
	       "xb_node: what pods send to cluster IPs is masqueraded, and should not be");
}

static void networks(void **state)
{
	struct scene *c = *state;

	record(c)->pods4[1].mask.b[1] = 0xfe;
	record(c)->services6[0] = (struct xb_net6){};
	EXPECT(c, "xb_node: where pods are: 10.245.0.0/16 is missing", "xb_node: where pods are: 10.245.0.0/15 is too much",
	       "xb_node: where cluster IPs are: fd00:10:96::/108 is missing");
}

static void addresses(void **state)
{
	struct scene *c = *state;

	put(c, 0, "192.0.2.7");
	c->addrs[1] = addr_on("2001:db8::9", 2);
	record(c)->addr6 = address("2001:db8::9");
	EXPECT(c, "xb_fe4 192.0.2.7:0 (address): is too much: the node has no such address, or its node ports are not to answer there",
	       "xb_fe6 [2001:db8::9]:0 (address): is missing: no node port answers at this address of the node",
	       "xb_fe6 [2001:db8::1]:0 (address): is too much: the node has no such address, or its node ports are not to answer there");
}

static void addresses_by_networks(void **state)
{
	struct scene *c = *state;

	assert_int_equal(xb_plan_port_networks_add(&c->networks, "2001:db8::/32"), 0);
	EXPECT(c, "xb_fe4 192.0.2.1:0 (address): is too much: the node has no such address, or its node ports are not to answer there");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(right_tables), TEST(masquerading), TEST(networks), TEST(addresses), TEST(addresses_by_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
