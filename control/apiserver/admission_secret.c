/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_plugin.h"
#include "registry/edit.h"
#include "registry/keys.h"
#include "sa_token.h"

#define NAME "kubernetes.io/service-account.name"
#define UID "kubernetes.io/service-account.uid"

static void set_default(struct write *w, struct xb_tree *data, const char *key, struct xb_sv bytes)
{
	if (bytes.n && !xb_tree_gettext(data, key).n)
		edit_str(w, data, key, keys_encode(w->arena, bytes));
}

static int fill(struct attempt *t, struct sa_claims *c)
{
	struct sa_tokens *tokens = t->request->server->tokens;
	struct write *w = t->write;
	struct xb_tree *data = edit_obtain(w, t->object, "data");
	_cleanup_buf_ struct xb_buf token = {};
	int r = 0;

	if (!xb_tree_gettext(data, "token").n)
		r = sa_token_issue_kept(tokens, c, &token);
	if (r)
		return r;
	set_default(w, data, "ca.crt", sa_tokens_ca(tokens));
	set_default(w, data, "namespace", c->namespace_);
	set_default(w, data, "token", xb_buf_sv(&token));
	edit_entry(w, edit_obtain(w, edit_obtain(w, t->object, "metadata"), "annotations"), XB_SV(UID), xb_arena_sv(w->arena, c->account.uid));
	return w->no_memory ? -ENOMEM : 0;
}

/* A Secret of type service-account-token gets what it lacks, if its account is there. To take it away when the account goes is a
 * controller's. */
int admission_token_secret(struct attempt *t)
{
	const struct xb_tree *notes = xb_tree_path(t->object, "metadata", "annotations");
	struct sa_claims c = { .namespace_ = t->write->namespace_, .secret.name = t->write->name };
	_cleanup_(xb_json_unrefp) struct xb_json *account = NULL;
	struct xb_sv name = xb_tree_gettext(notes, NAME), uid = xb_tree_gettext(notes, UID);
	int r;

	if (!name.n || !xb_tree_is(xb_tree_get(t->object, "type"), "kubernetes.io/service-account-token"))
		return 0;
	r = admission_find(t, "", "serviceaccounts", c.namespace_, name, &account);
	if (r || !account)
		return r;
	c.account.name = name;
	c.account.uid = xb_jv_text(xb_jv_path(xb_json_root(account), "metadata", "uid"));
	return uid.n && !xb_sv_eq(uid, c.account.uid) ? 0 : fill(t, &c);
}
