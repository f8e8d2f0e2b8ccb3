/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "toleration.h"

void sched_tolerations_done(struct sched_tolerations *t)
{
	xb_vec_done(&t->all);
}

int sched_tolerations_read(struct sched_tolerations *t, const struct sched_names *names, struct xb_jv spec)
{
	int r = 0;

	t->all.n = 0;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "tolerations")); !r && xb_jit_next(&it);) {
		struct xb_sv key = sched_text(it.value, "key"), effect = sched_text(it.value, "effect");

		r = xb_vec_push(&t->all, (struct sched_toleration){
			.key = sched_names_find(names, key),
			.value = sched_names_find(names, sched_text(it.value, "value")),
			.any_key = !key.n,
			.any_value = xb_sv_is(sched_text(it.value, "operator"), "Exists"),
			.any_effect = !effect.n,
			.effect = xb_sv_is(effect, "NoSchedule") ? SCHED_NO_SCHEDULE :
				  xb_sv_is(effect, "NoExecute")	 ? SCHED_NO_EXECUTE :
								   SCHED_PREFER_NO_SCHEDULE,
			.key_text = key });
	}
	return r;
}

bool sched_tolerates(const struct sched_tolerations *t, const struct sched_taint *taint, struct xb_sv key)
{
	for (size_t i = 0; i < t->all.n; i++) {
		const struct sched_toleration *o = &t->all.v[i];
		bool same_key = o->any_key || (o->key && o->key == taint->key) || (key.n && xb_sv_eq(key, o->key_text));

		if (same_key && (o->any_value || (o->value == taint->value)) && (o->any_effect || o->effect == taint->effect))
			return true;
	}
	return false;
}
