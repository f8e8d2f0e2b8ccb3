/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests of kubelets for client certificates are approved when the API server says that who asks may have one, for any node or
 * for itself (upstream's pkg/controller/certificates/approver).
 */
#include "../loops.h"
#include "../work.h"
#include "csr_rules.h"
#include "xb/time.h"

static const struct recognizer {
	const char *subresource;        /* of certificatesigningrequests: who may create it may have the certificate */
	const char *message;
} recognizers[] = {
	{ "selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview." },
	{ "nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview." },
};

struct approve {
	struct kcm *kcm;
	const struct xb_kind *kind, *review_kind;
	struct xb_informer *csrs;
	struct kcm_queue *queue;
};
struct sync {
	struct kcm_work *w;
	struct approve *l;
	struct xb_jv csr;
	struct review {
		struct sync *sync;
		const struct recognizer *of;
		bool allowed;
	} reviews[ARRAY_SIZE(recognizers)];
};

static void on_approved(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void approve(struct sync *s, const struct recognizer *by)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = {
		.method = "PUT", .kind = s->l->kind, .name = s->w->name, .sub = "approval", .type = KCM_JSON, .of = s->csr,
	};

	csr_condition_patch(s->csr, "Approved", "AutoApproved", by->message, xb_time_now(), &patch);
	if (patch.err) {
		kcm_work_done(s->w, patch.err);
		return;
	}
	q.body = xb_buf_sv(&patch);
	kcm_work_round(s->w, on_approved);
	kcm_work_ask(s->w, &q, NULL, NULL);
	kcm_work_go(s->w);
}

static int on_review(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct review *v = arg;
	int r = xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (!r)
		v->allowed = xb_jv_true(xb_jv_path(xb_json_root(doc), "status", "allowed"));
	return r;
}

/* Who may not now may later: it comes again, less and less often. */
static void on_reviews(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	for (size_t i = 0; !error && i < ARRAY_SIZE(s->reviews); i++)
		if (s->reviews[i].allowed) {
			approve(s, s->reviews[i].of);
			return;
		}
	if (!error)
		w->why = "who asks may not have it without somebody's approval";
	kcm_work_done(w, error ? error : -EACCES);
}

static int write_review(struct xb_jv spec, const struct recognizer *of, struct xb_buf *out)
{
	static const char *const same[][2] = { { "user", "username" }, { "uid", "uid" }, { "groups", "groups" }, { "extra", "extra" } };
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "SubjectAccessReview");
	xb_jw_kstr(&w, "apiVersion", "authorization.k8s.io/v1");
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct xb_jv v = xb_jv_get(spec, same[i][1]);

		if (!xb_jv_is(v))
			continue;
		xb_jw_key(&w, same[i][0]);
		xb_jw_raw(&w, xb_jv_bytes(v));
	}
	xb_jw_key(&w, "resourceAttributes");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "group", "certificates.k8s.io");
	xb_jw_kstr(&w, "version", "*");
	xb_jw_kstr(&w, "resource", "certificatesigningrequests");
	xb_jw_kstr(&w, "subresource", of->subresource);
	xb_jw_kstr(&w, "verb", "create");
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

static int ask(struct sync *s, size_t i)
{
	struct review *v = &s->reviews[i];
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "POST", .kind = s->l->review_kind, .type = KCM_JSON };
	int r;

	*v = (struct review){ .sync = s, .of = &recognizers[i] };
	r = write_review(xb_jv_get(s->csr, "spec"), v->of, &body);
	q.body = xb_buf_sv(&body);
	return r ? r : kcm_work_ask(s->w, &q, on_review, v);
}

static void review(struct sync *s, bool of_itself)
{
	int r = kcm_work_hold(s->w, s->csr);

	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	kcm_work_round(s->w, on_reviews);
	for (size_t i = of_itself ? 0 : 1; i < ARRAY_SIZE(recognizers); i++)
		if (ask(s, i))
			break;
	kcm_work_go(s->w);
}

static void sync_csr(struct kcm_work *w)
{
	struct approve *l = w->loop;
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	struct xb_jv csr = xb_informer_get(l->csrs, NULL, w->name), spec = xb_jv_get(csr, "spec");
	_cleanup_csr_ struct xb_csr request = {};
	_cleanup_buf_ struct xb_buf unfit = {};
	int r = s ? 0 : -ENOMEM;

	if (r || !xb_jv_is(csr) || csr_is_decided(csr) || xb_jv_is(xb_jv_path(csr, "status", "certificate")) ||
	    !xb_jv_streq(xb_jv_get(spec, "signerName"), XB_SV(CSR_KUBELET_CLIENT))) {
		kcm_work_done(w, r);
		return;
	}
	r = xb_csr_read(xb_jv_text(xb_jv_get(spec, "request")), &request, &w->why);
	if (r || !csr_fits_kubelet_client(&request, xb_jv_get(spec, "usages"), &unfit)) {
		kcm_work_done(w, r);
		return;
	}
	*s = (struct sync){ .w = w, .l = l, .csr = csr };
	review(s, xb_jv_streq(xb_jv_get(spec, "username"), xb_sv(request.common_name)));
}

static void on_csr(void *arg, struct xb_jv old, struct xb_jv csr)
{
	struct approve *l = arg;

	if (xb_jv_is(csr))
		kcm_queue_add(l->queue, csr);
}

void csr_approve_stop(void *loop)
{
	struct approve *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int csr_approve_start(struct kcm *k, void **ret)
{
	struct approve *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "certificate_approve", .workers = 5, .sync = sync_csr, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct approve){
		.kcm = k,
		.kind = kcm_kind("certificates.k8s.io", "v1", "certificatesigningrequests"),
		.review_kind = kcm_kind("authorization.k8s.io", "v1", "subjectaccessreviews"),
	};
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_csr, l);
	l->csrs = xb_cache_of(k->cache, l->kind);
	if (r || !l->csrs) {
		csr_approve_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
