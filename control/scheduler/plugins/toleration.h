/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_TOLERATION_H
#define SCHEDULER_TOLERATION_H
/* Which taints a pod bears. */
#include "../cache.h"

struct sched_toleration {
	uint32_t key, value;    /* as names of nodes know them; 0: no node has it */
	bool any_key, any_value, any_effect;
	enum sched_effect effect;
	struct xb_sv key_text;  /* in the pod */
};
struct sched_tolerations {
	XB_VEC(struct sched_toleration) all;
};
void sched_tolerations_done(struct sched_tolerations *t);
/* In place of what t held. 0 or -ENOMEM. */
int sched_tolerations_read(struct sched_tolerations *t, const struct sched_names *names, struct xb_jv spec);
/* key: the taint's key as text where no node need have it, else {}. */
bool sched_tolerates(const struct sched_tolerations *t, const struct sched_taint *taint, struct xb_sv key);

#endif
