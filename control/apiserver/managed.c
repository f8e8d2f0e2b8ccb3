/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include "managed.h"
#include "metadata.h"
#include "registry/edit.h"
#include "write.h"
#include "xb/field_set.h"

#define MANAGER_MAX 128
#define UPDATERS_MAX 10 /* more are merged, the oldest first */
#define OLD_UPDATERS "ancient-changes"
#define SENT_MAX 256 /* entries taken from a client; far more than an object ever gets */

/* --- reading and writing */

static int entry_read(struct xb_arena *a, const struct xb_tree *n, struct managed_entry *ret)
{
	const struct xb_tree *fields = xb_tree_get(n, "fieldsV1");
	struct managed_entry e = {
		.manager = xb_tree_gettext(n, "manager"),
		.api_version = xb_tree_gettext(n, "apiVersion"),
		.subresource = xb_tree_gettext(n, "subresource"),
		.time = xb_tree_gettext(n, "time"),
		.applied = xb_tree_is(xb_tree_get(n, "operation"), "Apply"),
		.fields = fields ? xb_tree_copy(a, fields) : xb_tree_object(a),
	};

	if (!e.fields)
		return -ENOMEM;
	if ((!e.applied && !xb_tree_is(xb_tree_get(n, "operation"), "Update")) || !e.api_version.n ||
	    !xb_tree_is(xb_tree_get(n, "fieldsType"), "FieldsV1"))
		return -EINVAL;
	*ret = e;
	return 0;
}

int managed_read(struct xb_arena *a, const struct xb_tree *list, struct managed *ret)
{
	struct managed m = { .room = (list ? list->count : 0) + 2 };
	int r;

	m.at = xb_arena_alloc(a, m.room * sizeof(*m.at));
	if (!m.at)
		return -ENOMEM;
	xb_tree_each(n, list) {
		r = entry_read(a, n, &m.at[m.n++]);
		if (r)
			return r;
	}
	*ret = m;
	return 0;
}

static int check_fields(struct xb_arena *a, struct managed *m)
{
	int r = 0;

	for (unsigned i = 0; !r && i < m->n; i++)
		r = xb_field_set_check(a, m->at[i].fields);
	return r;
}

static bool is_same(const struct managed_entry *x, const struct managed_entry *y)
{
	return x->applied == y->applied && xb_sv_eq(x->manager, y->manager) && xb_sv_eq(x->subresource, y->subresource) &&
	       (x->applied || xb_sv_eq(x->api_version, y->api_version));
}

struct managed_entry *managed_obtain(struct xb_arena *a, struct managed *m, struct managed_entry identity)
{
	for (unsigned i = 0; i < m->n; i++)
		if (is_same(&m->at[i], &identity))
			return &m->at[i];
	identity.fields = xb_tree_object(a);
	if (!identity.fields || m->n == m->room)
		return NULL;
	m->at[m->n] = identity;
	return &m->at[m->n++];
}

static int by_rank(const void *x, const void *y)
{
	const struct managed_entry *a = x, *b = y;
	int r;

	if (a->applied != b->applied)
		return a->applied ? -1 : 1;
	r = xb_sv_cmp(a->time, b->time);
	if (!r)
		r = xb_sv_cmp(a->manager, b->manager);
	if (!r)
		r = xb_sv_cmp(a->api_version, b->api_version);
	return r ? r : xb_sv_cmp(a->subresource, b->subresource);
}

static struct xb_tree *entry_node(struct write *w, const struct managed_entry *e)
{
	struct xb_tree *n = xb_tree_object(w->arena);

	edit_sv(w, n, "apiVersion", e->api_version);
	edit_str(w, n, "fieldsType", "FieldsV1");
	edit_node(w, n, "fieldsV1", e->fields);
	edit_sv(w, n, "manager", e->manager);
	edit_str(w, n, "operation", e->applied ? "Apply" : "Update");
	if (e->subresource.n)
		edit_sv(w, n, "subresource", e->subresource);
	if (e->time.n)
		edit_sv(w, n, "time", e->time);
	return n;
}

int managed_write(struct write *w, struct managed *m, struct xb_tree *object)
{
	struct xb_tree *meta = metadata_of(w, object), *list = xb_tree_array(w->arena);

	if (!meta || !list)
		return -ENOMEM;
	qsort(m->at, m->n, sizeof(*m->at), by_rank);
	for (unsigned i = 0; i < m->n; i++)
		if (!xb_field_set_empty(m->at[i].fields))
			edit_append(w, list, entry_node(w, &m->at[i]));
	if (list->first)
		edit_node(w, meta, "managedFields", list);
	else
		xb_tree_del(meta, "managedFields");
	return w->no_memory ? -ENOMEM : 0;
}

/* --- who */

static struct xb_sv agent_of(struct request *q)
{
	struct xb_sv agent = q->http ? xb_http_header(q->http, "user-agent") : XB_SV("kube-apiserver"), name = {};
	char *text;
	size_t n = 0;

	xb_sv_split(&agent, '/', &name);
	text = xb_arena_strn(q->arena, name);
	if (!text)
		return (struct xb_sv){};
	for (size_t i = 0; i < name.n && n < MANAGER_MAX; i++)
		if (isprint((unsigned char)name.p[i]))
			text[n++] = name.p[i];
	return n ? (struct xb_sv){ text, n } : XB_SV("unknown");
}

struct managed_entry managed_identity(struct request *q, bool applied)
{
	const struct xb_kind *k = q->write.kind;
	const struct xb_sv texts[] = { xb_sv(k->group), XB_SV("/"), xb_sv(k->version) };
	const char *version = *k->group ? xb_arena_join(q->arena, texts, ARRAY_SIZE(texts)) : k->version;
	struct managed_entry e = {
		.manager = q->query.field_manager.n ? q->query.field_manager : agent_of(q),
		.api_version = xb_sv(version),
		.subresource = xb_sv(q->route.sub ? q->route.sub->name : NULL),
		.time = xb_sv(q->write.now),
		.applied = applied,
	};

	if (!version)
		e.manager = (struct xb_sv){};
	return e;
}

/* --- keeping them */

struct xb_tree *managed_nothing(struct xb_arena *a, const struct xb_type *t)
{
	const struct xb_decode d = { .arena = a, .no_defaults = true };
	struct xb_tree *object = xb_tree_object(a);

	return object && !xb_schema_decode(&d, t, object, NULL) ? object : NULL;
}

void managed_leave_status(const struct write *w, struct xb_tree *fields)
{
	if (fields && xb_kind_subresource(w->kind, XB_SV("status")))
		xb_tree_del(fields, "f:status");
}

static bool is_reset(const struct xb_tree *sent)
{
	return sent && (!sent->first || (sent->count == 1 && !sent->first->first));
}

/* The entries that the write starts from: what was sent, or what is there. */
static int entries_before(struct request *q, struct xb_tree *sent, const struct xb_tree *live, struct managed *ret)
{
	int r = -EINVAL;

	if (!q->route.sub && is_reset(sent))
		return managed_read(q->arena, NULL, ret);
	if (!q->route.sub && sent && sent->count <= SENT_MAX && !xb_tree_equal(sent, live)) {
		r = managed_read(q->arena, sent, ret);
		if (!r)
			r = check_fields(q->arena, ret);
	}
	if (r == -EINVAL)
		r = managed_read(q->arena, live, ret);
	return r == -EINVAL ? managed_read(q->arena, NULL, ret) : r;
}

static struct managed_entry *bucket_of(struct managed *m, unsigned end, const struct managed_entry *e)
{
	for (unsigned i = 0; i < m->n; i++)
		if (&m->at[i] != e && !m->at[i].applied && xb_sv_is(m->at[i].manager, OLD_UPDATERS) &&
		    xb_sv_eq(m->at[i].api_version, e->api_version))
			return &m->at[i];
	for (unsigned i = 0; i < end; i++)
		if (!m->at[i].applied && xb_sv_eq(m->at[i].api_version, e->api_version))
			return &m->at[i];
	return NULL;
}

/* Too many updaters: of one version the oldest become one. */
static int cap_updaters(struct xb_arena *a, struct managed *m)
{
	struct managed_entry *bucket;
	unsigned updaters = 0, i = 0;
	int r = 0;

	for (unsigned j = 0; j < m->n; j++)
		updaters += !m->at[j].applied && m->at[j].fields->first;
	if (updaters <= UPDATERS_MAX)
		return 0;
	qsort(m->at, m->n, sizeof(*m->at), by_rank);
	while (!r && i < m->n && updaters > UPDATERS_MAX) {
		bucket = m->at[i].applied ? NULL : bucket_of(m, i, &m->at[i]);
		if (!bucket) {
			i++;
			continue;
		}
		r = xb_field_set_add(a, bucket->fields, m->at[i].fields);
		bucket->manager = XB_SV(OLD_UPDATERS);
		bucket->subresource = (struct xb_sv){};
		bucket->time = m->at[i].time;
		memmove(&m->at[i], &m->at[i + 1], (--m->n - i) * sizeof(*m->at));
		updaters--;
	}
	return r;
}

/* Whoever writes a field owns it alone; what is gone nobody owns. */
static int take_over(struct request *q, struct managed *m, const struct xb_tree *changed, const struct xb_tree *removed)
{
	struct managed_entry *mine, me;
	int r;

	for (unsigned i = 0; i < m->n; i++) {
		xb_field_set_remove(m->at[i].fields, changed);
		xb_field_set_remove(m->at[i].fields, removed);
	}
	if (xb_field_set_empty(changed))
		return 0;
	me = managed_identity(q, false);
	mine = me.manager.p ? managed_obtain(q->arena, m, me) : NULL;
	r = mine ? xb_field_set_add(q->arena, mine->fields, changed) : -ENOMEM;
	if (r)
		return r;
	mine->time = me.time;
	return cap_updaters(q->arena, m);
}

int managed_update(struct request *q, struct xb_tree *object, const struct xb_tree *old)
{
	struct write *w = &q->write;
	const struct xb_type *t = xb_kind_stored(w->kind)->type;
	const struct xb_tree *live = xb_tree_path(old, "metadata", "managedFields");
	const struct xb_tree *base = old ? old : managed_nothing(q->arena, t);
	struct xb_tree *sent = xb_tree_path(object, "metadata", "managedFields"), *changed, *removed;
	struct managed m;
	int r;

	if (sent)
		xb_tree_remove(sent);
	r = base ? xb_field_set_compare(q->arena, t, base, object, &changed, &removed) : -ENOMEM;
	if (r)
		return r;
	if (!old)
		managed_leave_status(w, changed);
	r = entries_before(q, sent, live, &m);
	if (r || (old && !m.n)) /* an object whose fields are not tracked stays so */
		return r;
	r = take_over(q, &m, changed, removed);
	return r ? r : managed_write(w, &m, object);
}
