/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/authn.h"
#include "xb/file.h"

/* A request that has nothing but what authentication looks at. */
struct xb_http_request {
	const char *authorization, *path;
	const struct xb_tls_peer *peer;
};

struct xb_sv xb_http_header(const struct xb_http_request *r, const char *name)
{
	return strcmp(name, "Authorization") ? (struct xb_sv){} : xb_sv(r->authorization);
}

struct xb_sv xb_http_path(const struct xb_http_request *r)
{
	return xb_sv(r->path);
}

const struct xb_tls_peer *xb_http_peer_cert(const struct xb_http_request *r)
{
	return r->peer;
}

static struct xb_arena *arena;
static char file[] = "/tmp/xebec-test-XXXXXX";

static int with_tokens(const char *text, struct authn **ret, char **reterr_why)
{
	assert_int_equal(xb_file_write(file, xb_sv(text), 0600), 0);
	return authn_new(&(struct authn_config){ .token_file = file }, ret, reterr_why);
}

static const struct user *ask(struct authn *a, const char *authorization, const char *path)
{
	struct xb_http_request r = { .authorization = authorization, .path = path };
	_cleanup_status_ struct xb_status fault = {};
	const struct user *u = NULL;

	if (!authn_user(a, arena, &r, &u, &fault))
		return u;
	assert_int_equal(fault.code, 401);
	assert_string_equal(fault.reason, "Unauthorized");
	assert_string_equal(fault.message, "Unauthorized");
	return NULL;
}

static void tokens(void **state)
{
	_cleanup_(authn_freep) struct authn *a = NULL;
	const struct user *u;

	assert_int_equal(with_tokens("secret,alice,1,\"dev,system:masters\"\r\n\n\"qu\"\"ote,d\",\"bob, jr\",2\n"
				     "third,carol,3,ops\nsecret2,dave,4,system:authenticated,ignored\nthird,erin,5", &a, NULL), 0);
	u = ask(a, "Bearer secret", "/api");
	assert_string_equal(u->name, "alice");
	assert_string_equal(u->uid, "1");
	assert_string_equal(u->groups[0], "dev");
	assert_string_equal(u->groups[1], "system:masters");
	assert_string_equal(u->groups[2], "system:authenticated");
	assert_null(u->groups[3]);
	u = ask(a, "bearer  qu\"ote,d ", "/api");
	assert_string_equal(u->name, "bob, jr");
	assert_string_equal(u->groups[0], "system:authenticated");
	assert_null(u->groups[1]);
	u = ask(a, "Bearer secret2", "/api");
	assert_null(u->groups[1]);
	assert_string_equal(ask(a, "Bearer third", "/api")->name, "erin");
}

static void everything_else_is_unauthorized(void **state)
{
	static const char *const bad[] = {
		NULL, "", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Basic secret", "secret", "Bearersecret",
	};
	_cleanup_(authn_freep) struct authn *a = NULL, *none = NULL;

	assert_int_equal(with_tokens("secret,alice,1\n", &a, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(ask(a, bad[i], "/api/v1/pods"));
	assert_int_equal(authn_new(&(struct authn_config){}, &none, NULL), 0);
	assert_null(ask(none, "Bearer secret", "/api"));
}

static void health_and_version_need_no_credentials(void **state)
{
	_cleanup_(authn_freep) struct authn *a = NULL;
	const struct user *u;

	assert_int_equal(with_tokens("secret,alice,1\n", &a, NULL), 0);
	u = ask(a, NULL, "/readyz");
	assert_string_equal(u->name, "system:anonymous");
	assert_string_equal(u->groups[0], "system:unauthenticated");
	assert_null(u->groups[1]);
	assert_non_null(ask(a, NULL, "/version"));
	assert_null(ask(a, NULL, "/healthz/../api"));
	assert_null(ask(a, "Bearer wrong", "/healthz"));
	assert_string_equal(ask(a, "Bearer secret", "/healthz")->name, "alice");
}

static void client_certificates(void **state)
{
	char *groups[] = { "system:masters", "system:authenticated", NULL }, *joined[] = { "b", NULL };
	struct xb_tls_peer admin = { .common_name = "admin", .organizations = groups };
	struct xb_tls_peer other = { .common_name = "admin", .organizations = joined };
	struct xb_http_request r = { .path = "/api", .peer = &admin, .authorization = "Bearer secret" };
	_cleanup_(authn_freep) struct authn *a = NULL;
	const struct user *first, *again;

	assert_int_equal(with_tokens("secret,alice,1\n", &a, NULL), 0);
	assert_int_equal(authn_user(a, arena, &r, &first, NULL), 0);
	assert_string_equal(first->name, "admin");
	assert_string_equal(first->groups[1], "system:authenticated");
	assert_null(first->groups[2]);
	assert_int_equal(authn_user(a, arena, &r, &again, NULL), 0);
	assert_ptr_equal(first, again);
	r.peer = &other;
	assert_int_equal(authn_user(a, arena, &r, &again, NULL), 0);
	assert_string_equal(again->groups[0], "b");
}

static void bad_token_files_are_named(void **state)
{
	static const char *const texts[] = { "a,b\n", "x,y,z\na\n", "a,\"b,c\n", "a,b\"c,d\n", "a,\"b\"c,d\n" };
	static const char *const says[] = {
		"line 1: at least 3 columns", "line 2: at least 3 columns", "does not end with a quote", "a quote inside", "does not end",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *why = NULL;
		struct authn *a;

		assert_int_equal(with_tokens(texts[i], &a, &why), -EINVAL);
		assert_non_null(strstr(why, file));
		assert_non_null(strstr(why, says[i]));
	}
}

static int make_file(void **state)
{
	int fd = mkstemp(file);

	arena = xb_arena_new(0);
	return fd < 0 || !arena ? -1 : close(fd);
}

static int remove_file(void **state)
{
	arena = xb_arena_free(arena);
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(everything_else_is_unauthorized),
		cmocka_unit_test(health_and_version_need_no_credentials),
		cmocka_unit_test(client_certificates),
		cmocka_unit_test(bad_token_files_are_named),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
