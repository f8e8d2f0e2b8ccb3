/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_API_H
#define XEBEC_API_H
/* The cluster's API server, for a command that asks and waits. */
#include "cluster.h"
#include "xb/json.h"

struct api;
/* With the cluster's admin.conf. -ENOENT while there is none. */
int api_open(const struct cluster *c, struct api **ret, char **reterr_why);
struct api *api_close(struct api *a);
XB_DEFINE_CLEANUP(struct api *, api_close)
/* The HTTP status, or -errno when there is no answer. ret_body, which may be NULL: of a 2xx answer in JSON, else NULL. */
int api_get(struct api *a, const char *path, struct xb_json **ret_body, char **reterr_why);

#endif
