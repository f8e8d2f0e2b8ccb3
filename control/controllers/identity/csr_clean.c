/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CertificateSigningRequests that nobody needs any more are deleted (upstream's pkg/controller/certificates/cleaner). */
#include "../loops.h"
#include "../work.h"
#include "csr_rules.h"
#include "xb/time.h"

struct clean {
	const struct xb_kind *kind;
	struct xb_informer *csrs;
	struct kcm_queue *queue;
};

/* One that is gone or changed meanwhile comes by the watch. */
static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 ? 0 : xb_calls_error(code, status);
}

static void delete(struct kcm_work *w, struct xb_jv csr)
{
	const struct clean *l = w->loop;
	struct kcm_request q = { .method = "DELETE", .kind = l->kind, .name = w->name, .type = KCM_JSON };
	_cleanup_buf_ struct xb_buf options = {};

	xb_buf_addf(&options, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_text(xb_jv_path(csr, "metadata", "uid"))), XB_SV_ARG(xb_jv_text(xb_jv_path(csr, "metadata", "resourceVersion"))));
	if (options.err) {
		kcm_work_done(w, options.err);
		return;
	}
	q.body = xb_buf_sv(&options);
	kcm_work_round(w, kcm_work_done);
	kcm_work_ask(w, &q, on_deleted, NULL);
	kcm_work_go(w);
}

static void sync_csr(struct kcm_work *w)
{
	const struct clean *l = w->loop;
	struct xb_jv csr = xb_informer_get(l->csrs, NULL, w->name);
	int64_t now = xb_time_now(), at = xb_jv_is(csr) ? csr_clean_at(csr) : INT64_MAX;

	if (at <= now) {
		delete(w, csr);
		return;
	}
	if (at < INT64_MAX)
		kcm_queue_add_after(l->queue, csr, (at - now) / 1000 + 1);
	kcm_work_done(w, 0);
}

static void on_csr(void *arg, struct xb_jv old, struct xb_jv csr)
{
	struct clean *l = arg;

	if (xb_jv_is(csr))
		kcm_queue_add(l->queue, csr);
}

void csr_clean_stop(void *loop)
{
	struct clean *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int csr_clean_start(struct kcm *k, void **ret)
{
	struct clean *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "certificate_clean", .workers = 1, .sync = sync_csr, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct clean){ .kind = kcm_kind("certificates.k8s.io", "v1", "certificatesigningrequests") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_csr, l);
	l->csrs = xb_cache_of(k->cache, l->kind);
	if (r || !l->csrs) {
		csr_clean_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
