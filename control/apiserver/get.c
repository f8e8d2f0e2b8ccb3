/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "list.h"
#include "write.h"

int get_handler(struct request *q)
{
	const struct route *t = &q->route;
	struct store_object *o;
	uint64_t revision;
	const char *key;
	int r;

	r = query_revision(q->query.resource_version, true, &revision, &q->fault);
	if (!r)
		r = list_check_revision(q, revision);
	if (r)
		return r;
	key = route_key(q->arena, t->kind, t->namespace_, t->name);
	if (!key)
		return -ENOMEM;
	o = store_get(q->server->store, key);
	if (!o)
		return xb_status_not_found(&q->fault, t->kind->group, t->kind->plural, t->name);
	request_reply_object(q, 200, o->doc);
	return 0;
}
