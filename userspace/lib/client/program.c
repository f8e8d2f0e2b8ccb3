/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/kinds.h"
#include "xb/log.h"
#include "xb/program.h"
#include "xb/prometheus.h"
#include "xb/why.h"

struct running {
	const struct xb_program_config *config;
	struct xb_program program;
	struct xb_process process;
	struct xb_kubeconfig kubeconfig;
	struct xb_lease *lease;         /* NULL: without election */
	bool stopping;
	int code;
};

static void end(struct running *p, int code)
{
	p->code = code;
	uv_stop(&p->process.loop);
}

static void start(struct running *p)
{
	if (p->config->start(p->config->arg, &p->program))
		end(p, EXIT_FAILURE);
}

/* --- the lease --- */
static void on_elected(void *arg, struct xb_jv lease)
{
	struct running *p = arg;
	struct xb_event e = {
		.component = p->config->name,
		.kind = xb_kind_by_resource(xb_sv("coordination.k8s.io"), xb_sv("v1"), xb_sv("leases")),
		.object = lease,
		.type = XB_EVENT_NORMAL,
		.reason = "LeaderElection",
	};

	log_info("became leader: %s", xb_lease_identity(p->lease));
	xb_recorder_event(p->program.recorder, &e, "%s became leader", xb_lease_identity(p->lease));
	start(p);
}

/* Whoever took over works already: nothing may be sent any more. */
static void on_lost(void *arg)
{
	log_err("leaderelection lost");
	end(arg, EXIT_FAILURE);
}

static void on_waiting(void *arg, const char *leader, const char *why)
{
	if (leader)
		log_info("new leader elected: %s", leader);
	else
		log_warning("the lease cannot be had or renewed: %s; trying on", why);
}

static void on_released(void *arg)
{
	end(arg, EXIT_SUCCESS);
}

static int begin(struct running *p)
{
	struct xb_lease_config c = {
		.rest = p->program.rest, .options = &p->config->options->lease,
		.elected = on_elected, .lost = on_lost, .waiting = on_waiting, .arg = p,
	};

	if (c.options->leader_elect)
		return xb_lease_new(&c, &p->lease);
	start(p);
	return 0;
}

/* --- the process --- */
static void on_told(void *arg)
{
	struct running *p = arg;

	p->config->stop(p->config->arg);
	if (p->stopping || !p->lease)
		end(p, EXIT_SUCCESS);
	else
		xb_lease_release(p->lease, on_released);
	p->stopping = true;
}

static void write_metrics(void *arg, struct xb_buf *out)
{
	const struct running *p = arg;

	p->config->write_metrics(p->config->arg, out);
	if (!p->lease)
		return;
	xb_prom_head(out, "leader_election_master_status", "gauge", "1: this process leads");
	xb_buf_addf(out, "leader_election_master_status{name=\"%s\"} %d\n", p->config->options->lease.name, xb_lease_held(p->lease));
}

static int connect_api(struct running *p)
{
	const struct xb_program_options *o = p->config->options;
	int code = xb_process_must_connect(&p->process, p->config->name, NULL, o->kubeconfig, o->master, &p->kubeconfig, &p->program.rest);

	if (code != EXIT_SUCCESS)
		return code;
	p->program.recorder = xb_recorder_new(p->program.rest, NULL);
	return p->program.recorder ? EXIT_SUCCESS : xb_process_fault(-ENOMEM, "cannot start", NULL);
}

static int work(struct running *p)
{
	_cleanup_(xb_serve_freep) struct xb_serve *serve = NULL;
	_cleanup_free_ char *why = NULL;
	struct xb_serve_config c = {
		.loop = &p->process.loop, .options = &p->config->options->serve, .program = p->config->name,
		.write_metrics = write_metrics, .arg = p,
	};
	int r = xb_serve_new(&c, &serve, &why);

	if (r)
		return xb_process_fault(r, "cannot serve", why);
	r = begin(p);
	if (r)
		return xb_process_fault(r, "cannot start", NULL);
	if (p->code == EXIT_SUCCESS)
		uv_run(&p->process.loop, UV_RUN_DEFAULT);
	return p->code;
}

int xb_program_run(const struct xb_program_config *c)
{
	struct running p = { .config = c };
	int code;

	xb_process_begin(&p.process, "leaving", on_told, &p);
	p.program.loop = &p.process.loop;
	p.program.kubeconfig = &p.kubeconfig;
	code = connect_api(&p);
	if (code == EXIT_SUCCESS)
		code = work(&p);
	c->stop(c->arg);
	xb_lease_free(p.lease);
	xb_recorder_free(p.program.recorder);
	xb_rest_free(p.program.rest);
	xb_process_end(&p.process);
	xb_kubeconfig_done(&p.kubeconfig);
	return code;
}

/* --- the command line --- */
int xb_program_check(const struct xb_program_options *o, char **reterr_why)
{
	int r = xb_serve_check(&o->serve, reterr_why);

	if (!r)
		r = xb_flags_check_gates(o->feature_gates, reterr_why);
	if (!r && o->lease.leader_elect)
		r = xb_lease_check(&o->lease, reterr_why);
	return r;
}
