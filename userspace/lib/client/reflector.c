/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/reflector.h"
#include "xb/backoff.h"
#include "xb/log.h"
#include "xb/time.h"

#define PAGE_LIMIT    "500"
#define WATCH_MIN_S   300
#define WATCH_MAX_S   600
#define WATCH_GRACE_S 30    /* for a server that does not end a watch when it said it would */
#define LACKING_MS    300000
#define WORTH_HAVING  6     /* a watch that lived so many times the least back-off: the next one starts at once */

struct xb_reflector {
	struct xb_reflector_config c;
	char *path, *label_selector, *field_selector;
	struct xb_rest_call *call;
	uv_timer_t timer;
	struct xb_backoff backoff;
	char *continue_, *version;        /* of the list under way; where the next watch begins, NULL: list first */
	bool listing;                     /* some of a list was told */
	bool unpaged;                     /* a page came too late for its version: ask for all at once */
	bool troubled;
	int64_t watch_began;
	struct xb_reflector_stats stats;
};

static void next_step(struct xb_reflector *f);

static const struct xb_json_limits limits = { .max_bytes = 1 << 28 };

static uint64_t version_number(struct xb_sv text)
{
	uint64_t v;

	return xb_sv_u64(text, &v) < 0 ? 0 : v;
}

/* --- faults --- */
static void drop_list(struct xb_reflector *f)
{
	free(TAKE_PTR(f->continue_));
	if (f->listing)
		f->c.list_end(f->c.arg, false);
	f->listing = false;
}

static void on_timer(uv_timer_t *t)
{
	next_step(t->data);
}

static void heard(struct xb_reflector *f)
{
	f->stats.last_contact_ms = xb_time_ms();
	if (f->troubled && f->c.trouble)
		f->c.trouble(f->c.arg, f->path, NULL);
	f->troubled = false;
}

/* A watch that the server merely ended has no message: that is no trouble. */
static void wait_then_next(struct xb_reflector *f, const struct xb_status *why)
{
	unsigned ms = xb_backoff_next(&f->backoff);

	ms = MAX(ms, why->retry_after * 1000U);
	f->stats.faults++;
	log_debug("%s: %s; again in %u ms", f->path, why->message ? why->message : "the watch ended early", ms);
	if (why->message && !f->troubled) {
		f->troubled = true;
		if (f->c.trouble)
			f->c.trouble(f->c.arg, f->path, why->message);
	}
	uv_timer_start(&f->timer, on_timer, ms, 0);
}

static void forget_version(struct xb_reflector *f)
{
	free(TAKE_PTR(f->version));
}

/* --- list --- */
static int take_page(struct xb_reflector *f, struct xb_sv body, char **ret_continue, char **ret_version)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv root, meta;
	int r = xb_json_parse(body, &limits, &doc, NULL);

	if (r < 0)
		return r;
	f->listing = true;
	root = xb_json_root(doc);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(root, "items")); !r && xb_jit_next(&it);)
		r = f->c.listed(f->c.arg, it.value);
	if (r < 0)
		return r;
	meta = xb_jv_get(root, "metadata");
	if (!xb_jv_text(xb_jv_get(meta, "resourceVersion")).n)
		return -EBADMSG;
	*ret_continue = xb_jv_dup(xb_jv_get(meta, "continue"));
	*ret_version = xb_jv_dup(xb_jv_get(meta, "resourceVersion"));
	return *ret_version ? 0 : -ENOMEM;
}

static int list_is_whole(struct xb_reflector *f, char *version)
{
	free(f->version);
	f->version = version;
	f->unpaged = false;
	f->listing = false;
	free(TAKE_PTR(f->continue_));
	f->stats.lists++;
	return f->c.list_end(f->c.arg, true);
}

static void list_failed(struct xb_reflector *f, const struct xb_status *status)
{
	drop_list(f);
	wait_then_next(f, status);
}

/* There is no such collection, so nothing of it either. */
static void list_is_lacking(struct xb_reflector *f)
{
	_cleanup_status_ struct xb_status fault = {};

	drop_list(f);
	if (list_is_whole(f, NULL) < 0) {
		xb_status_set(&fault, 0, "", "without memory for the change");
		list_failed(f, &fault);
		return;
	}
	heard(f);
	log_debug("%s: not served, or not to us", f->path);
	uv_timer_start(&f->timer, on_timer, LACKING_MS, 0);
}

static void on_list(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct xb_reflector *f = arg;
	_cleanup_free_ char *next = NULL, *version = NULL;
	_cleanup_status_ struct xb_status fault = {};
	int r;

	f->call = NULL;
	if (code == 410 && f->continue_) {
		drop_list(f);
		f->unpaged = true;
		next_step(f);
		return;
	}
	if (f->c.may_lack && (code == 403 || code == 404)) {
		list_is_lacking(f);
		return;
	}
	if (code < 200 || code > 299) {
		list_failed(f, status);
		return;
	}
	r = take_page(f, body, &next, &version);
	if (r >= 0 && next && *next) {
		free(f->continue_);
		f->continue_ = TAKE_PTR(next);
		next_step(f);
		return;
	}
	if (r >= 0)
		r = list_is_whole(f, TAKE_PTR(version));
	if (r < 0) {
		forget_version(f);
		errno = -r;
		xb_status_set(&fault, 0, "", "the list cannot be used: %m");
		list_failed(f, &fault);
		return;
	}
	heard(f);
	next_step(f);
}

/* --- watch --- */
static void seen_version(struct xb_reflector *f, struct xb_sv version)
{
	char *copy;

	if (!version.n || version_number(version) < version_number(xb_sv(f->version)))
		return;
	copy = xb_sv_dup(version);
	if (!copy)
		return; /* resuming from an older one costs repeated events only */
	free(f->version);
	f->version = copy;
}

/* May be resumed: the server or the way to it is out of order. Other answers say that the version is of no use there. */
static bool passing(int code)
{
	return code < 300 || code == 429 || code == 500 || code == 502 || code == 503;
}

/* streamed: the server had taken the watch. Waiting long for a refusal, or for a connection, is no sign of health. A server that
 * dies now and then, but serves in between, is not waited for longer each time. */
static void watch_ended(struct xb_reflector *f, bool streamed, int code, const struct xb_status *why)
{
	int64_t lived = streamed ? xb_time_ms() - f->watch_began : 0;

	f->call = NULL;
	if (!passing(code))
		forget_version(f);
	if (lived >= f->backoff.min_ms)
		xb_backoff_reset(&f->backoff);
	if (lived >= WORTH_HAVING * f->backoff.min_ms)
		next_step(f);
	else
		wait_then_next(f, why);
}

static void watch_broken(struct xb_reflector *f, int code, const char *message)
{
	_cleanup_status_ struct xb_status status = {};

	xb_rest_cancel(f->call);
	xb_status_set(&status, code, "", "%s", message);
	watch_ended(f, true, code, &status);
}

static void on_event(void *arg, struct xb_sv line)
{
	struct xb_reflector *f = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv type, object;
	int64_t code = 500;

	if (xb_json_parse(line, &limits, &doc, NULL) < 0) {
		watch_broken(f, 410, "an event could not be read");
		return;
	}
	type = xb_jv_get(xb_json_root(doc), "type");
	object = xb_jv_get(xb_json_root(doc), "object");
	if (xb_jv_streq(type, XB_SV("ERROR"))) {
		_cleanup_free_ char *message = xb_jv_dup(xb_jv_get(object, "message"));

		xb_jv_i64(xb_jv_get(object, "code"), &code);
		watch_broken(f, (int)code, message ? message : "the server sent an error");
		return;
	}
	heard(f);
	f->stats.events++;
	if (!xb_jv_streq(type, XB_SV("BOOKMARK")) && f->c.event(f->c.arg, object, xb_jv_streq(type, XB_SV("DELETED"))) < 0) {
		watch_broken(f, 410, "an event could not be used");
		return;
	}
	seen_version(f, xb_jv_text(xb_jv_path(object, "metadata", "resourceVersion")));
}

static void on_watch_end(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	watch_ended(arg, code >= 200 && code < 300, code, status);
}

/* --- what to ask next --- */
static void path_of(const struct xb_reflector *f, bool watch, unsigned seconds, struct xb_buf *out)
{
	char number[16];

	xb_buf_adds(out, f->path);
	if (f->label_selector)
		xb_rest_add_query(out, "labelSelector", xb_sv(f->label_selector));
	if (f->field_selector)
		xb_rest_add_query(out, "fieldSelector", xb_sv(f->field_selector));
	if (watch) {
		snprintf(number, sizeof(number), "%u", seconds);
		xb_rest_add_query(out, "watch", XB_SV("true"));
		xb_rest_add_query(out, "allowWatchBookmarks", XB_SV("true"));
		xb_rest_add_query(out, "resourceVersion", xb_sv(f->version));
		xb_rest_add_query(out, "timeoutSeconds", xb_sv(number));
		return;
	}
	if (!f->unpaged)
		xb_rest_add_query(out, "limit", XB_SV(PAGE_LIMIT));
	if (f->continue_)
		xb_rest_add_query(out, "continue", xb_sv(f->continue_));
}

static void next_step(struct xb_reflector *f)
{
	_cleanup_status_ struct xb_status fault = {};
	_cleanup_buf_ struct xb_buf path = {};
	bool watch = f->version != NULL;
	unsigned seconds = xb_backoff_between(WATCH_MIN_S, WATCH_MAX_S);
	struct xb_rest_request q = { .method = "GET", .accept = f->c.accept };
	int r;

	path_of(f, watch, seconds, &path);
	q.path = path.p;
	r = path.err;
	if (!r && watch) {
		q.timeout_ms = (seconds + WATCH_GRACE_S) * 1000;
		f->watch_began = xb_time_ms();
		f->stats.watches++;
		r = xb_rest_stream(f->c.rest, &q, on_event, on_watch_end, f, &f->call);
	} else if (!r) {
		r = xb_rest_send(f->c.rest, &q, on_list, f, &f->call);
	}
	if (!r)
		return;
	drop_list(f);
	errno = -r;
	xb_status_set(&fault, 0, "", "cannot ask the server: %m");
	wait_then_next(f, &fault);
}

/* --- the reflector --- */
static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void free_all(struct xb_reflector *f)
{
	free(f->continue_);
	free(f->path);
	free(f->label_selector);
	free(f->field_selector);
	free(f->version);
}

struct xb_reflector *xb_reflector_free(struct xb_reflector *f)
{
	if (!f)
		return NULL;
	xb_rest_cancel(f->call);
	free_all(f);
	uv_close((uv_handle_t *)&f->timer, timer_closed);
	return NULL;
}

static int dup_or_null(const char *s, char **ret)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

int xb_reflector_new(const struct xb_reflector_config *c, struct xb_reflector **ret)
{
	struct xb_reflector *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->c = *c;
	f->backoff = (struct xb_backoff){ .min_ms = c->backoff_min_ms ? c->backoff_min_ms : 800,
					  .max_ms = c->backoff_max_ms ? c->backoff_max_ms : 30000 };
	if (dup_or_null(c->path, &f->path) < 0 || dup_or_null(c->label_selector, &f->label_selector) < 0 ||
	    dup_or_null(c->field_selector, &f->field_selector) < 0) {
		free_all(f);
		free(f);
		return -ENOMEM;
	}
	uv_timer_init(xb_rest_loop(c->rest), &f->timer);
	f->timer.data = f;
	uv_timer_start(&f->timer, on_timer, 0, 0);
	*ret = f;
	return 0;
}

uint64_t xb_reflector_version(const struct xb_reflector *f)
{
	return f->version ? version_number(xb_sv(f->version)) : 0;
}

void xb_reflector_stats(const struct xb_reflector *f, struct xb_reflector_stats *ret)
{
	*ret = f->stats;
}
