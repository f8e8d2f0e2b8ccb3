/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

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

/* Every change made, in order: what watches must tell of. */
#define STEPS 2000
static struct {
	char key[32];
	enum store_event_type type;
	int n;
} changes[STEPS + 2]; /* by revision */

static void change(struct fixture *f)
{
	char key[32];
	struct store_object *o;
	int n = fixture_random(f, 1000000);
	uint64_t r;

	snprintf(key, sizeof(key), "%s/ns%u/%c", fixture_random(f, 2) ? "pods" : "services", fixture_random(f, 3),
		 'a' + fixture_random(f, 5));
	o = store_get(f->s, key);
	if (o && !fixture_random(f, 3))
		n = -2 - n;
	r = fixture_set(f, key, n);
	strcpy(changes[r].key, key);
	changes[r].type = n < 0 ? STORE_DELETED : o ? STORE_MODIFIED : STORE_ADDED;
	changes[r].n = n;
}

struct client {
	struct store_watch *w;
	char prefix[32];
	uint64_t at;      /* revision read up to */
	bool resting;     /* has seen NULL, and was not called since */
	unsigned calls;
};

static void ready(void *arg)
{
	struct client *c = arg;

	assert_true(c->resting);
	c->resting = false;
	c->calls++;
}

static bool concerns(const struct client *c, uint64_t r)
{
	size_t n = strlen(c->prefix);

	return n && c->prefix[n - 1] != '/' ? !strcmp(changes[r].key, c->prefix) : !strncmp(changes[r].key, c->prefix, n);
}

static void subscribe(struct fixture *f, struct client *c, uint64_t from)
{
	static const char *const prefixes[] = { "", "pods/ns0/", "pods/", "services/ns1/", "pods/ns2/c", "x/" };

	*c = (struct client){ .at = from };
	strcpy(c->prefix, prefixes[fixture_random(f, ARRAY_SIZE(prefixes))]);
	assert_int_equal(store_watch_new(f->s, c->prefix, from, ready, c, &c->w), 0);
}

static void read_some(struct fixture *f, struct client *c, unsigned most)
{
	const struct store_event *e = NULL;

	while (most-- && (e = store_watch_next(c->w))) {
		assert_false(c->resting);
		for (c->at++; !concerns(c, c->at); c->at++)
			;
		assert_int_equal(e->revision, c->at);
		assert_int_equal(e->object->revision, c->at);
		assert_string_equal(e->object->key, changes[c->at].key);
		assert_int_equal(e->type, changes[c->at].type);
		assert_int_equal(fixture_n(e->object), changes[c->at].n);
		assert_int_equal(e->previous != NULL, e->type != STORE_ADDED);
		assert_int_equal(store_watch_progress(c->w), c->at);
	}
	if (e)
		return;
	for (c->at++; c->at <= store_revision(f->s); c->at++)
		assert_false(concerns(c, c->at));
	c->at--;
	c->resting = true;
	assert_int_equal(store_watch_progress(c->w), store_revision(f->s));
}

static void test_each_event_once_in_order(void **state)
{
	struct fixture *f = *state;
	struct client clients[40] = {};

	for (int i = 0; i < STEPS; i++) {
		struct client *c = &clients[fixture_random(f, ARRAY_SIZE(clients))];

		change(f);
		for (size_t k = 0; k < ARRAY_SIZE(clients); k++)
			assert_false(clients[k].resting && concerns(&clients[k], store_revision(f->s)));
		if (!c->w)
			subscribe(f, c, 1 + fixture_random(f, store_revision(f->s)));
		else if (fixture_random(f, 20) == 0)
			c->w = store_watch_free(c->w), c->resting = false;
		else
			read_some(f, c, 1 + fixture_random(f, 30));
	}
	for (size_t k = 0; k < ARRAY_SIZE(clients); k++) {
		if (clients[k].w)
			read_some(f, &clients[k], UINT32_MAX);
		store_watch_free(clients[k].w);
	}
}

static void test_only_those_concerned_are_called(void **state)
{
	struct fixture *f = *state;
	static const char *const prefixes[] = {
		"pods/a/", "pods/", "pods/a/x", "pods/b/", "pod/", "pods/a/xx",
	};
	struct client c[ARRAY_SIZE(prefixes)] = {};

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(store_watch_new(f->s, prefixes[i], store_revision(f->s), ready, &c[i], &c[i].w), 0);
		assert_null(store_watch_next(c[i].w));
		c[i].resting = true;
	}
	fixture_set(f, "pods/a/x", 1);
	fixture_set(f, "pods/a/x", 2);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(c[i].calls, i < 3);
		assert_int_equal(store_watch_progress(c[i].w), i < 3 ? 1 : 3);
		store_watch_free(c[i].w);
	}
}

static void test_ten_thousand_on_one_prefix(void **state)
{
	struct fixture *f = *state;
	enum { N = 10000 };
	struct client *c = calloc(N, sizeof(*c));
	uint64_t begin, ms;

	for (int i = 0; i < N; i++) {
		assert_int_equal(store_watch_new(f->s, "pods/", 1, ready, &c[i], &c[i].w), 0);
		assert_null(store_watch_next(c[i].w));
		c[i].resting = true;
	}
	begin = uv_hrtime();
	fixture_set(f, "pods/a/x", 1);
	fixture_set(f, "services/a/x", 1);
	ms = (uv_hrtime() - begin) / 1000000;
	for (int i = 0; i < N; i++) {
		assert_int_equal(c[i].calls, 1);
		assert_int_equal(store_watch_next(c[i].w)->revision, 2);
		assert_null(store_watch_next(c[i].w));
		store_watch_free(c[i].w);
	}
	free(c);
	assert_true(ms < 1000);
}

static struct store_watch *pair[2];
static int pair_calls;
static void free_both(void *arg)
{
	pair_calls++;
	pair[0] = store_watch_free(pair[0]);
	pair[1] = store_watch_free(pair[1]);
}

static void test_freed_by_another_one(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_watch_new(f->s, "", store_revision(f->s), free_both, NULL, &pair[i]), 0);
		assert_null(store_watch_next(pair[i]));
	}
	fixture_set(f, "a", 1);
	assert_int_equal(pair_calls, 1);
}

static void test_behind_the_history(void **state)
{
	struct fixture *f = *state;
	struct client slow = {}, resting = {}, other = {};
	struct store_watch *w;

	fixture_close(f);
	f->config.history_bytes = 4096;
	fixture_open(f);
	assert_int_equal(store_watch_new(f->s, "", 2, ready, &slow, &w), -ERANGE);
	assert_int_equal(store_watch_new(f->s, "", 1, ready, &slow, &slow.w), 0);
	assert_int_equal(store_watch_new(f->s, "pods/", 1, ready, &resting, &resting.w), 0);
	assert_int_equal(store_watch_new(f->s, "", 1, ready, &other, &other.w), 0);
	assert_null(store_watch_next(resting.w));
	resting.resting = true;
	for (int i = 1; i < 100; i++) {
		fixture_set(f, "nodes/b", i);
		if (i == 1)
			assert_int_equal(store_watch_next(other.w)->revision, 2);
	}
	assert_int_equal(store_watch_new(f->s, "", store_compacted(f->s) - 1, ready, &slow, &w), -ESTALE);
	assert_null(store_watch_next(slow.w));
	assert_int_equal(store_watch_error(slow.w), -ESTALE);
	assert_null(store_watch_next(other.w));
	assert_int_equal(store_watch_error(other.w), -ESTALE);
	assert_int_equal(store_watch_progress(other.w), 2);
	/* one that waited all the time has missed nothing */
	fixture_set(f, "pods/a/x", 1);
	assert_int_equal(resting.calls, 1);
	assert_int_equal(store_watch_next(resting.w)->revision, store_revision(f->s));
	assert_null(store_watch_next(resting.w));
	assert_int_equal(store_watch_error(resting.w), 0);
	store_watch_free(slow.w);
	store_watch_free(resting.w);
	store_watch_free(other.w);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_each_event_once_in_order), T(test_only_those_concerned_are_called), T(test_ten_thousand_on_one_prefix),
		T(test_freed_by_another_one), T(test_behind_the_history),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
