/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api_fixture.h"
#include "xb/lease.h"
#include "xb/time.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"

/* One Lease, kept as a server does. */
static struct test {
	struct fixture f;
	struct xb_lease_options options;
	struct xb_lease *lease;
	char spec[1024];                /* "": there is none */
	unsigned version, elected, lost, released, writes;
	bool broken;                    /* every answer is 500 */
	char leader[128];
} t;

static void reply_lease(struct fake_conn *c)
{
	char body[2048];

	snprintf(body, sizeof(body), "{\"metadata\":{\"name\":\"kcm\",\"resourceVersion\":\"%u\"},\"spec\":%s}", t.version, t.spec);
	fake_reply(c, 200, body);
}

static void write_by(const char *holder)
{
	snprintf(t.spec, sizeof(t.spec), "{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":15,\"leaseTransitions\":4}", holder);
	t.version++;
}

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	char version[16];

	snprintf(version, sizeof(version), "%u", t.version);
	if (t.broken) {
		fake_reply(c, 500, "{}");
		return;
	}
	if (!strcmp(method, "GET")) {
		assert_string_equal(path, LEASES "/kcm");
		if (*t.spec)
			reply_lease(c);
		else
			fake_reply(c, 404, "{}");
		return;
	}
	assert_int_equal(xb_json_parse(xb_sv(f->body), NULL, &doc, NULL), 0);
	if (!strcmp(method, "PUT") && !xb_jv_streq(xb_jv_path(xb_json_root(doc), "metadata", "resourceVersion"), xb_sv(version))) {
		fake_reply(c, 409, "{}");
		return;
	}
	t.writes++;
	t.version++;
	snprintf(t.spec, sizeof(t.spec), "%.*s", XB_SV_ARG(xb_jv_bytes(xb_jv_get(xb_json_root(doc), "spec"))));
	reply_lease(c);
}

static void on_elected(void *arg, struct xb_jv lease)
{
	assert_true(xb_sv_is(xb_jv_text(xb_jv_path(lease, "spec", "holderIdentity")), xb_lease_identity(t.lease)));
	t.elected++;
}
static void on_lost(void *arg)
{
	t.lost++;
}
static void on_released(void *arg)
{
	t.released++;
}
static void on_waiting(void *arg, const char *leader, const char *why)
{
	if (leader)
		snprintf(t.leader, sizeof(t.leader), "%s", leader);
}

static int setup(void **state)
{
	t = (struct test){};
	t.options = (struct xb_lease_options){ .leader_elect = true, .lease_ms = 600, .renew_ms = 400, .retry_ms = 20,
					       .name = "kcm", .namespace_ = "kube-system" };
	fixture_start(&t.f);
	t.f.answer = answer;
	return 0;
}

static void start(void)
{
	struct xb_lease_config c = {
		.rest = t.f.rest, .options = &t.options, .elected = on_elected, .lost = on_lost, .waiting = on_waiting,
	};

	assert_int_equal(xb_lease_new(&c, &t.lease), 0);
}

static int teardown(void **state)
{
	xb_lease_free(t.lease);
	fixture_stop(&t.f);
	return 0;
}

static bool spec_has(const char *text)
{
	return strstr(t.spec, text);
}

static void makes_the_lease_and_renews_it(void **state)
{
	start();
	run_until(&t.f.loop, t.writes == 3);
	assert_int_equal(t.elected, 1);
	assert_true(xb_lease_held(t.lease));
	assert_true(xb_sv_starts(xb_buf_sv(&t.f.log), "GET " LEASES "/kcm\nPOST " LEASES "\nPUT " LEASES "/kcm\nPUT " LEASES "/kcm\n"));
	assert_true(spec_has("\"leaseTransitions\":0"));
	assert_int_equal(t.lost, 0);
}

/* Another's clock is not believed: what counts is how long the Lease stayed the same here. */
static void takes_what_another_renews_no_more(void **state)
{
	int64_t began = xb_time_ms();

	write_by("other_1");
	start();
	run_until(&t.f.loop, t.elected);
	assert_in_range(xb_time_ms() - began, 600, 9000);
	assert_string_equal(t.leader, "other_1");
	assert_true(spec_has("\"leaseTransitions\":5"));
}

static void leaves_it_to_another_who_renews(void **state)
{
	write_by("other_1");
	start();
	for (int i = 0; i < 10; i++) {
		unsigned seen = t.f.api.requests;

		run_until(&t.f.loop, t.f.api.requests >= seen + 2);
		write_by("other_1");
	}
	assert_int_equal(t.elected, 0);
	assert_false(xb_lease_held(t.lease));
}

static void takes_what_was_released_at_once(void **state)
{
	write_by("");
	t.options.lease_ms = 100000;
	start();
	run_until(&t.f.loop, t.elected);
	assert_int_equal(t.f.api.requests, 2);
}

static void is_lost_when_it_cannot_be_renewed(void **state)
{
	int64_t began;

	start();
	run_until(&t.f.loop, t.elected);
	began = xb_time_ms();
	t.broken = true;
	run_until(&t.f.loop, t.lost);
	assert_in_range(xb_time_ms() - began, 350, 9000);
	assert_false(xb_lease_held(t.lease));
}

static void is_lost_when_another_has_it(void **state)
{
	start();
	run_until(&t.f.loop, t.elected);
	write_by("other_1");
	run_until(&t.f.loop, t.lost);
	assert_string_equal(t.leader, "other_1");
	assert_true(spec_has("other_1"));
}

static void is_lost_in_time_while_an_answer_is_awaited(void **state)
{
	start();
	run_until(&t.f.loop, t.elected);
	t.f.answer = fixture_hold;
	run_until(&t.f.loop, t.lost);
	assert_int_equal(t.f.n_held, 1);
	for (int i = 0; i < 20; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
	assert_int_equal(t.lost, 1);
}

static void on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	++*(unsigned *)arg;
}

/* As after SIGSTOP and SIGCONT: what was under way is not gone on with, and what was about to be sent is not. */
static void one_that_stood_still_does_nothing_more(void **state)
{
	struct xb_rest_request q = { .method = "POST", .path = "/pods" };
	unsigned answers = 0;

	start();
	run_until(&t.f.loop, t.elected);
	t.f.answer = fixture_hold;
	assert_int_equal(xb_rest_send(t.f.rest, &q, on_answer, &answers, NULL), 0);
	run_until(&t.f.loop, t.f.n_held && strstr(t.f.log.p, "POST /pods"));
	t.f.answer = answer;
	for (unsigned i = 0; i < t.f.n_held; i++)
		fake_reply(t.f.held[i], 200, "{}");
	assert_int_equal(xb_rest_send(t.f.rest, &q, on_answer, &answers, NULL), 0);
	xb_buf_clear(&t.f.log);
	usleep(450 * 1000);
	run_until(&t.f.loop, t.lost);
	for (int i = 0; i < 20; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
	assert_int_equal(t.f.log.n, 0);
	assert_int_equal(answers, 0);
}

static void a_fault_that_passes_is_no_loss(void **state)
{
	unsigned seen;

	start();
	run_until(&t.f.loop, t.elected);
	t.broken = true;
	seen = t.f.api.requests;
	run_until(&t.f.loop, t.f.api.requests >= seen + 2);
	t.broken = false;
	seen = t.writes;
	run_until(&t.f.loop, t.writes >= seen + 12);
	assert_int_equal(t.lost, 0);
}

static void is_given_up_for_the_next(void **state)
{
	start();
	run_until(&t.f.loop, t.elected);
	xb_lease_release(t.lease, on_released);
	run_until(&t.f.loop, t.released);
	assert_false(spec_has("holderIdentity"));
	assert_int_equal(t.lost, 0);
}

static void a_renewal_under_way_is_waited_for(void **state)
{
	start();
	run_until(&t.f.loop, t.elected);
	t.f.answer = fixture_hold;
	run_until(&t.f.loop, t.f.n_held == 1);
	xb_lease_release(t.lease, on_released);
	t.f.answer = answer;
	answer(&t.f, t.f.held[0], "PUT", LEASES "/kcm");
	run_until(&t.f.loop, t.released);
	assert_false(spec_has("holderIdentity"));
}

static void what_is_not_held_is_not_given_up(void **state)
{
	write_by("other_1");
	start();
	run_until(&t.f.loop, *t.leader);
	xb_lease_release(t.lease, on_released);
	run_until(&t.f.loop, t.released == 1);
	assert_true(spec_has("other_1"));
}

static void flags_must_fit_together(void **state)
{
	_cleanup_free_ char *why = NULL;

	t.options = (struct xb_lease_options){ .lease_ms = 15000, .renew_ms = 10000, .retry_ms = 2000 };
	assert_int_equal(xb_lease_check(&t.options, &why), 0);
	t.options.renew_ms = 15000;
	assert_int_equal(xb_lease_check(&t.options, &why), -EINVAL);
	assert_non_null(strstr(why, "--leader-elect-lease-duration: must be greater than --leader-elect-renew-deadline"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(makes_the_lease_and_renews_it),
		TEST(takes_what_another_renews_no_more),
		TEST(leaves_it_to_another_who_renews),
		TEST(takes_what_was_released_at_once),
		TEST(is_lost_when_it_cannot_be_renewed),
		TEST(is_lost_when_another_has_it),
		TEST(is_lost_in_time_while_an_answer_is_awaited),
		TEST(one_that_stood_still_does_nothing_more),
		TEST(a_fault_that_passes_is_no_loss),
		TEST(is_given_up_for_the_next),
		TEST(a_renewal_under_way_is_waited_for),
		TEST(what_is_not_held_is_not_given_up),
		cmocka_unit_test(flags_must_fit_together),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/lease", tests, NULL, NULL);
}
