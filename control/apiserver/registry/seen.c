/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "seen.h"

bool seen_text(struct seen *s, struct xb_sv text)
{
	struct xb_tree *mark;

	if (xb_tree_getsv(s->texts, text))
		return true;
	if (!s->texts)
		s->texts = xb_tree_object(s->arena);
	mark = s->texts ? xb_tree_bool(s->arena, true) : NULL;
	if (mark)
		xb_tree_set(s->texts, text, mark);
	else
		*s->no_memory = true;
	return false;
}

/* As JSON, so that a number is not the text of the same digits. */
static struct xb_sv members(struct seen *s, const struct xb_tree *n, const char *const *keys)
{
	_cleanup_buf_ struct xb_buf b = {};
	struct xb_sv text;

	for (; *keys; keys++) {
		const struct xb_tree *member = xb_tree_get(n, *keys);

		if (member)
			xb_tree_write(member, &b);
		xb_buf_addc(&b, ',');
	}
	text = b.err ? (struct xb_sv){} : xb_arena_sv(s->arena, xb_buf_sv(&b));
	if (!text.p)
		*s->no_memory = true;
	return text;
}

bool seen_node(struct seen *s, const struct xb_tree *n, const char *const *keys)
{
	struct xb_sv text = members(s, n, keys);

	return text.p && seen_text(s, text);
}

bool seen_has(struct seen *s, const struct xb_tree *n, const char *const *keys)
{
	struct xb_sv text = members(s, n, keys);

	return text.p && xb_tree_getsv(s->texts, text);
}
