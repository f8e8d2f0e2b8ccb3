/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A volume that is deleted stays while it is bound (upstream's pkg/controller/volume/pvprotection). */
#include "../loops.h"
#include "../pods.h"
#include "protection.h"

struct pv_protection {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct xb_informer *volumes;
	struct kcm_queue *queue;
};

static bool is_due(struct xb_jv volume)
{
	return protection_due(volume, PV_PROTECTION) &&
	       !(pods_deleting(volume) && xb_jv_streq(xb_jv_path(volume, "status", "phase"), XB_SV("Bound")));
}

static void sync_volume(struct kcm_work *w)
{
	struct pv_protection *l = w->loop;
	struct xb_jv volume = xb_informer_get(l->volumes, NULL, w->name);

	if (!xb_jv_is(volume) || !is_due(volume)) {
		kcm_work_done(w, 0);
		return;
	}
	kcm_work_round(w, kcm_work_done);
	protection_ask(w, l->kind, volume, PV_PROTECTION);
	kcm_work_go(w);
}

static void on_volume(void *arg, struct xb_jv old, struct xb_jv volume)
{
	struct pv_protection *l = arg;

	if (xb_jv_is(volume) && is_due(volume))
		kcm_queue_add(l->queue, volume);
}

void pv_protection_stop(void *loop)
{
	struct pv_protection *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int pv_protection_start(struct kcm *k, void **ret)
{
	struct pv_protection *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "pvprotection", .workers = 5, .sync = sync_volume, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct pv_protection){ .kcm = k, .kind = kcm_kind("", "v1", "persistentvolumes") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_volume, l);
	l->volumes = xb_cache_of(k->cache, l->kind);
	if (r || !l->volumes) {
		pv_protection_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
