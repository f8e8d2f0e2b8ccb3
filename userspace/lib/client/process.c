/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include "xb/log.h"
#include "xb/process.h"
#include "xb/why.h"

bool xb_process_answered(const char *name, const struct xb_process_options *o, void (*help)(struct xb_buf *out))
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_log_init(name, o->verbosity, o->logging_format && !strcmp(o->logging_format, "json"));
	if (o->help) {
		help(&text);
		fputs(text.p ? text.p : "", stdout);
	} else if (o->version) {
		puts("Kubernetes " XB_PROCESS_VERSION);
	}
	return o->help || o->version;
}

int xb_process_fault(int r, const char *what, const char *why)
{
	if (why)
		log_err("%s: %s", what, why);
	else
		log_err_errno(r, "%s: %m", what);
	return EXIT_FAILURE;
}

int xb_process_node_name(const char *hostname_override, char **ret, char **reterr_why)
{
	char host[256] = "";
	struct xb_sv name = xb_sv_trim(xb_sv(hostname_override));
	char *lower;

	if (!name.n) {
		gethostname(host, sizeof(host) - 1);
		name = xb_sv_trim(xb_sv(host));
	}
	if (!name.n)
		return xb_why(reterr_why, -EINVAL, "the host has no name: give --hostname-override");
	lower = xb_sv_dup(name);
	if (!lower)
		return -ENOMEM;
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*ret = lower;
	return 0;
}

static void on_signal(uv_signal_t *h, int number)
{
	struct xb_process *p = h->data;

	log_info("%s: %s", number == SIGTERM ? "SIGTERM" : "SIGINT", p->parting);
	if (p->told)
		p->told(p->arg);
	else
		uv_stop(&p->loop);
}

static void watch_signal(struct xb_process *p, uv_signal_t *h, int number)
{
	uv_signal_init(&p->loop, h);
	h->data = p;
	uv_signal_start(h, on_signal, number);
}

void xb_process_begin(struct xb_process *p, const char *parting, void (*told)(void *arg), void *arg)
{
	*p = (struct xb_process){ .parting = parting, .told = told, .arg = arg };
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&p->loop);
	watch_signal(p, &p->term, SIGTERM);
	watch_signal(p, &p->interrupt, SIGINT);
}

void xb_process_end(struct xb_process *p)
{
	uv_close((uv_handle_t *)&p->term, NULL);
	uv_close((uv_handle_t *)&p->interrupt, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
}

int xb_process_connect(struct xb_process *p, const char *name, const char *node, const char *kubeconfig, const char *master,
		       struct xb_kubeconfig *ret_k, struct xb_rest **ret, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf agent = {};
	int r = kubeconfig || master ? xb_kubeconfig_load(kubeconfig, NULL, master, ret_k, reterr_why) :
				       xb_kubeconfig_in_cluster(NULL, ret_k, reterr_why);

	xb_buf_addf(&agent, "%s/" XB_PROCESS_VERSION " (linux) xebec", name);
	if (!r)
		r = agent.err;
	if (!r)
		r = xb_rest_new(&p->loop, ret_k, agent.p, ret, reterr_why);
	if (!r)
		log_info("%s%s%sAPI server %s", node ? "node " : "", node ? node : "", node ? ", " : "", ret_k->server);
	return r;
}

int xb_process_must_connect(struct xb_process *p, const char *name, const char *node, const char *kubeconfig, const char *master,
			    struct xb_kubeconfig *ret_k, struct xb_rest **ret)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_free_ char *why = NULL;
	int r = xb_process_connect(p, name, node, kubeconfig, master, ret_k ? ret_k : &k, ret, &why);

	return r < 0 ? xb_process_fault(r, "cannot use the API server's configuration", why) : EXIT_SUCCESS;
}
