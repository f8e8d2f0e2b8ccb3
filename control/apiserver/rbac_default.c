/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bootstrap.h"
#include "rbac_default.h"
#include "rbac_rule.h"
#include "registry/rbac.h"

#define DEFAULTS "\"labels\":{\"kubernetes.io/bootstrapping\":\"rbac-defaults\""
#define UPDATED "\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":\"true\"}"

/* --- rules as JSON --- */

static void write_list(struct xb_jw *w, const char *key, struct xb_sv list)
{
	struct xb_sv one;

	xb_jw_key(w, key);
	xb_jw_array(w);
	while (xb_sv_split(&list, ',', &one))
		xb_jw_sv(w, xb_sv_is(one, "core") ? XB_SV("") : one);
	xb_jw_end(w);
}

static void write_rule(struct xb_jw *w, struct xb_sv rule)
{
	static const char *const keys[] = { "verbs", "apiGroups", "resources", "resourceNames" };
	struct xb_sv word[ARRAY_SIZE(keys)] = {};
	unsigned n = 0;

	while (n < ARRAY_SIZE(word) && xb_sv_split(&rule, ' ', &word[n]))
		n++;
	xb_jw_object(w);
	write_list(w, keys[0], word[0]);
	if (n == 2)
		write_list(w, "nonResourceURLs", word[1]);
	for (unsigned i = 1; n > 2 && i < n; i++)
		write_list(w, keys[i], word[i]);
	xb_jw_end(w);
}

void rbac_default_write_rules(const char *rules, struct xb_buf *out)
{
	struct xb_sv rest = xb_sv(rules), rule;
	struct xb_jw w = XB_JW(out);

	xb_jw_array(&w);
	while (xb_sv_split(&rest, ';', &rule)) {
		rule = xb_sv_trim(rule);
		if (rule.n)
			write_rule(&w, rule);
	}
	xb_jw_end(&w);
	if (xb_jw_finish(&w))
		out->err = -ENOMEM;
}

void rbac_default_rules(const char *name, struct xb_buf *out)
{
	for (const struct rbac_default_role *r = rbac_default_roles; r->name; r++)
		if (!r->namespace_ && r->rules && !strcmp(r->name, name))
			rbac_default_write_rules(r->rules, out);
}

/* --- what an object that is there lacks --- */

/* Is there an entry in list that equals it? */
static bool has(const struct xb_tree *list, const struct xb_tree *entry)
{
	xb_tree_each(n, list)
		if (xb_tree_equal(n, entry))
			return true;
	return false;
}

/* Additive, as upstream's reconciliation: rules that the ones there do not cover; subjects that are not listed. */
static bool lacks(const char *member, const struct xb_tree *there, const struct xb_tree *entry)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	struct xb_tree *one = a ? xb_tree_array(a) : NULL, *copy = one ? xb_tree_copy(a, entry) : NULL;
	_cleanup_buf_ struct xb_buf missing = {};

	if (strcmp(member, "rules"))
		return !has(there, entry);
	if (!copy)
		return false;
	xb_tree_append(one, copy);
	return rbac_rules_cover(there, one, &missing) == -EACCES;
}

static bool complete(struct xb_arena *a, struct xb_tree *object, const struct xb_tree *wanted, const char *member)
{
	struct xb_tree *list = xb_tree_get(object, member);
	bool changed = false;

	if (!list && xb_tree_get(wanted, member)) {
		list = xb_tree_array(a);
		if (list)
			xb_tree_set(object, xb_sv(member), list);
	}
	xb_tree_each(entry, list ? xb_tree_get(wanted, member) : NULL) {
		struct xb_tree *copy = lacks(member, list, entry) ? xb_tree_copy(a, entry) : NULL;

		if (!copy)
			continue;
		xb_tree_append(list, copy);
		changed = true;
	}
	return changed;
}

static bool reconcile(struct xb_arena *a, struct xb_tree *object, const struct xb_tree *wanted)
{
	const struct xb_tree *notes = xb_tree_path(object, "metadata", "annotations");
	bool changed = false;

	if (xb_tree_is(xb_tree_get(notes, "rbac.authorization.kubernetes.io/autoupdate"), "false"))
		return false;
	if (!xb_tree_get(wanted, "aggregationRule"))
		changed |= complete(a, object, wanted, "rules");
	changed |= complete(a, object, wanted, "subjects");
	return changed;
}

/* --- rows as objects --- */

static int ensure(struct server *s, const char *plural, const char *namespace_, const char *name, struct xb_buf *json)
{
	struct bootstrap_object o = {
		.group = RBAC_GROUP, .plural = plural, .namespace_ = namespace_ ? namespace_ : "", .name = name,
		.json = json->p, .reconcile = reconcile,
	};

	return json->err ? json->err : bootstrap_ensure(s, &o);
}

static int ensure_role(struct server *s, const struct rbac_default_role *row)
{
	_cleanup_buf_ struct xb_buf json = {};

	xb_buf_addf(&json, "{\"metadata\":{\"name\":\"%s\"," UPDATED "," DEFAULTS, row->name);
	if (row->label)
		xb_buf_addf(&json, ",\"%s\":\"true\"", row->label);
	xb_buf_adds(&json, "}}");
	if (row->aggregates)
		xb_buf_addf(&json, ",\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":{\"%s\":\"true\"}}]}", row->aggregates);
	if (row->rules) {
		xb_buf_adds(&json, ",\"rules\":");
		rbac_default_write_rules(row->rules, &json);
	}
	xb_buf_addc(&json, '}');
	return ensure(s, row->namespace_ ? "roles" : "clusterroles", row->namespace_, row->name, &json);
}

/* "Kind:name", and of a service account "Kind:namespace/name". */
static void write_subject(struct xb_sv subject, struct xb_buf *out)
{
	struct xb_sv name = subject, kind, space;

	xb_sv_split(&name, ':', &kind);
	xb_buf_addf(out, "{\"kind\":\"%.*s\",", XB_SV_ARG(kind));
	if (xb_sv_is(kind, "ServiceAccount")) {
		xb_sv_split(&name, '/', &space);
		xb_buf_addf(out, "\"namespace\":\"%.*s\",", XB_SV_ARG(space));
	} else {
		xb_buf_adds(out, "\"apiGroup\":\"" RBAC_GROUP "\",");
	}
	xb_buf_addf(out, "\"name\":\"%.*s\"}", XB_SV_ARG(name));
}

static int ensure_binding(struct server *s, const struct rbac_default_binding *row)
{
	struct xb_sv rest = xb_sv(row->subjects), subject;
	_cleanup_buf_ struct xb_buf json = {};
	bool first = true;

	xb_buf_addf(&json, "{\"metadata\":{\"name\":\"%s\"," UPDATED "," DEFAULTS "}},"
		    "\"roleRef\":{\"apiGroup\":\"" RBAC_GROUP "\",\"kind\":\"%s\",\"name\":\"%s\"},\"subjects\":[",
		    row->name, row->namespace_ ? "Role" : "ClusterRole", row->role);
	while (rest.n && xb_sv_split(&rest, ' ', &subject)) {
		xb_buf_adds(&json, first ? "" : ",");
		write_subject(subject, &json);
		first = false;
	}
	xb_buf_adds(&json, "]}");
	return ensure(s, row->namespace_ ? "rolebindings" : "clusterrolebindings", row->namespace_, row->name, &json);
}

static int ensure_controller_binding(struct server *s, const struct rbac_default_role *role)
{
	static const char account[] = "ServiceAccount:kube-system/";
	_cleanup_buf_ struct xb_buf subject = {};

	xb_buf_addf(&subject, "%s%s", account, role->name + strlen(RBAC_CONTROLLER_PREFIX));
	if (subject.err)
		return subject.err;
	return ensure_binding(s, &(struct rbac_default_binding){ role->name, role->name, subject.p, NULL });
}

int rbac_default_ensure(struct server *s)
{
	int r = 0;

	for (const struct rbac_default_role *role = rbac_default_roles; !r && role->name; role++) {
		r = ensure_role(s, role);
		if (!r && !role->namespace_ && xb_sv_starts(xb_sv(role->name), RBAC_CONTROLLER_PREFIX))
			r = ensure_controller_binding(s, role);
	}
	for (const struct rbac_default_binding *b = rbac_default_bindings; !r && b->name; b++)
		r = ensure_binding(s, b);
	return r;
}
