/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A claim whose class has volumes made for it (provisionClaim). Here that is a directory on a node (kubernetes.io/host-path); of
 * any other provisioner the claim says that it is asked for, and its volume is awaited.
 */
#include "binder.h"
#include "provision.h"

static const char host_path[] = "kubernetes.io/host-path";

static void fail(struct binder_sync *s, const char *why)
{
	if (why)
		binder_tell(s, true, XB_EVENT_WARNING, "ProvisioningFailed", "%s", why);
	binder_set_phase(s, true, "Pending", binder_done);
}

/* --- the volume --- */
static int on_made(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct binder_sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	/* it was made before: the copy will show it */
	int r = code == 409 ? -ESTALE : xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (!r)
		r = binder_take_volume(s, xb_json_root(doc));
	return r ? r : written_put(s->b->volumes_written, s->pair.text, s->volume);
}

static void on_provisioned(struct kcm_work *w, int error)
{
	struct binder_sync *s = w->state;

	if (error) {
		kcm_work_done(w, error);
		return;
	}
	binder_tell(s, true, XB_EVENT_NORMAL, "ProvisioningSucceeded", "Successfully provisioned volume %s using %s", s->pair.text, host_path);
	binder_bind(s);
}

static void make(struct binder_sync *s, struct xb_jv class)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "POST", .kind = s->b->volume_kind, .type = KCM_JSON };
	const char *name = xb_arena_printf(s->w->arena, "pvc-%.*s", XB_SV_ARG(xb_jv_text(xb_jv_path(s->claim, "metadata", "uid"))));
	int r = name ? provision_write(s->claim, class, s->node, name, &body) : -ENOMEM;

	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	s->pair.text = name;
	q.body = xb_buf_sv(&body);
	kcm_work_round(s->w, on_provisioned);
	kcm_work_ask(s->w, &q, on_made, s);
	kcm_work_go(s->w);
}

/* --- on which node --- */
static struct xb_jv class_of(const struct binder_sync *s)
{
	_cleanup_free_ char *name = xb_sv_dup(xb_volume_class(s->claim));

	return name ? xb_informer_get(s->b->classes, NULL, name) : (struct xb_jv){};
}

static int on_node(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct binder_sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	if (r || code == 404)
		return r;
	r = xb_json_parse(body, NULL, &doc, NULL);
	if (!r)
		r = kcm_work_hold(s->w, xb_json_root(doc));
	if (!r)
		s->node = xb_json_root(doc);
	return r;
}

static void on_node_known(struct kcm_work *w, int error)
{
	static const struct binder_step reschedule[] = { { binder_unselect_node, true, NULL }, {} };
	struct binder_sync *s = w->state;
	struct xb_jv class = class_of(s);

	if (error || !xb_jv_is(class))
		kcm_work_done(w, error ? error : -ESTALE);
	else if (xb_jv_is(s->node))
		make(s, class);
	else
		binder_run(s, reschedule, binder_sync_claim);
}

static void on_asked(struct binder_sync *s)
{
	struct xb_sv node = xb_annotation(s->claim, XB_SELECTED_NODE);
	const char *name = xb_arena_strn(s->w->arena, node);
	struct xb_jv class = class_of(s);

	if (!name || !xb_jv_is(class)) {
		kcm_work_done(s->w, name ? -ESTALE : -ENOMEM);
	} else if (!*name) {
		make(s, class);
	} else {
		kcm_work_round(s->w, on_node_known);
		kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .kind = s->b->node_kind, .name = name }, on_node, s);
		kcm_work_go(s->w);
	}
}

/* --- who provisions --- */
static void await_external(struct binder_sync *s)
{
	binder_tell(s, true, XB_EVENT_NORMAL, "ExternalProvisioning",
		    "Waiting for a volume to be created either by the external provisioner '%s' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
		    s->pair.text);
	binder_set_phase(s, true, "Pending", binder_done);
}

/* Of a provisioner that should be here. NULL: it is. */
static const char *why_not(const struct binder_sync *s, struct xb_jv class, const char *provisioner)
{
	struct xb_arena *a = s->w->arena;

	if (strcmp(provisioner, host_path))
		return xb_arena_printf(a, "no volume plugin matched name: %s", provisioner);
	if (!s->b->kcm->options->enable_hostpath_provisioner)
		return xb_arena_printf(a, "Failed to create provisioner: provisioning in volume plugin \"%s\" is disabled", provisioner);
	if (xb_jv_is(xb_jv_path(s->claim, "spec", "dataSource")))
		return xb_arena_printf(a, "plugin \"%s\" is not a CSI plugin. Only CSI plugin can provision a claim with a datasource", provisioner);
	if (xb_jv_count(xb_jv_get(class, "mountOptions")))
		return xb_arena_printf(a, "Mount options are not supported by the provisioner but StorageClass \"%.*s\" has mount options",
				       XB_SV_ARG(xb_volume_class(s->claim)));
	if (xb_jv_streq(xb_jv_path(s->claim, "spec", "volumeMode"), XB_SV("Block")))
		return xb_arena_printf(a, "Failed to provision volume with StorageClass \"%.*s\": %s does not support block volume provisioning",
				       XB_SV_ARG(xb_volume_class(s->claim)), provisioner);
	return NULL;
}

void binder_provision(struct binder_sync *s)
{
	static const struct binder_step ask[] = { { binder_set_provisioner, true, NULL }, {} };
	struct xb_jv class = class_of(s);
	const char *provisioner = xb_arena_strn(s->w->arena, xb_jv_text(xb_jv_get(class, "provisioner"))), *why = NULL;
	bool external = provisioner && strncmp(provisioner, "kubernetes.io/", strlen("kubernetes.io/"));

	if (!provisioner || !s->b->kcm->options->enable_dynamic_provisioning) {
		kcm_work_done(s->w, provisioner ? 0 : -ENOMEM);
		return;
	}
	if (!xb_jv_is(class))
		why = xb_arena_printf(s->w->arena, "storageclass.storage.k8s.io \"%.*s\" not found", XB_SV_ARG(xb_volume_class(s->claim)));
	else if (!external)
		why = why_not(s, class, provisioner);
	if (why) {
		fail(s, why);
		return;
	}
	s->pair.text = provisioner;
	binder_run(s, ask, external ? await_external : on_asked);
}
