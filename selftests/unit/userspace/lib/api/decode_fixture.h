/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_DECODE_FIXTURE_H
#define TEST_DECODE_FIXTURE_H
/* A test's state when bytes are decoded: what comes of them, and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/kinds.h"

struct fixture {
	struct xb_arena *a;
	struct xb_buf out, said;
	struct xb_status status;
};

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = xb_arena_new(0);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	xb_arena_free(f->a);
	xb_buf_done(&f->out);
	xb_buf_done(&f->said);
	xb_status_done(&f->status);
	free(f);
	return 0;
}

#endif
