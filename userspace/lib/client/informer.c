/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "informer_index.h"
#include "xb/map.h"
#include "xb/reflector.h"
#include "xb/vec.h"

/* Those of the paths that lead on from here, each what is left of it. */
struct trail {
	const char *v[XB_INFORMER_LEAVE_OUT_MAX];
	unsigned n;
};

struct xb_informer {
	struct xb_informer_config c;
	struct trail leave_out, leave_out_then; /* of all; of those that when means: the paths of both */
	struct xb_reflector *reflector;
	struct xb_map *items;
	struct xb_index *indexes;
	XB_VEC(struct item *) listed;     /* objects of the pages so far: nothing is shown before the list is whole */
	bool synced, troubled;
	uint32_t lists;                   /* number of the list that replaced the items last */
	size_t bytes;
};

/* --- documents --- */
/* Into a member; true: a path ends with it, or with it and its value. */
static bool descend(const struct trail *t, struct xb_sv name, struct xb_jv value, struct trail *ret)
{
	ret->n = 0;
	for (unsigned i = 0; i < t->n; i++) {
		const char *path = t->v[i];

		if (strncmp(path, name.p, name.n))
			continue;
		if (!path[name.n])
			return true;
		if (path[name.n] == '.')
			ret->v[ret->n++] = path + name.n + 1;
		if (path[name.n] == '=' && xb_sv_eq(xb_sv(path + name.n + 1), xb_jv_bytes(value)))
			return true;
	}
	return false;
}

/* Of an item: "[Ready]" is left out. */
static bool is_named(const struct trail *t, struct xb_jv item)
{
	struct xb_sv type = {};

	for (unsigned i = 0; i < t->n; i++) {
		if (*t->v[i] != '[')
			continue;
		if (!type.p)
			type = xb_jv_text(xb_jv_get(item, "type"));
		if (type.n && !strncmp(t->v[i] + 1, type.p, type.n) && !strcmp(t->v[i] + 1 + type.n, "]"))
			return true;
	}
	return false;
}

static void copy_rest(struct xb_json_copy *out, struct xb_jv v, const struct trail *t)
{
	bool object = xb_jv_type(v) == XB_JSON_OBJECT;
	struct trail further;
	uint32_t opened;

	if (!t->n || (!object && xb_jv_type(v) != XB_JSON_ARRAY)) {
		xb_json_copy_value(out, v);
		return;
	}
	opened = xb_json_copy_open(out, v);
	for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it);)
		if (!(object ? descend(t, it.key, it.value, &further) : is_named(t, it.value)))
			copy_rest(out, it.value, object ? &further : t);
	xb_json_copy_close(out, opened);
}

/* What is kept of the object, as a document of its own. */
static int own_document(const struct xb_informer *i, struct xb_jv object, struct xb_json **ret)
{
	struct xb_json_copy copy;
	int r;

	if (i->c.transform)
		return i->c.transform(i->c.arg, object, ret);
	r = xb_json_copy_begin(&copy, object);
	if (r)
		return r;
	copy_rest(&copy, object, i->c.when && i->c.when(object) ? &i->leave_out_then : &i->leave_out);
	return xb_json_copy_end(&copy, ret);
}

/* --- the copy --- */
static int key_of(struct xb_jv object, struct xb_buf *out)
{
	struct xb_jv meta = xb_jv_get(object, "metadata");
	struct xb_sv name = xb_jv_text(xb_jv_get(meta, "name"));

	xb_buf_clear(out);
	xb_buf_addsv(out, xb_jv_text(xb_jv_get(meta, "namespace")));
	xb_buf_addc(out, '/');
	xb_buf_addsv(out, name);
	return out->err ? out->err : name.n ? 0 : -EBADMSG;
}

static struct xb_sv version_text(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "resourceVersion"));
}

static uint64_t version_number(struct xb_sv text)
{
	uint64_t v;

	return xb_sv_u64(text, &v) < 0 ? 0 : v;
}

static struct item *item_free(struct item *it)
{
	if (it)
		xb_json_unref(it->doc);
	free(it);
	return NULL;
}
XB_DEFINE_CLEANUP(struct item *, item_free)

static int item_new(const struct xb_informer *i, struct xb_sv key, struct xb_jv object, struct item **ret)
{
	_cleanup_(item_freep) struct item *it = calloc(1, sizeof(*it) + key.n);
	int r;

	if (!it)
		return -ENOMEM;
	it->key_n = (uint32_t)key.n;
	memcpy(it->key, key.p, key.n);
	it->version = version_number(version_text(object));
	it->uid = xb_hash(xb_jv_text(xb_jv_path(object, "metadata", "uid")));
	r = own_document(i, object, &it->doc);
	if (!r)
		*ret = TAKE_PTR(it);
	return r;
}

static struct xb_sv item_key(const struct item *it)
{
	return (struct xb_sv){ it->key, it->key_n };
}

/* The next three take what is new. */
static int add_item(struct xb_informer *i, struct item *it)
{
	int r = xb_map_set(i->items, item_key(it), it, NULL);

	if (r < 0) {
		item_free(it);
		return r;
	}
	i->bytes += xb_json_memory(it->doc);
	it->list = i->lists;
	r = informer_index_add(i->indexes, it);
	i->c.changed(i->c.arg, (struct xb_jv){}, xb_json_root(it->doc));
	return r;
}

static int change_item(struct xb_informer *i, struct item *it, struct item *newer)
{
	struct xb_json *old = it->doc;
	int r;

	it->doc = TAKE_PTR(newer->doc);
	it->version = newer->version;
	item_free(newer);
	i->bytes += xb_json_memory(it->doc);
	informer_index_drop(it);
	r = informer_index_add(i->indexes, it);
	i->c.changed(i->c.arg, xb_json_root(old), xb_json_root(it->doc));
	i->bytes -= xb_json_memory(old);
	xb_json_unref(old);
	return r;
}

static void delete_item(struct xb_informer *i, struct item *it)
{
	xb_map_del(i->items, item_key(it));
	informer_index_drop(it);
	i->c.changed(i->c.arg, xb_json_root(it->doc), (struct xb_jv){});
	i->bytes -= xb_json_memory(it->doc);
	item_free(it);
}

/* it: what has the key so far, may be NULL. */
static int put_item(struct xb_informer *i, struct item *it, struct item *newer)
{
	if (it && it->uid == newer->uid)
		return change_item(i, it, newer);
	if (it)
		delete_item(i, it);
	return add_item(i, newer);
}

/* --- list --- */
static void drop_list(struct xb_informer *i)
{
	for (size_t k = 0; k < i->listed.n; k++)
		item_free(i->listed.v[k]);
	xb_vec_done(&i->listed);
}

static int on_listed(void *arg, struct xb_jv object)
{
	struct xb_informer *i = arg;
	_cleanup_buf_ struct xb_buf key = {};
	struct item *it = NULL;
	int r = key_of(object, &key);

	if (r >= 0)
		r = item_new(i, xb_buf_sv(&key), object, &it);
	if (r >= 0)
		r = xb_vec_push(&i->listed, it);
	if (r < 0)
		item_free(it);
	return r;
}

/* Takes the item. */
static int show(struct xb_informer *i, struct item *listed)
{
	struct item *it = xb_map_get(i->items, item_key(listed));

	if (it)
		it->list = i->lists;
	if (it && listed->version && it->version == listed->version) {
		item_free(listed);
		return 0;
	}
	return put_item(i, it, listed);
}

/* The list is whole: what it shows becomes the copy. */
static int replace(struct xb_informer *i)
{
	i->lists++;
	for (size_t k = 0; k < i->listed.n; k++) {
		int r = show(i, TAKE_PTR(i->listed.v[k]));

		if (r < 0)
			return r;
	}
	for (struct xb_map_it it = {}; xb_map_next(i->items, &it);) {
		struct item *item = it.value;

		if (item->list != i->lists)
			delete_item(i, item);
	}
	return 0;
}

static int on_list_end(void *arg, bool whole)
{
	struct xb_informer *i = arg;
	int r = whole ? replace(i) : 0;

	drop_list(i);
	if (!whole || r < 0 || i->synced)
		return r;
	i->synced = true;
	if (i->c.synced)
		i->c.synced(i->c.arg);
	return 0;
}

/* --- watch --- */
static int on_event(void *arg, struct xb_jv object, bool deleted)
{
	struct xb_informer *i = arg;
	_cleanup_buf_ struct xb_buf key = {};
	struct item *it, *newer = NULL;
	uint64_t version = version_number(version_text(object));
	int r = key_of(object, &key);

	if (r < 0)
		return r;
	it = xb_map_get(i->items, xb_buf_sv(&key));
	/* A deletion may carry the object's last version; any other event that is not newer is a repetition. */
	if (!it ? deleted : version && it->version && (deleted ? version < it->version : version <= it->version))
		return 0;
	if (deleted) {
		delete_item(i, it);
		return 0;
	}
	r = item_new(i, xb_buf_sv(&key), object, &newer);
	return r < 0 ? r : put_item(i, it, newer);
}

/* --- the informer --- */
static void on_trouble(void *arg, const char *path, const char *why)
{
	struct xb_informer *i = arg;

	i->troubled = why != NULL;
	if (i->c.trouble)
		i->c.trouble(i->c.arg, path, why);
}

struct xb_informer *xb_informer_free(struct xb_informer *i)
{
	if (!i)
		return NULL;
	xb_reflector_free(i->reflector);
	drop_list(i);
	for (struct xb_map_it it = {}; i->items && xb_map_next(i->items, &it);) {
		struct item *item = it.value;

		informer_index_drop(item);
		item_free(item);
	}
	xb_map_free(i->items);
	informer_indexes_free(i->indexes);
	free(i);
	return NULL;
}

static int add_paths(struct trail *t, const char *const *paths)
{
	for (; paths && *paths; paths++) {
		if (t->n == XB_INFORMER_LEAVE_OUT_MAX)
			return -E2BIG;
		t->v[t->n++] = *paths;
	}
	return 0;
}

int xb_informer_new(const struct xb_informer_config *c, struct xb_informer **ret)
{
	_cleanup_(xb_informer_freep) struct xb_informer *i = calloc(1, sizeof(*i));
	struct xb_reflector_config of = {
		.rest = c->rest,
		.path = c->path,
		.label_selector = c->label_selector,
		.field_selector = c->field_selector,
		.accept = c->accept,
		.listed = on_listed,
		.list_end = on_list_end,
		.event = on_event,
		.trouble = on_trouble,
		.arg = i,
		.may_lack = c->may_lack,
		.backoff_min_ms = c->backoff_min_ms,
		.backoff_max_ms = c->backoff_max_ms,
	};
	int r;

	if (!i)
		return -ENOMEM;
	i->c = *c;
	r = add_paths(&i->leave_out, c->leave_out);
	i->leave_out_then = i->leave_out;
	if (!r)
		r = add_paths(&i->leave_out_then, c->leave_out_then);
	if (r)
		return r;
	i->c.leave_out = i->c.leave_out_then = NULL;
	i->items = xb_map_new(XB_MAP_BORROW);
	r = i->items ? xb_reflector_new(&of, &i->reflector) : -ENOMEM;
	if (r)
		return r;
	*ret = TAKE_PTR(i);
	return 0;
}

bool xb_informer_synced(const struct xb_informer *i)
{
	return i->synced;
}

bool xb_informer_well(const struct xb_informer *i)
{
	return i->synced && !i->troubled;
}

struct xb_jv xb_informer_get(const struct xb_informer *i, const char *namespace_, const char *name)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct item *it;

	xb_buf_addf(&key, "%s/%s", namespace_ ? namespace_ : "", name);
	it = key.err ? NULL : xb_map_get(i->items, xb_buf_sv(&key));
	return it ? xb_json_root(it->doc) : (struct xb_jv){};
}

struct xb_index *xb_informer_index(struct xb_informer *i, xb_index_keys *keys)
{
	return informer_index_new(&i->indexes, keys);
}

uint64_t xb_informer_version(const struct xb_informer *i)
{
	return xb_reflector_version(i->reflector);
}

size_t xb_informer_count(const struct xb_informer *i)
{
	return xb_map_count(i->items);
}

void xb_informer_each(const struct xb_informer *i, void (*each)(void *arg, struct xb_jv object), void *arg)
{
	for (struct xb_map_it it = {}; xb_map_next(i->items, &it);)
		each(arg, xb_json_root(((struct item *)it.value)->doc));
}

void xb_informer_stats(const struct xb_informer *i, struct xb_informer_stats *ret)
{
	struct xb_reflector_stats s;

	xb_reflector_stats(i->reflector, &s);
	*ret = (struct xb_informer_stats){
		.lists = s.lists, .watches = s.watches, .events = s.events, .faults = s.faults,
		.last_contact_ms = s.last_contact_ms, .bytes = i->bytes,
	};
}
