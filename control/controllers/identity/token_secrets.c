/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Secrets that keep a token of a service account (upstream's tokens_controller.go): they go with their account, and have the
 * cluster's CA and their namespace. Tokens are the API server's to sign: it does when such a Secret is written and its account
 * is there, so one that lacks its token is written once more.
 */
#include <openssl/evp.h>
#include "../loops.h"
#include "../work.h"
#include "xb/work_queue.h"

#define TYPE "kubernetes.io/service-account-token"
#define NAME "kubernetes.io/service-account.name"
#define UID  "kubernetes.io/service-account.uid"

struct token_secrets {
	struct kcm *kcm;
	const struct xb_kind *kind, *account_kind;
	struct xb_informer *secrets, *accounts;         /* secrets: of that type only */
	struct xb_index *by_account, *by_reference;     /* "namespace/name" of the account; of a secret that an account names */
	struct xb_buf ca;                               /* base64, "" without one */
	struct kcm_queue *queue;                        /* of secrets */
};

static struct xb_jv note(struct xb_jv secret, const char *name)
{
	return xb_jv_path(secret, "metadata", "annotations", name);
}

static void add_pair(struct xb_index_entry *e, struct xb_sv namespace_, struct xb_sv name)
{
	_cleanup_buf_ struct xb_buf key = {};

	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(namespace_), XB_SV_ARG(name));
	if (name.n)
		xb_index_add(e, xb_buf_sv(&key));
}

static void by_account(struct xb_jv secret, struct xb_index_entry *e)
{
	add_pair(e, xb_jv_meta(secret, "namespace"), xb_jv_text(note(secret, NAME)));
}

static void by_reference(struct xb_jv account, struct xb_index_entry *e)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(account, "secrets")); xb_jit_next(&it);)
		add_pair(e, xb_jv_meta(account, "namespace"), xb_jv_text(xb_jv_get(it.value, "name")));
}

static bool is_account_of(struct xb_jv account, struct xb_jv secret)
{
	struct xb_sv uid = xb_jv_text(note(secret, UID));

	return xb_jv_is(account) && (!uid.n || xb_sv_eq(uid, xb_jv_meta(account, "uid")));
}

static int on_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	int r = xb_calls_error(code, status);

	/* gone, or another one: the watch tells */
	return r == -ENOENT ? 0 : r;
}

/* --- an account that is gone --- */
static int on_account_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct kcm_work *w = arg;
	const struct token_secrets *l = w->loop;
	struct xb_jv secret = *(struct xb_jv *)w->state;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf options = {};
	struct kcm_request q = { .method = "DELETE", .kind = l->kind, .name = w->name, .type = KCM_JSON };
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	if (!r && code != 404)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r || (doc && is_account_of(xb_json_root(doc), secret)))
		return r;
	xb_buf_addf(&options, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\"}}", XB_SV_ARG(xb_jv_meta(secret, "uid")));
	q.body = xb_buf_sv(&options);
	return options.err ? options.err : kcm_work_ask(w, &q, on_written, NULL);
}

/* The copy may not show an account that was made just now: it is read first. */
static void delete(struct kcm_work *w, struct xb_jv secret, const char *account)
{
	const struct token_secrets *l = w->loop;
	struct xb_jv *held = w->state = xb_arena_alloc(w->arena, sizeof(*held));
	int r = held ? kcm_work_hold(w, secret) : -ENOMEM;

	if (r) {
		kcm_work_done(w, r);
		return;
	}
	*held = secret;
	kcm_work_round(w, kcm_work_done);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = l->account_kind, .name = account }, on_account_read, w);
	kcm_work_go(w);
}

/* --- what a secret lacks --- */
static bool lacks(const struct token_secrets *l, struct xb_jv secret)
{
	struct xb_jv entries = xb_jv_get(secret, "data");

	return !xb_jv_text(xb_jv_get(entries, "token")).n || !xb_jv_text(xb_jv_get(entries, "namespace")).n ||
	       !xb_jv_text(note(secret, UID)).n || (l->ca.n && !xb_sv_eq(xb_jv_text(xb_jv_get(entries, "ca.crt")), xb_buf_sv(&l->ca)));
}

static int encode(struct xb_sv bytes, struct xb_buf *out)
{
	if (xb_buf_reserve(out, (bytes.n + 2) / 3 * 4 + 1))
		return -ENOMEM;
	out->n += (size_t)EVP_EncodeBlock((unsigned char *)out->p + out->n, (const unsigned char *)bytes.p, (int)bytes.n);
	return 0;
}

static int write_filled(const struct token_secrets *l, struct xb_jv account, struct xb_jv secret, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	_cleanup_buf_ struct xb_buf namespace_ = {};
	int r = encode(xb_jv_meta(secret, "namespace"), &namespace_);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_key(&w, "annotations");
	xb_jw_object(&w);
	xb_jw_ksv(&w, UID, xb_jv_meta(account, "uid"));
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_key(&w, "data");
	xb_jw_object(&w);
	if (l->ca.n)
		xb_jw_ksv(&w, "ca.crt", xb_buf_sv(&l->ca));
	if (!xb_jv_text(xb_jv_path(secret, "data", "namespace")).n)
		xb_jw_ksv(&w, "namespace", xb_buf_sv(&namespace_));
	xb_jw_end(&w);
	xb_jw_end(&w);
	return r ? r : xb_jw_finish(&w);
}

static void fill(struct kcm_work *w, struct xb_jv account, struct xb_jv secret)
{
	const struct token_secrets *l = w->loop;
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = { .method = "PUT", .kind = l->kind, .name = w->name, .type = KCM_JSON, .of = secret };
	int r = write_filled(l, account, secret, &patch);

	if (r) {
		kcm_work_done(w, r);
		return;
	}
	q.body = xb_buf_sv(&patch);
	kcm_work_round(w, kcm_work_done);
	kcm_work_ask(w, &q, on_written, NULL);
	kcm_work_go(w);
}

/* --- a secret that is gone --- */
static int ask_without(struct kcm_work *w, struct xb_jv account)
{
	const struct token_secrets *l = w->loop;
	_cleanup_free_ char *name = xb_sv_dup(xb_jv_meta(account, "name"));
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = { .method = "PUT", .kind = l->account_kind, .name = name, .type = KCM_JSON, .of = account };
	struct xb_jw j = XB_JW(&patch);

	xb_jw_object(&j);
	xb_jw_key(&j, "secrets");
	xb_jw_array(&j);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(account, "secrets")); xb_jit_next(&it);)
		if (!xb_jv_streq(xb_jv_get(it.value, "name"), xb_sv(w->name)))
			xb_jw_raw(&j, xb_jv_bytes(it.value));
	xb_jw_end(&j);
	xb_jw_end(&j);
	if (!name || xb_jw_finish(&j))
		return -ENOMEM;
	q.body = xb_buf_sv(&patch);
	return kcm_work_ask(w, &q, on_written, NULL);
}

/* Nobody is told of a secret that is not there, unless it is there again. */
static int on_secret_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct kcm_work *w = arg;
	const struct token_secrets *l = w->loop;
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	for (struct xb_index_it it = {}; !r && code == 404 && xb_index_next(l->by_reference, xb_sv(w->key), &it);)
		r = ask_without(w, it.object);
	return r;
}

static void take_references(struct kcm_work *w)
{
	const struct token_secrets *l = w->loop;

	if (!xb_index_count(l->by_reference, xb_sv(w->key))) {
		kcm_work_done(w, 0);
		return;
	}
	kcm_work_round(w, kcm_work_done);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = l->kind, .name = w->name }, on_secret_read, w);
	kcm_work_go(w);
}

static void sync_secret(struct kcm_work *w)
{
	const struct token_secrets *l = w->loop;
	struct xb_jv secret = xb_informer_get(l->secrets, w->namespace_, w->name), account = {};
	const char *name = xb_arena_strn(w->arena, xb_jv_text(note(secret, NAME)));

	if (!name) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	if (*name)
		account = xb_informer_get(l->accounts, w->namespace_, name);
	if (!xb_jv_is(secret))
		take_references(w);
	else if (*name && !is_account_of(account, secret))
		delete(w, secret, name);
	else if (*name && lacks(l, secret))
		fill(w, account, secret);
	else
		kcm_work_done(w, 0);
}

/* --- what comes in --- */
static void on_secret(void *arg, struct xb_jv old, struct xb_jv secret)
{
	struct token_secrets *l = arg;

	kcm_queue_add(l->queue, xb_jv_is(secret) ? secret : old);
}

static void on_account(void *arg, struct xb_jv old, struct xb_jv account)
{
	struct token_secrets *l = arg;
	_cleanup_buf_ struct xb_buf key = {};

	if (xb_jv_is(old) && xb_jv_is(account) && xb_sv_eq(xb_jv_meta(old, "uid"), xb_jv_meta(account, "uid")))
		return;
	if (!kcm_key(xb_jv_is(account) ? account : old, &key))
		return;
	for (struct xb_index_it it = {}; xb_index_next(l->by_account, xb_buf_sv(&key), &it);)
		kcm_queue_add(l->queue, it.object);
}

void token_secrets_stop(void *loop)
{
	struct token_secrets *l = loop;

	kcm_queue_free(l->queue);
	xb_buf_done(&l->ca);
	free(l);
}

static int follow(struct token_secrets *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow_some(k->cache, l->kind, "type=" TYPE, on_secret, l, &l->secrets);

	if (r)
		return r;
	l->by_account = xb_informer_index(l->secrets, by_account);
	l->by_reference = kcm_index(k, l->account_kind, by_reference);
	l->accounts = xb_cache_of(k->cache, l->account_kind);
	return l->by_account && l->by_reference && l->accounts ? xb_cache_follow(k->cache, l->account_kind, on_account, l) : -ENOMEM;
}

int token_secrets_start(struct kcm *k, void **ret)
{
	struct token_secrets *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "serviceaccount_tokens_secret", .workers = k->options->concurrent_token_syncs, .sync = sync_secret, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct token_secrets){ .kcm = k, .kind = kcm_kind("", "v1", "secrets"), .account_kind = kcm_kind("", "v1", "serviceaccounts") };
	r = encode(xb_sv(k->root_ca), &l->ca);
	if (!r)
		r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = follow(l);
	if (r) {
		token_secrets_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
