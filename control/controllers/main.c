/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kube-controller-manager: serves, waits until it leads, runs the loops, and ends when it is told to or leads no more. */
#include <signal.h>
#include "kcm.h"
#include "xb/file.h"
#include "xb/log.h"
#include "xb/prometheus.h"

#define NAME    "kube-controller-manager"
#define VERSION "v1.33.0"

struct program {
	struct kcm_options options;
	uv_loop_t loop;
	uv_signal_t term, interrupt;
	struct xb_buf root_ca;
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	struct xb_lease *lease;         /* NULL: without election */
	struct kcm *kcm;                /* NULL: does not lead */
	bool stopping;
	int code;
};

static int fault(int r, const char *what, const char *why)
{
	if (why)
		log_err("%s: %s", what, why);
	else
		log_err_errno(r, "%s: %m", what);
	return EXIT_FAILURE;
}

static void end(struct program *p, int code)
{
	p->code = code;
	uv_stop(&p->loop);
}

static void start(struct program *p)
{
	struct kcm_config c = {
		.rest = p->rest, .recorder = p->recorder, .options = &p->options, .root_ca = p->root_ca.p ? p->root_ca.p : "",
	};

	if (kcm_new(&c, &p->kcm))
		end(p, EXIT_FAILURE);
}

/* --- the lease --- */
static void on_elected(void *arg, struct xb_jv lease)
{
	struct program *p = arg;
	struct xb_event e = {
		.component = NAME,
		.kind = kcm_kind("coordination.k8s.io", "v1", "leases"),
		.object = lease,
		.type = XB_EVENT_NORMAL,
		.reason = "LeaderElection",
	};

	log_info("became leader: %s", xb_lease_identity(p->lease));
	xb_recorder_event(p->recorder, &e, "%s became leader", xb_lease_identity(p->lease));
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

static int begin(struct program *p)
{
	struct xb_lease_config c = {
		.rest = p->rest, .options = &p->options.lease, .elected = on_elected, .lost = on_lost, .waiting = on_waiting, .arg = p,
	};

	if (p->options.lease.leader_elect)
		return xb_lease_new(&c, &p->lease);
	start(p);
	return 0;
}

/* --- the process --- */
static void on_signal(uv_signal_t *h, int number)
{
	struct program *p = h->data;

	log_info("%s: leaving", number == SIGTERM ? "SIGTERM" : "SIGINT");
	p->kcm = kcm_free(p->kcm);
	if (p->stopping || !p->lease)
		end(p, EXIT_SUCCESS);
	else
		xb_lease_release(p->lease, on_released);
	p->stopping = true;
}

static void write_metrics(void *arg, struct xb_buf *out)
{
	const struct program *p = arg;

	kcm_write_metrics(p->kcm, out);
	if (!p->lease)
		return;
	xb_prom_head(out, "leader_election_master_status", "gauge", "1: this process leads");
	xb_buf_addf(out, "leader_election_master_status{name=\"%s\"} %d\n", p->options.lease.name, xb_lease_held(p->lease));
}

/* --root-ca-file, or the CA of the kubeconfig. */
static int read_root_ca(struct program *p, const struct xb_pem *of_kubeconfig)
{
	const char *file = p->options.root_ca_file ? p->options.root_ca_file : of_kubeconfig->file;
	int r;

	if (!file) {
		xb_buf_adds(&p->root_ca, of_kubeconfig->text ? of_kubeconfig->text : "");
		return p->root_ca.err;
	}
	r = xb_file_read(file, 1 << 20, &p->root_ca);
	return r ? log_err_errno(r, "--root-ca-file: cannot read '%s': %m", file) : 0;
}

static int connect_api(struct program *p)
{
	const struct kcm_options *o = &p->options;
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_free_ char *why = NULL;
	int r = o->kubeconfig || o->master ? xb_kubeconfig_load(o->kubeconfig, NULL, o->master, &k, &why) :
					     xb_kubeconfig_in_cluster(NULL, &k, &why);

	if (!r)
		r = xb_rest_new(&p->loop, &k, NAME "/" VERSION " (linux) xebec", &p->rest, &why);
	if (r < 0)
		return fault(r, "cannot use the API server's configuration", why);
	if (read_root_ca(p, &k.ca))
		return EXIT_FAILURE;
	p->recorder = xb_recorder_new(p->rest, NULL);
	if (!p->recorder)
		return fault(-ENOMEM, "cannot start", NULL);
	log_info("API server %s", k.server);
	return EXIT_SUCCESS;
}

static int work(struct program *p)
{
	_cleanup_(xb_serve_freep) struct xb_serve *serve = NULL;
	_cleanup_free_ char *why = NULL;
	struct xb_serve_config c = {
		.loop = &p->loop, .options = &p->options.serve, .program = NAME, .write_metrics = write_metrics, .arg = p,
	};
	int r = xb_serve_new(&c, &serve, &why);

	if (r)
		return fault(r, "cannot serve", why);
	r = begin(p);
	if (r)
		return fault(r, "cannot start", NULL);
	if (p->code == EXIT_SUCCESS)
		uv_run(&p->loop, UV_RUN_DEFAULT);
	return p->code;
}

static void watch_signal(struct program *p, uv_signal_t *h, int number)
{
	uv_signal_init(&p->loop, h);
	h->data = p;
	uv_signal_start(h, on_signal, number);
}

static int run(struct program *p)
{
	int code;

	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&p->loop);
	watch_signal(p, &p->term, SIGTERM);
	watch_signal(p, &p->interrupt, SIGINT);
	code = connect_api(p);
	if (code == EXIT_SUCCESS)
		code = work(p);
	kcm_free(p->kcm);
	xb_lease_free(p->lease);
	xb_recorder_free(p->recorder);
	xb_rest_free(p->rest);
	uv_close((uv_handle_t *)&p->term, NULL);
	uv_close((uv_handle_t *)&p->interrupt, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
	return code;
}

static int print_help(void)
{
	_cleanup_buf_ struct xb_buf text = {};

	kcm_options_help(&text);
	fputs(text.p ? text.p : "", stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct program p = {};
	_cleanup_free_ char *why = NULL;
	int r = kcm_options_parse(argc, argv, &p.options, &why), code;

	xb_log_init(NAME, p.options.verbosity, p.options.logging_format && !strcmp(p.options.logging_format, "json"));
	if (r < 0) {
		code = fault(r, "cannot start", why);
	} else if (p.options.help) {
		code = print_help();
	} else if (p.options.version) {
		puts("Kubernetes " VERSION);
		code = EXIT_SUCCESS;
	} else {
		code = run(&p);
	}
	xb_buf_done(&p.root_ca);
	kcm_options_done(&p.options);
	return code;
}
