/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define KEYS 120
#define STEPS 600

/* The model: the whole world at every revision. */
static char keys[KEYS][32];
static int world[STEPS + 2][KEYS]; /* by revision; -1: no such key */

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_init(f);
	f->config.engine = fake_engine();
	fixture_open(f);
	for (int i = 0; i < KEYS; i++)
		snprintf(keys[i], sizeof(keys[i]), "%s/ns%d/%c", i / 60 ? "services" : "pods", i / 20 % 3, 'a' + i % 20);
	for (int r = 0; r < 2; r++)
		for (int i = 0; i < KEYS; i++)
			world[r][i] = -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	free(*state);
	return 0;
}

static void step(struct fixture *f)
{
	int i = fixture_random(f, KEYS);
	bool exists = store_get(f->s, keys[i]);
	uint64_t r = fixture_set(f, keys[i], exists && fixture_random(f, 3) == 0 ? -1 : (int)fixture_random(f, 1000000));
	struct store_object *o = store_get(f->s, keys[i]);

	memcpy(world[r], world[r - 1], sizeof(world[r]));
	world[r][i] = o ? fixture_n(o) : -1;
}

struct held {
	struct store_walk *w;
	char prefix[32];
	int next; /* key in the model */
};

/* keys[] is in byte order: pods before services, then namespaces, then letters */
static void begin(struct fixture *f, struct held *h, uint64_t at)
{
	static const char *const prefixes[] = { "", "pods/ns0/", "pods/", "services/ns1/", "pods/ns2/c", "x/" };
	const char *start = fixture_random(f, 2) ? keys[fixture_random(f, KEYS)] : NULL;

	strcpy(h->prefix, prefixes[fixture_random(f, ARRAY_SIZE(prefixes))]);
	assert_int_equal(store_walk_new(f->s, h->prefix, start, at, &h->w), 0);
	h->next = 0;
	while (start && strcmp(keys[h->next], start) < 0)
		h->next++;
}

/* One step of the walk against one step of the model; false at the end. */
static bool advance(struct held *h)
{
	struct store_object *o = store_walk_next(h->w);
	const int *then = world[store_walk_revision(h->w)];

	assert_int_equal(store_walk_error(h->w), 0);
	while (h->next < KEYS && (then[h->next] < 0 || strncmp(keys[h->next], h->prefix, strlen(h->prefix))))
		h->next++;
	if (h->next == KEYS) {
		assert_null(o);
		return false;
	}
	assert_non_null(o);
	assert_string_equal(o->key, keys[h->next]);
	assert_int_equal(fixture_n(o), then[h->next]);
	assert_true(o->revision <= store_walk_revision(h->w));
	h->next++;
	return true;
}

static void test_now_and_then(void **state)
{
	struct fixture *f = *state;
	struct held held[20] = {};

	for (int i = 0; i < STEPS; i++) {
		struct held *h = &held[fixture_random(f, ARRAY_SIZE(held))];

		step(f);
		/* walks of any age go on by a few keys between the changes */
		if (!h->w)
			begin(f, h, fixture_random(f, 2) ? 0 : 1 + fixture_random(f, store_revision(f->s)));
		for (int n = fixture_random(f, 8); h->w && n; n--)
			if (!advance(h))
				h->w = store_walk_free(h->w);
	}
	for (uint64_t r = 1; r <= store_revision(f->s); r += 7) {
		struct held h;

		begin(f, &h, r);
		while (advance(&h))
			;
		assert_null(store_walk_next(h.w));
		store_walk_free(h.w);
	}
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		store_walk_free(held[i].w);
}

static void test_pending_writes_are_not_seen(void **state)
{
	struct fixture *f = *state;
	struct store_walk *w;
	struct outcome out[2];

	fixture_set(f, "a", 1);
	fake_set(true, 0);
	fixture_put(f, "a", store_revision(f->s), 2, &out[0]);
	fixture_put(f, "b", 0, 2, &out[1]);
	assert_int_equal(store_walk_new(f->s, "", NULL, 0, &w), 0);
	assert_int_equal(fixture_n(store_walk_next(w)), 1);
	assert_null(store_walk_next(w));
	store_walk_free(w);
	fake_set(false, 0);
	fixture_wait(f, &out[1]);
}

static void test_limits_of_time(void **state)
{
	struct fixture *f = *state;
	struct store_walk *w, *behind, *ahead;

	fixture_close(f);
	f->config.history_bytes = 4096;
	fixture_open(f);
	fixture_set(f, "a", 0);
	fixture_set(f, "b", 0);
	assert_int_equal(store_walk_new(f->s, "", NULL, 4, &w), -ERANGE);
	assert_int_equal(store_walk_new(f->s, "", NULL, 0, &behind), 0);
	assert_int_equal(store_walk_new(f->s, "", NULL, 0, &ahead), 0);
	assert_string_equal(store_walk_next(behind)->key, "a");
	for (int i = 1; i < 100; i++) {
		fixture_set(f, "b", i);
		if (i == 1)
			assert_string_equal(store_walk_next(ahead)->key, "a");
	}
	assert_true(store_compacted(f->s) > 50);
	assert_int_equal(store_walk_new(f->s, "", NULL, store_compacted(f->s) - 1, &w), -ESTALE);
	assert_int_equal(store_walk_new(f->s, "", NULL, store_compacted(f->s), &w), 0);
	store_walk_free(w);
	assert_null(store_walk_next(behind));
	assert_int_equal(store_walk_error(behind), -ESTALE);
	assert_null(store_walk_next(behind));
	assert_null(store_walk_next(ahead));
	assert_int_equal(store_walk_error(ahead), -ESTALE);
	store_walk_free(behind);
	store_walk_free(ahead);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_now_and_then), T(test_pending_writes_are_not_seen), T(test_limits_of_time) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
