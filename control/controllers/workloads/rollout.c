/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../percent.h"
#include "../pods.h"
#include "rollout.h"
#include "template_hash.h"

static int64_t number(struct xb_jv object, const char *group, const char *field, int64_t otherwise)
{
	xb_jv_i64(xb_jv_path(object, group, field), &otherwise);
	return otherwise;
}

static int64_t annotation(struct xb_jv object, const char *name, int64_t otherwise)
{
	xb_sv_i64(xb_jv_text(xb_jv_path(object, "metadata", "annotations", name)), &otherwise);
	return otherwise;
}

static struct rollout_set read_set(struct xb_jv o)
{
	struct rollout_set s = {
		.object = o,
		.replicas = number(o, "spec", "replicas", 1),
		.actual = number(o, "status", "replicas", 0),
		.ready = number(o, "status", "readyReplicas", 0),
		.available = number(o, "status", "availableReplicas", 0),
		.observed = number(o, "status", "observedGeneration", 0) >= number(o, "metadata", "generation", 0),
		.desired = annotation(o, ROLLOUT_DESIRED, -1),
		.max = annotation(o, ROLLOUT_MAX, -1),
		.revision = annotation(o, ROLLOUT_REVISION, 0),
	};

	s.size = s.replicas;
	return s;
}

static int by_age(const void *a, const void *b)
{
	const struct rollout_set *x = a, *y = b;
	const char *const fields[] = { "creationTimestamp", "name" };
	int d = 0;

	for (size_t i = 0; !d && i < ARRAY_SIZE(fields); i++)
		d = xb_sv_cmp(xb_jv_text(xb_jv_path(x->object, "metadata", fields[i])),
			      xb_jv_text(xb_jv_path(y->object, "metadata", fields[i])));
	return d;
}

/* Should several have the template, as after a hash that changed, the oldest is it. */
static int find_current(struct rollout *r)
{
	_cleanup_buf_ struct xb_buf want = {}, one = {};

	template_canonical(xb_jv_path(r->deployment, "spec", "template"), &want);
	for (size_t i = 0; i < r->sets.n && !r->current; i++) {
		xb_buf_clear(&one);
		template_canonical(xb_jv_path(r->sets.v[i].object, "spec", "template"), &one);
		if (want.err || one.err)
			return -ENOMEM;
		if (xb_sv_eq(xb_buf_sv(&one), xb_buf_sv(&want)))
			r->current = &r->sets.v[i];
	}
	return 0;
}

/* Were neither allowed, nothing could move (upstream's ResolveFenceposts). */
static void read_strategy(struct rollout *r)
{
	struct xb_jv strategy = xb_jv_path(r->deployment, "spec", "strategy");

	r->rolling = !xb_jv_streq(xb_jv_get(strategy, "type"), XB_SV("Recreate"));
	if (!r->rolling)
		return;
	percent_of(xb_jv_path(strategy, "rollingUpdate", "maxSurge"), r->replicas, true, &r->surge);
	percent_of(xb_jv_path(strategy, "rollingUpdate", "maxUnavailable"), r->replicas, false, &r->unavailable);
	if (!r->surge && !r->unavailable)
		r->unavailable = 1;
	r->unavailable = MIN(r->unavailable, r->replicas);
}

int rollout_read(struct xb_jv deployment, const struct xb_jv *sets, size_t n, struct rollout *ret)
{
	struct rollout r = {
		.deployment = deployment,
		.replicas = number(deployment, "spec", "replicas", 1),
		.paused = xb_jv_true(xb_jv_path(deployment, "spec", "paused")),
		.make = -1,
	};
	int e = xb_vec_room(&r.sets, n);

	if (e)
		return e;
	for (size_t i = 0; i < n; i++)
		r.sets.v[r.sets.n++] = read_set(sets[i]);
	if (n)
		qsort(r.sets.v, n, sizeof(*r.sets.v), by_age);
	read_strategy(&r);
	e = find_current(&r);
	if (e)
		rollout_done(&r);
	else
		*ret = r;
	return e;
}

void rollout_done(struct rollout *r)
{
	xb_vec_done(&r->sets);
}

int64_t rollout_told(const struct rollout *r)
{
	int64_t n = 0;

	for (size_t i = 0; i < r->sets.n; i++)
		n += r->sets.v[i].size;
	return n;
}

int64_t rollout_next_revision(const struct rollout *r)
{
	int64_t max = 0;

	for (size_t i = 0; i < r->sets.n; i++)
		if (&r->sets.v[i] != r->current)
			max = MAX(max, r->sets.v[i].revision);
	return max + 1;
}

bool rollout_complete(const struct rollout *r)
{
	struct xb_jv d = r->deployment;

	return number(d, "status", "updatedReplicas", 0) == r->replicas && number(d, "status", "replicas", 0) == r->replicas &&
	       number(d, "status", "availableReplicas", 0) == r->replicas &&
	       number(d, "status", "observedGeneration", 0) >= number(d, "metadata", "generation", 0);
}

/* --- the Deployment was scaled --- */
static bool was_scaled(const struct rollout *r)
{
	for (size_t i = 0; i < r->sets.n; i++) {
		const struct rollout_set *s = &r->sets.v[i];

		if (s->replicas && s->desired >= 0 && s->desired != r->replicas)
			return true;
	}
	return false;
}

static size_t count_active(const struct rollout *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->sets.n; i++)
		n += r->sets.v[i].replicas > 0;
	return n;
}

static struct rollout_set *active_or_latest(struct rollout *r)
{
	for (size_t i = 0; i < r->sets.n; i++)
		if (r->sets.v[i].replicas)
			return &r->sets.v[i];
	if (r->current)
		return r->current;
	return r->sets.n ? &r->sets.v[r->sets.n - 1] : NULL;
}

/* How much of the change falls to a set, by the part of all pods that it had. */
static int64_t share(const struct rollout *r, const struct rollout_set *s, int64_t most)
{
	int64_t before = s->max > 0 ? s->max : number(r->deployment, "status", "replicas", 0), n;
	double grown;

	if (!r->replicas)
		return MAX(-s->replicas, most);
	if (!before || !most)
		return 0;
	grown = (double)(s->replicas * (r->replicas + r->surge)) / (double)before;
	n = (int64_t)(grown + 0.5) - s->replicas;
	return most > 0 ? MIN(n, most) : MAX(n, most);
}

/* The largest goes first; of equals, the newest when there is to be more, the oldest when there is to be less. */
static struct rollout_set *next_largest(struct rollout *r, bool *done, bool newest)
{
	struct rollout_set *best = NULL;

	for (size_t i = 0; i < r->sets.n; i++) {
		struct rollout_set *s = &r->sets.v[newest ? r->sets.n - 1 - i : i];

		if (s->replicas && !done[s - r->sets.v] && (!best || s->replicas > best->replicas))
			best = s;
	}
	if (best)
		done[best - r->sets.v] = true;
	return best;
}

static void scale_in_proportion(struct rollout *r, bool *done)
{
	int64_t allowed = r->replicas ? r->replicas + r->surge : 0, add = allowed - rollout_told(r), left = add;
	struct rollout_set *largest = NULL;

	for (struct rollout_set *s; (s = next_largest(r, done, add > 0));) {
		int64_t n = add ? share(r, s, left) : 0;

		largest = largest ? largest : s;
		s->annotate = true;
		s->size += n;
		left -= n;
	}
	/* what rounding left */
	if (largest)
		largest->size = MAX(largest->size + left, (int64_t)0);
}

static bool saturated(const struct rollout *r)
{
	const struct rollout_set *s = r->current;

	return s && s->replicas == r->replicas && s->desired == r->replicas && s->available == r->replicas;
}

static bool settled(const struct rollout *r)
{
	for (size_t i = 0; i < r->sets.n; i++)
		if (!r->sets.v[i].observed || r->sets.v[i].actual > r->sets.v[i].replicas)
			return false;
	return true;
}

static void forget(struct rollout *r)
{
	for (size_t i = 0; i < r->sets.n; i++) {
		r->sets.v[i].size = r->sets.v[i].replicas;
		r->sets.v[i].annotate = false;
	}
}

/* What makes more pods waits until those that are too many are gone. */
static void plan_scale(struct rollout *r)
{
	struct rollout_set *one = count_active(r) <= 1 ? active_or_latest(r) : NULL;
	_cleanup_free_ bool *done = calloc(r->sets.n + 1, sizeof(*done));
	int64_t before = rollout_told(r);

	if (one) {
		one->size = r->replicas;
		one->annotate = one->replicas;
	} else if (saturated(r)) {
		for (size_t i = 0; i < r->sets.n; i++)
			if (&r->sets.v[i] != r->current)
				r->sets.v[i].size = 0;
	} else if (done && r->rolling) {
		scale_in_proportion(r, done);
	}
	if (rollout_told(r) > before && !settled(r))
		forget(r);
}

/* --- rolling --- */

/* How many more pods the current set may be told. While a set has not seen what it was told, it may be making pods that nobody
 * counts; and pods that a set is about to delete are still there. */
static int64_t headroom(const struct rollout *r)
{
	int64_t held = 0, mine = r->current ? r->current->replicas : 0;

	for (size_t i = 0; i < r->sets.n; i++) {
		if (!r->sets.v[i].observed)
			return 0;
		held += MAX(r->sets.v[i].replicas, r->sets.v[i].actual);
	}
	return MAX(MIN(r->replicas + r->surge - held, r->replicas - mine), (int64_t)0);
}

/* A set that was told less deletes those first that are not available. */
static int64_t counts_available(const struct rollout_set *s)
{
	return MIN(s->available, s->size);
}

static int64_t shrink(struct rollout_set *s, int64_t by)
{
	by = MIN(by, s->size);
	s->size -= by;
	return by;
}

static void scale_old_down(struct rollout *r)
{
	int64_t min_available = r->replicas - r->unavailable, most = rollout_told(r) - min_available, spare = -min_available;

	most -= r->current->size - counts_available(r->current);
	if (most <= 0)
		return;
	for (size_t i = 0; i < r->sets.n && most > 0; i++) {
		struct rollout_set *s = &r->sets.v[i];

		if (s != r->current)
			most -= shrink(s, MIN(most, s->size - counts_available(s)));
	}
	for (size_t i = 0; i < r->sets.n; i++)
		spare += counts_available(&r->sets.v[i]);
	for (size_t i = 0; i < r->sets.n && spare > 0; i++)
		if (&r->sets.v[i] != r->current)
			spare -= shrink(&r->sets.v[i], spare);
}

static void plan_rolling(struct rollout *r)
{
	if (!r->current) {
		r->make = headroom(r);
		return;
	}
	if (r->current->replicas > r->replicas)
		r->current->size = r->replicas;
	else
		r->current->size += headroom(r);
	if (r->current->size == r->current->replicas)
		scale_old_down(r);
}

static void plan_recreate(struct rollout *r)
{
	bool wait = r->old_pods_run;

	for (size_t i = 0; i < r->sets.n; i++) {
		struct rollout_set *s = &r->sets.v[i];

		if (s == r->current)
			continue;
		wait |= s->replicas || s->actual;
		s->size = 0;
	}
	if (wait)
		return;
	if (r->current)
		r->current->size = r->replicas;
	else
		r->make = r->replicas;
}

/* --- the history --- */
static bool cleanable(const struct rollout *r, const struct rollout_set *s)
{
	return s != r->current && !pods_deleting(s->object);
}

static int64_t count_older(const struct rollout *r, const struct rollout_set *than)
{
	int64_t n = 0;

	for (size_t i = 0; i < r->sets.n; i++) {
		const struct rollout_set *s = &r->sets.v[i];

		if (cleanable(r, s))
			n += s->revision < than->revision || (s->revision == than->revision && s < than);
	}
	return n;
}

static void mark_excess(struct rollout *r)
{
	int64_t excess = -number(r->deployment, "spec", "revisionHistoryLimit", INT32_MAX);

	for (size_t i = 0; i < r->sets.n; i++)
		excess += cleanable(r, &r->sets.v[i]);
	for (size_t i = 0; i < r->sets.n; i++) {
		struct rollout_set *s = &r->sets.v[i];

		s->remove = cleanable(r, s) && count_older(r, s) < excess && !s->replicas && !s->size && !s->actual && s->observed;
	}
}

void rollout_plan(struct rollout *r)
{
	r->scaling = r->paused || (was_scaled(r) && (r->rolling || count_active(r) <= 1));
	if (r->scaling)
		plan_scale(r);
	else if (r->rolling)
		plan_rolling(r);
	else
		plan_recreate(r);
	if (r->paused || (!r->scaling && rollout_complete(r)))
		mark_excess(r);
}
