/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cycle.h"

#define ENOUGH_AT_LEAST   100
#define PERCENT_AT_LEAST  5
#define PERCENT           50

#define N SCHED_PLUGINS

struct sched_cycle {
	struct sched_cycle_config c;
	void *states[N];
	bool says[N];                   /* has a say about this pod's nodes */
	unsigned active[N];             /* those that have: the first n */
	unsigned n_active;
	int refuser;                    /* a plugin that refuses the pod on any node; -1: none does */
	size_t next;                    /* where in the order the next trial begins */
	uint64_t random;
	XB_VEC(uint32_t) fitting;
	XB_VEC(int64_t) scores;
	XB_VEC(int64_t) totals;
};

size_t sched_cycle_enough(unsigned percentage, size_t nodes)
{
	size_t percent = percentage, enough;

	if (nodes < ENOUGH_AT_LEAST)
		return nodes;
	if (!percent)
		percent = nodes / 125 > PERCENT - PERCENT_AT_LEAST ? PERCENT_AT_LEAST : PERCENT - nodes / 125;
	enough = nodes * percent / 100;
	return MAX(enough, (size_t)ENOUGH_AT_LEAST);
}

/* --- filters --- */
static int prepare_one(struct sched_cycle *y, unsigned i, struct sched_cache *c, const struct sched_pod *p)
{
	int r = sched_plugins[i]->prepare(y->states[i], c, p);

	y->says[i] = r > 0 && y->c.profile->filters[i];
	return MIN(r, 0);
}

static void list_active(struct sched_cycle *y)
{
	y->n_active = 0;
	y->refuser = -1;
	for (unsigned i = 0; i < N; i++) {
		if (!y->says[i])
			continue;
		y->active[y->n_active++] = i;
		if (y->refuser < 0 && sched_plugins[i]->refuses && sched_plugins[i]->refuses(y->states[i]))
			y->refuser = i;
	}
}

static int complete(const struct sched_cycle *y, struct sched_cache *c, struct sched_pod *p)
{
	int r = 0;

	for (unsigned i = 0; !r && i < N; i++)
		if (sched_plugins[i]->complete && (y->c.profile->filters[i] || y->c.profile->weights[i]))
			r = sched_plugins[i]->complete(y->states[i], c, p);
	return r;
}

static int prepare(struct sched_cycle *y, struct sched_cache *c, const struct sched_pod *p)
{
	int r = 0;

	for (unsigned i = 0; !r && i < N; i++)
		r = prepare_one(y, i, c, p);
	list_active(y);
	return r;
}

/* Other pods have come or gone since it was prepared. */
static int prepare_again(struct sched_cycle *y, struct sched_cache *c, const struct sched_pod *p)
{
	int r = 0;

	for (unsigned i = 0; !r && i < N; i++)
		if (sched_plugins[i]->counts_pods)
			r = prepare_one(y, i, c, p);
	list_active(y);
	return r;
}

/* The plugin that refuses the node; -1: none does. */
static int refused_by(const struct sched_cycle *y, const struct sched_cache *c, uint32_t node, struct sched_reasons *why,
		      enum sched_verdict *ret)
{
	*ret = SCHED_FITS;
	for (unsigned i = 0; i < y->n_active; i++) {
		const struct sched_plugin *o = sched_plugins[y->active[i]];

		if (!o->excludes || !o->excludes(y->states[y->active[i]], &c->nodes.v[node]))
			continue;
		if (why)
			sched_reasons_add(why, "node(s) didn't satisfy plugin(s) [%s]", o->name);
		*ret = SCHED_UNRESOLVABLE;
		return y->active[i];
	}
	for (unsigned i = 0; i < y->n_active; i++) {
		*ret = sched_plugins[y->active[i]]->filter(y->states[y->active[i]], &c->nodes.v[node], node, why);
		if (*ret != SCHED_FITS)
			return y->active[i];
	}
	return -1;
}

static int find_fitting(struct sched_cycle *y, struct sched_cache *c, struct sched_pod *p)
{
	size_t n = 0, tried = 0, enough;
	const uint32_t *order = sched_cache_order(c, &n);
	enum sched_verdict verdict;

	y->fitting.n = 0;
	if (!order)
		return n ? -ENOMEM : 0;
	enough = sched_cycle_enough(y->c.profile->percentage, n);
	if (xb_vec_room(&y->fitting, enough))
		return -ENOMEM;
	for (; tried < n && y->fitting.n < enough; tried++) {
		uint32_t node = order[(y->next + tried) % n];
		int by = refused_by(y, c, node, NULL, &verdict);

		if (by < 0)
			y->fitting.v[y->fitting.n++] = node;
		else
			p->failed |= 1U << by;
	}
	y->next = (y->next + tried) % n;
	return 0;
}

/* --- scores --- */
static int add_scores(struct sched_cycle *y, struct sched_cache *c, const struct sched_pod *p)
{
	size_t n = y->fitting.n;

	if (xb_vec_room(&y->scores, n - MIN(n, y->scores.n)) || xb_vec_room(&y->totals, n - MIN(n, y->totals.n)))
		return -ENOMEM;
	y->scores.n = y->totals.n = n;
	memset(y->totals.v, 0, n * sizeof(*y->totals.v));
	for (unsigned i = 0; i < N; i++) {
		unsigned weight = sched_plugins[i]->score ? y->c.profile->weights[i] : 0;
		int r = weight ? sched_plugins[i]->score(y->states[i], c, p, y->fitting.v, n, y->scores.v) : 0;

		if (r < 0)
			return r;
		for (size_t k = 0; r && k < n; k++)
			y->totals.v[k] += y->scores.v[k] * weight;
	}
	return 0;
}

/* xorshift64: any of the equals will do, but not always the first one. */
static uint64_t draw(struct sched_cycle *y)
{
	y->random ^= y->random << 13;
	y->random ^= y->random >> 7;
	y->random ^= y->random << 17;
	return y->random;
}

static uint32_t best(struct sched_cycle *y)
{
	size_t at = 0, equals = 1;

	for (size_t i = 1; i < y->fitting.n; i++) {
		if (y->totals.v[i] < y->totals.v[at])
			continue;
		equals = y->totals.v[i] > y->totals.v[at] ? 1 : equals + 1;
		if (equals == 1 || draw(y) % equals == 0)
			at = i;
	}
	return y->fitting.v[at];
}

/* --- other pods' room: what is being freed for a more important pod is taken --- */
int sched_cycle_begin(struct sched_cache *c, const struct sched_pod *p)
{
	int r = 0;

	for (size_t i = 0; !r && i < c->nominated.n; i++) {
		struct sched_pod *o = c->nominated.v[i];

		if (o != p && o->priority >= p->priority && o->node == SCHED_NO_NODE)
			r = sched_cache_place(c, o, o->nominated);
	}
	return r;
}

void sched_cycle_end(struct sched_cache *c, const struct sched_pod *p)
{
	for (size_t i = 0; i < c->nominated.n; i++)
		if (c->nominated.v[i] != p)
			sched_cache_unplace(c, c->nominated.v[i]);
}

int sched_cycle_pick(struct sched_cycle *y, struct sched_cache *c, struct sched_pod *p, uint32_t *ret)
{
	enum sched_verdict verdict;
	int r = complete(y, c, p);

	if (!r)
		r = prepare(y, c, p);
	if (!r && y->refuser >= 0) {
		p->failed |= 1U << y->refuser;
		return -ENOENT;
	}
	/* the node on which room was made for it is taken when it fits, without a look at others */
	if (!r && p->nominated != SCHED_NO_NODE && c->nodes.v[p->nominated].there && refused_by(y, c, p->nominated, NULL, &verdict) < 0) {
		*ret = p->nominated;
		return 0;
	}
	if (!r)
		r = find_fitting(y, c, p);
	if (!r && !y->fitting.n)
		r = -ENOENT;
	if (!r && y->fitting.n > 1)
		r = add_scores(y, c, p);
	if (r)
		return r;
	*ret = y->fitting.n > 1 ? best(y) : y->fitting.v[0];
	return 0;
}

int sched_cycle_fits(struct sched_cycle *y, struct sched_cache *c, const struct sched_pod *p, uint32_t node, struct sched_reasons *why)
{
	enum sched_verdict verdict;
	int r = prepare_again(y, c, p);

	return r ? r : y->refuser < 0 && refused_by(y, c, node, why, &verdict) < 0;
}

int sched_cycle_explain(struct sched_cycle *y, struct sched_cache *c, const struct sched_pod *p, struct xb_buf *out,
			enum sched_verdict *verdicts)
{
	struct sched_reasons why = {};
	size_t n = 0;
	const uint32_t *order = sched_cache_order(c, &n);
	int r = prepare(y, c, p);

	if (r)
		return r;
	if (!order)
		xb_buf_adds(out, "no nodes available to schedule pods");
	else
		xb_buf_addf(out, "0/%zu nodes are available", n);
	if (order && y->refuser >= 0)
		xb_buf_addf(out, ": %s.", sched_plugins[y->refuser]->refuses(y->states[y->refuser]));
	for (size_t i = 0; i < n; i++) {
		enum sched_verdict verdict = SCHED_UNRESOLVABLE;

		if (y->refuser < 0)
			refused_by(y, c, order[i], &why, &verdict);
		if (verdicts)
			verdicts[order[i]] = verdict;
	}
	if (why.n)
		xb_buf_adds(out, ": ");
	sched_reasons_write(&why, out);
	if (why.n)
		xb_buf_addc(out, '.');
	sched_reasons_done(&why);
	return out->err;
}

/* --- hints --- */
bool sched_cycle_worth(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	if (!p->failed)
		return true;
	for (unsigned i = 0; i < N; i++)
		if (p->failed & 1U << i && sched_plugins[i]->events & change->events
		    && (!sched_plugins[i]->helps || sched_plugins[i]->helps(c, p, change)))
			return true;
	return false;
}

/* --- its life --- */
struct sched_cycle *sched_cycle_free(struct sched_cycle *y)
{
	if (!y)
		return NULL;
	for (unsigned i = 0; i < N; i++) {
		if (y->states[i] && sched_plugins[i]->done)
			sched_plugins[i]->done(y->states[i]);
		free(y->states[i]);
	}
	xb_vec_done(&y->fitting);
	xb_vec_done(&y->scores);
	xb_vec_done(&y->totals);
	free(y);
	return NULL;
}

static int make_state(struct sched_cycle *y, unsigned i, char **reterr_why)
{
	struct xb_jv args = y->c.profile->args[i];

	y->states[i] = calloc(1, MAX(sched_plugins[i]->state_size, (size_t)1));
	if (!y->states[i])
		return -ENOMEM;
	return sched_plugins[i]->configure ? sched_plugins[i]->configure(y->states[i], args, reterr_why) : 0;
}

int sched_cycle_new(const struct sched_cycle_config *c, struct sched_cycle **ret, char **reterr_why)
{
	_cleanup_(sched_cycle_freep) struct sched_cycle *y = calloc(1, sizeof(*y));
	int r = 0;

	if (!y)
		return -ENOMEM;
	y->c = *c;
	y->random = c->seed ? c->seed : 1;
	for (unsigned i = 0; !r && i < N; i++)
		r = make_state(y, i, reterr_why);
	if (r)
		return r;
	*ret = TAKE_PTR(y);
	return 0;
}
