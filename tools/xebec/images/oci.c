/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/sha.h>
#include <sys/utsname.h>

#include "oci.h"
#include "tar.h"
#include "xb/file.h"
#include "xb/json.h"
#include "xb/why.h"
#include "../xalloc.h"

struct digest {
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
};

static struct digest digest_of(struct xb_sv bytes)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	struct digest d;

	SHA256((const unsigned char *)bytes.p, bytes.n, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(d.hex + 2 * i, "%02x", sum[i]);
	return d;
}

/* Go's name of this machine. */
static const char *architecture(void)
{
	static struct utsname u;

	if (uname(&u) < 0)
		return "amd64";
	return !strcmp(u.machine, "x86_64") ? "amd64" : !strcmp(u.machine, "aarch64") ? "arm64" : u.machine;
}

static void write_words(struct xb_jw *w, const char *key, const char *const *words)
{
	xb_jw_key(w, key);
	xb_jw_array(w);
	for (; words && *words; words++)
		xb_jw_str(w, *words);
	xb_jw_end(w);
}

static void write_config(const struct oci_image *image, struct xb_buf *out)
{
	_cleanup_free_ char *layer = xprintf("sha256:%s", digest_of(image->layer).hex);
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "architecture", architecture());
	xb_jw_kstr(&w, "os", "linux");
	xb_jw_key(&w, "config");
	xb_jw_object(&w);
	write_words(&w, "Entrypoint", image->command);
	write_words(&w, "Env", image->env);
	if (image->stop_signal)
		xb_jw_kstr(&w, "StopSignal", image->stop_signal);
	if (image->port) {
		xb_jw_key(&w, "ExposedPorts");
		xb_jw_object(&w);
		xb_jw_key(&w, image->port);
		xb_jw_object(&w);
		xb_jw_end(&w);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	xb_jw_key(&w, "rootfs");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "type", "layers");
	xb_jw_key(&w, "diff_ids");
	xb_jw_array(&w);
	xb_jw_str(&w, layer);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

/* An object with the members of a descriptor; open, for more. */
static void begin_descriptor(struct xb_jw *w, const char *type, struct xb_sv bytes)
{
	_cleanup_free_ char *digest = xprintf("sha256:%s", digest_of(bytes).hex);

	xb_jw_object(w);
	xb_jw_kstr(w, "mediaType", type);
	xb_jw_kstr(w, "digest", digest);
	xb_jw_kint(w, "size", (int64_t)bytes.n);
}

static void write_manifest(struct xb_sv config, struct xb_sv layer, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kint(&w, "schemaVersion", 2);
	xb_jw_kstr(&w, "mediaType", "application/vnd.oci.image.manifest.v1+json");
	xb_jw_key(&w, "config");
	begin_descriptor(&w, "application/vnd.oci.image.config.v1+json", config);
	xb_jw_end(&w);
	xb_jw_key(&w, "layers");
	xb_jw_array(&w);
	begin_descriptor(&w, "application/vnd.oci.image.layer.v1.tar", layer);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

/* The image stands there once for each of its names. */
static void write_index(const struct oci_image *image, struct xb_sv manifest, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kint(&w, "schemaVersion", 2);
	xb_jw_key(&w, "manifests");
	xb_jw_array(&w);
	for (const char *const *name = image->names; *name; name++) {
		begin_descriptor(&w, "application/vnd.oci.image.manifest.v1+json", manifest);
		xb_jw_key(&w, "annotations");
		xb_jw_object(&w);
		xb_jw_kstr(&w, "io.containerd.image.name", *name);
		xb_jw_kstr(&w, "org.opencontainers.image.ref.name", strrchr(*name, ':') + 1);
		xb_jw_end(&w);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
}

static int add_blob(struct xb_buf *tar, struct xb_sv bytes)
{
	_cleanup_free_ char *path = xprintf("blobs/sha256/%s", digest_of(bytes).hex);

	return tar_file(tar, path, 0644, bytes);
}

int oci_write(const char *path, const struct oci_image *image, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf config = {}, manifest = {}, index = {}, tar = {};
	int r;

	write_config(image, &config);
	write_manifest(xb_buf_sv(&config), image->layer, &manifest);
	write_index(image, xb_buf_sv(&manifest), &index);
	r = tar_file(&tar, "oci-layout", 0644, XB_SV("{\"imageLayoutVersion\":\"1.0.0\"}"));
	if (!r)
		r = tar_file(&tar, "index.json", 0644, xb_buf_sv(&index));
	if (!r)
		r = add_blob(&tar, xb_buf_sv(&config));
	if (!r)
		r = add_blob(&tar, xb_buf_sv(&manifest));
	if (!r)
		r = add_blob(&tar, image->layer);
	tar_end(&tar);
	if (!r)
		r = config.err || manifest.err || index.err || tar.err ? -ENOMEM : xb_file_write(path, xb_buf_sv(&tar), 0644);
	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", path, strerror(-r)) : 0;
}
