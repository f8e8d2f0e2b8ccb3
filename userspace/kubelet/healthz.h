/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_HEALTHZ_H
#define KUBELET_HEALTHZ_H
/* --healthz-port: /healthz for the node's own supervisor. It answers as long as the loop turns. */
#include <uv.h>
#include "options.h"

struct healthz;
/* Listens at once; nothing when the port is 0. reterr_why names the flag, the caller's to free. */
int healthz_new(uv_loop_t *loop, const struct kubelet_options *o, struct healthz **ret, char **reterr_why);
struct healthz *healthz_free(struct healthz *h);

#endif
