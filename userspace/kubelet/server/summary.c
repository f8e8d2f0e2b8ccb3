/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /stats/summary (kubelet's stats/v1alpha1 Summary). */
#include "metric_writer.h"
#include "xb/json.h"
#include "xb/time.h"

struct summary {
	struct xb_jw w;
	const struct usage *u;
	bool short_;                    /* processor time and memory only */
};

static void put_u64(struct xb_jw *w, const char *key, uint64_t n)
{
	xb_jw_kint(w, key, (int64_t)MIN(n, (uint64_t)INT64_MAX));
}

static void put_time(struct xb_jw *w, const char *key, int64_t us)
{
	xb_jw_kstr(w, key, xb_time_format(us).s);
}

/* memory: what there could be; 0: not limited */
static void put_one(struct xb_jw *w, const struct usage_one *o, double memory)
{
	uint64_t limit = memory > 0 ? (uint64_t)memory : o->u.memory_limit;
	int64_t at_us = (int64_t)o->u.at_ms * 1000;

	if (!o->known)
		return;
	xb_jw_key(w, "cpu");
	xb_jw_object(w);
	put_time(w, "time", at_us);
	if (o->nano_cores >= 0)
		xb_jw_kint(w, "usageNanoCores", o->nano_cores);
	put_u64(w, "usageCoreNanoSeconds", o->u.cpu_ns);
	xb_jw_end(w);
	xb_jw_key(w, "memory");
	xb_jw_object(w);
	put_time(w, "time", at_us);
	if (limit > o->u.memory_working_set)
		put_u64(w, "availableBytes", limit - o->u.memory_working_set);
	put_u64(w, "usageBytes", o->u.memory_bytes);
	put_u64(w, "workingSetBytes", o->u.memory_working_set);
	put_u64(w, "rssBytes", o->u.memory_rss);
	put_u64(w, "pageFaults", o->u.page_faults);
	put_u64(w, "majorPageFaults", o->u.major_faults);
	xb_jw_end(w);
}

static void put_net(struct xb_jw *w, const struct usage_net *n)
{
	xb_jw_kstr(w, "name", n->name);
	put_u64(w, "rxBytes", n->rx_bytes);
	put_u64(w, "rxErrors", n->rx_errors);
	put_u64(w, "txBytes", n->tx_bytes);
	put_u64(w, "txErrors", n->tx_errors);
}

static void put_nets(struct summary *s, const struct usage_nets *nets)
{
	const struct usage_net *first = nets->n ? &nets->v[0] : NULL;
	struct xb_jw *w = &s->w;

	if (!first || s->short_)
		return;
	for (size_t i = 0; i < nets->n; i++)
		if (!strcmp(nets->v[i].name, "eth0"))
			first = &nets->v[i];
	xb_jw_key(w, "network");
	xb_jw_object(w);
	put_time(w, "time", s->u->at_us);
	put_net(w, first);
	xb_jw_key(w, "interfaces");
	xb_jw_array(w);
	for (size_t i = 0; i < nets->n; i++) {
		xb_jw_object(w);
		put_net(w, &nets->v[i]);
		xb_jw_end(w);
	}
	xb_jw_end(w);
	xb_jw_end(w);
}

static void put_disk(struct summary *s, const char *key, const struct usage_disk *of, uint64_t used, uint64_t inodes_used)
{
	struct xb_jw *w = &s->w;

	if (!of->known || s->short_)
		return;
	xb_jw_key(w, key);
	xb_jw_object(w);
	put_time(w, "time", s->u->at_us);
	put_u64(w, "availableBytes", of->available);
	put_u64(w, "capacityBytes", of->capacity);
	put_u64(w, "usedBytes", used);
	put_u64(w, "inodesFree", of->inodes_free);
	put_u64(w, "inodes", of->inodes);
	put_u64(w, "inodesUsed", inodes_used);
	xb_jw_end(w);
}

static void put_container(struct summary *s, const struct usage_container *c)
{
	struct xb_jw *w = &s->w;

	xb_jw_object(w);
	xb_jw_kstr(w, "name", c->name);
	put_time(w, "startTime", c->started_ns / 1000);
	put_one(w, &c->one, 0);
	if (c->has_layer)
		put_disk(s, "rootfs", &s->u->images, c->layer_bytes, c->layer_inodes);
	put_disk(s, "logs", &s->u->root, c->log_bytes, 1);
	xb_jw_end(w);
}

static void put_pod(struct summary *s, const struct usage_pod *p)
{
	uint64_t bytes = p->disk_bytes, inodes = p->disk_inodes;
	struct xb_jw *w = &s->w;

	xb_jw_object(w);
	xb_jw_key(w, "podRef");
	xb_jw_object(w);
	xb_jw_kstr(w, "name", p->name);
	xb_jw_kstr(w, "namespace", p->namespace_);
	xb_jw_kstr(w, "uid", p->uid);
	xb_jw_end(w);
	put_time(w, "startTime", p->started_us);
	xb_jw_key(w, "containers");
	xb_jw_array(w);
	for (size_t i = 0; i < p->containers.n; i++) {
		put_container(s, &p->containers.v[i]);
		bytes += p->containers.v[i].layer_bytes;
		inodes += p->containers.v[i].layer_inodes;
	}
	xb_jw_end(w);
	put_one(w, &p->one, 0);
	put_nets(s, &p->nets);
	if (p->disk_known)
		put_disk(s, "ephemeral-storage", &s->u->root, bytes, inodes);
	if (p->one.known) {
		xb_jw_key(w, "process_stats");
		xb_jw_object(w);
		put_u64(w, "process_count", p->one.u.pids);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static void put_node(struct summary *s, const char *name, int64_t start_us, double memory)
{
	const struct usage *u = s->u;
	struct xb_jw *w = &s->w;

	xb_jw_key(w, "node");
	xb_jw_object(w);
	xb_jw_kstr(w, "nodeName", name);
	put_time(w, "startTime", start_us);
	put_one(w, &u->node, memory);
	put_nets(s, &u->nets);
	put_disk(s, "fs", &u->root, u->root.used, u->root.inodes_used);
	if (!s->short_) {
		xb_jw_key(w, "runtime");
		xb_jw_object(w);
		put_disk(s, "imageFs", &u->images, u->images.used, u->images.inodes_used);
		put_disk(s, "containerFs", &u->images, u->images.used, u->images.inodes_used);
		xb_jw_end(w);
		xb_jw_key(w, "rlimit");
		xb_jw_object(w);
		put_time(w, "time", u->at_us);
		put_u64(w, "maxpid", u->max_pid);
		put_u64(w, "curproc", u->threads);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

void summary_write(const struct usage *u, const char *node_name, int64_t start_us, double memory, bool only_cpu_and_memory,
		   struct xb_buf *out)
{
	struct summary s = { .w = XB_JW(out), .u = u, .short_ = only_cpu_and_memory };

	xb_jw_object(&s.w);
	put_node(&s, node_name, start_us, memory);
	xb_jw_key(&s.w, "pods");
	xb_jw_array(&s.w);
	for (size_t i = 0; i < u->pods.n; i++)
		put_pod(&s, &u->pods.v[i]);
	xb_jw_end(&s.w);
	xb_jw_end(&s.w);
	if (xb_jw_finish(&s.w))
		out->err = -ENOMEM;
}
