/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Against a server that does not aggregate by itself. */
#include "../../../userspace/lib/client/api_fixture.h"
#include "../../../../../control/controllers/kcm.h"

#define ROLE(name, label, rest) \
	"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"u-" name "\",\"resourceVersion\":\"7\",\"labels\":{\"to\":\"" label "\"}}," rest "}"
#define RULE(verb) "{\"verbs\":[\"" verb "\"]}"
#define OF(rules) \
	"\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":{\"to\":\"y\"}},{\"matchLabels\":{\"to\":\"x\"}}]},\"rules\":" rules

static struct test {
	struct fixture f;
	struct kcm_options options;
	struct xb_recorder *recorder;
	struct kcm *kcm;
	const char *roles;
	struct fake_conn *watch;
	unsigned written;
	char path[256], body[8192];
} t;

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	char list[4096];

	if (!strcmp(method, "PUT")) {
		t.written++;
		snprintf(t.path, sizeof(t.path), "%s", path);
		snprintf(t.body, sizeof(t.body), "%s", f->body);
		fake_reply(c, 200, "{}");
	} else if (strstr(path, "watch=true")) {
		fake_stream(c);
		t.watch = c;
	} else {
		snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[%s]}", t.roles);
		fake_reply(c, 200, list);
	}
}

static void start(const char *roles)
{
	struct kcm_config c = { .rest = t.f.rest, .recorder = t.recorder, .options = &t.options, .root_ca = "" };

	t.roles = roles;
	assert_int_equal(kcm_new(&c, &t.kcm), 0);
	run_until(&t.f.loop, t.watch);
}

static int setup(void **state)
{
	char *argv[] = { "kube-controller-manager", "--controllers=clusterrole-aggregation-controller" };

	t = (struct test){};
	assert_int_equal(kcm_options_parse(2, argv, &t.options, NULL), 0);
	fixture_start(&t.f);
	t.f.answer = answer;
	t.recorder = xb_recorder_new(t.f.rest, NULL);
	return 0;
}

static int teardown(void **state)
{
	kcm_free(t.kcm);
	xb_recorder_free(t.recorder);
	fixture_stop(&t.f);
	kcm_options_done(&t.options);
	return 0;
}

static void rules_are_gathered_once_each_in_upstreams_order(void **state)
{
	start(ROLE("all", "y", OF("[]")) "," ROLE("b", "x", "\"rules\":[" RULE("get") "," RULE("list") "]") ","
	      ROLE("a", "x", "\"rules\":[" RULE("list") "," RULE("watch") "]") "," ROLE("z", "y", "\"rules\":[" RULE("get") "]") ","
	      ROLE("c", "none", "\"rules\":[" RULE("delete") "]"));
	run_until(&t.f.loop, t.written);
	assert_string_equal(t.path, "/apis/rbac.authorization.k8s.io/v1/clusterroles/all");
	assert_non_null(strstr(t.body, "\"rules\":[" RULE("get") "," RULE("list") "," RULE("watch") "]"));
	assert_non_null(strstr(t.body, "\"resourceVersion\":\"7\""));
	assert_non_null(strstr(t.body, "\"kind\":\"ClusterRole\""));
	assert_int_equal(t.written, 1);
}

static void what_is_right_is_not_written(void **state)
{
	start(ROLE("all", "y", OF("[" RULE("get") "]")) "," ROLE("none", "n", OF("null")) "," ROLE("a", "x", "\"rules\":[" RULE("get") "]"));
	run_until(&t.f.loop, t.written);
	assert_string_equal(t.path, "/apis/rbac.authorization.k8s.io/v1/clusterroles/none");
	assert_int_equal(t.written, 1);
	fake_chunk(t.watch, "{\"type\":\"ADDED\",\"object\":" ROLE("b", "x", "\"rules\":[" RULE("put") "]") "}\n");
	run_until(&t.f.loop, t.written == 3);
	assert_non_null(strstr(t.body, "\"rules\":[" RULE("get") "," RULE("put") "]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rules_are_gathered_once_each_in_upstreams_order, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_right_is_not_written, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
