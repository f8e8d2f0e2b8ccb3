/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_OPENAPI_H
#define APISERVER_OPENAPI_H
/*
 * OpenAPI documents of what is served: version 2 whole, version 3 by group and version (KEP-2896). Everything in them
 * comes from the rows of xb/kinds.h and xb/schema.h and from xb/describe.h, so a document is the same each time.
 */
#include "xb/kinds.h"

/* A document on its way: all of openapi_*.c write into one. */
struct openapi {
	struct xb_jw w;
	const struct xb_kind *of;      /* the kinds of its group and version only; NULL: all, and that is version 2 */
};
static inline bool openapi_is_v3(const struct openapi *o)
{
	return o->of != NULL;
}
bool openapi_has(const struct openapi *o, const struct xb_kind *k);

/* openapi.c. Appends the document to out: of NULL is version 2. 0, -ENOMEM; out may then have a part of it. */
int openapi_write(const struct xb_kind *of, struct xb_buf *out);

/* openapi_schema.c: the members of "definitions", or of "schemas". 0, -ENOMEM. */
int openapi_write_schemas(struct openapi *o);
void openapi_write_gvk(struct openapi *o, const char *group, const char *version, const char *kind);
/* A member "$ref": to that package's type. */
void openapi_write_ref(struct openapi *o, const char *package, const char *name);
#define OPENAPI_META "io.k8s.apimachinery.pkg.apis.meta.v1"

/* openapi_path.c: the members of "paths"; and of "parameters", those of queries that version 2 refers to. */
void openapi_write_paths(struct openapi *o);
void openapi_write_parameters(struct openapi *o);

/*
 * openapi_gnostic.c: a document of version 2 as the protobuf message Document (google/gnostic, openapiv2/OpenAPIv2.proto),
 * appended to out. -ENOMEM; -EBADMSG when json is none of openapi_write's.
 */
int openapi_to_gnostic(struct xb_sv json, struct xb_buf *out);

#endif
