/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_CSR_H
#define XB_CSR_H
/*
 * Requests for certificates (PKCS #10, RFC 2986) and the certificates that Kubernetes' signers make of them (its docs
 * "Certificate Signing Requests").
 */
#include <time.h>
#include "xb/str.h"

struct xb_csr {
	char *common_name;              /* "" without one */
	char **organizations;           /* NULL-terminated */
	unsigned dns_names, emails, ip_addresses, uris; /* how many it wants as alternative names; of others it gets none */
	struct X509_req_st *request;    /* OpenSSL's */
};
/* base64: what spec.request holds, PEM. -EINVAL: it is no request, or not signed by its own key; ret_fault says so in upstream's
 * words, static. -ENOMEM. */
int xb_csr_read(struct xb_sv base64, struct xb_csr *ret, const char **ret_fault);
void xb_csr_done(struct xb_csr *c);
#define _cleanup_csr_ _cleanup_(xb_csr_done)

struct xb_csr_terms {
	const struct xb_sv *usages;     /* by Kubernetes' names: "client auth" */
	size_t n_usages;
	time_t not_before, not_after;   /* not_after: or when the CA's certificate ends, if that is sooner */
};
/* Appends the certificate, base64 of its PEM: the request's subject, key and alternative names, and of the CA's doing usages and
 * times. -EINVAL, -EIO... with reterr_why. */
int xb_csr_sign(const struct xb_csr *c, const struct xb_csr_terms *t, const char *ca_cert_file, const char *ca_key_file,
		struct xb_buf *out, char **reterr_why);
/* When the first of the certificates ends that status.certificate holds. -EINVAL: it holds something else; ret_fault says so in
 * upstream's words, static. -ENOMEM. */
int xb_csr_check_issued(struct xb_sv base64, time_t *ret_not_after, const char **ret_fault);

#endif
