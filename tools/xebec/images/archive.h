/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_ARCHIVE_H
#define XEBEC_ARCHIVE_H
/*
 * Images in a tar archive: an OCI image layout (image-spec v1.1) or what "docker save" and "podman save" wrote before they knew
 * that (manifest.json). The file is mapped, not read; what it says of itself is not trusted: digests are checked by whoever stores.
 */
#include "xb/str.h"

struct archive;
/* -EINVAL: no such archive, with reterr_why naming the file and what was expected. */
int archive_open(const char *path, struct archive **ret, char **reterr_why);
struct archive *archive_close(struct archive *a);
XB_DEFINE_CLEANUP(struct archive *, archive_close)

struct archive_blob {
	char media_type[96];
	char digest[80];                /* "sha256:..." */
	struct xb_sv bytes;
};
/* What an image is made of, each blob after those that it refers to; refers: digests, by the keys of containerd's labels. */
struct archive_reference {
	const char *label;              /* "containerd.io/gc.ref.content.config", "containerd.io/gc.ref.content.l.0" */
	char digest[80];
};
struct archive_visitor {
	/* n references from b to others. Borrowed. Other than 0 ends it. */
	int (*blob)(void *arg, const struct archive_blob *b, const struct archive_reference *refers, size_t n);
	/* A name of an image, and the manifest or index that it is; after its blobs. */
	int (*image)(void *arg, const char *name, const struct archive_blob *target);
	void *arg;
};
int archive_visit(const struct archive *a, const struct archive_visitor *v, char **reterr_why);

#endif
