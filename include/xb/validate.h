/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_VALIDATE_H
#define XB_VALIDATE_H
/*
 * Checks that many kinds share (apimachinery pkg/util/validation and pkg/api/validation), in upstream's v1.33 words.
 *
 * A check looks at one string: it puts the text of each fault (static storage) in ret and returns their number, 0 when the
 * string is fine. xb_validate() turns the faults into "Invalid value" findings.
 */
#include "xb/field_error.h"

#define XB_CHECK_MAX 5
typedef unsigned xb_check_fn(struct xb_sv s, const char *ret[XB_CHECK_MAX]);

xb_check_fn xb_check_dns1123_label;     /* RFC 1123: namespaces, containers, volumes */
xb_check_fn xb_check_dns1123_subdomain; /* RFC 1123: most objects' names */
xb_check_fn xb_check_dns1035_label;     /* RFC 1035: services */
xb_check_fn xb_check_qualified_name;    /* "example.com/name": keys of labels and annotations, resource names */
xb_check_fn xb_check_label_value;
xb_check_fn xb_check_config_key;        /* keys of a ConfigMap's or Secret's data */
xb_check_fn xb_check_port_name;         /* RFC 6335: IANA_SVC_NAME */
xb_check_fn xb_check_env_name;          /* printable ASCII but '=' (KEP-4369) */
xb_check_fn xb_check_http_header_name;
xb_check_fn xb_check_ip;                /* v4 or v6, without leading zeros in v4 and without a zone */
xb_check_fn xb_check_cidr;
xb_check_fn xb_check_path_segment;      /* not "." or "..", without / and %: what may stand in a URL */

/* Adds one "Invalid value" per fault that check finds in s. Returns true when there was none. */
bool xb_validate(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv s, xb_check_fn *check);
/* The same for a generateName: a dash at its end stands for what will follow. */
bool xb_validate_prefix(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv s, xb_check_fn *check);

/* "must be between 1 and 65535, inclusive" */
bool xb_validate_port(struct xb_field_errors *e, const struct xb_path *at, int64_t port);
/* "must be greater than or equal to 0" */
bool xb_validate_nonnegative(struct xb_field_errors *e, const struct xb_path *at, int64_t n);
/* Port number or port name; node is an int-or-string, missing counts as 0. */
bool xb_validate_port_or_name(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *node);
/* An address that can be a backend's: not unspecified, loopback, link-local or link-local multicast. Call after xb_check_ip. */
bool xb_validate_non_special_ip(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv ip);
/* s must be one of supported (NULL-terminated, in the message's order). Empty s is "Required value". */
bool xb_validate_one_of(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv s, const char *const *supported);
/* "field is immutable" unless both are equal (NULL: not there). */
bool xb_validate_immutable(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *now, const struct xb_tree *old);

void xb_validate_labels(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *labels);
/* Their names, and their size: 256 KiB in all. */
void xb_validate_annotations(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *annotations);

/*
 * An object's metadata, at creation and at every update. at is the path of metadata itself. name: the check for the
 * kind's names. The caller has generated the name and set the namespace before.
 */
void xb_validate_object_meta(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *meta, bool namespaced,
			     xb_check_fn *name);
/* What an update may not change. Preconditions (resourceVersion, uid of the caller) are not its job. */
void xb_validate_object_meta_update(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *meta,
				    const struct xb_tree *old);

#endif
