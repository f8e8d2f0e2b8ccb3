/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "make.h"
#include "spec.h"

static char *keep(struct make *m, char *text)
{
	static char empty[1];

	m->failed |= !text;
	return text ?: empty;
}

char *make_copy(struct make *m, struct xb_sv s)
{
	return keep(m, xb_arena_strn(m->a, s));
}

char *make_buf(struct make *m, const struct xb_buf *b)
{
	m->failed |= b->err != 0;
	return make_copy(m, xb_buf_sv(b));
}

char *make_text(struct make *m, struct xb_jv string)
{
	_cleanup_buf_ struct xb_buf plain = {};

	if (!xb_jv_escaped(string))
		return make_copy(m, xb_jv_text(string));
	xb_json_unescape(xb_jv_text(string), &plain);
	return make_buf(m, &plain);
}

char *make_printf(struct make *m, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	return make_buf(m, &text);
}

void *make_room(struct make *m, size_t bytes)
{
	void *room = xb_arena_alloc(m->a, bytes);

	m->failed |= !room;
	return room;
}

struct make_texts make_texts(struct make *m, struct xb_jv strings)
{
	size_t n = xb_jv_count(strings);
	struct make_texts made = { .v = n ? make_room(m, n * sizeof(char *)) : NULL };

	for (struct xb_jit it = xb_jv_iter(strings); made.v && xb_jit_next(&it);)
		made.v[made.n++] = make_text(m, it.value);
	return made;
}

struct make_texts make_expanded(struct make *m, struct xb_jv strings, Runtime__V1__KeyValue *const *env, size_t n_env)
{
	struct make_texts made = make_texts(m, strings);

	for (size_t i = 0; i < made.n; i++) {
		_cleanup_buf_ struct xb_buf text = {};

		if (!strchr(made.v[i], '$'))
			continue;
		spec_expand(xb_sv(made.v[i]), env, n_env, false, &text);
		made.v[i] = make_buf(m, &text);
	}
	return made;
}

struct make_pairs make_pairs(struct make *m, size_t n)
{
	Runtime__V1__KeyValue **v = n ? make_room(m, n * (sizeof(*v) + sizeof(**v))) : NULL, *pair;

	if (!v)
		return (struct make_pairs){};
	pair = (Runtime__V1__KeyValue *)(v + n);
	for (size_t i = 0; i < n; i++) {
		v[i] = &pair[i];
		runtime__v1__key_value__init(v[i]);
	}
	return (struct make_pairs){ v, n };
}
