/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_RANDOM_H
#define XB_RANDOM_H
/* Randomness from the kernel (getrandom(2)), never weaker: when there is none the program aborts. Thread-safe. */
#include <stdbool.h>
#include <stddef.h>

void xb_random_bytes(void *p, size_t n);
/* Version 4, RFC 9562; zero-terminated. Not a secret: 32 are taken from the kernel at once, and a child would get its parent's. */
void xb_uuid(char ret[37]);
void xb_random_suffix(char ret[6]);                     /* five letters for generateName (apimachinery rand.String(5)); zero-terminated */
bool xb_secret_eq(const void *a, const void *b, size_t n); /* takes as long whether they differ early, late or not at all */

#endif
