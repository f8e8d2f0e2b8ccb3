/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_OCI_H
#define XEBEC_OCI_H
/* An image of one layer as an OCI layout (image-spec v1.1) in a tar archive, as containerd, docker and podman take it. */
#include "xb/str.h"

struct oci_image {
	const char *const *names;       /* "docker.io/library/nginx:latest"; NULL-terminated */
	const char *const *command;     /* entrypoint; NULL-terminated */
	const char *const *env;         /* "PATH=..."; NULL-terminated */
	const char *stop_signal;        /* NULL: SIGTERM */
	const char *port;               /* "80/tcp"; NULL: none */
	struct xb_sv layer;             /* a tar archive */
};
/* The same bytes for the same image. -errno with reterr_why naming the file. */
int oci_write(const char *path, const struct oci_image *image, char **reterr_why);

#endif
