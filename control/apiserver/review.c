/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "authn.h"
#include "decode.h"
#include "metadata.h"
#include "registry/edit.h"
#include "review.h"
#include "sa_token.h"
#include "write.h"

int review_read(struct request *q, struct xb_tree **ret)
{
	int r = query_check_write(q->arena, &q->query, "CreateOptions", &q->fault);

	if (!r)
		r = write_init(q);
	return r ? r : decode_body(q, ret);
}

int review_answer(struct request *q, struct xb_tree *review, struct xb_tree *status)
{
	struct write *w = &q->write;
	_cleanup_buf_ struct xb_buf bytes = {};
	struct xb_json *doc = NULL;
	int r;

	if (!status || !metadata_of(w, review))
		return -ENOMEM;
	edit_node(w, review, "status", status);
	xb_tree_write(review, &bytes);
	if (bytes.err || w->no_memory)
		return -ENOMEM;
	r = xb_json_parse(xb_buf_sv(&bytes), NULL, &doc, NULL);
	if (!r)
		r = request_keep(q, doc);
	if (!r)
		request_reply_object(q, 201, doc);
	return r;
}

/* --- TokenReview --- */

/* As a NULL-terminated array in the arena; NULL when the list is empty or missing. */
static int wanted_audiences(struct request *q, const struct xb_tree *list, char ***ret)
{
	char **wanted = NULL;
	size_t n = 0;

	*ret = NULL;
	if (edit_is_empty(list))
		return 0;
	wanted = xb_arena_alloc(q->arena, (list->count + 1) * sizeof(*wanted));
	xb_tree_each(a, wanted ? list : NULL) {
		wanted[n] = xb_arena_strn(q->arena, a->text);
		if (!wanted[n++])
			return -ENOMEM;
	}
	*ret = wanted;
	return wanted ? 0 : -ENOMEM;
}

static int review_token(struct request *q)
{
	struct write *w = &q->write;
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_tree *review, *spec, *status, *audiences;
	const struct user *u;
	char **wanted;
	int r;

	r = review_read(q, &review);
	if (r)
		return r;
	spec = xb_tree_get(review, "spec");
	if (!xb_tree_gettext(spec, "token").n)
		return xb_status_bad_request(&q->fault, "token is required for TokenReview in authentication");
	r = wanted_audiences(q, xb_tree_get(spec, "audiences"), &wanted);
	status = r ? NULL : xb_tree_object(q->arena);
	if (!status)
		return -ENOMEM;
	r = authn_token(q->server->authn, q->arena, xb_tree_gettext(spec, "token"), wanted, &u, &audiences, &why);
	if (r == -EACCES) {
		edit_sv(w, status, "error", xb_arena_sv(q->arena, xb_buf_sv(&why)));
		return review_answer(q, review, status);
	}
	if (r)
		return r;
	edit_bool(w, status, "authenticated", true);
	edit_node(w, status, "user", user_info(q->arena, u));
	edit_node(w, status, "audiences", audiences);
	return review_answer(q, review, status);
}

/* --- SelfSubjectReview --- */

static int review_self(struct request *q)
{
	struct write *w = &q->write;
	struct xb_tree *review, *status;
	int r;

	r = review_read(q, &review);
	if (r)
		return r;
	status = xb_tree_object(q->arena);
	edit_str(w, metadata_of(w, review), "creationTimestamp", w->now);
	edit_node(w, status, "userInfo", user_info(q->arena, q->user));
	return review_answer(q, review, status);
}

request_handler *review_handler(const struct route *t)
{
	static const struct {
		const char *group, *plural;
		request_handler *handler;
	} rows[] = {
		{ "authentication.k8s.io", "tokenreviews", review_token },
		{ "authentication.k8s.io", "selfsubjectreviews", review_self },
		{ "authorization.k8s.io", "subjectaccessreviews", review_subject_access },
		{ "authorization.k8s.io", "localsubjectaccessreviews", review_subject_access },
		{ "authorization.k8s.io", "selfsubjectaccessreviews", review_self_access },
		{ "authorization.k8s.io", "selfsubjectrulesreviews", review_self_rules },
	};

	for (unsigned i = 0; !t->sub && i < ARRAY_SIZE(rows); i++)
		if (!strcmp(t->kind->group, rows[i].group) && !strcmp(t->kind->plural, rows[i].plural))
			return rows[i].handler;
	return NULL;
}

/* --- the keys, for others --- */

int openid_keys(struct request *q)
{
	struct xb_buf body = {};

	jwt_keys_write_set(sa_tokens_keys(q->server->tokens), &body);
	request_reply_buf(q, 200, "application/jwk-set+json", &body);
	return 0;
}

int openid_configuration(struct request *q)
{
	const char *issuer = sa_tokens_issuer(q->server->tokens);
	_cleanup_buf_ struct xb_buf keys = {};
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_buf_addf(&keys, "%s/openid/v1/jwks", issuer);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "issuer", issuer);
	xb_jw_ksv(&w, "jwks_uri", xb_buf_sv(&keys));
	xb_jw_key(&w, "response_types_supported");
	xb_jw_raw(&w, XB_SV("[\"id_token\"]"));
	xb_jw_key(&w, "subject_types_supported");
	xb_jw_raw(&w, XB_SV("[\"public\"]"));
	xb_jw_key(&w, "id_token_signing_alg_values_supported");
	xb_buf_clear(&keys);
	jwt_keys_write_algorithms(sa_tokens_keys(q->server->tokens), &keys);
	xb_jw_raw(&w, xb_buf_sv(&keys));
	xb_jw_end(&w);
	request_reply_buf(q, 200, "application/json", &body);
	return 0;
}
