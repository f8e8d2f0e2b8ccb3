/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "plugin.h"

#define TEXT_MAX 1024 /* the longest names a taint, of 317 and 63 bytes */

const struct sched_plugin *const sched_plugins[SCHED_PLUGINS] = {
	&sched_node_unschedulable, &sched_node_name, &sched_taint_toleration, &sched_node_affinity, &sched_node_ports,
	&sched_fit, &sched_volume_restrictions, [SCHED_VOLUME_BINDING] = &sched_volume_binding, &sched_volume_zone, &sched_spread,
	&sched_pod_affinity, &sched_balanced, &sched_image_locality,
};

void sched_reasons_add(struct sched_reasons *r, const char *fmt, ...)
{
	char text[TEXT_MAX];
	char *copy;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->v[i].text, text)) {
			r->v[i].n++;
			return;
		}
	copy = strdup(text);
	if (copy && !xb_vec_push(r, (struct sched_reason){ .text = copy, .n = 1 }))
		return;
	free(copy);
	r->err = -ENOMEM;
}

void sched_reasons_done(struct sched_reasons *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].text);
	free(r->v);
	*r = (struct sched_reasons){};
}

/* As upstream sorts them: the whole texts, numbers in front. */
static int by_text(const void *a, const void *b)
{
	const struct sched_reason *x = a, *y = b;
	char nx[16], ny[16];
	int order;

	snprintf(nx, sizeof(nx), "%u ", x->n);
	snprintf(ny, sizeof(ny), "%u ", y->n);
	order = strcmp(nx, ny);
	return order ? order : strcmp(x->text, y->text);
}

void sched_reasons_write(struct sched_reasons *r, struct xb_buf *out)
{
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), by_text);
	for (size_t i = 0; i < r->n; i++)
		xb_buf_addf(out, "%s%u %s", i ? ", " : "", r->v[i].n, r->v[i].text);
	if (r->err)
		out->err = r->err;
}

void sched_normalize(int64_t *scores, size_t n, bool reverse)
{
	int64_t most = 0;

	for (size_t i = 0; i < n; i++)
		most = MAX(most, scores[i]);
	for (size_t i = 0; i < n; i++) {
		if (most)
			scores[i] = scores[i] * SCHED_MAX_SCORE / most;
		if (reverse)
			scores[i] = SCHED_MAX_SCORE - scores[i];
	}
}
