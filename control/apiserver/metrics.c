/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow.h"
#include "metrics.h"
#include "paths.h"
#include "user.h"
#include "xb/prometheus.h"
#include "xb/time.h"

#define SERIES 1024
#define INDEX (2 * SERIES)

/* Upstream's (v1.33): apiserver pkg/endpoints/metrics, pkg/admission/metrics, pkg/util/flowcontrol/metrics. */
const double metrics_durations[METRICS_DURATIONS] = {
	0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
};
const double metrics_sli_durations[METRICS_SLI_DURATIONS] = {
	0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
};
const double metrics_sizes[METRICS_SIZES] = { 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
const double metrics_admissions[METRICS_ADMISSIONS] = { 0.005, 0.025, 0.1, 0.5, 1.0, 2.5 };
const double metrics_wait_durations[METRICS_WAITS] = { 0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30 };
const double metrics_expirations[METRICS_EXPIRATIONS] = {
	0, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 345600, 604800, 2592000, 7776000, 15552000, 31104000,
};
const double metrics_commits[METRICS_COMMITS] = {
	0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192,
};

const unsigned short metrics_codes[METRICS_CODES] = {
	200, 201, 202, 304, 400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 431, 503, 504, 507, 408, 101, 204, 301, 302, 502,
	500,
};
/* Users are many; upstream names these (apiserver pkg/endpoints/filters/metrics.go). */
const char *const metrics_users[7] = {
	"admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default", "email_id", "other",
};

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->series = calloc(16, sizeof(*m->series));
	m->index = calloc(INDEX, sizeof(*m->index));
	if (!m->series || !m->index)
		return metrics_free(m);
	m->cap_series = 16;
	m->n_series = 1;
	m->series[0].key.verb = "other";
	m->start_us = xb_time_now();
	return m;
}

struct metrics *metrics_free(struct metrics *m)
{
	if (!m)
		return NULL;
	free(m->series);
	free(m->index);
	free(m);
	return NULL;
}

static enum metrics_scope scope_of(const struct route *t)
{
	if (!t->kind)
		return SCOPE_NONE;
	if (t->name.n || t->verb == XB_VERB_CREATE)
		return SCOPE_RESOURCE;
	return t->namespace_.n ? SCOPE_NAMESPACE : SCOPE_CLUSTER;
}

static bool same(const struct series_key *a, const struct series_key *b)
{
	return a->kind == b->kind && a->sub == b->sub && a->verb == b->verb && a->path == b->path && a->scope == b->scope &&
	       a->dry_run == b->dry_run;
}

static struct series *new_series(struct metrics *m, const struct series_key *key)
{
	struct series *bigger;

	if (m->n_series == m->cap_series) {
		bigger = m->cap_series < SERIES ? reallocarray(m->series, 2 * m->cap_series, sizeof(*bigger)) : NULL;
		if (!bigger)
			return NULL;
		m->series = bigger;
		m->cap_series *= 2;
	}
	m->series[m->n_series] = (struct series){ .key = *key };
	return &m->series[m->n_series++];
}

static struct series *series_of(struct metrics *m, const struct request *q)
{
	struct series_key key = {
		.kind = q->route.kind,
		.sub = q->route.sub,
		.verb = q->verb,
		.path = q->row ? q->row->path : NULL,
		.scope = scope_of(&q->route),
		.dry_run = q->query.n_dry_run > 0 && !q->terminated, /* terminations are not told apart by it */
	};
	uint64_t h = (uintptr_t)key.kind / 8 * 31 + (uintptr_t)key.sub / 8 * 17 + (uintptr_t)key.verb * 7 + (uintptr_t)key.path * 3 +
		     key.scope * 2 + key.dry_run;
	struct series *s;

	for (h ^= h >> 11;; h++) {
		uint16_t *at = &m->index[h % INDEX];

		if (*at && same(&m->series[*at].key, &key))
			return &m->series[*at];
		if (*at)
			continue;
		s = new_series(m, &key);
		if (!s)
			return &m->series[0];
		*at = (uint16_t)(s - m->series);
		return s;
	}
}

static unsigned code_index(int code)
{
	unsigned i = 0;

	while (i < METRICS_CODES - 1 && metrics_codes[i] != code)
		i++;
	return i;
}

void metrics_answered(struct metrics *m, const struct request *q, int code)
{
	struct series *s = series_of(m, q);
	uint64_t ns = uv_hrtime() - q->began;

	s->codes[code_index(code)]++;
	if (q->terminated)
		*(code == 429 ? &s->refused : &s->timed_out) += 1;
	xb_prom_observe(metrics_durations, METRICS_DURATIONS, s->durations, &s->duration_sum, ns / 1e9);
	if (!s->key.dry_run)
		xb_prom_observe(metrics_sli_durations, METRICS_SLI_DURATIONS, s->sli, &s->sli_sum, (ns - q->waited) / 1e9);
	if (q->route.verb == XB_VERB_GET || (q->route.verb == XB_VERB_LIST && !q->query.watch))
		xb_prom_observe(metrics_sizes, METRICS_SIZES, s->sizes, &s->size_sum, q->reply_bytes);
}

void metrics_watch(struct metrics *m, const struct request *q, int begins)
{
	series_of(m, q)->open += begins;
}

void metrics_event(struct metrics *m, const struct request *q)
{
	series_of(m, q)->events++;
}

static void turn_second(struct in_flight *f)
{
	uint64_t second = uv_hrtime() / 1000000000;

	if (second == f->second)
		return;
	f->high_before = second == f->second + 1 ? f->high : f->now;
	f->high = f->now;
	f->second = second;
}

void metrics_served(struct metrics *m, bool mutating, int more)
{
	struct in_flight *f = &m->in_flight[mutating ? FLOW_MUTATING : FLOW_READ_ONLY];

	if (more > 0)
		turn_second(f);
	f->now += more;
	f->high = MAX(f->high, f->now);
}

unsigned metrics_most_in_flight(struct metrics *m, bool mutating)
{
	struct in_flight *f = &m->in_flight[mutating ? FLOW_MUTATING : FLOW_READ_ONLY];

	turn_second(f);
	return MAX(f->high, f->high_before);
}

static unsigned user_index(const char *name)
{
	unsigned i = 0;

	while (i < 5 && strcmp(name, metrics_users[i]))
		i++;
	return i == 5 && !strchr(name, '@') ? 6 : i;
}

void metrics_authenticated(struct metrics *m, enum metrics_authn result, const struct user *u, const struct xb_tls_peer *peer)
{
	m->authn[result]++;
	if (result != AUTHN_SUCCESS)
		return;
	m->users[user_index(u->name)]++;
	if (peer)
		xb_prom_observe(metrics_expirations, METRICS_EXPIRATIONS, m->expirations, &m->expiration_sum,
				(double)peer->not_after - xb_time_now() / 1e6);
}

void metrics_authorized(struct metrics *m, enum metrics_authz result)
{
	m->authz[result]++;
}

void metrics_admitted(struct metrics *m, unsigned plugin, enum metrics_operation op, bool refused, uint64_t ns)
{
	if (plugin < METRICS_PLUGINS)
		xb_prom_observe(metrics_admissions, METRICS_ADMISSIONS, m->admissions[plugin][op][refused],
				&m->admission_sums[plugin][op][refused], ns / 1e9);
}

void metrics_admitted_all(struct metrics *m, enum metrics_operation op, bool refused, uint64_t ns)
{
	xb_prom_observe(metrics_admissions, METRICS_ADMISSIONS, m->admission_steps[op][refused], &m->admission_step_sums[op][refused],
			ns / 1e9);
}

void metrics_waited(struct metrics *m, bool mutating, bool served, uint64_t ns)
{
	xb_prom_observe(metrics_wait_durations, METRICS_WAITS, m->waits[mutating][served], &m->wait_sums[mutating][served], ns / 1e9);
}

void metrics_committed(struct metrics *m, uint64_t ns)
{
	xb_prom_observe(metrics_commits, METRICS_COMMITS, m->commits, &m->commit_sum, ns / 1e9);
}
