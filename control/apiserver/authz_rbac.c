/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "authz_rbac.h"
#include "follow.h"
#include "rbac_rule.h"
#include "xb/map.h"
#include "xb/vec.h"

#define ROLES "roles.rbac.authorization.k8s.io/"
#define CLUSTER_ROLES "clusterroles.rbac.authorization.k8s.io/"

/* The bindings of one subject in one namespace, or cluster-wide. */
struct holder {
	XB_VEC(struct store_object *) bindings;
};

struct rbac {
	struct store *store;
	struct follow follows[2];
	struct xb_map *holders;         /* namespace NUL 'U' or 'G' name -> struct holder */
	struct xb_buf key;              /* for look-ups */
};

/* --- the index --- */

static struct holder *holder_free(struct holder *h)
{
	for (size_t i = 0; i < h->bindings.n; i++)
		store_object_unref(h->bindings.v[i]);
	xb_vec_done(&h->bindings);
	free(h);
	return NULL;
}
XB_DEFINE_CLEANUP(struct holder *, holder_free)

static void holders_clear(struct xb_map *holders)
{
	for (struct xb_map_it it = {}; xb_map_next(holders, &it);)
		holder_free(xb_map_del(holders, it.key));
}

static struct xb_sv key_of(struct rbac *b, struct xb_sv namespace_, char kind, struct xb_sv name)
{
	xb_buf_clear(&b->key);
	xb_buf_addsv(&b->key, namespace_);
	xb_buf_addc(&b->key, 0);
	xb_buf_addc(&b->key, kind);
	xb_buf_addsv(&b->key, name);
	return xb_buf_sv(&b->key);
}

static struct xb_sv namespace_of(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "namespace"));
}

/* The user's or group's name that a subject stands for, into out. 0: it stands for nobody. */
static char subject_name(struct xb_jv binding, struct xb_jv subject, struct xb_buf *out)
{
	struct xb_jv kind = xb_jv_get(subject, "kind"), name = xb_jv_get(subject, "name");
	struct xb_sv space = xb_jv_text(xb_jv_get(subject, "namespace"));

	if (xb_jv_streq(kind, XB_SV("ServiceAccount"))) {
		if (!space.n)
			space = namespace_of(binding);
		if (space.n)
			xb_buf_addf(out, "system:serviceaccount:%.*s:%.*s", XB_SV_ARG(space), XB_SV_ARG(xb_jv_text(name)));
		return space.n ? 'U' : 0;
	}
	xb_json_unescape(xb_jv_text(name), out);
	return xb_jv_streq(kind, XB_SV("User")) ? 'U' : xb_jv_streq(kind, XB_SV("Group")) ? 'G' : 0;
}

static int hold(struct rbac *b, struct xb_sv key, struct store_object *o)
{
	_cleanup_(holder_freep) struct holder *made = NULL;
	struct holder *h = xb_map_get(b->holders, key);
	int r = 0;

	if (!h) {
		h = made = calloc(1, sizeof(*made));
		r = h ? xb_map_set(b->holders, key, h, NULL) : -ENOMEM;
		if (r)
			return r;
		TAKE_PTR(made);
	}
	r = xb_vec_push(&h->bindings, o);
	if (!r)
		store_object_ref(o);
	return r;
}

static void let_go(struct rbac *b, struct xb_sv key, const char *binding)
{
	struct holder *h = xb_map_get(b->holders, key);

	for (size_t i = h ? h->bindings.n : 0; i-- > 0;) {
		if (strcmp(h->bindings.v[i]->key, binding))
			continue;
		store_object_unref(h->bindings.v[i]);
		xb_vec_remove(&h->bindings, i);
	}
	if (h && !h->bindings.n)
		holder_free(xb_map_del(b->holders, key));
}

static int index_subjects(struct rbac *b, struct store_object *o, bool add)
{
	struct xb_jv binding = xb_json_root(o->doc);
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(binding, "subjects")); !r && xb_jit_next(&it);) {
		_cleanup_buf_ struct xb_buf name = {};
		char kind = subject_name(binding, it.value, &name);
		struct xb_sv key = key_of(b, namespace_of(binding), kind, xb_buf_sv(&name));

		if (name.err || b->key.err)
			return -ENOMEM;
		if (kind && add)
			r = hold(b, key, o);
		else if (kind)
			let_go(b, key, o->key);
	}
	return r;
}

static int on_binding(void *arg, struct store_object *now, struct store_object *before)
{
	int r = before ? index_subjects(arg, before, false) : 0;

	return !r && now ? index_subjects(arg, now, true) : r;
}

/* Both collections of bindings share the index: each starts with an empty one of its own. */
static void forget(struct rbac *b, bool namespaced)
{
	for (struct xb_map_it it = {}; xb_map_next(b->holders, &it);)
		if ((it.key.p[0] != 0) == namespaced)
			holder_free(xb_map_del(b->holders, it.key));
}

static void forget_cluster(void *arg)
{
	forget(arg, false);
}

static void forget_namespaced(void *arg)
{
	forget(arg, true);
}

int rbac_new(struct store *store, struct rbac **ret)
{
	struct rbac *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->store = store;
	b->holders = xb_map_new(XB_MAP_COPY);
	b->follows[0] = (struct follow){ store, "clusterrolebindings.rbac.authorization.k8s.io/", on_binding, forget_cluster, b, NULL };
	b->follows[1] = (struct follow){ store, "rolebindings.rbac.authorization.k8s.io/", on_binding, forget_namespaced, b, NULL };
	r = b->holders ? 0 : -ENOMEM;
	for (unsigned i = 0; !r && i < ARRAY_SIZE(b->follows); i++)
		r = follow_start(&b->follows[i]);
	if (r)
		rbac_free(b);
	else
		*ret = b;
	return r;
}

struct rbac *rbac_free(struct rbac *b)
{
	if (!b)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(b->follows); i++)
		follow_stop(&b->follows[i]);
	if (b->holders)
		holders_clear(b->holders);
	xb_map_free(b->holders);
	xb_buf_done(&b->key);
	free(b);
	return NULL;
}

/* --- looking --- */

struct visit {
	struct rbac *b;
	bool (*fn)(void *arg, const struct rbac_grant *g);
	void *arg;
	struct xb_buf *errors;
};

struct store_object *rbac_role(struct store *store, struct xb_sv kind, struct xb_sv namespace_, struct xb_sv name, bool head)
{
	char key[1024];
	bool cluster = xb_sv_is(kind, "ClusterRole");
	int n = snprintf(key, sizeof(key), "%s%.*s%s%.*s", cluster ? CLUSTER_ROLES : ROLES, cluster ? 0 : (int)namespace_.n,
			 namespace_.p ? namespace_.p : "", cluster ? "" : "/", XB_SV_ARG(name));

	if (n <= 0 || (size_t)n >= sizeof(key) || (!cluster && !namespace_.n))
		return NULL;
	return head ? store_head(store, key) : store_get(store, key);
}

static struct store_object *bound_role(struct visit *v, struct xb_jv binding)
{
	struct xb_jv ref = xb_jv_get(binding, "roleRef");
	struct xb_sv kind = xb_jv_text(xb_jv_get(ref, "kind")), name = xb_jv_text(xb_jv_get(ref, "name"));
	struct store_object *role = rbac_role(v->b->store, kind, namespace_of(binding), name, false);

	if (!role && v->errors)
		xb_buf_addf(v->errors, "%s%s.rbac.authorization.k8s.io \"%.*s\" not found", v->errors->n ? "\n" : "",
			    xb_sv_is(kind, "ClusterRole") ? "clusterrole" : "role", XB_SV_ARG(name));
	return role;
}

static struct xb_jv subject_of(struct xb_jv binding, char kind, struct xb_sv name)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(binding, "subjects")); xb_jit_next(&it);) {
		_cleanup_buf_ struct xb_buf text = {};

		if (subject_name(binding, it.value, &text) == kind && xb_sv_eq(xb_buf_sv(&text), name))
			return it.value;
	}
	return (struct xb_jv){};
}

static bool visit_holder(struct visit *v, struct xb_sv namespace_, char kind, struct xb_sv name)
{
	struct xb_sv key = key_of(v->b, namespace_, kind, name);
	const struct holder *h = v->b->key.err ? NULL : xb_map_get(v->b->holders, key);

	for (size_t i = 0; h && i < h->bindings.n; i++) {
		struct rbac_grant g = { .binding = xb_json_root(h->bindings.v[i]->doc) };
		struct store_object *role = bound_role(v, g.binding);

		if (!role)
			continue;
		g.subject = subject_of(g.binding, kind, name);
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(xb_json_root(role->doc), "rules")); xb_jit_next(&it);) {
			g.rule = it.value;
			if (!v->fn(v->arg, &g))
				return false;
		}
	}
	return true;
}

static bool visit_all(struct visit *v, const struct user *u, struct xb_sv namespace_)
{
	if (!visit_holder(v, namespace_, 'U', xb_sv(u->name)))
		return false;
	for (char *const *g = u->groups; *g; g++)
		if (!visit_holder(v, namespace_, 'G', xb_sv(*g)))
			return false;
	return true;
}

void rbac_visit(struct rbac *b, const struct user *u, struct xb_sv namespace_, bool (*fn)(void *arg, const struct rbac_grant *g),
		void *arg, struct xb_buf *errors)
{
	struct visit v = { b, fn, arg, errors };

	for (unsigned i = 0; i < ARRAY_SIZE(b->follows); i++)
		if (follow_catch_up(&b->follows[i]))
			return;
	if (visit_all(&v, u, (struct xb_sv){}) && namespace_.n)
		(void)visit_all(&v, u, namespace_);
}

struct search {
	const struct attributes *wanted;
	struct rbac_grant found;
};

static bool is_not_it(void *arg, const struct rbac_grant *g)
{
	struct search *s = arg;

	if (!rbac_rule_allows(g->rule, s->wanted))
		return true;
	s->found = *g;
	return false;
}

static void say_why(const struct rbac_grant *g, struct xb_buf *out)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(g->binding, "metadata", "name")), space = namespace_of(g->binding);
	struct xb_sv role = xb_jv_text(xb_jv_path(g->binding, "roleRef", "name")), kind = xb_jv_text(xb_jv_path(g->binding, "roleRef", "kind"));
	struct xb_sv subject = xb_jv_text(xb_jv_get(g->subject, "name")), subject_kind = xb_jv_text(xb_jv_get(g->subject, "kind"));
	struct xb_sv subject_space = xb_jv_text(xb_jv_get(g->subject, "namespace"));
	bool account = xb_sv_is(subject_kind, "ServiceAccount");

	xb_buf_addf(out, "RBAC: allowed by %s \"%.*s%s%.*s\" of %.*s \"%.*s\" to %.*s \"%.*s%s%.*s\"",
		    space.n ? "RoleBinding" : "ClusterRoleBinding", XB_SV_ARG(name), space.n ? "/" : "", XB_SV_ARG(space), XB_SV_ARG(kind),
		    XB_SV_ARG(role), XB_SV_ARG(subject_kind), XB_SV_ARG(subject), account ? "/" : "", account ? (int)subject_space.n : 0,
		    subject_space.p ? subject_space.p : "");
}

static void say_errors(const struct xb_buf *errors, struct xb_buf *out)
{
	struct xb_sv rest = xb_buf_sv(errors), line;
	bool many = memchr(errors->p, '\n', errors->n), first = true;

	xb_buf_adds(out, many ? "RBAC: [" : "RBAC: ");
	while (xb_sv_split(&rest, '\n', &line)) {
		xb_buf_adds(out, first ? "" : ", ");
		xb_buf_addsv(out, line);
		first = false;
	}
	xb_buf_adds(out, many ? "]" : "");
}

enum decision rbac_decide(struct rbac *b, const struct attributes *t, struct xb_buf *reason)
{
	_cleanup_buf_ struct xb_buf errors = {};
	struct search s = { .wanted = t };

	rbac_visit(b, t->user, t->namespace_, is_not_it, &s, reason ? &errors : NULL);
	if (xb_jv_is(s.found.rule)) {
		if (reason)
			say_why(&s.found, reason);
		return DECISION_ALLOW;
	}
	if (errors.n)
		say_errors(&errors, reason);
	return DECISION_NONE;
}

struct gather {
	struct xb_arena *arena;
	struct xb_tree *rules;
};

static bool gather_rule(void *arg, const struct rbac_grant *grant)
{
	struct gather *g = arg;
	struct xb_tree *rule = xb_tree_from(g->arena, grant->rule, NULL, NULL);

	if (rule)
		xb_tree_append(g->rules, rule);
	else
		g->rules = NULL;
	return rule;
}

struct xb_tree *rbac_rules_of(struct rbac *b, struct xb_arena *a, const struct user *u, struct xb_sv namespace_)
{
	struct gather g = { .arena = a, .rules = xb_tree_array(a) };

	if (g.rules)
		rbac_visit(b, u, namespace_, gather_rule, &g, NULL);
	return g.rules;
}
