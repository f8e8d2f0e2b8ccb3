/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/services/subsets.h"

static const struct slice_port http = { XB_SV("http"), XB_SV("TCP"), {}, 80 }, named = { XB_SV("named"), XB_SV("TCP"), {}, 8000 },
			       other = { XB_SV("named"), XB_SV("TCP"), {}, 9000 };
static struct xb_arena *arena;
static struct subsets *subsets;

static int setup(void **state)
{
	arena = xb_arena_new(0);
	subsets = arena ? subsets_new(arena) : NULL;
	return subsets ? 0 : -1;
}

static int teardown(void **state)
{
	arena = xb_arena_free(arena);
	return 0;
}

static void add(const char *ip, bool ready, const struct slice_port *ports, size_t n)
{
	struct subset_address a = { .ip = xb_sv(ip), .uid = xb_sv(ip), .name = xb_sv(ip), .ready = ready, .since = 7 };

	assert_int_equal(subsets_add(subsets, &a, ports, n), 0);
}

/* "ready|not ready|ports" a subset */
static struct xb_json *subsets_are(size_t max, bool cut, const char *expected)
{
	_cleanup_buf_ struct xb_buf text = {}, short_ = {};
	struct xb_json *doc = NULL;
	bool was_cut;

	assert_int_equal(subsets_write(subsets, max, &text, &was_cut), 0);
	assert_int_equal(was_cut, cut);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	for (struct xb_jit s = xb_jv_iter(xb_json_root(doc)); xb_jit_next(&s);) {
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(s.value, "addresses")); xb_jit_next(&it);)
			xb_buf_addf(&short_, "%.*s ", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "ip"))));
		xb_buf_adds(&short_, "| ");
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(s.value, "notReadyAddresses")); xb_jit_next(&it);)
			xb_buf_addf(&short_, "%.*s ", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "ip"))));
		xb_buf_adds(&short_, "|");
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(s.value, "ports")); xb_jit_next(&it);)
			xb_buf_addf(&short_, " %.*s", XB_SV_ARG(xb_jv_bytes(xb_jv_get(it.value, "port"))));
		xb_buf_adds(&short_, "\n");
	}
	assert_string_equal(short_.p ? short_.p : "", expected);
	return doc;
}

static void ports_with_the_same_addresses_are_one_subset(void **state)
{
	const struct slice_port both[] = { http, named };

	add("b", true, both, 2);
	add("a", true, both, 2);
	add("c", false, both, 2);
	xb_json_unref(subsets_are(1000, false, "a b | c | 80 8000\n"));
}

static void each_port_is_in_one_subset(void **state)
{
	const struct slice_port first[] = { http, named }, second[] = { http, other };

	add("b", true, second, 2);
	add("a", true, first, 2);
	add("c", true, &http, 1);
	xb_json_unref(subsets_are(1000, false, "a b c | | 80\na | | 8000\nb | | 9000\n"));
}

static void a_headless_service_needs_no_ports(void **state)
{
	add("a", true, NULL, 0);
	xb_json_unref(subsets_are(1000, false, "a | |\n"));
}

static void a_pod_without_the_port_is_nowhere(void **state)
{
	add("a", true, &http, 0);
	xb_json_unref(subsets_are(1000, false, ""));
}

static void too_many_are_cut(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	for (size_t i = 0; i < 4; i++)
		add(names[i], i < 2, i % 2 ? &http : &named, 1);
	xb_json_unref(subsets_are(3, true, "b | d | 80\na | | 8000\n"));
}

static void those_that_are_not_ready_go_first(void **state)
{
	add("a", false, &http, 1);
	add("b", true, &http, 1);
	add("c", true, &http, 1);
	xb_json_unref(subsets_are(2, true, "b c | | 80\n"));
	xb_json_unref(subsets_are(1, true, "b | | 80\n"));
}

static void sameness_passes_over_versions_and_order_of_members(void **state)
{
	struct xb_json *a, *b, *c;

	assert_int_equal(xb_json_parse(XB_SV("[{\"addresses\":[{\"ip\":\"x\",\"targetRef\":{\"uid\":\"u\",\"resourceVersion\":\"5\"}}]}]"), NULL, &a, NULL), 0);
	assert_int_equal(xb_json_parse(XB_SV("[{\"addresses\":[{\"targetRef\":{\"uid\":\"u\"},\"ip\":\"x\"}]}]"), NULL, &b, NULL), 0);
	assert_int_equal(xb_json_parse(XB_SV("[{\"addresses\":[{\"ip\":\"x\"}]}]"), NULL, &c, NULL), 0);
	assert_true(subsets_same(xb_json_root(a), xb_json_root(b)));
	assert_true(subsets_same(xb_json_root(b), xb_json_root(a)));
	assert_false(subsets_same(xb_json_root(a), xb_json_root(c)));
	assert_false(subsets_same(xb_json_root(c), xb_json_root(a)));
	xb_json_unref(a);
	xb_json_unref(b);
	xb_json_unref(c);
}

static void what_is_new_tells_since_when(void **state)
{
	struct xb_json *was;
	int64_t since = -1;

	add("a", true, &http, 1);
	was = subsets_are(1000, false, "a | | 80\n");
	assert_int_equal(subsets_since(subsets, xb_json_root(was), &since), 0);
	assert_int_equal(since, 0);
	subsets = subsets_new(arena);
	add("a", false, &http, 1);
	assert_int_equal(subsets_since(subsets, xb_json_root(was), &since), 0);
	assert_int_equal(since, 7);
	xb_json_unref(was);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ports_with_the_same_addresses_are_one_subset),
		TEST(each_port_is_in_one_subset),
		TEST(a_headless_service_needs_no_ports),
		TEST(a_pod_without_the_port_is_nowhere),
		TEST(too_many_are_cut),
		TEST(those_that_are_not_ready_go_first),
		TEST(sameness_passes_over_versions_and_order_of_members),
		TEST(what_is_new_tells_since_when),
	};

	return cmocka_run_group_tests_name("control/controllers/subsets", tests, NULL, NULL);
}
