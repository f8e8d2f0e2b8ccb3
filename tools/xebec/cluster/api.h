/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_API_H
#define XEBEC_API_H
/* An API server, for a command that asks and waits. */
#include "cluster.h"
#include "xb/json.h"

struct api;
/* With the cluster's admin.conf. -ENOENT while there is none. */
int api_open(const struct cluster *c, struct api **ret, char **reterr_why);
int api_open_file(const char *kubeconfig, struct api **ret, char **reterr_why);
struct api *api_close(struct api *a);
XB_DEFINE_CLEANUP(struct api *, api_close)
/* The HTTP status, or -errno when there is no answer. ret_body, which may be NULL: of a 2xx answer in JSON, else NULL. */
int api_get(struct api *a, const char *path, struct xb_json **ret_body, char **reterr_why);
/* POSTs an object to its collection; one of its name that is there already stays. 0 or -errno, also when the server refuses. */
int api_create(struct api *a, const char *path, const char *json, char **reterr_why);
/* Every object of a collection, asked for in pieces: each is called with its items, which are there until it returns. Stops when it
 * returns other than 0, and returns that. -errno also for an answer that is no list. */
int api_list(struct api *a, const char *path, int (*each)(void *arg, struct xb_json *list), void *arg, char **reterr_why);

#endif
