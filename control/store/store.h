/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_H
#define STORE_H
/*
 * The versioned store under the API: ordered keys, one revision counter, compare-and-set, and the history of recent
 * changes that watches and consistent lists read. One thread (the owner's loop) calls everything here; a thread of the
 * store's own does nothing but commit batches. What readers see (store_get, store_range, watches) is committed and
 * durable; writers compare with the head, which also holds what is on its way to the disk. Writes that arrive while a
 * commit runs form the next batch: group commit without a timer, but for those that are said to be patient.
 *
 * Durability sits behind struct store_engine (engine.h), so that SQLite and, later, etcd are two files.
 */
#include <uv.h>
#include "xb/json.h"

struct store;
struct store_engine;

/* One version of one object: immutable, refcounted (loop thread only), shared by the tree, the history and every reader. */
struct store_object {
	unsigned refs;
	bool deleted;               /* the last state of a key that revision deleted */
	uint64_t revision;          /* that made this version; it also stands in the document's metadata.resourceVersion */
	uint64_t created;           /* revision that made the key */
	struct xb_json *doc;        /* canonical bytes and their index */
	size_t key_length;
	char key[];                 /* zero-terminated */
};
struct store_object *store_object_ref(struct store_object *o);
struct store_object *store_object_unref(struct store_object *o);
XB_DEFINE_CLEANUP(struct store_object *, store_object_unref)

/*
 * The parts of an object's document, in order: where in its bytes a number stands, and what it stands for. They live as
 * long as the document. Call with *iter = 0 until false. What is no document of a store's has none.
 */
struct store_part_at {
	size_t at, n;
	const struct xb_json *value;
};
bool store_part_next(const struct xb_json *doc, unsigned *iter, struct store_part_at *ret);

struct store_config {
	const char *data_dir;       /* made, 0700, when missing */
	uv_loop_t *loop;
	uint64_t history_bytes;     /* 0: 64 MiB. Changes older than the window are compacted */
	unsigned history_seconds;   /* 0: 300. Kept at least as long as bytes allow */
	size_t max_value;           /* 0: 1.5 MiB, etcd's request limit */
	uint64_t quota;             /* of the database, in bytes in use; 0: none. At it, puts fail with -EDQUOT; deletions go on */
	/* Why puts are refused from now on: -errno, -EDQUOT at the quota, 0: they are not any more. From the loop. May be NULL. */
	void (*refuses)(void *arg, int error);
	void *arg;
	const struct store_engine *engine; /* NULL: SQLite */
};
/* Opens, checks and loads everything. On failure *reterr_why is a sentence for the operator (path, what is wrong, what to
 * do), the caller's to free. -EUCLEAN: damaged; -EBUSY: another process has it; -ENOSPC and the like as they are. */
int store_open(const struct store_config *c, struct store **ret, char **reterr_why);
/*
 * Commits what is queued, waits for it, calls the callbacks, closes. NULL is fine. Walks and watches are freed before; not
 * to be called from a callback of the store. The loop must turn once more before it can be closed.
 */
struct store *store_close(struct store *s);
XB_DEFINE_CLEANUP(struct store *, store_close)

uint64_t store_revision(const struct store *s);         /* newest committed */
uint64_t store_compacted(const struct store *s);        /* changes up to and with this one are no longer in the history */
size_t store_count(const struct store *s, const char *prefix); /* committed keys under it */

/* Reading. Borrowed until control returns to the loop; take a reference to keep. NULL: no such key. */
struct store_object *store_get(struct store *s, const char *key);  /* committed */
struct store_object *store_head(struct store *s, const char *key); /* also what is not committed yet */

/*
 * A walk over the committed keys that begin with prefix, in byte order, from start on (NULL: the first), as the world was at
 * revision "at" (0: now; that revision must be in the history or be the newest: -ESTALE when compacted, -ERANGE when in
 * the future). Keeps its view while changes go on between calls; may be held across turns of the loop.
 */
struct store_walk;
int store_walk_new(struct store *s, const char *prefix, const char *start, uint64_t at, struct store_walk **ret);
struct store_object *store_walk_next(struct store_walk *w); /* borrowed until the next call; NULL at the end */
uint64_t store_walk_revision(const struct store_walk *w);
int store_walk_error(const struct store_walk *w);           /* -ESTALE: its revision was compacted while it was held; -ENOMEM */
struct store_walk *store_walk_free(struct store_walk *w);
XB_DEFINE_CLEANUP(struct store_walk *, store_walk_free)

/*
 * Writing. The value is canonical JSON with an empty string for metadata.resourceVersion; hole is the offset in it at
 * which the store inserts the revision's digits. Spans of it that other objects are likely to hold alike may be named: whole
 * JSON values, in order of their beginnings, the hole in none of them. Such a piece, once seen again, is kept apart, a "part",
 * and the document has a number in its place. One within another is for when the other is none.
 * expect: the revision the head must have, 0: there must be no such key.
 * Returns 0 when queued, and then done is called exactly once from the loop: error 0 and the object as committed
 * (borrowed), or -errno (-ENOSPC, -EROFS, -EIO: nothing of it was kept, nor of any write queued after it).
 * Under a relaxed prefix done does not wait for the disk: see store_relax.
 * At once and without a call of done: -ESTALE (the head is another), -EEXIST (expect 0 and there is one), -ENOENT
 * (expect not 0 and there is none), -EMSGSIZE, -EBADMSG (no JSON), -EINVAL (no key, or the hole outside the value), -ENOMEM,
 * -EDQUOT (a put while the database is full), and the engine's error while it cannot write: after a failed commit all writes
 * are refused until a small one of the store's own, tried once a second, succeeds.
 */
#define STORE_SPANS_MAX 64
struct store_span {
	size_t at, n;
};
/*
 * A patient write waits for others to share its commit: while nothing else is queued, until there are STORE_PATIENCE_WRITES such or
 * the oldest has waited STORE_PATIENCE_MS. It is as durable as any other.
 */
#define STORE_PATIENCE_MS 200
#define STORE_PATIENCE_WRITES 128
struct store_value {
	struct xb_sv bytes;
	bool patient;
	size_t hole;
	unsigned n_spans;
	struct store_span spans[STORE_SPANS_MAX];
};
typedef void (*store_done)(void *arg, int error, struct store_object *o);
int store_put(struct store *s, const char *key, uint64_t expect, const struct store_value *v, store_done done, void *arg);
/*
 * The same for a value that is the head's but for some strings, each as long as before (xb/json.h): nothing is parsed, and parts stay
 * as they are. -EINVAL: a change is none, or the new revision has more digits than the head's.
 */
#define STORE_CHANGES_MAX 7
struct store_amendment {
	bool patient;
	unsigned n;
	struct xb_json_change changes[STORE_CHANGES_MAX];
};
int store_amend(struct store *s, const char *key, uint64_t expect, const struct store_amendment *a, store_done done, void *arg);
/* The value is the object's last state, as watchers get it with the DELETED event. */
int store_delete(struct store *s, const char *key, uint64_t expect, const struct store_value *v, store_done done, void *arg);
/*
 * Writes of keys that begin with prefix are relaxed from now on: a commit of nothing else does not wait for the disk. They
 * outlive the process. A power failure may take the newest of them, and none before an older one; revisions are not given
 * twice, and who saw a lost one finds it compacted. A later write that is not relaxed makes them durable with itself. 0 or -ENOMEM.
 */
int store_relax(struct store *s, const char *prefix);
/* Calls done(arg, error, NULL) once all that is queued now is committed: for an answer that rests on the head. When
 * nothing is queued it is called before the return. */
int store_barrier(struct store *s, store_done done, void *arg);

/*
 * Watching: a cursor on the history. Events with a revision greater than "from" for keys under prefix, in order of
 * revision, each exactly once. The store calls ready (from the loop) when there may be something to read after the
 * reader has seen NULL; the reader then takes as much as it can send. Nothing is buffered for a slow reader.
 * The prefix is empty, or ends with '/', or is one whole key and then stands for that key alone. An event costs one
 * hash look-up for each '/' in its key, and work only for watches it matches.
 */
enum store_event_type { STORE_ADDED, STORE_MODIFIED, STORE_DELETED };
struct store_event {
	enum store_event_type type;
	uint64_t revision;
	struct store_object *object;   /* new version; for STORE_DELETED the last state, with the deletion's revision */
	struct store_object *previous; /* version before, NULL for STORE_ADDED */
};
struct store_watch;
int store_watch_new(struct store *s, const char *prefix, uint64_t from, void (*ready)(void *arg), void *arg,
		    struct store_watch **ret);                  /* -ESTALE: from lies before the history; -ERANGE: in the future */
const struct store_event *store_watch_next(struct store_watch *w); /* borrowed until the next call; NULL: none for now */
/* Every event up to and with this revision has been returned, or was not under the prefix: what a bookmark may say. */
uint64_t store_watch_progress(const struct store_watch *w);
int store_watch_error(const struct store_watch *w);         /* -ESTALE: fell behind the history */
struct store_watch *store_watch_free(struct store_watch *w);
XB_DEFINE_CLEANUP(struct store_watch *, store_watch_free)

struct store_size {
	uint64_t file, used;        /* bytes of the database, and those of them that hold something: the rest is used again */
};
struct store_stats {
	struct store_size size;
	uint64_t quota;
	uint64_t keys, bytes, parts, history_events, history_bytes, commits, writes;
	uint64_t commit_ns_last, batch_last;
	int write_error;            /* 0, or why writes are refused now */
};
void store_stats(const struct store *s, struct store_stats *ret);

#endif
