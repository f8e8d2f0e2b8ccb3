/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_CORE_H
#define STORE_CORE_H
/* The inside of struct store, for the files of this folder. */
#include "commit.h"
#include "history.h"
#include "parts.h"
#include "tree.h"
#include "watch.h"

#define STORE_DEAD_BATCH 512 /* rows deleted with one commit, and how many it takes for that to be done */

struct store {
	struct store_tree tree;
	struct store_history history;
	struct store_parts parts;
	struct store_watches watches;
	uint64_t revision;          /* newest committed */
	uint64_t loaded;            /* what the engine had compacted when it was opened */
	uint64_t assigned;          /* newest given to a write; the numbers of failed writes are not given again */
	struct store_write *queue, **queue_end; /* wait for the next batch */
	struct store_write *flying;             /* with the commit thread */
	size_t pending;             /* writes in both */
	bool hurry;                 /* something in the queue does not wait for others */
	bool busy, probe;           /* a batch is with the thread; the next batch goes out though it is empty */
	struct store_part *flying_parts;        /* the new ones of the batch */
	uint64_t dead[STORE_DEAD_BATCH], dead_parts[STORE_DEAD_BATCH];
	size_t n_dead;              /* of both, in the batch with the thread */
	char **relaxed;             /* prefixes (prefixes.c); NULL-terminated, or NULL */
	struct store_size size;     /* after the last batch */
	uint64_t quota;
	bool full;                  /* the quota was reached, and not enough has gone since */
	void (*refuses)(void *arg, int error);
	void *arg;
	int told;                   /* what refuses was called with last */
	struct store_committer committer;
	bool threaded;              /* it has started */

	uint64_t max_bytes;
	unsigned max_seconds;
	size_t max_value;
	struct xb_buf scratch;
	uint64_t keys, bytes, commits, writes, commit_ns, batch;
	int write_error;

	const struct store_engine *engine;
	void *e;
	uv_loop_t *loop;
	uv_async_t collected;
	uv_idle_t submit;           /* active while something waits for a batch: once a turn, and the loop does not sleep */
	uv_timer_t tick, patience;  /* patience: active while what is queued waits for others */
	unsigned handles;           /* open ones of these four */
};

/* Queues, batches and their outcome (write.c). */
void store_write_submit(uv_idle_t *h);
void store_write_collect(uv_async_t *h);
void store_write_tick(uv_timer_t *h);
void store_write_no_longer(uv_timer_t *h); /* patience is over */
void store_write_drain(struct store *s);
/* The version, of that slot's key, is durable: show it, note the change. */
void store_write_commit(struct store *s, struct store_slot *slot, struct store_object *o);

bool store_is_relaxed(const struct store *s, const char *key); /* is it under one of the prefixes? */
void store_prefixes_done(struct store *s);

/* Takes the engine's size and tells the owner when puts begin or end to be refused. After each batch. */
void store_limits_look(struct store *s);

struct store_object *store_object_new(const char *key, uint64_t revision, uint64_t created, bool deleted,
				      struct xb_json *doc);

#endif
