/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* In whose name: accounts that are missing are made, tokens are renewed before they end and when one is refused. */
#include "../../userspace/lib/client/api_fixture.h"
#include "../../../../control/controllers/accounts.h"
#include "xb/time.h"

static struct test {
	struct fixture f;
	struct kcm_accounts *accounts;
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	bool missing;                   /* the account */
	unsigned tokens, made, changed, asked;
	int code;                       /* that requests of the account get */
	int64_t life_ms;
} t;

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	char token[256];

	if (!strcmp(path, "/mine")) {
		t.asked++;
		fake_reply(c, t.code, "{}");
	} else if (!strcmp(path, "/api/v1/namespaces/kube-system/serviceaccounts")) {
		assert_non_null(strstr(f->body, "\"name\":\"replicaset-controller\""));
		t.made++;
		t.missing = false;
		fake_reply(c, 201, "{}");
	} else if (t.missing) {
		fake_reply(c, 404, "{\"kind\":\"Status\",\"message\":\"not found\",\"reason\":\"NotFound\",\"code\":404}");
	} else {
		assert_string_equal(path, "/api/v1/namespaces/kube-system/serviceaccounts/replicaset-controller/token");
		assert_non_null(strstr(f->body, "\"expirationSeconds\":3600"));
		snprintf(token, sizeof(token), "{\"status\":{\"token\":\"t%u\",\"expirationTimestamp\":\"%s\"}}", ++t.tokens,
			 xb_time_format_micro(xb_time_now() + t.life_ms * 1000).s);
		fake_reply(c, 201, token);
	}
}

static void on_changed(void *arg)
{
	t.changed++;
}

static int setup(void **state)
{
	t = (struct test){ .code = 200, .life_ms = 3600 * 1000 };
	fixture_start(&t.f);
	t.f.answer = answer;
	assert_int_equal(kcm_accounts_new(t.f.rest, on_changed, NULL, &t.accounts), 0);
	assert_true(kcm_accounts_ready(t.accounts));
	assert_int_equal(kcm_accounts_of(t.accounts, "replicaset-controller", &t.rest, &t.recorder), 0);
	return 0;
}

static int teardown(void **state)
{
	kcm_accounts_free(t.accounts);
	fixture_stop(&t.f);
	return 0;
}

static void on_answered(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
}

static void ask(void)
{
	unsigned before = t.asked;

	assert_int_equal(xb_rest_send(t.rest, &(struct xb_rest_request){ .method = "GET", .path = "/mine" }, on_answered, NULL, NULL), 0);
	run_until(&t.f.loop, t.asked > before);
}

static void one_account_has_one_token(void **state)
{
	struct xb_recorder *recorder;
	struct xb_rest *rest;

	assert_false(kcm_accounts_ready(t.accounts));
	assert_int_equal(kcm_accounts_of(t.accounts, "replicaset-controller", &rest, &recorder), 0);
	assert_ptr_equal(rest, t.rest);
	assert_ptr_equal(recorder, t.recorder);
	run_until(&t.f.loop, t.changed);
	assert_true(kcm_accounts_ready(t.accounts));
	assert_int_equal(t.tokens, 1);
	assert_int_equal(t.made, 0);
}

static void account_that_is_missing_is_made(void **state)
{
	t.missing = true;
	run_until(&t.f.loop, t.changed);
	assert_true(kcm_accounts_ready(t.accounts));
	assert_int_equal(t.made, 1);
	assert_int_equal(t.tokens, 1);
}

static void token_is_renewed_before_it_ends(void **state)
{
	int64_t began = xb_time_ms();

	t.life_ms = 1000;
	run_until(&t.f.loop, t.changed == 2);
	assert_in_range(xb_time_ms() - began, 600, 950);
}

static void refused_token_is_replaced(void **state)
{
	run_until(&t.f.loop, t.changed);
	t.missing = true;
	t.code = 401;
	ask();
	ask();
	run_until(&t.f.loop, t.changed == 2);
	assert_int_equal(t.made, 1);
	assert_int_equal(t.tokens, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(one_account_has_one_token), T(account_that_is_missing_is_made), T(token_is_renewed_before_it_ends),
		T(refused_token_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
