/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "domains.h"

void sched_domains_done(struct sched_domains *d)
{
	xb_vec_done(&d->sums);
}

int sched_domains_start(struct sched_domains *d, struct sched_cache *c, uint32_t key)
{
	d->column = sched_cache_column(c, key);
	d->sums.n = 0;
	if (!d->column || xb_vec_room(&d->sums, d->column->n_domains + 1))
		return -ENOMEM;
	d->sums.n = d->column->n_domains + 1;
	memset(d->sums.v, 0, d->sums.n * sizeof(*d->sums.v));
	return 0;
}

void sched_domains_add(struct sched_domains *d, const struct sched_counts *counts)
{
	for (uint32_t page = 0; page < counts->pages.n; page++) {
		const int32_t *numbers = counts->pages.v[page];
		uint32_t first = page * SCHED_PAGE;

		for (uint32_t i = 0; numbers && i < SCHED_PAGE && first + i < d->column->domain.n; i++)
			d->sums.v[d->column->domain.v[first + i]] += numbers[i];
	}
}
