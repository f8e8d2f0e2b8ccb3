/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H
/* The commit thread: runs one batch at a time on the engine, and wakes the loop when it has ended. */
#include "engine.h"

struct store_committer {
	const struct store_engine *engine;
	void *e;
	uv_async_t *wake;
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t changed;
	struct store_batch batch;
	enum { COMMIT_IDLE, COMMIT_ASKED, COMMIT_DONE, COMMIT_QUIT } state; /* under the lock */
	int error;                      /* of the batch, while COMMIT_DONE */
	uint64_t ns;                    /* that it took */
};
int store_committer_start(struct store_committer *c, const struct store_engine *engine, void *e, uv_async_t *wake);
/* Between two batches only. What the batch points to stays until it was collected. */
void store_committer_submit(struct store_committer *c, const struct store_batch *b);
/* True once for each batch, when it has ended; with wait, waits for that. */
bool store_committer_collect(struct store_committer *c, bool wait);
/* Between two batches only. */
void store_committer_stop(struct store_committer *c);

#endif
