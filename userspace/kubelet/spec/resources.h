/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SPEC_RESOURCES_H
#define KUBELET_SPEC_RESOURCES_H
/* Requests and limits as the kernel has them: shares, quota, bytes, and who is killed first when memory runs out. */
#include "make.h"
#include "spec.h"

/* requests, limits: lists of quantities by name. Without a request of processor time its limit is one. */
void resources_of(const struct facts *f, struct xb_jv requests, struct xb_jv limits, Runtime__V1__LinuxContainerResources *out);
/* Those of a container with its huge pages and its oom_score_adj. */
void resources_of_container(struct make *m, const struct spec_input *in, Runtime__V1__LinuxContainerResources *out);

#endif
