/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_TABLE_H
#define REGISTRY_TABLE_H
/* Cells of kubectl's tables, written from stored documents. Text is passed on as it stands there, escapes and all. */
#include "strategy.h"

#define COLUMN_NAME { "Name", "string", "name", "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names", 0 }
#define COLUMN_AGE_TEXT "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
#define COLUMN_AGE { "Age", "string", "", COLUMN_AGE_TEXT, 0 }
#define COLUMNS(array) .columns = (array), .n_columns = ARRAY_SIZE(array)

void cell_name(struct table_row *r, struct xb_jv object);       /* metadata.name */
void cell_age(struct table_row *r, struct xb_jv object);        /* of metadata.creationTimestamp */
void cell_since(struct table_row *r, struct xb_jv time);        /* "<unknown>" when missing */
void cell_text(struct table_row *r, struct xb_jv text, const char *otherwise); /* otherwise when missing or empty */
void cell_int(struct table_row *r, struct xb_jv n, int64_t otherwise);
void cell_labels(struct table_row *r, struct xb_jv map);        /* "a=b,c=d" or "<none>" */

/* A cell put together from pieces: text of documents as it stands, ASCII of ours in between. */
void cell_open(struct xb_buf *b);
void cell_close(struct table_row *r, struct xb_buf *b, const char *otherwise);
void cell_join(struct xb_buf *b, struct xb_sv text);            /* with a comma when it is not the first */
/* For a list that shows its first entries: room says whether to show the one after count; more adds " + 2 more...". */
#define CELL_SHOWN 3
static inline bool cell_has_room(size_t count)
{
	return count < CELL_SHOWN;
}
void cell_more(struct xb_buf *b, size_t count);

int64_t table_seconds(struct xb_jv time);                       /* RFC 3339 text to seconds since 1970; INT64_MIN when it is none */

#endif
