/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kube-proxy: keeps the data plane of one node equal to the cluster's Services. */
#include <sys/resource.h>

#include "agent.h"
#include "dry_run.h"
#include "options.h"
#include "serve.h"
#include "xb/log.h"
#include "xb/trim.h"

#define NAME "kube-proxy"
#define EXIT_DIFFERENT 2            /* of --dry-run */

struct program {
	struct xb_process process;
	bool failed;
	bool compared;              /* a dry run came to its end */
	__u64 changes;
};

static void on_failure(void *arg)
{
	struct program *p = arg;

	log_err("out of memory; leaving: programs and tables stay as they are");
	p->failed = true;
	uv_stop(&p->process.loop);
}

static void on_compared(void *arg, __u64 changes)
{
	struct program *p = arg;

	p->compared = true;
	p->changes = changes;
	uv_stop(&p->process.loop);
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
		.masquerade_all = o->masquerade_all, .host_ports = o->host_ports,
		.flows_most = proxy_options_flows(o, sysconf(_SC_NPROCESSORS_ONLN)), .failed = on_failure, .arg = p,
	};
	int r;

	if (o->dry_run) {
		c.plane = &data_plane_dry_run;
		c.fallback = NULL;
		c.compared = on_compared;
	}
	r = agent_new(&c, &agent, &why);
	if (r < 0)
		return xb_process_fault(r, "cannot start", why);
	if (o->dry_run) {
		uv_run(&p->process.loop, UV_RUN_DEFAULT);
		return !p->compared ? EXIT_FAILURE : p->changes ? EXIT_DIFFERENT : EXIT_SUCCESS;
	}
	r = serve_new(&p->process.loop, &o->healthz, &o->metrics, agent, &serve, &why);
	if (r < 0)
		return xb_process_fault(r, "cannot serve", why);
	r = xb_trimmer_new(&p->process.loop, &trimmer);
	if (r < 0)
		return xb_process_fault(r, "cannot start", NULL);
	uv_run(&p->process.loop, UV_RUN_DEFAULT);
	return p->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct options *o)
{
	struct program p = {};
	struct xb_rest *rest = NULL;
	int code;

	if (o->replaced_mode)
		log_warning("there is no mode %s here: %s stands in for it", o->replaced_mode, o->proxy_mode);
	xb_process_begin(&p.process, "leaving; programs and tables stay and serve on", NULL, NULL);
	code = xb_process_must_connect(&p.process, NAME, o->node_name, o->kubeconfig, o->master, NULL, &rest);
	if (code == EXIT_SUCCESS)
		code = serve_until_told(&p, o, rest);
	xb_rest_free(rest);
	xb_process_end(&p.process);
	return code;
}

static int clean_up(const struct options *o)
{
	int code = EXIT_SUCCESS;

	for (size_t i = 0; data_planes[i]; i++) {
		_cleanup_free_ char *why = NULL;
		int r = data_planes[i]->cleanup(o->bpffs_path, &why);

		if (r < 0)
			code = xb_process_fault(r, "cannot clean up", why);
	}
	return code;
}

int main(int argc, char *argv[])
{
	_cleanup_(proxy_options_done) struct options o = {};
	_cleanup_free_ char *why = NULL;
	int r = proxy_options_parse(&o, argc, argv, &why);

	if (xb_process_answered(NAME, &o.process, proxy_options_help))
		return EXIT_SUCCESS;
	if (r < 0)
		return xb_process_fault(r, "cannot start", why);
	return o.cleanup ? clean_up(&o) : run(&o);
}
