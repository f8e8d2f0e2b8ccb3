/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_CGROUPS_NAMES_H
#define KUBELET_CGROUPS_NAMES_H
/* Where a cgroup of pods is: as a path, and as systemd's slices. Pure; everything is appended. */
#include "../facts.h"
#include "../spec/spec.h"

/* cgroup_root itself: "" for "/". */
void name_root(const struct facts *f, struct xb_buf *out);
/* "/kubepods[/burstable|/besteffort]" below cgroup_root, or "/kubepods.slice/kubepods-burstable.slice". */
void name_qos(const struct facts *f, enum spec_qos qos, struct xb_buf *out);
void name_pod(const struct facts *f, enum spec_qos qos, const char *uid, struct xb_buf *out);
/* The runtime's cgroup of a container within its pod's: the name alone. */
void name_container(const struct facts *f, const char *container_id, struct xb_buf *out);
/* The uid in the last part of a pod's cgroup; false: that is none. */
bool name_to_uid(const struct facts *f, const char *name, struct xb_buf *out);

#endif
