/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "names.h"
#include "xb/map.h"
#include "xb/vec.h"

struct name {
	uint32_t id;
	size_t n;
	char text[];
};
struct sched_names {
	struct xb_map *by_text;
	XB_VEC(struct name *) all;
};

uint32_t sched_names_find(const struct sched_names *n, struct xb_sv text)
{
	const struct name *known = xb_map_get(n->by_text, text);

	return known ? known->id : 0;
}

uint32_t sched_names_id(struct sched_names *n, struct xb_sv text)
{
	uint32_t id = sched_names_find(n, text);
	_cleanup_free_ struct name *made = NULL;

	if (id || xb_vec_room(&n->all, 1))
		return id;
	made = malloc(sizeof(*made) + text.n);
	if (!made)
		return 0;
	made->id = n->all.n + 1;
	made->n = text.n;
	if (text.n)
		memcpy(made->text, text.p, text.n);
	if (xb_map_set(n->by_text, (struct xb_sv){ made->text, made->n }, made, NULL))
		return 0;
	n->all.v[n->all.n++] = made;
	return TAKE_PTR(made)->id;
}

struct xb_sv sched_names_text(const struct sched_names *n, uint32_t id)
{
	return id ? (struct xb_sv){ n->all.v[id - 1]->text, n->all.v[id - 1]->n } : (struct xb_sv){};
}

struct sched_names *sched_names_free(struct sched_names *n)
{
	if (!n)
		return NULL;
	for (size_t i = 0; i < n->all.n; i++)
		free(n->all.v[i]);
	xb_vec_done(&n->all);
	xb_map_free(n->by_text);
	free(n);
	return NULL;
}

struct sched_names *sched_names_new(void)
{
	struct sched_names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->by_text = xb_map_new(XB_MAP_BORROW);
	return n->by_text ? n : sched_names_free(n);
}
