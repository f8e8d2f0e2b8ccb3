/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "objects.h"
#include "xb/cache.h"
#include "xb/map.h"
#include "xb/vec.h"

/* A node's right to an object follows from a pod bound to it, which the server may learn a moment later than we do: ask soon. */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 30000

struct object {
	struct objects *all;
	char *key;                      /* "s" or "c", namespace, "/", name */
	char *name;                     /* within key, likewise namespace_ */
	char *namespace_;
	struct xb_informer *informer;   /* of this one object */
	char *refused;                  /* why the server does not give it; NULL: no trouble */
	unsigned pods;                  /* that name it */
};

struct follower {                       /* a pod */
	char *uid;
	XB_VEC(struct object *) named;  /* each once */
};

struct objects {
	struct objects_config c;
	struct xb_map *objects;         /* key -> struct object */
	struct xb_map *pods;            /* uid -> struct follower */
	struct xb_informer *services;   /* NULL before a pod wants them */
};

static const char plurals[][11] = { [OBJECTS_CONFIGMAP] = "configmaps", [OBJECTS_SECRET] = "secrets" };
static const char *const unread[] = { "metadata.managedFields", NULL };
static const char *const unread_of_services[] = {
	"metadata.managedFields", "metadata.annotations", "metadata.labels", "metadata.ownerReferences", "metadata.finalizers",
	"spec.selector", "spec.sessionAffinityConfig", "status", NULL,
};

/* --- one object --- */

static bool names(const struct follower *f, const struct object *o)
{
	for (size_t i = 0; i < f->named.n; i++)
		if (f->named.v[i] == o)
			return true;
	return false;
}

static void tell(const struct object *o)
{
	const struct objects *all = o->all;

	for (struct xb_map_it it = {}; xb_map_next(all->pods, &it);) {
		const struct follower *f = it.value;

		if (names(f, o))
			all->c.changed(all->c.arg, f->uid);
	}
}

static void on_change(void *arg, struct xb_jv old, struct xb_jv object)
{
	const struct object *o = arg;

	/* what the first list shows is told by on_synced */
	if (xb_informer_synced(o->informer))
		tell(o);
}

static void on_synced(void *arg)
{
	tell(arg);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	struct object *o = arg;

	free(o->refused);
	o->refused = why ? strdup(why) : NULL;
	if (why && !xb_informer_synced(o->informer))
		tell(o);
}

static struct object *object_free(struct object *o)
{
	if (!o)
		return NULL;
	xb_informer_free(o->informer);
	free(o->refused);
	free(o->namespace_);
	free(o->name);
	free(o->key);
	free(o);
	return NULL;
}
XB_DEFINE_CLEANUP(struct object *, object_free)

static int object_watch(struct object *o, enum objects_kind kind)
{
	_cleanup_buf_ struct xb_buf path = {}, selector = {};
	struct xb_informer_config c = {
		.rest = o->all->c.rest, .leave_out = unread, .changed = on_change, .synced = on_synced, .trouble = on_trouble, .arg = o,
		.backoff_min_ms = RETRY_MIN_MS, .backoff_max_ms = RETRY_MAX_MS,
	};

	xb_buf_addf(&path, "/api/v1/namespaces/%s/%s", o->namespace_, plurals[kind]);
	xb_buf_addf(&selector, "metadata.name=%s", o->name);
	if (path.err || selector.err)
		return -ENOMEM;
	c.path = path.p;
	c.field_selector = selector.p;
	return xb_informer_new(&c, &o->informer);
}

static void write_key(enum objects_kind kind, const char *namespace_, const char *name, struct xb_buf *out)
{
	xb_buf_addc(out, plurals[kind][0]);
	xb_buf_adds(out, namespace_);
	xb_buf_addc(out, '/');
	xb_buf_adds(out, name);
}

/* The object of that name, watched from now on if it was not. */
static int object_of(struct objects *all, enum objects_kind kind, const char *namespace_, const char *name, struct object **ret)
{
	_cleanup_(object_freep) struct object *o = NULL;
	_cleanup_buf_ struct xb_buf key = {};
	int r;

	write_key(kind, namespace_, name, &key);
	if (key.err)
		return -ENOMEM;
	*ret = xb_map_get(all->objects, xb_buf_sv(&key));
	if (*ret)
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	*o = (struct object){ .all = all, .key = xb_buf_steal(&key), .name = strdup(name), .namespace_ = strdup(namespace_) };
	r = o->key && o->name && o->namespace_ ? object_watch(o, kind) : -ENOMEM;
	if (!r)
		r = xb_map_set(all->objects, xb_sv(o->key), o, NULL);
	if (!r)
		*ret = TAKE_PTR(o);
	return r;
}

static void let_go(struct objects *all, struct object *o)
{
	if (--o->pods)
		return;
	xb_map_del(all->objects, xb_sv(o->key));
	object_free(o);
}

/* --- what a pod names --- */

struct collect {
	struct objects *all;
	struct follower *into;
	const char *namespace_;
	int err;
};

static void add_name(struct collect *c, enum objects_kind kind, struct xb_jv text)
{
	_cleanup_free_ char *called = xb_jv_dup(text);
	struct object *o = NULL;

	if (c->err || !xb_jv_text(text).n)
		return;
	c->err = called ? xb_vec_room(&c->into->named, 1) : -ENOMEM;
	if (!c->err)
		c->err = object_of(c->all, kind, c->namespace_, called, &o);
	if (c->err || names(c->into, o))
		return;
	o->pods++;
	c->into->named.v[c->into->named.n++] = o;
}

static void add_environment(struct collect *c, struct xb_jv container)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(container, "envFrom")); xb_jit_next(&it);) {
		add_name(c, OBJECTS_CONFIGMAP, xb_jv_path(it.value, "configMapRef", "name"));
		add_name(c, OBJECTS_SECRET, xb_jv_path(it.value, "secretRef", "name"));
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(container, "env")); xb_jit_next(&it);) {
		add_name(c, OBJECTS_CONFIGMAP, xb_jv_path(it.value, "valueFrom", "configMapKeyRef", "name"));
		add_name(c, OBJECTS_SECRET, xb_jv_path(it.value, "valueFrom", "secretKeyRef", "name"));
	}
}

static void add_volume(struct collect *c, struct xb_jv volume)
{
	add_name(c, OBJECTS_CONFIGMAP, xb_jv_path(volume, "configMap", "name"));
	add_name(c, OBJECTS_SECRET, xb_jv_path(volume, "secret", "secretName"));
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(volume, "projected", "sources")); xb_jit_next(&it);) {
		add_name(c, OBJECTS_CONFIGMAP, xb_jv_path(it.value, "configMap", "name"));
		add_name(c, OBJECTS_SECRET, xb_jv_path(it.value, "secret", "name"));
	}
}

static void add_names(struct collect *c, struct xb_jv spec)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, lists[i])); xb_jit_next(&it);)
			add_environment(c, it.value);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "volumes")); xb_jit_next(&it);)
		add_volume(c, it.value);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "imagePullSecrets")); xb_jit_next(&it);)
		add_name(c, OBJECTS_SECRET, xb_jv_get(it.value, "name"));
}

static struct follower *follower_free(struct objects *all, struct follower *f)
{
	for (size_t i = 0; i < f->named.n; i++)
		let_go(all, f->named.v[i]);
	xb_vec_done(&f->named);
	free(f->uid);
	free(f);
	return NULL;
}

/* --- services --- */

static void ignore_change(void *arg, struct xb_jv old, struct xb_jv object)
{
}

/* Variables are made once, when a container is: only the first list is waited for. */
static void on_services_synced(void *arg)
{
	const struct objects *o = arg;

	for (struct xb_map_it it = {}; xb_map_next(o->pods, &it);)
		o->c.changed(o->c.arg, ((struct follower *)it.value)->uid);
}

static int follow_services(struct objects *o)
{
	struct xb_informer_config c = {
		.rest = o->c.rest, .path = "/api/v1/services", .leave_out = unread_of_services,
		.changed = ignore_change, .synced = on_services_synced, .arg = o,
	};

	return o->services ? 0 : xb_informer_new(&c, &o->services);
}

bool objects_services_known(const struct objects *o)
{
	return !o->c.rest || (o->services && xb_informer_synced(o->services));
}

struct want {
	struct xb_sv namespace_;
	void (*each)(void *arg, struct xb_jv service);
	void *arg;
};

static void offer(void *arg, struct xb_jv service)
{
	const struct want *w = arg;
	struct xb_jv meta = xb_jv_get(service, "metadata");
	struct xb_sv namespace_ = xb_jv_text(xb_jv_get(meta, "namespace"));

	if (xb_sv_eq(namespace_, w->namespace_) ||
	    (xb_sv_is(namespace_, "default") && xb_jv_streq(xb_jv_get(meta, "name"), XB_SV("kubernetes"))))
		w->each(w->arg, service);
}

void objects_each_service(const struct objects *o, const char *namespace_, void (*each)(void *arg, struct xb_jv service), void *arg)
{
	struct want w = { xb_sv(namespace_), each, arg };

	if (o->services)
		xb_informer_each(o->services, offer, &w);
}

/* --- the whole --- */

int objects_follow(struct objects *o, struct xb_jv pod)
{
	_cleanup_free_ char *namespace_ = xb_jv_dup(xb_jv_path(pod, "metadata", "namespace"));
	struct follower *f = calloc(1, sizeof(*f));
	struct collect c = { .all = o, .into = f, .namespace_ = namespace_ };
	void *before = NULL;

	if (!f)
		return -ENOMEM;
	f->uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	c.err = f->uid && namespace_ ? 0 : -ENOMEM;
	if (!c.err && o->c.rest) {
		add_names(&c, xb_jv_get(pod, "spec"));
		if (!c.err)
			c.err = follow_services(o);
	}
	if (!c.err)
		c.err = xb_map_set(o->pods, xb_sv(f->uid), f, &before);
	if (c.err)
		follower_free(o, f);
	else if (before)
		follower_free(o, before);
	return c.err;
}

void objects_forget(struct objects *o, const char *uid)
{
	struct follower *f = xb_map_del(o->pods, xb_sv(uid));

	if (f)
		follower_free(o, f);
}

int objects_get(const struct objects *all, enum objects_kind kind, const char *namespace_, const char *called, struct xb_jv *ret,
		const char **ret_why)
{
	_cleanup_buf_ struct xb_buf key = {};
	const struct object *o;
	struct xb_jv object;

	write_key(kind, namespace_, called, &key);
	if (key.err)
		return -ENOMEM;
	o = xb_map_get(all->objects, xb_buf_sv(&key));
	if (!o)
		return -ENOENT;
	if (!xb_informer_synced(o->informer)) {
		if (!o->refused)
			return -EAGAIN;
		*ret_why = o->refused;
		return -EACCES;
	}
	object = xb_informer_get(o->informer, namespace_, called);
	if (!xb_jv_is(object))
		return -ENOENT;
	*ret = object;
	return 0;
}

struct objects *objects_free(struct objects *o)
{
	if (!o)
		return NULL;
	for (struct xb_map_it it = {}; o->pods && xb_map_next(o->pods, &it);)
		follower_free(o, it.value);
	xb_informer_free(o->services);
	xb_map_free(o->objects);
	xb_map_free(o->pods);
	free(o);
	return NULL;
}

int objects_new(const struct objects_config *c, struct objects **ret)
{
	struct objects *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->c = *c;
	o->objects = xb_map_new(XB_MAP_BORROW);
	o->pods = xb_map_new(XB_MAP_BORROW);
	if (!o->objects || !o->pods) {
		objects_free(o);
		return -ENOMEM;
	}
	*ret = o;
	return 0;
}
