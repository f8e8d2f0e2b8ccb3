/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "../../../../../userspace/kubelet/images/keyring.h"

static void hosts_and_paths_match(void **state)
{
	static const struct { const char *where, *repository; bool matches; } t[] = {
		{ "registry.test", "registry.test/a", true },
		{ "registry.test", "registry.test:5000/a", false },
		{ "registry.test:5000", "registry.test:5000/a/b", true },
		{ "registry.test/team", "registry.test/team/web", true },
		{ "registry.test/team", "registry.test/teams/web", true },
		{ "registry.test/team", "registry.test/other", false },
		{ "*.test", "registry.test/a", true },
		{ "*.test", "a.registry.test/a", false },
		{ "*.*.test/x", "a.registry.test/x/y", true },
		{ "reg?stry.test", "registry.test/a", true },
		{ "[r-s]egistry.test", "registry.test/a", true },
		{ "*", "registry.test/a", false },
		{ "docker.io", "docker.io/library/nginx", true },
		{ "[::1]:5000", "[::1]:5000/a", true },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct credential c = { .where = (char *)t[i].where };

		if (credential_matches(&c, t[i].repository) != t[i].matches)
			fail_msg("%s, %s", t[i].where, t[i].repository);
	}
}

static int add(struct keyring *k, const char *type, const char *file, const char *held, char **why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	char base64[4096];

	EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)held, (int)strlen(held));
	xb_buf_addf(&text, "{\"type\":\"%s\",\"data\":{\"%s\":\"%s\"}}", type, file, base64);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	return keyring_add(k, xb_json_root(doc), why);
}
#define JSON "kubernetes.io/dockerconfigjson", ".dockerconfigjson"

static void secrets_are_read(void **state)
{
	_cleanup_(keyring_done) struct keyring k = {};
	const struct credential *found[8];
	char *why = NULL;

	assert_int_equal(add(&k, JSON, "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTpwOnA=\"},"
			     "\"registry.test\":{\"username\":\"all\",\"password\":\"1\"},"
			     "\"http://registry.test/v2/team\":{\"username\":\"team\",\"password\":\"2\",\"auth\":\"\"}}}", &why), 0);
	assert_int_equal(add(&k, "kubernetes.io/dockercfg", ".dockercfg", "{\"registry.test\":{\"auth\":\"YTpi\"},\"unpadded.test\":{\"auth\":\"YWE6Yg\"}}",
			     &why), 0);
	assert_int_equal(add(&k, "Opaque", "x", "x", &why), 0);
	assert_int_equal(k.all.n, 5);

	/* the more special first, and of one place in the order of the secrets */
	assert_int_equal(keyring_lookup(&k, "registry.test/team/web", found, 8), 3);
	assert_string_equal(found[0]->username, "team");
	assert_string_equal(found[1]->username, "all");
	assert_string_equal(found[2]->username, "a");
	assert_string_equal(found[2]->password, "b");
	assert_int_equal(keyring_lookup(&k, "registry.test/team/web", found, 1), 1);

	assert_int_equal(keyring_lookup(&k, "docker.io/library/nginx", found, 8), 1);
	assert_string_equal(found[0]->username, "u");
	assert_string_equal(found[0]->password, "p:p");
	assert_int_equal(keyring_lookup(&k, "unpadded.test/a", found, 8), 1);
	assert_string_equal(found[0]->username, "aa");
	assert_int_equal(keyring_lookup(&k, "elsewhere.test/a", found, 8), 0);
}

static void broken_secrets_are_named(void **state)
{
	_cleanup_(keyring_done) struct keyring k = {};
	char *why = NULL;

	assert_int_equal(add(&k, JSON, "{", &why), -EINVAL);
	assert_string_equal(why, ".dockerconfigjson: is not a JSON object");
	free(why);
	assert_int_equal(add(&k, JSON, "{\"auths\":{\"a.test\":{\"auth\":\"YTpi\"},\"b.test\":{\"auth\":\"YWI=\"}}}", &why), -EINVAL);
	assert_string_equal(why, ".dockerconfigjson: \"b.test\": unable to parse auth field, must be formatted as base64(username:password)");
	free(why);
	assert_int_equal(k.all.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_paths_match), cmocka_unit_test(secrets_are_read), cmocka_unit_test(broken_secrets_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
