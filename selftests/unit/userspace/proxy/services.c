/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "../../../../userspace/proxy/services.h"
#include "xb/time.h"

static struct xb_json *service(const char *name)
{
	struct xb_json *doc = NULL;
	char text[256];

	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\"}}", name);
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &doc, NULL), 0);
	return doc;
}

static const struct xb_jv none;

struct test {
	struct services *s;
	struct xb_json *docs[16];
	size_t n;
	struct xb_plan_slice *slices[16];
	size_t n_slices;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->s = services_new("services");
	assert_non_null(t->s);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	services_free(t->s);
	while (t->n)
		xb_json_unref(t->docs[--t->n]);
	while (t->n_slices)
		xb_plan_slice_free(t->slices[--t->n_slices]);
	free(t);
	return 0;
}

static struct xb_jv keep(struct test *t, struct xb_json *doc)
{
	t->docs[t->n++] = doc;
	return xb_json_root(doc);
}

/* owner NULL: none; trigger NULL: none */
static const struct xb_plan_slice *slice(struct test *t, const char *owner, const char *trigger)
{
	struct xb_buf text = {};
	struct xb_json *doc = NULL;

	xb_buf_adds(&text, "{\"metadata\":{\"name\":\"x\",\"namespace\":\"ns\",\"labels\":{\"a\":\"b\"");
	if (owner)
		xb_buf_addf(&text, ",\"kubernetes.io/service-name\":\"%s\"", owner);
	xb_buf_adds(&text, "}");
	if (trigger)
		xb_buf_addf(&text, ",\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":\"%s\"}", trigger);
	xb_buf_adds(&text, "}}");
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	assert_int_equal(xb_plan_slice_new(xb_json_root(doc), "node", &t->slices[t->n_slices]), 0);
	xb_json_unref(doc);
	xb_buf_done(&text);
	return t->slices[t->n_slices++];
}

/* The one dirty service, expected by key. */
static struct service *expect_dirty(struct test *t, const char *key)
{
	struct service *v = services_next_dirty(t->s);

	assert_non_null(v);
	assert_string_equal(v->key, key);
	return v;
}

static void service_and_slices_meet(void **state)
{
	struct test *t = *state;
	const struct xb_plan_slice *a = slice(t, "web", NULL), *b = slice(t, "web", NULL);
	struct xb_jv web = keep(t, service("web"));
	struct service *v;

	services_slice_changed(t->s, NULL, a);
	services_service_changed(t->s, none, web);
	services_slice_changed(t->s, NULL, b);
	assert_int_equal(services_dirty(t->s), 1);
	v = expect_dirty(t, "ns/web");
	assert_null(services_next_dirty(t->s));
	assert_int_equal(v->n_slices, 2);
	assert_true(v->object.doc == web.doc);
	assert_true(v->slices[0] == a && v->slices[1] == b);
}

static void one_slice_touches_one_service(void **state)
{
	struct test *t = *state;
	const struct xb_plan_slice *a = slice(t, "a", NULL), *newer = slice(t, "a", NULL);
	struct service *v;

	services_service_changed(t->s, none, keep(t, service("a")));
	services_service_changed(t->s, none, keep(t, service("b")));
	services_slice_changed(t->s, NULL, a);
	while (services_next_dirty(t->s))
		;
	services_slice_changed(t->s, a, newer);
	v = expect_dirty(t, "ns/a");
	assert_null(services_next_dirty(t->s));
	assert_int_equal(v->n_slices, 1);
	assert_ptr_equal(v->slices[0], newer);
}

static void slice_may_change_its_service(void **state)
{
	struct test *t = *state;
	const struct xb_plan_slice *before = slice(t, "a", NULL), *after = slice(t, "b", NULL), *lost = slice(t, NULL, NULL);
	struct service *a, *b;

	services_slice_changed(t->s, NULL, before);
	a = expect_dirty(t, "ns/a");
	services_slice_changed(t->s, before, after);
	assert_ptr_equal(expect_dirty(t, "ns/a"), a);
	b = expect_dirty(t, "ns/b");
	assert_int_equal(a->n_slices, 0);
	assert_int_equal(b->n_slices, 1);
	services_slice_changed(t->s, after, lost);
	assert_ptr_equal(expect_dirty(t, "ns/b"), b);
	assert_int_equal(b->n_slices, 0);
	services_slice_changed(t->s, lost, NULL);
	assert_null(services_next_dirty(t->s));
}

static void dirty_ones_come_in_order_and_once(void **state)
{
	struct test *t = *state;
	struct xb_jv a = keep(t, service("a")), b = keep(t, service("b"));

	assert_int_equal(services_oldest_dirty_ms(t->s), 0);
	services_service_changed(t->s, none, a);
	services_service_changed(t->s, none, b);
	services_service_changed(t->s, a, none);
	assert_true(services_oldest_dirty_ms(t->s) > 0);
	expect_dirty(t, "ns/a");
	expect_dirty(t, "ns/b");
	assert_null(services_next_dirty(t->s));
	services_service_changed(t->s, b, none);
	expect_dirty(t, "ns/b");
	assert_int_equal(services_oldest_dirty_ms(t->s), 0);
}

static void forgets_only_what_nothing_is_known_of(void **state)
{
	struct test *t = *state;
	const struct xb_plan_slice *a = slice(t, "web", NULL);
	struct xb_jv web = keep(t, service("web"));
	struct service *v;

	services_service_changed(t->s, none, web);
	services_slice_changed(t->s, NULL, a);
	v = expect_dirty(t, "ns/web");
	services_forget(v);
	services_service_changed(t->s, web, none);
	services_forget(expect_dirty(t, "ns/web"));
	assert_int_equal(services_count(t->s), 1);
	services_slice_changed(t->s, a, NULL);
	services_forget(expect_dirty(t, "ns/web"));
	assert_int_equal(services_count(t->s), 0);
}

static void oldest_trigger_counts(void **state)
{
	struct test *t = *state;
	struct service *v;
	int64_t want;

	services_slice_changed(t->s, NULL, slice(t, "web", "2026-01-01T00:00:05Z"));
	services_slice_changed(t->s, NULL, slice(t, "web", "2026-01-01T00:00:03.5Z"));
	services_slice_changed(t->s, NULL, slice(t, "web", "2026-01-01T00:00:09Z"));
	services_slice_changed(t->s, NULL, slice(t, "web", "yesterday"));
	v = expect_dirty(t, "ns/web");
	assert_int_equal(xb_time_parse(XB_SV("2026-01-01T00:00:03.5Z"), &want), 0);
	assert_true(v->trigger_us == want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(service_and_slices_meet), T(one_slice_touches_one_service), T(slice_may_change_its_service),
		T(dirty_ones_come_in_order_and_once), T(forgets_only_what_nothing_is_known_of), T(oldest_trigger_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
