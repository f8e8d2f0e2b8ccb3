/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Validation of a pod's spec as a whole, and of what an update may change in it. */
#include "edit.h"
#include "pod.h"
#include "seen.h"

enum { MAX_NAMESERVERS = 3, MAX_SEARCHES = 32, MAX_SEARCH_BYTES = 2048 };

static void validate_choice(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *object,
			    const char *key, const char *const *choices)
{
	if (xb_tree_get(object, key))
		xb_validate_one_of(e, XB_PATH(at, key), xb_tree_gettext(object, key), choices);
}

/* --- security context */

static void validate_id(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *id)
{
	int64_t n;

	if (!xb_tree_i64(id, &n) && (n < 0 || n > INT32_MAX))
		xb_err_invalid(e, at, id, "must be between 0 and %d, inclusive", INT32_MAX);
}

void pod_validate_id(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *security, const char *key)
{
	validate_id(e, XB_PATH(at, key), xb_tree_get(security, key));
}

void pod_validate_seccomp(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *profile)
{
	static const char *const types[] = { "Localhost", "RuntimeDefault", "Unconfined", NULL };
	const struct xb_tree *type = xb_tree_get(profile, "type"), *local = xb_tree_get(profile, "localhostProfile");
	const struct xb_path *local_path = XB_PATH(at, "localhostProfile");

	if (!profile)
		return;
	if (xb_tree_is(type, "Localhost") && !local)
		xb_err_required(e, local_path, "must be set when seccomp type is Localhost");
	else if (xb_tree_is(type, "Localhost"))
		pod_validate_relative_path(e, local_path, xb_tree_text(local));
	else if (local)
		xb_err_invalid(e, local_path, profile, "can only be set when seccomp type is Localhost");
	if (!xb_tree_text(type).n)
		xb_err_required(e, XB_PATH(at, "type"), "type is required when seccompProfile is set");
	else
		xb_validate_one_of(e, XB_PATH(at, "type"), xb_tree_text(type), types);
}

static void validate_sysctls(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list)
{
	struct seen names = SEEN(e);
	long i = 0;

	xb_tree_each(sysctl, list) {
		const struct xb_path *here = XB_PATH(XB_PATH_AT(at, i++), "name");
		struct xb_sv name = xb_tree_gettext(sysctl, "name");

		if (!name.n)
			xb_err_required(e, here, "");
		else if (seen_text(&names, name))
			xb_err_duplicate(e, here, name);
	}
}

static void validate_security(struct xb_field_errors *e, const struct xb_path *spec_path, const struct xb_tree *spec)
{
	static const char *const changes[] = { "OnRootMismatch", "Always", NULL };
	const struct xb_tree *security = xb_tree_get(spec, "securityContext"), *share = xb_tree_get(spec,
						     "shareProcessNamespace");
	const struct xb_path *at = XB_PATH(spec_path, "securityContext");
	long i = 0;

	pod_validate_id(e, at, security, "fsGroup");
	pod_validate_id(e, at, security, "runAsUser");
	pod_validate_id(e, at, security, "runAsGroup");
	xb_tree_each(group, xb_tree_get(security, "supplementalGroups"))
		validate_id(e, XB_PATH_AT(XB_PATH(at, "supplementalGroups"), i++), group);
	if (xb_tree_true(share) && xb_tree_true(xb_tree_get(spec, "hostPID")))
		xb_err_invalid_go(e, XB_PATH(spec_path, "shareProcessNamespace"), "true",
				  "ShareProcessNamespace and HostPID cannot both be enabled");
	validate_sysctls(e, XB_PATH(at, "sysctls"), xb_tree_get(security, "sysctls"));
	validate_choice(e, at, security, "fsGroupChangePolicy", changes);
	pod_validate_seccomp(e, XB_PATH(at, "seccompProfile"), xb_tree_get(security, "seccompProfile"));
}

/* --- network */

static void validate_host_network(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	long c = 0;

	if (!xb_tree_true(xb_tree_get(spec, "hostNetwork")))
		return;
	xb_tree_each(container, xb_tree_get(spec, "containers")) {
		const struct xb_path *ports_path = XB_PATH(XB_PATH_AT(XB_PATH(at, "containers"), c++), "ports");
		long p = 0;

		xb_tree_each(port, xb_tree_get(container, "ports")) {
			const struct xb_path *here = XB_PATH(XB_PATH_AT(ports_path, p++), "containerPort");

			if (xb_tree_get(port, "hostPort") && !xb_tree_equal(xb_tree_get(port, "hostPort"),
			    xb_tree_get(port, "containerPort")))
				xb_err_invalid(e, here, xb_tree_get(port, "containerPort"),
					       "must match `hostPort` when `hostNetwork` is true");
		}
	}
}

static void validate_searches(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *searches)
{
	size_t total = 0;
	long i = 0;

	if (searches && searches->count > MAX_SEARCHES)
		xb_err_invalid(e, at, searches, "must not have more than %d search paths", MAX_SEARCHES);
	xb_tree_each(search, searches)
		total += xb_tree_text(search).n + 1;
	if (total > MAX_SEARCH_BYTES + 1)
		xb_err_invalid(e, at, searches,
			"must not have more than %d characters (including spaces) in the search list", MAX_SEARCH_BYTES);
	xb_tree_each(search, searches) {
		struct xb_sv name = xb_tree_text(search);

		if (xb_sv_ends(name, "."))
			name.n--;
		if (name.n || !xb_tree_text(search).n)
			xb_validate(e, XB_PATH_AT(at, i), name, xb_check_dns1123_subdomain);
		i++;
	}
}

static void validate_dns(struct xb_field_errors *e, const struct xb_path *spec_path, const struct xb_tree *spec)
{
	const struct xb_tree *config = xb_tree_get(spec, "dnsConfig"), *servers = xb_tree_get(config, "nameservers");
	const struct xb_path *at = XB_PATH(spec_path, "dnsConfig"), *servers_path = XB_PATH(at, "nameservers");
	bool none = xb_tree_is(xb_tree_get(spec, "dnsPolicy"), "None");
	long i = 0;

	if (none && !config) {
		xb_err_required(e, at, "must provide `dnsConfig` when `dnsPolicy` is None");
		return;
	}
	if (none && edit_is_empty(servers)) {
		xb_err_required(e, servers_path, "must provide at least one DNS nameserver when `dnsPolicy` is None");
		return;
	}
	if (servers && servers->count > MAX_NAMESERVERS)
		xb_err_invalid(e, servers_path, servers, "must not have more than %d nameservers", MAX_NAMESERVERS);
	xb_tree_each(server, servers)
		xb_validate(e, XB_PATH_AT(servers_path, i++), xb_tree_text(server), xb_check_ip);
	validate_searches(e, XB_PATH(at, "searches"), xb_tree_get(config, "searches"));
	i = 0;
	xb_tree_each(option, xb_tree_get(config, "options")) {
		if (!xb_tree_gettext(option, "name").n)
			xb_err_required(e, XB_PATH_AT(XB_PATH(at, "options"), i), "must not be empty");
		i++;
	}
}

static void validate_host_aliases(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *aliases)
{
	long i = 0;

	xb_tree_each(alias, aliases) {
		const struct xb_path *here = XB_PATH_AT(at, i++);
		long n = 0;

		xb_validate(e, XB_PATH(here, "ip"), xb_tree_gettext(alias, "ip"), xb_check_ip);
		xb_tree_each(name, xb_tree_get(alias, "hostnames"))
			xb_validate(e, XB_PATH_AT(XB_PATH(here, "hostnames"), n++), xb_tree_text(name),
				    xb_check_dns1123_subdomain);
	}
}

/* --- the rest */

static void validate_gates(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	long i = 0;

	xb_tree_each(gate, xb_tree_get(spec, "readinessGates"))
		xb_validate(e, XB_PATH(XB_PATH_AT(XB_PATH(at, "readinessGates"), i++), "conditionType"),
			    xb_tree_gettext(gate, "conditionType"),
			    xb_check_qualified_name);
	i = 0;
	xb_tree_each(gate, xb_tree_get(spec, "schedulingGates"))
		xb_validate(e, XB_PATH_AT(XB_PATH(at, "schedulingGates"), i++), xb_tree_gettext(gate, "name"),
			    xb_check_qualified_name);
}

static void validate_names(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	static const struct {
		const char *key;
		xb_check_fn *check;
	} names[] = {
		{ "serviceAccountName", xb_check_dns1123_subdomain }, { "nodeName", xb_check_dns1123_subdomain },
		{ "hostname", xb_check_dns1123_label }, { "subdomain", xb_check_dns1123_label },
		{ "priorityClassName", xb_check_dns1123_subdomain }, { "runtimeClassName", xb_check_dns1123_subdomain },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct xb_sv name = xb_tree_gettext(spec, names[i].key);

		if (name.n)
			xb_validate(e, XB_PATH(at, names[i].key), name, names[i].check);
	}
}

void pod_spec_validate(struct write *w, const struct xb_path *at, const struct xb_tree *spec, struct xb_field_errors *e)
{
	static const char *const restarts[] = { "Always", "OnFailure", "Never", NULL };
	static const char *const dns_policies[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None", NULL };
	static const char *const preemptions[] = { "Never", "PreemptLowerPriority", NULL }, *const systems[] = { "linux", "windows", NULL };
	struct pod_check c = { .w = w, .e = e, .spec = spec };
	int64_t deadline = xb_tree_geti64(spec, "activeDeadlineSeconds", 1);

	pod_validate_volumes(&c, XB_PATH(at, "volumes"));
	pod_validate_containers(&c, at);
	pod_validate_ephemeral(&c, at);
	validate_host_network(e, at, spec);
	xb_validate_one_of(e, XB_PATH(at, "restartPolicy"), xb_tree_gettext(spec, "restartPolicy"), restarts);
	xb_validate_one_of(e, XB_PATH(at, "dnsPolicy"), xb_tree_gettext(spec, "dnsPolicy"), dns_policies);
	if (xb_tree_get(spec, "nodeSelector"))
		xb_validate_labels(e, XB_PATH(at, "nodeSelector"), xb_tree_get(spec, "nodeSelector"));
	validate_security(e, at, spec);
	pod_validate_affinity(e, XB_PATH(at, "affinity"), xb_tree_get(spec, "affinity"));
	validate_dns(e, at, spec);
	validate_gates(e, at, spec);
	pod_validate_spread(e, XB_PATH(at, "topologySpreadConstraints"), xb_tree_get(spec, "topologySpreadConstraints"));
	validate_names(e, at, spec);
	if (deadline < 1 || deadline > INT32_MAX)
		xb_err_invalid(e, XB_PATH(at, "activeDeadlineSeconds"), xb_tree_get(spec, "activeDeadlineSeconds"),
			       "must be between 1 and %d, inclusive", INT32_MAX);
	pod_validate_tolerations(e, XB_PATH(at, "tolerations"), xb_tree_get(spec, "tolerations"));
	validate_host_aliases(e, XB_PATH(at, "hostAliases"), xb_tree_get(spec, "hostAliases"));
	validate_choice(e, at, spec, "preemptionPolicy", preemptions);
	if (xb_tree_get(spec, "os"))
		xb_validate_one_of(e, XB_PATH(XB_PATH(at, "os"), "name"), xb_tree_gettext(xb_tree_get(spec, "os"),
				   "name"), systems);
}

/* --- updates */

/* Returns false when there is nothing more to compare. */
static bool validate_same_containers(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list,
				     const struct xb_tree *old)
{
	if ((list ? list->count : 0) == (old ? old->count : 0))
		return true;
	xb_err_forbidden(e, at, "pod updates may not add or remove containers");
	return false;
}

static bool validate_deadline(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *deadline,
			      const struct xb_tree *old)
{
	int64_t n = 0, before = INT64_MAX;

	(void)xb_tree_i64(old, &before);
	if (!deadline && old)
		xb_err_invalid(e, at, NULL, "must not update from a positive integer to nil value");
	else if (xb_tree_i64(deadline, &n) < 0)
		return true;
	else if (n < 0 || n > INT32_MAX)
		xb_err_invalid(e, at, deadline, "must be between 0 and %d, inclusive", INT32_MAX);
	else if (before < n)
		xb_err_invalid(e, at, deadline, "must be less than or equal to previous value");
	else
		return true;
	return false;
}

static void validate_kept_tolerations(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list,
				      const struct xb_tree *old)
{
	static const char *const identity[] = { "key", "operator", "value", "effect", NULL };
	struct seen now = SEEN(e);

	xb_tree_each(toleration, list)
		seen_node(&now, toleration, identity);
	xb_tree_each(before, old)
		if (!seen_has(&now, before, identity)) {
			xb_err_forbidden(e, at, "existing toleration can not be modified except its tolerationSeconds");
			return;
		}
}

static void validate_kept_gates(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list,
				const struct xb_tree *old)
{
	struct seen before = SEEN(e);
	long i = 0;

	xb_tree_each(gate, old)
		seen_text(&before, xb_tree_gettext(gate, "name"));
	xb_tree_each(gate, list) {
		if (!xb_tree_getsv(before.texts, xb_tree_gettext(gate, "name")))
			xb_err_forbidden(e, XB_PATH_AT(at, i), xb_arena_printf(e->arena,
					 "only deletion is allowed, but found new scheduling gate '%.*s'",
				XB_SV_ARG(xb_tree_gettext(gate, "name"))));
		i++;
	}
}

/* The new spec with what may change put back as it was; images one by one, as the lists are of one length. */
static struct xb_tree *as_before(struct write *w, const struct xb_tree *spec, const struct xb_tree *old)
{
	static const char *const lists[] = { "containers", "initContainers" };
	static const char *const free_to_change[] = { "activeDeadlineSeconds", "tolerations", "schedulingGates" };
	struct xb_tree *munged = xb_tree_copy(w->arena, spec);

	for (size_t i = 0; munged && i < ARRAY_SIZE(lists); i++) {
		const struct xb_tree *old_list = xb_tree_get(old, lists[i]), *before = old_list ? old_list->first : NULL;

		xb_tree_each(container, xb_tree_get(munged, lists[i])) {
			edit_keep(w, container, before, "image");
			before = before->next;
		}
	}
	for (size_t i = 0; munged && i < ARRAY_SIZE(free_to_change); i++)
		edit_keep(w, munged, old, free_to_change[i]);
	if (xb_tree_geti64(old, "terminationGracePeriodSeconds", 0) < 0 && xb_tree_geti64(spec,
	    "terminationGracePeriodSeconds", 0) == 1)
		edit_keep(w, munged, old, "terminationGracePeriodSeconds");
	return munged;
}

void pod_validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old_object,
			 struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *old = xb_tree_get(old_object, "spec"), *munged;
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (!validate_same_containers(e, XB_PATH(at, "containers"), xb_tree_get(spec, "containers"), xb_tree_get(old,
	    "containers")) ||
	    !validate_same_containers(e, XB_PATH(at, "initContainers"), xb_tree_get(spec, "initContainers"),
				      xb_tree_get(old, "initContainers")) ||
	    !validate_deadline(e, XB_PATH(at, "activeDeadlineSeconds"), xb_tree_get(spec, "activeDeadlineSeconds"),
			       xb_tree_get(old, "activeDeadlineSeconds")))
		return;
	validate_kept_tolerations(e, XB_PATH(at, "tolerations"), xb_tree_get(spec, "tolerations"), xb_tree_get(old,
				  "tolerations"));
	validate_kept_gates(e, XB_PATH(at, "schedulingGates"), xb_tree_get(spec, "schedulingGates"), xb_tree_get(old,
			    "schedulingGates"));
	munged = as_before(w, spec, old);
	if (!munged)
		w->no_memory = true;
	else if (!xb_tree_equal(munged, old))
		xb_err_forbidden(e, at,
			"pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
			"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
			"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
}
