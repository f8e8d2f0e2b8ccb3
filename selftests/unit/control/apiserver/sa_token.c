/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/options.h"
#include "../../../../control/apiserver/registry/keys.h"
#include "../../../../control/apiserver/sa_token.h"
#include "../../../../control/store/store.h"
#include "xb/time.h"

/* A store with a service account and a pod, and tokens signed by a key of its own. */
struct world {
	char folder[32];
	uv_loop_t loop;
	struct store *store;
	struct sa_tokens *tokens;
	struct xb_arena *arena;
	int64_t now;
};

static void on_done(void *arg, int error, struct store_object *o)
{
	assert_int_equal(error, 0);
	*(uint64_t *)arg = o->revision;
}

static const char object[] = "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"\",\"uid\":\"u\"}}";
static const char dying[] = "{\"metadata\":{\"deletionTimestamp\":\"2001-01-01T00:00:00Z\",\"name\":\"x\",\"resourceVersion\":\"\",\"uid\":\"u\"}}";

static uint64_t put(struct world *w, const char *key, uint64_t expect, const char *json)
{
	struct store_value value = { .bytes = xb_sv(json), .hole = (size_t)(strstr(json, "\"\",\"uid\"") + 1 - json) };
	uint64_t revision = 0;

	assert_int_equal(store_put(w->store, key, expect, &value, on_done, &revision), 0);
	while (!revision)
		uv_run(&w->loop, UV_RUN_ONCE);
	return revision;
}

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct apiserver_options o = { .cert_dir = w->folder };
	struct store_config c = { .data_dir = w->folder, .loop = &w->loop };

	strcpy(w->folder, "/tmp/xebec-test-XXXXXX");
	*state = w;
	w->arena = xb_arena_new(0);
	w->now = xb_time_now() / 1000000;
	return !mkdtemp(w->folder) || uv_loop_init(&w->loop) || store_open(&c, &w->store, NULL) ||
	       sa_tokens_new(&o, w->store, &w->tokens, NULL);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	return remove(path);
}

static int remove_world(void **state)
{
	struct world *w = *state;

	sa_tokens_free(w->tokens);
	store_close(w->store);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_loop_close(&w->loop);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	xb_arena_free(w->arena);
	free(w);
	return 0;
}

static struct sa_claims claims_of(struct world *w)
{
	return (struct sa_claims){
		.namespace_ = XB_SV("a"), .account = { XB_SV("x"), XB_SV("u") }, .now = w->now, .expires = w->now + 600,
		.audiences = xb_tree_parse(w->arena, "[\"https://kubernetes.default.svc\",\"vault\"]"),
	};
}

static int ask(struct world *w, const struct sa_claims *c, const char *audience, struct user **ret)
{
	char *const wanted[] = { (char *)audience, NULL };
	_cleanup_buf_ struct xb_buf token = {};
	struct xb_tree *audiences = NULL;
	int r;

	assert_int_equal(sa_token_issue(w->tokens, c, &token), 0);
	r = sa_token_user(w->tokens, w->arena, xb_buf_sv(&token), audience ? wanted : sa_tokens_audiences(w->tokens),
			  ret, &audiences, NULL);
	if (!r)
		assert_int_equal(audiences->count, 1);
	return r;
}

static struct xb_sv extra_value(const struct user *u, const char *key)
{
	for (const struct user_extra *e = u->extra; e->key; e++)
		if (!strcmp(e->key, key))
			return xb_sv(e->values[0]);
	return (struct xb_sv){};
}

static void the_account_is_the_user(void **state)
{
	struct world *w = *state;
	struct sa_claims c = claims_of(w);
	struct user *u;

	assert_int_equal(ask(w, &c, NULL, &u), -EACCES);
	put(w, "serviceaccounts/a/x", 0, object);
	assert_int_equal(ask(w, &c, NULL, &u), 0);
	assert_string_equal(u->name, "system:serviceaccount:a:x");
	assert_string_equal(u->uid, "u");
	assert_string_equal(u->groups[0], "system:serviceaccounts");
	assert_string_equal(u->groups[1], "system:serviceaccounts:a");
	assert_string_equal(u->groups[2], "system:authenticated");
	assert_null(u->groups[3]);
	assert_true(xb_sv_starts(extra_value(u, "authentication.kubernetes.io/credential-id"), "JTI="));
	assert_int_equal(ask(w, &c, "vault", &u), 0);
	assert_int_equal(ask(w, &c, "elsewhere", &u), -EACCES);
}

static void times_count(void **state)
{
	struct world *w = *state;
	struct sa_claims c = claims_of(w);
	struct user *u;

	put(w, "serviceaccounts/a/x", 0, object);
	c.expires = w->now - 1;
	assert_int_equal(ask(w, &c, NULL, &u), -EACCES);
	c.expires = w->now + 1200;
	c.now = w->now + 600;
	assert_int_equal(ask(w, &c, NULL, &u), -EACCES);
}

static void another_of_that_name_is_another(void **state)
{
	struct world *w = *state;
	struct sa_claims c = claims_of(w), with_pod = claims_of(w), with_node = claims_of(w);
	uint64_t revision;
	struct user *u;

	revision = put(w, "serviceaccounts/a/x", 0, object);
	c.account.uid = XB_SV("v");
	assert_int_equal(ask(w, &c, NULL, &u), -EACCES);
	with_pod.pod = (struct sa_bound){ XB_SV("x"), XB_SV("u") };
	assert_int_equal(ask(w, &with_pod, NULL, &u), -EACCES);
	put(w, "pods/a/x", 0, object);
	assert_int_equal(ask(w, &with_pod, NULL, &u), 0);
	assert_true(xb_sv_is(extra_value(u, "authentication.kubernetes.io/pod-uid"), "u"));
	with_pod.pod.uid = XB_SV("v");
	assert_int_equal(ask(w, &with_pod, NULL, &u), -EACCES);
	with_node.node = (struct sa_bound){ XB_SV("x"), XB_SV("u") };
	assert_int_equal(ask(w, &with_node, NULL, &u), -EACCES);
	put(w, "nodes/x", 0, object);
	assert_int_equal(ask(w, &with_node, NULL, &u), 0);
	put(w, "serviceaccounts/a/x", revision, dying);
	assert_int_equal(ask(w, &with_node, NULL, &u), -EACCES);
}

static void names_do_not_reach_into_other_keys(void **state)
{
	struct world *w = *state;
	struct sa_claims c = claims_of(w);
	struct user *u;

	put(w, "serviceaccounts/a/x", 0, object);
	c.namespace_ = XB_SV("");
	c.account.name = XB_SV("a/x");
	assert_int_equal(ask(w, &c, NULL, &u), -EACCES);
	c.namespace_ = XB_SV("a/x");
	c.account.name = XB_SV("");
	assert_int_equal(ask(w, &c, NULL, &u), -EACCES);
}

static void tokens_of_others_are_left_to_others(void **state)
{
	static const char *const texts[] = { "", "secret", "a.b.c", "e30.e30.AAAA" };
	struct world *w = *state;
	struct xb_tree *audiences;
	struct user *u;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(sa_token_user(w->tokens, w->arena, xb_sv(texts[i]), sa_tokens_audiences(w->tokens), &u,
					       &audiences, NULL),
				 -ENOENT);
}

static int show(struct world *w, const char *token, const char *audience, struct user **ret)
{
	char *const wanted[] = { (char *)audience, NULL };
	struct xb_tree *audiences;

	return sa_token_user(w->tokens, w->arena, xb_sv(token), audience ? wanted : sa_tokens_audiences(w->tokens), ret, &audiences, NULL);
}

static const char *secret_with(struct world *w, const char *token, const char *more)
{
	return xb_arena_printf(w->arena, "{\"metadata\":{%s\"name\":\"s\",\"resourceVersion\":\"\",\"uid\":\"v\"},\"data\":{\"token\":\"%s\"}}", more,
			       keys_encode(w->arena, xb_sv(token)));
}

static void a_secret_keeps_a_token(void **state)
{
	struct world *w = *state;
	struct sa_claims c = claims_of(w);
	_cleanup_buf_ struct xb_buf token = {};
	uint64_t revision;
	struct user *u;

	c.secret.name = XB_SV("s");
	assert_int_equal(sa_token_issue_kept(w->tokens, &c, &token), 0);
	put(w, "serviceaccounts/a/x", 0, object);
	assert_int_equal(show(w, token.p, NULL, &u), -EACCES);
	revision = put(w, "secrets/a/s", 0, secret_with(w, token.p, ""));
	assert_int_equal(show(w, token.p, NULL, &u), 0);
	assert_string_equal(u->name, "system:serviceaccount:a:x");
	assert_string_equal(u->uid, "u");
	assert_int_equal(show(w, token.p, "vault", &u), -EACCES);
	revision = put(w, "secrets/a/s", revision, secret_with(w, token.p, "\"labels\":{\"kubernetes.io/legacy-token-invalid-since\":\"2026-01-01\"},"));
	assert_int_equal(show(w, token.p, NULL, &u), -EACCES);
	put(w, "secrets/a/s", revision, secret_with(w, "another", ""));
	assert_int_equal(show(w, token.p, NULL, &u), -EACCES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_account_is_the_user), TEST(times_count), TEST(another_of_that_name_is_another),
		TEST(names_do_not_reach_into_other_keys), TEST(tokens_of_others_are_left_to_others),
		TEST(a_secret_keeps_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
