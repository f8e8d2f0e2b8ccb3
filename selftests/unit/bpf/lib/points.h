/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef POINTS_H
#define POINTS_H
/* Two processors without chance: one's operation whole between two accesses of the other's to the flow table. To be included before
 * the table's own headers, which call WORD_POINT() at each access. */
#include <stdbool.h>

static int points_left = -1;            /* -1: nothing is to happen between */
static void (*point_run)(void);

static void point(void)
{
	if (points_left < 0 || points_left-- > 0)
		return;
	point_run();
}
#define WORD_POINT() point()

/* one, with other at its access number at, from 0. False: one has no such access. */
static bool run_at(int at, void (*one)(void), void (*other)(void))
{
	bool met;

	points_left = at;
	point_run = other;
	one();
	met = points_left < 0;
	points_left = -1;
	return met;
}

#endif
