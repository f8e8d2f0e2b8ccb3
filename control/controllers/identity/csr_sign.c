/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests that are approved get their certificate from the signers kubernetes.io/..., each by a CA of its own or all by one
 * (upstream's pkg/controller/certificates/signer). The CA's files are read for each: they may be renewed.
 */
#include "../loops.h"
#include "../work.h"
#include "csr_rules.h"
#include "xb/log.h"
#include "xb/time.h"

struct signer {
	const char *name;
	csr_fits *fits;
	struct kcm_ca_files ca;
};
#define SIGNERS 4

struct sign {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct xb_informer *csrs;
	struct kcm_queue *queue;
	struct signer signers[SIGNERS];
};

static const struct signer *signer_of(const struct sign *l, struct xb_jv csr)
{
	struct xb_jv name = xb_jv_path(csr, "spec", "signerName");

	for (size_t i = 0; i < SIGNERS; i++)
		if (l->signers[i].ca.cert_file && xb_jv_streq(name, xb_sv(l->signers[i].name)))
			return &l->signers[i];
	return NULL;
}

static void on_told(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void tell(struct kcm_work *w, struct xb_jv csr, const struct xb_buf *patch)
{
	const struct sign *l = w->loop;
	struct kcm_request q = { .method = "PUT", .kind = l->kind, .name = w->name, .sub = "status", .type = KCM_JSON, .of = csr };

	if (patch->err) {
		kcm_work_done(w, patch->err);
		return;
	}
	q.body = xb_buf_sv(patch);
	kcm_work_round(w, on_told);
	kcm_work_ask(w, &q, NULL, NULL);
	kcm_work_go(w);
}

static int list_usages(struct kcm_work *w, struct xb_jv usages, struct xb_csr_terms *t)
{
	struct xb_sv *list = xb_arena_alloc(w->arena, (xb_jv_count(usages) + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	t->usages = list;
	for (struct xb_jit it = xb_jv_iter(usages); xb_jit_next(&it);)
		list[t->n_usages++] = xb_jv_text(it.value);
	return 0;
}

static int sign(struct kcm_work *w, const struct signer *by, struct xb_jv csr, const struct xb_csr *request, struct xb_buf *out)
{
	const struct sign *l = w->loop;
	_cleanup_free_ char *why = NULL;
	struct xb_csr_terms t = {};
	int r = list_usages(w, xb_jv_path(csr, "spec", "usages"), &t);

	if (r)
		return r;
	csr_set_times(csr, l->kcm->options->cluster_signing_ms / 1000, xb_time_now() / 1000000, &t);
	xb_buf_adds(out, "{\"status\":{\"certificate\":\"");
	r = xb_csr_sign(request, &t, by->ca.cert_file, by->ca.key_file, out, &why);
	xb_buf_adds(out, "\"}}");
	if (why)
		w->why = xb_arena_strn(w->arena, xb_sv(why));
	return r;
}

static void sync_csr(struct kcm_work *w)
{
	const struct sign *l = w->loop;
	struct xb_jv csr = xb_informer_get(l->csrs, NULL, w->name);
	const struct signer *by = signer_of(l, csr);
	_cleanup_csr_ struct xb_csr request = {};
	_cleanup_buf_ struct xb_buf patch = {}, unfit = {};
	int r;

	if (!by || !csr_is_to_be_signed(csr)) {
		kcm_work_done(w, 0);
		return;
	}
	r = xb_csr_read(xb_jv_text(xb_jv_path(csr, "spec", "request")), &request, &w->why);
	if (!r && !by->fits(&request, xb_jv_path(csr, "spec", "usages"), &unfit))
		csr_condition_patch(csr, "Failed", "SignerValidationFailure", unfit.p, xb_time_now(), &patch);
	else if (!r)
		r = sign(w, by, csr, &request, &patch);
	if (r)
		kcm_work_done(w, r);
	else
		tell(w, csr, &patch);
}

static void on_csr(void *arg, struct xb_jv old, struct xb_jv csr)
{
	struct sign *l = arg;

	if (signer_of(l, csr) && csr_is_to_be_signed(csr))
		kcm_queue_add(l->queue, csr);
}

void csr_sign_stop(void *loop)
{
	struct sign *l = loop;

	if (!l)
		return;
	kcm_queue_free(l->queue);
	free(l);
}

/* A signer has its own files, or, when none of them has any, those of all. */
static void set_signers(struct sign *l, const struct kcm_options *o)
{
	const struct kcm_ca_files *all = &o->cluster_signing;
	const struct signer signers[] = {
		{ CSR_KUBELET_SERVING, csr_fits_kubelet_serving, o->cluster_signing_kubelet_serving },
		{ CSR_KUBELET_CLIENT, csr_fits_kubelet_client, o->cluster_signing_kubelet_client },
		{ CSR_CLIENT, csr_fits_client, o->cluster_signing_kube_apiserver_client },
		{ CSR_LEGACY_UNKNOWN, csr_fits_any, o->cluster_signing_legacy_unknown },
	};

	_Static_assert(ARRAY_SIZE(signers) == SIGNERS, "each has its place");
	for (size_t i = 0; i < SIGNERS; i++) {
		l->signers[i] = signers[i];
		if (all->cert_file)
			l->signers[i].ca = *all;
		if (!l->signers[i].ca.cert_file)
			log_info("%s: no CA for requests to it", l->signers[i].name);
	}
}

int csr_sign_start(struct kcm *k, void **ret)
{
	struct sign *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "certificate_sign", .workers = 5, .sync = sync_csr, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct sign){ .kcm = k, .kind = kcm_kind("certificates.k8s.io", "v1", "certificatesigningrequests") };
	set_signers(l, k->options);
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_csr, l);
	l->csrs = xb_cache_of(k->cache, l->kind);
	if (r || !l->csrs) {
		csr_sign_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
