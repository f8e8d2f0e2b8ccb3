/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* xebec-netd: keeps one node's routes to the pods of the others. */
#include "agent.h"
#include "options.h"
#include "serve.h"
#include "xb/trim.h"

#define NAME "xebec-netd"

static int serve_until_told(struct xb_process *p, const struct options *o, struct xb_rest *rest)
{
	_cleanup_(netd_agent_freep) struct agent *agent = NULL;
	_cleanup_(netd_serve_freep) struct serve *serve = NULL;
	_cleanup_(xb_trimmer_freep) struct xb_trimmer *trimmer = NULL;
	_cleanup_free_ char *why = NULL;
	int r = netd_agent_new(rest, o, &agent, &why);

	if (r < 0)
		return xb_process_fault(r, "cannot start", why);
	r = netd_serve_new(&p->loop, o, agent, &serve, &why);
	if (r < 0)
		return xb_process_fault(r, "cannot serve", why);
	r = xb_trimmer_new(&p->loop, &trimmer);
	if (r < 0)
		return xb_process_fault(r, "cannot start", NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	return EXIT_SUCCESS;
}

static int run(const struct options *o)
{
	struct xb_process p;
	struct xb_rest *rest = NULL;
	int code;

	xb_process_begin(&p, "leaving; routes and rules stay", NULL, NULL);
	code = xb_process_must_connect(&p, NAME, o->node_name, o->kubeconfig, o->master, NULL, &rest);
	if (code == EXIT_SUCCESS)
		code = serve_until_told(&p, o, rest);
	xb_rest_free(rest);
	xb_process_end(&p);
	return code;
}

static int clean_up(const struct options *o)
{
	_cleanup_free_ char *why = NULL;
	int r = netd_agent_cleanup(o, &why);

	return r < 0 ? xb_process_fault(r, "cannot clean up", why) : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	_cleanup_(netd_options_done) struct options o = {};
	_cleanup_free_ char *why = NULL;
	int r = netd_options_parse(&o, argc, argv, &why);

	if (xb_process_answered(NAME, &o.process, netd_options_help))
		return EXIT_SUCCESS;
	if (r < 0)
		return xb_process_fault(r, "cannot start", why);
	return o.cleanup ? clean_up(&o) : run(&o);
}
