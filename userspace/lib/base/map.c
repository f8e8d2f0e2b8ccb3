/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <endian.h>

#include "xb/map.h"
#include "xb/random.h"

enum { EMPTY = 0, DELETED = 1, FIRST_ENTRY = 2, SMALLEST = 8 };

struct entry {
	const char *key; /* NULL: deleted */
	uint32_t n, hash;
	void *value;
};

/* Entries stand in order of insertion; slots, open addressing, say where: EMPTY, DELETED or FIRST_ENTRY + i. */
struct xb_map {
	struct entry *entries;
	uint32_t *slots;
	uint32_t used, live, room; /* entries: used of room, live of those */
	uint32_t mask;
	bool copy;
};

static uint64_t seed[2];

static void __attribute__((constructor)) seed_hash(void)
{
	xb_random_bytes(seed, sizeof(seed));
}

static inline uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

uint64_t xb_hash(struct xb_sv s)
{
	uint64_t v[4] = { seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
			  seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573 };
	uint64_t word;
	size_t at;

	for (at = 0; s.n - at >= 8; at += 8) {
		memcpy(&word, s.p + at, 8);
		word = le64toh(word);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)s.n << 56;
	for (size_t i = 0; at + i < s.n; i++)
		word |= (uint64_t)(unsigned char)s.p[at + i] << 8 * i;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct xb_map *xb_map_new(enum xb_map_keys keys)
{
	struct xb_map *m = calloc(1, sizeof(*m));

	if (m)
		m->copy = keys == XB_MAP_COPY;
	return m;
}

struct xb_map *xb_map_free(struct xb_map *m)
{
	if (!m)
		return NULL;
	for (uint32_t i = 0; m->copy && i < m->used; i++)
		free((char *)m->entries[i].key);
	free(m->entries);
	free(m->slots);
	free(m);
	return NULL;
}

static uint32_t free_slot(const struct xb_map *m, uint32_t hash)
{
	uint32_t at = hash & m->mask;

	while (m->slots[at] >= FIRST_ENTRY)
		at = (at + 1) & m->mask;
	return at;
}

/* Makes room for as many again as live now, and leaves the deleted behind. */
static int grow(struct xb_map *m)
{
	uint32_t room = MAX(m->live * 2, (uint32_t)SMALLEST), size = SMALLEST * 2;
	_cleanup_free_ struct entry *entries = NULL;
	uint32_t *slots;

	if (m->live > UINT32_MAX / 8)
		return -ENOMEM;
	while (size < room + room / 3)
		size *= 2;
	entries = malloc(room * sizeof(*entries));
	slots = calloc(size, sizeof(*slots));
	if (!entries || !slots) {
		free(slots);
		return -ENOMEM;
	}
	free(m->slots);
	m->slots = slots;
	m->mask = size - 1;
	m->room = room;
	m->live = 0;
	for (uint32_t i = 0; i < m->used; i++) {
		if (!m->entries[i].key)
			continue;
		slots[free_slot(m, m->entries[i].hash)] = FIRST_ENTRY + m->live;
		entries[m->live++] = m->entries[i];
	}
	m->used = m->live;
	free(m->entries);
	m->entries = TAKE_PTR(entries);
	return 0;
}

static bool find(const struct xb_map *m, struct xb_sv key, uint32_t hash, uint32_t *ret_slot)
{
	if (!m->slots)
		return false;
	for (uint32_t at = hash & m->mask; m->slots[at] != EMPTY; at = (at + 1) & m->mask) {
		const struct entry *e;

		if (m->slots[at] == DELETED)
			continue;
		e = &m->entries[m->slots[at] - FIRST_ENTRY];
		if (e->hash == hash && e->n == key.n && !memcmp(e->key, key.p ? key.p : "", key.n)) {
			*ret_slot = at;
			return true;
		}
	}
	return false;
}

void *xb_map_get(const struct xb_map *m, struct xb_sv key)
{
	uint32_t slot;

	return find(m, key, xb_hash(key), &slot) ? m->entries[m->slots[slot] - FIRST_ENTRY].value : NULL;
}

int xb_map_set(struct xb_map *m, struct xb_sv key, void *value, void **ret_old)
{
	uint32_t hash = xb_hash(key), slot;
	const char *kept = key.p ? key.p : "";
	void *old = NULL;
	struct entry *e;
	int r;

	if (find(m, key, hash, &slot)) {
		e = &m->entries[m->slots[slot] - FIRST_ENTRY];
		old = e->value;
		e->value = value;
		if (!m->copy)
			e->key = kept;
	} else {
		if (key.n > UINT32_MAX)
			return -ENOMEM;
		if (m->used == m->room) {
			r = grow(m);
			if (r < 0)
				return r;
		}
		if (m->copy)
			kept = xb_sv_dup(key);
		if (!kept)
			return -ENOMEM;
		m->slots[free_slot(m, hash)] = FIRST_ENTRY + m->used;
		m->entries[m->used++] = (struct entry){ .key = kept, .n = key.n, .hash = hash, .value = value };
		m->live++;
	}
	if (ret_old)
		*ret_old = old;
	return 0;
}

void *xb_map_del(struct xb_map *m, struct xb_sv key)
{
	struct entry *e;
	uint32_t slot;

	if (!find(m, key, xb_hash(key), &slot))
		return NULL;
	e = &m->entries[m->slots[slot] - FIRST_ENTRY];
	m->slots[slot] = DELETED;
	m->live--;
	if (m->copy)
		free((char *)e->key);
	e->key = NULL;
	return e->value;
}

size_t xb_map_count(const struct xb_map *m)
{
	return m->live;
}

bool xb_map_next(const struct xb_map *m, struct xb_map_it *it)
{
	const struct entry *e;

	while (it->at < m->used && !m->entries[it->at].key)
		it->at++;
	if (it->at == m->used)
		return false;
	e = &m->entries[it->at++];
	it->key = (struct xb_sv){ e->key, e->n };
	it->value = e->value;
	return true;
}
