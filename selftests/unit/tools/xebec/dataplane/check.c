/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tables that are right have no findings; each thing that is made wrong has its own. */
#include "memory.h"
#include "../../../../../tools/xebec/dataplane/index.c"
#include "../../../../../tools/xebec/dataplane/findings.c"
#include "../../../../../tools/xebec/dataplane/check_tables.c"
#include "../../../../../tools/xebec/dataplane/check_service.c"

static const __u32 sizes[N_TABLES] = {
	[TABLE_HDR] = 1, [TABLE_FE4] = 16, [TABLE_FE6] = 4, [TABLE_SVC] = 8, [TABLE_NAME] = 8, [TABLE_BE4] = 16, [TABLE_BE6] = 4,
	[TABLE_MAG] = 4,
};

static const char service_json[] =
	"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
	"\"managedFields\":[{\"time\":\"2026-01-02T00:00:00Z\"}]},"
	"\"spec\":{\"clusterIP\":\"10.96.0.7\",\"type\":\"NodePort\",\"ports\":[{\"port\":80,\"nodePort\":30080}]}}";
static const char slice_json[] =
	"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web-1\",\"creationTimestamp\":\"2026-01-03T00:00:00Z\"},\"addressType\":\"IPv4\","
	"\"ports\":[{\"name\":\"\",\"port\":8080}],\"endpoints\":["
	"{\"addresses\":[\"10.244.1.5\"],\"nodeName\":\"here\",\"conditions\":{\"ready\":true}},"
	"{\"addresses\":[\"10.244.2.5\"],\"nodeName\":\"there\",\"conditions\":{\"ready\":true}}]}";

struct scene {
	struct tables *t;
	struct xb_json *service, *slice;
	struct check_service s;
	struct xb_jv slices[1];
};

static void put(struct tables *t, const char *addr, __u16 port, enum xb_frontend_kind kind, __u32 svc)
{
	struct xb_fe_key key = { .addr = address(addr), .port = port, .proto = port ? XB_PROTO_TCP : XB_PROTO_NONE };

	assert_int_equal(xb_frontends_put(&t->fe[0], &key, kind, svc), 0);
}

static void name(struct scene *c, __u32 slot, const char *text)
{
	struct xb_name *name = element(c->t, TABLE_NAME, slot);

	snprintf(name->name, sizeof(name->name), "%s", text);
}

/* What the agent makes of the Service above. */
static int set_up(void **state)
{
	struct scene *c = xalloc(calloc(1, sizeof(*c)));
	struct xb_svc *svc;

	c->t = memory_tables(sizes);
	((struct xb_hdr *)element(c->t, TABLE_HDR, 0))->hash_seed = 12345;
	assert_int_equal(tables_index(c->t), 0);
	svc = element(c->t, TABLE_SVC, 1);
	*svc = (struct xb_svc){ .family = XB_IPV4, .proto = XB_PROTO_TCP };
	for (int i = 0; i < XB_SETS; i++)
		svc->set[i] = (struct xb_set){ .base = 4, .count = 2, .gen = 1 };
	name(c, 1, "default/web");
	*(struct xb_be4 *)element(c->t, TABLE_BE4, 4) = (struct xb_be4){ .addr.be32 = address("10.244.1.5").be32[3], .port = 8080, .local = 1 };
	*(struct xb_be4 *)element(c->t, TABLE_BE4, 5) = (struct xb_be4){ .addr.be32 = address("10.244.2.5").be32[3], .port = 8080 };
	put(c->t, "10.96.0.7", 80, XB_FRONTEND_CLUSTER_IP, 1);
	put(c->t, "10.96.0.7", 0, XB_FRONTEND_VIP, 1);
	put(c->t, "192.0.2.1", 0, XB_FRONTEND_NODE_ADDR, 0);
	put(c->t, "0.0.0.0", 30080, XB_FRONTEND_NODE_PORT, 1);
	assert_int_equal(xb_json_parse(XB_SV(service_json), NULL, &c->service, NULL), 0);
	assert_int_equal(xb_json_parse(XB_SV(slice_json), NULL, &c->slice, NULL), 0);
	c->slices[0] = xb_json_root(c->slice);
	c->s.object = xb_json_root(c->service);
	c->s.slices.v = c->slices;
	c->s.slices.n = 1;
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *c = *state;

	xb_json_unref(c->service);
	xb_json_unref(c->slice);
	tables_free(c->t);
	free(c);
	return 0;
}

static void find(struct scene *c, struct findings *ret)
{
	_cleanup_index_ struct index x = {};
	bool matched[8] = {};

	*ret = (struct findings){};
	index_make(c->t, &x);
	check_tables(c->t, &x, ret);
	check_service(c->t, &x, &c->s, &(struct xb_plan_here){ .node = "here", .zone = "" }, matched, ret);
	check_unmatched(&x, matched, ret);
}

/* Exactly these, each "entry: what", in the order in which they are found. */
static void expect(struct scene *c, const char *const *lines, size_t n)
{
	_cleanup_findings_ struct findings f = {};

	find(c, &f);
	for (size_t i = 0; i < f.v.n; i++) {
		_cleanup_free_ char *line = xprintf("%s: %s", f.v.v[i].entry, f.v.v[i].what);

		assert_true(i < n);
		assert_string_equal(line, lines[i]);
	}
	assert_int_equal(f.v.n, n);
}
#define EXPECT(c, ...) ({ const char *const _l[] = { __VA_ARGS__ }; expect((c), _l, ARRAY_SIZE(_l)); })

static struct xb_svc *svc(struct scene *c)
{
	return element(c->t, TABLE_SVC, 1);
}

static void right_tables(void **state)
{
	expect(*state, NULL, 0);
}

static void since_the_newest_change(void **state)
{
	_cleanup_findings_ struct findings f = {};

	svc(*state)->affinity_seconds = 7;
	find(*state, &f);
	assert_int_equal(f.v.n, 1);
	assert_string_equal(xb_time_format(f.v.v[0].since_us).s, "2026-01-03T00:00:00Z");
}

static void a_backend_too_much_and_one_missing(void **state)
{
	*(struct xb_be4 *)element(((struct scene *)*state)->t, TABLE_BE4, 5) =
		(struct xb_be4){ .addr.be32 = address("10.244.2.6").be32[3], .port = 8080 };
	svc(*state)->set[XB_SCOPE_EXTERNAL] = svc(*state)->set[XB_SCOPE_OUTSIDE] = svc(*state)->set[XB_SERVING] =
		(struct xb_set){ .base = 4, .count = 1, .gen = 2 };
	EXPECT(*state, "default/web TCP IPv4: internal: backend 10.244.2.5:8080 is missing",
	       "default/web TCP IPv4: internal: backend 10.244.2.6:8080 is too much",
	       "default/web TCP IPv4: external: backend 10.244.2.5:8080 is missing",
	       "default/web TCP IPv4: outside: backend 10.244.2.5:8080 is missing",
	       "default/web TCP IPv4: serving: backend 10.244.2.5:8080 is missing");
}

static void a_wrong_local_mark(void **state)
{
	((struct xb_be4 *)element(((struct scene *)*state)->t, TABLE_BE4, 4))->local = 0;
	EXPECT(*state, "default/web TCP IPv4: internal: backend 10.244.1.5:8080 is on this node",
	       "default/web TCP IPv4: external: backend 10.244.1.5:8080 is on this node",
	       "default/web TCP IPv4: outside: backend 10.244.1.5:8080 is on this node",
	       "default/web TCP IPv4: serving: backend 10.244.1.5:8080 is on this node");
}

static void sets_out_of_order_and_out_of_range(void **state)
{
	struct scene *c = *state;
	struct xb_be4 *a = element(c->t, TABLE_BE4, 4), *b = element(c->t, TABLE_BE4, 5), was = *a;
	_cleanup_findings_ struct findings f = {};

	*a = *b;
	*b = was;
	find(c, &f);
	assert_string_equal(f.v.v[0].what, "its internal set is not sorted at 10.244.1.5:8080");
	*b = *a;
	*a = was;
	svc(c)->set[XB_SCOPE_OUTSIDE] = (struct xb_set){ .base = 16, .count = 2 };
	EXPECT(c, "default/web TCP IPv4: its outside set is backends 16 to 17, and the table has 0 to 15");
}

static void frontends_that_lead_nowhere(void **state)
{
	struct scene *c = *state;

	put(c->t, "10.96.0.8", 80, XB_FRONTEND_EXTERNAL_IP, 77);
	put(c->t, "10.96.0.8", 0, XB_FRONTEND_SHARED, 1 << 16);
	put(c->t, "10.96.0.9", 80, XB_FRONTEND_EXTERNAL_IP, 3);
	put(c->t, "10.96.0.9", 0, XB_FRONTEND_SHARED, 1 << 16);
	EXPECT(c, "xb_fe4 10.96.0.8:80 TCP: leads to service 77, and xb_svc has 1 to 7",
	       "xb_fe4 10.96.0.9:80 TCP: leads to service 3, which has no name");
}

static void a_frontend_too_much(void **state)
{
	put(((struct scene *)*state)->t, "0.0.0.0", 30081, XB_FRONTEND_NODE_PORT, 1);
	EXPECT(*state, "default/web TCP IPv4: NodePort *:30081 is too much");
}

static void a_frontend_of_another(void **state)
{
	struct scene *c = *state;
	struct xb_svc *other = element(c->t, TABLE_SVC, 2);

	*other = *svc(c);
	memset(other->set, 0, sizeof(other->set));
	name(c, 2, "other/web");
	put(c->t, "0.0.0.0", 30080, XB_FRONTEND_NODE_PORT, 2);
	EXPECT(c, "default/web TCP IPv4: NodePort *:30080 belongs to other/web",
	       "other/web TCP IPv4: is in the tables, and nothing in the API has it");
}

static void addresses_that_count_wrong(void **state)
{
	put(((struct scene *)*state)->t, "10.96.0.7", 0, XB_FRONTEND_VIP, 3);
	EXPECT(*state, "xb_fe4 10.96.0.7:0 (address): counts 3 ports of cluster IPs and 0 others, and 1 and 0 are there");
}

static void an_address_that_refuses_too_much(void **state)
{
	struct scene *c = *state;

	name(c, 2, "default/other");
	*(struct xb_svc *)element(c->t, TABLE_SVC, 2) = (struct xb_svc){ .family = XB_IPV4, .proto = XB_PROTO_TCP };
	put(c->t, "203.0.113.9", 80, XB_FRONTEND_EXTERNAL_IP, 2);
	put(c->t, "203.0.113.9", 0, XB_FRONTEND_VIP, 1 << 16);
	EXPECT(c, "xb_fe4 203.0.113.9:0 (address): is address of services, and the address has 0 ports of cluster IPs",
	       "default/other TCP IPv4: is in the tables, and nothing in the API has it");
}

static void a_frontend_without_its_address(void **state)
{
	struct scene *c = *state;

	name(c, 2, "default/other");
	*(struct xb_svc *)element(c->t, TABLE_SVC, 2) = (struct xb_svc){ .family = XB_IPV4, .proto = XB_PROTO_TCP };
	put(c->t, "203.0.113.9", 80, XB_FRONTEND_EXTERNAL_IP, 2);
	EXPECT(c, "xb_fe4 203.0.113.9:80 TCP: is not looked for: its address has no entry",
	       "default/other TCP IPv4: is in the tables, and nothing in the API has it");
}

static void a_key_that_no_lookup_finds(void **state)
{
	struct scene *c = *state;
	struct xb_fe4_bucket *buckets = element(c->t, TABLE_FE4, 0);

	for (__u32 i = 0; i < sizes[TABLE_FE4]; i++) {
		for (int w = 0; w < XB_FE_WAYS; w++) {
			struct xb_fe4 entry = buckets[i].way[w];
			struct xb_fe4 *free_way = &buckets[(i + 1) % sizes[TABLE_FE4]].way[XB_FE_WAYS - 1];

			if (entry.fe.kind != XB_FRONTEND_NODE_ADDR)
				continue;
			buckets[i].way[w].fe = (struct xb_fe){};
			free_way->fe = entry.fe;
			free_way->addr = entry.addr;
			EXPECT(c, "xb_fe4 192.0.2.1:0 (address): is not found by a lookup: it lies where it does not belong");
			return;
		}
	}
	fail();
}

static void a_slot_without_its_name(void **state)
{
	struct scene *c = *state;

	memset(element(c->t, TABLE_NAME, 1), 0, sizeof(struct xb_name));
	EXPECT(c, "xb_fe4 *:30080 TCP: leads to service 1, which has no name",
	       "xb_fe4 10.96.0.7:80 TCP: leads to service 1, which has no name", "xb_svc 1: has backends, and no name",
	       "default/web TCP IPv4: is not in the tables");
}

static void two_ports_with_the_same_backends(void **state)
{
	struct scene *c = *state;
	struct xb_svc *other = element(c->t, TABLE_SVC, 2);

	*other = *svc(c);
	name(c, 2, "other/web");
	EXPECT(c, "other/web TCP IPv4: shares backends 4 on with default/web",
	       "other/web TCP IPv4: is in the tables, and nothing in the API has it");
}

static void a_maglev_table_that_leads_beyond_the_set(void **state)
{
	struct scene *c = *state;

	svc(c)->maglev = (struct xb_slice){ .base = 1, .size = 37 };
	((struct xb_mag *)element(c->t, TABLE_MAG, 2))->position[4] = 2;
	EXPECT(c, "default/web TCP IPv4: its Maglev table leads beyond its outside set at 36", "default/web TCP IPv4: it has a Maglev table");
}

static void flags_of_a_port(void **state)
{
	svc(*state)->dsr = 1;
	svc(*state)->drop[XB_SCOPE_OUTSIDE] = 1;
	svc(*state)->source_ranges = 5;
	EXPECT(*state, "default/web TCP IPv4: outside: without a backend it is silent, and should be refused",
	       "default/web TCP IPv4: load balancer IPs have source ranges, and should have none",
	       "default/web TCP IPv4: direct server return is set");
}

static void what_both_looks_have(void **state)
{
	_cleanup_findings_ struct findings a = {}, b = {};

	findings_add(&a, xprintf("x"), 0, "1");
	findings_add(&a, xprintf("y"), 0, "2");
	findings_add(&a, xprintf("z"), 0, "3");
	findings_add(&b, xprintf("z"), 0, "3");
	findings_add(&b, xprintf("y"), 0, "another");
	findings_intersect(&a, &b);
	assert_int_equal(a.v.n, 1);
	assert_string_equal(a.v.v[0].entry, "z");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(right_tables), TEST(since_the_newest_change), TEST(a_backend_too_much_and_one_missing), TEST(a_wrong_local_mark),
		TEST(sets_out_of_order_and_out_of_range), TEST(frontends_that_lead_nowhere), TEST(a_frontend_too_much),
		TEST(a_frontend_of_another), TEST(addresses_that_count_wrong), TEST(an_address_that_refuses_too_much),
		TEST(a_frontend_without_its_address), TEST(a_key_that_no_lookup_finds),
		TEST(a_slot_without_its_name), TEST(two_ports_with_the_same_backends), TEST(a_maglev_table_that_leads_beyond_the_set),
		TEST(flags_of_a_port), cmocka_unit_test(what_both_looks_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
