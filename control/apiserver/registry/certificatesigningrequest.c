/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../user.h"
#include "edit.h"
#include "seen.h"
#include "table.h"
#include "xb/csr.h"
#include "xb/time.h"

enum { DURATION_MIN_SECONDS = 600 };

static const char *const decisions[] = { "Approved", "Denied", "Failed", NULL };

static bool is_approval(const struct write *w)
{
	return w->sub && !strcmp(w->sub->name, "approval");
}

/* --- before the write */

/* Who asks is what the server knows, not what the body says. */
static void set_requestor(struct write *w, struct xb_tree *spec)
{
	static const char *const theirs[] = { "username", "uid", "groups", "extra" };
	const struct xb_tree *info = w->user ? user_info(w->arena, w->user) : NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(theirs); i++)
		edit_keep(w, spec, info, theirs[i]);
	if (w->user && !info)
		w->no_memory = true;
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	set_requestor(w, edit_obtain(w, object, "spec"));
	edit_json(w, object, "status", "{}");
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	edit_keep(w, object, old, "spec");
}

static struct xb_tree *condition_of(const struct xb_tree *object, struct xb_sv type)
{
	xb_tree_each(c, xb_tree_path(object, "status", "conditions"))
		if (xb_sv_eq(xb_tree_gettext(c, "type"), type))
			return c;
	return NULL;
}

/* An approval changes the conditions alone. */
static void prepare_status(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	struct xb_tree *status = edit_obtain(w, object, "status");

	if (is_approval(w))
		edit_keep(w, status, xb_tree_get(old, "status"), "certificate");
	xb_tree_each(c, xb_tree_get(status, "conditions")) {
		const struct xb_tree *before = condition_of(old, xb_tree_gettext(c, "type"));

		edit_str_default(w, c, "lastUpdateTime", w->now);
		if (xb_tree_get(c, "lastTransitionTime"))
			continue;
		if (before && edit_same(c, before, "status") && xb_tree_get(before, "lastTransitionTime"))
			edit_keep(w, c, before, "lastTransitionTime");
		else
			edit_str(w, c, "lastTransitionTime", w->now);
	}
}

/* --- validation */

static void validate_request(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *text)
{
	_cleanup_csr_ struct xb_csr request = {};
	const char *fault;
	int r = xb_csr_read(xb_tree_text(text), &request, &fault);

	if (r == -EINVAL)
		xb_err_invalid(e, at, text, "%s", fault);
	else if (r)
		e->no_memory = true;
}

static void validate_usages(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *usages)
{
	static const char *const known[] = {
		"any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
		"digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement",
		"key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping", NULL
	};
	struct seen before = SEEN(e);
	long i = 0;

	if (edit_is_empty(usages))
		xb_err_required(e, at, "");
	xb_tree_each(usage, usages) {
		const struct xb_path *here = XB_PATH_AT(at, i++);
		bool found = false;

		for (const char *const *k = known; *k; k++)
			found |= xb_tree_is(usage, *k);
		if (!found)
			xb_err_unsupported(e, here, xb_tree_text(usage), known);
		if (seen_text(&before, xb_tree_text(usage)))
			xb_err_duplicate(e, here, xb_tree_text(usage));
	}
}

/* "example.com/signer-name" */
static void validate_signer(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv name)
{
	struct xb_sv path = name, domain = {};

	if (!name.n) {
		xb_err_required(e, at, "");
		return;
	}
	if (xb_sv_is(name, "kubernetes.io/legacy-unknown"))
		xb_err_invalid_sv(e, at, name, "the legacy signerName is not allowed via this API version");
	xb_sv_split(&path, '/', &domain);
	if (!domain.n || !path.n || memchr(path.p, '/', path.n)) {
		xb_err_invalid_sv(e, at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
		return;
	}
	xb_validate(e, at, domain, xb_check_dns1123_subdomain);
	if (!memchr(domain.p, '.', domain.n))
		xb_err_invalid_sv(e, at, domain, "should be a domain with at least two segments separated by dots");
	xb_validate(e, at, path, xb_check_dns1123_subdomain);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *seconds = xb_tree_get(spec, "expirationSeconds");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	validate_request(e, XB_PATH(at, "request"), xb_tree_get(spec, "request"));
	validate_usages(e, XB_PATH(at, "usages"), xb_tree_get(spec, "usages"));
	validate_signer(e, XB_PATH(at, "signerName"), xb_tree_gettext(spec, "signerName"));
	if (seconds && xb_tree_geti64(spec, "expirationSeconds", 0) < DURATION_MIN_SECONDS)
		xb_err_invalid(e, XB_PATH(at, "expirationSeconds"), seconds, "may not specify a duration less than 600 seconds (10 minutes)");
}

static bool is_decision(struct xb_sv type)
{
	for (const char *const *d = decisions; *d; d++)
		if (xb_sv_is(type, *d))
			return true;
	return false;
}

static void validate_condition(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *object, const struct xb_tree *c)
{
	static const char *const values[] = { "False", "True", "Unknown", NULL }, *const only_true[] = { "True", NULL };
	struct xb_sv type = xb_tree_gettext(c, "type"), other = XB_SV("Denied");

	if (!type.n)
		xb_err_required(e, XB_PATH(at, "type"), "");
	xb_validate_one_of(e, XB_PATH(at, "status"), xb_tree_gettext(c, "status"), is_decision(type) ? only_true : values);
	if (xb_sv_is(type, "Denied"))
		other = XB_SV("Approved");
	if ((xb_sv_is(type, "Approved") || xb_sv_is(type, "Denied")) && condition_of(object, other))
		xb_err_invalid_sv(e, XB_PATH(at, "type"), type, "Approved and Denied conditions are mutually exclusive");
}

static void forbid_change(struct xb_field_errors *e, const struct xb_path *at, const char *verb, const char *type)
{
	_cleanup_buf_ struct xb_buf why = {};

	xb_buf_addf(&why, "updates may not %s a condition of type \"%s\"", verb, type);
	if (why.err)
		e->no_memory = true;
	else
		xb_err_forbidden(e, at, why.p);
}

/* A decision stays; it is made by approval alone, but that a signer may say that it failed. */
static void validate_decisions(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "status"), "conditions");

	for (const char *const *d = decisions; *d; d++) {
		const struct xb_tree *now = condition_of(object, xb_sv(*d)), *before = condition_of(old, xb_sv(*d));
		bool may_set = is_approval(w) || !strcmp(*d, "Failed");

		if (before && !now)
			forbid_change(e, at, "remove", *d);
		else if (now && !before && !may_set)
			forbid_change(e, at, "add", *d);
		else if (now && before && !may_set && !xb_tree_equal(now, before))
			forbid_change(e, at, "modify", *d);
	}
}

static void validate_certificate(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv certificate)
{
	const char *fault;
	time_t end;
	int r = certificate.n ? xb_csr_check_issued(certificate, &end, &fault) : 0;

	if (r == -EINVAL)
		xb_err_invalid_sv(e, at, XB_SV("<certificate data>"), "%s", fault);
	else if (r)
		e->no_memory = true;
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_path *status = XB_PATH(NULL, "status"), *at = XB_PATH(status, "conditions");
	const struct xb_tree *before = xb_tree_path(old, "status", "certificate");
	struct seen types = SEEN(e);
	long i = 0;

	xb_tree_each(c, xb_tree_path(object, "status", "conditions")) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		validate_condition(e, here, object, c);
		if (seen_text(&types, xb_tree_gettext(c, "type")))
			xb_err_duplicate(e, XB_PATH(here, "type"), xb_tree_gettext(c, "type"));
	}
	validate_decisions(w, object, old, e);
	if (before && !xb_tree_equal(before, xb_tree_path(object, "status", "certificate")))
		xb_err_forbidden(e, XB_PATH(status, "certificate"), "updates may not modify existing certificate content");
	else if (!before)
		validate_certificate(e, XB_PATH(status, "certificate"), xb_tree_text(xb_tree_path(object, "status", "certificate")));
}

/* --- table */

static const struct column columns[] = {
	COLUMN_NAME,
	COLUMN_AGE,
	{ "SignerName", "string", "", "signerName indicates the requested signer, and is a qualified name.", 0 },
	{ "Requestor", "string", "", "username contains the name of the user that created the CertificateSigningRequest. Populated by the API server on creation and immutable.", 0 },
	{ "RequestedDuration", "string", "", "expirationSeconds is the requested duration of validity of the issued certificate. The certificate signer may issue a certificate with a different validity duration so a client must check the delta between the notBefore and and notAfter fields in the issued certificate to determine the actual duration.", 0 },
	{ "Condition", "string", "", "conditions applied to the request. Known conditions are \"Approved\", \"Denied\", and \"Failed\".", 0 },
};

static void cell_condition(struct table_row *r, struct xb_jv status)
{
	bool set[ARRAY_SIZE(decisions)] = {};
	_cleanup_buf_ struct xb_buf b = {};

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(status, "conditions")); xb_jit_next(&it);)
		for (unsigned i = 0; decisions[i]; i++)
			set[i] |= xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(decisions[i]));
	cell_open(&b);
	cell_join(&b, set[1] ? XB_SV("Denied") : set[0] ? XB_SV("Approved") : XB_SV("Pending"));
	if (set[2])
		cell_join(&b, XB_SV("Failed"));
	if (xb_jv_text(xb_jv_get(status, "certificate")).n)
		cell_join(&b, XB_SV("Issued"));
	cell_close(r, &b, "");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");
	int64_t seconds;

	cell_name(r, object);
	cell_age(r, object);
	cell_text(r, xb_jv_get(spec, "signerName"), "<none>");
	cell_text(r, xb_jv_get(spec, "username"), "");
	xb_jw_str(r->w, xb_jv_i64(xb_jv_get(spec, "expirationSeconds"), &seconds) ? "<none>" : xb_time_human(seconds).s);
	cell_condition(r, xb_jv_get(object, "status"));
}

const struct strategy certificate_signing_request_strategy = {
	.group = "certificates.k8s.io", .kind = "CertificateSigningRequest",
	.name = xb_check_path_segment,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.prepare_status = prepare_status,
	.validate = validate,
	.validate_status = validate_status,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
