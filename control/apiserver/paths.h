/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_PATHS_H
#define APISERVER_PATHS_H
/* Paths that are not objects: what is served, in what state the server is, and in what words. One row each in paths.c. */
#include "request.h"

struct path_row {
	const char *path;
	bool below;            /* and everything under it */
	unsigned forms;        /* negotiate.h; 0: the handler has a form of its own, whatever is accepted */
	request_handler *handler;
};
/* NULL: the path is not one of these. */
const struct path_row *paths_find(struct xb_sv path);
/* The sorted list that / answers with: {"paths": [...]}. */
void paths_write(struct xb_buf *out);

/* discovery.c: /api, /apis, and by the route a group or a group's version; /version */
request_handler discovery_api, discovery_apis, discovery_group, discovery_version, version_handler;
/* Is this entry of xb_kinds the first of its group; or, with version, of its group and version? */
bool discovery_first_of(const struct xb_kind *const *k, bool version);
/* openapi.c */
request_handler openapi_v2, openapi_v3;
/* health.c: /healthz, /livez, /readyz, /metrics */
request_handler health_handler, metrics_handler;

#endif
