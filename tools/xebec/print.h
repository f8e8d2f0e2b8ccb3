/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_PRINT_H
#define XEBEC_PRINT_H
/* What a command has to say: named values and tables, as text or as one JSON object, by the same calls. Errors are kept to the end. */
#include "xb/json.h"
#include "xb/vec.h"

struct column {
	const char *heading;    /* of the text: "CLUSTER-IP"; NULL: it is in JSON alone */
	const char *name;       /* of the member in JSON: "clusterIP" */
	bool wide;              /* as text with -o wide alone */
};
#define COLUMN(heading_, name_)      { .heading = (heading_), .name = (name_) }
#define WIDE_COLUMN(heading_, name_) { .heading = (heading_), .name = (name_), .wide = true }

struct printer {
	bool json, wide;
	bool bad;               /* the command's: what it found is bad. All is printed, and the exit status is EXIT_FAILURE */
	struct xb_buf out;
	struct xb_jw w;
	unsigned depth;         /* groups that are open */
	/* of the open table */
	const char *name;
	const struct column *columns;
	size_t n_columns, at;   /* at: the column of the next cell */
	bool stream, headed;
	struct xb_buf cells;    /* of text: those of the rows not laid out yet, each with its zero */
	XB_VEC(size_t) starts, widths;
	unsigned items;         /* of the open list */
};
/* output: "text", "wide" or "json". */
void print_begin(struct printer *p, const char *output);
void print_string(struct printer *p, const char *name, const char *value);
/* As text, the value alone: for $(...). */
void print_word(struct printer *p, const char *name, const char *value);
void print_number(struct printer *p, const char *name, uint64_t value);
void print_group(struct printer *p, const char *name);
void print_group_end(struct printer *p);

/*
 * A table: as text, columns under headings in kubectl's look; as JSON, an array of objects. A cell is filled by one of the
 * calls below, in the columns' order, and a row ends with its last cell. An empty one is "<none>", and no member in JSON.
 */
void print_table(struct printer *p, const char *name, const struct column *columns, size_t n_columns);
void print_table_end(struct printer *p);
void print_cell(struct printer *p, const char *fmt, ...) _printf_(2, 3);
void print_cell_number(struct printer *p, uint64_t value);
void print_cell_bool(struct printer *p, bool value);
void print_cell_seconds(struct printer *p, uint64_t seconds);   /* as text "3m20s"; in JSON a number */
void print_cell_bytes(struct printer *p, uint64_t bytes);       /* as text "12.5KiB"; in JSON a number */
void print_cell_none(struct printer *p);
void print_cell_list(struct printer *p);                        /* as text "a,b"; in JSON an array, also when it is empty */
void print_item(struct printer *p, const char *fmt, ...) _printf_(2, 3);
void print_cell_list_end(struct printer *p);
/*
 * Instead of print_table, for what goes on and on: print_flush brings the rows so far out; in JSON each is an object on a line of
 * its own, and there is no other. Nothing else may be printed. 0, or -errno when nobody reads any more.
 */
void print_stream(struct printer *p, const struct column *columns, size_t n_columns);
int print_flush(struct printer *p);

int print_end(struct printer *p);               /* to standard output. 0 or -errno */
void print_done(struct printer *p);

#endif
