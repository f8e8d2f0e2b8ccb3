/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "preempt.h"
#include "scheduler.h"

typedef XB_VEC(struct sched_budget) budgets;

static void budgets_done(budgets *b)
{
	for (size_t i = 0; i < b->n; i++)
		xb_selector_free(b->v[i].selector);
	xb_vec_done(b);
}

static void add_budget(void *arg, struct xb_jv object)
{
	budgets *all = arg;
	struct xb_jv status = xb_jv_get(object, "status");
	struct sched_budget b = {
		.namespace_ = xb_jv_text(xb_jv_path(object, "metadata", "namespace")),
		.disrupted = xb_jv_get(status, "disruptedPods"),
	};

	xb_jv_i64(xb_jv_get(status, "disruptionsAllowed"), &b.allowed);
	if (xb_selector_from_label_selector(xb_jv_path(object, "spec", "selector"), &b.selector, NULL) || !b.selector)
		return;
	if (xb_vec_push(all, b))
		xb_selector_free(b.selector);
}

/* Pods that are leaving that node already, for this pod most likely: it waits for them. */
static bool waits(const struct scheduler *s, const struct sched_pod *p)
{
	const struct sched_node *n = p->nominated == SCHED_NO_NODE ? NULL : &s->cache->nodes.v[p->nominated];

	for (size_t i = 0; n && i < n->pods.n; i++)
		if (n->pods.v[i]->terminating && n->pods.v[i]->priority < p->priority)
			return true;
	return false;
}

static void send_away(struct scheduler *s, const struct sched_pod *p, struct sched_pod *victim, uint32_t node)
{
	const char *scheduler = sched_profile_of(s, p)->name;
	_cleanup_buf_ struct xb_buf message = {};

	if (victim->terminating)
		return;
	xb_buf_addf(&message, "Preempted by pod %.*s on node %s", XB_SV_ARG(p->uid), s->cache->nodes.v[node].name);
	if (!sched_api_evict(s->api, victim, scheduler))
		s->metrics->preemption_victims++;
	sched_tell(s, victim, scheduler, XB_EVENT_NORMAL, "Preempted", xb_buf_sv(&message));
}

/* Less important pods that were to have room there look for it anew. */
static void unnominate(struct scheduler *s, const struct sched_pod *p, uint32_t node)
{
	for (size_t i = s->cache->nominated.n; i-- > 0;) {
		struct sched_pod *o = s->cache->nominated.v[i];

		if (o == p || o->nominated != node || o->priority >= p->priority)
			continue;
		sched_api_unnominate(s->api, o);
		sched_cache_nominate(s->cache, o, SCHED_NO_NODE);
	}
}

int sched_evict(struct scheduler *s, struct sched_pod *p, const enum sched_verdict *verdicts, struct xb_buf *message, uint32_t *ret)
{
	_cleanup_(budgets_done) budgets all = {};
	struct sched_victims victims = {};
	struct sched_preemption x = {
		.cycle = sched_cycle_of(s, p), .cache = s->cache, .pod = p, .verdicts = verdicts, .random = s->random++,
	};
	int r;

	if (waits(s, p)) {
		xb_buf_adds(message, " preemption: not eligible due to a terminating pod on the nominated node.");
		*ret = p->nominated;
		return message->err;
	}
	xb_informer_each(s->budgets, add_budget, &all);
	x.budgets = all.v;
	x.n_budgets = all.n;
	s->metrics->preemption_attempts++;
	xb_buf_addc(message, ' ');
	r = sched_preempt(&x, message, &victims);
	if (r)
		return r;
	message->p[--message->n] = '\0';
	for (size_t i = 0; i < victims.pods.n; i++)
		send_away(s, p, victims.pods.v[i], victims.node);
	unnominate(s, p, victims.node);
	*ret = victims.node;
	xb_vec_done(&victims.pods);
	return 0;
}
