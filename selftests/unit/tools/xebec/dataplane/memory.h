/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef MEMORY_H
#define MEMORY_H
/* Tables in memory for the tests of this folder, in place of pinned ones. Tests link libraries, and a tool has none: the files
 * themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../tools/xebec/dataplane/tables.c"
#include "../../../../../tools/xebec/dataplane/text.c"

/* sizes: by enum table_id; what has none is not there. */
static inline struct tables *memory_tables(const __u32 sizes[N_TABLES])
{
	struct tables *t = xalloc(calloc(1, sizeof(*t)));

	for (int i = 0; i < N_TABLES; i++) {
		t->t[i].fd = -1;
		t->t[i].size = sizes[i];
		t->t[i].bytes = (size_t)sizes[i] * rows[i].value_size;
		if (!sizes[i])
			continue;
		t->t[i].mem = mmap(NULL, t->t[i].bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(t->t[i].mem, MAP_FAILED);
	}
	return t;
}

/* An element to be written. */
static inline void *element(struct tables *t, enum table_id id, __u32 index)
{
	void *p = (void *)table_at(t, id, index);

	assert_non_null(p);
	return p;
}

static inline union xb_ip6 address(const char *text)
{
	struct xb_ip ip;

	assert_int_equal(xb_ip_parse(xb_sv(text), &ip), 0);
	return addr_of(&ip);
}

#endif
