/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A volume whose claim is gone, by its reclaim policy. Deleting a hostPath volume deletes the object: the directory is on a node,
 * and the API is all that this program touches.
 */
#include "binder.h"
#include "../pods.h"

static const char host_path_provisioner[] = "kubernetes.io/host-path";

/* --- failed --- */
static void tell_failed(struct binder_sync *s, const char *reason)
{
	if (s->wrote)
		binder_tell(s, false, XB_EVENT_WARNING, reason, "%s", s->pair.message);
	binder_done(s);
}

static void tell_not_deleted(struct binder_sync *s)
{
	tell_failed(s, "VolumeFailedDelete");
}

static void tell_not_recycled(struct binder_sync *s)
{
	tell_failed(s, "VolumeFailedRecycle");
}

static void fail(struct binder_sync *s, const char *message, void (*then)(struct binder_sync *s))
{
	s->pair.message = message;
	if (message)
		binder_set_phase(s, false, "Failed", then);
	else
		kcm_work_done(s->w, -ENOMEM);
}

/* --- deleted --- */
/* NULL: it can be deleted here. */
static const char *why_not(struct binder_sync *s)
{
	struct xb_jv source = xb_jv_path(s->volume, "spec", "hostPath");
	struct xb_sv path = xb_jv_text(xb_jv_get(source, "path"));

	if (!xb_jv_is(source))
		return xb_arena_printf(s->w->arena, "error getting deleter volume plugin for volume \"%s\": no deletable volume plugin matched",
				       s->w->name);
	if (!xb_sv_starts(path, "/tmp/") || path.n == strlen("/tmp/"))
		return xb_arena_printf(s->w->arena, "host_path deleter only supports /tmp/.+ but received provided %.*s", XB_SV_ARG(path));
	return NULL;
}

static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 ? 0 : xb_calls_error(code, status);
}

/* It is the very object of which it was found, a moment ago, that its claim is gone. */
static void delete(struct binder_sync *s)
{
	_cleanup_buf_ struct xb_buf options = {};
	struct kcm_request q = { .method = "DELETE", .kind = s->b->volume_kind, .name = s->w->name, .type = KCM_JSON };
	struct xb_jv meta = xb_jv_get(s->volume, "metadata");

	xb_buf_addf(&options, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "uid"))), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "resourceVersion"))));
	if (options.err) {
		kcm_work_done(s->w, options.err);
		return;
	}
	q.body = xb_buf_sv(&options);
	kcm_work_round(s->w, kcm_work_done);
	kcm_work_ask(s->w, &q, on_deleted, NULL);
	kcm_work_go(s->w);
}

static void delete_or_fail(struct binder_sync *s)
{
	struct xb_sv by = xb_annotation(s->volume, XB_PROVISIONED_BY);
	bool host_path = xb_jv_is(xb_jv_path(s->volume, "spec", "hostPath"));
	const char *why;

	/* whoever made it deletes it */
	if (pods_deleting(s->volume) || (by.n && !xb_sv_starts(by, "kubernetes.io/"))) {
		binder_done(s);
		return;
	}
	why = by.n && !(host_path && xb_sv_is(by, host_path_provisioner))
		      ? xb_arena_printf(s->w->arena, "no volume plugin matched name: %.*s", XB_SV_ARG(by)) : why_not(s);
	if (why)
		fail(s, why, tell_not_deleted);
	else
		delete(s);
}

void binder_reclaim(struct binder_sync *s)
{
	struct xb_sv policy = xb_jv_text(xb_jv_path(s->volume, "spec", "persistentVolumeReclaimPolicy"));

	if (xb_sv_is(policy, "Delete"))
		delete_or_fail(s);
	else if (xb_sv_is(policy, "Recycle"))
		fail(s, "No recycler plugin found for the volume!", tell_not_recycled);
	else
		binder_done(s);
}
