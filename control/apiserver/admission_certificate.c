/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CertificateApproval, CertificateSigning, CertificateSubjectRestriction: leave to write approval or status of a request for a
 * certificate is not leave to have any signer sign it (kubernetes docs "Certificate Signing Requests", authorization).
 */
#include "admission_plugin.h"
#include "authz.h"
#include "registry/certificatesigningrequest.h"
#include "registry/edit.h"

#define CERTIFICATES_GROUP "certificates.k8s.io"
#define CLIENT_SIGNER "kubernetes.io/kube-apiserver-client"

static bool is_request(const struct attempt *t, const char *sub)
{
	const struct write *w = t->write;

	return t->object && !strcmp(w->kind->group, CERTIFICATES_GROUP) && !strcmp(w->kind->plural, "certificatesigningrequests") &&
	       (w->sub ? sub && !strcmp(w->sub->name, sub) : !sub);
}

static int _printf_(2, 3) refuse(struct attempt *t, const char *fmt, ...)
{
	const struct xb_sv name = xb_tree_text(xb_tree_path(t->object, "metadata", "name"));
	const struct xb_kind *k = t->write->kind;
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	return text.err ? text.err : xb_status_forbidden(&t->request->fault, k->group, k->plural, name, "%s", text.p);
}

static bool may(struct request *q, const char *verb, struct xb_sv signer)
{
	const struct attributes t = {
		.user = q->user, .verb = xb_sv(verb), .is_resource = true, .group = XB_SV(CERTIFICATES_GROUP), .version = XB_SV("*"),
		.resource = XB_SV("signers"), .name = signer,
	};

	return authz_decide(q->server->authz, &t, NULL) == DECISION_ALLOW;
}

/* Leave for one signer, or for all of its domain: "example.com/" with a star behind it. The old object says for which. */
static int check_signer(struct attempt *t, const char *verb)
{
	struct request *q = t->request;
	struct xb_sv signer = xb_tree_text(xb_tree_path(t->old, "spec", "signerName")), rest = signer, domain;
	const char *all;

	if (!q->user)
		return 0;
	xb_sv_split(&rest, '/', &domain);
	all = xb_arena_printf(q->arena, "%.*s/*", XB_SV_ARG(domain));
	if (!all)
		return -ENOMEM;
	if (may(q, verb, signer) || may(q, verb, xb_sv(all)))
		return 0;
	return refuse(t, "user not permitted to %s requests with signerName \"%.*s\"", verb, XB_SV_ARG(signer));
}

int admission_certificate_approval(struct attempt *t)
{
	return is_request(t, "approval") ? check_signer(t, "approve") : 0;
}

int admission_certificate_signing(struct attempt *t)
{
	const struct xb_node *status, *old;

	if (!is_request(t, "status"))
		return 0;
	status = xb_tree_get(t->object, "status");
	old = xb_tree_get(t->old, "status");
	return edit_same(status, old, "certificate") && edit_same(status, old, "conditions") ? 0 : check_signer(t, "sign");
}

static bool has_organization(const X509_REQ *request, const char *organization)
{
	X509_NAME *name = X509_REQ_get_subject_name(request);

	for (int i = -1; (i = X509_NAME_get_index_by_NID(name, NID_organizationName, i)) >= 0;) {
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
		unsigned char *utf8 = NULL;
		int n = ASN1_STRING_to_UTF8(&utf8, value);
		bool is = n >= 0 && xb_sv_is((struct xb_sv){ (char *)utf8, n }, organization);

		OPENSSL_free(utf8);
		if (is)
			return true;
	}
	return false;
}

/* A certificate of system:masters could never be taken back: no rule of RBAC limits it. */
int admission_certificate_subject_restriction(struct attempt *t)
{
	const struct xb_node *spec;
	const char *fault;
	X509_REQ *request;
	bool masters;

	if (!is_request(t, NULL) || t->old)
		return 0;
	spec = xb_tree_get(t->object, "spec");
	if (!xb_tree_is(xb_tree_get(spec, "signerName"), CLIENT_SIGNER))
		return 0;
	request = csr_read(t->request->arena, xb_tree_gettext(spec, "request"), &fault);
	if (!request)
		return fault ? 0 : -ENOMEM; /* validation refuses it in better words */
	masters = has_organization(request, GROUP_MASTERS);
	X509_REQ_free(request);
	return masters ? refuse(t, "use of " CLIENT_SIGNER " signer with system:masters group is not allowed") : 0;
}
