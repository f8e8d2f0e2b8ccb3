/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* NodeUnschedulable, NodeName, NodePorts: what takes one look at a node. */
#include "plugin.h"
#include "toleration.h"

/* --- NodeUnschedulable --- */
static int prepare_unschedulable(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	const struct sched_taint taint = {
		.key = sched_names_find(c->names, XB_SV("node.kubernetes.io/unschedulable")),
		.value = sched_names_find(c->names, XB_SV("")),
		.effect = SCHED_NO_SCHEDULE,
	};
	_cleanup_(sched_tolerations_done) struct sched_tolerations t = {};
	int r;

	if (!c->n_unschedulable)
		return 0;
	r = sched_tolerations_read(&t, c->names, p->spec);
	return r ? r : !sched_tolerates(&t, &taint, XB_SV("node.kubernetes.io/unschedulable"));
}

static enum sched_verdict filter_unschedulable(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	if (!node->unschedulable)
		return SCHED_FITS;
	if (why)
		sched_reasons_add(why, "node(s) were unschedulable");
	return SCHED_UNRESOLVABLE;
}

static bool helps_unschedulable(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	return !change->node || !change->node->unschedulable;
}

const struct sched_plugin sched_node_unschedulable = {
	.name = "NodeUnschedulable",
	.events = SCHED_NODE_ADDED | SCHED_NODE_TAINTS | SCHED_POD_ITSELF,
	.prepare = prepare_unschedulable,
	.filter = filter_unschedulable,
	.helps = helps_unschedulable,
};

/* --- NodeName --- */
struct node_name {
	uint32_t wanted;
};

static int prepare_name(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct node_name *s = state;
	struct xb_sv name = sched_text(p->spec, "nodeName");

	s->wanted = sched_names_find(c->names, name);
	return name.n > 0;
}

static enum sched_verdict filter_name(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct node_name *s = state;

	if (node->name_id == s->wanted)
		return SCHED_FITS;
	if (why)
		sched_reasons_add(why, "node(s) didn't match the requested node name");
	return SCHED_UNRESOLVABLE;
}

const struct sched_plugin sched_node_name = {
	.name = "NodeName",
	.events = SCHED_NODE_ADDED,
	.state_size = sizeof(struct node_name),
	.prepare = prepare_name,
	.filter = filter_name,
};

/* --- NodePorts --- */
struct node_ports {
	const struct sched_pod *pod;
};

static int prepare_ports(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct node_ports *s = state;

	s->pod = p;
	return p->ports.n > 0;
}

static bool clash(const struct sched_pod *p, const struct sched_port *ports, size_t n)
{
	for (size_t i = 0; i < p->ports.n; i++)
		for (size_t k = 0; k < n; k++)
			if (sched_ports_clash(&p->ports.v[i], &ports[k]))
				return true;
	return false;
}

static enum sched_verdict filter_ports(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct node_ports *s = state;

	if (!clash(s->pod, node->ports.v, node->ports.n))
		return SCHED_FITS;
	if (why)
		sched_reasons_add(why, "node(s) didn't have free ports for the requested pod ports");
	return SCHED_UNSCHEDULABLE;
}

static bool helps_ports(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	return !change->pod || clash(p, change->pod->ports.v, change->pod->ports.n);
}

const struct sched_plugin sched_node_ports = {
	.name = "NodePorts",
	.events = SCHED_NODE_ADDED | SCHED_POD_DELETED,
	.state_size = sizeof(struct node_ports),
	.prepare = prepare_ports,
	.filter = filter_ports,
	.helps = helps_ports,
};
