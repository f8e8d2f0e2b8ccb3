/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

#define BATCH_BYTES (8u << 20) /* a batch ends with the write that passes this, so that no commit takes for ever */

static uint32_t seconds(const struct store *s)
{
	return uv_now(s->loop) / 1000;
}

static void trim(struct store *s)
{
	uint32_t now = seconds(s);

	store_history_trim(&s->history, s->max_bytes, now > s->max_seconds ? now - s->max_seconds : 0);
}

/* Rows are deleted by the batch, and one by one when that is what there is to make room. */
static bool is_dead_due(const struct store *s)
{
	return s->history.n_dead >= (s->full ? 1 : STORE_DEAD_BATCH);
}

/* Rows that are dead go with the next batch of writes, unless there is none or it is they that take the room. */
static bool is_batch_due(const struct store *s)
{
	if (s->hurry || s->probe || s->pending >= STORE_PATIENCE_WRITES)
		return true;
	return (s->full || !s->queue) && !s->write_error && is_dead_due(s);
}

/* A batch is made at the next turn of the loop: it takes what all callbacks of this turn have queued. What is patient waits longer. */
static void schedule(struct store *s)
{
	if (s->busy)
		return;
	if (is_batch_due(s))
		uv_idle_start(&s->submit, store_write_submit);
	else if (s->queue && !uv_is_active((uv_handle_t *)&s->patience))
		uv_timer_start(&s->patience, store_write_no_longer, STORE_PATIENCE_MS, 0);
}

/* Of the batch: parts that are not in the file yet. */
static void list_parts(struct store *s)
{
	for (const struct store_write *w = s->flying; w; w = w->next) {
		struct store_uses *u = w->object ? store_uses_of(w->object->doc) : NULL;

		for (unsigned i = 0; u && i < u->n; i++) {
			struct store_part *part = u->v[i].part;

			if (part->durable || part->listed)
				continue;
			part->listed = true;
			part->next = s->flying_parts;
			s->flying_parts = part;
		}
	}
}

static void settle_parts(struct store *s, bool durable)
{
	for (struct store_part *part = TAKE_PTR(s->flying_parts), *next; part; part = next) {
		next = part->next;
		part->listed = false;
		part->durable = durable;
	}
}

static void list_dead(struct store *s, struct store_batch *b)
{
	const struct store_dead *d = s->history.dead;

	s->n_dead = is_dead_due(s) ? MIN(s->history.n_dead, STORE_DEAD_BATCH) : 0;
	b->dead = s->dead;
	b->dead_parts = s->dead_parts;
	for (size_t i = 0; i < s->n_dead; i++) {
		if (d[i].part)
			s->dead_parts[b->n_dead_parts++] = d[i].id;
		else
			s->dead[b->n_dead++] = d[i].id;
		b->compacted = d[i].at;
	}
}

static void submit(struct store *s)
{
	struct store_write **end = &s->queue;
	struct store_batch b = { .relaxed = !s->probe };
	size_t bytes = 0;

	for (; *end && bytes < BATCH_BYTES; end = &(*end)->next) {
		if (!(*end)->object)
			continue;
		bytes += xb_json_bytes((*end)->object->doc).n;
		b.relaxed = b.relaxed && (*end)->relaxed;
	}
	s->flying = s->queue;
	s->queue = *end;
	*end = NULL;
	if (!s->queue)
		s->queue_end = &s->queue;
	s->hurry = s->queue != NULL;
	uv_timer_stop(&s->patience);

	b.writes = s->flying;
	list_parts(s);
	b.parts = s->flying_parts;
	list_dead(s, &b);
	s->busy = true;
	s->probe = false;
	uv_ref((uv_handle_t *)&s->collected);
	store_committer_submit(&s->committer, &b);
}

void store_write_submit(uv_idle_t *idle)
{
	struct store *s = idle->data;

	uv_idle_stop(idle);
	if (!s->busy)
		submit(s);
}

static size_t memory(const struct store_object *o)
{
	return o ? store_object_memory(o) : 0;
}

/* A slot stays where it is while the tree has the same shape. */
static struct store_slot *slot_of(struct store *s, const struct store_write *w)
{
	return w->shape == s->tree.version ? w->slot : store_tree_find(&s->tree, w->object->key);
}

void store_write_commit(struct store *s, struct store_slot *slot, struct store_object *o)
{
	struct store_object *previous = slot->committed, *head = slot->head;
	struct store_object *now = o->deleted ? NULL : o;

	store_history_push(&s->history, o, previous, seconds(s));
	s->revision = o->revision;
	s->keys += !!now - !!previous;
	s->bytes += memory(now) - memory(previous);
	if (!now && head == o) {
		store_tree_remove(&s->tree, o->key);
	} else {
		slot->committed = now ? store_object_ref(now) : NULL;
		slot->head = head == o ? NULL : head;
	}
	if (head == o)
		store_object_unref(head);
	store_object_unref(previous);
	store_watches_note(&s->watches, o, s->history.end - 1);
}

/* The key's head is its committed version again. */
static void revert(struct store *s, const struct store_object *o)
{
	struct store_slot *slot = store_tree_find(&s->tree, o->key);
	struct store_object *head = slot ? slot->head : NULL;

	if (!head)
		return;
	if (slot->committed)
		slot->head = NULL;
	else
		store_tree_remove(&s->tree, o->key);
	store_object_unref(head);
}

static struct store_write *new_write(struct store_object *o, store_done done, void *arg)
{
	struct store_write *w = malloc(sizeof(*w));

	if (w)
		*w = (struct store_write){ .object = o ? store_object_ref(o) : NULL, .done = done, .arg = arg };
	return w;
}

static struct store_write *free_write(struct store_write *w)
{
	store_object_unref(w->object);
	free(w);
	return NULL;
}
XB_DEFINE_CLEANUP(struct store_write *, free_write)

static void answer(struct store *s, struct store_write *w, int error)
{
	for (struct store_write *next; w; w = next) {
		next = w->next;
		s->pending--;
		w->done(w->arg, error, error ? NULL : w->object);
		free_write(w);
	}
}

/* Barriers at the front of the queue wait for nothing any more: a batch of them alone would be a commit for nothing. */
static void take_barriers(struct store *s, struct store_write **end)
{
	while (s->queue && !s->queue->object) {
		*end = s->queue;
		s->queue = s->queue->next;
		end = &(*end)->next;
		*end = NULL;
	}
	if (!s->queue) {
		s->queue_end = &s->queue;
		s->hurry = false;
	}
}

static void succeeded(struct store *s, struct store_write *writes)
{
	struct store_write **end;
	uint64_t n = 0;

	for (end = &writes; *end; end = &(*end)->next) {
		if (!(*end)->object)
			continue;
		store_write_commit(s, slot_of(s, *end), (*end)->object);
		n++;
	}
	take_barriers(s, end);
	store_history_buried(&s->history, s->n_dead);
	s->write_error = 0;
	s->commits++;
	s->writes += n;
	s->batch = n;
	s->commit_ns = s->committer.ns;
	store_limits_look(s);
	answer(s, writes, 0);
}

/* What was queued behind the batch was compared with heads that will not be, so it fails too. */
static void failed(struct store *s, struct store_write *writes, int error)
{
	struct store_write *queue = TAKE_PTR(s->queue);

	s->queue_end = &s->queue;
	s->hurry = false;
	for (struct store_write *w = writes; w; w = w->next)
		if (w->object)
			revert(s, w->object);
	for (struct store_write *w = queue; w; w = w->next)
		if (w->object)
			revert(s, w->object);
	s->write_error = error;
	store_limits_look(s);
	answer(s, writes, error);
	answer(s, queue, error);
}

static bool collect(struct store *s, bool wait)
{
	struct store_write *writes;

	if (!store_committer_collect(&s->committer, wait))
		return false;
	writes = TAKE_PTR(s->flying);
	s->busy = false;
	uv_unref((uv_handle_t *)&s->collected);
	settle_parts(s, !s->committer.error);
	if (s->committer.error)
		failed(s, writes, s->committer.error);
	else
		succeeded(s, writes);
	return true;
}

void store_write_collect(uv_async_t *async)
{
	struct store *s = async->data;

	if (!collect(s, false))
		return;
	store_watches_call(&s->watches);
	trim(s);
	schedule(s);
}

void store_write_tick(uv_timer_t *timer)
{
	struct store *s = timer->data;

	trim(s);
	s->probe = s->write_error != 0;
	schedule(s);
}

void store_write_no_longer(uv_timer_t *timer)
{
	struct store *s = timer->data;

	s->hurry = true;
	schedule(s);
}

void store_write_drain(struct store *s)
{
	while (s->busy || s->queue) {
		if (!s->busy)
			submit(s);
		collect(s, true);
	}
}

static void enqueue(struct store *s, struct store_write *w)
{
	*s->queue_end = w;
	s->queue_end = &w->next;
	s->pending++;
	s->hurry = s->hurry || !w->patient;
	schedule(s);
}

static void add_filled(struct store *s, const struct store_value *v, size_t from, size_t to, uint64_t revision)
{
	struct xb_buf *b = &s->scratch;

	if (v->hole < from || v->hole >= to) {
		xb_buf_add(b, v->bytes.p + from, to - from);
		return;
	}
	xb_buf_add(b, v->bytes.p + from, v->hole - from);
	xb_buf_addu(b, revision);
	xb_buf_add(b, v->bytes.p + v->hole, to - v->hole);
}

/* The document with its revision in the hole, and parts where there are some. */
static int fill(struct store *s, const struct store_value *v, uint64_t revision, struct xb_json **ret)
{
	_cleanup_(store_uses_freep) struct store_uses *u = v->n_spans ? store_uses_new(v->n_spans) : NULL;
	struct xb_json_limits limits = { .max_bytes = v->bytes.n + 20 };
	struct xb_buf *b = &s->scratch;
	size_t from = 0, at;
	int r;

	if (v->n_spans && !u)
		return -ENOMEM;
	xb_buf_clear(b);
	for (unsigned i = 0; i < v->n_spans; i++) {
		const struct store_span *span = &v->spans[i];
		struct xb_sv bytes = { v->bytes.p + span->at, span->n };
		struct store_part *part = span->at < from ? NULL : store_parts_obtain(&s->parts, bytes);

		if (!part)
			continue;
		add_filled(s, v, from, span->at, revision);
		at = b->n;
		xb_buf_addu(b, part->id);
		store_uses_add(u, at, b->n - at, part);
		from = span->at + span->n;
	}
	add_filled(s, v, from, v->bytes.n, revision);
	if (b->err)
		return b->err;
	r = xb_json_parse(xb_buf_sv(b), &limits, ret, NULL);
	if (!r && u && u->n)
		store_uses_attach(TAKE_PTR(u), *ret);
	return r;
}

static int compare(const struct store_object *head, uint64_t expect, bool deleted)
{
	if (!head)
		return expect || deleted ? -ENOENT : 0;
	if (!expect)
		return -EEXIST;
	return head->revision == expect ? 0 : -ESTALE;
}

/* May this be written over that head? */
static int check(const struct store *s, const struct store_object *head, uint64_t expect, bool deleted)
{
	int r = compare(head, expect, deleted);

	if (r)
		return r;
	if (s->write_error)
		return s->write_error;
	return !deleted && s->full ? -EDQUOT : 0;
}

/* The document, which has the next revision in it, becomes the key's head. */
static int add_version(struct store *s, const char *key, const struct store_object *head, bool deleted, bool patient, struct xb_json *doc,
		       store_done done, void *arg)
{
	_cleanup_(store_object_unrefp) struct store_object *o = NULL;
	_cleanup_(free_writep) struct store_write *w = NULL;
	uint64_t revision = s->assigned + 1;
	struct store_slot *slot;
	int r;

	o = store_object_new(key, revision, head ? head->created : revision, deleted, doc);
	w = o ? new_write(o, done, arg) : NULL;
	if (!w)
		return -ENOMEM;
	w->relaxed = store_is_relaxed(s, key);
	w->patient = patient;
	/* everything that needs memory happens before the commit: what is durable must be shown */
	r = store_history_reserve(&s->history, s->pending + 1);
	if (r)
		return r;
	slot = store_tree_obtain(&s->tree, key);
	if (!slot)
		return -ENOMEM;
	store_object_unref(slot->head);
	slot->head = store_object_ref(o);
	w->slot = slot;
	w->shape = s->tree.version;
	s->assigned = revision;
	enqueue(s, TAKE_PTR(w));
	return 0;
}

static int write_one(struct store *s, const char *key, uint64_t expect, bool deleted, const struct store_value *v,
		     store_done done, void *arg)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	const struct store_object *head = store_head(s, key);
	int r = check(s, head, expect, deleted);

	if (r)
		return r;
	if (v->bytes.n > s->max_value)
		return -EMSGSIZE;
	if (!*key || v->hole >= v->bytes.n)
		return -EINVAL;
	r = fill(s, v, s->assigned + 1, &doc);
	return r ? r : add_version(s, key, head, deleted, v->patient, doc, done, arg);
}

int store_put(struct store *s, const char *key, uint64_t expect, const struct store_value *v, store_done done, void *arg)
{
	return write_one(s, key, expect, false, v, done, arg);
}

int store_amend(struct store *s, const char *key, uint64_t expect, const struct store_amendment *a, store_done done, void *arg)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	const struct store_object *head = store_head(s, key);
	struct xb_json_change all[STORE_CHANGES_MAX + 1];
	int r = check(s, head, expect, false);
	char revision[XB_DIGITS_MAX];

	if (r)
		return r;
	if (!head)
		return -EINVAL;
	memcpy(all, a->changes, a->n * sizeof(*all));
	all[a->n] = (struct xb_json_change){
		xb_jv_path(xb_json_root(head->doc), "metadata", "resourceVersion"), xb_sv_decimal(s->assigned + 1, revision),
	};
	r = xb_json_with(head->doc, all, a->n + 1, &doc);
	if (!r)
		r = store_uses_share(head->doc, doc);
	return r ? r : add_version(s, key, head, false, a->patient, doc, done, arg);
}

int store_delete(struct store *s, const char *key, uint64_t expect, const struct store_value *v, store_done done, void *arg)
{
	return write_one(s, key, expect, true, v, done, arg);
}

int store_barrier(struct store *s, store_done done, void *arg)
{
	struct store_write *w;

	if (!s->flying && !s->queue) {
		done(arg, 0, NULL);
		return 0;
	}
	w = new_write(NULL, done, arg);
	if (!w)
		return -ENOMEM;
	enqueue(s, w);
	return 0;
}
