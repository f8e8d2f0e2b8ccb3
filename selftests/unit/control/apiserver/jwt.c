/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "../../../../control/apiserver/jwt_key.h"
#include "xb/base64.h"
#include "xb/file.h"

static char folder[] = "/tmp/xebec-test-XXXXXX";
static char ec_file[64], ec_public[64], other_file[64], other_public[64], rsa_file[64], weak_file[64];

static void write_rsa(const char *file, unsigned bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	FILE *f = fopen(file, "w");

	assert_non_null(key);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	EVP_PKEY_free(key);
}

static int make_files(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(ec_file, sizeof(ec_file), "%s/ec", folder);
	snprintf(ec_public, sizeof(ec_public), "%s/ec.pub", folder);
	snprintf(other_file, sizeof(other_file), "%s/other", folder);
	snprintf(other_public, sizeof(other_public), "%s/other.pub", folder);
	snprintf(rsa_file, sizeof(rsa_file), "%s/rsa", folder);
	snprintf(weak_file, sizeof(weak_file), "%s/weak", folder);
	write_rsa(rsa_file, 2048);
	write_rsa(weak_file, 1024);
	return jwt_key_make(ec_file, ec_public, NULL) || jwt_key_make(other_file, other_public, NULL);
}

static int remove_files(void **state)
{
	const char *const files[] = { ec_file, ec_public, other_file, other_public, rsa_file, weak_file };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(files[i]);
	return rmdir(folder);
}

static struct jwt_keys *keys_of(const char *signing, char *const *verifying)
{
	struct jwt_keys *k;

	assert_int_equal(jwt_keys_new(signing, verifying, &k, NULL), 0);
	return k;
}

static int verify(const struct jwt_keys *k, const char *token)
{
	_cleanup_(xb_json_unrefp) struct xb_json *claims = NULL;

	return jwt_verify(k, xb_sv(token), &claims);
}

static char *sign(const struct jwt_keys *k, const char *claims)
{
	struct xb_buf token = {};

	assert_int_equal(jwt_sign(k, xb_sv(claims), &token), 0);
	return xb_buf_steal(&token);
}

/* header and claims as given, with the signature of another token. */
static char *forge(const char *header, const char *claims, const char *signature)
{
	struct xb_buf token = {};

	xb_base64url_encode(xb_sv(header), &token);
	xb_buf_addc(&token, '.');
	xb_base64url_encode(xb_sv(claims), &token);
	xb_buf_addf(&token, ".%s", signature);
	return xb_buf_steal(&token);
}

/* A header as given, under a signature that is good. */
static char *forge_signed(const struct jwt_keys *k, const char *header)
{
	struct xb_buf token = {};
	_cleanup_buf_ struct xb_buf signature = {};

	xb_base64url_encode(xb_sv(header), &token);
	xb_buf_addc(&token, '.');
	xb_base64url_encode(XB_SV("{}"), &token);
	assert_int_equal(jwt_key_sign(k->signing, xb_buf_sv(&token), &signature), 0);
	xb_buf_addc(&token, '.');
	xb_base64url_encode(xb_buf_sv(&signature), &token);
	return xb_buf_steal(&token);
}

static void what_is_signed_verifies(void **state)
{
	const char *const signing[] = { ec_file, rsa_file };

	for (size_t i = 0; i < ARRAY_SIZE(signing); i++) {
		_cleanup_(jwt_keys_freep) struct jwt_keys *k = keys_of(signing[i], NULL);
		_cleanup_(xb_json_unrefp) struct xb_json *claims = NULL;
		_cleanup_free_ char *token = sign(k, "{\"sub\":\"me\"}");

		assert_true(jwt_is(xb_sv(token)));
		assert_int_equal(jwt_verify(k, xb_sv(token), &claims), 0);
		assert_true(xb_jv_streq(xb_jv_get(xb_json_root(claims), "sub"), XB_SV("me")));
	}
}

static void every_changed_byte_is_noticed(void **state)
{
	_cleanup_(jwt_keys_freep) struct jwt_keys *k = keys_of(ec_file, NULL);
	_cleanup_free_ char *token = sign(k, "{\"sub\":\"me\"}");

	for (size_t i = 0; token[i]; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(verify(k, token), 0);
		token[i] = was;
	}
	assert_int_equal(verify(k, token), 0);
}

static void only_the_verifying_keys_count(void **state)
{
	char *const verifying[] = { ec_public, rsa_file, NULL };
	_cleanup_(jwt_keys_freep) struct jwt_keys *ec = keys_of(ec_file, NULL), *other = keys_of(other_file, NULL);
	_cleanup_(jwt_keys_freep) struct jwt_keys *both = keys_of(other_file, verifying), *rsa = keys_of(rsa_file, NULL);
	_cleanup_free_ char *by_ec = sign(ec, "{}"), *by_other = sign(other, "{}"), *by_rsa = sign(rsa, "{}");

	assert_int_equal(verify(both, by_ec), 0);
	assert_int_equal(verify(both, by_rsa), 0);
	assert_int_equal(verify(both, by_other), -EKEYREJECTED);
	assert_int_equal(verify(ec, by_other), -EKEYREJECTED);
	assert_int_equal(verify(ec, by_rsa), -EKEYREJECTED);
}

/* CVE-2015-9235 and its like: the token says how it wants to be verified. */
static void the_header_does_not_choose(void **state)
{
	_cleanup_(jwt_keys_freep) struct jwt_keys *k = keys_of(rsa_file, NULL);
	_cleanup_free_ char *good = sign(k, "{}"), *plain = forge_signed(k, "{\"alg\":\"RS256\"}");
	const char *signature = strrchr(good, '.') + 1;
	static const char *const headers[] = {
		"{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"HS256\"}", "{\"alg\":\"ES256\"}", "{\"alg\":\"rs256\"}", "{\"alg\":1}", "{}",
		"[]", "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", "{\"alg\":\"RS256\",\"kid\":\"another\"}", "{\"alg\":\"RS512\"}",
		"{\"alg\":\"RS256\",\"kid\":7}", "{\"alg\":[\"RS256\"]}",
	};

	assert_int_equal(verify(k, plain), 0);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		_cleanup_free_ char *with = forge(headers[i], "{}", signature), *without = forge(headers[i], "{}", ""),
				    *one = forge(headers[i], "{}", "AA"), *truly = forge_signed(k, headers[i]);

		assert_true(verify(k, truly) < 0);
		assert_true(verify(k, with) < 0);
		assert_true(verify(k, without) < 0);
		assert_true(verify(k, one) < 0);
	}
}

static void what_is_no_token_is_refused(void **state)
{
	static const char *const texts[] = {
		"", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", ".e30.AAAA", "e30..AAAA", "e30=.e30.AAAA", "e30.e30.AA==",
		"e3 0.e30.AAAA", "e31.e30.AAAA", "bnVsbA.e30.AAAA", "e30.e30.A", "\n.e30.AAAA", "e30.e30.AAAA\n", "e30.e30.AA+/",
	};
	_cleanup_(jwt_keys_freep) struct jwt_keys *k = keys_of(ec_file, NULL);
	_cleanup_buf_ struct xb_buf huge = {};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_true(verify(k, texts[i]) < 0);
	while (huge.n <= JWT_MAX)
		xb_buf_adds(&huge, "e30.e30.AAAA");
	assert_int_equal(verify(k, huge.p), -EBADMSG);
}

static void bad_key_files_are_named(void **state)
{
	const char *const files[] = { weak_file, ec_public, "/dev/null", "/nonexistent" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *why = NULL;
		struct jwt_keys *k;

		assert_int_equal(jwt_keys_new(files[i], NULL, &k, &why), -EINVAL);
		assert_non_null(strstr(why, files[i]));
	}
}

static void the_key_set_has_public_numbers_only(void **state)
{
	char *const verifying[] = { ec_file, rsa_file, NULL };
	_cleanup_(jwt_keys_freep) struct jwt_keys *k = keys_of(ec_file, verifying);
	_cleanup_buf_ struct xb_buf set = {}, algorithms = {};
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv keys;

	jwt_keys_write_set(k, &set);
	assert_int_equal(xb_json_parse(xb_buf_sv(&set), NULL, &doc, NULL), 0);
	keys = xb_jv_get(xb_json_root(doc), "keys");
	assert_int_equal(xb_jv_count(keys), 2);
	for (struct xb_jit it = xb_jv_iter(keys); xb_jit_next(&it);)
		assert_false(xb_jv_is(xb_jv_get(it.value, "d")));
	assert_int_equal(xb_jv_text(xb_jv_get(xb_jv_at(keys, 0), "x")).n, 43);
	assert_int_equal(xb_jv_text(xb_jv_get(xb_jv_at(keys, 1), "n")).n, 342);
	jwt_keys_write_algorithms(k, &algorithms);
	assert_string_equal(algorithms.p, "[\"RS256\",\"ES256\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_verifies),
		cmocka_unit_test(every_changed_byte_is_noticed),
		cmocka_unit_test(only_the_verifying_keys_count),
		cmocka_unit_test(the_header_does_not_choose),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(bad_key_files_are_named),
		cmocka_unit_test(the_key_set_has_public_numbers_only),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
