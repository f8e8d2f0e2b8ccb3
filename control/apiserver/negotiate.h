/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_NEGOTIATE_H
#define APISERVER_NEGOTIATE_H
/*
 * Media types: what form the client wants its answer in (RFC 9110 section 12.5.1, with the parameters as, v and g of
 * Kubernetes' tables and partial objects), and in what form its body comes. Protobuf is read but not offered: clients that
 * prefer it name JSON next.
 */
#include "xb/str.h"

enum accept_form {
	ACCEPT_OBJECT,
	ACCEPT_TABLE,          /* as=Table;v=v1|v1beta1;g=meta.k8s.io */
	ACCEPT_METADATA,       /* as=PartialObjectMetadata or PartialObjectMetadataList, likewise */
	ACCEPT_DISCOVERY,      /* as=APIGroupDiscoveryList;v=v2|v2beta1;g=apidiscovery.k8s.io */
};
#define ACCEPT_FORMS_OF_OBJECTS (1u << ACCEPT_OBJECT | 1u << ACCEPT_TABLE | 1u << ACCEPT_METADATA)
struct accept {
	enum accept_form form;
	bool beta;             /* v1beta1, v2beta1 */
	bool yaml;             /* JSON is YAML: the same bytes under another name */
};
/* forms: bits (1 << ACCEPT_...) of the forms that the resource has; ACCEPT_OBJECT is always one. The client's best of them
 * by its quality values, the first where they are equal. -ENOENT: none (406). An empty header accepts JSON. */
int negotiate_accept(struct xb_sv header, unsigned forms, struct accept *ret);
const char *negotiate_content_type(const struct accept *a);

enum body_type { BODY_JSON, BODY_YAML, BODY_PROTOBUF, BODY_JSON_PATCH, BODY_MERGE_PATCH, BODY_STRATEGIC_PATCH, BODY_APPLY, BODY_OTHER };
/* Of a Content-Type header; {} is JSON. */
enum body_type negotiate_body(struct xb_sv header);

#endif
