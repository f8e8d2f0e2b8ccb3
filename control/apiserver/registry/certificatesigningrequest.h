/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_CERTIFICATESIGNINGREQUEST_H
#define REGISTRY_CERTIFICATESIGNINGREQUEST_H
#include <openssl/x509.h>
#include "xb/arena.h"

/*
 * What spec.request holds: PKCS #10 in PEM (RFC 2986, RFC 7468), signed by its own key; the caller's to free. NULL with what is
 * wrong with it, or with NULL for lack of memory.
 */
X509_REQ *csr_read(struct xb_arena *a, struct xb_sv base64, const char **ret_fault);

#endif
