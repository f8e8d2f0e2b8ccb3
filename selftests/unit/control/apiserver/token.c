/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/token.h"

static struct xb_arena *arena;

static const char *fault_of(const char *text)
{
	_cleanup_status_ struct xb_status s = {};
	struct token t;

	assert_int_equal(token_read(arena, xb_sv(text), &t, &s), -EINVAL);
	assert_int_equal(s.code, 400);
	return xb_arena_strn(arena, xb_sv(s.message));
}

/* As upstream writes it, when nothing is known of what is left. */
static void is_upstreams(void **state)
{
	struct token t = { .revision = 216, .start = XB_SV("full"), .left = -1 };

	assert_string_equal(token_write(arena, &t).p, "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjE2LCJzdGFydCI6ImZ1bGxcdTAwMDAifQ");
}

static void comes_back(void **state)
{
	struct token t = { .revision = 7, .start = XB_SV("some-ns/a.name"), .left = 12 }, back;
	_cleanup_status_ struct xb_status s = {};

	assert_int_equal(token_read(arena, token_write(arena, &t), &back, &s), 0);
	assert_int_equal(back.revision, 7);
	assert_int_equal(back.left, 12);
	assert_string_equal(back.start.p, "some-ns/a.name");
}

/* Padding is not upstream's, but harmless; a revision of -1 is for a list that need not be consistent. */
static void variants(void **state)
{
	struct token t;

	/* {"v":"meta.k8s.io/v1","rv":-1,"start":"a\u0000"} */
	assert_int_equal(token_read(arena, XB_SV("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYVx1MDAwMCJ9==="), &t, NULL), 0);
	assert_int_equal(t.revision, -1);
	assert_int_equal(t.left, -1);
	assert_string_equal(t.start.p, "a");
}

static void bad_ones(void **state)
{
	assert_string_equal(fault_of("zzz"), "invalid continue token: continue key is not valid: invalid character '\303\217' looking for beginning of value");
	assert_non_null(strstr(fault_of("a b"), "illegal base64 data"));
	assert_non_null(strstr(fault_of("x"), "illegal base64 data"));
	assert_non_null(strstr(fault_of(""), "unexpected end of JSON input"));
	/* {"v":"v9","rv":1,"start":"a"} */
	assert_non_null(strstr(fault_of("eyJ2IjoidjkiLCJydiI6MSwic3RhcnQiOiJhIn0"), "does not recognize"));
	/* {"v":"meta.k8s.io/v1","rv":0,"start":"a"} */
	assert_non_null(strstr(fault_of("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0"), "resourceVersion"));
	/* {"v":"meta.k8s.io/v1","rv":5,"start":""} */
	assert_non_null(strstr(fault_of("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiIifQ"), "start key empty"));
}

static int make_arena(void **state)
{
	arena = xb_arena_new(0);
	return arena ? 0 : -1;
}

static int free_arena(void **state)
{
	arena = xb_arena_free(arena);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_arena, free_arena)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(is_upstreams), TEST(comes_back), TEST(variants), TEST(bad_ones) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
