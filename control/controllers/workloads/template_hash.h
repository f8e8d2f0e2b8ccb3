/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_TEMPLATE_HASH_H
#define CONTROLLERS_TEMPLATE_HASH_H
/*
 * Pod templates as they are told apart: by content, without the label that a hash of them is kept in. Upstream's hash is one of
 * Go's own way to print a structure, so the names that it gives are not ours; which of several objects has a template is found by
 * comparing, as upstream does, and so those that upstream made are found. Pure.
 */
#include "xb/json.h"

#define TEMPLATE_HASH_LABEL "pod-template-hash"

/* The canonical form of a template: equal templates have equal bytes. Appended. */
void template_canonical(struct xb_jv template, struct xb_buf *out);
/* At most ten letters that make no words. collisions: how often such a hash was found to be another template's; -1: never. */
struct template_hash {
	char s[11];
};
struct template_hash template_hash(struct xb_sv canonical, int64_t collisions);

/* A template as its ControllerRevision stores it: {"spec":{"template":{"$patch":"replace",...}}}, a strategic merge patch that brings
 * it back. Equal templates have equal bytes, and those are upstream's. Appended. */
void template_patch(struct xb_jv template, struct xb_buf *out);
struct template_hash template_patch_hash(struct xb_sv patch, int64_t collisions); /* upstream's, too; collisions: from 0 */

#endif
