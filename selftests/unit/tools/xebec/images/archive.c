/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* tests link libraries, and a tool has none: the files themselves */
#include "../../../../../tools/xebec/images/tar.c"
#undef BLOCK
#include "../../../../../tools/xebec/images/oci.c"
#include "../../../../../tools/xebec/images/archive.c"

/* What a visitor was told, a line each. */
static struct xb_buf told;

static int on_blob(void *arg, const struct archive_blob *b, const struct archive_reference *refers, size_t n)
{
	struct digest d = digest_of(b->bytes);

	assert_string_equal(b->digest + 7, d.hex);
	xb_buf_addf(&told, "blob %s\n", b->media_type);
	for (size_t i = 0; i < n; i++)
		xb_buf_addf(&told, "  %s\n", refers[i].label);
	return 0;
}

static int on_image(void *arg, const char *name, const struct archive_blob *target)
{
	xb_buf_addf(&told, "image %s\n", name);
	return 0;
}

static const struct archive_visitor visitor = { .blob = on_blob, .image = on_image };

/* 0 or -errno of reading it; told and *ret_why say the rest. */
static int visit(const char *path, char **ret_why)
{
	_cleanup_(archive_closep) struct archive *a = NULL;
	int r;

	xb_buf_clear(&told);
	*ret_why = NULL;
	r = archive_open(path, &a, ret_why);
	return r ? r : archive_visit(a, &visitor, ret_why);
}

static char path[] = "/tmp/xebec-archive-XXXXXX";

static int setup(void **state)
{
	return mkstemp(path) < 0;
}

static int teardown(void **state)
{
	xb_buf_done(&told);
	return unlink(path);
}

static void write_archive(const struct xb_buf *tar)
{
	assert_int_equal(xb_file_write(path, xb_buf_sv(tar), 0600), 0);
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const names[] = { "docker.io/library/x:latest", "docker.io/library/x:1", NULL }, *const command[] = { "/x", NULL };
	const struct oci_image image = { .names = names, .command = command, .layer = XB_SV("no tar, but bytes") };
	_cleanup_free_ char *why = NULL;

	assert_int_equal(oci_write(path, &image, &why), 0);
	assert_int_equal(visit(path, &why), 0);
	assert_string_equal(told.p,
		"blob application/vnd.oci.image.config.v1+json\n"
		"blob application/vnd.oci.image.layer.v1.tar\n"
		"blob application/vnd.oci.image.manifest.v1+json\n"
		"  containerd.io/gc.ref.content.config\n  containerd.io/gc.ref.content.l.0\n"
		"image docker.io/library/x:latest\n"
		"blob application/vnd.oci.image.config.v1+json\n"
		"blob application/vnd.oci.image.layer.v1.tar\n"
		"blob application/vnd.oci.image.manifest.v1+json\n"
		"  containerd.io/gc.ref.content.config\n  containerd.io/gc.ref.content.l.0\n"
		"image docker.io/library/x:1\n");
}

static void docker_s_older_form_becomes_a_manifest(void **state)
{
	_cleanup_buf_ struct xb_buf tar = {};
	_cleanup_free_ char *why = NULL;

	tar_file(&tar, "./c.json", 0644, XB_SV("{}"));
	tar_file(&tar, "l/layer.tar", 0644, XB_SV("layer"));
	tar_file(&tar, "manifest.json", 0644, XB_SV("[{\"Config\":\"c.json\",\"RepoTags\":[\"nginx\",\"me/x:2\",\"localhost:5000/y:3\"],"
						    "\"Layers\":[\"l/layer.tar\"]}]"));
	tar_end(&tar);
	write_archive(&tar);
	assert_int_equal(visit(path, &why), 0);
	assert_string_equal(told.p,
		"blob application/vnd.oci.image.config.v1+json\n"
		"blob application/vnd.oci.image.layer.v1.tar\n"
		"blob application/vnd.oci.image.manifest.v1+json\n"
		"  containerd.io/gc.ref.content.config\n  containerd.io/gc.ref.content.l.0\n"
		"image docker.io/library/nginx:latest\nimage docker.io/me/x:2\nimage localhost:5000/y:3\n");
}

static void faults_say_what_is_missing(void **state)
{
	static const struct { const char *name, *content, *want; } cases[] = {
		{ "x", "y", "no archive of images" },
		{ "index.json", "{", "index.json is missing, or not JSON" },
		{ "manifest.json", "[{\"Config\":\"c.json\"}]", "c.json is missing" },
		{ "index.json", "{\"manifests\":[{\"digest\":\"sha256:../../../../../../../../../../../../../../../../../../../../etc/shadow\"}]}",
		  "is missing" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct xb_buf tar = {};
		_cleanup_free_ char *why = NULL;

		tar_file(&tar, cases[i].name, 0644, xb_sv(cases[i].content));
		tar_end(&tar);
		write_archive(&tar);
		assert_int_equal(visit(path, &why), -EINVAL);
		assert_non_null(strstr(why, cases[i].want));
	}
}

static void a_cut_archive_is_refused(void **state)
{
	_cleanup_buf_ struct xb_buf tar = {};
	_cleanup_free_ char *why = NULL;

	tar_file(&tar, "index.json", 0644, XB_SV("{\"manifests\":[]}"));
	tar.n = BLOCK + 3;
	write_archive(&tar);
	assert_int_equal(visit(path, &why), -EINVAL);
	free(why);
	memcpy(tar.p + 124, "77777777777", 11); /* a size beyond everything */
	write_archive(&tar);
	assert_int_equal(visit(path, &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(docker_s_older_form_becomes_a_manifest),
		cmocka_unit_test(faults_say_what_is_missing),
		cmocka_unit_test(a_cut_archive_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
