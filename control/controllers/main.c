/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kube-controller-manager: runs the loops while it leads. */
#include <stdlib.h>
#include <string.h>
#include "kcm.h"
#include "xb/file.h"
#include "xb/why.h"

#define NAME "kube-controller-manager"

struct manager {
	struct kcm_options options;
	struct xb_buf root_ca;
	struct kcm *kcm;                /* NULL: does not lead */
};

static int read_root_ca(struct manager *m, const char *file, char **reterr_why)
{
	int r = xb_file_read(file, 1 << 20, &m->root_ca);

	return r ? xb_why(reterr_why, r, "cannot read the root CA '%s': %s", file, strerror(-r)) : 0;
}

static int start(void *arg, const struct xb_program *p)
{
	struct manager *m = arg;
	const struct xb_pem *ca = &p->kubeconfig->ca;
	struct kcm_config c = { .rest = p->rest, .recorder = p->recorder, .options = &m->options };
	_cleanup_free_ char *why = NULL;
	int r = 0;

	if (!m->options.root_ca_file && ca->file)
		r = read_root_ca(m, ca->file, &why);
	else if (!m->options.root_ca_file)
		xb_buf_adds(&m->root_ca, ca->text ? ca->text : "");
	if (!r)
		r = m->root_ca.err;
	if (r) {
		xb_process_fault(r, "cannot run the loops", why);
		return r;
	}
	c.root_ca = m->root_ca.p ? m->root_ca.p : "";
	return kcm_new(&c, &m->kcm);
}

static void stop(void *arg)
{
	struct manager *m = arg;

	m->kcm = kcm_free(m->kcm);
}

static void write_metrics(void *arg, struct xb_buf *out)
{
	const struct manager *m = arg;

	kcm_write_metrics(m->kcm, out);
}

int main(int argc, char *argv[])
{
	struct manager m = {};
	struct xb_program_config c = {
		.name = NAME, .options = &m.options.program, .start = start, .stop = stop, .write_metrics = write_metrics, .arg = &m,
	};
	_cleanup_free_ char *why = NULL;
	int r = kcm_options_parse(argc, argv, &m.options, &why), code = EXIT_SUCCESS;

	if (!xb_process_answered(NAME, &c.options->process, kcm_options_help)) {
		if (!r && m.options.root_ca_file)
			r = read_root_ca(&m, m.options.root_ca_file, &why);
		code = r < 0 ? xb_process_fault(r, "cannot start", why) : xb_program_run(&c);
	}
	xb_buf_done(&m.root_ca);
	kcm_options_done(&m.options);
	return code;
}
