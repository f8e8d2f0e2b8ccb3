/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_SOURCE_H
#define KUBELET_PODS_SOURCE_H
/* Where pods come from: the API server's pods of this node, and files. Private to pods/. */
#include "pod.h"

struct source;
int source_new(struct pods *s, char **reterr_why, struct source **ret); /* begins at once; reterr_why: the path, the caller's to free */
struct source *source_free(struct source *o);
bool source_is_ready(const struct source *o);           /* each of them has told all that it has */
void source_pod_gone(struct source *o, const struct pod *p); /* nothing of it is left */
void source_node_changed(struct source *o);

#endif
