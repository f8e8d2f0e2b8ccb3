/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observed.h"

void observed_container_done(struct observed_container *c)
{
	char *owned[] = { c->id,     c->sandbox_id, c->name,     c->image,	c->image_ref,
			  c->reason, c->message,    c->log_path, c->message_path, c->grace };

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	*c = (struct observed_container){};
}

void observed_sandbox_done(struct observed_sandbox *s)
{
	free(s->id);
	free(s->ips[0]);
	free(s->ips[1]);
	*s = (struct observed_sandbox){};
}

void observed_done(struct observed *o)
{
	for (size_t i = 0; i < o->n_containers; i++)
		observed_container_done(&o->containers[i]);
	for (size_t i = 0; i < o->n_sandboxes; i++)
		observed_sandbox_done(&o->sandboxes[i]);
	free(o->containers);
	free(o->sandboxes);
	*o = (struct observed){};
}

static const struct observed_container *find_from(const struct observed *o, size_t i, struct xb_sv name)
{
	for (; i < o->n_containers; i++)
		if (xb_sv_is(name, o->containers[i].name))
			return &o->containers[i];
	return NULL;
}

const struct observed_container *observed_newest(const struct observed *o, struct xb_sv name)
{
	return find_from(o, 0, name);
}

const struct observed_container *observed_before(const struct observed *o, const struct observed_container *c)
{
	return find_from(o, (size_t)(c - o->containers) + 1, xb_sv(c->name));
}

const struct observed_container *observed_by_id(const struct observed *o, const char *id)
{
	for (size_t i = 0; i < o->n_containers; i++)
		if (!strcmp(o->containers[i].id, id))
			return &o->containers[i];
	return NULL;
}

const struct observed_sandbox *observed_ready_sandbox(const struct observed *o)
{
	return o->n_sandboxes && o->sandboxes[0].ready ? &o->sandboxes[0] : NULL;
}

bool observed_runs(const struct observed *o)
{
	for (size_t i = 0; i < o->n_containers; i++)
		if (o->containers[i].state == OBSERVED_RUNNING || o->containers[i].state == OBSERVED_UNKNOWN)
			return true;
	return false;
}
