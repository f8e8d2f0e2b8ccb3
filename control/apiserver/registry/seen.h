/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_SEEN_H
#define REGISTRY_SEEN_H
/* A set for the time of one check: what comes twice in a list as long as a client cares to send, in linear time. */
#include "strategy.h"

struct seen {
	struct xb_arena *arena;
	bool *no_memory;           /* set when the set could not grow */
	struct xb_tree *texts;
};
#define SEEN(owner) ((struct seen){ .arena = (owner)->arena, .no_memory = &(owner)->no_memory }) /* owner: a write or its errors */

/* What keeps a text, or the members of these names (NULL-terminated) of a node, is borrowed. */
bool seen_text(struct seen *s, struct xb_sv text);       /* was it in the set; from now on it is */
bool seen_node(struct seen *s, const struct xb_tree *n, const char *const *keys);
bool seen_has(struct seen *s, const struct xb_tree *n, const char *const *keys); /* only asks */

#endif
