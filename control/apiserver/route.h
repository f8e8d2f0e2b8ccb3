/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_ROUTE_H
#define APISERVER_ROUTE_H
/*
 * From a request line to what it is about: /api/v1/... and /apis/GROUP/VERSION/... by the rows of xb/kinds.h
 * (apimachinery's REST paths; kubernetes docs "API concepts").
 */
#include "xb/kinds.h"

enum route_type {
	ROUTE_OBJECTS,         /* of a kind */
	ROUTE_GROUP,           /* /apis/GROUP */
	ROUTE_VERSION,         /* /api/v1, /apis/GROUP/VERSION */
};
struct route {
	enum route_type type;
	enum xb_verb verb;                 /* a watch is told from a list by the query: LIST here */
	struct xb_sv group, version;       /* group is {} for core */
	const struct xb_kind *kind;
	const struct xb_subresource *sub;  /* NULL: the object itself */
	struct xb_sv namespace_, name;     /* decoded, zero-terminated, in the arena; {} when the path has none */
	struct xb_sv rest;                 /* of a subresource's any_path: "", or from a slash on; not decoded */
};
/*
 * path: percent-encoded, without the query; it starts with /api/ or /apis/. Faults: 404 for what is not served, 405 for a
 * method that the resource has not, 400 for a bad escape; -ENOMEM.
 */
int route_parse(struct xb_arena *a, struct xb_sv method, struct xb_sv path, struct route *ret, struct xb_status *reterr);

/*
 * The segments of a path, decoded; empty ones are left out. What follows the subresource "proxy" is not the API's: it is in *ret_rest
 * as it came, with its slash. 400, 404 (too many, or a slash within one), -ENOMEM.
 */
#define ROUTE_SEGMENTS 8
int route_split(struct xb_arena *a, struct xb_sv path, struct xb_sv part[ROUTE_SEGMENTS], unsigned *ret_n, struct xb_sv *ret_rest,
		struct xb_status *reterr);

/* Upstream's answers where nothing, or no such method, is served. -ENOENT, -EPROTO. */
int route_not_found(struct xb_status *reterr);
int route_bad_method(struct xb_status *reterr);

/*
 * Keys in the store: "<plural>[.<group>]/<namespace>/<name>", without the namespace for a kind that has none. An empty
 * name gives the prefix of the collection; an empty namespace that of all namespaces. NULL without memory.
 */
const char *route_key(struct xb_arena *a, const struct xb_kind *k, struct xb_sv namespace_, struct xb_sv name);

#endif
