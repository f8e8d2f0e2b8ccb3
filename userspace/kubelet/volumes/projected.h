/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PROJECTED_H
#define KUBELET_PROJECTED_H
/* What the volumes that are files of objects share. */
#include "plan.h"

struct source {                         /* one that files come from */
	const struct plan_input *in;
	struct xb_jv spec;
	struct volume_files *files;
	bool has_group;
	int64_t mode;                   /* defaultMode */
};
/* Fields and resources of the pod: spec.items. */
int downward_add(const struct source *s, char **reterr_why);
int projected_make(int pod, const struct volume_plan *p, char **reterr_why);

#endif
