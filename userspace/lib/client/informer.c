/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "informer_index.h"
#include "xb/backoff.h"
#include "xb/log.h"
#include "xb/map.h"
#include "xb/time.h"
#include "xb/vec.h"

#define PAGE_LIMIT    "500"
#define WATCH_MIN_S   300
#define WATCH_MAX_S   600
#define WATCH_GRACE_S 30    /* for a server that does not end a watch when it said it would */
#define WORTH_HAVING  6     /* a watch that lived so many times the least back-off: the next one starts at once */

struct xb_informer {
	struct xb_informer_config c;
	char *path, *label_selector, *field_selector;
	struct xb_rest_call *call;
	uv_timer_t timer;
	struct xb_backoff backoff;
	struct xb_map *items;
	struct xb_index *indexes;
	XB_VEC(struct xb_json *) listed;  /* objects of the pages so far: nothing is shown before the list is whole */
	char *continue_, *version;        /* of the list under way; where the next watch begins, NULL: list first */
	bool unpaged;                     /* a page came too late for its version: ask for all at once */
	bool synced, troubled;
	uint64_t lists;                   /* number of the list that replaced the items last */
	int64_t watch_began;
	struct xb_informer_stats stats;
};

static void next_step(struct xb_informer *i);

/* --- documents --- */
static const struct xb_json_limits limits = { .max_bytes = 1 << 28 };

static bool left_out(const struct xb_informer *i, struct xb_sv name)
{
	for (const char *const *n = i->c.leave_out; *n; n++)
		if (xb_sv_is(name, *n))
			return true;
	return false;
}

static void write_rest(const struct xb_informer *i, struct xb_jw *w, struct xb_jv v)
{
	bool object = xb_jv_type(v) == XB_JSON_OBJECT;

	if (!object && xb_jv_type(v) != XB_JSON_ARRAY) {
		xb_jw_raw(w, xb_jv_bytes(v));
		return;
	}
	if (object)
		xb_jw_object(w);
	else
		xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it);) {
		_cleanup_buf_ struct xb_buf key = {};

		if (object && left_out(i, it.key))
			continue;
		if (it.key_escaped)
			xb_json_unescape(it.key, &key);
		if (object)
			xb_jw_keysv(w, it.key_escaped ? xb_buf_sv(&key) : it.key);
		write_rest(i, w, it.value);
	}
	xb_jw_end(w);
}

/* The object as a document of its own. */
static int own_document(const struct xb_informer *i, struct xb_jv object, struct xb_json **ret)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jw w = XB_JW(&text);

	if (!i->c.leave_out)
		return xb_json_parse(xb_jv_bytes(object), &limits, ret, NULL);
	write_rest(i, &w, object);
	/* what the writer finds too deep is kept whole */
	return xb_json_parse(xb_jw_finish(&w) < 0 ? xb_jv_bytes(object) : xb_buf_sv(&text), &limits, ret, NULL);
}

/* --- the copy --- */
static int key_of(struct xb_jv object, struct xb_buf *out)
{
	struct xb_jv meta = xb_jv_get(object, "metadata");
	struct xb_sv name = xb_jv_text(xb_jv_get(meta, "name"));

	xb_buf_clear(out);
	xb_buf_addsv(out, xb_jv_text(xb_jv_get(meta, "namespace")));
	xb_buf_addc(out, '/');
	xb_buf_addsv(out, name);
	return out->err ? out->err : name.n ? 0 : -EBADMSG;
}

static struct xb_sv version_text(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "resourceVersion"));
}

static uint64_t version_number(struct xb_sv text)
{
	uint64_t v;

	return xb_sv_u64(text, &v) < 0 ? 0 : v;
}

static void hold(struct xb_informer *i, struct item *it, struct xb_jv object)
{
	it->object = object;
	it->version = version_number(version_text(object));
	i->stats.bytes += xb_json_memory(object.doc);
}

static void release(struct xb_informer *i, struct xb_jv object)
{
	i->stats.bytes -= xb_json_memory(object.doc);
	xb_json_unref((struct xb_json *)object.doc);
}

static int add_item(struct xb_informer *i, struct xb_sv key, struct xb_jv object)
{
	struct item *it = calloc(1, sizeof(*it) + key.n);
	int r;

	if (!it)
		return -ENOMEM;
	it->key_n = key.n;
	memcpy(it->key, key.p, key.n);
	r = xb_map_set(i->items, (struct xb_sv){ it->key, key.n }, it, NULL);
	if (r < 0) {
		free(it);
		return r;
	}
	xb_json_ref(object.doc);
	hold(i, it, object);
	it->list = i->lists;
	r = index_item(i->indexes, it);
	i->c.changed(i->c.arg, (struct xb_jv){}, object);
	return r;
}

static int change_item(struct xb_informer *i, struct item *it, struct xb_jv object)
{
	struct xb_jv old = it->object;
	int r;

	xb_json_ref(object.doc);
	hold(i, it, object);
	unindex_item(it);
	r = index_item(i->indexes, it);
	i->c.changed(i->c.arg, old, object);
	release(i, old);
	return r;
}

static void delete_item(struct xb_informer *i, struct item *it)
{
	xb_map_del(i->items, (struct xb_sv){ it->key, it->key_n });
	unindex_item(it);
	i->c.changed(i->c.arg, it->object, (struct xb_jv){});
	release(i, it->object);
	free(it);
}

/* --- faults --- */
static void drop_list(struct xb_informer *i)
{
	for (size_t k = 0; k < i->listed.n; k++)
		xb_json_unref(i->listed.v[k]);
	xb_vec_done(&i->listed);
	free(TAKE_PTR(i->continue_));
}

static void on_timer(uv_timer_t *t)
{
	next_step(t->data);
}

static void heard(struct xb_informer *i)
{
	i->stats.last_contact_ms = xb_time_ms();
	if (i->troubled && i->c.trouble)
		i->c.trouble(i->c.arg, i->path, NULL);
	i->troubled = false;
}

/* A watch that the server merely ended has no message: that is no trouble. */
static void wait_then_next(struct xb_informer *i, const struct xb_status *why)
{
	unsigned ms = xb_backoff_next(&i->backoff);

	ms = MAX(ms, why->retry_after * 1000U);
	i->stats.faults++;
	log_debug("%s: %s; again in %u ms", i->path, why->message ? why->message : "the watch ended early", ms);
	if (why->message && !i->troubled) {
		i->troubled = true;
		if (i->c.trouble)
			i->c.trouble(i->c.arg, i->path, why->message);
	}
	uv_timer_start(&i->timer, on_timer, ms, 0);
}

static void forget_version(struct xb_informer *i)
{
	free(TAKE_PTR(i->version));
}

/* --- list --- */
static int take_page(struct xb_informer *i, struct xb_sv body, char **ret_continue, char **ret_version)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv root, meta;
	int r = xb_json_parse(body, &limits, &doc, NULL);

	if (r < 0)
		return r;
	root = xb_json_root(doc);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(root, "items")); xb_jit_next(&it);) {
		struct xb_json *object = NULL;

		r = own_document(i, it.value, &object);
		if (r >= 0)
			r = xb_vec_push(&i->listed, object);
		if (r < 0) {
			xb_json_unref(object);
			return r;
		}
	}
	meta = xb_jv_get(root, "metadata");
	if (!xb_jv_text(xb_jv_get(meta, "resourceVersion")).n)
		return -EBADMSG;
	*ret_continue = xb_jv_dup(xb_jv_get(meta, "continue"));
	*ret_version = xb_jv_dup(xb_jv_get(meta, "resourceVersion"));
	return *ret_version ? 0 : -ENOMEM;
}

static int show(struct xb_informer *i, struct xb_json *doc, struct xb_buf *key)
{
	struct xb_jv object = xb_json_root(doc);
	struct item *it;
	int r = key_of(object, key);

	if (r < 0)
		return r;
	it = xb_map_get(i->items, xb_buf_sv(key));
	if (!it)
		return add_item(i, xb_buf_sv(key), object);
	it->list = i->lists;
	if (!xb_sv_eq(version_text(it->object), version_text(object)) || !version_text(object).n)
		return change_item(i, it, object);
	return 0;
}

/* The list is whole: what it shows becomes the copy. */
static int replace(struct xb_informer *i)
{
	_cleanup_buf_ struct xb_buf key = {};

	i->lists++;
	for (size_t k = 0; k < i->listed.n; k++) {
		int r = show(i, i->listed.v[k], &key);

		if (r < 0)
			return r;
	}
	for (struct xb_map_it it = {}; xb_map_next(i->items, &it);) {
		struct item *item = it.value;

		if (item->list != i->lists)
			delete_item(i, item);
	}
	return 0;
}

static void list_failed(struct xb_informer *i, const struct xb_status *status)
{
	drop_list(i);
	wait_then_next(i, status);
}

static void on_list(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct xb_informer *i = arg;
	_cleanup_free_ char *next = NULL, *version = NULL;
	_cleanup_status_ struct xb_status fault = {};
	int r;

	i->call = NULL;
	if (code == 410 && i->continue_) {
		drop_list(i);
		i->unpaged = true;
		next_step(i);
		return;
	}
	if (code < 200 || code > 299) {
		list_failed(i, status);
		return;
	}
	r = take_page(i, body, &next, &version);
	if (r >= 0 && next && *next) {
		free(i->continue_);
		i->continue_ = TAKE_PTR(next);
		next_step(i);
		return;
	}
	if (r >= 0)
		r = replace(i);
	if (r < 0) {
		errno = -r;
		xb_status_set(&fault, 0, "", "the list cannot be used: %m");
		list_failed(i, &fault);
		return;
	}
	heard(i);
	drop_list(i);
	i->version = TAKE_PTR(version);
	i->unpaged = false;
	i->stats.lists++;
	if (!i->synced) {
		i->synced = true;
		if (i->c.synced)
			i->c.synced(i->c.arg);
	}
	next_step(i);
}

/* --- watch --- */
static void seen_version(struct xb_informer *i, struct xb_sv version)
{
	char *copy;

	if (!version.n || version_number(version) < version_number(xb_sv(i->version)))
		return;
	copy = xb_sv_dup(version);
	if (!copy)
		return; /* resuming from an older one costs repeated events only */
	free(i->version);
	i->version = copy;
}

static int take_object(struct xb_informer *i, struct xb_jv object, bool deleted)
{
	_cleanup_(xb_json_unrefp) struct xb_json *own = NULL;
	_cleanup_buf_ struct xb_buf key = {};
	struct item *it;
	uint64_t version = version_number(version_text(object));
	int r = key_of(object, &key);

	if (r < 0)
		return r;
	it = xb_map_get(i->items, xb_buf_sv(&key));
	/* A deletion may carry the object's last version; any other event that is not newer is a repetition. */
	if (!it ? deleted : version && it->version && (deleted ? version < it->version : version <= it->version))
		return 0;
	if (deleted) {
		delete_item(i, it);
		return 0;
	}
	r = own_document(i, object, &own);
	if (r < 0)
		return r;
	if (!it)
		return add_item(i, xb_buf_sv(&key), xb_json_root(own));
	return change_item(i, it, xb_json_root(own));
}

/* May be resumed: the server or the way to it is out of order. Other answers say that the version is of no use there. */
static bool passing(int code)
{
	return code < 300 || code == 429 || code == 500 || code == 502 || code == 503;
}

/* streamed: the server had taken the watch. Waiting long for a refusal, or for a connection, is no sign of health. */
static void watch_ended(struct xb_informer *i, bool streamed, int code, const struct xb_status *why)
{
	i->call = NULL;
	if (!passing(code))
		forget_version(i);
	if (streamed && xb_time_ms() - i->watch_began >= WORTH_HAVING * i->backoff.min_ms) {
		xb_backoff_reset(&i->backoff);
		next_step(i);
	} else {
		wait_then_next(i, why);
	}
}

static void watch_broken(struct xb_informer *i, int code, const char *message)
{
	_cleanup_status_ struct xb_status status = {};

	xb_rest_cancel(i->call);
	xb_status_set(&status, code, "", "%s", message);
	watch_ended(i, true, code, &status);
}

static void on_event(void *arg, struct xb_sv line)
{
	struct xb_informer *i = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv type, object;
	int64_t code = 500;

	if (xb_json_parse(line, &limits, &doc, NULL) < 0) {
		watch_broken(i, 410, "an event could not be read");
		return;
	}
	type = xb_jv_get(xb_json_root(doc), "type");
	object = xb_jv_get(xb_json_root(doc), "object");
	if (xb_jv_streq(type, XB_SV("ERROR"))) {
		_cleanup_free_ char *message = xb_jv_dup(xb_jv_get(object, "message"));

		xb_jv_i64(xb_jv_get(object, "code"), &code);
		watch_broken(i, (int)code, message ? message : "the server sent an error");
		return;
	}
	heard(i);
	i->stats.events++;
	if (!xb_jv_streq(type, XB_SV("BOOKMARK")) && take_object(i, object, xb_jv_streq(type, XB_SV("DELETED"))) < 0) {
		watch_broken(i, 410, "an event could not be used");
		return;
	}
	seen_version(i, version_text(object));
}

static void on_watch_end(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	watch_ended(arg, code >= 200 && code < 300, code, status);
}

/* --- what to ask next --- */
static void path_of(const struct xb_informer *i, bool watch, unsigned seconds, struct xb_buf *out)
{
	char number[16];

	xb_buf_adds(out, i->path);
	if (i->label_selector)
		xb_rest_add_query(out, "labelSelector", xb_sv(i->label_selector));
	if (i->field_selector)
		xb_rest_add_query(out, "fieldSelector", xb_sv(i->field_selector));
	if (watch) {
		snprintf(number, sizeof(number), "%u", seconds);
		xb_rest_add_query(out, "watch", XB_SV("true"));
		xb_rest_add_query(out, "allowWatchBookmarks", XB_SV("true"));
		xb_rest_add_query(out, "resourceVersion", xb_sv(i->version));
		xb_rest_add_query(out, "timeoutSeconds", xb_sv(number));
		return;
	}
	if (!i->unpaged)
		xb_rest_add_query(out, "limit", XB_SV(PAGE_LIMIT));
	if (i->continue_)
		xb_rest_add_query(out, "continue", xb_sv(i->continue_));
}

static void next_step(struct xb_informer *i)
{
	_cleanup_status_ struct xb_status fault = {};
	_cleanup_buf_ struct xb_buf path = {};
	bool watch = i->version != NULL;
	unsigned seconds = xb_backoff_between(WATCH_MIN_S, WATCH_MAX_S);
	struct xb_rest_request q = { .method = "GET" };
	int r;

	path_of(i, watch, seconds, &path);
	q.path = path.p;
	r = path.err;
	if (!r && watch) {
		q.timeout_ms = (seconds + WATCH_GRACE_S) * 1000;
		i->watch_began = xb_time_ms();
		i->stats.watches++;
		r = xb_rest_stream(i->c.rest, &q, on_event, on_watch_end, i, &i->call);
	} else if (!r) {
		r = xb_rest_send(i->c.rest, &q, on_list, i, &i->call);
	}
	if (!r)
		return;
	drop_list(i);
	errno = -r;
	xb_status_set(&fault, 0, "", "cannot ask the server: %m");
	wait_then_next(i, &fault);
}

/* --- the informer --- */
static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void free_all(struct xb_informer *i)
{
	drop_list(i);
	for (struct xb_map_it it = {}; i->items && xb_map_next(i->items, &it);) {
		struct item *item = it.value;

		release(i, item->object);
		unindex_item(item);
		free(item);
	}
	xb_map_free(i->items);
	indexes_free(i->indexes);
	free(i->path);
	free(i->label_selector);
	free(i->field_selector);
	free(i->version);
}

struct xb_informer *xb_informer_free(struct xb_informer *i)
{
	if (!i)
		return NULL;
	xb_rest_cancel(i->call);
	free_all(i);
	uv_close((uv_handle_t *)&i->timer, timer_closed);
	return NULL;
}

static int dup_or_null(const char *s, char **ret)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

int xb_informer_new(const struct xb_informer_config *c, struct xb_informer **ret)
{
	struct xb_informer *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	i->c = *c;
	i->backoff = (struct xb_backoff){ .min_ms = c->backoff_min_ms ? c->backoff_min_ms : 800,
					  .max_ms = c->backoff_max_ms ? c->backoff_max_ms : 30000 };
	i->items = xb_map_new(XB_MAP_BORROW);
	if (!i->items || dup_or_null(c->path, &i->path) < 0 || dup_or_null(c->label_selector, &i->label_selector) < 0 ||
	    dup_or_null(c->field_selector, &i->field_selector) < 0) {
		free_all(i);
		free(i);
		return -ENOMEM;
	}
	uv_timer_init(xb_rest_loop(c->rest), &i->timer);
	i->timer.data = i;
	uv_timer_start(&i->timer, on_timer, 0, 0);
	*ret = i;
	return 0;
}

bool xb_informer_synced(const struct xb_informer *i)
{
	return i->synced;
}

struct xb_jv xb_informer_get(const struct xb_informer *i, const char *namespace_, const char *name)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct item *it;

	xb_buf_addf(&key, "%s/%s", namespace_ ? namespace_ : "", name);
	it = key.err ? NULL : xb_map_get(i->items, xb_buf_sv(&key));
	return it ? it->object : (struct xb_jv){};
}

struct xb_index *xb_informer_index(struct xb_informer *i, xb_index_keys *keys)
{
	return index_new(&i->indexes, keys);
}

size_t xb_informer_count(const struct xb_informer *i)
{
	return xb_map_count(i->items);
}

void xb_informer_each(const struct xb_informer *i, void (*each)(void *arg, struct xb_jv object), void *arg)
{
	for (struct xb_map_it it = {}; xb_map_next(i->items, &it);)
		each(arg, ((struct item *)it.value)->object);
}

void xb_informer_stats(const struct xb_informer *i, struct xb_informer_stats *ret)
{
	*ret = i->stats;
}
