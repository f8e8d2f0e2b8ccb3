/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SPEC_MAKE_H
#define KUBELET_SPEC_MAKE_H
/*
 * Texts of messages, in the message's arena. The first that finds no memory is kept in failed and asked for once, at the end;
 * a text is then "". An empty one may be a constant.
 */
#include "cri.pb-c.h"
#include "xb/arena.h"
#include "xb/json.h"

struct make {
	struct xb_arena *a;
	bool failed;
};

char *make_text(struct make *m, struct xb_jv string);   /* decoded; "" unless a string */
char *make_copy(struct make *m, struct xb_sv s);
char *make_printf(struct make *m, const char *fmt, ...) _printf_(2, 3);
char *make_buf(struct make *m, const struct xb_buf *b); /* its bytes; its error counts */
void *make_room(struct make *m, size_t bytes);          /* zeroed; NULL when it failed */

struct make_texts {                     /* a repeated string */
	char **v;
	size_t n;
};
struct make_texts make_texts(struct make *m, struct xb_jv strings);
/* The same with $(VAR) in each expanded: commands and their arguments. */
struct make_texts make_expanded(struct make *m, struct xb_jv strings, Runtime__V1__KeyValue *const *env, size_t n_env);
/* Room for n pairs, made to be filled. With no room n is 0. */
struct make_pairs {
	Runtime__V1__KeyValue **v;
	size_t n;
};
struct make_pairs make_pairs(struct make *m, size_t n);
static inline void make_pair(Runtime__V1__KeyValue *pair, const char *key, char *value)
{
	pair->key = (char *)key;
	pair->value = value;
}

#endif
