/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every namespace has: the service account "default" (upstream's serviceaccounts_controller.go), and the CA by which pods
 * know the API server (rootcacertpublisher). Keys are namespaces.
 */
#include "../loops.h"
#include "../pods.h"
#include "../work.h"
#include "xb/work_queue.h"

#define DESCRIPTION "kubernetes.io/description"

struct variety;
struct namespace_objects {
	struct kcm *kcm;
	const struct variety *variety;
	const struct xb_kind *kind;
	struct xb_informer *namespaces, *objects; /* objects: those of the name only */
	struct kcm_queue *queue;
};
struct variety {
	const char *plural, *name, *queue;
	const char *description;        /* an annotation; NULL: none */
	/* Of an object that is there. NULL: it is right as it is. */
	bool (*is_right)(const struct namespace_objects *l, struct xb_jv object);
	/* What it has besides its metadata: of a new one, or as a merge patch of one that is not right. NULL: nothing. */
	void (*write)(const struct namespace_objects *l, struct xb_jv object, struct xb_jw *w);
};

/* --- the CA --- */
static bool ca_is_right(const struct namespace_objects *l, struct xb_jv object)
{
	struct xb_jv entries = xb_jv_get(object, "data");

	return xb_jv_count(entries) == 1 && xb_jv_streq(xb_jv_get(entries, "ca.crt"), xb_sv(l->kcm->root_ca)) &&
	       xb_jv_text(xb_jv_path(object, "metadata", "annotations", DESCRIPTION)).n;
}

static void write_ca(const struct namespace_objects *l, struct xb_jv object, struct xb_jw *w)
{
	xb_jw_key(w, "data");
	xb_jw_object(w);
	xb_jw_kstr(w, "ca.crt", l->kcm->root_ca);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(object, "data")); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, "ca.crt"))
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_null(w);
	}
	xb_jw_end(w);
}

static const struct variety accounts = { .plural = "serviceaccounts", .name = "default", .queue = "serviceaccount" };
static const struct variety root_cas = {
	.plural = "configmaps",
	.name = "kube-root-ca.crt",
	.queue = "root_ca_cert_publisher",
	.description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
	.is_right = ca_is_right,
	.write = write_ca,
};

/* --- one namespace --- */
static int on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	int r = xb_calls_error(code, status);

	/* the namespace is gone or goes; somebody was faster, and the copy will show whether it is right */
	return r == -ENOENT || r == -EEXIST || kcm_is_terminating(status) ? 0 : r;
}

static int write_object(const struct namespace_objects *l, struct xb_jv object, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", l->variety->name);
	if (l->variety->description) {
		xb_jw_key(&w, "annotations");
		xb_jw_object(&w);
		xb_jw_kstr(&w, DESCRIPTION, l->variety->description);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	if (l->variety->write)
		l->variety->write(l, object, &w);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

static void put(struct kcm_work *w, struct xb_jv object)
{
	const struct namespace_objects *l = w->loop;
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "POST", .kind = l->kind, .namespace_ = w->name, .type = KCM_JSON };
	int r = write_object(l, object, &body);

	if (r) {
		kcm_work_done(w, r);
		return;
	}
	if (xb_jv_is(object)) {
		q.method = "PUT";
		q.name = l->variety->name;
		q.of = object;
	}
	q.body = xb_buf_sv(&body);
	kcm_work_round(w, kcm_work_done);
	kcm_work_ask(w, &q, on_answer, NULL);
	kcm_work_go(w);
}

static void sync_namespace(struct kcm_work *w)
{
	const struct namespace_objects *l = w->loop;
	struct xb_jv namespace_ = xb_informer_get(l->namespaces, NULL, w->name);
	struct xb_jv object = xb_informer_get(l->objects, w->name, l->variety->name);

	bool right = xb_jv_is(object) && (!l->variety->is_right || l->variety->is_right(l, object));

	if (right || !xb_jv_is(namespace_) || pods_deleting(namespace_))
		kcm_work_done(w, 0);
	else
		put(w, object);
}

/* --- what comes in --- */
static void on_namespace(void *arg, struct xb_jv old, struct xb_jv namespace_)
{
	struct namespace_objects *l = arg;

	if (xb_jv_is(namespace_))
		kcm_queue_add(l->queue, namespace_);
}

static void on_object(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct namespace_objects *l = arg;
	_cleanup_free_ char *key = xb_jv_dup(xb_jv_path(xb_jv_is(object) ? object : old, "metadata", "namespace"));

	if (key)
		xb_work_queue_add(kcm_queue_keys(l->queue), key);
}

/* --- the loops --- */
static int follow(struct namespace_objects *l)
{
	struct kcm *k = l->kcm;
	_cleanup_buf_ struct xb_buf selector = {};
	int r;

	xb_buf_addf(&selector, "metadata.name=%s", l->variety->name);
	r = selector.err ? selector.err : xb_cache_follow_some(k->cache, l->kind, selector.p, on_object, l, &l->objects);
	return r ? r : xb_cache_follow_some(k->cache, kcm_kind("", "v1", "namespaces"), NULL, on_namespace, l, &l->namespaces);
}

void namespace_objects_stop(void *loop)
{
	struct namespace_objects *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

static int start(struct kcm *k, const struct variety *v, void **ret)
{
	struct namespace_objects *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = v->queue, .workers = 5, .sync = sync_namespace, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct namespace_objects){ .kcm = k, .variety = v, .kind = kcm_kind("", "v1", v->plural) };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = follow(l);
	if (r) {
		namespace_objects_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}

int serviceaccount_start(struct kcm *k, void **ret)
{
	return start(k, &accounts, ret);
}

int root_ca_start(struct kcm *k, void **ret)
{
	return start(k, &root_cas, ret);
}
