/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_QUEUE_H
#define CONTROLLERS_QUEUE_H
/* The inside of a loop's queue, for kcm.c, which starts them and tells of them, and work.c. */
#include "work.h"
#include "xb/work_queue.h"

struct kcm_queue {
	struct kcm *kcm;
	struct kcm_queue_config c;
	struct xb_work_queue *keys;
	struct kcm_work *works;         /* under way; doubly linked */
};

#endif
