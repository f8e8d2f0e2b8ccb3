/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_SERVE_H
#define XB_SERVE_H
/*
 * --secure-port of a control plane program: /healthz, /livez and /readyz for everybody, /metrics for clients on this host. The
 * process is healthy as long as it answers: who waits for the lease does what he should, and who lost it has ended.
 */
#include <uv.h>
#include "xb/flags.h"

struct xb_serve_options {
	const char *bind_address, *cert_dir, *tls_cert_file, *tls_private_key_file;
	const char *authentication_kubeconfig, *authorization_kubeconfig, *client_ca_file, *requestheader_client_ca_file;
	int secure_port;
};
/* Upstream's flags, rows for a table of struct xb_flag: member is a struct xb_serve_options, port_ the program's as text. */
#define XB_SERVE_FLAGS(options, member, port_)                                                                                       \
	XB_FLAG(ADDRESS, options, member.bind_address, "bind-address", "0.0.0.0", "Secure serving",                                  \
		"The address to serve health and metrics on. Metrics are for this host alone."),                                     \
	XB_FLAG(STRING, options, member.cert_dir, "cert-dir", NULL, "Secure serving",                                                \
		"Accepted: a certificate that is not given is made anew at each start."),                                            \
	XB_FLAG(PORT, options, member.secure_port, "secure-port", port_, "Secure serving",                                           \
		"The port to serve HTTPS on. 0: not at all."),                                                                       \
	XB_FLAG(STRING, options, member.tls_cert_file, "tls-cert-file", NULL, "Secure serving",                                      \
		"The serving certificate. Without it one is made."),                                                                 \
	XB_FLAG(STRING, options, member.tls_private_key_file, "tls-private-key-file", NULL, "Secure serving",                        \
		"The private key of --tls-cert-file."),                                                                              \
	XB_FLAG(STRING, options, member.authentication_kubeconfig, "authentication-kubeconfig", NULL, "Secure serving",              \
		"Accepted: there is nobody to authenticate."),                                                                       \
	XB_FLAG(STRING, options, member.authorization_kubeconfig, "authorization-kubeconfig", NULL, "Secure serving",                \
		"Accepted: there is nobody to authorize."),                                                                          \
	XB_FLAG(STRING, options, member.client_ca_file, "client-ca-file", NULL, "Secure serving",                                    \
		"Accepted: clients need no certificate."),                                                                           \
	XB_FLAG(STRING, options, member.requestheader_client_ca_file, "requestheader-client-ca-file", NULL, "Secure serving",        \
		"Accepted: clients need no certificate.")
/* -EINVAL with a sentence that names the flag. */
int xb_serve_check(const struct xb_serve_options *o, char **reterr_why);

struct xb_serve;
struct xb_serve_config {
	uv_loop_t *loop;
	const struct xb_serve_options *options; /* borrowed */
	const char *program;                    /* "kube-scheduler": the name in a certificate that is made */
	void (*write_metrics)(void *arg, struct xb_buf *out); /* those that are not of the process */
	void *arg;
};
/* Listens at once; nothing when the port is 0. reterr_why: a sentence that names the flag, the caller's to free. */
int xb_serve_new(const struct xb_serve_config *c, struct xb_serve **ret, char **reterr_why);
struct xb_serve *xb_serve_free(struct xb_serve *s);
XB_DEFINE_CLEANUP(struct xb_serve *, xb_serve_free)

#endif
