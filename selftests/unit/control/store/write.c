/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "../../../../control/store/core.h"

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_init(f);
	f->config.engine = fake_engine();
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

static void test_compare_and_set(void **state)
{
	struct fixture *f = *state;
	struct outcome out;
	uint64_t a, b;

	assert_int_equal(store_revision(f->s), 1);
	assert_int_equal(fixture_put(f, "pods/ns/a", 5, 1, &out), -ENOENT);
	assert_int_equal(fixture_delete(f, "pods/ns/a", 0, 1, &out), -ENOENT);
	a = fixture_set(f, "pods/ns/a", 1);
	assert_int_equal(a, 2);
	assert_int_equal(fixture_put(f, "pods/ns/a", 0, 1, &out), -EEXIST);
	assert_int_equal(fixture_put(f, "pods/ns/a", a + 1, 1, &out), -ESTALE);
	b = fixture_set(f, "pods/ns/a", 2);
	assert_int_equal(b, 3);
	assert_int_equal(fixture_delete(f, "pods/ns/a", a, 1, &out), -ESTALE);
	assert_int_equal(store_get(f->s, "pods/ns/a")->created, a);
	assert_int_equal(fixture_set(f, "pods/ns/a", -1), 4);
	assert_null(store_get(f->s, "pods/ns/a"));
	assert_int_equal(fixture_put(f, "pods/ns/a", b, 1, &out), -ENOENT);
	assert_int_equal(fixture_set(f, "pods/ns/a", 3), 5);
	assert_int_equal(store_get(f->s, "pods/ns/a")->created, 5);
	assert_int_equal(out.calls, 0);
}

static void test_revision_stands_in_the_document(void **state)
{
	struct fixture *f = *state;
	struct xb_sv bytes;

	fixture_set(f, "k", 7);
	bytes = xb_json_bytes(store_get(f->s, "k")->doc);
	assert_true(xb_sv_is(bytes, "{\"metadata\":{\"resourceVersion\":\"2\"},\"n\":7}"));
}

static void test_refused_values(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *big = calloc(1, 2 << 20);
	struct outcome out = {};

	static const struct {
		const char *key, *bytes;
		size_t hole;
		int error;
	} bad[] = { { "k", "{", 0, -EBADMSG }, { "k", "\"\"", 3, -EINVAL }, { "", "\"\"", 1, -EINVAL } };
	struct store_value v = { .bytes = { big, 2 << 20 } };

	assert_int_equal(store_put(f->s, "k", 0, &v, fixture_done_cb, &out), -EMSGSIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		v = (struct store_value){ .bytes = xb_sv(bad[i].bytes), .hole = bad[i].hole };
		assert_int_equal(store_put(f->s, bad[i].key, 0, &v, fixture_done_cb, &out), bad[i].error);
	}
	assert_null(store_head(f->s, "k"));
	assert_int_equal(fixture_set(f, "k", 1), 2);
}

static void test_writes_during_a_commit_are_one_batch(void **state)
{
	struct fixture *f = *state;
	struct outcome out[50];
	char key[16];

	fake_set(true, 0);
	fixture_put(f, "first", 0, 0, &out[0]);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	for (int i = 1; i < 50; i++) {
		snprintf(key, sizeof(key), "k%d", i % 40);
		assert_int_equal(fixture_put(f, key, revision_of(store_head(f->s, key)), i, &out[i]), 0);
		assert_int_equal(fixture_n(store_head(f->s, key)), i);
		assert_null(store_get(f->s, key));
	}
	assert_int_equal(store_count(f->s, ""), 0);
	fake_set(false, 0);
	fixture_wait(f, &out[49]);
	assert_int_equal(fake.commits, 2);
	assert_int_equal(fake.rows, 50);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(out[i].calls, 1);
		assert_int_equal(out[i].error, 0);
		assert_int_equal(out[i].revision, 2 + i);
	}
	assert_int_equal(store_count(f->s, ""), 41);
	assert_int_equal(fixture_n(store_get(f->s, "k5")), 45);
}

static void put_patiently(struct fixture *f, const char *key, struct outcome *out)
{
	char buf[64];
	struct store_value v = fixture_value(buf, 1);

	v.patient = true;
	*out = (struct outcome){};
	assert_int_equal(store_put(f->s, key, 0, &v, fixture_done_cb, out), 0);
}

/* Alone they share one commit a while later; with anything else, before an answer that rests on them, or as many, they go at once. */
static void test_patient_writes_share_a_commit(void **state)
{
	struct fixture *f = *state;
	struct outcome a, b, c, barrier = {};
	char key[16];

	put_patiently(f, "leases/a", &a);
	for (int i = 0; i < 20; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(a.calls, 0);
	put_patiently(f, "leases/b", &b);
	fixture_wait(f, &b);
	assert_int_equal(a.calls, 1);
	assert_int_equal(fake.commits, 1);

	put_patiently(f, "leases/c", &a);
	fixture_put(f, "pods/x", 0, 1, &b);
	put_patiently(f, "leases/d", &c);
	fixture_wait(f, &b);
	assert_int_equal(a.calls + c.calls, 2);
	assert_int_equal(fake.commits, 2);

	put_patiently(f, "leases/e", &a);
	assert_int_equal(store_barrier(f->s, fixture_done_cb, &barrier), 0);
	assert_true(uv_is_active((uv_handle_t *)&f->s->submit));
	fixture_wait(f, &a);
	assert_int_equal(fake.commits, 3);

	for (int i = 0; i < STORE_PATIENCE_WRITES; i++) {
		assert_false(uv_is_active((uv_handle_t *)&f->s->submit));
		snprintf(key, sizeof(key), "many/%d", i);
		put_patiently(f, key, &a);
	}
	assert_true(uv_is_active((uv_handle_t *)&f->s->submit));
	fixture_wait(f, &a);
	assert_int_equal(fake.commits, 4);
}

static void test_barrier(void **state)
{
	struct fixture *f = *state;
	struct outcome put, barrier = {}, now = {};

	assert_int_equal(store_barrier(f->s, fixture_done_cb, &now), 0);
	assert_int_equal(now.calls, 1);
	fake_set(true, 0);
	fixture_put(f, "k", 0, 1, &put);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(store_barrier(f->s, fixture_done_cb, &barrier), 0);
	assert_int_equal(barrier.calls, 0);
	fake_set(false, 0);
	fixture_wait(f, &barrier);
	assert_int_equal(put.calls, 1);
	assert_int_equal(fake.commits, 1);
}

static void test_failed_commit(void **state)
{
	struct fixture *f = *state;
	struct outcome out[6], barrier = {}, refused;
	struct store_stats stats;
	uint64_t a = fixture_set(f, "a", 1), gone = fixture_set(f, "gone", 1);

	fake_set(true, -ENOSPC);
	fixture_put(f, "a", a, 2, &out[0]);
	fixture_put(f, "b", 0, 2, &out[1]);
	fixture_delete(f, "gone", gone, 2, &out[2]);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	fixture_put(f, "a", store_head(f->s, "a")->revision, 3, &out[3]);
	fixture_put(f, "c", 0, 3, &out[4]);
	fixture_put(f, "gone", 0, 3, &out[5]);
	store_barrier(f->s, fixture_done_cb, &barrier);
	fake_set(false, -ENOSPC);
	fixture_wait(f, &barrier);
	assert_int_equal(barrier.error, -ENOSPC);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(out[i].calls, 1);
		assert_int_equal(out[i].error, -ENOSPC);
	}
	assert_int_equal(fixture_n(store_head(f->s, "a")), 1);
	assert_int_equal(fixture_n(store_get(f->s, "gone")), 1);
	assert_null(store_head(f->s, "b"));
	assert_null(store_head(f->s, "c"));
	assert_int_equal(store_count(f->s, ""), 2);
	assert_int_equal(store_revision(f->s), gone);
	assert_int_equal(fixture_put(f, "a", a, 4, &refused), -ENOSPC);
	store_stats(f->s, &stats);
	assert_int_equal(stats.write_error, -ENOSPC);

	/* the store tries by itself, and serves again without a restart; a failed write's number is not given again */
	fake_set(false, 0);
	while (stats.write_error) {
		fixture_sleep(f, 100);
		store_stats(f->s, &stats);
	}
	assert_int_equal(fake.probes, 1);
	assert_int_equal(fixture_set(f, "a", 4), gone + 7);
}

static void test_close_commits_what_is_queued(void **state)
{
	struct fixture *f = *state;
	struct outcome a, b;

	fixture_put(f, "a", 0, 1, &a);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	fixture_put(f, "b", 0, 1, &b);
	f->s = store_close(f->s);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(b.error, 0);
	assert_int_equal(fake.rows, 2);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_compare_and_set), T(test_revision_stands_in_the_document), T(test_refused_values),
		T(test_writes_during_a_commit_are_one_batch), T(test_patient_writes_share_a_commit), T(test_barrier), T(test_failed_commit),
		T(test_close_commits_what_is_queued),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
