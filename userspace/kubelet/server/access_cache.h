/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_ACCESS_CACHE_H
#define KUBELET_SERVER_ACCESS_CACHE_H
/* Answers that are good for a while, by the SHA-256 of what was asked. The soonest forgotten go when there are too many. */
#include "xb/str.h"

struct access_cache;
struct access_cache *access_cache_new(size_t max);      /* NULL without memory */
struct access_cache *access_cache_free(struct access_cache *c);
/* Was that asked, and is the answer still good? answer: borrowed until the cache changes; "" may be one. */
bool access_cache_get(struct access_cache *c, struct xb_sv question, int64_t now_ms, const char **ret_answer);
/* Copies. Without memory, or with an answer beyond 64 KiB, it is not kept. */
void access_cache_put(struct access_cache *c, struct xb_sv question, const char *answer, int64_t until_ms, int64_t now_ms);

#endif
