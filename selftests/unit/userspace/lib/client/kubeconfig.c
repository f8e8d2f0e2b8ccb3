/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "xb/kubeconfig.h"

#define PEM "LS0tLS1CRUdJTiBYLS0tLS0KYQotLS0tLUVORCBYLS0tLS0K" /* -----BEGIN X-----\na\n-----END X-----\n */

static char folder[] = "/tmp/xb-kubeconfig-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

static int setup(void **state)
{
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "config", "ca.crt", "token", "namespace", "c.pem", "k.pem" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(in_folder(files[i]));
	return rmdir(folder);
}

static const char whole[] =
	"apiVersion: v1\n"
	"kind: Config\n"
	"current-context: b\n"
	"contexts:\n"
	"- name: a\n  context: {cluster: one, user: by-token}\n"
	"- name: b\n  context: {cluster: two, user: by-cert, namespace: prod}\n"
	"- name: c\n  context: {cluster: three}\n"
	"clusters:\n"
	"- name: one\n  cluster: {server: \"https://one:6443/\", certificate-authority: ca.crt, tls-server-name: api}\n"
	"- name: two\n  cluster: {server: \"https://two\", certificate-authority-data: " PEM "}\n"
	"- name: three\n  cluster: {server: \"three:8080\"}\n"
	"users:\n"
	"- name: by-token\n  user: {token: secret, tokenFile: token}\n"
	"- name: by-cert\n  user: {client-certificate-data: " PEM ", client-key-data: " PEM "}\n";

static int load(const char *text, const char *context, struct xb_kubeconfig *k, char **why)
{
	put("config", text);
	return xb_kubeconfig_load(in_folder("config"), context, NULL, k, why);
}

static void current_context_is_used(void **state)
{
	struct xb_kubeconfig k;
	char *why = NULL;

	assert_int_equal(load(whole, NULL, &k, &why), 0);
	assert_string_equal(k.server, "https://two");
	assert_string_equal(k.ca.text, "-----BEGIN X-----\na\n-----END X-----\n");
	assert_string_equal(k.cert.text, k.ca.text);
	assert_string_equal(k.key.text, k.ca.text);
	assert_string_equal(k.namespace_, "prod");
	assert_null(k.token);
	assert_false(k.insecure);
	xb_kubeconfig_done(&k);
}

static void paths_are_relative_to_the_file(void **state)
{
	struct xb_kubeconfig k, copy;
	char *why = NULL;

	put("ca.crt", "x");
	put("token", "x");
	assert_int_equal(load(whole, "a", &k, &why), 0);
	assert_int_equal(xb_kubeconfig_copy(&k, &copy), 0);
	xb_kubeconfig_done(&k);
	assert_string_equal(copy.server, "https://one:6443");
	assert_string_equal(copy.tls_server_name, "api");
	assert_string_equal(copy.ca.file, in_folder("ca.crt"));
	assert_string_equal(copy.token_file, in_folder("token"));
	assert_string_equal(copy.token, "secret");
	assert_string_equal(copy.namespace_, "default");
	xb_kubeconfig_done(&copy);
}

static void json_is_read_as_well_and_the_server_may_be_replaced(void **state)
{
	struct xb_kubeconfig k;
	char *why = NULL;

	put("config", "{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"x\",\"user\":\"\"}}],"
		      "\"clusters\":[{\"name\":\"x\",\"cluster\":{\"server\":\"x:1\",\"insecure-skip-tls-verify\":true}}],\"users\":null}");
	assert_int_equal(xb_kubeconfig_load(in_folder("config"), NULL, NULL, &k, &why), 0);
	assert_string_equal(k.server, "https://x:1");
	assert_true(k.insecure);
	xb_kubeconfig_done(&k);
	assert_int_equal(xb_kubeconfig_load(in_folder("config"), NULL, "http://y:2", &k, &why), 0);
	assert_string_equal(k.server, "http://y:2");
	xb_kubeconfig_done(&k);
	assert_int_equal(xb_kubeconfig_load(NULL, NULL, "z:3", &k, &why), 0);
	assert_string_equal(k.server, "http://z:3");
	xb_kubeconfig_done(&k);
}

static void faults_name_the_field(void **state)
{
#define ONE_CLUSTER(cluster, user) \
	"current-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n" \
	"clusters: [{name: x, cluster: {" cluster "}}]\nusers: [{name: x, user: {" user "}}]\n"
	static const struct {
		const char *text, *context, *part;
	} cases[] = {
		{ "a: [", NULL, "yaml" },
		{ "{}", NULL, "current-context" },
		{ whole, "z", "no context \"z\"" },
		{ "current-context: x\ncontexts: [{name: x, context: {cluster: what}}]", NULL, "clusters" },
		{ "current-context: x\ncontexts: [{name: x, context: {cluster: x, user: who}}]\nclusters: [{name: x, cluster: {server: s}}]", NULL, "users" },
		{ ONE_CLUSTER("", ""), NULL, "no server" },
		{ ONE_CLUSTER("server: [1]", ""), NULL, "server is not a string" },
		{ ONE_CLUSTER("server: s, certificate-authority-data: '***'", ""), NULL, "certificate-authority-data" },
		{ ONE_CLUSTER("server: s, certificate-authority-data: YWJj", ""), NULL, "certificate-authority-data" },
		{ ONE_CLUSTER("server: s, certificate-authority: nowhere.crt", ""), NULL, "nowhere.crt" },
		{ ONE_CLUSTER("server: s", "client-certificate-data: " PEM), NULL, "client-key" },
		{ ONE_CLUSTER("server: s", "exec: {command: x}"), NULL, "exec is not supported" },
		{ ONE_CLUSTER("server: s", "tokenFile: gone"), NULL, "tokenFile" },
	};
	struct xb_kubeconfig k = {};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *why = NULL;

		if (load(cases[i].text, cases[i].context, &k, &why) >= 0)
			fail_msg("no fault, where '%s' was expected", cases[i].part);
		assert_non_null(why);
		if (!strstr(why, cases[i].part) || !strstr(why, "config"))
			fail_msg("expected '%s' in: %s", cases[i].part, why);
		free(why);
		assert_null(k.server);
	}
}

static void missing_file_is_named(void **state)
{
	struct xb_kubeconfig k = {};
	char *why = NULL;

	assert_int_equal(xb_kubeconfig_load("/nonexistent/kc", NULL, NULL, &k, &why), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent/kc"));
	free(why);
}

static void pod_finds_its_service_account(void **state)
{
	struct xb_kubeconfig k = {};
	char *why = NULL;

	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_true(xb_kubeconfig_in_cluster(folder, &k, &why) < 0);
	assert_non_null(strstr(why, "KUBERNETES_SERVICE_HOST"));
	free(why);
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	unlink(in_folder("token"));
	assert_int_equal(xb_kubeconfig_in_cluster(folder, &k, &why), -ENOENT);
	assert_non_null(strstr(why, folder));
	free(why);
	put("token", "t");
	put("ca.crt", "c");
	put("namespace", "kube-system\n");
	assert_int_equal(xb_kubeconfig_in_cluster(folder, &k, &why), 0);
	assert_string_equal(k.server, "https://[fd00::1]:443");
	assert_string_equal(k.token_file, in_folder("token"));
	assert_string_equal(k.namespace_, "kube-system");
	xb_kubeconfig_done(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(current_context_is_used), cmocka_unit_test(paths_are_relative_to_the_file),
		cmocka_unit_test(json_is_read_as_well_and_the_server_may_be_replaced), cmocka_unit_test(faults_name_the_field),
		cmocka_unit_test(missing_file_is_named), cmocka_unit_test(pod_finds_its_service_account),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
