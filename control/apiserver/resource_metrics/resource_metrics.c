/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include "../connect/kubelets.h"
#include "../list.h"
#include "../server.h"
#include "resource_metrics.h"
#include "scraper.h"
#include "xb/quantity.h"
#include "xb/time.h"

/* --- kubelets, for the scraper --- */

static int find(void *arg, struct xb_arena *a, const char *node, struct xb_stream_target *ret)
{
	return kubelets_find(arg, a, xb_sv(node), false, ret, NULL);
}

struct scraper *resource_metrics_new(struct server *s)
{
	return scraper_new(&(struct scraper_config){ .loop = s->loop, .find = find, .arg = s });
}

/* --- the objects that the answer is about: Nodes, or Pods that run --- */

static const struct xb_kind *core_kind(const struct request *q)
{
	return xb_kind_by_resource(XB_SV(""), XB_SV("v1"), xb_sv(q->route.kind->plural));
}

static struct xb_sv name_of(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "name"));
}

static struct xb_sv node_of(const struct request *q, struct xb_jv object)
{
	return q->route.kind->namespaced ? xb_jv_text(xb_jv_path(object, "spec", "nodeName")) : name_of(object);
}

static bool is_wanted(const struct request *q, struct xb_jv object)
{
	if (!node_of(q, object).n || !request_selects(q, object))
		return false;
	return !q->route.kind->namespaced || xb_sv_is(xb_jv_text(xb_jv_path(object, "status", "phase")), "Running");
}

/* Calls for each; a name in the path makes it one. */
static int each_object(struct request *q, int (*call)(struct request *q, struct xb_jv object, void *arg), void *arg)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	const char *key = route_key(q->arena, core_kind(q), q->route.namespace_, q->route.name);
	struct store_object *o;
	int r;

	if (!key)
		return -ENOMEM;
	if (q->route.name.n) {
		o = store_get(q->server->store, key);
		return o && is_wanted(q, xb_json_root(o->doc)) ? call(q, xb_json_root(o->doc), arg) : 0;
	}
	r = store_walk_new(q->server->store, key, NULL, 0, &walk);
	while (!r && (o = store_walk_next(walk)))
		if (is_wanted(q, xb_json_root(o->doc)))
			r = call(q, xb_json_root(o->doc), arg);
	return r ? r : store_walk_error(walk);
}

static int ask_node(struct request *q, struct xb_jv object, void *arg)
{
	return scraper_question_add(arg, node_of(q, object));
}

/* --- the answer --- */

static void write_quantity(struct xb_jw *w, const char *key, double value, enum xb_quantity_form form)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_quantity quantity = { .nano = (__int128)fmin(value * 1e9, 9e27), .form = form };

	xb_quantity_write(&quantity, &text);
	xb_jw_ksv(w, key, xb_buf_sv(&text));
}

static void write_usage(struct xb_jw *w, const struct usage *u)
{
	xb_jw_key(w, "usage");
	xb_jw_object(w);
	write_quantity(w, "cpu", u->cores, XB_DECIMAL_SI);
	write_quantity(w, "memory", floor(u->memory), XB_BINARY_SI);
	xb_jw_end(w);
}

static void write_window(struct xb_jw *w, const struct usage *u)
{
	struct xb_time_text at = xb_time_format(u->at_ms * 1000), window = xb_duration_format(u->window_ms * 1000000);

	xb_jw_kstr(w, "timestamp", at.s);
	xb_jw_kstr(w, "window", window.s);
}

static void write_metadata(struct xb_jw *w, struct xb_jv object)
{
	struct xb_jv meta = xb_jv_get(object, "metadata"), labels = xb_jv_get(meta, "labels");
	struct xb_time_text now = xb_time_format(xb_time_now());

	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "name", name_of(object));
	if (xb_jv_is(xb_jv_get(meta, "namespace")))
		xb_jw_ksv(w, "namespace", xb_jv_text(xb_jv_get(meta, "namespace")));
	xb_jw_kstr(w, "creationTimestamp", now.s);
	if (xb_jv_is(labels)) {
		xb_jw_key(w, "labels");
		xb_jw_raw(w, xb_jv_bytes(labels));
	}
	xb_jw_end(w);
}

static bool node_usage(const struct request *q, struct xb_jv node, struct xb_jw *w)
{
	struct usage u;

	if (!scraper_node(q->server->scraper, name_of(node), &u))
		return false;
	write_window(w, &u);
	write_usage(w, &u);
	return true;
}

/* The pod's window is that of its first container. */
static bool pod_usage(const struct request *q, struct xb_jv pod, struct xb_jw *w)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(pod, "metadata", "namespace"));
	bool any = false;
	struct usage u;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", lists[i])); xb_jit_next(&it);) {
			struct xb_sv name = xb_jv_text(xb_jv_get(it.value, "name"));

			if (!scraper_container(q->server->scraper, node_of(q, pod), namespace_, name_of(pod), name, &u))
				continue;
			if (!any) {
				write_window(w, &u);
				xb_jw_key(w, "containers");
				xb_jw_array(w);
			}
			any = true;
			xb_jw_object(w);
			xb_jw_ksv(w, "name", name);
			write_usage(w, &u);
			xb_jw_end(w);
		}
	if (any)
		xb_jw_end(w);
	return any;
}

/* -ENOENT: nothing is known of it. */
static int make_item(struct request *q, struct xb_jv object, struct xb_json **ret)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	struct xb_jw w = XB_JW(&bytes);
	int r;

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", q->route.kind->kind);
	xb_jw_kstr(&w, "apiVersion", "metrics.k8s.io/v1beta1");
	write_metadata(&w, object);
	if (!(q->route.kind->namespaced ? pod_usage(q, object, &w) : node_usage(q, object, &w)))
		return -ENOENT;
	xb_jw_end(&w);
	r = xb_jw_finish(&w);
	return r ? r : xb_json_parse(xb_buf_sv(&bytes), NULL, ret, NULL);
}

struct list {
	struct xb_buf out;
	bool any;
};

static int add_item(struct request *q, struct xb_jv object, void *arg)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct list *l = arg;
	int r = make_item(q, object, &doc);

	if (!r)
		encode_list_item(&q->encoding, doc, !l->any, &l->out);
	l->any |= !r;
	return r == -ENOENT ? 0 : r ? r : l->out.err;
}

static int answer_list(struct request *q)
{
	struct list l = {};
	int r;

	encode_list_begin(&q->encoding, &l.out);
	r = each_object(q, add_item, &l);
	if (!r)
		encode_list_end(store_revision(q->server->store), (struct xb_sv){}, -1, &l.out);
	if (r || l.out.err) {
		xb_buf_done(&l.out);
		return r ? r : -ENOMEM;
	}
	request_reply_buf(q, 200, negotiate_content_type(&q->encoding.accept), &l.out);
	return 0;
}

static int take_item(struct request *q, struct xb_jv object, void *arg)
{
	return make_item(q, object, arg);
}

static int answer_one(struct request *q)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = each_object(q, take_item, &doc);

	if (r && r != -ENOENT)
		return r;
	if (!doc)
		return xb_status_not_found(&q->fault, q->route.kind->group, q->route.kind->plural, q->route.name);
	request_reply_object(q, 200, doc);
	return 0;
}

static void on_read(void *arg)
{
	struct request *q = arg;
	int r = q->route.name.n ? answer_one(q) : answer_list(q);

	if (r)
		request_fail(q, r);
}

/* --- the request --- */

static void release(struct request *q)
{
	q->state = scraper_question_free(q->state);
}

static int handler(struct request *q)
{
	int r = q->route.name.n ? 0 : list_read_selectors(q);

	if (r)
		return r;
	q->state = scraper_question_new(q->server->scraper, on_read, q);
	q->release = release;
	r = q->state ? each_object(q, ask_node, q->state) : -ENOMEM;
	return r ? r : scraper_question_ask(q->state);
}

request_handler *resource_metrics_handler(const struct route *t)
{
	return !strcmp(t->kind->group, "metrics.k8s.io") ? handler : NULL;
}
