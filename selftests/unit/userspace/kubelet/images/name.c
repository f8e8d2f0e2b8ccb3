/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/images/name.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names_are_read(void **state)
{
	static const struct { const char *image, *repository, *tag, *policy; } t[] = {
		{ "nginx", "docker.io/library/nginx", NULL, "Always" },
		{ "nginx:latest", "docker.io/library/nginx", "latest", "Always" },
		{ "nginx:1.25", "docker.io/library/nginx", "1.25", "IfNotPresent" },
		{ "index.docker.io/team/web", "docker.io/team/web", NULL, "Always" },
		{ "team/web_a__b-c---d.e", "docker.io/team/web_a__b-c---d.e", NULL, "Always" },
		{ "localhost/web", "localhost/web", NULL, "Always" },
		{ "Registry/web:V_1", "Registry/web", "V_1", "IfNotPresent" },
		{ "127.0.0.1:5000/a/b:x", "127.0.0.1:5000/a/b", "x", "IfNotPresent" },
		{ "[::1]:5000/a", "[::1]:5000/a", NULL, "Always" },
		{ "registry.test/a@sha256:" HEX64, "registry.test/a", NULL, "IfNotPresent" },
		{ "registry.test/a:1@sha256:" HEX64, "registry.test/a", "1", "IfNotPresent" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct image_name n;
		const char *why = "";

		assert_int_equal(image_name_parse(xb_sv(t[i].image), &n, &why), 0);
		assert_string_equal(n.repository, t[i].repository);
		if (t[i].tag)
			assert_string_equal(n.tag, t[i].tag);
		else
			assert_null(n.tag);
		assert_string_equal(image_name_policy(&n), t[i].policy);
		assert_int_equal(n.digest, strstr(t[i].image, "@") != NULL);
		image_name_done(&n);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const struct { const char *image, *why; } t[] = {
		{ "", "invalid reference format" }, { "a b", "invalid reference format" }, { "a:", "invalid reference format" },
		{ "a/", "invalid reference format" }, { "/a", "invalid reference format" }, { "a..b", "invalid reference format" },
		{ "a___b", "invalid reference format" }, { "-a", "invalid reference format" }, { "a_", "invalid reference format" },
		{ "a:.x", "invalid reference format" }, { "a@sha256:12", "invalid reference format" }, { "a//b", "invalid reference format" },
		{ "-h.test/a", "invalid reference format" }, { "h.test:x/a", "invalid reference format" }, { "h.test./a", "invalid reference format" },
		{ "Nginx", "invalid reference format: repository name must be lowercase" },
		{ "a@sha512:" HEX64, "invalid checksum digest length" }, { "a@md5:" HEX64, "unsupported digest algorithm" },
		{ HEX64, "invalid repository name, cannot specify 64-byte hexadecimal strings" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct image_name n;
		const char *why = "";

		assert_int_equal(image_name_parse(xb_sv(t[i].image), &n, &why), -EINVAL);
		assert_string_equal(why, t[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_are_read), cmocka_unit_test(what_is_none_is_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
