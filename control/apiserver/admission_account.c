/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission_plugin.h"
#include "registry/edit.h"
#include "xb/random.h"

#define MOUNT_PATH "/var/run/secrets/kubernetes.io/serviceaccount"
#define MIRROR "kubernetes.io/config.mirror"

static int refuse(struct request *q, const struct write *w, const char *why)
{
	return xb_status_forbidden(&q->fault, "", "pods", w->name, "%s", why);
}

/* A mirror pod stands for what a kubelet runs without the API: it has no account. */
static int check_mirror(struct request *q, const struct write *w, const struct xb_tree *spec)
{
	if (xb_tree_gettext(spec, "serviceAccountName").n)
		return refuse(q, w, "a mirror pod may not reference service accounts");
	xb_tree_each(v, xb_tree_get(spec, "volumes")) {
		if (xb_tree_get(v, "secret"))
			return refuse(q, w, "a mirror pod may not reference secrets");
		xb_tree_each(s, xb_tree_path(v, "projected", "sources"))
			if (xb_tree_get(s, "serviceAccountToken"))
				return refuse(q, w, "a mirror pod may not use ServiceAccountToken volume projections");
	}
	return 0;
}

static int find_account(struct request *q, struct write *w, struct xb_tree *spec, struct xb_jv *ret)
{
	const struct xb_kind *kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("serviceaccounts"));
	_cleanup_buf_ struct xb_buf why = {};
	struct store_object *o;
	struct xb_sv name;
	const char *key;
	int r;

	edit_str_default(w, spec, "serviceAccountName", "default");
	name = xb_tree_gettext(spec, "serviceAccountName");
	edit_sv(w, spec, "serviceAccount", name);
	key = route_key(q->arena, kind, w->namespace_, name);
	if (!key || w->no_memory)
		return -ENOMEM;
	o = store_head(q->server->store, key);
	if (!o) {
		xb_buf_addf(&why, "error looking up service account %.*s/%.*s: serviceaccount \"%.*s\" not found", XB_SV_ARG(w->namespace_),
			    XB_SV_ARG(name), XB_SV_ARG(name));
		return why.err ? why.err : refuse(q, w, why.p);
	}
	r = request_keep(q, xb_json_ref(o->doc));
	if (!r)
		*ret = xb_json_root(o->doc);
	return r;
}

/* The pod's word counts before the account's. */
static bool wants_token(const struct xb_tree *spec, struct xb_jv account)
{
	const struct xb_tree *said = xb_tree_get(spec, "automountServiceAccountToken");
	struct xb_jv allowed = xb_jv_get(account, "automountServiceAccountToken");

	if (said)
		return xb_tree_true(said);
	return !xb_jv_is(allowed) || xb_jv_true(allowed);
}

static bool has_mount(const struct xb_tree *container)
{
	xb_tree_each(m, xb_tree_get(container, "volumeMounts"))
		if (xb_tree_is(xb_tree_get(m, "mountPath"), MOUNT_PATH))
			return true;
	return false;
}

static bool mount(struct write *w, struct xb_tree *containers, const char *volume)
{
	bool any = false;

	xb_tree_each(c, containers) {
		struct xb_tree *m = has_mount(c) ? NULL : xb_tree_object(w->arena);

		if (!m)
			continue;
		edit_str(w, m, "mountPath", MOUNT_PATH);
		edit_str(w, m, "name", volume);
		edit_bool(w, m, "readOnly", true);
		edit_append(w, edit_obtain_array(w, c, "volumeMounts"), m);
		any = true;
	}
	return any;
}

static void add_volume(struct write *w, struct xb_tree *spec, const char *name)
{
	static const char projected[] =
		"{\"defaultMode\":420,\"sources\":["
		"{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},"
		"{\"configMap\":{\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}],\"name\":\"kube-root-ca.crt\"}},"
		"{\"downwardAPI\":{\"items\":[{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"},\"path\":\"namespace\"}]}}]}";
	struct xb_tree *volume = xb_tree_object(w->arena);

	if (!volume) {
		w->no_memory = true;
		return;
	}
	edit_str(w, volume, "name", name);
	edit_json(w, volume, "projected", projected);
	edit_append(w, edit_obtain_array(w, spec, "volumes"), volume);
}

static void add_pull_secrets(struct write *w, struct xb_tree *spec, struct xb_jv account)
{
	struct xb_jv secrets = xb_jv_get(account, "imagePullSecrets");

	if (!edit_is_empty(xb_tree_get(spec, "imagePullSecrets")) || !xb_jv_count(secrets))
		return;
	edit_node(w, spec, "imagePullSecrets", xb_tree_from(w->arena, secrets, NULL, NULL));
}

/* A new pod runs as an account that is there, and its containers find its token, the cluster's CA and their namespace. */
int admission_service_account(struct attempt *t)
{
	struct request *q = t->request;
	struct write *w = t->write;
	struct xb_tree *spec = xb_tree_get(t->object, "spec");
	char suffix[6], *volume;
	struct xb_jv account;
	int r;

	if (xb_tree_get(xb_tree_path(t->object, "metadata", "annotations"), MIRROR))
		return check_mirror(q, w, spec);
	r = find_account(q, w, spec, &account);
	if (r)
		return r;
	xb_random_suffix(suffix);
	volume = xb_arena_printf(q->arena, "kube-api-access-%s", suffix);
	if (!volume)
		return -ENOMEM;
	if (wants_token(spec, account)) {
		bool mounted = mount(w, xb_tree_get(spec, "initContainers"), volume);

		mounted |= mount(w, xb_tree_get(spec, "containers"), volume);
		if (mounted)
			add_volume(w, spec, volume);
	}
	add_pull_secrets(w, spec, account);
	return w->no_memory ? -ENOMEM : 0;
}
