/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "access.h"
#include "access_cache.h"
#include "target.h"
#include "xb/log.h"
#include "xb/time.h"

#define KEPT_MAX     4096
#define TOKEN_MS     (2 * 60 * 1000)
#define ALLOWED_MS   (5 * 60 * 1000)
#define DENIED_MS    (30 * 1000)
#define REVIEW_MS    10000

struct access {
	struct access_config c;
	struct access_cache *tokens;    /* token -> members of its user, "" for an unknown one */
	struct access_cache *reviews;   /* spec of a review -> "1" or "" */
};
struct access_check {
	struct access *a;
	const char *verb, *subresources[TARGET_SUBRESOURCES];
	unsigned at;                    /* of these: the one that is asked about */
	char *token;
	char *name;                     /* of the user */
	struct xb_buf user;             /* members of a SubjectAccessReviewSpec: "user":"x","groups":[...] */
	struct xb_buf spec;
	struct xb_rest_call *call;
	bool later;                     /* access_ask has returned */
	bool over;
	access_done *done;
	void *arg;
};

static void check_free(struct access_check *k)
{
	free(k->token);
	free(k->name);
	xb_buf_done(&k->user);
	xb_buf_done(&k->spec);
	free(k);
}

static void finish(struct access_check *k, int code, const char *text)
{
	k->over = true;
	k->done(k->arg, code, text);
	if (k->later)
		check_free(k);
}

static void unauthorized(struct access_check *k)
{
	finish(k, 401, "Unauthorized");
}

/* --- may he --- */

static void forbid(struct access_check *k)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "Forbidden (user=%s, verb=%s, resource=nodes, subresource(s)=[", k->name, k->verb);
	for (unsigned i = 0; k->subresources[i]; i++)
		xb_buf_addf(&text, "%s%s", i ? " " : "", k->subresources[i]);
	xb_buf_adds(&text, "])\n");
	finish(k, 403, text.err ? "Forbidden" : text.p);
}

static void fail(struct access_check *k, const char *why)
{
	_cleanup_buf_ struct xb_buf text = {};

	log_err("cannot find out what user \"%s\" may do: %s", k->name, why);
	xb_buf_addf(&text, "Authorization error (user=%s, verb=%s, resource=nodes, subresource=%s)", k->name, k->verb, k->subresources[k->at]);
	finish(k, 500, text.err ? "Authorization error" : text.p);
}

static void authorize(struct access_check *k);

static void decide(struct access_check *k, bool allowed)
{
	if (allowed) {
		finish(k, 0, NULL);
	} else if (!k->subresources[++k->at]) {
		forbid(k);
	} else {
		authorize(k);
	}
}

static void on_reviewed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct access_check *k = arg;
	int64_t now = xb_time_ms();
	struct xb_jv answer;
	bool allowed;

	k->call = NULL;
	if (code / 100 != 2 || xb_json_parse(body, NULL, &doc, NULL)) {
		fail(k, code / 100 != 2 ? status->message : "the answer is not JSON");
		return;
	}
	answer = xb_jv_get(xb_json_root(doc), "status");
	allowed = xb_jv_true(xb_jv_get(answer, "allowed")) && !xb_jv_true(xb_jv_get(answer, "denied"));
	access_cache_put(k->a->reviews, xb_buf_sv(&k->spec), allowed ? "1" : "", now + (allowed ? ALLOWED_MS : DENIED_MS), now);
	decide(k, allowed);
}

static int write_spec(struct access_check *k)
{
	struct xb_jw w = XB_JW(&k->spec);

	xb_buf_clear(&k->spec);
	xb_buf_adds(&k->spec, "{\"resourceAttributes\":");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "verb", k->verb);
	xb_jw_kstr(&w, "version", "v1");
	xb_jw_kstr(&w, "resource", "nodes");
	xb_jw_kstr(&w, "subresource", k->subresources[k->at]);
	xb_jw_kstr(&w, "name", k->a->c.node_name);
	xb_jw_end(&w);
	xb_buf_addc(&k->spec, ',');
	xb_buf_addsv(&k->spec, xb_buf_sv(&k->user));
	xb_buf_addc(&k->spec, '}');
	return k->spec.err ? k->spec.err : xb_jw_finish(&w);
}

static int send_review(struct access_check *k, const char *path, const char *version, const char *kind, struct xb_sv spec,
		       xb_rest_done done)
{
	struct xb_rest_request q = { .method = "POST", .path = path, .content_type = "application/json", .timeout_ms = REVIEW_MS };
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addf(&body, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"spec\":%.*s}", version, kind, XB_SV_ARG(spec));
	q.body = xb_buf_sv(&body);
	return body.err ? body.err : xb_rest_send(k->a->c.rest, &q, done, k, &k->call);
}

static void authorize(struct access_check *k)
{
	const char *kept;
	int r;

	if (!k->a->c.webhook) {
		finish(k, 0, NULL);
		return;
	}
	r = write_spec(k);
	if (!r && access_cache_get(k->a->reviews, xb_buf_sv(&k->spec), xb_time_ms(), &kept)) {
		decide(k, *kept);
		return;
	}
	r = r ? r : send_review(k, "/apis/authorization.k8s.io/v1/subjectaccessreviews", "authorization.k8s.io/v1", "SubjectAccessReview",
				xb_buf_sv(&k->spec), on_reviewed);
	if (r)
		fail(k, strerror(-r));
}

/* --- who is he --- */

/* What TokenReview says of a user, as SubjectAccessReview wants it. */
static void write_user(struct xb_jv user, struct xb_buf *out)
{
	static const char *const members[][2] = { { "username", "user" }, { "groups", "groups" }, { "uid", "uid" }, { "extra", "extra" } };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct xb_jv v = xb_jv_get(user, members[i][0]);

		if (xb_jv_is(v))
			xb_buf_addf(out, "%s\"%s\":%.*s", out->n ? "," : "", members[i][1], XB_SV_ARG(xb_jv_bytes(v)));
	}
}

static void with_user(struct access_check *k, const char *members)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {};

	if (members != k->user.p)
		xb_buf_adds(&k->user, members);
	xb_buf_addf(&text, "{%s}", k->user.p ? k->user.p : "");
	if (text.err || k->user.err || xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL) ||
	    !(k->name = xb_jv_dup(xb_jv_get(xb_json_root(doc), "user"))))
		unauthorized(k);
	else
		authorize(k);
}

static void on_token_known(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf user = {};
	struct access_check *k = arg;
	int64_t now = xb_time_ms();
	struct xb_jv answer;

	k->call = NULL;
	if (code / 100 != 2 || xb_json_parse(body, NULL, &doc, NULL)) {
		log_err("Unable to authenticate the request due to an error: %s", code / 100 != 2 ? status->message : "the answer is not JSON");
		unauthorized(k);
		return;
	}
	answer = xb_jv_get(xb_json_root(doc), "status");
	if (xb_jv_true(xb_jv_get(answer, "authenticated")))
		write_user(xb_jv_get(answer, "user"), &user);
	if (user.err) {
		unauthorized(k);
		return;
	}
	access_cache_put(k->a->tokens, xb_sv(k->token), user.p ? user.p : "", now + TOKEN_MS, now);
	if (user.n)
		with_user(k, user.p);
	else
		unauthorized(k);
}

static void review_token(struct access_check *k)
{
	_cleanup_buf_ struct xb_buf spec = {};
	const char *kept;
	int r;

	if (access_cache_get(k->a->tokens, xb_sv(k->token), xb_time_ms(), &kept)) {
		if (*kept)
			with_user(k, kept);
		else
			unauthorized(k);
		return;
	}
	xb_buf_adds(&spec, "{\"token\":");
	xb_json_quote(xb_sv(k->token), &spec);
	xb_buf_addc(&spec, '}');
	r = spec.err ? spec.err : send_review(k, "/apis/authentication.k8s.io/v1/tokenreviews", "authentication.k8s.io/v1", "TokenReview",
					      xb_buf_sv(&spec), on_token_known);
	if (r)
		unauthorized(k);
}

static void write_peer(const struct xb_tls_peer *peer, struct xb_buf *out)
{
	xb_buf_adds(out, "\"user\":");
	xb_json_quote(xb_sv(peer->common_name), out);
	xb_buf_adds(out, ",\"groups\":[");
	for (char **o = peer->organizations; o && *o; o++) {
		xb_json_quote(xb_sv(*o), out);
		xb_buf_addc(out, ',');
	}
	xb_buf_adds(out, "\"system:authenticated\"]");
}

/* The token of "Bearer TOKEN"; {} for none. */
static struct xb_sv bearer(struct xb_sv header)
{
	struct xb_sv rest = xb_sv_trim(header), scheme, token = {};

	if (!xb_sv_split(&rest, ' ', &scheme) || scheme.n != 6 || strncasecmp(scheme.p, "bearer", 6))
		return token;
	xb_sv_split(&rest, ' ', &token);
	return token;
}

static void authenticate(struct access_check *k, const struct access_question *q)
{
	struct xb_sv token = k->a->c.token_webhook ? bearer(q->authorization) : (struct xb_sv){};

	if (q->peer && q->peer->common_name) {
		write_peer(q->peer, &k->user);
		with_user(k, k->user.p);
	} else if (token.n) {
		k->token = xb_sv_dup(token);
		if (k->token)
			review_token(k);
		else
			unauthorized(k);
	} else if (k->a->c.anonymous) {
		with_user(k, "\"user\":\"system:anonymous\",\"groups\":[\"system:unauthenticated\"]");
	} else {
		unauthorized(k);
	}
}

int access_ask(struct access *a, const struct access_question *q, access_done *done, void *arg, struct access_check **ret)
{
	struct access_check *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	*k = (struct access_check){ .a = a, .verb = q->verb, .done = done, .arg = arg };
	for (unsigned i = 0; i + 1 < TARGET_SUBRESOURCES && q->subresources[i]; i++)
		k->subresources[i] = q->subresources[i];
	authenticate(k, q);
	k->later = true;
	*ret = k->over ? NULL : k;
	if (k->over)
		check_free(k);
	return 0;
}

void access_cancel(struct access_check *k)
{
	if (!k)
		return;
	xb_rest_cancel(k->call);
	check_free(k);
}

struct access *access_free(struct access *a)
{
	if (!a)
		return NULL;
	access_cache_free(a->tokens);
	access_cache_free(a->reviews);
	free(a);
	return NULL;
}

int access_new(const struct access_config *c, struct access **ret)
{
	struct access *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	*a = (struct access){ .c = *c, .tokens = access_cache_new(KEPT_MAX), .reviews = access_cache_new(KEPT_MAX) };
	if (!a->tokens || !a->reviews) {
		access_free(a);
		return -ENOMEM;
	}
	*ret = a;
	return 0;
}
