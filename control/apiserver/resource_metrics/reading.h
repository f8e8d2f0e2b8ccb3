/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef RESOURCE_METRICS_READING_H
#define RESOURCE_METRICS_READING_H
/* One reading of a node, and what two of them say. */
#include "scraper.h"

struct reading;
/* text: of /metrics/resource. now_ms: since 1970, where the text does not say. NULL without memory. */
struct reading *reading_new(struct xb_sv text, int64_t now_ms);
struct reading *reading_free(struct reading *r);
XB_DEFINE_CLEANUP(struct reading *, reading_free)

/* Was the newer one measured after the older? Kubelets measure less often than they may be asked. */
bool reading_is_newer(const struct reading *r, const struct reading *older);
/* older may be NULL: a container's rate is then that since it started, when that is known. False: there is none. */
bool reading_of_node(const struct reading *r, const struct reading *older, struct usage *ret);
bool reading_of_container(const struct reading *r, const struct reading *older, struct xb_sv key, struct usage *ret);
/* "namespace/pod/container" */
void reading_key(struct xb_sv namespace_, struct xb_sv pod, struct xb_sv container, struct xb_buf *out);

#endif
