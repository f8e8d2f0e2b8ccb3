/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/why.h"

#define FLAG(type, member, ...) XB_FLAG(type, struct sched_options, member, __VA_ARGS__)

static const struct xb_flag rows[] = {
	FLAG(STRING, config, "config", NULL, "Generic",
	     "A file with a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1). What it says of the leader election goes before flags."),
	FLAG(LIST, feature_gates, "feature-gates", NULL, "Generic",
	     "A list of Name=true|false. There are no gates here: each is checked for its form and has no effect."),
	FLAG(STRING, kubeconfig, "kubeconfig", NULL, "Generic",
	     "A kubeconfig file. Without it and --master, the pod's service account is used."),
	FLAG(STRING, master, "master", NULL, "Generic", "The API server's URL, in place of the kubeconfig's."),

	XB_LEASE_FLAGS(struct sched_options, lease, "kube-scheduler"),
	XB_SERVE_FLAGS(struct sched_options, serve, "10259"),

	FLAG(CHOICE, logging_format, "logging-format", "text", "Logs", "How log lines are written.", .choices = "text|json"),
	FLAG(INT, verbosity, "v", "0", "Logs", "How much is logged.", .max = 10, .letter = 'v'),
	FLAG(BOOL, help, "help", "false", "Global", "Print this and end.", .letter = 'h'),
	FLAG(BOOL, version, "version", "false", "Global", "Print the version and end."),
};

static int check_feature_gates(const struct sched_options *o, char **reterr_why)
{
	for (char *const *g = o->feature_gates; g && *g; g++) {
		struct xb_sv value = xb_sv(*g), name;

		xb_sv_split(&value, '=', &name);
		if (!name.n || (!xb_sv_is(value, "true") && !xb_sv_is(value, "false")))
			return xb_why(reterr_why, -EINVAL, "--feature-gates: \"%s\" is not of the form Name=true or Name=false", *g);
	}
	return 0;
}

int sched_options_parse(int argc, char *const argv[], struct sched_options *o, char **reterr_why)
{
	int r;

	*o = (struct sched_options){};
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, o, reterr_why);
	if (r || o->help || o->version)
		return r;
	r = xb_serve_check(&o->serve, reterr_why);
	if (!r)
		r = check_feature_gates(o, reterr_why);
	if (!r && o->lease.leader_elect)
		r = xb_lease_check(&o->lease, reterr_why);
	return r;
}

void sched_options_done(struct sched_options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
}

void sched_options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "kube-scheduler", "Finds a node for each pod that has none.", out);
}
