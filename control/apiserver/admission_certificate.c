/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CertificateApproval, CertificateSigning, CertificateSubjectRestriction: leave to write approval or status of a request for a
 * certificate is not leave to have any signer sign it (kubernetes docs "Certificate Signing Requests", authorization).
 */
#include "admission_plugin.h"
#include "authz.h"
#include "registry/edit.h"
#include "xb/csr.h"

#define CERTIFICATES_GROUP "certificates.k8s.io"
#define CLIENT_SIGNER "kubernetes.io/kube-apiserver-client"

static bool is_request(const struct attempt *t, const char *sub)
{
	const struct write *w = t->write;

	return !strcmp(w->kind->group, CERTIFICATES_GROUP) && !strcmp(w->kind->plural, "certificatesigningrequests") &&
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
	const struct xb_tree *status, *old;

	if (!is_request(t, "status"))
		return 0;
	status = xb_tree_get(t->object, "status");
	old = xb_tree_get(t->old, "status");
	return edit_same(status, old, "certificate") && edit_same(status, old, "conditions") ? 0 : check_signer(t, "sign");
}

/* A certificate of system:masters could never be taken back: no rule of RBAC limits it. */
int admission_certificate_subject_restriction(struct attempt *t)
{
	_cleanup_csr_ struct xb_csr request = {};
	const struct xb_tree *spec;
	const char *fault;
	bool masters = false;
	int r;

	if (!is_request(t, NULL))
		return 0;
	spec = xb_tree_get(t->object, "spec");
	if (!xb_tree_is(xb_tree_get(spec, "signerName"), CLIENT_SIGNER))
		return 0;
	r = xb_csr_read(xb_tree_gettext(spec, "request"), &request, &fault);
	if (r)
		return r == -EINVAL ? 0 : r; /* validation refuses it in better words */
	for (char **o = request.organizations; *o; o++)
		masters |= !strcmp(*o, GROUP_MASTERS);
	return masters ? refuse(t, "use of " CLIENT_SIGNER " signer with system:masters group is not allowed") : 0;
}
