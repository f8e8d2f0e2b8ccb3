/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cache.h"

/* --- reading a Node --- */
static int read_labels(struct sched_cache *c, struct sched_node *n, struct xb_jv labels)
{
	_cleanup_buf_ struct xb_buf zone = {};
	int r = 0;

	n->labels.n = 0;
	for (struct xb_jit it = xb_jv_iter(labels); !r && xb_jit_next(&it);) {
		struct sched_label l = { sched_names_id(c->names, it.key), sched_names_id(c->names, xb_jv_text(it.value)) };

		r = l.key && l.value ? xb_vec_push(&n->labels, l) : -ENOMEM;
	}
	xb_buf_addf(&zone, "%.*s:%.*s", XB_SV_ARG(sched_text(labels, "topology.kubernetes.io/region")),
		    XB_SV_ARG(sched_text(labels, "topology.kubernetes.io/zone")));
	if (zone.err)
		return zone.err;
	n->zone = zone.n > 1 ? sched_names_id(c->names, xb_buf_sv(&zone)) : 0;
	for (size_t i = 0; i < c->columns.n; i++)
		c->columns.v[i]->stale = true;
	c->order_stale = true;
	return r;
}

static int read_taints(struct sched_cache *c, struct sched_node *n, struct xb_jv spec)
{
	int r = 0;

	c->n_tainted -= n->taints.n > 0;
	c->n_unschedulable -= n->unschedulable;
	n->taints.n = 0;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "taints")); !r && xb_jit_next(&it);) {
		struct xb_sv effect = sched_text(it.value, "effect");

		r = xb_vec_push(&n->taints, (struct sched_taint){
			.key = sched_names_id(c->names, sched_text(it.value, "key")),
			.value = sched_names_id(c->names, sched_text(it.value, "value")),
			.effect = xb_sv_is(effect, "NoSchedule") ? SCHED_NO_SCHEDULE :
				  xb_sv_is(effect, "NoExecute")	 ? SCHED_NO_EXECUTE :
								   SCHED_PREFER_NO_SCHEDULE });
	}
	n->unschedulable = xb_jv_true(xb_jv_get(spec, "unschedulable"));
	c->n_tainted += n->taints.n > 0;
	c->n_unschedulable += n->unschedulable;
	return r;
}

static int count_image(struct sched_cache *c, uint32_t name, int n)
{
	while (c->image_nodes.n <= name)
		if (xb_vec_push(&c->image_nodes, 0))
			return -ENOMEM;
	c->image_nodes.v[name] += n;
	return 0;
}

static void drop_images(struct sched_cache *c, struct sched_node *n)
{
	for (size_t i = 0; i < n->images.n; i++)
		count_image(c, n->images.v[i].name, -1);
	n->images.n = 0;
}

static int read_images(struct sched_cache *c, struct sched_node *n, struct xb_jv images)
{
	int r = 0;

	drop_images(c, n);
	for (struct xb_jit it = xb_jv_iter(images); !r && xb_jit_next(&it);) {
		struct sched_image image = {};

		xb_jv_i64(xb_jv_get(it.value, "sizeBytes"), &image.bytes);
		for (struct xb_jit name = xb_jv_iter(xb_jv_get(it.value, "names")); !r && xb_jit_next(&name);) {
			image.name = sched_names_id(c->names, xb_jv_text(name.value));
			r = image.name ? count_image(c, image.name, 1) : -ENOMEM;
			if (!r)
				r = xb_vec_push(&n->images, image);
		}
	}
	return r;
}

static int read_allocatable(struct sched_cache *c, struct sched_node *n, struct xb_jv list)
{
	sched_resources_done(&n->allocatable);
	n->allocatable = (struct sched_resources){};
	return sched_resources_read(&n->allocatable, c->names, list);
}

/* --- nodes by number --- */
static uint32_t free_number(const struct sched_cache *c)
{
	uint32_t i = 0;

	while (i < c->nodes.n && c->nodes.v[i].name)
		i++;
	return i;
}

int sched_cache_node(struct sched_cache *c, struct xb_sv name, uint32_t *ret)
{
	uintptr_t known = (uintptr_t)xb_map_get(c->node_by_name, name);
	_cleanup_free_ char *copy = NULL;
	uint32_t i;

	if (known) {
		*ret = known - 1;
		return 0;
	}
	i = c->nodes.n - xb_map_count(c->node_by_name) ? free_number(c) : c->nodes.n;
	copy = xb_sv_dup(name);
	if (!copy || xb_vec_room(&c->nodes, 1) || xb_map_set(c->node_by_name, xb_sv(copy), (void *)(uintptr_t)(i + 1), NULL))
		return -ENOMEM;
	if (i == c->nodes.n)
		c->nodes.n++;
	c->nodes.v[i] = (struct sched_node){ .name = TAKE_PTR(copy), .names = c->names };
	c->nodes.v[i].name_id = sched_names_id(c->names, name);
	*ret = i;
	return 0;
}

static void node_done(struct sched_node *n)
{
	sched_resources_done(&n->allocatable);
	sched_resources_done(&n->used);
	xb_vec_done(&n->taints);
	xb_vec_done(&n->labels);
	xb_vec_done(&n->ports);
	xb_vec_done(&n->pods);
	xb_vec_done(&n->images);
	xb_json_unref(n->doc);
	free(n->name);
	*n = (struct sched_node){};
}

void sched_cache_forget_node(struct sched_cache *c, uint32_t node)
{
	struct sched_node *n = &c->nodes.v[node];

	if (n->there || n->pods.n || !n->name)
		return;
	xb_map_del(c->node_by_name, xb_sv(n->name));
	node_done(n);
}

void sched_cache_del_node(struct sched_cache *c, struct xb_sv name)
{
	uintptr_t known = (uintptr_t)xb_map_get(c->node_by_name, name);
	struct sched_node *n = known ? &c->nodes.v[known - 1] : NULL;

	if (!n || !n->there)
		return;
	n->there = false;
	read_taints(c, n, (struct xb_jv){});
	drop_images(c, n);
	read_labels(c, n, (struct xb_jv){});
	n->doc = xb_json_unref(n->doc);
	for (size_t i = c->nominated.n; i-- > 0;)
		if (c->nominated.v[i]->nominated == known - 1)
			sched_cache_nominate(c, c->nominated.v[i], SCHED_NO_NODE);
	sched_cache_forget_node(c, known - 1);
}

static bool differs(struct xb_jv a, struct xb_jv b)
{
	return xb_jv_is(a) != xb_jv_is(b) || !xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b));
}

int sched_cache_set_node(struct sched_cache *c, struct xb_jv object, unsigned *ret_events, uint32_t *ret_node)
{
	struct xb_jv labels = xb_jv_path(object, "metadata", "labels"), spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");
	struct xb_jv old, old_status;
	unsigned events = 0;
	struct sched_node *n;
	uint32_t i;
	int r = sched_cache_node(c, xb_jv_text(xb_jv_path(object, "metadata", "name")), &i);

	if (r)
		return r;
	n = &c->nodes.v[i];
	old = n->doc ? xb_json_root(n->doc) : (struct xb_jv){};
	old_status = xb_jv_get(old, "status");
	if (!n->there)
		events = SCHED_NODE_ADDED;
	if (!n->there || differs(labels, xb_jv_path(old, "metadata", "labels"))) {
		events |= SCHED_NODE_LABELS;
		r = read_labels(c, n, labels);
	}
	if (!r && (!n->there || differs(spec, xb_jv_get(old, "spec")))) {
		events |= SCHED_NODE_TAINTS;
		r = read_taints(c, n, spec);
	}
	if (!r && (!n->there || differs(xb_jv_get(status, "allocatable"), xb_jv_get(old_status, "allocatable")))) {
		events |= SCHED_NODE_ALLOCATABLE;
		r = read_allocatable(c, n, xb_jv_get(status, "allocatable"));
	}
	if (!r && (!n->there || differs(xb_jv_get(status, "images"), xb_jv_get(old_status, "images"))))
		r = read_images(c, n, xb_jv_get(status, "images"));
	if (r)
		return r;
	xb_json_unref(n->doc);
	n->doc = xb_json_ref(object.doc);
	n->there = true;
	*ret_events = events;
	*ret_node = i;
	return 0;
}

/* --- the order --- */
static int by_zone(const void *a, const void *b, void *arg)
{
	const struct sched_cache *c = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint32_t zx = c->nodes.v[x].zone, zy = c->nodes.v[y].zone;

	return zx != zy ? (zx < zy ? -1 : 1) : x < y ? -1 : x > y;
}

/* From nodes in the order of their zones: the first of each zone, then the second of each, ... */
static int interleave(struct sched_cache *c, const uint32_t *sorted, size_t n)
{
	_cleanup_free_ size_t *next = calloc(n + 1, sizeof(*next)), *end = calloc(n + 1, sizeof(*end));
	size_t zones = 0;

	if (!next || !end)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!i || c->nodes.v[sorted[i]].zone != c->nodes.v[sorted[i - 1]].zone)
			next[zones++] = i;
		end[zones - 1] = i + 1;
	}
	c->order.n = 0;
	while (c->order.n < n)
		for (size_t z = 0; z < zones; z++)
			if (next[z] < end[z])
				c->order.v[c->order.n++] = sorted[next[z]++];
	return 0;
}

const uint32_t *sched_cache_order(struct sched_cache *c, size_t *ret_n)
{
	_cleanup_free_ uint32_t *sorted = NULL;
	size_t n = 0;

	if (c->order_stale) {
		c->order.n = 0;
		sorted = calloc(c->nodes.n + 1, sizeof(*sorted));
		if (!sorted || xb_vec_room(&c->order, c->nodes.n))
			return NULL;
		for (uint32_t i = 0; i < c->nodes.n; i++)
			if (c->nodes.v[i].there)
				sorted[n++] = i;
		qsort_r(sorted, n, sizeof(*sorted), by_zone, c);
		if (interleave(c, sorted, n))
			return NULL;
		c->order_stale = false;
	}
	*ret_n = c->order.n;
	return c->order.n ? c->order.v : NULL;
}

/* --- columns --- */
static int fill(struct sched_cache *c, struct sched_column *column)
{
	_cleanup_free_ uint32_t *number = NULL; /* of a value, by its name */
	uint32_t highest = 0;

	column->domain.n = column->n_domains = 0;
	column->everywhere = true;
	if (xb_vec_room(&column->domain, c->nodes.n))
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nodes.n; i++) {
		column->domain.v[i] = c->nodes.v[i].there ? sched_node_label(&c->nodes.v[i], column->key) : 0;
		highest = MAX(highest, column->domain.v[i]);
		column->everywhere &= column->domain.v[i] || !c->nodes.v[i].there;
	}
	number = calloc(highest + 1, sizeof(*number));
	if (!number)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nodes.n; i++) {
		uint32_t value = column->domain.v[i];

		if (value && !number[value])
			number[value] = ++column->n_domains;
		column->domain.v[i] = value ? number[value] : 0;
	}
	column->domain.n = c->nodes.n;
	column->stale = false;
	return 0;
}

const struct sched_column *sched_cache_column(struct sched_cache *c, uint32_t key)
{
	struct sched_column *column = NULL;

	for (size_t i = 0; i < c->columns.n && !column; i++)
		if (c->columns.v[i]->key == key)
			column = c->columns.v[i];
	if (!column) {
		_cleanup_free_ struct sched_column *made = calloc(1, sizeof(*made));

		if (!made || xb_vec_push(&c->columns, made))
			return NULL;
		column = TAKE_PTR(made);
		column->key = key;
		column->stale = true;
	}
	if ((column->stale || column->domain.n < c->nodes.n) && fill(c, column))
		return NULL;
	return column;
}

/* --- its life --- */
struct sched_cache *sched_cache_free(struct sched_cache *c)
{
	if (!c)
		return NULL;
	for (struct xb_map_it it = {}; c->pods && xb_map_next(c->pods, &it);)
		sched_pod_free(c, it.value);
	for (struct xb_map_it it = {}; c->namespaces && xb_map_next(c->namespaces, &it);)
		xb_json_unref(it.value);
	for (struct xb_map_it it = {}; c->owners && xb_map_next(c->owners, &it);)
		xb_json_unref(it.value);
	for (size_t i = 0; i < c->nodes.n; i++)
		node_done(&c->nodes.v[i]);
	for (size_t i = 0; i < c->columns.n; i++) {
		xb_vec_done(&c->columns.v[i]->domain);
		free(c->columns.v[i]);
	}
	xb_vec_done(&c->nodes);
	xb_vec_done(&c->order);
	xb_vec_done(&c->columns);
	xb_vec_done(&c->image_nodes);
	xb_vec_done(&c->nominated);
	xb_map_free(c->node_by_name);
	xb_map_free(c->pods);
	xb_map_free(c->terms);
	xb_map_free(c->namespaces);
	xb_map_free(c->owners);
	sched_groups_done(&c->groups);
	sched_storage_free(c->storage);
	sched_names_free(c->names);
	free(c);
	return NULL;
}

struct sched_cache *sched_cache_new(void)
{
	_cleanup_(sched_cache_freep) struct sched_cache *c = calloc(1, sizeof(*c));

	if (!c || sched_groups_init(&c->groups))
		return NULL;
	c->names = sched_names_new();
	c->node_by_name = xb_map_new(XB_MAP_COPY);
	c->pods = xb_map_new(XB_MAP_BORROW);
	c->terms = xb_map_new(XB_MAP_BORROW);
	c->namespaces = xb_map_new(XB_MAP_COPY);
	c->owners = xb_map_new(XB_MAP_COPY);
	c->storage = sched_storage_new();
	return c->names && c->node_by_name && c->pods && c->terms && c->namespaces && c->owners && c->storage ? TAKE_PTR(c) : NULL;
}
