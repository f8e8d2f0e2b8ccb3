/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_ADMIT_H
#define KUBELET_PODS_ADMIT_H
/* May a pod begin on this node: what upstream's kubelet asks before it makes anything of one (pkg/kubelet/lifecycle). Pure. */
#include "../facts.h"
#include "xb/json.h"

/* What a pod asks for, in nano-units as xb/quantity.h has them. */
struct admit_wants {
	__int128 cpu, memory, ephemeral;
};
struct admit_wants admit_wants(struct xb_jv pod, int64_t now_us);

struct admit_input {
	const struct facts *facts;
	struct xb_jv node;              /* the Node; {}: not known, its labels and taints are not asked then */
	struct xb_jv pod;
	struct admit_wants used;        /* by the pods that are admitted, and how many those are */
	uint64_t pods;
	const struct xb_jv *active;     /* those pods, for their host ports */
	size_t n_active;
	bool memory_pressure, disk_pressure, pid_pressure;
	int64_t now_us;
};
struct admit_refusal {
	const char *reason;             /* "OutOfcpu"; static */
	char *message;                  /* the caller's to free */
};
/* 0: it may; -EPERM: *ret says why not; -ENOMEM. */
int admit_pod(const struct admit_input *in, struct admit_refusal *ret);

#endif
