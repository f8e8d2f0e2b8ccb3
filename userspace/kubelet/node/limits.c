/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evict.h"
#include "inner.h"

#define GRACE_S 1

/* Pods that may take only so much of the disk, asked about one after the other. */
struct disk_check {
	struct node *node;              /* NULL: it has ended, and an answer still comes */
	XB_VEC(struct xb_jv) pods;      /* each holds a reference to its document */
	size_t at;
	bool asking;
};

static void check_free(struct disk_check *k)
{
	if (k->node)
		k->node->disk_check = NULL;
	for (size_t i = 0; i < k->pods.n; i++)
		xb_json_unref((struct xb_json *)k->pods.v[i].doc);
	xb_vec_done(&k->pods);
	free(k);
}

static void add_pod(void *arg, struct xb_jv pod, struct xb_jv status)
{
	struct disk_check *k = arg;

	if (!evict_is_critical(pod) && evict_has_disk_limit(pod) && !xb_vec_push(&k->pods, pod))
		xb_json_ref(pod.doc);
}

static void next(struct disk_check *k);

static void on_answer(void *arg, uint64_t bytes, const char *exceeded)
{
	_cleanup_buf_ struct xb_buf message = {};
	struct disk_check *k = arg;
	struct node *n = k->node;
	struct xb_jv pod;

	k->asking = false;
	if (!n) {
		check_free(k);
		return;
	}
	pod = k->pods.v[k->at++];
	if (exceeded)
		xb_buf_adds(&message, exceeded);
	else
		evict_write_over_limit(pod, bytes, &message);
	if (message.n && !message.err) {
		n->over_limit++;
		n->config.evict(n->config.arg, pod, message.p, GRACE_S);
	}
	next(k);
}

static void next(struct disk_check *k)
{
	const struct node_config *c = &k->node->config;

	if (k->at == k->pods.n) {
		check_free(k);
		return;
	}
	k->asking = true;
	c->disk_excess(c->arg, k->pods.v[k->at], on_answer, k);
}

void limits_check(struct node *n)
{
	struct disk_check *k;

	if (!n->config.disk_excess || n->disk_check || n->fault)
		return;
	k = calloc(1, sizeof(*k));
	if (!k)
		return;
	k->node = n;
	n->disk_check = k;
	n->config.each_pod(n->config.arg, add_pod, k);
	next(k);
}

void limits_stop(struct node *n)
{
	struct disk_check *k = n->disk_check;

	if (!k)
		return;
	n->disk_check = NULL;
	k->node = NULL;
	if (!k->asking)
		check_free(k);
}
