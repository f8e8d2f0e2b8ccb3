/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_STATIC_H
#define KUBELET_PODS_STATIC_H
/* Static pods: what the files of a folder (or one file) say, YAML or JSON, made into pods of this node as upstream's file source does. */
#include "xb/json.h"

#define STATIC_NOTE_HASH   "kubernetes.io/config.hash"
#define STATIC_NOTE_SEEN   "kubernetes.io/config.seen"
#define STATIC_NOTE_SOURCE "kubernetes.io/config.source"
#define STATIC_NOTE_MIRROR "kubernetes.io/config.mirror"

struct static_pod {
	char *path;                     /* of its file */
	struct xb_json *pod;            /* NULL: the file says none; why tells */
	char *why;
};
struct static_pods {
	struct static_pod *v;
	size_t n, cap;
};
/* Blocking; for libuv's pool. Files whose names begin with '.' are passed over, as is what is no regular file. -errno of the folder;
 * -ENOMEM. seen: of the annotation, kept out of the hash. */
int static_read(const char *path, const char *node_name, int64_t seen_us, struct static_pods *ret);
void static_pods_done(struct static_pods *s);
/* One file's text as a pod. -EINVAL with why, a sentence without the path. */
int static_parse(struct xb_sv text, const char *path, const char *node_name, int64_t seen_us, struct xb_json **ret, char **reterr_why);

#endif
