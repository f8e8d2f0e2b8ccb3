/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/quota.h"
#include "xb/quantity.h"
#include "xb/time.h"

#define ONE ((__int128)1000000000)

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

/* Resources of other domains ("example.com/gpu") are asked for, and are not limited. */
static bool is_native(struct xb_sv name)
{
	static const char *const names[] = { "cpu", "memory", "ephemeral-storage" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (xb_sv_is(name, names[i]))
			return true;
	return false;
}

bool xb_quota_is_compute(struct xb_sv resource, const char **ret_list, struct xb_sv *ret_name)
{
	struct xb_sv name = resource, domain;
	bool limits = xb_sv_starts(resource, "limits."), requests = xb_sv_starts(resource, "requests.");

	if (limits || requests) {
		name.p += strlen(limits ? "limits." : "requests.");
		name.n -= strlen(limits ? "limits." : "requests.");
	}
	*ret_list = limits ? "limits" : "requests";
	*ret_name = name;
	if (is_native(name) || (!limits && xb_sv_starts(name, "hugepages-")))
		return true;
	if (!requests || !memchr(name.p ? name.p : "", '/', name.n))
		return false;
	xb_sv_split(&name, '/', &domain);
	return !xb_sv_is(domain, "kubernetes.io") && !xb_sv_ends(domain, ".kubernetes.io");
}

/* It ended, or its node did not say so in the time that it had. */
static bool is_over(struct xb_jv pod, int64_t now)
{
	struct xb_jv phase = xb_jv_path(pod, "status", "phase"), meta = xb_jv_get(pod, "metadata");
	int64_t due, grace;

	if (xb_jv_streq(phase, XB_SV("Succeeded")) || xb_jv_streq(phase, XB_SV("Failed")))
		return true;
	return !xb_time_parse(xb_jv_text(xb_jv_get(meta, "deletionTimestamp")), &due) &&
	       !xb_jv_i64(xb_jv_get(meta, "deletionGracePeriodSeconds"), &grace) && now > due + grace * 1000000;
}

/* "gold.storageclass.storage.k8s.io/requests.storage": *ret_class is "gold" and *resource what is left. */
static bool of_class(struct xb_sv *resource, struct xb_sv *ret_class)
{
	static const char suffix[] = ".storageclass.storage.k8s.io";
	struct xb_sv what = *resource, of = {};

	if (memchr(what.p ? what.p : "", '/', what.n))
		xb_sv_split(&what, '/', &of);
	if (!xb_sv_ends(of, suffix) || !(xb_sv_is(what, "requests.storage") || xb_sv_is(what, "persistentvolumeclaims")))
		return false;
	*ret_class = (struct xb_sv){ of.p, of.n - strlen(suffix) };
	*resource = what;
	return true;
}

static struct xb_sv class_of(struct xb_jv claim)
{
	struct xb_jv note = xb_jv_path(claim, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class");

	return xb_jv_text(xb_jv_is(note) ? note : xb_jv_path(claim, "spec", "storageClassName"));
}

static __int128 claim_amount(struct xb_jv claim, struct xb_sv resource)
{
	__int128 asked, allocated;
	struct xb_sv class;

	if (of_class(&resource, &class) && !xb_sv_eq(class, class_of(claim)))
		return 0;
	if (xb_sv_is(resource, "persistentvolumeclaims"))
		return ONE;
	if (!xb_sv_is(resource, "requests.storage"))
		return 0;
	asked = nano_of(xb_jv_path(claim, "spec", "resources", "requests", "storage"));
	allocated = nano_of(xb_jv_path(claim, "status", "allocatedResources", "storage"));
	return MAX(asked, allocated);
}

static __int128 service_amount(struct xb_jv spec, struct xb_sv resource)
{
	bool balanced = xb_jv_streq(xb_jv_get(spec, "type"), XB_SV("LoadBalancer"));
	__int128 n = 0;

	if (xb_sv_is(resource, "services.loadbalancers"))
		return balanced ? ONE : 0;
	if (!xb_sv_is(resource, "services.nodeports"))
		return 0;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "ports")); xb_jit_next(&it);)
		n += xb_jv_is(xb_jv_get(it.value, "nodePort")) ? ONE : 0;
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

static bool is_kind(const struct xb_kind *k, const char *plural)
{
	return !*k->group && !strcmp(k->plural, plural);
}

bool xb_quota_measures(const struct xb_kind *k, struct xb_sv resource)
{
	const char *list;
	struct xb_sv name;

	if (!k->namespaced || counts(k, resource))
		return k->namespaced;
	if (is_kind(k, "services"))
		return xb_sv_is(resource, "services.loadbalancers") || xb_sv_is(resource, "services.nodeports");
	if (is_kind(k, "persistentvolumeclaims"))
		return xb_sv_is(resource, "requests.storage") || of_class(&resource, &name);
	return is_kind(k, "pods") && xb_quota_is_compute(resource, &list, &name);
}

__int128 xb_quota_amount(const struct xb_kind *k, struct xb_jv object, struct xb_sv resource, int64_t now)
{
	struct xb_jv spec = xb_jv_get(object, "spec");
	const char *list;
	struct xb_sv name;

	if (counts(k, resource))
		return xb_sv_is(resource, "pods") && is_over(object, now) ? 0 : ONE;
	if (is_kind(k, "services"))
		return service_amount(spec, resource);
	if (is_kind(k, "persistentvolumeclaims"))
		return claim_amount(object, resource);
	if (is_kind(k, "pods") && xb_quota_is_compute(resource, &list, &name))
		return is_over(object, now) ? 0 : pod_amount(spec, list, name);
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

bool xb_quota_selects(struct xb_jv quota, const struct xb_kind *k, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(quota, "spec"), scopes = xb_jv_get(spec, "scopes");
	struct xb_jv selectors = xb_jv_path(spec, "scopeSelector", "matchExpressions");

	if ((xb_jv_count(scopes) || xb_jv_count(selectors)) && !is_kind(k, "pods"))
		return false;
	for (struct xb_jit it = xb_jv_iter(scopes); xb_jit_next(&it);)
		if (!in_scope(object, xb_jv_text(it.value), (struct xb_jv){}))
			return false;
	for (struct xb_jit it = xb_jv_iter(selectors); xb_jit_next(&it);)
		if (!in_scope(object, xb_jv_text(xb_jv_get(it.value, "scopeName")), it.value))
			return false;
	return true;
}
