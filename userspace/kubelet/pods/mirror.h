/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_MIRROR_H
#define KUBELET_PODS_MIRROR_H
/*
 * Mirror pods: objects at the API server that stand for static pods, so that they are seen there. Made when there is none, made
 * anew when deleted or when the file has become another, deleted with the file. Private to pods/.
 */
#include "pod.h"

struct mirrors;
int mirrors_new(struct pods *s, struct mirrors **ret);  /* s->c.rest is there */
struct mirrors *mirrors_free(struct mirrors *m);
bool mirrors_is_one(struct xb_jv object);
void mirrors_saw(struct mirrors *m, struct xb_jv object, bool there); /* the API server has it, or has it no more */
void mirrors_begin(struct mirrors *m);                  /* all that are there were shown */
void mirrors_keep(struct mirrors *m, const char *namespace_, const char *name); /* a static pod of that name came or went */
void mirrors_keep_all(struct mirrors *m);

#endif
