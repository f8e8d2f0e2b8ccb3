/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/metrics.h"
#include "../../../../control/apiserver/paths.h"
#include "../../../../control/apiserver/user.h"

static struct metrics *m;

static void requests_are_told_apart(void **state)
{
	const struct xb_kind *pods = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
	struct request q = { .verb = "GET", .route = { .kind = pods, .verb = XB_VERB_GET, .name = XB_SV("x") }, .reply_bytes = 2000 };

	q.began = uv_hrtime() - 30000000;
	q.waited = 20000000;
	metrics_answered(m, &q, 200);
	metrics_answered(m, &q, 404);
	metrics_answered(m, &q, 299);
	assert_int_equal(m->n_series, 2);
	assert_int_equal(m->series[1].codes[0], 1);
	assert_int_equal(m->series[1].codes[METRICS_CODES - 1], 1); /* a code that nobody knows */
	assert_int_equal(m->series[1].durations[2], 3);             /* over 25 ms */
	assert_int_equal(m->series[1].sli[0], 3);                   /* not with the wait: under 50 ms */
	assert_int_equal(m->series[1].sizes[1], 3);
	assert_int_equal(m->series[1].key.scope, SCOPE_RESOURCE);
	q.query.n_dry_run = 1;
	metrics_answered(m, &q, 200);
	assert_int_equal(m->n_series, 3);
	assert_int_equal(m->series[2].sli[0], 0);
	q.terminated = true;
	metrics_answered(m, &q, 429);
	assert_int_equal(m->n_series, 3);
	assert_int_equal(m->series[1].refused, 1);
}

static void there_is_an_end_of_series(void **state)
{
	static struct path_row rows[5000];
	static char paths[5000];
	uint64_t counted = 0;

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
			struct request q = { .verb = "GET", .row = &rows[i] };

			rows[i].path = &paths[i];
			metrics_answered(m, &q, 200);
		}
	assert_int_equal(m->n_series, 1024);
	for (unsigned i = 0; i < m->n_series; i++)
		counted += m->series[i].codes[0];
	assert_int_equal(counted, 2 * ARRAY_SIZE(rows)); /* the first takes what has no series of its own */
	assert_int_equal(m->series[1].codes[0], 2);
}

static void the_most_in_flight_within_a_second(void **state)
{
	metrics_served(m, true, 1);
	metrics_served(m, true, 1);
	metrics_served(m, true, -1);
	metrics_served(m, true, -1);
	assert_int_equal(metrics_most_in_flight(m, true), 2);
	assert_int_equal(metrics_most_in_flight(m, false), 0);
}

static void users_have_few_names(void **state)
{
	static const struct {
		const char *name;
		unsigned at;
	} rows[] = { { "admin", 0 }, { "system:serviceaccount:kube-system:default", 4 }, { "a@b", 5 }, { "somebody", 6 }, { "", 6 } };

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct user u = { .name = (char *)rows[i].name };
		uint64_t before = m->users[rows[i].at];

		metrics_authenticated(m, AUTHN_SUCCESS, &u, NULL);
		assert_int_equal(m->users[rows[i].at], before + 1);
	}
	metrics_authenticated(m, AUTHN_FAILURE, NULL, NULL);
	assert_int_equal(m->authn[AUTHN_FAILURE], 1);
}

static int setup(void **state)
{
	m = metrics_new();
	return m ? 0 : -1;
}

static int teardown(void **state)
{
	m = metrics_free(m);
	return 0;
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		t(requests_are_told_apart), t(there_is_an_end_of_series), t(the_most_in_flight_within_a_second), t(users_have_few_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
