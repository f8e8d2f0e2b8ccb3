/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "gc_graph.h"
#include "../pods.h"
#include "xb/map.h"

struct gc_namespace {
	size_t n_nodes, name_n;
	char name[];
};
struct gc_graph {
	void (*look)(void *arg, const struct gc_node *n);
	void *arg;
	struct xb_map *nodes, *namespaces;
};

/* --- uids: a UUID takes 16 bytes, anything else (a reference may say what it likes) its text; the first byte says which --- */
#define UUID_N 17

static bool is_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool pack_uuid(struct xb_sv uid, char out[UUID_N])
{
	unsigned digits = 0;

	if (uid.n != 36)
		return false;
	out[0] = 'u';
	for (size_t i = 0; i < 36; i++) {
		int d = hex(uid.p[i]);

		if (is_dash(i) ? uid.p[i] != '-' : d < 0)
			return false;
		if (is_dash(i))
			continue;
		out[1 + digits / 2] = (char)(digits % 2 ? out[1 + digits / 2] | d : d << 4);
		digits++;
	}
	return true;
}

static void pack(struct xb_sv uid, struct xb_buf *out)
{
	char packed[UUID_N];

	xb_buf_clear(out);
	if (pack_uuid(uid, packed)) {
		xb_buf_add(out, packed, sizeof(packed));
		return;
	}
	xb_buf_addc(out, 't');
	xb_buf_addsv(out, uid);
}

void gc_node_uid(const struct gc_node *n, struct xb_buf *out)
{
	unsigned digits = 0;

	if (n->bytes[0] != 'u') {
		xb_buf_add(out, n->bytes + 1, n->uid_n - 1U);
		return;
	}
	for (size_t i = 0; i < 36; i++) {
		uint8_t byte = (uint8_t)n->bytes[1 + digits / 2];

		if (is_dash(i)) {
			xb_buf_addc(out, '-');
			continue;
		}
		xb_buf_addc(out, "0123456789abcdef"[digits % 2 ? byte & 15 : byte >> 4]);
		digits++;
	}
}

/* --- namespaces, each name once --- */
static struct gc_namespace *namespace_obtain(struct gc_graph *g, struct xb_sv name)
{
	struct gc_namespace *n = xb_map_get(g->namespaces, name);

	if (!n) {
		n = calloc(1, sizeof(*n) + name.n);
		if (!n)
			return NULL;
		n->name_n = name.n;
		memcpy(n->name, name.p, name.n);
		if (xb_map_set(g->namespaces, (struct xb_sv){ n->name, name.n }, n, NULL)) {
			free(n);
			return NULL;
		}
	}
	n->n_nodes++;
	return n;
}

static void namespace_release(struct gc_graph *g, struct gc_namespace *n)
{
	if (!n || --n->n_nodes)
		return;
	xb_map_del(g->namespaces, (struct xb_sv){ n->name, n->name_n });
	free(n);
}

/* --- nodes --- */
struct xb_sv gc_node_name(const struct gc_node *n)
{
	return (struct xb_sv){ n->bytes + n->uid_n, n->name_n };
}

struct xb_sv gc_node_namespace(const struct gc_node *n)
{
	return n->namespace_ ? (struct xb_sv){ n->namespace_->name, n->namespace_->name_n } : (struct xb_sv){};
}

static struct xb_sv key_of(const struct gc_node *n)
{
	return (struct xb_sv){ n->bytes, n->uid_n };
}

static struct gc_node *node_new(struct gc_graph *g, struct xb_sv packed, struct xb_sv name)
{
	struct gc_node *n = packed.n > UINT32_MAX || name.n > UINT16_MAX ? NULL : calloc(1, sizeof(*n) + packed.n + name.n);

	if (!n)
		return NULL;
	n->uid_n = (uint32_t)packed.n;
	n->name_n = (uint16_t)name.n;
	memcpy(n->bytes, packed.p, packed.n);
	if (name.n)
		memcpy(n->bytes + packed.n, name.p, name.n);
	if (xb_map_set(g->nodes, key_of(n), n, NULL)) {
		free(n);
		return NULL;
	}
	return n;
}

static void free_if_unused(struct gc_graph *g, struct gc_node *n)
{
	if (n->seen || !LIST_EMPTY(&n->dependents))
		return;
	xb_map_del(g->nodes, key_of(n));
	free(n);
}

static void look(struct gc_graph *g, const struct gc_node *n)
{
	if (gc_node_needs_look(n))
		g->look(g->arg, n);
}

static void look_at_dependents(struct gc_graph *g, const struct gc_node *n)
{
	struct gc_edge *e;

	LIST_FOREACH(e, &n->dependents, among)
		look(g, e->dependent);
}

/* --- references --- */
static uint64_t claim_of(struct xb_sv group, struct xb_sv kind, struct xb_sv name)
{
	char text[1024];
	int n = snprintf(text, sizeof(text), "%.*s/%.*s/%.*s", XB_SV_ARG(group), XB_SV_ARG(kind), XB_SV_ARG(name));

	return xb_hash((struct xb_sv){ text, MIN((size_t)n, sizeof(text) - 1) });
}

static uint64_t claim_of_reference(struct xb_jv ref)
{
	struct xb_sv version = xb_jv_text(xb_jv_get(ref, "apiVersion")), group = {};

	if (version.n && memchr(version.p, '/', version.n))
		xb_sv_split(&version, '/', &group);
	return claim_of(group, xb_jv_text(xb_jv_get(ref, "kind")), xb_jv_text(xb_jv_get(ref, "name")));
}

static bool edge_is_sound(const struct gc_edge *e)
{
	const struct gc_node *o = e->owner;

	return o->seen && !o->deleting_dependents && !gc_edge_crosses(e) &&
	       e->claim == claim_of(xb_sv(o->kind->group), xb_sv(o->kind->kind), gc_node_name(o));
}

bool gc_edge_crosses(const struct gc_edge *e)
{
	return e->owner->seen && e->owner->namespace_ && e->owner->namespace_ != e->dependent->namespace_;
}

bool gc_node_needs_look(const struct gc_node *n)
{
	if (!n->seen)
		return false;
	if (n->orphaning)
		return true;
	if (n->deleting_dependents)
		return !n->n_blocking;
	for (const struct gc_edge *e = n->deleting ? NULL : n->owners; e; e = e->next)
		if (!edge_is_sound(e))
			return true;
	return false;
}

static void edge_set_blocks(struct gc_edge *e, bool blocks)
{
	e->owner->n_blocking += (unsigned)blocks - (unsigned)e->blocks;
	e->blocks = blocks;
}

static void edge_free(struct gc_graph *g, struct gc_edge *e)
{
	struct gc_node *owner = e->owner;

	edge_set_blocks(e, false);
	LIST_REMOVE(e, among);
	free(e);
	if (owner->deleting_dependents)
		look(g, owner);
	free_if_unused(g, owner);
}

static void edges_free(struct gc_graph *g, struct gc_edge *list)
{
	for (struct gc_edge *next; list; list = next) {
		next = list->next;
		edge_free(g, list);
	}
}

/* Out of the list when it is there. */
static struct gc_edge *take_edge(struct gc_edge **list, const struct gc_node *owner, uint64_t claim)
{
	for (struct gc_edge **at = list, *e; (e = *at); at = &e->next)
		if (e->owner == owner && e->claim == claim) {
			*at = e->next;
			return e;
		}
	return NULL;
}

static struct gc_edge *edge_new(struct gc_graph *g, struct gc_node *n, struct xb_sv packed, uint64_t claim)
{
	struct gc_node *owner = xb_map_get(g->nodes, packed);
	struct gc_edge *e = calloc(1, sizeof(*e));

	if (e && !owner)
		owner = node_new(g, packed, (struct xb_sv){});
	if (!e || !owner) {
		free(e);
		return NULL;
	}
	*e = (struct gc_edge){ .owner = owner, .dependent = n, .claim = claim };
	LIST_INSERT_HEAD(&owner->dependents, e, among);
	return e;
}

static int set_owners(struct gc_graph *g, struct gc_node *n, struct xb_jv references)
{
	_cleanup_buf_ struct xb_buf packed = {};
	struct gc_edge *old = n->owners;
	int r = 0;

	n->owners = NULL;
	for (struct xb_jit it = xb_jv_iter(references); xb_jit_next(&it);) {
		uint64_t claim = claim_of_reference(it.value);
		struct gc_edge *e = NULL;

		pack(xb_jv_text(xb_jv_get(it.value, "uid")), &packed);
		if (!packed.err)
			e = take_edge(&old, xb_map_get(g->nodes, xb_buf_sv(&packed)), claim);
		if (!packed.err && !e)
			e = edge_new(g, n, xb_buf_sv(&packed), claim);
		if (!e) {
			r = -ENOMEM;
			break;
		}
		edge_set_blocks(e, xb_jv_true(xb_jv_get(it.value, "blockOwnerDeletion")));
		e->next = n->owners;
		n->owners = e;
	}
	edges_free(g, old);
	return r;
}

/* --- what is seen --- */
static bool has_finalizer(struct xb_jv meta, const char *name)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(meta, "finalizers")); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, xb_sv(name)))
			return true;
	return false;
}

/* In place of a node that only references were known of: now it has a name. */
static struct gc_node *replace(struct gc_graph *g, struct gc_node *unseen, struct xb_sv packed, struct xb_sv name)
{
	struct gc_node *n = node_new(g, packed, name);
	struct gc_edge *e;

	if (!n || !unseen)
		return n;
	n->n_blocking = unseen->n_blocking;
	while ((e = LIST_FIRST(&unseen->dependents))) {
		LIST_REMOVE(e, among);
		LIST_INSERT_HEAD(&n->dependents, e, among);
		e->owner = n;
	}
	free(unseen);
	return n;
}

static int obtain(struct gc_graph *g, const struct xb_kind *kind, struct xb_jv meta, struct gc_node **ret)
{
	_cleanup_buf_ struct xb_buf packed = {};
	struct xb_sv uid = xb_jv_text(xb_jv_get(meta, "uid")), name = xb_jv_text(xb_jv_get(meta, "name"));
	struct xb_sv namespace_ = xb_jv_text(xb_jv_get(meta, "namespace"));
	struct gc_node *n;

	if (!uid.n || !name.n)
		return -EBADMSG;
	pack(uid, &packed);
	if (packed.err)
		return -ENOMEM;
	n = xb_map_get(g->nodes, xb_buf_sv(&packed));
	if (!n || !n->seen) {
		struct gc_namespace *in = namespace_.n ? namespace_obtain(g, namespace_) : NULL;

		n = namespace_.n && !in ? NULL : replace(g, n, xb_buf_sv(&packed), name);
		if (!n) {
			namespace_release(g, in);
			return -ENOMEM;
		}
		n->kind = kind;
		n->namespace_ = in;
		n->seen = true;
		look_at_dependents(g, n);
	}
	*ret = n;
	return 0;
}

int gc_graph_saw(struct gc_graph *g, const struct xb_kind *kind, struct xb_jv object, uint32_t list)
{
	struct xb_jv meta = xb_jv_get(object, "metadata");
	struct gc_node *n;
	bool waited;
	int r = obtain(g, kind, meta, &n);

	if (r)
		return r;
	waited = n->deleting_dependents;
	n->list = list;
	n->deleting = pods_deleting(object);
	n->orphaning = n->deleting && has_finalizer(meta, "orphan");
	n->deleting_dependents = n->deleting && !n->orphaning && has_finalizer(meta, "foregroundDeletion");
	r = set_owners(g, n, xb_jv_get(meta, "ownerReferences"));
	look(g, n);
	if (n->deleting_dependents && !waited)
		look_at_dependents(g, n);
	return r;
}

static void lose(struct gc_graph *g, struct gc_node *n)
{
	n->deleting = n->orphaning = n->deleting_dependents = false;
	/* while it counts as seen: one that refers to itself must not go with its own reference */
	edges_free(g, TAKE_PTR(n->owners));
	n->seen = false;
	namespace_release(g, TAKE_PTR(n->namespace_));
	look_at_dependents(g, n);
	free_if_unused(g, n);
}

void gc_graph_lost(struct gc_graph *g, struct xb_sv uid)
{
	struct gc_node *n = (struct gc_node *)gc_graph_find(g, uid);

	if (n && n->seen)
		lose(g, n);
}

void gc_graph_sweep(struct gc_graph *g, const struct xb_kind *kind, uint32_t list)
{
	for (struct xb_map_it it = {}; xb_map_next(g->nodes, &it);) {
		struct gc_node *n = it.value;

		if (n->seen && n->kind == kind && n->list != list)
			lose(g, n);
	}
}

void gc_graph_look_all(struct gc_graph *g)
{
	for (struct xb_map_it it = {}; xb_map_next(g->nodes, &it);)
		look(g, it.value);
}

const struct gc_node *gc_graph_find(const struct gc_graph *g, struct xb_sv uid)
{
	_cleanup_buf_ struct xb_buf packed = {};

	pack(uid, &packed);
	return packed.err ? NULL : xb_map_get(g->nodes, xb_buf_sv(&packed));
}

size_t gc_graph_count(const struct gc_graph *g)
{
	return xb_map_count(g->nodes);
}

struct gc_graph *gc_graph_free(struct gc_graph *g)
{
	if (!g)
		return NULL;
	for (struct xb_map_it it = {}; g->nodes && xb_map_next(g->nodes, &it);) {
		struct gc_node *n = it.value;

		for (struct gc_edge *e = n->owners, *next; e; e = next) {
			next = e->next;
			free(e);
		}
		namespace_release(g, n->namespace_);
		xb_map_del(g->nodes, it.key);
		free(n);
	}
	xb_map_free(g->nodes);
	xb_map_free(g->namespaces);
	free(g);
	return NULL;
}

struct gc_graph *gc_graph_new(void (*look)(void *arg, const struct gc_node *n), void *arg)
{
	_cleanup_(gc_graph_freep) struct gc_graph *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	*g = (struct gc_graph){ .look = look, .arg = arg, .nodes = xb_map_new(XB_MAP_BORROW), .namespaces = xb_map_new(XB_MAP_BORROW) };
	return g->nodes && g->namespaces ? TAKE_PTR(g) : NULL;
}
