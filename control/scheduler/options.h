/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_OPTIONS_H
#define SCHEDULER_OPTIONS_H
/* kube-scheduler's command line, by upstream's names. To add a flag: a member and a row. */
#include "xb/program.h"

struct sched_options {
	const char *config;
	struct xb_program_options program;
};

/* -EINVAL and the like with a sentence in *reterr_why, the caller's to free. Call sched_options_done in every case. */
int sched_options_parse(int argc, char *const argv[], struct sched_options *o, char **reterr_why);
void sched_options_done(struct sched_options *o);
void sched_options_help(struct xb_buf *out);

#endif
