/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_KEYS_H
#define REGISTRY_KEYS_H
/* What ConfigMaps and Secrets share: keys and their data. */
#include "strategy.h"

#define KEYS_MAX_BYTES (1024 * 1024)

size_t keys_decoded_size(struct xb_sv base64);
char *keys_encode(struct xb_arena *a, struct xb_sv bytes); /* as base64, in a; NULL without memory */
/* "field is immutable when `immutable` is set", for immutable itself and for each of the fields (NULL-terminated). */
void keys_validate_immutable(struct xb_field_errors *e, const struct xb_tree *object, const struct xb_tree *old, const char *const *fields);

#endif
