/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/status.h"

static void check(struct xb_status *s, const char *json)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_status_write(s, &out);
	assert_string_equal(out.p, json);
	xb_status_done(s);
}

#define HEAD "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","

static void has_upstreams_words(void **state)
{
	struct xb_status s = {};

	assert_int_equal(xb_status_not_found(&s, "", "pods", XB_SV("web-1")), -ENOENT);
	check(&s, HEAD "\"message\":\"pods \\\"web-1\\\" not found\",\"reason\":\"NotFound\","
	      "\"details\":{\"name\":\"web-1\",\"kind\":\"pods\"},\"code\":404}");

	assert_int_equal(xb_status_exists(&s, "apps", "deployments", XB_SV("web")), -EEXIST);
	check(&s, HEAD "\"message\":\"deployments.apps \\\"web\\\" already exists\",\"reason\":\"AlreadyExists\","
	      "\"details\":{\"name\":\"web\",\"group\":\"apps\",\"kind\":\"deployments\"},\"code\":409}");

	assert_int_equal(xb_status_conflict(&s, NULL, "services", XB_SV("a"), "rv %d", 7), -ESTALE);
	assert_string_equal(s.message, "Operation cannot be fulfilled on services \"a\": rv 7");
	assert_int_equal(s.code, 409);

	assert_int_equal(xb_status_forbidden(&s, NULL, "pods", XB_SV("p"), "%s", "no"), -EACCES);
	assert_string_equal(s.message, "pods \"p\" is forbidden: no");
	xb_status_forbidden(&s, NULL, "pods", (struct xb_sv){}, "no");
	assert_string_equal(s.message, "pods is forbidden: no");
	xb_status_forbidden(&s, NULL, NULL, (struct xb_sv){}, "no");
	assert_string_equal(s.message, "forbidden: no");

	assert_int_equal(xb_status_bad_request(&s, "bad %s", "thing"), -EINVAL);
	check(&s, HEAD "\"message\":\"bad thing\",\"reason\":\"BadRequest\",\"code\":400}");
}

static void carries_causes(void **state)
{
	struct xb_status s = {};

	assert_int_equal(xb_status_set(&s, 422, "Invalid", "Service \"s\" is invalid"), -EPROTO);
	assert_int_equal(xb_status_details(&s, NULL, "Service", XB_SV("s")), 0);
	assert_int_equal(xb_status_cause(&s, "FieldValueRequired", XB_SV("Required value"), XB_SV("spec.ports")), 0);
	assert_int_equal(xb_status_cause(&s, "FieldValueInvalid", XB_SV("Invalid value"), (struct xb_sv){}), 0);
	s.retry_after = 3;
	check(&s, HEAD "\"message\":\"Service \\\"s\\\" is invalid\",\"reason\":\"Invalid\",\"details\":{\"name\":\"s\","
	      "\"kind\":\"Service\",\"causes\":[{\"reason\":\"FieldValueRequired\",\"message\":\"Required value\","
	      "\"field\":\"spec.ports\"},{\"reason\":\"FieldValueInvalid\",\"message\":\"Invalid value\"}],"
	      "\"retryAfterSeconds\":3},\"code\":422}");
}

static void replaces_and_may_be_absent(void **state)
{
	_cleanup_status_ struct xb_status s = {};

	xb_status_not_found(&s, "apps", "deployments", XB_SV("web"));
	/* the new fault may be told in terms of the old */
	xb_status_conflict(&s, s.group, s.kind, xb_sv(s.name), "was: %s", s.message);
	assert_string_equal(s.message, "Operation cannot be fulfilled on deployments.apps \"web\": was: "
			    "deployments.apps \"web\" not found");
	assert_int_equal(xb_status_set(&s, 400, "BadRequest", "wrapped: %s", s.message), -EPROTO);
	assert_null(s.name);
	assert_int_equal(xb_status_not_found(NULL, NULL, "pods", XB_SV("p")), -ENOENT);
	assert_int_equal(xb_status_cause(NULL, "r", XB_SV("m"), XB_SV("f")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_upstreams_words),
		cmocka_unit_test(carries_causes),
		cmocka_unit_test(replaces_and_may_be_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
