/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

struct told {
	int calls, error;
};

static void on_refuses(void *arg, int error)
{
	struct told *t = arg;

	t->calls++;
	t->error = error;
}

/* Values of 4 KB, so that a few hundred fill the database. */
static int put_big(struct fixture *f, int i, struct outcome *out)
{
	static char value[4096 + 64];
	int n = snprintf(value, sizeof(value), "{\"metadata\":{\"resourceVersion\":\"\"},\"n\":%d,\"pad\":\"%04096d\"}", i, 0);
	const struct store_value v = { .bytes = { value, n }, .hole = FIXTURE_HOLE };
	char key[32];

	*out = (struct outcome){};
	snprintf(key, sizeof(key), "configmaps/ns/%d", i);
	return store_put(f->s, key, revision_of(store_head(f->s, key)), &v, fixture_done_cb, out);
}

static int fill(struct fixture *f)
{
	struct outcome out;
	int n = 0;

	while (!put_big(f, n, &out)) {
		fixture_wait(f, &out);
		assert_int_equal(out.error, 0);
		assert_true(++n < 2000);
	}
	assert_int_equal(put_big(f, n, &out), -EDQUOT);
	return n;
}

static void delete_all(struct fixture *f, int n)
{
	char key[32];

	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "configmaps/ns/%d", i);
		fixture_set(f, key, -1);
	}
}

static void test_quota(void **state)
{
	struct told told = {};
	struct fixture f;
	struct store_stats first, full, again;
	int n;

	fixture_init(&f);
	f.config.quota = 2 << 20;
	f.config.history_bytes = 1;
	f.config.refuses = on_refuses;
	f.config.arg = &told;
	fixture_open(&f);
	store_stats(f.s, &first);
	assert_in_range(first.size.file, 16384, 200000);
	n = fill(&f);
	assert_in_range(n, 200, 600);
	store_stats(f.s, &full);
	assert_true(full.size.used >= full.quota);
	assert_int_equal(full.write_error, 0);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.error, -EDQUOT);
	assert_non_null(store_get(f.s, "configmaps/ns/0"));

	/* it is full after a restart, too */
	fixture_close(&f);
	fixture_open(&f);
	assert_int_equal(told.calls, 2);
	assert_int_equal(fixture_put(&f, "x", 0, 1, &(struct outcome){}), -EDQUOT);

	/* deletions go on and make room; its pages are used again, so the file does not grow */
	delete_all(&f, n);
	for (store_stats(f.s, &again); told.error; store_stats(f.s, &again))
		fixture_sleep(&f, 20);
	assert_in_range(again.size.used, 0, again.quota - again.quota / 20);
	assert_in_range(fill(&f), n / 4, n + 10); /* rows go by the batch, which is much beside so small a quota */
	store_stats(f.s, &again);
	assert_in_range(again.size.file, full.size.file, full.size.file + (1 << 20));
	fixture_done(&f);
}

static void test_errors_are_told_once(void **state)
{
	struct told told = {};
	struct store_stats st;
	struct outcome out;
	struct fixture f;

	fixture_init(&f);
	f.config.engine = fake_engine();
	f.config.refuses = on_refuses;
	f.config.arg = &told;
	fixture_open(&f);
	fake_set(false, -EIO);
	assert_int_equal(fixture_put(&f, "a", 0, 1, &out), 0);
	fixture_wait(&f, &out);
	assert_int_equal(out.error, -EIO);
	assert_int_equal(fixture_put(&f, "a", 0, 1, &out), -EIO);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.error, -EIO);
	fake_set(false, 0);
	for (store_stats(f.s, &st); st.write_error; store_stats(f.s, &st))
		fixture_sleep(&f, 100);
	assert_int_equal(told.calls, 2);
	assert_int_equal(told.error, 0);
	assert_int_equal(fake.relaxed, 0); /* the probe waits for the disk */
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_quota), cmocka_unit_test(test_errors_are_told_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
