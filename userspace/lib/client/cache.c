/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/cache.h"
#include "xb/vec.h"

struct follower {
	void (*changed)(void *arg, struct xb_jv old, struct xb_jv object);
	void *arg;
};
struct collection {
	struct xb_cache *cache;
	const struct xb_kind *kind;
	char *field_selector;           /* NULL: all */
	struct xb_informer *informer;
	XB_VEC(struct follower) followers;
};
struct xb_cache {
	struct xb_cache_config c;
	XB_VEC(struct collection *) collections;
	bool synced;
};

static const char *const leave_out[] = { "metadata.managedFields", NULL };
/* What only the node reads that runs them: most of a pod. */
static const char *const leave_out_of_pods[] = {
	"apiVersion", "kind", "metadata.managedFields", "metadata.generateName", "metadata.generation", "spec.containers.env",
	"spec.containers.envFrom", "spec.containers.command", "spec.containers.args", "spec.containers.volumeMounts", "spec.containers.volumeDevices", "spec.containers.livenessProbe",
	"spec.containers.readinessProbe", "spec.containers.startupProbe", "spec.containers.lifecycle",
	"spec.containers.securityContext", "spec.containers.terminationMessagePath", "spec.containers.terminationMessagePolicy",
	"spec.containers.imagePullPolicy", "spec.initContainers.env", "spec.initContainers.envFrom", "spec.initContainers.command",
	"spec.initContainers.args", "spec.initContainers.volumeMounts", "spec.initContainers.volumeDevices",
	"spec.initContainers.livenessProbe", "spec.initContainers.readinessProbe", "spec.initContainers.startupProbe",
	"spec.initContainers.lifecycle", "spec.initContainers.securityContext", "spec.initContainers.terminationMessagePath",
	"spec.initContainers.terminationMessagePolicy", "spec.initContainers.imagePullPolicy", "spec.ephemeralContainers",
	"spec.volumes.projected", "spec.volumes.configMap", "spec.volumes.secret", "spec.volumes.downwardAPI",
	"spec.volumes.emptyDir", "spec.dnsPolicy", "spec.enableServiceLinks", "spec.securityContext", "spec.imagePullSecrets",
	"spec.serviceAccount", "spec.serviceAccountName", "spec.terminationGracePeriodSeconds", "status.conditions.lastProbeTime",
	"status.containerStatuses.image", "status.containerStatuses.imageID", "status.containerStatuses.containerID", NULL
};

void xb_kind_path(const struct xb_kind *k, struct xb_sv namespace_, struct xb_sv name, const char *sub, struct xb_buf *out)
{
	xb_buf_addf(out, "%s%s/%s/", *k->group ? "/apis/" : "/api", k->group, k->version);
	if (k->namespaced && namespace_.n)
		xb_buf_addf(out, "namespaces/%.*s/", XB_SV_ARG(namespace_));
	xb_buf_adds(out, k->plural);
	if (name.n)
		xb_buf_addf(out, "/%.*s", XB_SV_ARG(name));
	if (sub)
		xb_buf_addf(out, "/%s", sub);
}

static void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct collection *l = arg;

	for (size_t i = 0; i < l->followers.n; i++)
		l->followers.v[i].changed(l->followers.v[i].arg, old, object);
}

static void on_synced(void *arg)
{
	struct collection *l = arg;
	struct xb_cache *c = l->cache;

	for (size_t i = 0; i < c->collections.n; i++)
		if (!xb_informer_synced(c->collections.v[i]->informer))
			return;
	if (c->synced)
		return;
	c->synced = true;
	if (c->c.synced)
		c->c.synced(c->c.arg);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	struct collection *l = arg;

	if (l->cache->c.trouble)
		l->cache->c.trouble(l->cache->c.arg, path, why);
}

static struct collection *collection_free(struct collection *l)
{
	xb_informer_free(l->informer);
	xb_vec_done(&l->followers);
	free(l->field_selector);
	free(l);
	return NULL;
}
XB_DEFINE_CLEANUP(struct collection *, collection_free)

static bool is_kind(const struct xb_kind *k, const char *group, const char *plural)
{
	return !strcmp(k->group, group) && !strcmp(k->plural, plural);
}

static const struct xb_cache_lean *lean_of(const struct xb_cache *c, const struct xb_kind *k)
{
	static const struct xb_cache_lean none;
	const struct xb_cache_lean *l = c->c.lean;

	while (l && l->plural && !is_kind(k, l->group, l->plural))
		l++;
	return l && l->plural ? l : &none;
}

/* What no program reads and what this one does not. One more than an informer takes is told by it. */
static void left_out(const struct xb_kind *k, const struct xb_cache_lean *l, const char *ret[XB_INFORMER_LEAVE_OUT_MAX + 2])
{
	const char *const *const both[] = { is_kind(k, "", "pods") ? leave_out_of_pods : leave_out, l->leave_out };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		for (const char *const *path = both[i]; path && *path && n <= XB_INFORMER_LEAVE_OUT_MAX; path++)
			ret[n++] = *path;
}

static struct collection *make(struct xb_cache *c, const struct xb_kind *k, const char *field_selector)
{
	_cleanup_(collection_freep) struct collection *l = calloc(1, sizeof(*l));
	_cleanup_buf_ struct xb_buf path = {};
	const struct xb_cache_lean *lean = lean_of(c, k);
	const char *paths[XB_INFORMER_LEAVE_OUT_MAX + 2] = {};
	struct xb_informer_config config = {
		.rest = c->c.rest,
		.field_selector = field_selector,
		.leave_out = paths,
		.leave_out_then = lean->leave_out_then,
		.when = lean->when,
		.changed = on_changed,
		.synced = on_synced,
		.trouble = on_trouble,
		.arg = l,
	};

	if (!l || (field_selector && !(l->field_selector = strdup(field_selector))))
		return NULL;
	l->cache = c;
	l->kind = k;
	left_out(k, lean, paths);
	xb_kind_path(k, (struct xb_sv){}, (struct xb_sv){}, NULL, &path);
	config.path = path.p;
	if (path.err || xb_informer_new(&config, &l->informer) || xb_vec_push(&c->collections, l))
		return NULL;
	return TAKE_PTR(l);
}

static bool is_of(const struct collection *l, const struct xb_kind *k, const char *field_selector)
{
	if (l->kind != k || !l->field_selector != !field_selector)
		return false;
	return !field_selector || !strcmp(l->field_selector, field_selector);
}

static struct collection *find(const struct xb_cache *c, const struct xb_kind *k, const char *field_selector)
{
	for (size_t i = 0; i < c->collections.n; i++)
		if (is_of(c->collections.v[i], k, field_selector))
			return c->collections.v[i];
	return NULL;
}

static struct collection *obtain(struct xb_cache *c, const struct xb_kind *k, const char *field_selector)
{
	struct collection *l = find(c, k, field_selector);

	return l ? l : make(c, k, field_selector);
}

struct xb_informer *xb_cache_find(const struct xb_cache *c, const struct xb_kind *k)
{
	struct collection *l = find(c, k, NULL);

	return l ? l->informer : NULL;
}

struct xb_informer *xb_cache_of(struct xb_cache *c, const struct xb_kind *k)
{
	struct collection *l = obtain(c, k, NULL);

	return l ? l->informer : NULL;
}

static void report(void *arg, struct xb_jv object)
{
	const struct follower *f = arg;

	f->changed(f->arg, (struct xb_jv){}, object);
}

int xb_cache_follow_some(struct xb_cache *c, const struct xb_kind *k, const char *field_selector,
			 void (*changed)(void *arg, struct xb_jv old, struct xb_jv object), void *arg, struct xb_informer **ret)
{
	struct collection *l = obtain(c, k, field_selector);
	struct follower f = { changed, arg };
	int r = l ? xb_vec_push(&l->followers, f) : -ENOMEM;

	if (r)
		return r;
	xb_informer_each(l->informer, report, &f);
	if (ret)
		*ret = l->informer;
	return 0;
}

int xb_cache_follow(struct xb_cache *c, const struct xb_kind *k, void (*changed)(void *arg, struct xb_jv old, struct xb_jv object),
		    void *arg)
{
	return xb_cache_follow_some(c, k, NULL, changed, arg, NULL);
}

bool xb_cache_unused(const struct xb_cache *c)
{
	return !c->collections.n;
}

bool xb_cache_synced(const struct xb_cache *c)
{
	return c->synced;
}

int xb_cache_new(const struct xb_cache_config *c, struct xb_cache **ret)
{
	struct xb_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->c = *c;
	*ret = cache;
	return 0;
}

struct xb_cache *xb_cache_free(struct xb_cache *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->collections.n; i++)
		collection_free(c->collections.v[i]);
	xb_vec_done(&c->collections);
	free(c);
	return NULL;
}
