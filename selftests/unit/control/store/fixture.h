/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H
/* A store in a folder of its own and a loop, as the store's tests use them; and an engine that does what it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include "../../../../control/store/engine.h"
#include "../../../../control/store/parts.h"

struct fixture {
	char dir[64];
	struct store_config config;
	uv_loop_t loop;
	struct store *s;
	unsigned random;
};

static inline void fixture_open(struct fixture *f)
{
	_cleanup_free_ char *why = NULL;
	int r = store_open(&f->config, &f->s, &why);

	if (r)
		fail_msg("store_open: %d: %s", r, why ? why : "");
}

static inline void fixture_close(struct fixture *f)
{
	f->s = store_close(f->s);
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static inline void fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .random = 1 };
	strcpy(f->dir, "/tmp/xebec-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	f->config = (struct store_config){ .data_dir = f->dir, .loop = &f->loop };
}

static inline void fixture_remove(const char *dir)
{
	static const char *const names[] = { "lock", "store.db", "store.db-wal", "store.db-shm" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static inline void fixture_done(struct fixture *f)
{
	fixture_close(f);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	fixture_remove(f->dir);
}

static inline unsigned fixture_random(struct fixture *f, unsigned below)
{
	return (unsigned)rand_r(&f->random) % below;
}

/* {"metadata":{"resourceVersion":""},"n":N} */
#define FIXTURE_HOLE 32
static inline struct store_value fixture_value(char buf[64], int n)
{
	int length = snprintf(buf, 64, "{\"metadata\":{\"resourceVersion\":\"\"},\"n\":%d}", n);

	return (struct store_value){ .bytes = { buf, length }, .hole = FIXTURE_HOLE };
}

static inline int fixture_n(const struct store_object *o)
{
	int64_t n = -1;

	xb_jv_i64(xb_jv_get(xb_json_root(o->doc), "n"), &n);
	return n;
}

/* What came of a write. */
struct outcome {
	int calls, error;
	uint64_t revision;
};
static inline void fixture_done_cb(void *arg, int error, struct store_object *o)
{
	struct outcome *out = arg;

	out->calls++;
	out->error = error;
	out->revision = o ? o->revision : 0;
}

static inline int fixture_put(struct fixture *f, const char *key, uint64_t expect, int n, struct outcome *out)
{
	char buf[64];
	struct store_value v = fixture_value(buf, n);

	*out = (struct outcome){};
	return store_put(f->s, key, expect, &v, fixture_done_cb, out);
}

static inline int fixture_delete(struct fixture *f, const char *key, uint64_t expect, int n, struct outcome *out)
{
	char buf[64];
	struct store_value v = fixture_value(buf, n);

	*out = (struct outcome){};
	return store_delete(f->s, key, expect, &v, fixture_done_cb, out);
}

static inline void fixture_wait(struct fixture *f, const struct outcome *out)
{
	while (!out->calls)
		uv_run(&f->loop, UV_RUN_ONCE);
}

static inline void fixture_stop_cb(uv_timer_t *t)
{
	uv_close((uv_handle_t *)t, NULL);
}

/* Lets the loop run for a while, for what the store does by the clock. */
static inline void fixture_sleep(struct fixture *f, unsigned ms)
{
	uv_timer_t t;

	uv_timer_init(&f->loop, &t);
	uv_timer_start(&t, fixture_stop_cb, ms, 0);
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static inline uint64_t revision_of(struct store_object *o)
{
	return o ? o->revision : 0;
}

/* Writes over whatever is there, and waits; the new revision. n < 0 deletes. */
static inline uint64_t fixture_set(struct fixture *f, const char *key, int n)
{
	uint64_t head = revision_of(store_head(f->s, key));
	struct outcome out;

	assert_int_equal(n < 0 ? fixture_delete(f, key, head, n, &out) : fixture_put(f, key, head, n, &out), 0);
	fixture_wait(f, &out);
	assert_int_equal(out.error, 0);
	return out.revision;
}

/* The engine: keeps nothing. Its commits wait while held, and fail while error is not 0. */
static struct fake {
	int error;
	unsigned commits, rows, parts, probes, relaxed;
	uint64_t used;              /* bytes of the database, as the engine tells */
	bool held;
	uv_mutex_t lock;
	uv_cond_t changed;
} fake;

static inline void fake_set(bool held, int error)
{
	uv_mutex_lock(&fake.lock);
	fake.held = held;
	fake.error = error;
	uv_cond_signal(&fake.changed);
	uv_mutex_unlock(&fake.lock);
}

static inline int fake_open(const char *data_dir, void **ret, uint64_t *ret_compacted, char **reterr_why)
{
	fake = (struct fake){};
	uv_mutex_init(&fake.lock);
	uv_cond_init(&fake.changed);
	*ret = &fake;
	*ret_compacted = 1;
	return 0;
}

static inline int fake_load(void *e, const struct store_loader *l, char **reterr_why)
{
	return 0;
}

static inline int fake_commit(void *e, const struct store_batch *b)
{
	int error;

	uv_mutex_lock(&fake.lock);
	while (fake.held)
		uv_cond_wait(&fake.changed, &fake.lock);
	error = fake.error;
	if (!error) {
		fake.commits++;
		fake.relaxed += b->relaxed;
		fake.probes += !b->writes && !b->n_dead;
		for (const struct store_write *w = b->writes; w; w = w->next)
			fake.rows += w->object != NULL;
		for (const struct store_part *part = b->parts; part; part = part->next)
			fake.parts++;
	}
	uv_mutex_unlock(&fake.lock);
	return error;
}

static inline void fake_size(void *e, struct store_size *ret)
{
	*ret = (struct store_size){ fake.used, fake.used };
}

static inline void fake_tidy(void *e)
{
}

static inline void fake_close(void *e)
{
	uv_cond_destroy(&fake.changed);
	uv_mutex_destroy(&fake.lock);
}

static inline const struct store_engine *fake_engine(void)
{
	static const struct store_engine engine = {
		.name = "fake", .open = fake_open, .load = fake_load, .commit = fake_commit, .size = fake_size, .tidy = fake_tidy,
		.close = fake_close,
	};

	return &engine;
}

#endif
