/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_NAMES_H
#define SCHEDULER_NAMES_H
/* Small numbers for texts that are compared often: labels of nodes, taints, resources, images. Nothing is forgotten. */
#include "xb/str.h"

struct sched_names;
struct sched_names *sched_names_new(void);                              /* NULL without memory */
struct sched_names *sched_names_free(struct sched_names *n);
XB_DEFINE_CLEANUP(struct sched_names *, sched_names_free)
uint32_t sched_names_id(struct sched_names *n, struct xb_sv text);      /* 1 and up; 0 without memory */
uint32_t sched_names_find(const struct sched_names *n, struct xb_sv text); /* 0: nobody has it */
struct xb_sv sched_names_text(const struct sched_names *n, uint32_t id);

#endif
