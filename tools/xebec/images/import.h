/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_IMPORT_H
#define XEBEC_IMPORT_H
/*
 * An archive's images brought into a containerd, in its namespace k8s.io, by its own gRPC services: as its client "ctr images
 * import" does it. Blobs that are there already are not sent again; a lease keeps what no image refers to yet.
 */
#include <stddef.h>

struct import_result {
	size_t images, blobs_sent;
};
/* socket: containerd's. Blocking. -EINVAL for the archive, -EIO for containerd; reterr_why says what was wrong. */
int images_import(const char *socket, const char *archive, struct import_result *ret, char **reterr_why);
/* Every *.tar of a folder; none is well. */
int images_import_folder(const char *socket, const char *folder, struct import_result *ret, char **reterr_why);

#endif
