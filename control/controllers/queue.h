/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_QUEUE_H
#define CONTROLLERS_QUEUE_H
/* The inside of the process and of a loop's queue, for kcm.c, which starts them and tells of them, and work.c. */
#include "accounts.h"
#include "work.h"
#include "xb/work_queue.h"

struct kcm_queue {
	struct kcm *kcm;
	struct kcm_queue_config c;
	struct xb_work_queue *keys;
	struct kcm_work *works;         /* under way; doubly linked */
};

struct kcm_shared_index {
	const struct xb_kind *kind;
	xb_index_keys *keys;
	struct xb_index *index;
};
struct kcm_running {
	const struct kcm_loop *row;
	struct kcm kcm;
	void *loop;
};
struct kcm_process {
	struct kcm own;                 /* of loops without an account; what the others' are made from */
	struct kcm_accounts *accounts;  /* NULL: each loop uses own */
	bool synced, begun;
	XB_VEC(struct kcm_queue *) queues;
	XB_VEC(struct kcm_shared_index) indexes;
	XB_VEC(struct kcm_running *) running;
};

#endif
