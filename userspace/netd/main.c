/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* xebec-netd: keeps one node's routes to the pods of the others. */
#include <signal.h>
#include <stdio.h>

#include "agent.h"
#include "options.h"
#include "serve.h"
#include "xb/log.h"
#include "xb/trim.h"

#define VERSION "v1.33.0"

struct program {
	uv_loop_t loop;
	uv_signal_t term, interrupt;
};

static int fault(int r, const char *what, const char *why)
{
	if (why)
		log_err("%s: %s", what, why);
	else
		log_err_errno(r, "%s: %m", what);
	return EXIT_FAILURE;
}

static void on_signal(uv_signal_t *h, int number)
{
	struct program *p = h->data;

	log_info("%s: leaving; routes and rules stay", number == SIGTERM ? "SIGTERM" : "SIGINT");
	uv_stop(&p->loop);
}

static int connect_api(struct program *p, const struct options *o, struct xb_rest **ret)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_free_ char *why = NULL;
	int r = o->kubeconfig || o->master ? xb_kubeconfig_load(o->kubeconfig, NULL, o->master, &k, &why) :
					     xb_kubeconfig_in_cluster(NULL, &k, &why);

	if (!r)
		r = xb_rest_new(&p->loop, &k, "xebec-netd/" VERSION " (linux) xebec", ret, &why);
	if (r < 0)
		return fault(r, "cannot use the API server's configuration", why);
	log_info("node %s, API server %s", o->node_name, k.server);
	return EXIT_SUCCESS;
}

static int serve_until_told(struct program *p, const struct options *o, struct xb_rest *rest)
{
	_cleanup_(agent_freep) struct agent *agent = NULL;
	_cleanup_(serve_freep) struct serve *serve = NULL;
	_cleanup_(xb_trimmer_freep) struct xb_trimmer *trimmer = NULL;
	_cleanup_free_ char *why = NULL;
	int r = agent_new(rest, o, &agent, &why);

	if (r < 0)
		return fault(r, "cannot start", why);
	r = serve_new(&p->loop, o, agent, &serve, &why);
	if (r < 0)
		return fault(r, "cannot serve", why);
	r = xb_trimmer_new(&p->loop, &trimmer);
	if (r < 0)
		return fault(r, "cannot start", NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	return EXIT_SUCCESS;
}

static int run(const struct options *o)
{
	struct program p = {};
	struct xb_rest *rest = NULL;
	int code;

	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&p.loop);
	uv_signal_init(&p.loop, &p.term);
	uv_signal_init(&p.loop, &p.interrupt);
	p.term.data = p.interrupt.data = &p;
	uv_signal_start(&p.term, on_signal, SIGTERM);
	uv_signal_start(&p.interrupt, on_signal, SIGINT);
	code = connect_api(&p, o, &rest);
	if (code == EXIT_SUCCESS)
		code = serve_until_told(&p, o, rest);
	xb_rest_free(rest);
	uv_close((uv_handle_t *)&p.term, NULL);
	uv_close((uv_handle_t *)&p.interrupt, NULL);
	uv_run(&p.loop, UV_RUN_DEFAULT);
	uv_loop_close(&p.loop);
	return code;
}

static int clean_up(const struct options *o)
{
	_cleanup_free_ char *why = NULL;
	int r = agent_cleanup(o, &why);

	return r < 0 ? fault(r, "cannot clean up", why) : EXIT_SUCCESS;
}

static int print_help(void)
{
	_cleanup_buf_ struct xb_buf text = {};

	netd_options_help(&text);
	fputs(text.p ? text.p : "", stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	_cleanup_(netd_options_done) struct options o = {};
	_cleanup_free_ char *why = NULL;
	int r = netd_options_parse(&o, argc, argv, &why);

	xb_log_init("xebec-netd", o.verbosity, o.logging_format && !strcmp(o.logging_format, "json"));
	if (r < 0)
		return fault(r, "cannot start", why);
	if (o.help)
		return print_help();
	if (o.version) {
		puts("Kubernetes " VERSION);
		return EXIT_SUCCESS;
	}
	return o.cleanup ? clean_up(&o) : run(&o);
}
