/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../../../../userspace/kubelet/pods/static.h"

#define HEAD "apiVersion: v1\nkind: Pod\n"
#define WEB HEAD "metadata:\n  name: web\nspec:\n  containers:\n  - name: c\n    image: nginx\n    resources: {limits: {cpu: 0.5}}\n"

static struct xb_json *parse(const char *text, const char *path, const char *node)
{
	struct xb_json *pod = NULL;
	char *why = NULL;
	int r = static_parse(xb_sv(text), path, node, 1700000000 * 1000000LL, &pod, &why);

	if (r < 0)
		fail_msg("%d: %s", r, why ? why : "");
	return pod;
}

static bool is(struct xb_json *pod, const char *value, const char *a, const char *b, const char *c)
{
	return xb_jv_streq(c ? xb_jv_path(xb_json_root(pod), a, b, c) : xb_jv_path(xb_json_root(pod), a, b), xb_sv(value));
}

static void a_file_is_a_pod_of_this_node(void **state)
{
	struct xb_json *pod = parse(WEB, "/etc/m/web.yaml", "N1");
	struct xb_jv c = xb_jv_at(xb_jv_path(xb_json_root(pod), "spec", "containers"), 0);

	assert_true(is(pod, "web-n1", "metadata", "name", NULL));
	assert_true(is(pod, "default", "metadata", "namespace", NULL));
	assert_true(is(pod, "N1", "spec", "nodeName", NULL));
	assert_true(is(pod, "file", "metadata", "annotations", STATIC_NOTE_SOURCE));
	assert_true(is(pod, "2023-11-14T22:13:20.000000Z", "metadata", "annotations", STATIC_NOTE_SEEN));
	assert_true(xb_jv_streq(xb_jv_path(xb_json_root(pod), "metadata", "uid"),
				xb_jv_text(xb_jv_path(xb_json_root(pod), "metadata", "annotations", STATIC_NOTE_HASH))));
	/* as the API server would have made it */
	assert_true(is(pod, "Always", "spec", "restartPolicy", NULL));
	assert_true(is(pod, "ClusterFirst", "spec", "dnsPolicy", NULL));
	assert_true(xb_jv_streq(xb_jv_get(c, "imagePullPolicy"), XB_SV("Always")));
	assert_true(xb_jv_streq(xb_jv_get(c, "terminationMessagePath"), XB_SV("/dev/termination-log")));
	assert_true(xb_jv_streq(xb_jv_path(c, "resources", "requests", "cpu"), XB_SV("500m")));
	assert_true(xb_jv_streq(xb_jv_get(xb_jv_at(xb_jv_path(xb_json_root(pod), "spec", "tolerations"), 0), "effect"), XB_SV("NoExecute")));
	xb_json_unref(pod);
}

static void uid_of(const char *text, const char *path, const char *node, char ret[64])
{
	struct xb_json *pod = parse(text, path, node);
	struct xb_sv uid = xb_jv_text(xb_jv_path(xb_json_root(pod), "metadata", "uid"));

	assert_int_equal(uid.n, 32);
	snprintf(ret, 64, "%.*s", XB_SV_ARG(uid));
	xb_json_unref(pod);
}

static void the_same_file_is_the_same_pod(void **state)
{
	char uid[64], other[64];

	uid_of(WEB, "/a", "n", uid);
	uid_of(WEB, "/a", "n", other);
	assert_string_equal(uid, other);
	uid_of(WEB "# more\n", "/a", "n", other);
	assert_string_not_equal(uid, other);
	uid_of(WEB, "/b", "n", other);
	assert_string_not_equal(uid, other);
	uid_of(WEB, "/a", "m", other);
	assert_string_not_equal(uid, other);
}

static void pull_policy_by_tag(void **state)
{
	static const struct { const char *image, *policy; } cases[] = {
		{ "nginx", "Always" }, { "nginx:latest", "Always" }, { "nginx:1.2", "IfNotPresent" }, { "r:5000/nginx", "Always" },
		{ "r:5000/nginx:1", "IfNotPresent" }, { "nginx@sha256:00", "IfNotPresent" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xb_buf text = {};
		struct xb_json *pod;

		xb_buf_addf(&text, HEAD "metadata: {name: a}\nspec: {containers: [{name: c, image: '%s'}]}\n", cases[i].image);
		pod = parse(text.p, "/a", "n");
		if (!xb_jv_streq(xb_jv_get(xb_jv_at(xb_jv_path(xb_json_root(pod), "spec", "containers"), 0), "imagePullPolicy"), xb_sv(cases[i].policy)))
			fail_msg("%s", cases[i].image);
		xb_json_unref(pod);
		xb_buf_done(&text);
	}
}

static void what_is_no_pod_is_said(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "", "it is empty" },
		{ "a: [", "yaml: line " },
		{ "a: 1", "it is no Pod of v1" },
		{ "apiVersion: v1\nkind: Service\n", "it is no Pod of v1" },
		{ HEAD, "metadata.name: Invalid value: \"\"" },
		{ HEAD "metadata: {name: ../x}\nspec: {containers: [{name: c}]}\n", "metadata.name: Invalid value: \"../x\"" },
		{ HEAD "metadata: {name: a, namespace: a/b}\nspec: {containers: [{name: c}]}\n", "metadata.namespace: Invalid value: \"a/b\"" },
		{ HEAD "metadata: {name: a}\n", "spec.containers: Required value" },
		{ HEAD "metadata: {name: a}\nspec: {containers: [{name: ../c}]}\n", "spec.containers: a container's name" },
		{ HEAD "metadata: {name: a}\nspec: {containers: 1}\n", "json: cannot unmarshal number into Go struct field PodSpec.spec.containers" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xb_json *pod = NULL;
		char *why = NULL;

		assert_int_equal(static_parse(xb_sv(cases[i].text), "/a", "n", 0, &pod, &why), -EINVAL);
		if (!why || !strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, why ? why : "nothing said");
		free(why);
	}
}

static void put(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void drop(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(remove(path), 0);
}

static void a_folder(void **state)
{
	char folder[] = "/tmp/xb-static-XXXXXX", path[256];
	struct static_pods s = {};

	assert_non_null(mkdtemp(folder));
	put(folder, "b.yaml", WEB);
	put(folder, "a.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"j\"},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}");
	put(folder, "c.yaml", "nonsense");
	put(folder, ".hidden", WEB);
	snprintf(path, sizeof(path), "%s/folder", folder);
	mkdir(path, 0755);
	assert_int_equal(static_read(folder, "n", 0, &s), 0);
	assert_int_equal(s.n, 3);
	assert_true(is(s.v[0].pod, "j-n", "metadata", "name", NULL));
	assert_true(is(s.v[1].pod, "web-n", "metadata", "name", NULL));
	assert_null(s.v[2].pod);
	assert_string_equal(s.v[2].why, "it is no Pod of v1");
	static_pods_done(&s);
	snprintf(path, sizeof(path), "%s/b.yaml", folder);
	assert_int_equal(static_read(path, "n", 0, &s), 0);
	assert_int_equal(s.n, 1);
	static_pods_done(&s);
	drop(folder, "a.json");
	drop(folder, "b.yaml");
	drop(folder, "c.yaml");
	drop(folder, ".hidden");
	drop(folder, "folder");
	rmdir(folder);
	assert_int_equal(static_read(folder, "n", 0, &s), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_a_pod_of_this_node), cmocka_unit_test(the_same_file_is_the_same_pod),
		cmocka_unit_test(pull_policy_by_tag), cmocka_unit_test(what_is_no_pod_is_said), cmocka_unit_test(a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
