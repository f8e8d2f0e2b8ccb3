/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_EDIT_H
#define REGISTRY_EDIT_H
/*
 * Changing an object within a write. Without memory the change is not made and w->no_memory is set; an object that is
 * NULL for that reason is taken. Keys and text are borrowed and must live as long as the write.
 */
#include "strategy.h"

void edit_node(struct write *w, struct xb_tree *object, const char *key, struct xb_tree *value);
void edit_str(struct write *w, struct xb_tree *object, const char *key, const char *text);
void edit_sv(struct write *w, struct xb_tree *object, const char *key, struct xb_sv text);
void edit_int(struct write *w, struct xb_tree *object, const char *key, int64_t n);
void edit_bool(struct write *w, struct xb_tree *object, const char *key, bool b);
void edit_json(struct write *w, struct xb_tree *object, const char *key, const char *json); /* a literal of ours */
void edit_member(struct write *w, struct xb_tree *object, struct xb_sv key, struct xb_tree *value);
void edit_entry(struct write *w, struct xb_tree *map, struct xb_sv key, struct xb_sv text); /* of a map of strings */
void edit_append(struct write *w, struct xb_tree *array, struct xb_tree *value);
/* A member that is not there gets a value */
void edit_str_default(struct write *w, struct xb_tree *object, const char *key, const char *text);
void edit_bool_default(struct write *w, struct xb_tree *object, const char *key, bool b);
/* The object or the array of that name, made when missing. */
struct xb_tree *edit_obtain(struct write *w, struct xb_tree *object, const char *key);
struct xb_tree *edit_obtain_array(struct write *w, struct xb_tree *object, const char *key);
/* The member becomes what it is in old: a copy, or gone. */
void edit_keep(struct write *w, struct xb_tree *object, const struct xb_tree *old, const char *key);
/* A condition of that type gets status, and the time of the write when its status changes; added when missing. */
void edit_condition(struct write *w, struct xb_tree *status, const char *type, const char *value);

/* Reading what the API says by leaving out */
bool edit_is_empty(const struct xb_tree *n);             /* missing, null, or without children */
/* Are the members of that name equal (both missing counts). */
bool edit_same(const struct xb_tree *a, const struct xb_tree *b, const char *key);

#endif
