/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every kind that can be deleted is watched: by the copy that other loops read as well, where there is one, else its metadata alone.
 * Which kinds there are is asked for again and again.
 */
#include "gc.h"
#include "xb/log.h"
#include "xb/owner.h"
#include "xb/time.h"

#define DISCOVERY_MS 30000
#define PATIENCE_MS  60000      /* for the first lists: one kind that cannot be read must not hold up all */
#define ABSENT_MAX   4096

struct gc_monitor {
	struct gc *g;
	struct xb_arena *arena;         /* of the kind's strings */
	struct xb_kind kind;
	struct xb_reflector *reflector; /* NULL: it is shared, or the server has no such kind now */
	bool shared;
	uint32_t list;
	bool synced, named;             /* named: by the discovery that is read */
	bool missed;                    /* something was not seen for want of memory */
};

/* --- owners that are gone --- */
void gc_absent_key(struct xb_sv api_version, struct xb_sv kind, struct xb_sv namespace_, struct xb_sv name, struct xb_sv uid,
		   struct xb_buf *out)
{
	xb_buf_addf(out, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", XB_SV_ARG(api_version), XB_SV_ARG(kind), XB_SV_ARG(namespace_), XB_SV_ARG(name),
		    XB_SV_ARG(uid));
}

/* Only saves questions: forgotten when it is many. */
void gc_absent_add(struct gc *g, struct xb_sv key)
{
	if (xb_map_count(g->absent) >= ABSENT_MAX)
		for (struct xb_map_it it = {}; xb_map_next(g->absent, &it);)
			xb_map_del(g->absent, it.key);
	xb_map_set(g->absent, key, g, NULL);
}

static void note_absent(struct gc_monitor *m, const struct gc_node *n, struct xb_sv uid)
{
	_cleanup_buf_ struct xb_buf key = {}, version = {};

	xb_kind_api_version(&m->kind, &version);
	gc_absent_key(xb_buf_sv(&version), xb_sv(m->kind.kind), gc_node_namespace(n), gc_node_name(n), uid, &key);
	if (!key.err && !version.err)
		gc_absent_add(m->g, xb_buf_sv(&key));
}

/* --- what happens to objects --- */
static int on_listed(void *arg, struct xb_jv object)
{
	struct gc_monitor *m = arg;

	return gc_graph_saw(m->g->graph, &m->kind, object, m->list + 1);
}

static void begin_if_whole(struct gc *g)
{
	if (g->whole)
		return;
	if (xb_time_ms() - g->began_ms < PATIENCE_MS)
		for (size_t i = 0; i < g->monitors.n; i++)
			if (!g->monitors.v[i]->synced)
				return;
	g->whole = true;
	log_info("garbage collector: %zu objects of %zu kinds", gc_graph_count(g->graph), g->monitors.n);
	gc_graph_look_all(g->graph);
}

static int on_list_end(void *arg, bool whole)
{
	struct gc_monitor *m = arg;

	if (!whole)
		return 0;
	m->list++;
	if (m->synced)
		gc_graph_sweep(m->g->graph, &m->kind, m->list);
	m->synced = true;
	begin_if_whole(m->g);
	return 0;
}

static int on_event(void *arg, struct xb_jv object, bool deleted)
{
	struct gc_monitor *m = arg;
	struct xb_sv uid = xb_jv_text(xb_jv_path(object, "metadata", "uid"));
	const struct gc_node *n;

	if (!deleted)
		return gc_graph_saw(m->g->graph, &m->kind, object, m->list);
	n = gc_graph_find(m->g->graph, uid);
	if (n && n->seen && !LIST_EMPTY(&n->dependents))
		note_absent(m, n, uid);
	gc_graph_lost(m->g->graph, uid);
	return 0;
}

/* In all that the graph reads: most changes are of something else. */
static bool looks_same(struct xb_jv old, struct xb_jv object)
{
	static const char *const read[] = { "ownerReferences", "finalizers", "deletionTimestamp" };
	struct xb_jv old_meta = xb_jv_get(old, "metadata"), meta = xb_jv_get(object, "metadata");
	bool same = xb_jv_is(old_meta);

	for (size_t i = 0; same && i < ARRAY_SIZE(read); i++)
		same = xb_sv_eq(xb_jv_bytes(xb_jv_get(old_meta, read[i])), xb_jv_bytes(xb_jv_get(meta, read[i])));
	return same;
}

static void on_shared(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct gc_monitor *m = arg;
	bool deleted = xb_jv_type(object) == XB_JSON_NONE;

	if (!deleted && !m->missed && looks_same(old, object))
		return;
	if (!on_event(m, deleted ? old : object, deleted))
		return;
	m->missed = true;
	log_warning("garbage collector: out of memory; an object is not seen before its next change");
}

void gc_monitors_run(struct gc *g)
{
	for (size_t i = 0; i < g->monitors.n; i++)
		g->monitors.v[i]->synced |= g->monitors.v[i]->shared;
	begin_if_whole(g);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("garbage collector: %s: %s; trying on", path, why);
}

/* --- which kinds --- */
static bool is_collected(const struct resource *r)
{
	const unsigned verbs = XB_VERB_DELETE | XB_VERB_LIST | XB_VERB_WATCH;
	bool events = !strcmp(r->kind.plural, "events") && (!*r->kind.group || !strcmp(r->kind.group, "events.k8s.io"));

	return r->preferred && (r->kind.verbs & verbs) == verbs && !events;
}

static struct gc_monitor *find(const struct gc *g, const struct xb_kind *k)
{
	for (size_t i = 0; i < g->monitors.n; i++) {
		const struct xb_kind *m = &g->monitors.v[i]->kind;

		if (!strcmp(m->plural, k->plural) && !strcmp(m->group, k->group) && !strcmp(m->version, k->version))
			return g->monitors.v[i];
	}
	return NULL;
}

static struct gc_monitor *monitor_free(struct gc_monitor *m)
{
	xb_reflector_free(m->reflector);
	xb_arena_free(m->arena);
	free(m);
	return NULL;
}
XB_DEFINE_CLEANUP(struct gc_monitor *, monitor_free)

static struct gc_monitor *monitor_new(struct gc *g, const struct xb_kind *k)
{
	_cleanup_(monitor_freep) struct gc_monitor *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->g = g;
	m->arena = xb_arena_new(0);
	if (!m->arena)
		return NULL;
	m->kind = (struct xb_kind){
		.group = xb_arena_strn(m->arena, xb_sv(k->group)),
		.version = xb_arena_strn(m->arena, xb_sv(k->version)),
		.kind = xb_arena_strn(m->arena, xb_sv(k->kind)),
		.plural = xb_arena_strn(m->arena, xb_sv(k->plural)),
		.namespaced = k->namespaced,
		.verbs = k->verbs,
	};
	if (!m->kind.group || !m->kind.version || !m->kind.kind || !m->kind.plural || xb_vec_push(&g->monitors, m))
		return NULL;
	return TAKE_PTR(m);
}

static int share(struct gc_monitor *m, const struct xb_kind *k)
{
	struct xb_cache *cache = m->g->kcm->cache;

	m->shared = true;
	m->synced = xb_cache_synced(cache);
	return xb_cache_follow(cache, k, on_shared, m);
}

static int watch(struct gc_monitor *m)
{
	const struct xb_kind *k = kcm_kind(m->kind.group, m->kind.version, m->kind.plural);
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_reflector_config c = {
		.rest = m->g->kcm->watch_rest,
		.accept = XB_ACCEPT_METADATA,
		.listed = on_listed,
		.list_end = on_list_end,
		.event = on_event,
		.trouble = on_trouble,
		.arg = m,
	};

	if (k && xb_cache_find(m->g->kcm->cache, k))
		return share(m, k);
	xb_kind_path(&m->kind, (struct xb_sv){}, (struct xb_sv){}, NULL, &path);
	c.path = path.p;
	return path.err ? path.err : xb_reflector_new(&c, &m->reflector);
}

static int take_kinds(struct gc *g)
{
	for (size_t i = 0; i < g->monitors.n; i++)
		g->monitors.v[i]->named = false;
	for (size_t i = 0; i < g->known.n; i++) {
		struct gc_monitor *m;

		if (!is_collected(&g->known.v[i]))
			continue;
		m = find(g, &g->known.v[i].kind);
		if (!m)
			m = monitor_new(g, &g->known.v[i].kind);
		if (!m || (!m->reflector && !m->shared && watch(m)))
			return -ENOMEM;
		m->named = true;
	}
	/* what could not be told may still be there */
	for (size_t i = 0; i < g->monitors.n && !g->known.n_failed; i++) {
		struct gc_monitor *m = g->monitors.v[i];

		if (!m->named && !m->shared) {
			m->reflector = xb_reflector_free(m->reflector);
			m->synced = true;
		}
	}
	return 0;
}

static void on_discovered(struct kcm_work *w, int error)
{
	struct gc *g = w->loop;

	if (!error && g->asked.n) {
		xb_arena_free(g->known.arena);
		g->known = g->asked;
		g->asked = (struct resources){};
		error = take_kinds(g);
	} else if (!error) {
		error = -EIO;
	}
	begin_if_whole(g);
	if (!error)
		xb_work_queue_add_after(kcm_queue_keys(g->discovery), w->key, DISCOVERY_MS);
	kcm_work_done(w, error);
}

static void discover(struct kcm_work *w)
{
	struct gc *g = w->loop;

	xb_arena_free(g->asked.arena);
	g->asked = (struct resources){ .arena = xb_arena_new(0) };
	if (!g->asked.arena) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	kcm_work_round(w, on_discovered);
	resources_ask(w, &g->asked);
	kcm_work_go(w);
}

int gc_monitors_start(struct gc *g)
{
	struct kcm_queue_config c = {
		.name = "garbage_collector_discovery", .workers = 1, .sync = discover, .loop = g, .backoff_max_ms = DISCOVERY_MS,
	};
	int r = kcm_queue_new(g->kcm, &c, &g->discovery);

	if (r)
		return r;
	g->began_ms = xb_time_ms();
	xb_work_queue_add(kcm_queue_keys(g->discovery), "kinds");
	return 0;
}

void gc_monitors_stop(struct gc *g)
{
	kcm_queue_free(g->discovery);
	for (size_t i = 0; i < g->monitors.n; i++)
		monitor_free(g->monitors.v[i]);
	xb_vec_done(&g->monitors);
	xb_arena_free(g->known.arena);
	xb_arena_free(g->asked.arena);
}
