/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "rbac_rule.h"
#include "xb/vec.h"

/* --- what a rule allows --- */

static bool has(struct xb_jv list, struct xb_sv text, bool any)
{
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		if ((any && xb_jv_streq(it.value, XB_SV("*"))) || xb_jv_streq(it.value, text))
			return true;
	return false;
}

/* "/healthz/" and a star is that prefix. */
static bool url_matches(struct xb_sv pattern, struct xb_sv path)
{
	size_t n = pattern.n;

	while (n && pattern.p[n - 1] == '*')
		n--;
	if (n == pattern.n)
		return xb_sv_eq(pattern, path);
	return path.n >= n && !memcmp(path.p, pattern.p, n);
}

static bool allows_path(struct xb_jv rule, struct xb_sv path)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(rule, "nonResourceURLs")); xb_jit_next(&it);)
		if (!xb_jv_escaped(it.value) && url_matches(xb_jv_text(it.value), path))
			return true;
	return false;
}

/* "pods", "pods/log", "*" for all, "*" with a subresource for that one of all. */
static bool resource_matches(struct xb_sv entry, const struct attributes *t)
{
	size_t n = t->resource.n, m = t->subresource.n;

	if (xb_sv_is(entry, "*"))
		return true;
	if (!m)
		return xb_sv_eq(entry, t->resource);
	if (entry.n == m + 2 && entry.p[0] == '*' && entry.p[1] == '/' && !memcmp(entry.p + 2, t->subresource.p, m))
		return true;
	return entry.n == n + 1 + m && !memcmp(entry.p, t->resource.p, n) && entry.p[n] == '/' &&
	       !memcmp(entry.p + n + 1, t->subresource.p, m);
}

static bool allows_resource(struct xb_jv rule, const struct attributes *t)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(rule, "resources")); xb_jit_next(&it);)
		if (!xb_jv_escaped(it.value) && resource_matches(xb_jv_text(it.value), t))
			return true;
	return false;
}

bool rbac_rule_allows(struct xb_jv rule, const struct attributes *t)
{
	struct xb_jv names;

	if (!has(xb_jv_get(rule, "verbs"), t->verb, true))
		return false;
	if (!t->is_resource)
		return allows_path(rule, t->path);
	if (!has(xb_jv_get(rule, "apiGroups"), t->group, true) || !allows_resource(rule, t))
		return false;
	names = xb_jv_get(rule, "resourceNames");
	return !xb_jv_count(names) || has(names, t->name, false);
}

/* --- which rules cover which --- */

/* The smallest part of a rule: one verb on one resource, or one of its objects, or on one path. */
struct part {
	struct xb_sv verb, group, resource, name, url;
	bool named;
};

static bool lists(const struct xb_tree *rule, const char *member, struct xb_sv text, bool any)
{
	xb_tree_each(n, xb_tree_get(rule, member))
		if ((any && xb_tree_is(n, "*")) || (n->type == XB_JSON_STRING && xb_sv_eq(n->text, text)))
			return true;
	return false;
}

/* A subresource is covered by itself, and by all subresources of that name. */
static bool lists_resource(const struct xb_tree *rule, struct xb_sv resource)
{
	const char *slash = resource.n ? memchr(resource.p, '/', resource.n) : NULL;

	if (lists(rule, "resources", resource, true))
		return true;
	if (!slash)
		return false;
	xb_tree_each(n, xb_tree_get(rule, "resources")) {
		size_t rest = resource.n - (size_t)(slash - resource.p);

		if (n->text.n == rest + 1 && n->text.p[0] == '*' && !memcmp(n->text.p + 1, slash, rest))
			return true;
	}
	return false;
}

static bool lists_url(const struct xb_tree *rule, struct xb_sv url)
{
	xb_tree_each(n, xb_tree_get(rule, "nonResourceURLs"))
		if (xb_sv_eq(n->text, url) || (n->text.n && n->text.p[n->text.n - 1] == '*' && url_matches(n->text, url)))
			return true;
	return false;
}

static bool covered(const struct xb_tree *owned, const struct part *p)
{
	xb_tree_each(rule, owned) {
		const struct xb_tree *names = xb_tree_get(rule, "resourceNames");

		if (!lists(rule, "verbs", p->verb, true))
			continue;
		if (p->url.p) {
			if (lists_url(rule, p->url))
				return true;
			continue;
		}
		if (lists(rule, "apiGroups", p->group, true) && lists_resource(rule, p->resource) &&
		    (!names || !names->count || (p->named && lists(rule, "resourceNames", p->name, false))))
			return true;
	}
	return false;
}

/* Missing parts of one resource are told together: their verbs are gathered. */
struct missing {
	struct part part;
	struct xb_buf verbs;
};
struct search {
	const struct xb_tree *owned;
	XB_VEC(struct missing) missing;
	int err;
};

static bool same_target(const struct part *a, const struct part *b)
{
	return !a->url.p && !b->url.p && a->named == b->named && xb_sv_eq(a->group, b->group) && xb_sv_eq(a->resource, b->resource) &&
	       xb_sv_eq(a->name, b->name);
}

static void look_for(struct search *s, struct part p)
{
	struct missing *m = NULL;

	if (s->err || covered(s->owned, &p))
		return;
	for (size_t i = 0; i < s->missing.n && !m; i++)
		if (same_target(&s->missing.v[i].part, &p))
			m = &s->missing.v[i];
	if (!m) {
		s->err = xb_vec_push(&s->missing, (struct missing){ .part = p });
		if (s->err)
			return;
		m = &s->missing.v[s->missing.n - 1];
	}
	if (m->verbs.n)
		xb_buf_addc(&m->verbs, ' ');
	xb_buf_addq(&m->verbs, p.verb);
}

static void break_down(struct search *s, const struct xb_tree *rule)
{
	const struct xb_tree *names = xb_tree_get(rule, "resourceNames");

	xb_tree_each(group, xb_tree_get(rule, "apiGroups"))
		xb_tree_each(resource, xb_tree_get(rule, "resources"))
			xb_tree_each(verb, xb_tree_get(rule, "verbs")) {
				struct part p = { .verb = verb->text, .group = group->text, .resource = resource->text };

				if (!names || !names->count)
					look_for(s, p);
				xb_tree_each(name, names) {
					p.named = true;
					p.name = name->text;
					look_for(s, p);
				}
			}
	xb_tree_each(url, xb_tree_get(rule, "nonResourceURLs"))
		xb_tree_each(verb, xb_tree_get(rule, "verbs"))
			look_for(s, (struct part){ .verb = verb->text, .url = url->text.p ? url->text : XB_SV("") });
}

static char *describe(const struct missing *m)
{
	struct xb_buf line = {};

	xb_buf_addc(&line, '{');
	if (m->part.url.p) {
		xb_buf_adds(&line, "NonResourceURLs:[");
		xb_buf_addq(&line, m->part.url);
	} else {
		xb_buf_adds(&line, "APIGroups:[");
		xb_buf_addq(&line, m->part.group);
		xb_buf_adds(&line, "], Resources:[");
		xb_buf_addq(&line, m->part.resource);
	}
	if (m->part.named) {
		xb_buf_adds(&line, "], ResourceNames:[");
		xb_buf_addq(&line, m->part.name);
	}
	xb_buf_adds(&line, "], Verbs:[");
	xb_buf_addsv(&line, xb_buf_sv(&m->verbs));
	xb_buf_adds(&line, "]}");
	if (m->verbs.err && !line.err)
		line.err = m->verbs.err;
	return xb_buf_steal(&line);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int describe_all(struct search *s, struct xb_buf *out)
{
	_cleanup_free_ char **lines = calloc(s->missing.n + 1, sizeof(*lines));
	int r = lines ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < s->missing.n; i++) {
		lines[i] = describe(&s->missing.v[i]);
		r = lines[i] ? 0 : -ENOMEM;
	}
	if (!r)
		qsort(lines, s->missing.n, sizeof(*lines), by_text);
	for (size_t i = 0; lines && i < s->missing.n; i++) {
		if (!r)
			xb_buf_addf(out, "%s%s", i ? "\n" : "", lines[i]);
		free(lines[i]);
	}
	return r ? r : out->err;
}

int rbac_rules_cover(const struct xb_tree *owned, const struct xb_tree *wanted, struct xb_buf *retmissing)
{
	struct search s = { .owned = owned };
	int r;

	xb_tree_each(rule, wanted)
		break_down(&s, rule);
	r = s.err;
	if (!r && s.missing.n) {
		r = describe_all(&s, retmissing);
		r = r ? r : -EACCES;
	}
	for (size_t i = 0; i < s.missing.n; i++)
		xb_buf_done(&s.missing.v[i].verbs);
	xb_vec_done(&s.missing);
	return r;
}
