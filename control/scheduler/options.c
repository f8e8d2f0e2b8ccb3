/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/flags.h"

#define FLAG(type, member, ...) XB_FLAG(type, struct sched_options, member, __VA_ARGS__)

static const struct xb_flag rows[] = {
	FLAG(STRING, config, "config", NULL, "Generic",
	     "A file with a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1). What it says of the leader election goes before flags."),
	XB_PROGRAM_FLAGS(struct sched_options, program, "kube-scheduler", "10259"),
	XB_PROCESS_FLAGS(struct sched_options, program.process),
};

int sched_options_parse(int argc, char *const argv[], struct sched_options *o, char **reterr_why)
{
	int r;

	*o = (struct sched_options){};
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, o, reterr_why);
	return r || o->program.process.help || o->program.process.version ? r : xb_program_check(&o->program, reterr_why);
}

void sched_options_done(struct sched_options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
}

void sched_options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "kube-scheduler", "Finds a node for each pod that has none.", out);
}
