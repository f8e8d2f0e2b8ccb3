/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/backoff.h"
#include "xb/lease.h"
#include "xb/random.h"
#include "xb/time.h"
#include "xb/why.h"

#define JITTER 1.2

struct xb_lease {
	struct xb_lease_config c;
	char *identity, *collection, *path;
	struct xb_rest_call *call;
	uv_timer_t timer;               /* the next attempt */
	struct xb_json *seen;           /* the Lease as it was last; NULL: not there */
	char *holder;                   /* who was last told */
	int64_t seen_ms;                /* when it was first like that, by our clock */
	int64_t sent_ms, renewed_ms;    /* of the write under way, and of the last that succeeded: before others saw it */
	bool elected, lost, failing, read_first;
	void (*released)(void *arg);    /* it is to be given up; NULL: not */
	bool given_up;                  /* tried once */
};

static void attempt(struct xb_lease *l);
static void watch_deadline(struct xb_lease *l);
static void write_lease(struct xb_lease *l, bool create);

int xb_lease_check(const struct xb_lease_options *o, char **reterr_why)
{
	if (o->lease_ms < 1000)
		return xb_why(reterr_why, -EINVAL, "--leader-elect-lease-duration: must be at least 1s");
	if (o->retry_ms < 1)
		return xb_why(reterr_why, -EINVAL, "--leader-elect-retry-period: must be greater than zero");
	if (o->lease_ms <= o->renew_ms)
		return xb_why(reterr_why, -EINVAL, "--leader-elect-lease-duration: must be greater than --leader-elect-renew-deadline");
	if ((double)o->renew_ms <= JITTER * (double)o->retry_ms)
		return xb_why(reterr_why, -EINVAL,
			      "--leader-elect-renew-deadline: must be greater than 1.2 times --leader-elect-retry-period");
	return 0;
}

static struct xb_jv spec(const struct xb_lease *l, const char *field)
{
	return l->seen ? xb_jv_path(xb_json_root(l->seen), "spec", field) : (struct xb_jv){};
}

static bool is_ours(const struct xb_lease *l)
{
	return xb_jv_streq(spec(l, "holderIdentity"), xb_sv(l->identity));
}

static bool is_held_by_another(const struct xb_lease *l)
{
	return !is_ours(l) && xb_jv_text(spec(l, "holderIdentity")).n && xb_time_ms() < l->seen_ms + l->c.options->lease_ms;
}

/* The clock counts from when the Lease was first seen as it is: other hosts' clocks are not believed. */
static int see(struct xb_lease *l, struct xb_sv body)
{
	struct xb_json *now = NULL;
	int r = xb_json_parse(body, NULL, &now, NULL);

	if (r)
		return r;
	if (!l->seen || !xb_sv_eq(xb_jv_text(xb_jv_path(xb_json_root(l->seen), "metadata", "resourceVersion")),
				  xb_jv_text(xb_jv_path(xb_json_root(now), "metadata", "resourceVersion"))))
		l->seen_ms = xb_time_ms();
	xb_json_unref(l->seen);
	l->seen = now;
	return 0;
}

static void tell(struct xb_lease *l, const char *leader, const char *why)
{
	if (l->c.waiting)
		l->c.waiting(l->c.arg, leader, why);
}

static void lose(struct xb_lease *l)
{
	l->lost = true;
	l->c.lost(l->c.arg);
}

static int64_t left_ms(const struct xb_lease *l)
{
	return MAX(l->renewed_ms + l->c.options->renew_ms - xb_time_ms(), 0);
}

/* A process that stood still for long finds its time over before it looks at anything else. */
static bool may_send(void *arg)
{
	const struct xb_lease *l = arg;

	return !l->elected || (!l->lost && left_ms(l));
}

static void on_timer(uv_timer_t *t)
{
	struct xb_lease *l = t->data;

	if (l->elected && !left_ms(l))
		lose(l);
	else if (l->call)
		watch_deadline(l);
	else
		attempt(l);
}

/* Also while an answer is awaited. */
static void watch_deadline(struct xb_lease *l)
{
	uv_timer_start(&l->timer, on_timer, (uint64_t)left_ms(l) + 1, 0);
}

static void answered(struct xb_lease *l)
{
	l->call = NULL;
	uv_timer_stop(&l->timer);
}

static void give_up(struct xb_lease *l)
{
	if (l->given_up || !is_ours(l)) {
		l->released(l->c.arg);
		return;
	}
	l->given_up = true;
	write_lease(l, false);
}

/* A leader renews in time with its period; who waits draws its time, so that those who wait do not come in step. */
static void again(struct xb_lease *l)
{
	int64_t ms = l->c.options->retry_ms;

	if (l->released) {
		give_up(l);
		return;
	}
	ms = l->elected ? MIN(ms, left_ms(l)) : xb_backoff_between((unsigned)ms, (unsigned)((double)ms * (1 + JITTER)));
	uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
}

static void failed(struct xb_lease *l, const char *why)
{
	l->read_first = true;
	if (!l->failing)
		tell(l, NULL, why);
	l->failing = true;
	again(l);
}

static void wait_for_another(struct xb_lease *l)
{
	_cleanup_free_ char *holder = xb_jv_dup(spec(l, "holderIdentity"));

	if (holder && (!l->holder || strcmp(holder, l->holder))) {
		tell(l, holder, NULL);
		free(l->holder);
		l->holder = TAKE_PTR(holder);
	}
	if (l->elected)
		lose(l);
	else
		again(l);
}

static void on_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct xb_lease *l = arg;

	answered(l);
	if (code < 200 || code > 299 || see(l, body) < 0) {
		failed(l, status && status->message ? status->message : "the Lease cannot be read");
		return;
	}
	l->failing = false;
	l->renewed_ms = l->sent_ms;
	if (!l->elected && !l->released && left_ms(l)) {
		l->elected = true;
		l->c.elected(l->c.arg, xb_json_root(l->seen));
	}
	again(l);
}

static void on_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct xb_lease *l = arg;

	answered(l);
	l->read_first = false;
	if (l->released) {
		give_up(l);
	} else if (code == 404) {
		l->seen = xb_json_unref(l->seen);
		write_lease(l, true);
	} else if (code < 200 || code > 299 || see(l, body) < 0) {
		failed(l, status && status->message ? status->message : "the Lease cannot be read");
	} else if (is_held_by_another(l)) {
		l->failing = false;
		wait_for_another(l);
	} else {
		write_lease(l, false);
	}
}

static void render(const struct xb_lease *l, struct xb_buf *out)
{
	struct xb_time_text now = xb_time_format_micro(xb_time_now());
	bool ours = is_ours(l), take = !ours || l->released;
	struct xb_jv acquired = spec(l, "acquireTime");
	struct xb_jw w = XB_JW(out);
	int64_t transitions = 0;

	xb_jv_i64(spec(l, "leaseTransitions"), &transitions);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "apiVersion", "coordination.k8s.io/v1");
	xb_jw_kstr(&w, "kind", "Lease");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", l->c.options->name);
	xb_jw_kstr(&w, "namespace", l->c.options->namespace_);
	if (l->seen)
		xb_jw_ksv(&w, "resourceVersion", xb_jv_text(xb_jv_path(xb_json_root(l->seen), "metadata", "resourceVersion")));
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	if (!l->released)
		xb_jw_kstr(&w, "holderIdentity", l->identity);
	xb_jw_kint(&w, "leaseDurationSeconds", l->released ? 1 : l->c.options->lease_ms / 1000);
	xb_jw_ksv(&w, "acquireTime", take || !xb_jv_text(acquired).n ? xb_sv(now.s) : xb_jv_text(acquired));
	xb_jw_kstr(&w, "renewTime", now.s);
	xb_jw_kint(&w, "leaseTransitions", transitions + (l->seen && !ours));
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}

/* An answer that comes when the time is over is no renewal. */
static void ask(struct xb_lease *l, const struct xb_rest_request *q, xb_rest_done done)
{
	struct xb_rest_request timed = *q;
	int r;

	timed.timeout_ms = (unsigned)l->c.options->renew_ms;
	if (l->elected)
		watch_deadline(l);
	r = xb_rest_send(l->c.rest, &timed, done, l, &l->call);
	if (r)
		failed(l, strerror(-r));
}

static void write_lease(struct xb_lease *l, bool create)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_rest_request q = {
		.method = create ? "POST" : "PUT",
		.path = create ? l->collection : l->path,
		.content_type = "application/json",
	};

	l->sent_ms = xb_time_ms();
	render(l, &body);
	q.body = xb_buf_sv(&body);
	if (body.err)
		failed(l, strerror(ENOMEM));
	else
		ask(l, &q, on_written);
}

/* A leader need not read what nobody else may have changed: a conflict tells it to. */
static void attempt(struct xb_lease *l)
{
	struct xb_rest_request q = { .method = "GET", .path = l->path };

	if (l->elected && !l->read_first && is_ours(l))
		write_lease(l, false);
	else
		ask(l, &q, on_read);
}

const char *xb_lease_identity(const struct xb_lease *l)
{
	return l->identity;
}

bool xb_lease_held(const struct xb_lease *l)
{
	return l->elected && !l->lost;
}

/* A renewal that is under way is waited for: the Lease would be another one than the one given up. */
void xb_lease_release(struct xb_lease *l, void (*released)(void *arg))
{
	l->released = released;
	if (l->call)
		return;
	uv_timer_stop(&l->timer);
	give_up(l);
}

static int name(struct xb_lease *l)
{
	const struct xb_lease_options *o = l->c.options;
	char host[256] = "", uuid[37];

	gethostname(host, sizeof(host) - 1);
	xb_uuid(uuid);
	if (asprintf(&l->identity, "%s_%s", host, uuid) < 0 ||
	    asprintf(&l->collection, "/apis/coordination.k8s.io/v1/namespaces/%s/leases", o->namespace_) < 0 ||
	    asprintf(&l->path, "%s/%s", l->collection, o->name) < 0)
		return -ENOMEM;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

struct xb_lease *xb_lease_free(struct xb_lease *l)
{
	if (!l)
		return NULL;
	xb_rest_fence(l->c.rest, NULL, NULL);
	xb_rest_cancel(l->call);
	xb_json_unref(l->seen);
	free(l->identity);
	free(l->collection);
	free(l->path);
	free(l->holder);
	uv_close((uv_handle_t *)&l->timer, on_closed);
	return NULL;
}

int xb_lease_new(const struct xb_lease_config *c, struct xb_lease **ret)
{
	_cleanup_(xb_lease_freep) struct xb_lease *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->c = *c;
	uv_timer_init(xb_rest_loop(c->rest), &l->timer);
	l->timer.data = l;
	r = name(l);
	if (r)
		return r;
	xb_rest_fence(c->rest, may_send, l);
	uv_timer_start(&l->timer, on_timer, 0, 0);
	*ret = TAKE_PTR(l);
	return 0;
}
