/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "commit.h"

static bool next_batch(struct store_committer *c)
{
	bool quit;

	uv_mutex_lock(&c->lock);
	while (c->state != COMMIT_ASKED && c->state != COMMIT_QUIT)
		uv_cond_wait(&c->changed, &c->lock);
	quit = c->state == COMMIT_QUIT;
	uv_mutex_unlock(&c->lock);
	return !quit;
}

static void run(void *arg)
{
	struct store_committer *c = arg;

	while (next_batch(c)) {
		uint64_t begin = uv_hrtime();
		int error = c->engine->commit(c->e, &c->batch);

		uv_mutex_lock(&c->lock);
		c->error = error;
		c->ns = uv_hrtime() - begin;
		c->state = COMMIT_DONE;
		uv_cond_signal(&c->changed);
		uv_mutex_unlock(&c->lock);
		uv_async_send(c->wake);
		c->engine->tidy(c->e);
	}
}

int store_committer_start(struct store_committer *c, const struct store_engine *engine, void *e, uv_async_t *wake)
{
	int r;

	c->engine = engine;
	c->e = e;
	c->wake = wake;
	c->state = COMMIT_IDLE;
	r = uv_mutex_init(&c->lock);
	if (r)
		return r;
	r = uv_cond_init(&c->changed);
	if (r) {
		uv_mutex_destroy(&c->lock);
		return r;
	}
	r = uv_thread_create(&c->thread, run, c);
	if (r) {
		uv_cond_destroy(&c->changed);
		uv_mutex_destroy(&c->lock);
	}
	return r;
}

static void set_state(struct store_committer *c, int state)
{
	uv_mutex_lock(&c->lock);
	c->state = state;
	uv_cond_signal(&c->changed);
	uv_mutex_unlock(&c->lock);
}

void store_committer_submit(struct store_committer *c, const struct store_batch *b)
{
	c->batch = *b;
	set_state(c, COMMIT_ASKED);
}

bool store_committer_collect(struct store_committer *c, bool wait)
{
	bool done;

	uv_mutex_lock(&c->lock);
	while (wait && c->state == COMMIT_ASKED)
		uv_cond_wait(&c->changed, &c->lock);
	done = c->state == COMMIT_DONE;
	if (done)
		c->state = COMMIT_IDLE;
	uv_mutex_unlock(&c->lock);
	return done;
}

void store_committer_stop(struct store_committer *c)
{
	set_state(c, COMMIT_QUIT);
	uv_thread_join(&c->thread);
	uv_cond_destroy(&c->changed);
	uv_mutex_destroy(&c->lock);
}
