/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include "options.h"
#include "pki.h"
#include "server.h"
#include "version.h"
#include "xb/log.h"
#include "xb/tls.h"

static int print_help(void)
{
	_cleanup_buf_ struct xb_buf text = {};

	options_help(&text);
	if (text.err)
		return text.err;
	fputs(text.p, stdout);
	return 0;
}

static void tell_what_has_no_effect(const struct apiserver_options *o)
{
	for (char *const *gate = o->feature_gates; gate && *gate; gate++)
		log_warning("feature gate \"%s\" has no effect: this server has none", *gate);
}

static int serve(const struct apiserver_options *o, const struct pki *pki, char **reterr_why)
{
	struct xb_tls_config config = { .cert_file = pki->cert_file, .key_file = pki->key_file, .client_ca_file = pki->client_ca_file };
	_cleanup_(xb_tls_freep) struct xb_tls *tls = NULL;
	_cleanup_(server_freep) struct server *server = NULL;
	uv_loop_t *loop = uv_default_loop();
	int r;

	r = xb_tls_server_new(&config, &tls, reterr_why);
	if (!r)
		r = server_new(loop, o, pki, tls, &server, reterr_why);
	if (r)
		return r;
	log_info("serving securely on %s port %d", o->bind_address, o->secure_port);
	uv_run(loop, UV_RUN_DEFAULT);
	log_info("stopped");
	return 0;
}

static int run(struct apiserver_options *o, int argc, char *argv[], char **reterr_why)
{
	struct pki pki = {};
	int r;

	r = options_parse(argc, argv, o, reterr_why);
	if (r)
		return r;
	if (o->help)
		return print_help();
	if (o->version)
		return puts("Kubernetes " VERSION_GIT) < 0 ? -EIO : 0;
	xb_log_init("kube-apiserver", o->verbosity, !strcmp(o->logging_format, "json"));
	tell_what_has_no_effect(o);
	r = pki_prepare(o, &pki, reterr_why);
	if (!r)
		r = serve(o, &pki, reterr_why);
	pki_done(&pki);
	return r;
}

int main(int argc, char *argv[])
{
	struct apiserver_options options = {};
	_cleanup_free_ char *why = NULL;
	int r;

	signal(SIGPIPE, SIG_IGN);
	r = run(&options, argc, argv, &why);
	options_done(&options);
	if (!r)
		return EXIT_SUCCESS;
	fprintf(stderr, "kube-apiserver: %s\n", why ? why : strerror(-r));
	return EXIT_FAILURE;
}
