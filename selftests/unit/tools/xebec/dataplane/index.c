/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "memory.h"
#include "../../../../../tools/xebec/dataplane/index.c"

static const __u32 sizes[N_TABLES] = {
	[TABLE_HDR] = 1, [TABLE_FE4] = 16, [TABLE_FE6] = 4, [TABLE_SVC] = 8, [TABLE_NAME] = 8, [TABLE_BE4] = 16, [TABLE_BE6] = 4,
};

static void add_port(struct tables *t, __u32 slot, const char *name, enum xb_family family)
{
	struct xb_svc *svc = element(t, TABLE_SVC, slot);
	struct xb_name *text = element(t, TABLE_NAME, slot);

	svc->family = family;
	svc->proto = XB_PROTO_TCP;
	snprintf(text->name, sizeof(text->name), "%s", name);
}

static void lead(struct tables *t, int family, const char *addr, __u16 port, enum xb_frontend_kind kind, __u32 slot)
{
	struct xb_fe_key key = { .addr = address(addr), .port = port, .proto = port ? XB_PROTO_TCP : XB_PROTO_NONE };

	assert_int_equal(xb_frontends_put(&t->fe[family], &key, kind, slot), 0);
}

static struct tables *some_tables(void)
{
	struct tables *t = memory_tables(sizes);

	((struct xb_hdr *)element(t, TABLE_HDR, 0))->hash_seed = 12345;
	assert_int_equal(tables_index(t), 0);
	add_port(t, 3, "default/web:https", XB_IPV4);
	add_port(t, 1, "default/web:http", XB_IPV4);
	add_port(t, 5, "default/web:http", XB_IPV6);
	add_port(t, 2, "default/webserver", XB_IPV4);
	add_port(t, 4, "other/web", XB_IPV4);
	lead(t, 0, "0.0.0.0", 30080, XB_FRONTEND_NODE_PORT, 1);
	lead(t, 0, "10.96.0.7", 80, XB_FRONTEND_CLUSTER_IP, 1);
	lead(t, 0, "10.96.0.7", 0, XB_FRONTEND_VIP, 2);         /* two ports there: no port's own */
	lead(t, 0, "10.96.0.7", 443, XB_FRONTEND_CLUSTER_IP, 3);
	lead(t, 1, "fd00:10:96::7", 80, XB_FRONTEND_CLUSTER_IP, 5);
	return t;
}

static void ports_are_in_the_order_of_their_names(void **state)
{
	_cleanup_(tables_freep) struct tables *t = some_tables();
	_cleanup_index_ struct index x = {};
	static const __u32 order[] = { 1, 5, 3, 2, 4 };

	index_make(t, &x);
	assert_int_equal(x.slots.n, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(x.slots.v[i].svc, order[i]);
}

static void each_has_its_frontends(void **state)
{
	_cleanup_(tables_freep) struct tables *t = some_tables();
	_cleanup_index_ struct index x = {};
	const struct frontend *f;
	size_t n;

	index_make(t, &x);
	f = index_frontends(&x, 1, &n);
	assert_int_equal(n, 2);
	assert_int_equal(f[0].kind, XB_FRONTEND_CLUSTER_IP);
	assert_string_equal(endpoint_text(&f[0].addr, f[0].port).s, "10.96.0.7:80");
	assert_int_equal(f[1].port, 30080);
	f = index_frontends(&x, 5, &n);
	assert_int_equal(n, 1);
	assert_int_equal(f[0].family, XB_IPV6);
	index_frontends(&x, 2, &n);
	assert_int_equal(n, 0);
}

static void names_select(void **state)
{
	static const struct {
		const char *wanted[3];
		int error;
		size_t n;
	} cases[] = {
		{ { "default/web" }, 0, 3 },
		{ { "default/web:http" }, 0, 2 },
		{ { "default/webserver", "other/web" }, 0, 2 },
		{ { "default/we" }, -ENOENT, 0 },
		{ { "default/web", "default/nope" }, -ENOENT, 0 },
		{ { "web" }, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(tables_freep) struct tables *t = some_tables();
		_cleanup_index_ struct index x = {};
		_cleanup_free_ char *why = NULL;

		index_make(t, &x);
		assert_int_equal(index_select(&x, (char *const *)cases[i].wanted, &why), cases[i].error);
		if (cases[i].error)
			assert_non_null(why);
		else
			assert_int_equal(x.slots.n, cases[i].n);
	}
}

static void indexes_that_lead_nowhere(void **state)
{
	_cleanup_(tables_freep) struct tables *t = some_tables();
	struct xb_peer backend;

	assert_null(svc_at(t, 8));
	assert_false(backend_at(t, XB_IPV4, 16, &backend));
	assert_false(backend_at(t, XB_FAMILY_NONE, 0, &backend));
	assert_string_equal(name_of(t, 6).s, "#6");
	assert_string_equal(name_of(t, 600).s, "#600");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_in_the_order_of_their_names), cmocka_unit_test(each_has_its_frontends),
		cmocka_unit_test(names_select), cmocka_unit_test(indexes_that_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
