/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CNI_VERBS_H
#define CNI_VERBS_H
/* What each verb does, and the answers. Each appends its result, if it has one, to out. */
#include "attach.h"
#include "config.h"

int cni_add(const struct cni_call *call, const struct cni_config *c, struct xb_buf *out, struct cni_fault *f);
int cni_del(const struct cni_call *call, const struct cni_config *c, struct cni_fault *f);
int cni_check(const struct cni_call *call, const struct cni_config *c, struct cni_fault *f);
int cni_gc(const struct cni_config *c, struct cni_fault *f);
int cni_status(const struct cni_config *c, struct cni_fault *f);

/* The answers, as the version of the configuration has them. */
void result_write(const struct cni_config *c, const struct attachment *a, struct xb_buf *out);
void result_write_loopback(const struct cni_config *c, const struct cni_call *call, struct xb_buf *out);
void result_write_versions(struct xb_buf *out);
void result_write_fault(const struct cni_config *c, const struct cni_fault *f, struct xb_buf *out);

#endif
