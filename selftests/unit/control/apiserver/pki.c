/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include "../../../../control/apiserver/pki.h"
#include "xb/file.h"
#include "xb/tls.h"

static char dir[32];

static struct apiserver_options options(void)
{
	return (struct apiserver_options){
		.cert_dir = "a/b", .secure_port = 6443, .advertise_address = "192.0.2.7",
		.reach_address = "192.0.2.6", .service_first_ip = { "10.96.0.1", "fd00::1" },
	};
}

static int prepare(const struct apiserver_options *o, char **reterr_why)
{
	struct pki p;
	int r = pki_prepare(o, &p, reterr_why);

	if (!r)
		pki_done(&p);
	return r;
}

static char *text(const char *file)
{
	struct xb_buf b = {};

	assert_int_equal(xb_file_read(file, 1 << 20, &b), 0);
	return xb_buf_steal(&b);
}

static mode_t mode(const char *file)
{
	struct stat st;

	assert_int_equal(stat(file, &st), 0);
	return st.st_mode & 0777;
}

static void the_first_start_makes_everything(void **state)
{
	static const char *const names[] = {
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", NULL,
	};
	static const char *const addresses[] = { "127.0.0.1", "::1", "192.0.2.6", "192.0.2.7", "10.96.0.1", "fd00::1", NULL };
	static const char *const other[] = { "192.0.2.8", NULL };
	struct apiserver_options o = options();
	_cleanup_free_ char *config = NULL;
	struct pki p;
	time_t end;

	o.kubeconfig_out = "admin.conf";
	assert_int_equal(pki_prepare(&o, &p, NULL), 0);
	assert_string_equal(p.cert_file, "a/b/apiserver.crt");
	assert_string_equal(p.client_ca_file, "a/b/ca.crt");
	assert_true(xb_cert_covers(p.cert_file, names, addresses));
	assert_false(xb_cert_covers(p.cert_file, NULL, other));
	assert_true(xb_cert_signed_by(p.cert_file, p.client_ca_file));
	assert_int_equal(xb_cert_not_after(p.cert_file, &end), 0);
	assert_true(labs(end - time(NULL) - 365 * 86400) < 60);
	assert_int_equal(mode("a/b/ca.key"), 0600);
	assert_int_equal(mode(p.key_file), 0600);
	assert_string_equal(p.kubelet_cert_file, "a/b/apiserver-kubelet-client.crt");
	assert_true(xb_cert_signed_by(p.kubelet_cert_file, "a/b/ca.crt"));
	assert_int_equal(mode(p.kubelet_key_file), 0600);
	assert_int_equal(mode("admin.conf"), 0600);
	config = text("admin.conf");
	assert_non_null(strstr(config, "    server: https://192.0.2.6:6443\n"));
	assert_non_null(strstr(config, "    certificate-authority-data: LS0tLS1CRUdJTi"));
	assert_non_null(strstr(config, "    client-key-data: LS0tLS1CRUdJTi"));
	assert_non_null(strstr(config, "\ncurrent-context: kubernetes-admin@kubernetes\n"));
	pki_done(&p);
}

static void the_next_start_changes_nothing(void **state)
{
	static const char *const files[] = {
		"a/b/ca.crt", "a/b/ca.key", "a/b/apiserver.crt", "a/b/apiserver.key", "a/b/admin.crt", "admin.conf",
	};
	struct apiserver_options o = options();
	char *before[ARRAY_SIZE(files)];

	o.kubeconfig_out = "admin.conf";
	assert_int_equal(prepare(&o, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		before[i] = text(files[i]);
	assert_int_equal(prepare(&o, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *after = text(files[i]);

		assert_string_equal(before[i], after);
		free(before[i]);
	}
}

static void the_serving_certificate_is_made_again(void **state)
{
	static const char *const moved[] = { "192.0.2.9", NULL };
	static const char *const before[] = { "192.0.2.7", NULL };
	struct xb_cert_request ending = { .common_name = "x", .ip_addresses = before, .server_auth = true, .days = 20 };
	struct apiserver_options o = options();
	_cleanup_free_ char *key = NULL, *key_after = NULL;
	time_t end;

	assert_int_equal(prepare(&o, NULL), 0);
	key = text("a/b/apiserver.key");
	snprintf(o.advertise_address, sizeof(o.advertise_address), "192.0.2.9");
	assert_int_equal(prepare(&o, NULL), 0);
	assert_true(xb_cert_covers("a/b/apiserver.crt", NULL, moved));
	key_after = text("a/b/apiserver.key");
	assert_string_equal(key, key_after);
	/* it ends within the month */
	assert_int_equal(xb_cert_make(&ending, "a/b/ca.crt", "a/b/ca.key", "a/b/apiserver.crt", "a/b/apiserver.key", NULL), 0);
	assert_int_equal(prepare(&o, NULL), 0);
	assert_int_equal(xb_cert_not_after("a/b/apiserver.crt", &end), 0);
	assert_true(end > time(NULL) + 300 * 86400);
	/* another CA */
	unlink("a/b/ca.crt");
	unlink("a/b/ca.key");
	assert_int_equal(prepare(&o, NULL), 0);
	assert_true(xb_cert_signed_by("a/b/apiserver.crt", "a/b/ca.crt"));
}

static void broken_files_are_named(void **state)
{
	static const struct {
		const char *file, *text, *why;
	} cases[] = {
		{ "a/b/ca.key", "junk", "'a/b/ca.key'" },
		{ "a/b/ca.crt", "junk", "'a/b/ca.crt'" },
		{ "a/b/apiserver.key", NULL, "'a/b/apiserver.key'" },
		{ "a/b/apiserver.crt", "", "'a/b/apiserver.crt'" },
	};
	struct apiserver_options o = options();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *good = NULL, *why = NULL;

		assert_int_equal(prepare(&o, NULL), 0);
		good = text(cases[i].file);
		if (cases[i].text)
			assert_int_equal(xb_file_write(cases[i].file, xb_sv(cases[i].text), 0600), 0);
		else
			unlink(cases[i].file);
		assert_true(prepare(&o, &why) < 0);
		assert_non_null(strstr(why, cases[i].why));
		assert_int_equal(xb_file_write(cases[i].file, xb_sv(good), 0600), 0);
	}
}

static void a_mismatched_pair_is_told(void **state)
{
	struct apiserver_options o = options();
	_cleanup_free_ char *why = NULL;

	assert_int_equal(prepare(&o, NULL), 0);
	assert_int_equal(rename("a/b/apiserver.key", "a/b/ca.key"), 0);
	assert_int_equal(prepare(&o, &why), -EINVAL);
	assert_string_equal(why, "the private key in 'a/b/ca.key' does not belong to the certificate in 'a/b/ca.crt'");
}

static void the_administrator_is_known_beside_another_client_ca(void **state)
{
	struct xb_cert_request other = { .common_name = "other", .is_ca = true, .days = 10 };
	struct apiserver_options o = options();
	_cleanup_free_ char *ours = NULL, *theirs = NULL, *both = NULL;
	struct pki p;

	assert_int_equal(xb_cert_make(&other, NULL, NULL, "other.crt", "other.key", NULL), 0);
	o.client_ca_file = "other.crt";
	o.kubeconfig_out = "admin.conf";
	assert_int_equal(pki_prepare(&o, &p, NULL), 0);
	both = text(p.client_ca_file);
	ours = text("a/b/ca.crt");
	theirs = text("other.crt");
	assert_non_null(strstr(both, ours));
	assert_non_null(strstr(both, theirs));
	pki_done(&p);
}

static void given_files_leave_the_folder_alone(void **state)
{
	struct xb_cert_request own = { .common_name = "own", .server_auth = true, .days = 10 };
	struct apiserver_options o = options();

	assert_int_equal(xb_cert_make(&own, NULL, NULL, "own.crt", "own.key", NULL), 0);
	o.tls_cert_file = o.client_ca_file = "own.crt";
	o.tls_private_key_file = "own.key";
	assert_int_equal(prepare(&o, NULL), 0);
	assert_int_not_equal(access("a", F_OK), 0);
}

static int setup(void **state)
{
	strcpy(dir, "/tmp/xebec-test-XXXXXX");
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	return remove(path);
}

static int teardown(void **state)
{
	return chdir("/") || nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		t(the_first_start_makes_everything), t(the_next_start_changes_nothing), t(the_serving_certificate_is_made_again),
		t(broken_files_are_named), t(a_mismatched_pair_is_told), t(the_administrator_is_known_beside_another_client_ca),
		t(given_files_leave_the_folder_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
