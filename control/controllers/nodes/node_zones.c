/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node_zones.h"
#include "xb/vec.h"

enum state { INITIAL, NORMAL, PARTIAL, FULL };
struct zone {
	char *key;
	enum state state;
	unsigned n_ready, n_other;
	double rate;                    /* 0: nobody's turn comes */
	int64_t next_ms;                /* when the next turn is */
	TAILQ_HEAD(members, zone_member) waiting;
};
struct zones {
	struct zone_rules rules;
	XB_VEC(struct zone *) all;
	bool stopped;
};

struct zones *zones_new(const struct zone_rules *rules)
{
	struct zones *z = calloc(1, sizeof(*z));

	if (z)
		z->rules = *rules;
	return z;
}

struct zones *zones_free(struct zones *z)
{
	if (!z)
		return NULL;
	for (size_t i = 0; i < z->all.n; i++) {
		free(z->all.v[i]->key);
		free(z->all.v[i]);
	}
	xb_vec_done(&z->all);
	free(z);
	return NULL;
}

struct zone *zones_obtain(struct zones *z, struct xb_sv key)
{
	struct zone *zone;

	for (size_t i = 0; i < z->all.n; i++)
		if (xb_sv_is(key, z->all.v[i]->key))
			return z->all.v[i];
	zone = xb_vec_room(&z->all, 1) ? NULL : calloc(1, sizeof(*zone));
	if (!zone)
		return NULL;
	zone->key = xb_sv_dup(key);
	if (!zone->key) {
		free(zone);
		return NULL;
	}
	TAILQ_INIT(&zone->waiting);
	zone->rate = z->rules.rate;
	z->all.v[z->all.n++] = zone;
	return zone;
}

/* --- how they are --- */
void zones_count_begin(struct zones *z)
{
	for (size_t i = 0; i < z->all.n; i++)
		z->all.v[i]->n_ready = z->all.v[i]->n_other = 0;
}

void zones_count(struct zone *zone, bool ready)
{
	zone->n_ready += ready;
	zone->n_other += !ready;
}

static unsigned size(const struct zone *zone)
{
	return zone->n_ready + zone->n_other;
}

static enum state state_of(const struct zones *z, const struct zone *zone)
{
	if (!zone->n_ready)
		return FULL;
	return zone->n_other > 2 && zone->n_other >= z->rules.unhealthy_threshold * size(zone) ? PARTIAL : NORMAL;
}

static int64_t between(double rate)
{
	return (int64_t)MIN(1000 / rate, 1e12);
}

/* Whose turn had not come yet waits as long as the new rate has it. */
static void set_rate(struct zone *zone, double rate, int64_t now)
{
	bool open = zone->rate > 0 && zone->next_ms <= now;

	zone->rate = rate;
	if (rate > 0 && !open)
		zone->next_ms = now + between(rate);
}

static void set_state(struct zones *z, struct zone *zone, enum state state, int64_t now)
{
	double rate = z->rules.rate;

	if (state == PARTIAL)
		rate = size(zone) > (unsigned)z->rules.large_cluster ? z->rules.secondary_rate : 0;
	if (zone->state != state)
		set_rate(zone, rate, now);
	zone->state = state;
}

static enum zones_turn stop(struct zones *z, int64_t now)
{
	for (size_t i = 0; i < z->all.n; i++) {
		z->all.v[i]->state = FULL;
		set_rate(z->all.v[i], 0, now);
	}
	z->stopped = true;
	return ZONES_STOPPED;
}

enum zones_turn zones_judge(struct zones *z, int64_t now)
{
	bool was_stopped = z->stopped, any = false, none_ready = true;

	for (size_t i = 0; i < z->all.n; i++) {
		any |= size(z->all.v[i]);
		none_ready &= !z->all.v[i]->n_ready;
	}
	if (any && none_ready)
		return was_stopped ? ZONES_SAME : stop(z, now);
	z->stopped = false;
	for (size_t i = 0; i < z->all.n; i++) {
		struct zone *zone = z->all.v[i];

		if (was_stopped)
			zone->state = INITIAL;
		set_state(z, zone, size(zone) ? state_of(z, zone) : INITIAL, now);
	}
	return was_stopped ? ZONES_RESUMED : ZONES_SAME;
}

bool zones_stopped(const struct zones *z)
{
	return z->stopped;
}

/* --- whose turn it is --- */
void zone_wait(struct zone *zone, struct zone_member *m)
{
	if (!m->waits)
		TAILQ_INSERT_TAIL(&zone->waiting, m, next);
	m->waits = true;
}

void zone_leave(struct zone *zone, struct zone_member *m)
{
	if (m->waits)
		TAILQ_REMOVE(&zone->waiting, m, next);
	m->waits = false;
}

struct zone_member *zones_next(struct zones *z, int64_t now)
{
	for (size_t i = 0; i < z->all.n; i++) {
		struct zone *zone = z->all.v[i];
		struct zone_member *m = TAILQ_FIRST(&zone->waiting);

		if (!m || zone->rate <= 0 || now < zone->next_ms)
			continue;
		zone_leave(zone, m);
		zone->next_ms = now + between(zone->rate);
		return m;
	}
	return NULL;
}

int64_t zones_wait_ms(const struct zones *z, int64_t now)
{
	int64_t ms = -1;

	for (size_t i = 0; i < z->all.n; i++) {
		const struct zone *zone = z->all.v[i];
		int64_t left = MAX(zone->next_ms - now, (int64_t)0);

		if (!TAILQ_EMPTY(&zone->waiting) && zone->rate > 0)
			ms = ms < 0 ? left : MIN(ms, left);
	}
	return ms;
}
