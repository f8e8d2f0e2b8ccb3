/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_TARGET_H
#define KUBELET_SERVER_TARGET_H
/* What a request to port 10250 is about, read from its method, path and query. Pure. */
#include "log_line.h"

enum endpoint {
	ENDPOINT_HEALTHZ,
	ENDPOINT_PODS,
	ENDPOINT_RUNNING_PODS,
	ENDPOINT_CONFIGZ,
	ENDPOINT_METRICS,
	ENDPOINT_METRICS_CADVISOR,
	ENDPOINT_METRICS_RESOURCE,
	ENDPOINT_METRICS_PROBES,
	ENDPOINT_STATS_SUMMARY,
	ENDPOINT_LOGS,
	ENDPOINT_EXEC,
	ENDPOINT_ATTACH,
	ENDPOINT_PORT_FORWARD,
	ENDPOINT_RUN,
	ENDPOINTS,
};
struct target {
	enum endpoint endpoint;
	char *namespace_, *pod, *uid, *container; /* of those about a pod; uid may be NULL */
};
/* path: percent-decoded. -ENOENT: there is no such path; -EOPNOTSUPP: not by this method; -ENOMEM. */
int target_parse(struct xb_sv method, struct xb_sv path, struct target *ret);
void target_done(struct target *r);

/* For the authorizer: a verb ("get"; "" when the method has none), and the subresources of nodes of which one must be allowed, asked
 * in this order, ended by NULL (upstream's GetRequestAttributes). */
#define TARGET_SUBRESOURCES 3
const char *target_verb(struct xb_sv method);
void target_subresources(struct xb_sv path, const char *ret[TARGET_SUBRESOURCES]);

/* The first value of that name in a query, decoded; NULL in *ret when there is none. 0, -EINVAL, -ENOMEM. *ret is the caller's. */
int query_text(struct xb_sv query, const char *name, char **ret);
/* All values of that name, ended by NULL; freed by query_free_all. */
int query_all(struct xb_sv query, const char *name, char ***ret);
void query_free_all(char **values);
/* PodLogOptions as parameters. -EINVAL: cannot be read; -EDOM: not valid; -ENOMEM. now_us: what sinceSeconds counts back from. */
int query_log_options(struct xb_sv query, int64_t now_us, bool *ret_previous, struct log_wanted *ret);

#endif
