/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <openssl/sha.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tar.h>

#include "archive.h"
#include "xb/json.h"
#include "xb/map.h"
#include "xb/why.h"
#include "../xalloc.h"

#define BLOCK          512
#define LAYERS_MAX     256
#define NESTING_MAX    4
#define OCI_INDEX      "application/vnd.oci.image.index.v1+json"
#define DOCKER_INDEX   "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI_MANIFEST   "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG     "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER      "application/vnd.oci.image.layer.v1.tar"

struct archive {
	char *path;
	char *bytes;                    /* mapped */
	size_t n;
	struct xb_map *files;           /* path -> struct xb_sv, allocated */
};

struct archive *archive_close(struct archive *a)
{
	struct xb_map_it it = {};

	if (!a)
		return NULL;
	while (a->files && xb_map_next(a->files, &it))
		free(it.value);
	xb_map_free(a->files);
	if (a->bytes)
		munmap(a->bytes, a->n);
	free(a->path);
	free(a);
	return NULL;
}

/* --- the tar archive --- */

/* -EINVAL unless octal digits, after blanks and before a blank or the end. */
static int read_octal(const char *field, size_t n, size_t *ret)
{
	size_t i = 0, value = 0;

	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++) {
		if (value > SIZE_MAX >> 4)
			return -EINVAL;
		value = value * 8 + (field[i] - '0');
	}
	if (i < n && field[i] && field[i] != ' ')
		return -EINVAL;
	*ret = value;
	return 0;
}

static struct xb_sv field_text(const char *field, size_t n)
{
	return (struct xb_sv){ field, strnlen(field, n) };
}

/* The entry's name, without "./": a new string. */
static char *entry_name(const char *header)
{
	struct xb_sv name = field_text(header, 100), prefix = field_text(header + 345, 155);
	bool ustar = !memcmp(header + 257, "ustar", 5);
	char *path = ustar && prefix.n ? xprintf("%.*s/%.*s", XB_SV_ARG(prefix), XB_SV_ARG(name)) : xalloc(xb_sv_dup(name));
	size_t skip = !strncmp(path, "./", 2) ? 2 : 0;

	memmove(path, path + skip, strlen(path + skip) + 1);
	return path;
}

static void keep_file(struct archive *a, const char *path, struct xb_sv bytes)
{
	struct xb_sv *file = xalloc(malloc(sizeof(*file)));
	void *old = NULL;

	*file = bytes;
	if (xb_map_set(a->files, xb_sv(path), file, &old))
		xalloc(NULL);
	free(old);
}

static int read_tar(struct archive *a)
{
	size_t at = 0, size;

	while (a->n - at >= BLOCK && a->bytes[at]) {
		const char *header = a->bytes + at;
		_cleanup_free_ char *path = entry_name(header);

		if (read_octal(header + 124, 12, &size) || size > a->n - at - BLOCK)
			return -EINVAL;
		if (header[156] == REGTYPE || header[156] == AREGTYPE)
			keep_file(a, path, (struct xb_sv){ header + BLOCK, size });
		at += BLOCK + MIN((size + BLOCK - 1) / BLOCK * BLOCK, a->n - at - BLOCK);
	}
	return 0;
}

int archive_open(const char *path, struct archive **ret, char **reterr_why)
{
	_cleanup_(archive_closep) struct archive *a = xalloc(calloc(1, sizeof(*a)));
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	a->path = xalloc(strdup(path));
	a->files = xalloc(xb_map_new(XB_MAP_COPY));
	if (fd < 0 || fstat(fd, &st) < 0)
		return xb_why(reterr_why, -errno, "cannot open '%s': %s", path, strerror(errno));
	bytes = st.st_size ? mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (bytes == MAP_FAILED)
		return xb_why(reterr_why, -EINVAL, "'%s' is no tar archive: it is empty or no file", path);
	a->bytes = bytes;
	a->n = st.st_size;
	if (read_tar(a) || (!xb_map_get(a->files, XB_SV("index.json")) && !xb_map_get(a->files, XB_SV("manifest.json"))))
		return xb_why(reterr_why, -EINVAL, "'%s' is no archive of images: a tar file with an OCI layout (index.json) or docker's "
			      "manifest.json was expected, not compressed", path);
	*ret = TAKE_PTR(a);
	return 0;
}

static const struct xb_sv *find_file(const struct archive *a, struct xb_sv path)
{
	return xb_map_get(a->files, path);
}

static int parse_file(const struct archive *a, struct xb_sv path, struct xb_json **ret, char **reterr_why)
{
	const struct xb_sv *bytes = find_file(a, path);

	if (!bytes || xb_json_parse(*bytes, NULL, ret, NULL))
		return xb_why(reterr_why, -EINVAL, "'%s': %.*s is missing, or not JSON", a->path, XB_SV_ARG(path));
	return 0;
}

/* --- an OCI layout --- */

/* The blob with a digest, if the archive has it: of an image for several architectures it may have some only. */
static const struct xb_sv *find_blob(const struct archive *a, struct xb_sv digest)
{
	char path[160];

	if (!xb_sv_starts(digest, "sha256:") || digest.n != 7 + 64 || memchr(digest.p, '/', digest.n))
		return NULL;
	snprintf(path, sizeof(path), "blobs/sha256/%.*s", (int)digest.n - 7, digest.p + 7);
	return find_file(a, xb_sv(path));
}

static void set_digest(char digest[80], struct xb_sv text)
{
	snprintf(digest, 80, "%.*s", XB_SV_ARG(text));
}

struct references {
	struct archive_reference v[LAYERS_MAX + 1];
	char labels[LAYERS_MAX + 1][48];
	size_t n;
};

static _printf_(3, 4) void add_reference(struct references *r, struct xb_sv digest, const char *fmt, ...)
{
	va_list ap;

	if (r->n == ARRAY_SIZE(r->v))
		return;
	va_start(ap, fmt);
	vsnprintf(r->labels[r->n], sizeof(r->labels[0]), fmt, ap);
	va_end(ap);
	r->v[r->n].label = r->labels[r->n];
	set_digest(r->v[r->n++].digest, digest);
}

static int visit_descriptor(const struct archive *a, struct xb_jv d, unsigned depth, const struct archive_visitor *v,
			    struct archive_blob *ret, char **reterr_why);

static int visit_part(const struct archive *a, struct xb_jv d, const struct archive_visitor *v, struct references *refers,
		      const char *label, unsigned i, unsigned depth, char **reterr_why)
{
	struct xb_sv digest = xb_jv_text(xb_jv_get(d, "digest"));
	bool other_machine = strstr(label, "content.m.");
	struct archive_blob blob;
	int r;

	if (!find_blob(a, digest))
		return other_machine ? 0 : xb_why(reterr_why, -EINVAL, "'%s': blob %.*s is missing", a->path, XB_SV_ARG(digest));
	r = visit_descriptor(a, d, depth, v, &blob, reterr_why);
	if (!r)
		add_reference(refers, digest, label, i);
	return r;
}

/* Of a manifest its config and layers, of an index its manifests. */
static int visit_parts(const struct archive *a, struct xb_sv bytes, const struct archive_visitor *v, struct references *refers,
		       unsigned depth, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv root, config;
	unsigned i = 0;
	int r = 0;

	if (depth == NESTING_MAX || xb_json_parse(bytes, NULL, &doc, NULL))
		return xb_why(reterr_why, -EINVAL, "'%s': a manifest is not JSON, or nested deeper than %d", a->path, NESTING_MAX);
	root = xb_json_root(doc);
	config = xb_jv_get(root, "config");
	if (xb_jv_is(config))
		r = visit_part(a, config, v, refers, "containerd.io/gc.ref.content.config", 0, depth, reterr_why);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(root, "layers")); !r && xb_jit_next(&it); i++)
		r = visit_part(a, it.value, v, refers, "containerd.io/gc.ref.content.l.%u", i, depth, reterr_why);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(root, "manifests")); !r && xb_jit_next(&it); i++)
		r = visit_part(a, it.value, v, refers, "containerd.io/gc.ref.content.m.%u", i, depth, reterr_why);
	return r;
}

static bool has_parts(struct xb_sv media_type)
{
	return xb_sv_is(media_type, OCI_INDEX) || xb_sv_is(media_type, DOCKER_INDEX) || xb_sv_is(media_type, OCI_MANIFEST) ||
	       xb_sv_is(media_type, "application/vnd.docker.distribution.manifest.v2+json");
}

static int give_blob(struct xb_sv media_type, struct xb_sv digest, struct xb_sv bytes, const struct references *refers,
		     const struct archive_visitor *v, struct archive_blob *ret)
{
	*ret = (struct archive_blob){ .bytes = bytes };
	snprintf(ret->media_type, sizeof(ret->media_type), "%.*s", XB_SV_ARG(media_type));
	set_digest(ret->digest, digest);
	return v->blob(v->arg, ret, refers ? refers->v : NULL, refers ? refers->n : 0);
}

static int visit_descriptor(const struct archive *a, struct xb_jv d, unsigned depth, const struct archive_visitor *v,
			    struct archive_blob *ret, char **reterr_why)
{
	struct xb_sv media_type = xb_jv_text(xb_jv_get(d, "mediaType")), digest = xb_jv_text(xb_jv_get(d, "digest"));
	const struct xb_sv *bytes = find_blob(a, digest);
	struct references refers = {};
	int r = 0;

	if (!bytes)
		return xb_why(reterr_why, -EINVAL, "'%s': blob %.*s is missing", a->path, XB_SV_ARG(digest));
	if (has_parts(media_type))
		r = visit_parts(a, *bytes, v, &refers, depth + 1, reterr_why);
	return r ? r : give_blob(media_type, digest, *bytes, &refers, v, ret);
}

/* What of docker's short names is left out, said: "nginx" is docker.io/library/nginx:latest. A new string. */
static char *full_name(struct xb_sv name)
{
	const char *slash = memchr(name.p, '/', name.n), *last = memrchr(name.p, '/', name.n);
	size_t host = slash ? (size_t)(slash - name.p) : 0, path = last ? (size_t)(last - name.p) : 0;
	bool has_host = host && (memchr(name.p, '.', host) || memchr(name.p, ':', host) || xb_sv_is((struct xb_sv){ name.p, host }, "localhost"));
	bool has_tag = memchr(name.p + path, ':', name.n - path);

	return xprintf("%s%.*s%s", has_host ? "" : slash ? "docker.io/" : "docker.io/library/", XB_SV_ARG(name), has_tag ? "" : ":latest");
}

static int visit_layout(const struct archive *a, const struct archive_visitor *v, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *index = NULL;
	int r = parse_file(a, XB_SV("index.json"), &index, reterr_why);

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(xb_json_root(index), "manifests")); !r && xb_jit_next(&it);) {
		struct xb_jv notes = xb_jv_get(it.value, "annotations");
		struct xb_sv name = xb_jv_text(xb_jv_get(notes, "io.containerd.image.name"));
		_cleanup_free_ char *full = NULL;
		struct archive_blob target;

		if (!name.n)
			name = xb_jv_text(xb_jv_get(notes, "org.opencontainers.image.ref.name"));
		r = visit_descriptor(a, it.value, 0, v, &target, reterr_why);
		if (r || !name.n)
			continue; /* a part of another, or one for no name */
		full = full_name(name);
		r = v->image(v->arg, full, &target);
	}
	return r;
}

/* --- docker's older form: [{"Config": "x.json", "RepoTags": ["nginx:latest"], "Layers": ["y/layer.tar"]}] --- */

static void digest_bytes(struct xb_sv bytes, char digest[80])
{
	unsigned char sum[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)bytes.p, bytes.n, sum);
	strcpy(digest, "sha256:");
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(digest + 7 + 2 * i, "%02x", sum[i]);
}

/* A file of the archive becomes a blob, and a descriptor in the manifest. */
static int convert_file(const struct archive *a, struct xb_sv path, const char *media_type, const struct archive_visitor *v,
			struct references *refers, const char *label, unsigned i, struct xb_jw *manifest, char **reterr_why)
{
	const struct xb_sv *bytes = find_file(a, path);
	struct archive_blob blob;
	char digest[80];
	int r;

	if (!bytes)
		return xb_why(reterr_why, -EINVAL, "'%s': %.*s is missing", a->path, XB_SV_ARG(path));
	digest_bytes(*bytes, digest);
	r = give_blob(xb_sv(media_type), xb_sv(digest), *bytes, NULL, v, &blob);
	add_reference(refers, xb_sv(digest), label, i);
	xb_jw_object(manifest);
	xb_jw_kstr(manifest, "mediaType", media_type);
	xb_jw_kstr(manifest, "digest", digest);
	xb_jw_kint(manifest, "size", (int64_t)bytes->n);
	xb_jw_end(manifest);
	return r;
}

static int convert_image(const struct archive *a, struct xb_jv image, const struct archive_visitor *v, struct archive_blob *ret,
			 struct xb_buf *out, char **reterr_why)
{
	struct xb_jw w = XB_JW(out);
	struct references refers = {};
	char digest[80];
	unsigned i = 0;
	int r;

	xb_jw_object(&w);
	xb_jw_kint(&w, "schemaVersion", 2);
	xb_jw_kstr(&w, "mediaType", OCI_MANIFEST);
	xb_jw_key(&w, "config");
	r = convert_file(a, xb_jv_text(xb_jv_get(image, "Config")), OCI_CONFIG, v, &refers, "containerd.io/gc.ref.content.config", 0, &w, reterr_why);
	xb_jw_key(&w, "layers");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(image, "Layers")); !r && xb_jit_next(&it); i++)
		r = convert_file(a, xb_jv_text(it.value), OCI_LAYER, v, &refers, "containerd.io/gc.ref.content.l.%u", i, &w, reterr_why);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (!r)
		r = xb_jw_finish(&w);
	if (r)
		return r;
	digest_bytes(xb_buf_sv(out), digest);
	return give_blob(XB_SV(OCI_MANIFEST), xb_sv(digest), xb_buf_sv(out), &refers, v, ret);
}

static int visit_docker(const struct archive *a, const struct archive_visitor *v, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = parse_file(a, XB_SV("manifest.json"), &doc, reterr_why);

	for (struct xb_jit it = xb_jv_iter(xb_json_root(doc)); !r && xb_jit_next(&it);) {
		_cleanup_buf_ struct xb_buf manifest = {};
		struct archive_blob target;

		r = convert_image(a, it.value, v, &target, &manifest, reterr_why);
		for (struct xb_jit tag = xb_jv_iter(xb_jv_get(it.value, "RepoTags")); !r && xb_jit_next(&tag);) {
			_cleanup_free_ char *full = full_name(xb_jv_text(tag.value));

			r = v->image(v->arg, full, &target);
		}
	}
	return r;
}

int archive_visit(const struct archive *a, const struct archive_visitor *v, char **reterr_why)
{
	return xb_map_get(a->files, XB_SV("index.json")) ? visit_layout(a, v, reterr_why) : visit_docker(a, v, reterr_why);
}
