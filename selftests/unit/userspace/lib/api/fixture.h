/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_API_FIXTURE_H
#define TEST_API_FIXTURE_H
/* A test's state is an arena, in which its trees are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/kinds.h"

static inline int set_up(void **state)
{
	*state = xb_arena_new(0);
	return *state ? 0 : -1;
}

static inline int tear_down(void **state)
{
	xb_arena_free(*state);
	return 0;
}

/* As JSON; "none" for NULL. */
static inline const char *written(struct xb_arena *a, const struct xb_tree *n)
{
	_cleanup_buf_ struct xb_buf out = {};

	if (!n)
		return "none";
	xb_tree_write(n, &out);
	return xb_arena_strn(a, xb_buf_sv(&out));
}

#endif
