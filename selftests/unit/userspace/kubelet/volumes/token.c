/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../../lib/client/api_fixture.h"
#include "../../../../../userspace/kubelet/volumes/token.h"

static const struct token_request api = { "ns", "robot", "p", "u1", NULL, 3600 };

static struct test {
	struct fixture f;
	struct tokens *tokens;
	struct xb_buf told;             /* "a" arrived, "o" old */
	int code;                       /* of the next answers; 0: 201 */
	int64_t life;
	unsigned made;
} t;

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	char body[256];

	if (t.code) {
		fake_reply(c, t.code, "{\"kind\":\"Status\",\"message\":\"serviceaccounts \\\"robot\\\" not found\",\"code\":404}");
		return;
	}
	snprintf(body, sizeof(body), "{\"spec\":{\"expirationSeconds\":%lld},\"status\":{\"token\":\"token-%u\"}}", (long long)t.life, ++t.made);
	fake_reply(c, 201, body);
}

static void on_arrived(void *arg, const char *uid)
{
	assert_string_equal(uid, "u1");
	xb_buf_addc(&t.told, 'a');
}

static void on_old(void *arg, const char *uid)
{
	assert_string_equal(uid, "u1");
	xb_buf_addc(&t.told, 'o');
}

static int setup(void **state)
{
	struct tokens_config c = { .arrived = on_arrived, .old = on_old };

	t = (struct test){ .life = 3600 };
	fixture_start(&t.f);
	t.f.answer = answer;
	c.rest = t.f.rest;
	assert_int_equal(tokens_new(&c, &t.tokens), 0);
	return 0;
}

static int teardown(void **state)
{
	tokens_free(t.tokens);
	fixture_stop(&t.f);
	xb_buf_done(&t.told);
	return 0;
}

static int get(const struct token_request *q, bool fresh, const char *expected)
{
	_cleanup_free_ char *why = NULL;
	struct xb_sv token = {};
	int r = tokens_get(t.tokens, q, fresh, &token, &why);

	if (!r)
		assert_true(xb_sv_is(token, expected));
	else if (r != -EINPROGRESS)
		assert_string_equal(why, expected);
	return r;
}

static bool told(const char *s)
{
	return t.told.p && !strcmp(t.told.p, s);
}

static void is_asked_for_once_and_bound_to_the_pod(void **state)
{
	struct token_request other = api;

	other.audience = "vault";
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("a"));
	assert_string_equal(t.f.log.p, "POST /api/v1/namespaces/ns/serviceaccounts/robot/token\n");
	assert_string_equal(t.f.body, "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{\"audiences\":[],"
			    "\"expirationSeconds\":3600,\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u1\"}}}");
	assert_int_equal(get(&api, true, "token-1"), 0);
	assert_int_equal(get(&other, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("aa"));
	assert_non_null(strstr(t.f.body, "\"audiences\":[\"vault\"]"));
	assert_int_equal(get(&other, true, "token-2"), 0);
	assert_int_equal(get(&api, true, "token-1"), 0);
}

static void is_made_anew_when_four_fifths_are_over(void **state)
{
	uint64_t begun = uv_hrtime();

	t.life = 1;
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("a"));
	assert_int_equal(get(&api, true, "token-1"), 0);
	run_until(&t.f.loop, told("ao"));
	assert_in_range((uv_hrtime() - begun) / 1000000, 790, 5000);
	t.life = 3600;
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("aoa"));
	assert_int_equal(get(&api, true, "token-2"), 0);
}

static void the_old_one_serves_while_no_new_one_is_had(void **state)
{
	t.life = 5;
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("ao"));
	t.code = 503;
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("aoa"));
	assert_int_equal(get(&api, false, "token-1"), 0);
	assert_int_equal(get(&api, true, "token-1"), 0);
}

static void a_failure_stays_until_it_is_asked_anew(void **state)
{
	t.code = 404;
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("a"));
	assert_int_equal(get(&api, false, "failed to fetch token: serviceaccounts \"robot\" not found"), -EPROTO);
	assert_int_equal(get(&api, false, "failed to fetch token: serviceaccounts \"robot\" not found"), -EPROTO);
	t.code = 0;
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("aa"));
	assert_int_equal(get(&api, false, "token-1"), 0);
}

static void is_forgotten_with_its_pod(void **state)
{
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	tokens_forget(t.tokens, "u1");
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
	run_until(&t.f.loop, told("a"));
	tokens_forget(t.tokens, "u1");
	assert_int_equal(get(&api, true, NULL), -EINPROGRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_asked_for_once_and_bound_to_the_pod, setup, teardown),
		cmocka_unit_test_setup_teardown(is_made_anew_when_four_fifths_are_over, setup, teardown),
		cmocka_unit_test_setup_teardown(the_old_one_serves_while_no_new_one_is_had, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failure_stays_until_it_is_asked_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(is_forgotten_with_its_pod, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
