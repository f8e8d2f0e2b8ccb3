/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_STORAGE_H
#define APISERVER_STORAGE_H
/* The server's use of the store: what flags and strategies ask of it, and what it has to say to the operator. */
#include <uv.h>
#include "xb/kinds.h"

struct apiserver_options;
struct store;

/* Errors and *reterr_why as store_open's. */
int storage_open(const struct apiserver_options *o, uv_loop_t *loop, struct store **ret, char **reterr_why);
/* Where a kind's keys begin: "pods/", "deployments.apps/". New; NULL without memory. */
char *storage_prefix(const struct xb_kind *k);

#endif
