/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_SERVE_H
#define CONTROLLERS_SERVE_H
/*
 * --secure-port: /healthz, /livez and /readyz for everybody, /metrics for clients on this host. The process is healthy as long as
 * it answers: who waits for the lease does what he should, and who lost it has ended.
 */
#include "options.h"

struct serve;
struct serve_config {
	uv_loop_t *loop;
	const struct kcm_options *options;
	void (*write_metrics)(void *arg, struct xb_buf *out); /* those that are not of the process */
	void *arg;
};
int kcm_serve_new(const struct serve_config *c, struct serve **ret, char **reterr_why);
struct serve *kcm_serve_free(struct serve *s);
XB_DEFINE_CLEANUP(struct serve *, kcm_serve_free)

#endif
