/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "accounts.h"
#include "xb/backoff.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/vec.h"

#define NAMESPACE    "kube-system"
#define COLLECTION   "/api/v1/namespaces/" NAMESPACE "/serviceaccounts"
#define LIFE_SECONDS 3600               /* as upstream's */
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 30000

struct account {
	struct kcm_accounts *all;
	const char *name;
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	uv_timer_t timer;               /* runs unless a call is under way */
	struct xb_rest_call *call;
	struct xb_backoff backoff;
	bool has_token, failing;
};
struct kcm_accounts {
	struct xb_rest *rest;
	void (*changed)(void *arg);
	void *arg;
	XB_VEC(struct account *) accounts;
};

static void ask_token(struct account *a);

static void on_timer(uv_timer_t *t)
{
	ask_token(t->data);
}

static void ask_again(struct account *a, const char *why)
{
	if (!a->failing)
		log_warning("service account " NAMESPACE "/%s: %s; trying on", a->name, why);
	a->failing = true;
	uv_timer_start(&a->timer, on_timer, xb_backoff_next(&a->backoff), 0);
}

static void ask(struct account *a, const char *path, const struct xb_buf *body, xb_rest_done done)
{
	struct xb_rest_request q = { .method = "POST", .path = path, .content_type = "application/json", .body = xb_buf_sv(body) };
	int r = body->err ? body->err : xb_rest_send(a->all->rest, &q, done, a, &a->call);

	if (r)
		ask_again(a, strerror(-r));
}

/* --- the account --- */
static void on_account(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct account *a = arg;

	a->call = NULL;
	if ((code >= 200 && code < 300) || code == 409)
		ask_token(a);
	else
		ask_again(a, status->message ? status->message : "cannot be made");
}

static void make_account(struct account *a)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"" NAMESPACE "\"}}",
		    a->name);
	ask(a, COLLECTION, &body, on_account);
}

/* --- its token --- */

/* What is left of its life by the server's clock may be less than was asked for. */
static int64_t life_ms(struct xb_jv token)
{
	int64_t end;

	if (xb_time_parse(xb_jv_text(xb_jv_path(token, "status", "expirationTimestamp")), &end))
		return LIFE_SECONDS * 1000;
	return MAX((end - xb_time_now()) / 1000, RETRY_MIN_MS);
}

static int take_token(struct account *a, struct xb_sv body, int64_t *ret_life_ms)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_sv token;
	int r = xb_json_parse(body, NULL, &doc, NULL);

	if (r)
		return r;
	token = xb_jv_text(xb_jv_path(xb_json_root(doc), "status", "token"));
	r = token.n ? xb_rest_set_token(a->rest, token) : -EBADMSG;
	if (!r)
		*ret_life_ms = life_ms(xb_json_root(doc));
	return r;
}

static void on_token(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct account *a = arg;
	int64_t life;
	int r;

	a->call = NULL;
	if (code == 404) {
		make_account(a);
		return;
	}
	if (code < 200 || code > 299) {
		ask_again(a, status->message ? status->message : "no token");
		return;
	}
	r = take_token(a, body, &life);
	if (r) {
		ask_again(a, strerror(-r));
		return;
	}
	a->has_token = true;
	xb_recorder_hold(a->recorder, false);
	a->failing = false;
	xb_backoff_reset(&a->backoff);
	uv_timer_start(&a->timer, on_timer, (uint64_t)life * xb_backoff_between(70, 80) / 100, 0);
	a->all->changed(a->all->arg);
}

static void ask_token(struct account *a)
{
	_cleanup_buf_ struct xb_buf path = {}, body = {};

	xb_buf_addf(&path, COLLECTION "/%s/token", a->name);
	xb_buf_addf(&body, "{\"kind\":\"TokenRequest\",\"apiVersion\":\"authentication.k8s.io/v1\",\"spec\":{\"expirationSeconds\":%d}}", LIFE_SECONDS);
	if (path.err)
		ask_again(a, strerror(ENOMEM));
	else
		ask(a, path.p, &body, on_token);
}

/* Somebody took the account away, or the server has another key: no sooner than a failed attempt is made again. */
static void on_refused(void *arg)
{
	struct account *a = arg;

	if (a->has_token && !a->call && !a->failing)
		ask_again(a, "its token is refused");
}

/* --- all --- */
bool kcm_accounts_ready(const struct kcm_accounts *a)
{
	for (size_t i = 0; i < a->accounts.n; i++)
		if (!a->accounts.v[i]->has_token)
			return false;
	return true;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void account_free(struct account *a)
{
	xb_rest_cancel(a->call);
	xb_recorder_free(a->recorder);
	xb_rest_free(a->rest);
	uv_close((uv_handle_t *)&a->timer, on_closed);
}

static int add(struct kcm_accounts *all, const char *name, struct account **ret)
{
	_cleanup_buf_ struct xb_buf user = {};
	struct account *a;
	int r;

	xb_buf_addf(&user, "system:serviceaccount:" NAMESPACE ":%s", name);
	a = user.err ? NULL : calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct account){ .all = all, .name = name, .backoff = { .min_ms = RETRY_MIN_MS, .max_ms = RETRY_MAX_MS } };
	uv_timer_init(xb_rest_loop(all->rest), &a->timer);
	a->timer.data = a;
	r = xb_rest_as(all->rest, user.p, on_refused, a, &a->rest);
	if (!r) {
		a->recorder = xb_recorder_new(a->rest, NULL);
		r = a->recorder ? xb_vec_push(&all->accounts, a) : -ENOMEM;
	}
	if (r) {
		account_free(a);
		return r;
	}
	xb_recorder_hold(a->recorder, true);
	uv_timer_start(&a->timer, on_timer, 0, 0);
	*ret = a;
	return 0;
}

int kcm_accounts_of(struct kcm_accounts *a, const char *name, struct xb_rest **ret_rest, struct xb_recorder **ret_recorder)
{
	struct account *one = NULL;
	int r = 0;

	for (size_t i = 0; !one && i < a->accounts.n; i++)
		if (!strcmp(a->accounts.v[i]->name, name))
			one = a->accounts.v[i];
	if (!one)
		r = add(a, name, &one);
	if (r)
		return r;
	*ret_rest = one->rest;
	*ret_recorder = one->recorder;
	return 0;
}

struct kcm_accounts *kcm_accounts_free(struct kcm_accounts *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->accounts.n; i++)
		account_free(a->accounts.v[i]);
	xb_vec_done(&a->accounts);
	free(a);
	return NULL;
}

int kcm_accounts_new(struct xb_rest *rest, void (*changed)(void *arg), void *arg, struct kcm_accounts **ret)
{
	struct kcm_accounts *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	*a = (struct kcm_accounts){ .rest = rest, .changed = changed, .arg = arg };
	*ret = a;
	return 0;
}
