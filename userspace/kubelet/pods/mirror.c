/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mirror.h"
#include "static.h"
#include "xb/cache.h"
#include "xb/log.h"
#include "xb/tree.h"

#define AGAIN_MS 1000

struct mirror {
	struct mirrors *of;
	char *namespace_, *name;
	struct xb_jv object;            /* with a reference; {}: there is none */
	struct xb_rest_call *call;      /* its making or deletion, under way */
	bool seen;                      /* the watch has shown it since that began */
	size_t key_n;
	char key[];
};
struct mirrors {
	struct pods *pods;
	struct xb_map *by_name;         /* "<namespace>/<name>" */
	uv_timer_t again;
	bool begun;
};

bool mirrors_is_one(struct xb_jv object)
{
	return xb_jv_is(xb_jv_path(object, "metadata", "annotations", STATIC_NOTE_MIRROR));
}

/* --- what there is --- */
static struct mirror *obtain(struct mirrors *all, struct xb_sv namespace_, struct xb_sv name)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct mirror *m;

	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(namespace_), XB_SV_ARG(name));
	m = key.err ? NULL : xb_map_get(all->by_name, xb_buf_sv(&key));
	if (m || key.err)
		return m;
	m = calloc(1, sizeof(*m) + key.n);
	if (!m)
		return NULL;
	m->of = all;
	m->key_n = key.n;
	memcpy(m->key, key.p, key.n);
	m->namespace_ = xb_sv_dup(namespace_);
	m->name = xb_sv_dup(name);
	if (m->namespace_ && m->name && !xb_map_set(all->by_name, (struct xb_sv){ m->key, m->key_n }, m, NULL))
		return m;
	free(m->namespace_);
	free(m->name);
	free(m);
	return NULL;
}

static void forget(struct mirror *m)
{
	xb_map_del(m->of->by_name, (struct xb_sv){ m->key, m->key_n });
	xb_rest_cancel(m->call);
	xb_json_unref((struct xb_json *)m->object.doc);
	free(m->namespace_);
	free(m->name);
	free(m);
}

/* The static pod of that name that is wanted. */
static struct pod *pod_of(const struct mirror *m)
{
	for (struct xb_map_it it = {}; xb_map_next(m->of->pods->by_uid, &it);) {
		struct pod *p = it.value;

		if (p->is_static && !p->gone && !strcmp(p->name, m->name) && !strcmp(p->namespace_, m->namespace_))
			return p;
	}
	return NULL;
}

static bool is_ending(const struct mirror *m)
{
	for (struct xb_map_it it = {}; xb_map_next(m->of->pods->by_uid, &it);) {
		const struct pod *p = it.value;

		if (p->is_static && p->stage < POD_ENDED && !strcmp(p->name, m->name) && !strcmp(p->namespace_, m->namespace_))
			return true;
	}
	return false;
}

/* --- making and deleting --- */
static void look(struct mirror *m);

static void on_again(uv_timer_t *h)
{
	mirrors_keep_all(h->data);
}

static void later(struct mirrors *all)
{
	if (!uv_is_active((uv_handle_t *)&all->again))
		uv_timer_start(&all->again, on_again, AGAIN_MS, 0);
}

static void on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct mirror *m = arg;
	bool well = (code >= 200 && code < 300) || code == 404 || code == 409;

	m->call = NULL;
	if (code && !well)
		log_warning("mirror pod %s/%s: %s", m->namespace_, m->name, status->message);
	if (code < 200 || code >= 300)
		later(m->of);
	else if (m->seen)
		look(m);
}

static void ask(struct mirror *m, const char *method, const struct xb_buf *path, const struct xb_buf *body)
{
	struct xb_rest_request q = { .method = method, .path = path->p, .content_type = "application/json", .body = xb_buf_sv(body) };

	m->seen = false;
	if (path->err || body->err || xb_rest_send(m->of->pods->c.rest, &q, on_answer, m, &m->call) < 0)
		later(m->of);
}

static const struct xb_kind *pods_kind(void)
{
	return xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
}

static void delete_mirror(struct mirror *m)
{
	_cleanup_buf_ struct xb_buf path = {}, body = {};

	xb_kind_path(pods_kind(), xb_sv(m->namespace_), xb_sv(m->name), NULL, &path);
	xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_meta(m->object, "uid")));
	ask(m, "DELETE", &path, &body);
}

/* The node owns it, so that it goes with the node. */
static void write_owner(const struct facts *f, struct xb_jv node, struct xb_arena *a, struct xb_tree *object)
{
	struct xb_tree *owners = xb_tree_array(a), *owner = xb_tree_parse(a, "{\"apiVersion\":\"v1\",\"kind\":\"Node\"}");

	xb_tree_setc(owner, "name", xb_tree_str(a, xb_sv(f->node_name)));
	xb_tree_setc(owner, "uid", xb_tree_str(a, xb_jv_meta(node, "uid")));
	xb_tree_setc(owner, "controller", xb_tree_bool(a, true));
	xb_tree_append(owners, owner);
	xb_tree_setc(object, "ownerReferences", owners);
}

static void create(struct mirror *m, const struct pod *p)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	struct node *node = m->of->pods->parts.node;
	struct xb_jv object = node ? kubelet_node_object(node) : (struct xb_jv){};
	_cleanup_buf_ struct xb_buf path = {}, body = {};
	struct xb_tree *mirror, *notes;

	if (node && !xb_jv_meta(object, "uid").n)
		return;                 /* source_node_changed brings it here again */
	mirror = a ? xb_tree_from(a, p->document, NULL, NULL) : NULL;
	notes = mirror ? xb_tree_path(mirror, "metadata", "annotations") : NULL;
	if (!notes) {
		later(m->of);
		return;
	}
	xb_tree_set(notes, XB_SV(STATIC_NOTE_MIRROR), xb_tree_str(a, xb_sv(p->uid)));
	xb_tree_del(xb_tree_get(mirror, "metadata"), "uid");
	if (node)
		write_owner(m->of->pods->c.facts, object, a, xb_tree_get(mirror, "metadata"));
	xb_tree_write(mirror, &body);
	xb_kind_path(pods_kind(), xb_sv(m->namespace_), (struct xb_sv){}, NULL, &path);
	ask(m, "POST", &path, &body);
}

static void look(struct mirror *m)
{
	struct pod *p = pod_of(m);
	bool there = xb_jv_is(m->object), deleted = xb_jv_is(xb_jv_path(m->object, "metadata", "deletionTimestamp"));
	bool its = there && p && xb_jv_streq(xb_jv_path(m->object, "metadata", "annotations", STATIC_NOTE_MIRROR), xb_sv(p->uid));

	if (!m->of->begun || m->call)
		return;
	if (there && (deleted || (p && !its) || (!p && !is_ending(m))))
		delete_mirror(m);
	else if (!there && p)
		create(m, p);
	else if (!there && !p)
		forget(m);
}

/* The static pod's status goes to its mirror. */
static void attach(struct mirror *m)
{
	struct pod *p = pod_of(m);

	if (!p || p->server.doc == m->object.doc)
		return;
	xb_json_unref((struct xb_json *)p->server.doc);
	p->server = m->object;
	if (p->server.doc)
		xb_json_ref(p->server.doc);
	pod_server_seen(p);
	/* what its mirror was told by an earlier kubelet goes on */
	if (!p->sent_hash)
		p->status = xb_json_unref(p->status);
	pod_poke(p);
}

/* --- told --- */
void mirrors_saw(struct mirrors *all, struct xb_jv object, bool there)
{
	struct mirror *m = obtain(all, xb_jv_meta(object, "namespace"), xb_jv_meta(object, "name"));

	if (!m)
		return;
	xb_json_unref((struct xb_json *)m->object.doc);
	m->object = there ? object : (struct xb_jv){};
	m->seen = true;
	if (there)
		xb_json_ref(object.doc);
	attach(m);
	look(m);
}

void mirrors_keep(struct mirrors *all, const char *namespace_, const char *name)
{
	struct mirror *m = obtain(all, xb_sv(namespace_), xb_sv(name));

	if (!m) {
		later(all);
		return;
	}
	attach(m);
	look(m);
}

void mirrors_keep_all(struct mirrors *all)
{
	for (struct xb_map_it it = {}; xb_map_next(all->by_name, &it);)
		look(it.value);
}

void mirrors_begin(struct mirrors *all)
{
	all->begun = true;
	mirrors_keep_all(all);
}

int mirrors_new(struct pods *s, struct mirrors **ret)
{
	struct mirrors *all = calloc(1, sizeof(*all));

	if (!all || !(all->by_name = xb_map_new(XB_MAP_BORROW))) {
		free(all);
		return -ENOMEM;
	}
	all->pods = s;
	uv_timer_init(s->c.loop, &all->again);
	all->again.data = all;
	*ret = all;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

struct mirrors *mirrors_free(struct mirrors *all)
{
	if (!all)
		return NULL;
	for (struct xb_map_it it = {}; xb_map_next(all->by_name, &it);)
		forget(it.value);
	xb_map_free(all->by_name);
	uv_close((uv_handle_t *)&all->again, on_closed);
	return NULL;
}
