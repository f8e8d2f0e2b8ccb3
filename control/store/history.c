/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "history.h"
#include "parts.h"

static void pop(struct store_history *h)
{
	struct store_change *c = &h->ring[h->first++ & (h->cap - 1)];

	store_object_unref(c->object);
	store_object_unref(c->previous);
}

void store_history_done(struct store_history *h)
{
	while (h->first < h->end)
		pop(h);
	free(h->ring);
	free(h->dead);
	*h = (struct store_history){};
}

int store_history_reserve(struct store_history *h, size_t n)
{
	size_t used = h->end - h->first, cap = h->cap ? h->cap : 256;
	struct store_change *ring;

	while (cap < used + n)
		cap *= 2;
	if (cap == h->cap)
		return 0;
	ring = calloc(cap, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (uint64_t i = h->first; i < h->end; i++)
		ring[i & (cap - 1)] = *store_history_at(h, i);
	free(h->ring);
	h->ring = ring;
	h->cap = cap;
	return 0;
}

static uint64_t cost(const struct store_change *c)
{
	return sizeof(*c) + (c->previous ? store_object_memory(c->previous) : 0) +
	       (c->object->deleted ? store_object_memory(c->object) : 0);
}

void store_history_push(struct store_history *h, struct store_object *o, struct store_object *previous, uint32_t second)
{
	struct store_change *c = &h->ring[h->end++ & (h->cap - 1)];

	*c = (struct store_change){
		.revision = o->revision,
		.object = store_object_ref(o),
		.previous = previous ? store_object_ref(previous) : NULL,
		.collection = store_collection(o->key),
		.second = second,
	};
	h->bytes += cost(c);
}

void store_history_trim(struct store_history *h, uint64_t max_bytes, uint32_t oldest)
{
	while (h->first < h->end) {
		const struct store_change *c = store_history_at(h, h->first);

		if (h->bytes <= max_bytes && c->second >= oldest)
			break;
		if (c->previous)
			store_history_bury(h, c->revision, c->previous->revision);
		if (c->object->deleted)
			store_history_bury(h, c->revision, c->revision);
		h->compacted = MAX(h->compacted, c->revision);
		h->bytes -= cost(c);
		pop(h);
	}
}

uint64_t store_history_after(const struct store_history *h, uint64_t revision)
{
	uint64_t low = h->first, high = h->end;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (store_history_at(h, middle)->revision <= revision)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void bury(struct store_history *h, struct store_dead d)
{
	if (h->n_dead == h->cap_dead) {
		size_t cap = h->cap_dead ? h->cap_dead * 2 : 256;
		struct store_dead *dead = reallocarray(h->dead, cap, sizeof(*dead));

		if (!dead) {
			h->lost = true;
			return;
		}
		h->dead = dead;
		h->cap_dead = cap;
	}
	h->dead[h->n_dead++] = d;
}

void store_history_bury(struct store_history *h, uint64_t at, uint64_t revision)
{
	bury(h, (struct store_dead){ at, revision, false });
}

void store_history_bury_part(struct store_history *h, uint64_t id)
{
	if (!h->lost)
		bury(h, (struct store_dead){ h->compacted, id, true });
}

void store_history_buried(struct store_history *h, size_t n)
{
	if (!n)
		return;
	h->n_dead -= n;
	memmove(h->dead, h->dead + n, h->n_dead * sizeof(*h->dead));
}

uint32_t store_collection(const char *key)
{
	uint32_t hash = 2166136261;

	for (; *key && *key != '/'; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619;
	return *key ? hash | 1 : 0;
}

size_t store_object_memory(const struct store_object *o)
{
	return sizeof(*o) + o->key_length + 1 + xb_json_memory(o->doc) + store_uses_memory(o->doc);
}
