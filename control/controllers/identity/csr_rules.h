/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_CSR_RULES_H
#define CONTROLLERS_CSR_RULES_H
/*
 * What upstream's approver, signers and cleaner ask of a CertificateSigningRequest (pkg/apis/certificates/helpers.go,
 * pkg/controller/certificates). Pure; times are wall clock, in microseconds unless they say seconds.
 */
#include "xb/csr.h"
#include "xb/json.h"

#define CSR_CLIENT          "kubernetes.io/kube-apiserver-client"
#define CSR_KUBELET_CLIENT  "kubernetes.io/kube-apiserver-client-kubelet"
#define CSR_KUBELET_SERVING "kubernetes.io/kubelet-serving"
#define CSR_LEGACY_UNKNOWN  "kubernetes.io/legacy-unknown"

struct xb_jv csr_condition(struct xb_jv csr, const char *type); /* {} without one */
bool csr_is_decided(struct xb_jv csr);                  /* approved or denied */
bool csr_is_to_be_signed(struct xb_jv csr);             /* approved, not failed, and no certificate yet */

/* Is it what the signer signs? If not, why is appended, in upstream's words. */
typedef bool csr_fits(const struct xb_csr *c, struct xb_jv usages, struct xb_buf *why);
csr_fits csr_fits_client, csr_fits_kubelet_client, csr_fits_kubelet_serving, csr_fits_any;

/* A merge patch that adds a condition. An error is out's. */
void csr_condition_patch(struct xb_jv csr, const char *type, const char *reason, const char *message, int64_t now, struct xb_buf *out);
/* The times of a certificate: for as long as is asked for, ten minutes at least and most_seconds at most. now_seconds. */
void csr_set_times(struct xb_jv csr, int64_t most_seconds, int64_t now_seconds, struct xb_csr_terms *t);
int64_t csr_clean_at(struct xb_jv csr);                 /* when nobody needs it any more; INT64_MAX: that is not known */

#endif
