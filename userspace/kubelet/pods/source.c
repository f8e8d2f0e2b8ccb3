/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mirror.h"
#include "source.h"
#include "static.h"
#include "xb/informer.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/why.h"

static const char *const leave_out[] = { "metadata.managedFields", NULL };

struct source {
	struct pods *pods;
	struct xb_informer *informer;
	struct mirrors *mirrors;
	char *field_selector;

	/* files: read on libuv's pool, again when inotify tells of a change */
	const char *path, *node_name;   /* borrowed from who outlives the pods */
	uv_fs_event_t event;
	uv_timer_t check;               /* while there is nothing that inotify could watch */
	uv_work_t work;
	struct static_pods read, known; /* known: as they were last told, a faulty file by what it said before */
	int read_error, told_error;
	bool reading, again, files_read, freed;
	unsigned handles;
};

/* --- one pod's document --- */
static bool differs(struct xb_jv a, struct xb_jv b, const char *outer, const char *inner)
{
	return !xb_sv_eq(xb_jv_bytes(inner ? xb_jv_path(a, outer, inner) : xb_jv_get(a, outer)),
			 xb_jv_bytes(inner ? xb_jv_path(b, outer, inner) : xb_jv_get(b, outer)));
}

static void set_document(struct pod *p, struct xb_jv document)
{
	struct xb_jv old = p->document;

	p->document = document;
	xb_json_ref(document.doc);
	/* looked at before it was known what it should be (the runtime was the first to tell), it is looked at again */
	if (!xb_jv_is(old)) {
		p->seen_ms = pod_now_ms();
		pod_stale(p);
	}
	/* what a downward volume may show */
	if (xb_jv_is(old) && (differs(old, document, "metadata", "labels") || differs(old, document, "metadata", "annotations")))
		p->volumes_stale = true;
	if (xb_jv_is(old) && differs(old, document, "spec", NULL))
		for (size_t i = 0; i < p->slots.n; i++)
			p->slots.v[i].retry_ms = 0;
	if (p->stage <= POD_ACTIVE && objects_follow(p->pods->parts.objects, document) < 0)
		log_warning("pod %s/%s: out of memory", p->namespace_, p->name);
	xb_json_unref((struct xb_json *)old.doc);
	pod_poke(p);
}

static void set_server(struct pod *p, struct xb_jv object)
{
	struct xb_jv old = p->server;

	p->server = object;
	if (object.doc)
		xb_json_ref(object.doc);
	xb_json_unref((struct xb_json *)old.doc);
	pod_server_seen(p);
}

static struct pod *obtain(struct source *o, struct xb_jv pod)
{
	struct xb_jv meta = xb_jv_get(pod, "metadata");
	struct pod *p = pod_obtain(o->pods, xb_jv_text(xb_jv_get(meta, "uid")), xb_jv_text(xb_jv_get(meta, "namespace")),
				   xb_jv_text(xb_jv_get(meta, "name")));

	if (!p)
		log_err("pod %.*s: out of memory", XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))));
	return p;
}

/* --- the API server --- */
static void on_gone(struct source *o, struct xb_jv object)
{
	struct pod *p = xb_map_get(o->pods->by_uid, xb_jv_text(xb_jv_path(object, "metadata", "uid")));

	if (!p)
		return;
	p->gone = true;
	set_server(p, (struct xb_jv){});
	pod_poke(p);
}

static void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct source *o = arg;
	bool there = xb_jv_is(object);
	struct pod *p;

	if (mirrors_is_one(there ? object : old)) {
		mirrors_saw(o->mirrors, there ? object : old, there);
		return;
	}
	if (!there) {
		on_gone(o, old);
		return;
	}
	p = obtain(o, object);
	if (!p)
		return;
	set_server(p, object);
	set_document(p, object);
}

static void on_synced(void *arg)
{
	struct source *o = arg;

	mirrors_begin(o->mirrors);
	pods_settle(o->pods);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("pods of this node cannot be followed: %s", why);
	else
		log_info("pods of this node are followed again");
}

static int follow_server(struct source *o)
{
	struct xb_informer_config c = {
		.rest = o->pods->c.rest, .path = "/api/v1/pods", .leave_out = leave_out, .changed = on_changed, .synced = on_synced,
		.trouble = on_trouble, .arg = o,
	};
	int r;

	if (asprintf(&o->field_selector, "spec.nodeName=%s", o->pods->c.facts->node_name) < 0) {
		o->field_selector = NULL;
		return -ENOMEM;
	}
	c.field_selector = o->field_selector;
	r = mirrors_new(o->pods, &o->mirrors);
	return r ? r : xb_informer_new(&c, &o->informer);
}

/* --- files --- */
static const struct static_pod *by_path(const struct static_pods *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].path, path))
			return &s->v[i];
	return NULL;
}

/* A file that became faulty, as one that is half written, leaves its pod as it was. */
static void keep_faulty(struct source *o)
{
	for (size_t i = 0; i < o->read.n; i++) {
		struct static_pod *now = &o->read.v[i];
		const struct static_pod *before = by_path(&o->known, now->path);

		if (now->pod)
			continue;
		if (!before || !before->why || strcmp(before->why, now->why))
			log_warning("%s: %s", now->path, now->why);
		if (before && before->pod)
			now->pod = xb_json_ref(before->pod);
	}
}

static bool is_in(const struct static_pods *s, const char *uid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].pod && xb_jv_streq(xb_jv_path(xb_json_root(s->v[i].pod), "metadata", "uid"), xb_sv(uid)))
			return true;
	return false;
}

static void keep_mirror(struct source *o, const struct pod *p)
{
	if (o->mirrors)
		mirrors_keep(o->mirrors, p->namespace_, p->name);
}

static void tell_static(struct source *o)
{
	for (struct xb_map_it it = {}; xb_map_next(o->pods->by_uid, &it);) {
		struct pod *p = it.value;

		if (!p->is_static || p->gone || is_in(&o->read, p->uid))
			continue;
		p->gone = true;
		set_server(p, (struct xb_jv){});
		keep_mirror(o, p);
		pod_poke(p);
	}
	for (size_t i = 0; i < o->read.n; i++) {
		struct xb_jv pod = o->read.v[i].pod ? xb_json_root(o->read.v[i].pod) : (struct xb_jv){};
		struct pod *p = xb_jv_is(pod) ? obtain(o, pod) : NULL;

		if (!p || xb_jv_is(p->document))
			continue;
		p->is_static = true;
		set_document(p, pod);
		keep_mirror(o, p);
	}
}

static void on_file_event(uv_fs_event_t *h, const char *name, int events, int status);
static void read_files(struct source *o);

static void on_check(uv_timer_t *h)
{
	read_files(h->data);
}

/* What is not there yet, or was made anew, cannot be watched by inotify: it is looked for now and then. */
static void watch_files(struct source *o)
{
	uv_fs_event_stop(&o->event);
	if (uv_fs_event_start(&o->event, on_file_event, o->path, 0) < 0)
		uv_timer_start(&o->check, on_check, o->pods->c.static_check_ms, 0);
}

static void work(uv_work_t *w)
{
	struct source *o = w->data;

	o->read_error = static_read(o->path, o->node_name, xb_time_now(), &o->read);
}

static void source_unref(struct source *o);

static void after_work(uv_work_t *w, int status)
{
	struct source *o = w->data;

	o->reading = false;
	if (o->freed) {
		source_unref(o);
		return;
	}
	if (o->read_error && o->read_error != -ENOENT && o->read_error != o->told_error)
		log_warning_errno(o->read_error, "static pods cannot be read from %s: %m", o->path);
	o->told_error = o->read_error;
	if (!o->read_error || o->read_error == -ENOENT) {
		keep_faulty(o);
		tell_static(o);
		static_pods_done(&o->known);
		o->known = o->read;
		o->read = (struct static_pods){};
	}
	if (o->read_error)
		watch_files(o);
	o->files_read = true;
	pods_settle(o->pods);
	if (o->again)
		read_files(o);
}

static void read_files(struct source *o)
{
	o->again = o->reading;
	if (o->reading)
		return;
	if (!uv_is_active((uv_handle_t *)&o->event))
		watch_files(o);
	o->work.data = o;
	o->reading = !uv_queue_work(o->pods->c.loop, &o->work, work, after_work);
}

static void on_file_event(uv_fs_event_t *h, const char *name, int events, int status)
{
	struct source *o = h->data;

	/* the folder or file itself may have been replaced */
	if (events & UV_RENAME)
		uv_fs_event_stop(h);
	read_files(o);
}

/* --- the set of sources --- */
static bool has_files(const struct source *o)
{
	return o->path && *o->path;
}

bool source_is_ready(const struct source *o)
{
	return o && (!o->informer || xb_informer_synced(o->informer)) && (!has_files(o) || o->files_read);
}

void source_pod_gone(struct source *o, const struct pod *p)
{
	for (struct xb_map_it it = {}; p->is_static && xb_map_next(o->pods->by_uid, &it);)
		pod_poke(it.value);
	if (p->is_static)
		keep_mirror(o, p);
}

void source_node_changed(struct source *o)
{
	if (o && o->mirrors)
		mirrors_keep_all(o->mirrors);
}

int source_new(struct pods *s, char **reterr_why, struct source **ret)
{
	struct source *o = calloc(1, sizeof(*o));
	int r = 0;

	if (!o)
		return -ENOMEM;
	o->pods = s;
	o->path = s->c.static_path;
	o->node_name = s->c.facts->node_name;
	uv_fs_event_init(s->c.loop, &o->event);
	uv_timer_init(s->c.loop, &o->check);
	o->event.data = o->check.data = o;
	o->handles = 2;
	if (s->c.rest)
		r = follow_server(o);
	if (r < 0) {
		source_free(o);
		return xb_why(reterr_why, r, "cannot follow this node's pods: %s", strerror(-r));
	}
	if (has_files(o))
		read_files(o);
	*ret = o;
	return 0;
}

static void source_unref(struct source *o)
{
	if (o->handles || o->reading)
		return;
	static_pods_done(&o->read);
	static_pods_done(&o->known);
	free(o->field_selector);
	free(o);
}

static void on_closed(uv_handle_t *h)
{
	struct source *o = h->data;

	o->handles--;
	source_unref(o);
}

struct source *source_free(struct source *o)
{
	if (!o)
		return NULL;
	o->freed = true;
	xb_informer_free(o->informer);
	mirrors_free(o->mirrors);
	uv_close((uv_handle_t *)&o->event, on_closed);
	uv_close((uv_handle_t *)&o->check, on_closed);
	return NULL;
}
