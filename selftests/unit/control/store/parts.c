/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What objects have alike is kept once, in memory and in the file, as long as one of them has it. */
#include <sqlite3.h>
#include "fixture.h"

#define ALIKE "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"web\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{}}}}}"
#define OTHER "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"log\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{}}}}}"

/* {"fields":<piece>,"metadata":{"resourceVersion":""},"more":<piece>}: one before the hole, one behind it */
static int put(struct fixture *f, const char *key, const char *before, const char *behind, struct outcome *out)
{
	struct store_object *head = store_head(f->s, key);
	struct store_value v = { .n_spans = 2 };
	_cleanup_buf_ struct xb_buf b = {};

	xb_buf_adds(&b, "{\"fields\":");
	v.spans[0] = (struct store_span){ b.n, strlen(before) };
	xb_buf_addf(&b, "%s,\"metadata\":{\"resourceVersion\":\"", before);
	v.hole = b.n;
	xb_buf_adds(&b, "\"},\"more\":");
	v.spans[1] = (struct store_span){ b.n, strlen(behind) };
	xb_buf_addf(&b, "%s}", behind);
	v.bytes = xb_buf_sv(&b);
	*out = (struct outcome){};
	return store_put(f->s, key, head ? head->revision : 0, &v, fixture_done_cb, out);
}

static void set(struct fixture *f, const char *key, const char *before, const char *behind)
{
	struct outcome out;

	assert_int_equal(put(f, key, before, behind, &out), 0);
	fixture_wait(f, &out);
	assert_int_equal(out.error, 0);
}

/* As a reader sees it: parts in their places. */
static void assert_is(struct fixture *f, const char *key, const char *before, const char *behind)
{
	struct store_object *o = store_get(f->s, key);
	struct xb_sv bytes = xb_json_bytes(o->doc);
	_cleanup_buf_ struct xb_buf got = {};
	_cleanup_free_ char *want = NULL;
	struct store_part_at part;
	unsigned iter = 0;
	size_t from = 0;

	while (store_part_next(o->doc, &iter, &part)) {
		xb_buf_add(&got, bytes.p + from, part.at - from);
		xb_buf_addsv(&got, xb_json_bytes(part.value));
		from = part.at + part.n;
	}
	xb_buf_add(&got, bytes.p + from, bytes.n - from);
	assert_true(asprintf(&want, "{\"fields\":%s,\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"},\"more\":%s}", before, o->revision,
			     behind) > 0);
	assert_string_equal(got.p, want);
}

static unsigned parts_of(struct fixture *f, const char *key)
{
	const struct store_object *o = store_get(f->s, key);
	struct store_part_at part;
	unsigned n = 0;

	while (store_part_next(o->doc, &n, &part))
		;
	return n;
}

static uint64_t in_memory(struct fixture *f)
{
	struct store_stats stats;

	store_stats(f->s, &stats);
	return stats.parts;
}

/* Asked of the file while the store is closed: closing it here would drop the store's locks. */
static int in_file(struct fixture *f, const char *sql)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	char path[128];
	int n;

	snprintf(path, sizeof(path), "%s/store.db", f->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	n = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

static void keeps_once_what_is_seen_again(void **state)
{
	struct fixture *f = *state;

	set(f, "a", ALIKE, "1");
	assert_int_equal(parts_of(f, "a"), 0);
	set(f, "b", ALIKE, OTHER);
	set(f, "c", ALIKE, OTHER);
	set(f, "d", OTHER, ALIKE);
	assert_int_equal(parts_of(f, "b"), 1);
	assert_int_equal(parts_of(f, "c"), 2);
	assert_int_equal(in_memory(f), 2);
	for (int round = 0; round < 2; round++) {
		assert_is(f, "a", ALIKE, "1");
		assert_is(f, "b", ALIKE, OTHER);
		assert_is(f, "c", ALIKE, OTHER);
		assert_is(f, "d", OTHER, ALIKE);
		fixture_close(f);
		assert_int_equal(in_file(f, "SELECT count(*) FROM part"), 2);
		fixture_open(f);
		assert_int_equal(in_memory(f), 2);
	}
}

static int amend(struct fixture *f, const char *key, uint64_t expect, const char *text, struct outcome *out)
{
	struct store_object *head = store_head(f->s, key);
	struct store_amendment a = { .n = 1, .changes = { { .text = xb_sv(text) } } };

	if (head)
		a.changes[0].string = xb_jv_get(xb_json_root(head->doc), "more");
	*out = (struct outcome){};
	return store_amend(f->s, key, expect, &a, fixture_done_cb, out);
}

/* The tests' first writes have numbers of one digit. */
static void amends_what_has_parts(void **state)
{
	struct fixture *f = *state;
	struct outcome out;
	uint64_t now;

	assert_int_equal(amend(f, "a", 0, "old", &out), -EINVAL);
	set(f, "a", ALIKE, "\"old\"");
	set(f, "a", ALIKE, "\"old\"");
	now = store_revision(f->s);
	assert_int_equal(amend(f, "a", now - 1, "new", &out), -ESTALE);
	assert_int_equal(amend(f, "a", now, "newer", &out), -EINVAL);
	assert_int_equal(amend(f, "none", now, "new", &out), -ENOENT);
	assert_int_equal(amend(f, "a", now, "new", &out), 0);
	fixture_wait(f, &out);
	assert_int_equal(out.error, 0);
	assert_int_equal(out.revision, now + 1);
	assert_int_equal(parts_of(f, "a"), 1);
	/* the version before goes, and what both have stays */
	set(f, "b", "0", "1");
	for (int round = 0; round < 2; round++) {
		assert_is(f, "a", ALIKE, "\"new\"");
		assert_int_equal(in_memory(f), 1);
		fixture_close(f);
		fixture_open(f);
	}
	while (store_revision(f->s) < 9)
		set(f, "b", "0", "1");
	now = store_head(f->s, "a")->revision;
	assert_int_equal(amend(f, "a", now, "old", &out), -EINVAL);
	assert_int_equal(store_head(f->s, "a")->revision, now);
}

static void lets_go_of_what_nobody_has(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		set(f, "a", ALIKE, "1");
	assert_int_equal(in_memory(f), 1);
	/* the history lets go of the versions that had it, and enough rows die for the file to lose them */
	set(f, "a", "0", "1");
	for (int i = 0; i < 2 * 512; i++)
		fixture_set(f, "b", i);
	assert_int_equal(in_memory(f), 0);
	fixture_close(f);
	assert_int_equal(in_file(f, "SELECT count(*) FROM part"), 0);
	fixture_open(f);
	/* the same again is a part of its own */
	set(f, "a", ALIKE, "1");
	set(f, "c", ALIKE, "1");
	assert_int_equal(in_memory(f), 1);
	assert_is(f, "c", ALIKE, "1");
}

/* A document that is still in use keeps its part when the object is gone, and when the store is. */
static void lives_as_long_as_a_document(void **state)
{
	struct fixture *f = *state;
	struct store_part_at part;
	struct xb_json *doc;
	unsigned iter = 0;

	set(f, "a", ALIKE, "1");
	set(f, "a", ALIKE, "2");
	doc = xb_json_ref(store_get(f->s, "a")->doc);
	for (int i = 0; i < 3; i++)
		fixture_set(f, "a", i);
	fixture_close(f);
	assert_true(store_part_next(doc, &iter, &part));
	assert_string_equal(xb_json_bytes(part.value).p, ALIKE);
	xb_json_unref(doc);
	fixture_open(f);
}

/* A start that finds a part which no row names removes it. */
static void sweeps_what_no_row_names(void **state)
{
	struct fixture *f = *state;

	set(f, "a", ALIKE, "1");
	set(f, "a", ALIKE, "2");
	fixture_close(f);
	in_file(f, "DELETE FROM revision WHERE parts IS NOT NULL");
	fixture_open(f);
	assert_int_equal(in_memory(f), 0);
	for (int i = 0; i < 2 * 512; i++)
		fixture_set(f, "b", i);
	fixture_close(f);
	assert_int_equal(in_file(f, "SELECT count(*) FROM part"), 0);
	fixture_open(f);
}

static void refuses_a_row_without_its_part(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *why = NULL;

	set(f, "a", ALIKE, "1");
	set(f, "a", ALIKE, "2");
	fixture_close(f);
	in_file(f, "DELETE FROM part");
	assert_int_equal(store_open(&f->config, &f->s, &why), -EUCLEAN);
	assert_non_null(strstr(why, "is damaged: the row of revision 3 has changed"));
	in_file(f, "DELETE FROM revision");
	fixture_open(f);
}

static void refuses_a_part_that_changed(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *why = NULL;

	set(f, "a", ALIKE, "1");
	set(f, "a", ALIKE, "2");
	fixture_close(f);
	in_file(f, "UPDATE part SET value = replace(value, 'web', 'wob')");
	assert_int_equal(store_open(&f->config, &f->s, &why), -EUCLEAN);
	assert_non_null(strstr(why, "is damaged: the row of part 1 has changed"));
	in_file(f, "DELETE FROM part");
	in_file(f, "DELETE FROM revision");
	fixture_open(f);
}

/* Files of the formats before are taken over. */
static void takes_over_format_1(void **state)
{
	struct fixture *f = *state;

	fixture_set(f, "a", 7);
	fixture_close(f);
	in_file(f, "DROP TABLE part");
	in_file(f, "DROP VIEW object");
	in_file(f, "ALTER TABLE revision DROP COLUMN parts");
	in_file(f, "PRAGMA user_version = 1");
	fixture_open(f);
	assert_int_equal(fixture_n(store_get(f->s, "a")), 7);
	set(f, "b", ALIKE, "1");
	set(f, "b", ALIKE, "2");
	assert_is(f, "b", ALIKE, "2");
	fixture_close(f);
	fixture_open(f);
	assert_is(f, "b", ALIKE, "2");
}

static void takes_over_format_2(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *why = NULL;

	set(f, "a", ALIKE, "1");
	set(f, "b", ALIKE, "2");
	fixture_close(f);
	in_file(f, "PRAGMA user_version = 2");
	fixture_open(f);
	assert_is(f, "b", ALIKE, "2");
	fixture_close(f);
	in_file(f, "PRAGMA user_version = 4");
	assert_int_equal(store_open(&f->config, &f->s, &why), -EPROTONOSUPPORT);
	in_file(f, "PRAGMA user_version = 3");
	fixture_open(f);
}

/* What a failed batch brought is not taken for durable. */
static void is_written_again_after_a_failure(void **state)
{
	struct fixture *f = *state;
	struct outcome out;

	set(f, "a", ALIKE, "1");
	fake_set(false, -EIO);
	assert_int_equal(put(f, "a", ALIKE, "2", &out), 0);
	fixture_wait(f, &out);
	assert_int_equal(out.error, -EIO);
	assert_int_equal(in_memory(f), 0);
	fake_set(false, 0);
	while (put(f, "a", ALIKE, "3", &out) == -EIO)
		fixture_sleep(f, 50);
	fixture_wait(f, &out);
	assert_int_equal(out.error, 0);
	assert_int_equal(in_memory(f), 1);
	assert_int_equal(fake.parts, 1);
	set(f, "b", ALIKE, "4");
	assert_int_equal(fake.parts, 1);
}

static int setup(void **state)
{
	static struct fixture f;

	fixture_init(&f);
	f.config.history_bytes = 1;
	fixture_open(&f);
	*state = &f;
	return 0;
}

static int setup_fake(void **state)
{
	static struct fixture f;

	fixture_init(&f);
	f.config.engine = fake_engine();
	fixture_open(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_once_what_is_seen_again),
		TEST(amends_what_has_parts),
		TEST(lets_go_of_what_nobody_has),
		TEST(lives_as_long_as_a_document),
		TEST(sweeps_what_no_row_names),
		TEST(refuses_a_row_without_its_part),
		TEST(refuses_a_part_that_changed),
		TEST(takes_over_format_1), TEST(takes_over_format_2),
		cmocka_unit_test_setup_teardown(is_written_again_after_a_failure, setup_fake, teardown),
	};

	return cmocka_run_group_tests_name("control/store/parts", tests, NULL, NULL);
}
