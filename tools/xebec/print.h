/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_PRINT_H
#define XEBEC_PRINT_H
/* What a command has to say: named values, as lines or as one JSON object, by the same calls. Errors are kept to the end. */
#include "xb/json.h"

struct printer {
	bool json;
	struct xb_buf out;
	struct xb_jw w;
	unsigned depth;         /* groups that are open */
};
void print_begin(struct printer *p, bool json);
void print_string(struct printer *p, const char *name, const char *value);
/* As text, the value alone: for $(...). */
void print_word(struct printer *p, const char *name, const char *value);
void print_number(struct printer *p, const char *name, uint64_t value);
void print_group(struct printer *p, const char *name);
void print_group_end(struct printer *p);
int print_end(struct printer *p);               /* to standard output. 0 or -errno */
void print_done(struct printer *p);

#endif
