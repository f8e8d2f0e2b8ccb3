/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../store/fixture.h"
#include "../../../../control/apiserver/event_ttl.h"
#include "xb/time.h"

#define TTL_MS 2000

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_init(f);
	fixture_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	free(*state);
	return 0;
}

/* An object written so many seconds ago, as its documents says. */
static void put_event(struct fixture *f, const char *key, int created_ago, int managed_ago)
{
	struct xb_time_text created = xb_time_format(xb_time_now() - created_ago * 1000000ll);
	struct xb_time_text managed = xb_time_format(xb_time_now() - managed_ago * 1000000ll);
	static const char form[] = "{\"metadata\":{\"creationTimestamp\":\"%s\",\"managedFields\":[{\"manager\":\"one whose entries are worth to be"
				   " kept apart\",\"time\":\"%s\"}],\"resourceVersion\":\"\"},\"n\":1}";
	struct outcome out = {};
	char value[512];
	int n = snprintf(value, sizeof(value), form, created.s, managed.s);
	struct store_value v = { .bytes = { value, n }, .hole = (size_t)(strstr(value, "\"},\"n\"") - value), .n_spans = 1 };

	v.spans[0].at = (size_t)(strstr(value, "{\"manager") - value);
	v.spans[0].n = (size_t)(strstr(value, "}]") - value) + 1 - v.spans[0].at;

	assert_int_equal(store_put(f->s, key, revision_of(store_head(f->s, key)), &v, fixture_done_cb, &out), 0);
	fixture_wait(f, &out);
	assert_int_equal(out.error, 0);
}

static unsigned wait_until_gone(struct fixture *f, const char *key)
{
	uint64_t begin = uv_hrtime();

	while (store_get(f->s, key)) {
		fixture_sleep(f, 20);
		assert_true(uv_hrtime() - begin < 20 * UINT64_C(1000000000));
	}
	return (unsigned)((uv_hrtime() - begin) / 1000000);
}

static void end(struct fixture *f, struct event_ttl *t)
{
	event_ttl_stop(t);
	fixture_close(f);
	event_ttl_free(t);
	fixture_open(f);
}

static void test_expiry(void **state)
{
	struct fixture *f = *state;
	const struct store_event *e;
	struct store_watch *w;
	struct store_part_at part;
	struct event_ttl *t;
	unsigned iter = 0;
	uint64_t from;

	put_event(f, "events/ns/old", 3600, 3600);
	put_event(f, "events/ns/young", 0, 0);
	put_event(f, "events/ns/renewed", 3600, 0);
	put_event(f, "events/ns/renewed", 3600, 0); /* what its managedFields say rests apart now */
	assert_true(store_part_next(store_get(f->s, "events/ns/renewed")->doc, &iter, &part));
	put_event(f, "pods/ns/old", 3600, 3600);
	from = store_revision(f->s);
	assert_int_equal(event_ttl_new(&f->loop, f->s, TTL_MS, &t), 0);
	assert_int_equal(store_watch_new(f->s, "events/", from, NULL, NULL, &w), 0);
	wait_until_gone(f, "events/ns/old");
	assert_non_null(store_get(f->s, "events/ns/young"));
	assert_non_null(store_get(f->s, "events/ns/renewed"));

	/* watchers see the last state, with the deletion's revision in it */
	e = store_watch_next(w);
	assert_int_equal(e->type, STORE_DELETED);
	assert_string_equal(e->object->key, "events/ns/old");
	assert_int_equal(xb_jv_count(xb_jv_path(xb_json_root(e->object->doc), "metadata")), 3);
	assert_int_equal(strtoull(xb_jv_text(xb_jv_path(xb_json_root(e->object->doc), "metadata", "resourceVersion")).p, NULL, 10), e->revision);
	store_watch_free(w);
	wait_until_gone(f, "events/ns/young");
	wait_until_gone(f, "events/ns/renewed");
	assert_non_null(store_get(f->s, "pods/ns/old"));
	end(f, t);
}

static void test_an_update_renews(void **state)
{
	struct fixture *f = *state;
	struct event_ttl *t;
	uint64_t begin;

	put_event(f, "events/ns/e", 0, 0);
	put_event(f, "events/ns/mark", 0, 0);
	assert_int_equal(event_ttl_new(&f->loop, f->s, TTL_MS, &t), 0);
	fixture_sleep(f, TTL_MS / 2);
	put_event(f, "events/ns/e", 3600, 3600); /* whatever its document says */
	begin = uv_hrtime();
	wait_until_gone(f, "events/ns/mark");
	assert_non_null(store_get(f->s, "events/ns/e"));
	wait_until_gone(f, "events/ns/e");
	assert_true(uv_hrtime() - begin >= TTL_MS * UINT64_C(1000000));
	end(f, t);
}

/* More than one slice, deleted by others and written meanwhile. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	struct event_ttl *t;
	char key[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "events/ns/%d", i);
		put_event(f, key, 60, 60);
	}
	assert_int_equal(event_ttl_new(&f->loop, f->s, TTL_MS, &t), 0);
	fixture_set(f, "events/ns/3", -1);
	put_event(f, "events/ns/4", 0, 0);
	wait_until_gone(f, "events/ns/999");
	while (store_count(f->s, "events/") > 1)
		fixture_sleep(f, 20);
	assert_non_null(store_get(f->s, "events/ns/4"));
	end(f, t);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_expiry), T(test_an_update_renews), T(test_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
