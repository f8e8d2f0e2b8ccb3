/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "token.h"
#include "xb/backoff.h"
#include "xb/map.h"
#include "xb/time.h"
#include "xb/why.h"

#define DAY_MS     (24 * 3600 * INT64_C(1000))
#define JITTER_MS  10000        /* so that pods made together do not ask together */
#define RETRY_MS   60000

struct token {
	struct tokens *all;
	char *key;
	char *uid;
	char *text;                     /* NULL: none yet */
	char *failed;                   /* why the last request came to nothing */
	struct xb_rest_call *call;
	int64_t seconds;                /* asked for */
	int64_t refresh_ms, expires_ms; /* monotonic */
	bool told;                      /* that it is old */
};

struct tokens {
	struct tokens_config c;
	struct xb_map *tokens;          /* key -> struct token */
	uv_timer_t timer;
};

static void token_free(struct token *k)
{
	xb_rest_cancel(k->call);
	if (k->text)
		explicit_bzero(k->text, strlen(k->text));
	free(k->text);
	free(k->failed);
	free(k->uid);
	free(k->key);
	free(k);
}

/* --- when the next one is old --- */

static void on_timer(uv_timer_t *timer);

static void plan_timer(struct tokens *t)
{
	int64_t next = INT64_MAX, now = xb_time_ms();

	for (struct xb_map_it it = {}; xb_map_next(t->tokens, &it);) {
		const struct token *k = it.value;

		if (k->text && !k->call && !k->told)
			next = MIN(next, k->refresh_ms);
	}
	if (next == INT64_MAX)
		uv_timer_stop(&t->timer);
	else
		uv_timer_start(&t->timer, on_timer, MAX(next - now, 1), 0);
}

/* What is told may forget tokens, and so end the walk. */
static void on_timer(uv_timer_t *timer)
{
	struct tokens *t = timer->data;
	int64_t now = xb_time_ms();
	bool again = true;

	uv_update_time(timer->loop);
	while (again) {
		again = false;
		for (struct xb_map_it it = {}; !again && xb_map_next(t->tokens, &it);) {
			struct token *k = it.value;

			if (!k->text || k->call || k->told || k->refresh_ms > now)
				continue;
			k->told = again = true;
			t->c.old(t->c.arg, k->uid);
		}
	}
	plan_timer(t);
}

/* --- asking --- */

static int read_answer(struct token *k, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int64_t now = xb_time_ms(), seconds = k->seconds;
	char *text;
	int r = xb_json_parse(body, NULL, &doc, NULL);

	if (r)
		return r;
	text = xb_jv_dup(xb_jv_path(xb_json_root(doc), "status", "token"));
	if (!text || !*text) {
		free(text);
		return -EBADMSG;
	}
	xb_jv_i64(xb_jv_path(xb_json_root(doc), "spec", "expirationSeconds"), &seconds);
	seconds = MIN(MAX(seconds, 1), INT64_MAX / 2000);
	free(k->text);
	k->text = text;
	k->expires_ms = now + seconds * 1000;
	k->refresh_ms = now + MIN(seconds * 800, DAY_MS);
	if (seconds * 200 > JITTER_MS)
		k->refresh_ms -= xb_backoff_between(0, JITTER_MS);
	return 0;
}

static void on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct token *k = arg;
	struct tokens *t = k->all;

	k->call = NULL;
	k->refresh_ms = xb_time_ms() + RETRY_MS; /* of the old one, while that is good */
	if (code < 200 || code > 299)
		xb_why(&k->failed, 0, "failed to fetch token: %s", status->message ? status->message : "out of memory");
	else if (read_answer(k, body))
		xb_why(&k->failed, 0, "failed to fetch token: the server's answer holds none");
	k->told = false;
	plan_timer(t);
	t->c.arrived(t->c.arg, k->uid);
}

static void write_request(const struct token_request *q, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "apiVersion", "authentication.k8s.io/v1");
	xb_jw_kstr(&w, "kind", "TokenRequest");
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	xb_jw_key(&w, "audiences");
	xb_jw_array(&w);
	if (q->audience)
		xb_jw_str(&w, q->audience);
	xb_jw_end(&w);
	xb_jw_kint(&w, "expirationSeconds", q->seconds);
	xb_jw_key(&w, "boundObjectRef");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_kstr(&w, "kind", "Pod");
	xb_jw_kstr(&w, "name", q->pod);
	xb_jw_kstr(&w, "uid", q->uid);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) && !out->err)
		out->err = -ENOMEM;
}

static int ask(struct token *k, const struct token_request *q)
{
	_cleanup_buf_ struct xb_buf path = {}, body = {};
	struct xb_rest_request request = { .method = "POST", .content_type = "application/json" };

	xb_buf_addf(&path, "/api/v1/namespaces/%s/serviceaccounts/%s/token", q->namespace_, q->account);
	write_request(q, &body);
	if (path.err || body.err)
		return -ENOMEM;
	request.path = path.p;
	request.body = xb_buf_sv(&body);
	return xb_rest_send(k->all->c.rest, &request, on_answer, k, &k->call);
}

/* --- getting --- */

static int token_of(struct tokens *t, const struct token_request *q, struct token **ret)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct token *k;

	xb_buf_addf(&key, "%s/%s/%s/%lld/%s", q->uid, q->namespace_, q->account, (long long)q->seconds, q->audience ? q->audience : "");
	if (key.err)
		return -ENOMEM;
	*ret = xb_map_get(t->tokens, xb_buf_sv(&key));
	if (*ret)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	*k = (struct token){ .all = t, .key = xb_buf_steal(&key), .uid = strdup(q->uid), .seconds = q->seconds };
	if (!k->key || !k->uid || xb_map_set(t->tokens, xb_sv(k->key), k, NULL)) {
		token_free(k);
		return -ENOMEM;
	}
	*ret = k;
	return 0;
}

int tokens_get(struct tokens *t, const struct token_request *q, bool fresh, struct xb_sv *ret, char **reterr_why)
{
	struct token *k = NULL;
	int64_t now = xb_time_ms();
	int r = token_of(t, q, &k);

	if (r)
		return r;
	if (k->call)
		return -EINPROGRESS;
	if (fresh)
		free(TAKE_PTR(k->failed));
	if (k->failed && (!k->text || now >= k->expires_ms))
		return xb_why(reterr_why, -EPROTO, "%s", k->failed);
	if (!k->failed && (!k->text || now >= k->refresh_ms)) {
		r = ask(k, q);
		return r ? r : -EINPROGRESS;
	}
	*ret = xb_sv(k->text);
	return 0;
}

void tokens_forget(struct tokens *t, const char *uid)
{
	for (struct xb_map_it it = {}; xb_map_next(t->tokens, &it);) {
		struct token *k = it.value;

		if (strcmp(k->uid, uid))
			continue;
		xb_map_del(t->tokens, it.key);
		token_free(k);
	}
	plan_timer(t);
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

struct tokens *tokens_free(struct tokens *t)
{
	if (!t)
		return NULL;
	for (struct xb_map_it it = {}; xb_map_next(t->tokens, &it);)
		token_free(it.value);
	xb_map_free(t->tokens);
	uv_close((uv_handle_t *)&t->timer, timer_closed);
	return NULL;
}

int tokens_new(const struct tokens_config *c, struct tokens **ret)
{
	struct tokens *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->c = *c;
	t->tokens = xb_map_new(XB_MAP_BORROW);
	r = t->tokens ? uv_timer_init(xb_rest_loop(c->rest), &t->timer) : -ENOMEM;
	if (r) {
		xb_map_free(t->tokens);
		free(t);
		return r;
	}
	t->timer.data = t;
	*ret = t;
	return 0;
}
