/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_LIST_H
#define APISERVER_LIST_H
/* What reads share: selectors, and revisions that may not be there yet or any more. */
#include "request.h"

/* The request's selectors, from the query. 400. */
int list_read_selectors(struct request *q);
/* The prefix under which the request's objects are; with the name in it when that is given, by the field
 * selector metadata.name, and the namespace is known. NULL without memory. */
const char *list_prefix(struct request *q);
/* 504 when the store has not come to that revision (KEP-1904's "Too large resource version"). */
int list_check_revision(struct request *q, uint64_t revision);

#endif
