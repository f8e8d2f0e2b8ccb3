/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_CONFIG_H
#define SCHEDULER_CONFIG_H
/* KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1), as --config names it. */
#include "plugins/plugin.h"
#include "xb/lease.h"

struct sched_profile {
	char *name;                     /* pods ask for it by spec.schedulerName */
	unsigned percentage;            /* of nodes to score; 0: by the size of the cluster */
	unsigned weights[SCHED_PLUGINS];/* of scores; 0: it does not score */
	bool filters[SCHED_PLUGINS], preempts;
	struct xb_jv args[SCHED_PLUGINS]; /* pluginConfig, in the document */
};
struct sched_config {
	XB_VEC(struct sched_profile) profiles; /* at least one */
	unsigned backoff_ms, max_backoff_ms;
	char *kubeconfig;               /* clientConnection.kubeconfig; NULL: none */
	struct xb_jv leader_election;
	struct xb_json *doc;
};
/*
 * path NULL: the default. reterr_why: a sentence that names the file and the field, the caller's to free. -errno of the file,
 * -EINVAL, -ENOMEM. Call sched_config_done in every case.
 */
int sched_config_read(const char *path, struct sched_config *c, char **reterr_why);
int sched_config_parse(struct xb_jv root, struct sched_config *c, char **reterr_why); /* keeps a reference of the document */
/* What leaderElection says goes in place of what o says, as in upstream. */
int sched_config_lease(const struct sched_config *c, struct xb_lease_options *o, char **reterr_why);
void sched_config_done(struct sched_config *c);

#endif
