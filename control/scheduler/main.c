/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kube-scheduler: schedules while it leads. */
#include <stdlib.h>
#include "options.h"
#include "scheduler.h"
#include "xb/random.h"

#define NAME "kube-scheduler"

struct program {
	struct sched_options options;
	struct sched_config config;
	struct sched_metrics metrics;
	struct scheduler *scheduler;    /* NULL: does not lead */
};

static int start(void *arg, const struct xb_program *x)
{
	struct program *p = arg;
	struct scheduler_config c = { .rest = x->rest, .recorder = x->recorder, .metrics = &p->metrics, .config = &p->config };
	_cleanup_free_ char *why = NULL;
	int r;

	xb_random_bytes(&c.seed, sizeof(c.seed));
	r = scheduler_new(&c, &p->scheduler, &why);
	if (r)
		xb_process_fault(r, "cannot schedule", why);
	return r;
}

static void stop(void *arg)
{
	struct program *p = arg;

	p->scheduler = scheduler_free(p->scheduler);
}

static void write_metrics(void *arg, struct xb_buf *out)
{
	const struct program *p = arg;
	struct sched_gauges g = {};

	if (p->scheduler)
		scheduler_gauges(p->scheduler, &g);
	sched_metrics_write(&p->metrics, &g, out);
}

/* The file's configuration goes before flags, but for the kubeconfig's path. */
static int configure(struct program *p, char **reterr_why)
{
	struct xb_program_options *o = &p->options.program;
	int r = sched_config_read(p->options.config, &p->config, reterr_why);

	if (!r)
		r = sched_config_lease(&p->config, &o->lease, reterr_why);
	if (!o->kubeconfig)
		o->kubeconfig = p->config.kubeconfig;
	return r;
}

int main(int argc, char *argv[])
{
	struct program p = {};
	struct xb_program_config c = {
		.name = NAME, .options = &p.options.program, .start = start, .stop = stop, .write_metrics = write_metrics, .arg = &p,
	};
	_cleanup_free_ char *why = NULL;
	int r = sched_options_parse(argc, argv, &p.options, &why), code = EXIT_SUCCESS;

	if (!xb_process_answered(NAME, &c.options->process, sched_options_help)) {
		if (!r)
			r = configure(&p, &why);
		code = r < 0 ? xb_process_fault(r, "cannot start", why) : xb_program_run(&c);
	}
	sched_config_done(&p.config);
	sched_options_done(&p.options);
	return code;
}
