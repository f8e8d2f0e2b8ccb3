/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_LOG_ROTATE_H
#define KUBELET_SERVER_LOG_ROTATE_H
/*
 * Rotates the logs of running containers: one that has become too long is renamed "<log>.<time>" and the runtime is asked for a new one;
 * older ones are compressed at the next rotation, when the runtime writes to them no more; the oldest go. At each look one
 * stat a running container, on libuv's pool.
 */
#include "../pods/pods.h"

struct log_rotate;
struct log_rotate_config {
	uv_loop_t *loop;
	struct runtime *runtime;
	struct pods *pods;
	uint64_t max_bytes;             /* containerLogMaxSize */
	unsigned max_files;             /* containerLogMaxFiles, at least 2 */
	unsigned check_ms;              /* containerLogMonitorInterval */
};
int log_rotate_new(const struct log_rotate_config *c, struct log_rotate **ret);
struct log_rotate *log_rotate_free(struct log_rotate *r); /* the loop must turn until what is on the pool has ended */

#endif
