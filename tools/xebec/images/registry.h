/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_REGISTRY_H
#define XEBEC_REGISTRY_H
/*
 * A registry of what lies in a folder as archives, for reading: pulls of the OCI distribution specification 1.1, by which a
 * containerd that has it as a mirror ("?ns=docker.io") finds images without a network. Everything else is 404 to it, and it asks
 * the registry of the image's name. The folder is read at each request; a blob is in memory for as long as it is sent.
 */
#include "xb/http_server.h"

struct registry;
/* Begins at once. folder: borrowed. -errno, with reterr_why naming the address. */
int registry_new(uv_loop_t *loop, const char *folder, const struct sockaddr_storage *at, struct registry **ret, char **reterr_why);
struct registry *registry_free(struct registry *s);

#endif
