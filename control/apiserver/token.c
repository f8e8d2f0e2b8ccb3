/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "token.h"
#include "xb/base64.h"
#include "xb/json.h"

struct xb_sv token_write(struct xb_arena *a, const struct token *t)
{
	_cleanup_buf_ struct xb_buf json = {}, start = {}, text = {};
	struct xb_jw w = XB_JW(&json);

	xb_buf_addsv(&start, t->start);
	xb_buf_addc(&start, '\0');
	xb_jw_object(&w);
	xb_jw_kstr(&w, "v", "meta.k8s.io/v1");
	xb_jw_kint(&w, "rv", t->revision);
	xb_jw_ksv(&w, "start", xb_buf_sv(&start));
	if (t->left >= 0)
		xb_jw_kint(&w, "left", t->left);
	xb_jw_end(&w);
	if (start.err || xb_jw_finish(&w))
		return (struct xb_sv){};
	xb_base64url_encode(xb_buf_sv(&json), &text);
	return text.err ? (struct xb_sv){} : xb_arena_sv(a, xb_buf_sv(&text));
}

static int bad(struct xb_status *reterr, const char *why)
{
	return xb_status_bad_request(reterr, "invalid continue token: continue key is not valid: %s", why);
}

static int read_fields(struct xb_arena *a, struct xb_jv root, struct token *ret, struct xb_status *reterr)
{
	_cleanup_free_ char *start = xb_jv_dup(xb_jv_get(root, "start"));
	struct xb_jv left = xb_jv_get(root, "left");

	if (!xb_jv_streq(xb_jv_get(root, "v"), XB_SV("meta.k8s.io/v1")))
		return bad(reterr, "server does not recognize this encoded version");
	if (xb_jv_i64(xb_jv_get(root, "rv"), &ret->revision) || ret->revision == 0)
		return bad(reterr, "incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
	if (!start || !*start)
		return bad(reterr, "encoded start key empty (version meta.k8s.io/v1)");
	ret->start = xb_arena_sv(a, xb_sv(start));
	if (xb_jv_i64(left, &ret->left))
		ret->left = -1;
	return ret->start.p ? 0 : -ENOMEM;
}

int token_read(struct xb_arena *a, struct xb_sv text, struct token *ret, struct xb_status *reterr)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf json = {}, why = {};
	struct xb_json_fault fault;
	struct token t;
	int r;

	while (text.n && text.p[text.n - 1] == '=')
		text.n--;
	r = xb_base64url_decode(text, &json);
	if (r < 0)
		return r == -EINVAL ? bad(reterr, "illegal base64 data") : r;
	r = xb_json_parse(xb_buf_sv(&json), NULL, &doc, &fault);
	if (r == -EBADMSG) {
		xb_json_fault_text(&fault, &why);
		return why.err ? why.err : bad(reterr, why.p);
	}
	if (!r)
		r = read_fields(a, xb_json_root(doc), &t, reterr);
	if (!r)
		*ret = t;
	return r;
}
