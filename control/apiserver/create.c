/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission.h"
#include "authz.h"
#include "decode.h"
#include "managed.h"
#include "metadata.h"
#include "quota.h"
#include "write.h"

#define NAME_TRIES 8 /* RetryGenerateName */

/* Of some thousand names with the same beginning two are the same: another one is tried, as upstream does. */
static int settle_name(struct request *q, struct xb_tree *object)
{
	struct write *w = &q->write;
	const char *key = write_key(q, w);

	for (int i = 1; i < NAME_TRIES && key && !w->no_memory && store_head(q->server->store, key); i++) {
		metadata_generate_name(w, object);
		key = write_key(q, w);
	}
	return key && !w->no_memory ? 0 : -ENOMEM;
}

int create_object(struct request *q, struct xb_tree *object)
{
	struct write *w = &q->write;
	const struct strategy *s = strategy_of(w->kind);
	bool wants_name = metadata_wants_name(object);
	const char *key;
	int r;

	r = authz_check_create(q);
	if (!r && !q->managed)
		r = managed_update(q, object, NULL);
	if (r)
		return r;
	r = metadata_create(w, object, &q->fault);
	if (!r && wants_name)
		r = settle_name(q, object);
	if (r)
		return r;
	if (s->prepare_create)
		s->prepare_create(w, object);
	r = w->no_memory ? -ENOMEM : admission_run(q, w, object, NULL);
	if (!r)
		r = write_validate(q, w, object, NULL);
	if (r)
		return r;
	key = write_key(q, w);
	if (!key || store_head(q->server->store, key)) {
		write_end(w, false);
		return key ? xb_status_exists(&q->fault, w->kind->group, w->kind->plural, w->name) : -ENOMEM;
	}
	r = admission_runs(q, "ResourceQuota") ? quota_admit(q, w, object, NULL) : 0;
	if (r) {
		write_end(w, false);
		return r;
	}
	return write_put(q, 0, object, 201);
}

int create_handler(struct request *q)
{
	struct xb_tree *object;
	int r;

	r = query_check_write(q->arena, &q->query, "CreateOptions", &q->fault);
	if (!r)
		r = write_init(q);
	if (!r)
		r = decode_body(q, &object);
	return r ? r : create_object(q, object);
}
