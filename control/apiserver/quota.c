/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "quota.h"
#include "server.h"
#include "write.h"
#include "xb/quantity.h"
#include "xb/time.h"

struct quota_claim {
	struct quota_claim *next, **at;    /* among the server's */
	const struct xb_kind *kind;
	struct xb_sv namespace_;
	struct xb_json *doc, *old;         /* old: NULL at creation */
};

/* One write under one quota. */
struct check {
	struct request *request;
	const struct write *write;
	struct xb_jv quota, object, old;
	struct xb_buf requested, used, limited, missing; /* lists for the message */
};

static struct xb_jv root_of(const struct xb_json *doc)
{
	return doc ? xb_json_root(doc) : (struct xb_jv){};
}

/* --- what one object counts for */

static __int128 nano_of(struct xb_jv amount)
{
	struct xb_quantity q;

	return xb_quantity_parse(xb_jv_text(amount), &q) ? 0 : q.nano;
}

/* Of a pod: the containers and sidecars together, or an init container and the sidecars before it that need more, and the
 * overhead. list: "requests", "limits". */
static __int128 pod_amount(struct xb_jv spec, const char *list, struct xb_sv name)
{
	__int128 sum = 0, sidecars = 0, most = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "containers")); xb_jit_next(&it);)
		sum += nano_of(xb_jv_getsv(xb_jv_path(it.value, "resources", list), name));
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "initContainers")); xb_jit_next(&it);) {
		__int128 one = sidecars + nano_of(xb_jv_getsv(xb_jv_path(it.value, "resources", list), name));

		if (xb_jv_streq(xb_jv_get(it.value, "restartPolicy"), XB_SV("Always")))
			sidecars = one;
		most = MAX(most, one);
	}
	sum += sidecars;
	return MAX(sum, most) + nano_of(xb_jv_getsv(xb_jv_get(spec, "overhead"), name));
}

/* "requests.cpu", "cpu": *ret_list and *ret_name say where a container has it. */
static bool is_compute(struct xb_sv resource, const char **ret_list, struct xb_sv *ret_name)
{
	static const char *const bare[] = { "cpu", "memory", "ephemeral-storage" };

	*ret_list = xb_sv_starts(resource, "limits.") ? "limits" : "requests";
	*ret_name = resource;
	for (unsigned i = 0; i < ARRAY_SIZE(bare); i++)
		if (xb_sv_is(resource, bare[i]))
			return true;
	if (xb_sv_starts(resource, "hugepages-"))
		return true;
	if (!xb_sv_starts(resource, "limits.") && !xb_sv_starts(resource, "requests."))
		return false;
	ret_name->p += strlen(*ret_list) + 1;
	ret_name->n -= strlen(*ret_list) + 1;
	return true;
}

/* It ended, or its node did not say so in the time that it had. */
static bool is_over(struct xb_jv pod)
{
	struct xb_jv phase = xb_jv_path(pod, "status", "phase"), meta = xb_jv_get(pod, "metadata");
	int64_t due, grace;

	if (xb_jv_streq(phase, XB_SV("Succeeded")) || xb_jv_streq(phase, XB_SV("Failed")))
		return true;
	return !xb_time_parse(xb_jv_text(xb_jv_get(meta, "deletionTimestamp")), &due) &&
	       !xb_jv_i64(xb_jv_get(meta, "deletionGracePeriodSeconds"), &grace) && xb_time_now() > due + grace * 1000000;
}

/* "requests.storage", and for claims of one class "gold.storageclass.storage.k8s.io/requests.storage". */
static __int128 claim_amount(struct xb_jv claim, struct xb_sv resource)
{
	static const char suffix[] = ".storageclass.storage.k8s.io";
	struct xb_jv spec = xb_jv_get(claim, "spec"), note = xb_jv_path(claim, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class");
	struct xb_sv class = xb_jv_text(xb_jv_is(note) ? note : xb_jv_get(spec, "storageClassName")), what = resource, of;
	__int128 asked, allocated;

	if (memchr(resource.p, '/', resource.n)) {
		xb_sv_split(&what, '/', &of);
		if (!xb_sv_ends(of, suffix) || !xb_sv_eq(class, (struct xb_sv){ of.p, of.n - strlen(suffix) }))
			return 0;
		if (xb_sv_is(what, "persistentvolumeclaims"))
			return 1000000000;
	}
	if (!xb_sv_is(what, "requests.storage"))
		return 0;
	asked = nano_of(xb_jv_path(spec, "resources", "requests", "storage"));
	allocated = nano_of(xb_jv_path(claim, "status", "allocatedResources", "storage"));
	return MAX(asked, allocated);
}

static __int128 service_amount(struct xb_jv spec, struct xb_sv resource)
{
	bool balanced = xb_jv_streq(xb_jv_get(spec, "type"), XB_SV("LoadBalancer"));
	__int128 n = 0;

	if (xb_sv_is(resource, "services.loadbalancers"))
		return balanced ? 1000000000 : 0;
	if (!xb_sv_is(resource, "services.nodeports"))
		return 0;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "ports")); xb_jit_next(&it);)
		n += xb_jv_is(xb_jv_get(it.value, "nodePort")) ? 1000000000 : 0;
	return n;
}

/* "count/deployments.apps", and the short names of the kinds that had quotas before that form was. */
static bool counts(const struct xb_kind *k, struct xb_sv resource)
{
	static const char *const old[] = {
		"configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
	};
	struct xb_sv group = resource, plural;

	if (xb_sv_starts(resource, "count/")) {
		group.p += 6;
		group.n -= 6;
		xb_sv_split(&group, '.', &plural);
		return xb_sv_is(plural, k->plural) && xb_sv_is(group, k->group);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(old); i++)
		if (xb_sv_is(resource, old[i]))
			return !*k->group && xb_sv_is(resource, k->plural);
	return false;
}

/* In nano-units; 0: nothing. */
static __int128 amount_of(const struct xb_kind *k, struct xb_jv object, struct xb_sv resource)
{
	struct xb_jv spec = xb_jv_get(object, "spec");
	const char *list;
	struct xb_sv name;

	if (counts(k, resource))
		return xb_sv_is(resource, "pods") && is_over(object) ? 0 : 1000000000;
	if (*k->group)
		return 0;
	if (!strcmp(k->plural, "services"))
		return service_amount(spec, resource);
	if (!strcmp(k->plural, "persistentvolumeclaims"))
		return claim_amount(object, resource);
	if (!strcmp(k->plural, "pods") && is_compute(resource, &list, &name))
		return is_over(object) ? 0 : pod_amount(spec, list, name);
	return 0;
}

/* --- scopes: they are about pods */

static bool in_list(struct xb_jv values, struct xb_jv text)
{
	for (struct xb_jit it = xb_jv_iter(values); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, xb_jv_text(text)))
			return true;
	return false;
}

/* Does it choose its neighbours among other namespaces' pods? */
static bool looks_abroad(struct xb_jv pod)
{
	static const char *const kinds[] = { "podAffinity", "podAntiAffinity" };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct xb_jv affinity = xb_jv_path(pod, "spec", "affinity", kinds[i]);

		for (struct xb_jit it = xb_jv_iter(xb_jv_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution")); xb_jit_next(&it);)
			if (xb_jv_count(xb_jv_get(it.value, "namespaces")) || xb_jv_is(xb_jv_get(it.value, "namespaceSelector")))
				return true;
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution")); xb_jit_next(&it);)
			if (xb_jv_count(xb_jv_path(it.value, "podAffinityTerm", "namespaces")) ||
			    xb_jv_is(xb_jv_path(it.value, "podAffinityTerm", "namespaceSelector")))
				return true;
	}
	return false;
}

static bool in_scope(struct xb_jv pod, struct xb_sv scope, struct xb_jv selector)
{
	struct xb_jv class = xb_jv_path(pod, "spec", "priorityClassName"), operator = xb_jv_get(selector, "operator");
	bool best_effort = xb_jv_streq(xb_jv_path(pod, "status", "qosClass"), XB_SV("BestEffort"));
	bool terminates = xb_jv_is(xb_jv_path(pod, "spec", "activeDeadlineSeconds"));

	if (xb_sv_is(scope, "BestEffort") || xb_sv_is(scope, "NotBestEffort"))
		return best_effort == xb_sv_is(scope, "BestEffort");
	if (xb_sv_is(scope, "Terminating") || xb_sv_is(scope, "NotTerminating"))
		return terminates == xb_sv_is(scope, "Terminating");
	if (xb_sv_is(scope, "CrossNamespacePodAffinity"))
		return looks_abroad(pod);
	if (!xb_sv_is(scope, "PriorityClass"))
		return false;
	if (xb_jv_streq(operator, XB_SV("In")))
		return in_list(xb_jv_get(selector, "values"), class);
	if (xb_jv_streq(operator, XB_SV("NotIn")))
		return !in_list(xb_jv_get(selector, "values"), class);
	return (xb_jv_text(class).n > 0) == !xb_jv_streq(operator, XB_SV("DoesNotExist"));
}

static bool selects(struct xb_jv quota, const struct xb_kind *k, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(quota, "spec"), scopes = xb_jv_get(spec, "scopes");
	struct xb_jv selectors = xb_jv_path(spec, "scopeSelector", "matchExpressions");

	if ((xb_jv_count(scopes) || xb_jv_count(selectors)) && (*k->group || strcmp(k->plural, "pods")))
		return false;
	for (struct xb_jit it = xb_jv_iter(scopes); xb_jit_next(&it);)
		if (!in_scope(object, xb_jv_text(it.value), (struct xb_jv){}))
			return false;
	for (struct xb_jit it = xb_jv_iter(selectors); xb_jit_next(&it);)
		if (!in_scope(object, xb_jv_text(xb_jv_get(it.value, "scopeName")), it.value))
			return false;
	return true;
}

/* --- one quota */

/* What old becoming object adds; old may be {}. */
static __int128 increase(struct xb_jv quota, const struct xb_kind *k, struct xb_jv object, struct xb_jv old, struct xb_sv resource)
{
	__int128 now = selects(quota, k, object) ? amount_of(k, object, resource) : 0;
	__int128 before = xb_jv_is(old) && selects(quota, k, old) ? amount_of(k, old, resource) : 0;

	return now > before ? now - before : 0;
}

static int sum_used(const struct check *c, struct xb_sv resource, __int128 *ret)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	const struct xb_kind *k = xb_kind_stored(c->write->kind);
	const char *prefix = route_key(c->request->arena, k, c->write->namespace_, (struct xb_sv){});
	struct store_object *o;
	__int128 sum = 0;
	int r;

	r = prefix ? store_walk_new(c->request->server->store, prefix, NULL, 0, &walk) : -ENOMEM;
	if (r)
		return r;
	while ((o = store_walk_next(walk)))
		if (selects(c->quota, k, xb_json_root(o->doc)))
			sum += amount_of(k, xb_json_root(o->doc), resource);
	for (const struct quota_claim *claim = c->request->server->claims; claim; claim = claim->next)
		if (claim->kind == k && xb_sv_eq(claim->namespace_, c->write->namespace_))
			sum += increase(c->quota, k, xb_json_root(claim->doc), root_of(claim->old), resource);
	*ret = sum;
	return store_walk_error(walk);
}

static void add_amount(struct xb_buf *b, struct xb_sv resource, __int128 nano, enum xb_quantity_form form)
{
	struct xb_quantity q = { nano, form };

	xb_buf_addf(b, "%s%.*s=", b->n ? "," : "", XB_SV_ARG(resource));
	xb_quantity_write(&q, b);
}

/* A quota on cpu or memory wants every container to say what it needs. */
static void check_said(struct check *c, struct xb_sv resource)
{
	static const char *const lists[] = { "containers", "initContainers" };
	bool found = false;
	const char *list;
	struct xb_sv name;

	if (*c->write->kind->group || strcmp(c->write->kind->plural, "pods") || !is_compute(resource, &list, &name) ||
	    !(xb_sv_is(name, "cpu") || xb_sv_is(name, "memory")))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_path(c->object, "spec", lists[i])); xb_jit_next(&it);) {
			if (xb_jv_is(xb_jv_getsv(xb_jv_path(it.value, "resources", list), name)))
				continue;
			if (!found)
				xb_buf_addf(&c->missing, "%s%.*s for: ", c->missing.n ? "; " : "", XB_SV_ARG(resource));
			xb_buf_addf(&c->missing, "%s%.*s", found ? "," : "", XB_SV_ARG(xb_jv_text(xb_jv_path(it.value, "name"))));
			found = true;
		}
}

static int check_resource(struct check *c, struct xb_sv resource, struct xb_jv limit)
{
	const struct xb_kind *k = xb_kind_stored(c->write->kind);
	__int128 wanted = increase(c->quota, k, c->object, c->old, resource), used;
	struct xb_quantity hard;
	int r;

	check_said(c, resource);
	if (!wanted || xb_quantity_parse(xb_jv_text(limit), &hard))
		return 0;
	r = sum_used(c, resource, &used);
	if (r || used + wanted <= hard.nano)
		return r;
	add_amount(&c->requested, resource, wanted, hard.form);
	add_amount(&c->used, resource, used, hard.form);
	add_amount(&c->limited, resource, hard.nano, hard.form);
	return 0;
}

static int refuse(const struct check *c)
{
	const struct write *w = c->write;
	struct xb_sv name = xb_jv_text(xb_jv_path(c->quota, "metadata", "name"));

	if (c->requested.err || c->used.err || c->limited.err || c->missing.err)
		return -ENOMEM;
	if (c->missing.n)
		return xb_status_forbidden(&c->request->fault, w->kind->group, w->kind->plural, w->name, "failed quota: %.*s: must specify %s",
					   XB_SV_ARG(name), c->missing.p);
	if (c->requested.n)
		return xb_status_forbidden(&c->request->fault, w->kind->group, w->kind->plural, w->name,
			"exceeded quota: %.*s, requested: %s, used: %s, limited: %s", XB_SV_ARG(name), c->requested.p, c->used.p, c->limited.p);
	return 0;
}

static int check_quota(struct check *c)
{
	struct xb_buf *const texts[] = { &c->requested, &c->used, &c->limited, &c->missing };
	int r = 0;

	if (!selects(c->quota, xb_kind_stored(c->write->kind), c->object))
		return 0;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(c->quota, "spec", "hard")); !r && xb_jit_next(&it);)
		r = check_resource(c, it.key, it.value);
	if (!r)
		r = refuse(c);
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		xb_buf_done(texts[i]);
	return r;
}

static int claim(struct request *q, struct write *w, struct xb_json *doc, struct xb_json *old)
{
	struct quota_claim *c = xb_arena_alloc(w->arena, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct quota_claim){
		.next = q->server->claims, .at = &q->server->claims, .kind = xb_kind_stored(w->kind), .namespace_ = w->namespace_,
		.doc = xb_json_ref(doc), .old = old ? xb_json_ref(old) : NULL,
	};
	if (c->next)
		c->next->at = &c->next;
	q->server->claims = c;
	w->claim = c;
	return 0;
}

void quota_release(struct write *w)
{
	struct quota_claim *c = w->claim;

	if (!c)
		return;
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	xb_json_unref(c->doc);
	xb_json_unref(c->old);
	w->claim = NULL;
}

static int parse(const struct xb_node *object, struct xb_json **ret)
{
	_cleanup_buf_ struct xb_buf bytes = {};

	xb_tree_write(object, &bytes);
	return bytes.err ? bytes.err : xb_json_parse(xb_buf_sv(&bytes), &(struct xb_json_limits){ .max_bytes = 1u << 28 }, ret, NULL);
}

/* Of most kinds only the objects are counted, so an update changes nothing. */
static bool is_counted(const struct write *w, const struct xb_json *old)
{
	if (!w->kind->namespaced)
		return false;
	if (!old)
		return true;
	if (*w->kind->group)
		return false;
	if (!strcmp(w->kind->plural, "pods"))
		return w->sub && !strcmp(w->sub->name, "resize");
	return !w->sub && (!strcmp(w->kind->plural, "services") || !strcmp(w->kind->plural, "persistentvolumeclaims"));
}

int quota_admit(struct request *q, struct write *w, const struct xb_node *object, struct xb_json *old)
{
	const struct xb_kind *quotas = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("resourcequotas"));
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct store_object *o;
	const char *prefix;
	int r;

	if (!is_counted(w, old))
		return 0;
	prefix = route_key(q->arena, quotas, w->namespace_, (struct xb_sv){});
	r = prefix ? store_walk_new(q->server->store, prefix, NULL, 0, &walk) : -ENOMEM;
	while (!r && (o = store_walk_next(walk))) {
		struct check c = { .request = q, .write = w, .quota = xb_json_root(o->doc), .old = root_of(old) };

		r = doc ? 0 : parse(object, &doc);
		if (r)
			break;
		c.object = xb_json_root(doc);
		r = check_quota(&c);
	}
	if (!r)
		r = store_walk_error(walk);
	return r || !doc || w->dry_run ? r : claim(q, w, doc, old);
}
