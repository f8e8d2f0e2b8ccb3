/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../lib/client/api_fixture.h"
#include "../../../../userspace/kubelet/objects.h"

#define EMPTY "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]}"

static struct test {
	struct fixture f;
	struct objects *objects;
	struct xb_buf told;             /* uids, each with a blank behind it */
	struct fake_conn *watch;        /* of the ConfigMap cm */
	unsigned refusals;              /* so many times the Secret s is refused */
	unsigned lists;                 /* of it */
} t;

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	if (strstr(path, "watch=true")) {
		fake_stream(c);
		if (strstr(path, "configmaps"))
			t.watch = c;
	} else if (strstr(path, "/namespaces/ns/configmaps?fieldSelector=metadata.name%3Dcm&")) {
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{\"name\":\"cm\",\"namespace\":\"ns\","
				   "\"resourceVersion\":\"3\",\"managedFields\":[{}]},\"data\":{\"k\":\"one\"}}]}");
	} else if (strstr(path, "/secrets?") && t.lists++ < t.refusals) {
		fake_reply(c, 403, "{\"kind\":\"Status\",\"message\":\"secrets \\\"s\\\" is forbidden\",\"reason\":\"Forbidden\",\"code\":403}");
	} else if (strstr(path, "/api/v1/services")) {
		fake_reply(c, 200, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":["
				   "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"clusterIP\":\"10.96.0.9\"}},"
				   "{\"metadata\":{\"name\":\"web\",\"namespace\":\"other\"}},"
				   "{\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"default\"}}]}");
	} else {
		fake_reply(c, 200, EMPTY);
	}
}

static void on_changed(void *arg, const char *uid)
{
	xb_buf_addf(&t.told, "%s ", uid);
}

static int setup(void **state)
{
	struct objects_config c = { .changed = on_changed };

	t = (struct test){};
	fixture_start(&t.f);
	t.f.answer = answer;
	c.rest = t.f.rest;
	assert_int_equal(objects_new(&c, &t.objects), 0);
	return 0;
}

static int teardown(void **state)
{
	objects_free(t.objects);
	fixture_stop(&t.f);
	xb_buf_done(&t.told);
	return 0;
}

static void follow(const char *uid, const char *spec)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"%s\"},\"spec\":%s}", uid, spec);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	assert_int_equal(objects_follow(t.objects, xb_json_root(doc)), 0);
}

static int get(enum objects_kind kind, const char *name, struct xb_jv *ret)
{
	const char *why = NULL;
	int r = objects_get(t.objects, kind, "ns", name, ret, &why);

	assert_true(r != -EACCES || strstr(why, "is forbidden"));
	return r;
}

static bool told(const char *uid)
{
	return t.told.p && strstr(t.told.p, uid);
}

#define VOLUME "{\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"cm\"}}]}"

static void is_copied_once_for_all_that_name_it(void **state)
{
	struct xb_jv cm = {};

	follow("u1", VOLUME);
	follow("u2", "{\"containers\":[{\"envFrom\":[{\"configMapRef\":{\"name\":\"cm\"}}],\"env\":[{\"valueFrom\":{\"configMapKeyRef\":"
		     "{\"name\":\"cm\",\"key\":\"k\"}}}]}]}");
	assert_int_equal(get(OBJECTS_CONFIGMAP, "cm", &cm), -EAGAIN);
	run_until(&t.f.loop, told("u1") && told("u2") && t.watch && objects_services_known(t.objects));
	assert_int_equal(get(OBJECTS_CONFIGMAP, "cm", &cm), 0);
	assert_true(xb_jv_streq(xb_jv_path(cm, "data", "k"), XB_SV("one")));
	assert_false(xb_jv_is(xb_jv_path(cm, "metadata", "managedFields")));
	assert_int_equal(get(OBJECTS_SECRET, "cm", &cm), -ENOENT);
	run_until(&t.f.loop, t.f.api.requests == 4);
}

static void changes_are_told_to_those_that_name_it(void **state)
{
	struct xb_jv cm = {};

	follow("u1", VOLUME);
	follow("u2", "{\"imagePullSecrets\":[{\"name\":\"none\"}]}");
	run_until(&t.f.loop, t.watch && told("u2"));
	assert_int_equal(get(OBJECTS_SECRET, "none", &cm), -ENOENT);
	xb_buf_clear(&t.told);
	fake_chunk(t.watch, "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"cm\",\"namespace\":\"ns\",\"resourceVersion\":\"6\"},"
			    "\"data\":{\"k\":\"two\"}}}\n");
	run_until(&t.f.loop, t.told.n);
	assert_string_equal(t.told.p, "u1 ");
	assert_int_equal(get(OBJECTS_CONFIGMAP, "cm", &cm), 0);
	assert_true(xb_jv_streq(xb_jv_path(cm, "data", "k"), XB_SV("two")));
	fake_chunk(t.watch, "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"cm\",\"namespace\":\"ns\",\"resourceVersion\":\"7\"}}}\n");
	run_until(&t.f.loop, get(OBJECTS_CONFIGMAP, "cm", &cm) == -ENOENT);
	assert_string_equal(t.told.p, "u1 u1 ");
}

static void is_let_go_with_the_last_that_names_it(void **state)
{
	struct xb_jv cm = {};

	follow("u1", VOLUME);
	follow("u2", VOLUME);
	run_until(&t.f.loop, t.watch && told("u2"));
	objects_forget(t.objects, "u1");
	assert_int_equal(get(OBJECTS_CONFIGMAP, "cm", &cm), 0);
	follow("u2", "{}");
	assert_int_equal(get(OBJECTS_CONFIGMAP, "cm", &cm), -ENOENT);
	objects_forget(t.objects, "u2");
	objects_forget(t.objects, "u2");
}

/* The server may learn of the binding after the kubelet has. */
static void a_refusal_is_told_and_asked_again_soon(void **state)
{
	struct xb_jv s = {};
	uint64_t begun = uv_hrtime();

	t.refusals = 2;
	follow("u1", "{\"volumes\":[{\"projected\":{\"sources\":[{\"secret\":{\"name\":\"s\"}}]}}]}");
	run_until(&t.f.loop, get(OBJECTS_SECRET, "s", &s) == -EACCES);
	assert_true(told("u1"));
	run_until(&t.f.loop, get(OBJECTS_SECRET, "s", &s) == -ENOENT);
	assert_true(uv_hrtime() - begun < 2000000000);
}

static void note_service(void *arg, struct xb_jv service)
{
	assert_false(xb_jv_is(xb_jv_path(service, "metadata", "labels")));
	xb_buf_addsv(arg, xb_jv_text(xb_jv_path(service, "metadata", "namespace")));
	xb_buf_addc(arg, ' ');
}

static void services_of_the_namespace_and_the_clusters_own(void **state)
{
	_cleanup_buf_ struct xb_buf seen = {};

	assert_false(objects_services_known(t.objects));
	follow("u1", "{}");
	run_until(&t.f.loop, objects_services_known(t.objects));
	assert_true(told("u1"));
	objects_each_service(t.objects, "ns", note_service, &seen);
	assert_string_equal(seen.p, "ns default ");
}

static void without_a_server_all_is_absent(void **state)
{
	struct objects_config c = { .changed = on_changed };
	struct objects *alone;
	struct xb_jv cm = {};
	const char *why;

	assert_int_equal(objects_new(&c, &alone), 0);
	assert_true(objects_services_known(alone));
	assert_int_equal(objects_get(alone, OBJECTS_CONFIGMAP, "ns", "cm", &cm, &why), -ENOENT);
	objects_free(alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_copied_once_for_all_that_name_it, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_are_told_to_those_that_name_it, setup, teardown),
		cmocka_unit_test_setup_teardown(is_let_go_with_the_last_that_names_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refusal_is_told_and_asked_again_soon, setup, teardown),
		cmocka_unit_test_setup_teardown(services_of_the_namespace_and_the_clusters_own, setup, teardown),
		cmocka_unit_test(without_a_server_all_is_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
