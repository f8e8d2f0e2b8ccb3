/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_SELECTOR_H
#define XB_SELECTOR_H
/* Label selectors (apimachinery pkg/labels) and field selectors (pkg/fields), matched against documents' bytes. */
#include "xb/json.h"
#include "xb/status.h"

struct xb_selector;  /* immutable once made; NULL matches everything */
/* text: "a=b,c!=d,e in (f,g),h notin (i),j,!k". -EINVAL with reterr (400, upstream's words). Empty text gives NULL. */
int xb_selector_parse(struct xb_sv text, struct xb_selector **ret, struct xb_status *reterr);
/* From a map of labels ({"app":"web"}), as a Service's spec.selector; a missing or empty map gives NULL. */
int xb_selector_from_map(struct xb_jv labels, struct xb_selector **ret);
/* From a LabelSelector object ({matchLabels, matchExpressions}). An empty one gives NULL; the caller knows what a missing one means. */
int xb_selector_from_label_selector(struct xb_jv selector, struct xb_selector **ret, struct xb_status *reterr);
struct xb_selector *xb_selector_free(struct xb_selector *s);
XB_DEFINE_CLEANUP(struct xb_selector *, xb_selector_free)
bool xb_selector_matches(const struct xb_selector *s, struct xb_jv labels); /* labels: metadata.labels, may be missing */
/* The i-th pair that it demands, "key=value" or "key in (value)"; borrowed. False: it demands no more of them. */
bool xb_selector_pair(const struct xb_selector *s, size_t i, struct xb_sv *ret_key, struct xb_sv *ret_value);
void xb_selector_write(const struct xb_selector *s, struct xb_buf *out);    /* as upstream prints it, sorted by key: "app=nginx" */

struct xb_field_label {
	const char *name;    /* "spec.nodeName" */
	const char *path;    /* where its value stands, when not at name: "source" is "source.component" */
	const char *absent;  /* what an object without the field counts as, when not "": "false", "0" */
};
struct xb_field_selector;  /* immutable once made; NULL matches everything */
/* text: "metadata.name=x,status.phase!=Running". allowed: labels besides metadata.name/namespace, ended by {}, or NULL;
 * another is refused with 400 "field label not supported: x". Empty text gives NULL. allowed is borrowed. */
int xb_field_selector_parse(struct xb_sv text, const struct xb_field_label *allowed, struct xb_field_selector **ret,
			    struct xb_status *reterr);
struct xb_field_selector *xb_field_selector_free(struct xb_field_selector *s);
XB_DEFINE_CLEANUP(struct xb_field_selector *, xb_field_selector_free)
bool xb_field_selector_matches(const struct xb_field_selector *s, struct xb_jv object);
/* The value that "metadata.name=" demands, {} when it demands none: such a list is one look-up. */
struct xb_sv xb_field_selector_name(const struct xb_field_selector *s);

#endif
