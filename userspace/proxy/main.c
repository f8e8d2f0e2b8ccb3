/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kube-proxy: keeps the data plane of one node equal to the cluster's Services. */
#include <signal.h>
#include <sys/resource.h>

#include "agent.h"
#include "dry_run.h"
#include "options.h"
#include "serve.h"
#include "xb/log.h"
#include "xb/trim.h"

#define VERSION "v1.33.0"

#define EXIT_DIFFERENT 2            /* of --dry-run */

struct program {
	uv_loop_t loop;
	uv_signal_t term, interrupt;
	bool failed;
	bool compared;              /* a dry run came to its end */
	__u64 changes;
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

	log_info("%s: leaving; programs and tables stay and serve on", number == SIGTERM ? "SIGTERM" : "SIGINT");
	uv_stop(&p->loop);
}

static void on_failure(void *arg)
{
	struct program *p = arg;

	log_err("out of memory; leaving: programs and tables stay as they are");
	p->failed = true;
	uv_stop(&p->loop);
}

static void on_compared(void *arg, __u64 changes)
{
	struct program *p = arg;

	p->compared = true;
	p->changes = changes;
	uv_stop(&p->loop);
}

static int connect_api(struct program *p, const struct options *o, struct xb_rest **ret)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_free_ char *why = NULL;
	int r = o->kubeconfig || o->master ? xb_kubeconfig_load(o->kubeconfig, NULL, o->master, &k, &why) :
					     xb_kubeconfig_in_cluster(NULL, &k, &why);

	if (!r)
		r = xb_rest_new(&p->loop, &k, "kube-proxy/" VERSION " (linux) xebec", ret, &why);
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
	struct agent_config c = {
		.rest = rest, .node_name = o->node_name,
		.plane = o->proxy_mode ? data_plane_find(o->proxy_mode) : &data_plane_ebpf,
		.fallback = o->proxy_mode && !o->replaced_mode ? NULL : &data_plane_nftables, .bpffs_path = o->bpffs_path,
		.cgroup_path = o->cgroup2, .nodeport_addresses = o->nodeport_addresses, .xdp_devices = o->xdp_devices,
		.cluster_cidr = o->cluster_cidr, .detect_local_mode = o->detect_local_mode,
		.masquerade_all = o->masquerade_all, .host_ports = o->host_ports, .failed = on_failure, .arg = p,
	};
	int r;

	if (o->dry_run) {
		c.plane = &data_plane_dry_run;
		c.fallback = NULL;
		c.compared = on_compared;
	}
	r = agent_new(&c, &agent, &why);
	if (r < 0)
		return fault(r, "cannot start", why);
	if (o->dry_run) {
		uv_run(&p->loop, UV_RUN_DEFAULT);
		return !p->compared ? EXIT_FAILURE : p->changes ? EXIT_DIFFERENT : EXIT_SUCCESS;
	}
	r = serve_new(&p->loop, &o->healthz, &o->metrics, agent, &serve, &why);
	if (r < 0)
		return fault(r, "cannot serve", why);
	r = xb_trimmer_new(&p->loop, &trimmer);
	if (r < 0)
		return fault(r, "cannot start", NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	return p->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct options *o)
{
	struct program p = {};
	struct xb_rest *rest = NULL;
	int code;

	if (o->replaced_mode)
		log_warning("there is no mode %s here: %s stands in for it", o->replaced_mode, o->proxy_mode);
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
	int code = EXIT_SUCCESS;

	for (size_t i = 0; data_planes[i]; i++) {
		_cleanup_free_ char *why = NULL;
		int r = data_planes[i]->cleanup(o->bpffs_path, &why);

		if (r < 0)
			code = fault(r, "cannot clean up", why);
	}
	return code;
}

static int print_help(void)
{
	_cleanup_buf_ struct xb_buf text = {};

	proxy_options_help(&text);
	fputs(text.p ? text.p : "", stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	_cleanup_(proxy_options_done) struct options o = {};
	_cleanup_free_ char *why = NULL;
	int r = proxy_options_parse(&o, argc, argv, &why);

	xb_log_init("kube-proxy", o.verbosity, o.logging_format && !strcmp(o.logging_format, "json"));
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
