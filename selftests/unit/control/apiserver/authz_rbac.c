/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/authz_rbac.h"

/* A store in a folder of its own, and roles that follow it. */
struct world {
	char folder[32];
	uv_loop_t loop;
	struct store *store;
	struct authz *authz;
};

static char *modes[] = { (char *)"RBAC", NULL };

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_config c = { .data_dir = w->folder, .loop = &w->loop };

	strcpy(w->folder, "/tmp/xebec-test-XXXXXX");
	*state = w;
	return !mkdtemp(w->folder) || uv_loop_init(&w->loop) || store_open(&c, &w->store, NULL) || authz_new(modes, w->store, &w->authz);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	return remove(path);
}

static int remove_world(void **state)
{
	struct world *w = *state;

	authz_free(w->authz);
	store_close(w->store);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_loop_close(&w->loop);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

static void on_done(void *arg, int error, struct store_object *o)
{
	assert_int_equal(error, 0);
	*(uint64_t *)arg = o->revision;
}

typedef int write_fn(struct store *s, const char *key, uint64_t expect, const struct store_value *v, store_done done, void *arg);

/* rest: what follows the metadata. */
static uint64_t write_object(struct world *w, write_fn *fn, const char *plural, const char *namespace_, const char *name, uint64_t expect,
			     const char *rest)
{
	_cleanup_buf_ struct xb_buf key = {}, json = {};
	uint64_t revision = 0;
	struct store_value value = {};

	xb_buf_addf(&key, "%s.rbac.authorization.k8s.io/%s%s%s", plural, namespace_, *namespace_ ? "/" : "", name);
	xb_buf_addf(&json, "{\"metadata\":{\"name\":\"%s\"", name);
	if (*namespace_)
		xb_buf_addf(&json, ",\"namespace\":\"%s\"", namespace_);
	xb_buf_adds(&json, ",\"resourceVersion\":\"");
	value.hole = json.n;
	xb_buf_addf(&json, "\"},%s}", rest);
	value.bytes = xb_buf_sv(&json);
	assert_int_equal(fn(w->store, key.p, expect, &value, on_done, &revision), 0);
	while (!revision)
		uv_run(&w->loop, UV_RUN_ONCE);
	return revision;
}

#define RULES "\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\"]}]"
#define TO(kind, role, subject) "\"roleRef\":{\"kind\":\"" kind "\",\"name\":\"" role "\"},\"subjects\":[" subject "]"
#define USER "{\"kind\":\"User\",\"name\":\"jane\"}"
#define GROUP "{\"kind\":\"Group\",\"name\":\"dev\"}"
#define ACCOUNT "{\"kind\":\"ServiceAccount\",\"name\":\"robot\",\"namespace\":\"b\"}"

static bool may(struct world *w, const char *name, const char *group, const char *namespace_, struct xb_buf *reason)
{
	char *groups[] = { (char *)group, NULL };
	struct user u = { .name = (char *)name, .uid = (char *)"", .groups = groups };
	struct attributes t = {
		.user = &u,
		.verb = XB_SV("get"),
		.is_resource = true,
		.resource = XB_SV("pods"),
		.namespace_ = xb_sv(namespace_),
		.name = XB_SV("p"),
	};

	return authz_decide(w->authz, &t, reason) == DECISION_ALLOW;
}

static void bindings_are_in_force_as_they_come_and_go(void **state)
{
	struct world *w = *state;
	uint64_t revision;

	write_object(w, store_put, "clusterroles", "", "reader", 0, RULES);
	assert_false(may(w, "jane", "x", "a", NULL));
	revision = write_object(w, store_put, "rolebindings", "a", "b", 0, TO("ClusterRole", "reader", USER "," GROUP "," USER));
	assert_true(may(w, "jane", "x", "a", NULL));
	assert_true(may(w, "bill", "dev", "a", NULL));
	assert_false(may(w, "jane", "x", "b", NULL));
	assert_false(may(w, "jane", "x", "", NULL));
	assert_false(may(w, "dev", "jane", "a", NULL));
	revision = write_object(w, store_put, "rolebindings", "a", "b", revision, TO("ClusterRole", "reader", GROUP));
	assert_false(may(w, "jane", "x", "a", NULL));
	assert_true(may(w, "bill", "dev", "a", NULL));
	write_object(w, store_delete, "rolebindings", "a", "b", revision, TO("ClusterRole", "reader", GROUP));
	assert_false(may(w, "bill", "dev", "a", NULL));
}

static void roles_are_of_their_namespace(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct xb_buf reason = {};

	write_object(w, store_put, "roles", "a", "reader", 0, RULES);
	write_object(w, store_put, "rolebindings", "b", "b", 0, TO("Role", "reader", USER));
	assert_false(may(w, "jane", "x", "b", &reason));
	assert_string_equal(reason.p, "RBAC: role.rbac.authorization.k8s.io \"reader\" not found");
	write_object(w, store_put, "rolebindings", "a", "b", 0, TO("Role", "reader", USER));
	xb_buf_clear(&reason);
	assert_true(may(w, "jane", "x", "a", &reason));
	assert_string_equal(reason.p, "RBAC: allowed by RoleBinding \"b/a\" of Role \"reader\" to User \"jane\"");
}

static void accounts_are_users(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct xb_buf reason = {};

	write_object(w, store_put, "clusterroles", "", "reader", 0, RULES);
	write_object(w, store_put, "clusterrolebindings", "", "all", 0, TO("ClusterRole", "reader", ACCOUNT));
	assert_true(may(w, "system:serviceaccount:b:robot", "x", "a", &reason));
	assert_string_equal(reason.p, "RBAC: allowed by ClusterRoleBinding \"all\" of ClusterRole \"reader\" to ServiceAccount \"robot/b\"");
	assert_false(may(w, "system:serviceaccount:a:robot", "x", "a", NULL));
	assert_false(may(w, "robot", "x", "a", NULL));
}

static void masters_need_no_role(void **state)
{
	assert_true(may(*state, "anybody", "system:masters", "a", NULL));
	assert_false(may(*state, "system:masters", "x", "a", NULL));
}

static void a_new_start_knows_what_is_there(void **state)
{
	struct world *w = *state;

	write_object(w, store_put, "clusterroles", "", "reader", 0, RULES);
	write_object(w, store_put, "clusterrolebindings", "", "all", 0, TO("ClusterRole", "reader", USER));
	w->authz = authz_free(w->authz);
	assert_int_equal(authz_new(modes, w->store, &w->authz), 0);
	assert_true(may(w, "jane", "x", "a", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bindings_are_in_force_as_they_come_and_go), TEST(roles_are_of_their_namespace), TEST(accounts_are_users),
		TEST(masters_need_no_role), TEST(a_new_start_knows_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
