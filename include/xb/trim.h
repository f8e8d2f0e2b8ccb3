/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_TRIM_H
#define XB_TRIM_H
/*
 * The resident memory of a program that mostly waits: what only its start, or much work at once, needed goes back to the system.
 */
#include <uv.h>
#include "xb/macro.h"

/*
 * Gives back the calling thread's spare arenas, what malloc has free, and the pages of the program and its libraries that are as in their
 * files: those stay in the page cache, and the ones that are still used come back by minor faults, 16 at a time. What was written
 * (relocations, a debugger's breakpoints) stays, and without /proc all of them. Any thread; 0.3 ms of processor time, and 0.1 for what
 * comes back.
 */
void xb_trim(void);

/* Does that on the loop, 30 s from now and then every 5 minutes. Borrows the loop; -ENOMEM. */
struct xb_trimmer;
int xb_trimmer_new(uv_loop_t *loop, struct xb_trimmer **ret);
struct xb_trimmer *xb_trimmer_free(struct xb_trimmer *t);       /* its handle is gone after one more turn of the loop */
XB_DEFINE_CLEANUP(struct xb_trimmer *, xb_trimmer_free)

#endif
