/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pressure.h"

int pressure_new(const struct node_thresholds *t, struct pressure_state **ret)
{
	_cleanup_(pressure_freep) struct pressure_state *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->thresholds = t;
	p->met = calloc(t->all.n + 1, sizeof(*p->met));
	p->since_ms = calloc(t->all.n + 1, sizeof(*p->since_ms));
	if (!p->met || !p->since_ms)
		return -ENOMEM;
	*ret = TAKE_PTR(p);
	return 0;
}

struct pressure_state *pressure_free(struct pressure_state *p)
{
	if (p) {
		free(p->met);
		free(p->since_ms);
	}
	free(p);
	return NULL;
}

/* One that is met stays so until there is evictionMinimumReclaim more than it asks for. */
static bool is_met(const struct pressure_state *p, size_t i, const struct observation *o)
{
	const struct threshold *t = &p->thresholds->all.v[i];
	uint64_t want = amount_of(&t->amount, o->capacity);

	if (p->met[i])
		want += amount_of(&p->thresholds->reclaim[t->signal], o->capacity);
	return o->available < want;
}

void pressure_observe(struct pressure_state *p, const struct observation o[SIGNALS], uint64_t now_ms)
{
	for (size_t i = 0; i < p->thresholds->all.n; i++) {
		enum signal s = p->thresholds->all.v[i].signal;

		if (!o[s].known)
			continue;
		p->met[i] = is_met(p, i, &o[s]);
		if (!p->met[i])
			p->since_ms[i] = 0;
		else if (!p->since_ms[i])
			p->since_ms[i] = now_ms;
		if (p->met[i])
			p->last_ms[signal_pressure(s)] = now_ms;
	}
	for (unsigned c = 0; c < PRESSURES; c++)
		p->under[c] = p->last_ms[c] && (p->last_ms[c] == now_ms || now_ms - p->last_ms[c] < p->thresholds->transition_ms);
}

const struct threshold *pressure_worst(const struct pressure_state *p, uint64_t now_ms)
{
	const struct threshold *worst = NULL;

	for (size_t i = 0; i < p->thresholds->all.n; i++) {
		const struct threshold *t = &p->thresholds->all.v[i];

		if (p->met[i] && now_ms - p->since_ms[i] >= t->grace_ms && (!worst || t->signal < worst->signal))
			worst = t;
	}
	return worst;
}
