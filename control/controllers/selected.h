/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_SELECTED_H
#define CONTROLLERS_SELECTED_H
/*
 * Which pods of a namespace a selector means. Pods are indexed by each of their labels: a question costs what has the rarest
 * pair of the selector in that namespace; a selector that demands no pair costs all pods of the namespace. Views are good as
 * long as the copy does not change.
 */
#include "kcm.h"
#include "xb/selector.h"

xb_index_keys selected_by_label;        /* "<namespace>/<key>=<value>" */
void selected_key(struct xb_sv namespace_, struct xb_sv key, struct xb_sv value, struct xb_buf *out); /* out is emptied first */

struct selected {
	struct xb_index *by_label, *by_namespace;
};
int selected_init(struct selected *s, struct kcm *k);   /* asks for the pods. 0 or -ENOMEM */

/* for (struct selected_it it = {}; selected_next(s, namespace_, selector, &it);) use(it.pod); to its end: that frees. */
struct selected_it {
	struct xb_jv pod;
	struct xb_index_it at;          /* private */
	const struct xb_index *in;
	struct xb_buf key;
};
bool selected_next(const struct selected *s, struct xb_sv namespace_, const struct xb_selector *selector, struct selected_it *it);

#endif
