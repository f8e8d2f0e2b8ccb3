/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission.h"
#include "admission_plugin.h"
#include "metrics.h"
#include "options.h"
#include "registry/edit.h"
#include "write.h"

/*
 * Nothing is made in a namespace that is not there or is going. The head decides: a namespace whose deletion is on its
 * way to the disk is gone for whoever comes after it.
 */
static int namespace_lifecycle(struct attempt *t)
{
	struct request *q = t->request;
	const struct write *w = t->write;
	_cleanup_buf_ struct xb_buf why = {};
	struct store_object *o;
	const char *key;

	if (!w->kind->namespaced)
		return 0;
	key = route_key(q->arena, xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("namespaces")), (struct xb_sv){}, w->namespace_);
	if (!key)
		return -ENOMEM;
	o = store_head(q->server->store, key);
	if (!o)
		return xb_status_not_found(&q->fault, "", "namespaces", w->namespace_);
	if (!xb_jv_is(xb_jv_path(xb_json_root(o->doc), "metadata", "deletionTimestamp")))
		return 0;
	xb_status_forbidden(&q->fault, w->kind->group, w->kind->plural, w->name,
			    "unable to create new content in namespace %.*s because it is being terminated", XB_SV_ARG(w->namespace_));
	xb_buf_addf(&why, "namespace %.*s is being terminated", XB_SV_ARG(w->namespace_));
	xb_status_cause(&q->fault, "NamespaceTerminating", xb_buf_sv(&why), XB_SV("metadata.namespace"));
	return -EACCES;
}

static bool tolerates(const struct xb_tree *tolerations, const char *key)
{
	xb_tree_each(t, tolerations) {
		struct xb_sv name = xb_tree_gettext(t, "key"), effect = xb_tree_gettext(t, "effect");

		if ((!name.n || xb_sv_is(name, key)) && (!effect.n || xb_sv_is(effect, "NoExecute")))
			return true;
	}
	return false;
}

/* A pod stays for some minutes on a node that is not ready or does not answer, unless it says otherwise. */
static int default_toleration_seconds(struct attempt *t)
{
	static const char *const keys[] = { "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable" };
	const struct apiserver_options *o = t->request->server->options;
	const int seconds[] = { o->default_not_ready_toleration_seconds, o->default_unreachable_toleration_seconds };
	struct write *w = t->write;

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		struct xb_tree *spec = edit_obtain(w, t->object, "spec"), *one = xb_tree_object(w->arena);

		if (tolerates(xb_tree_get(spec, "tolerations"), keys[i]))
			continue;
		if (!one)
			return -ENOMEM;
		edit_str(w, one, "key", keys[i]);
		edit_str(w, one, "operator", "Exists");
		edit_str(w, one, "effect", "NoExecute");
		edit_int(w, one, "tolerationSeconds", seconds[i]);
		edit_append(w, edit_obtain_array(w, spec, "tolerations"), one);
	}
	return w->no_memory ? -ENOMEM : 0;
}

/* Nothing is scheduled to a new node before its kubelet has said that it is ready. */
static int taint_nodes_by_condition(struct attempt *t)
{
	static const char key[] = "node.kubernetes.io/not-ready";
	struct xb_tree *taints;
	struct write *w = t->write;

	taints = edit_obtain_array(w, edit_obtain(w, t->object, "spec"), "taints");
	xb_tree_each(taint, taints)
		if (xb_tree_is(xb_tree_get(taint, "key"), key) && xb_tree_is(xb_tree_get(taint, "effect"), "NoSchedule"))
			return 0;
	edit_append(w, taints, xb_tree_parse(w->arena, "{\"effect\":\"NoSchedule\",\"key\":\"node.kubernetes.io/not-ready\"}"));
	return w->no_memory ? -ENOMEM : 0;
}

static bool has_text(const struct xb_tree *array, const struct xb_tree *text)
{
	xb_tree_each(one, array)
		if (xb_tree_equal(one, text))
			return true;
	return false;
}

/* Whoever may write a Service could draw the traffic for any address to it (CVE-2020-8554); addresses that it has may stay. */
static int deny_service_external_ips(struct attempt *t)
{
	const struct xb_tree *before = xb_tree_path(t->old, "spec", "externalIPs");

	xb_tree_each(ip, xb_tree_path(t->object, "spec", "externalIPs"))
		if (!has_text(before, ip))
			return xb_status_forbidden(&t->request->fault, "", "services", xb_tree_text(xb_tree_path(t->object, "metadata", "name")),
						   "Use of external IPs is denied by admission control");
	return 0;
}

int admission_walk(struct attempt *t, const char *group, const char *plural, struct xb_sv namespace_, struct store_walk **ret)
{
	const struct xb_kind *k = xb_kind_by_resource(xb_sv(group), XB_SV("v1"), xb_sv(plural));
	const char *prefix = route_key(t->request->arena, k, namespace_, (struct xb_sv){});

	return prefix ? store_walk_new(t->request->server->store, prefix, NULL, 0, ret) : -ENOMEM;
}

int admission_find(struct attempt *t, const char *group, const char *plural, struct xb_sv namespace_, struct xb_sv name,
		   struct xb_json **ret)
{
	const struct xb_kind *k = xb_kind_by_resource(xb_sv(group), XB_SV("v1"), xb_sv(plural));
	const char *key = route_key(t->request->arena, k, namespace_, name);
	struct store_object *o = key ? store_head(t->request->server->store, key) : NULL;

	if (!key)
		return -ENOMEM;
	*ret = o ? xb_json_ref(o->doc) : NULL;
	return 0;
}

enum {
	CREATE = 1 << OPERATION_CREATE,
	UPDATE = 1 << OPERATION_UPDATE,
	DELETE = 1 << OPERATION_DELETE,
};

#define ALL_KINDS NULL, NULL

static const struct plugin {
	const char *name;              /* NULL: no plugin but a rule, and not to be left out */
	admission_plugin *admit;       /* NULL: not in this chain, see admission_runs */
	unsigned operations;           /* of these alone it is asked, and its time counted */
	bool on_demand;                /* runs only when it is named in --enable-admission-plugins */
	const char *group, *plural;    /* and of this resource without its parts; NULL: of all */
} chain[] = {
	{ "NamespaceLifecycle", namespace_lifecycle, CREATE, false, ALL_KINDS },
	{ "LimitRanger", admission_limit_ranger, CREATE | UPDATE, false, ALL_KINDS },
	{ "ServiceAccount", admission_service_account, CREATE, false, "", "pods" },
	{ "NodeRestriction", admission_node_restriction, CREATE | UPDATE | DELETE, false, ALL_KINDS },
	{ "TaintNodesByCondition", taint_nodes_by_condition, CREATE, false, "", "nodes" },
	{ "Priority", admission_priority, CREATE | UPDATE, false, ALL_KINDS },
	{ "DefaultTolerationSeconds", default_toleration_seconds, CREATE | UPDATE, false, "", "pods" },
	{ "DefaultStorageClass", admission_default_storage_class, CREATE, false, "", "persistentvolumeclaims" },
	{ "StorageObjectInUseProtection", admission_storage_protection, CREATE, false, ALL_KINDS },
	{ "PersistentVolumeClaimResize", admission_claim_resize, UPDATE, false, "", "persistentvolumeclaims" },
	{ "RuntimeClass", admission_runtime_class, CREATE, false, "", "pods" },
	{ "CertificateApproval", admission_certificate_approval, UPDATE, false, ALL_KINDS },
	{ "CertificateSigning", admission_certificate_signing, UPDATE, false, ALL_KINDS },
	{ "CertificateSubjectRestriction", admission_certificate_subject_restriction, CREATE, false, ALL_KINDS },
	{ "DefaultIngressClass", admission_default_ingress_class, CREATE, false, "networking.k8s.io", "ingresses" },
	{ "DenyServiceExternalIPs", deny_service_external_ips, CREATE | UPDATE, true, "", "services" },
	{ NULL, admission_token_secret, CREATE | UPDATE, false, "", "secrets" },
	{ NULL, rbac_escalation, CREATE | UPDATE, false, ALL_KINDS },
	{ "ResourceQuota", NULL, 0, false, ALL_KINDS }, /* counts what is valid, just before it is queued */
};

_Static_assert(ARRAY_SIZE(chain) <= METRICS_PLUGINS, "the counters have room for them");

static bool listed(char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static bool runs(const struct apiserver_options *o, const struct plugin *p)
{
	if (!p->name)
		return true;
	if (listed(o->disable_admission_plugins, p->name))
		return false;
	return !p->on_demand || listed(o->enable_admission_plugins, p->name);
}

static bool asked(const struct plugin *p, const struct attempt *t, enum metrics_operation op)
{
	return p->operations & 1U << op && (!p->plural || admission_is(t, p->group, p->plural));
}

int admission_run(struct request *q, struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	const struct apiserver_options *o = q->server->options;
	enum metrics_operation op = !object ? OPERATION_DELETE : old ? OPERATION_UPDATE : OPERATION_CREATE;
	struct attempt t = { q, w, object, old };
	const uint64_t began = uv_hrtime();
	uint64_t before = began, after;
	int r = 0;

	for (unsigned i = 0; !r && i < ARRAY_SIZE(chain); i++) {
		if (!asked(&chain[i], &t, op) || !runs(o, &chain[i]))
			continue;
		r = chain[i].admit(&t);
		after = uv_hrtime();
		metrics_admitted(q->server->metrics, i, op, r, after - before);
		before = after;
	}
	metrics_admitted_all(q->server->metrics, op, r, before - began);
	return r;
}

bool admission_runs(const struct request *q, const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(chain); i++)
		if (chain[i].name && !strcmp(chain[i].name, name))
			return runs(q->server->options, &chain[i]);
	return false;
}

const char *admission_name(unsigned i)
{
	return i < ARRAY_SIZE(chain) ? chain[i].name : NULL;
}

bool admission_known(struct xb_sv name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(chain); i++)
		if (chain[i].name && xb_sv_is(name, chain[i].name))
			return true;
	return false;
}
