/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/patch.h"
#include "scalar.h"

#define OPERATIONS_MAX 10000
#define COPIED_MAX ((size_t)3 << 20) /* bytes that "copy" may add in all: it could double the document each time */
#define DEPTH_MAX 128

/* Where a JSON pointer (RFC 6901) leads. */
struct place {
	struct xb_tree *parent; /* NULL: the whole document */
	struct xb_tree *value;  /* NULL: not there */
	struct xb_sv name;      /* the last token, decoded */
	unsigned depth;
};

struct patch {
	struct xb_arena *a;
	struct xb_tree *root;
	size_t copied;
	struct xb_status *reterr;
};

/* Upstream keeps what exactly was wrong to itself. */
static int refused(const struct patch *p)
{
	xb_status_set(p->reterr, 422, "Invalid", "the server rejected our request due to an error in our request");
	return -EINVAL;
}

static int token_decode(struct xb_arena *a, struct xb_sv token, struct xb_sv *ret)
{
	char *plain;
	size_t n = 0;

	if (!token.n || !memchr(token.p, '~', token.n)) {
		*ret = token;
		return 0;
	}
	plain = xb_arena_strn(a, token);
	if (!plain)
		return -ENOMEM;
	for (size_t i = 0; i < token.n; i++) {
		if (token.p[i] != '~') {
			plain[n++] = token.p[i];
			continue;
		}
		i++;
		if (i == token.n || (token.p[i] != '0' && token.p[i] != '1'))
			return -EINVAL;
		plain[n++] = token.p[i] == '0' ? '~' : '/';
	}
	*ret = (struct xb_sv){ plain, n };
	return 0;
}

/* Element token of array; "-" and the place behind the last are no element: NULL with 0. */
static int element_of(const struct xb_tree *array, struct xb_sv token, struct xb_tree **ret)
{
	struct xb_tree *n = array->first;
	uint64_t i;

	*ret = NULL;
	if (xb_sv_is(token, "-"))
		return 0;
	if (xb_sv_u64(token, &i) < 0 || (token.n > 1 && token.p[0] == '0') || i > array->count)
		return -EINVAL;
	while (i--)
		n = n->next;
	*ret = n;
	return 0;
}

static int resolve(const struct patch *p, struct xb_sv pointer, struct place *ret)
{
	struct place at = { .value = p->root };
	struct xb_sv token;
	int r;

	if (pointer.n && pointer.p[0] != '/')
		return refused(p);
	if (pointer.n)
		pointer = (struct xb_sv){ pointer.p + 1, pointer.n - 1 };
	else
		pointer = (struct xb_sv){};
	while (xb_sv_split(&pointer, '/', &token)) {
		at.parent = at.value;
		if (!at.parent || ++at.depth > DEPTH_MAX)
			return refused(p);
		r = token_decode(p->a, token, &at.name);
		if (r == 0 && at.parent->type == XB_JSON_ARRAY)
			r = element_of(at.parent, at.name, &at.value);
		else if (r == 0 && at.parent->type == XB_JSON_OBJECT)
			at.value = xb_tree_getsv(at.parent, at.name);
		else if (r == 0)
			r = -EINVAL;
		if (r < 0)
			return r == -ENOMEM ? r : refused(p);
	}
	*ret = at;
	return 0;
}

/* Levels of n, and about how many bytes it is. */
static void measure(const struct xb_tree *n, unsigned *ret_depth, size_t *ret_bytes)
{
	const struct xb_tree *at = n;
	unsigned depth = 1, deepest = 1;
	size_t bytes = 0;

	for (;;) {
		bytes += sizeof(*at) + at->key.n + at->text.n;
		deepest = MAX(deepest, depth);
		if (at->first) {
			at = at->first;
			depth++;
			continue;
		}
		while (at != n && !at->next) {
			at = at->parent;
			depth--;
		}
		if (at == n)
			break;
		at = at->next;
	}
	*ret_depth = deepest;
	*ret_bytes = bytes;
}

/* value is nobody's child. */
static int put(struct patch *p, const struct place *to, struct xb_tree *value)
{
	unsigned depth;
	size_t bytes;

	measure(value, &depth, &bytes);
	if (to->depth + depth > DEPTH_MAX)
		return refused(p);
	if (!to->parent)
		p->root = value;
	else if (to->parent->type == XB_JSON_ARRAY)
		xb_tree_insert(to->parent, to->value, value);
	else
		xb_tree_set(to->parent, to->name, value);
	return 0;
}

static int put_copy(struct patch *p, const struct place *to, const struct xb_tree *value)
{
	struct xb_tree *copy = xb_tree_copy(p->a, value);

	return copy ? put(p, to, copy) : -ENOMEM;
}

static int op_replace(struct patch *p, const struct place *to, const struct xb_tree *value)
{
	struct xb_tree *next = to->value ? to->value->next : NULL;
	struct place at = *to;

	if (!to->value)
		return refused(p);
	if (to->parent && to->parent->type == XB_JSON_ARRAY) {
		xb_tree_remove(to->value);
		at.value = next;
	}
	return put_copy(p, &at, value);
}

static int op_remove(struct patch *p, const struct place *at)
{
	if (!at->value || !at->parent)
		return refused(p);
	xb_tree_remove(at->value);
	return 0;
}

static int op_test(struct patch *p, const struct place *at, const struct xb_tree *value)
{
	if (at->value ? xb_tree_equal(at->value, value) : value->type == XB_JSON_NULL)
		return 0;
	return refused(p);
}

static int op_copy(struct patch *p, struct xb_sv from, struct xb_sv path)
{
	struct place source, to;
	unsigned depth;
	size_t bytes;
	int r;

	r = resolve(p, from, &source);
	if (r < 0)
		return r;
	if (!source.value)
		return refused(p);
	measure(source.value, &depth, &bytes);
	p->copied += bytes;
	if (p->copied > COPIED_MAX)
		return refused(p);
	r = resolve(p, path, &to);
	return r < 0 ? r : put_copy(p, &to, source.value);
}

static int op_move(struct patch *p, struct xb_sv from, struct xb_sv path)
{
	struct place source, to;
	int r;

	r = resolve(p, from, &source);
	if (r < 0)
		return r;
	if (!source.value || !source.parent)
		return refused(p);
	if (xb_sv_eq(from, path))
		return 0;
	if (path.n > from.n && !memcmp(path.p, from.p, from.n) && path.p[from.n] == '/')
		return refused(p); /* into itself */
	xb_tree_remove(source.value);
	r = resolve(p, path, &to);
	return r < 0 ? r : put(p, &to, source.value);
}

static int apply(struct patch *p, const struct xb_tree *operation)
{
	const struct xb_sv op = xb_tree_gettext(operation, "op");
	const struct xb_tree *path = xb_tree_get(operation, "path"), *from = xb_tree_get(operation, "from");
	const struct xb_tree *value = xb_tree_get(operation, "value");
	const bool needs_from = xb_sv_is(op, "move") || xb_sv_is(op, "copy"), is_remove = xb_sv_is(op, "remove");
	struct place at;
	int r;

	if (!path || path->type != XB_JSON_STRING || (needs_from && (!from || from->type != XB_JSON_STRING)) ||
	    (!needs_from && !is_remove && !value))
		return refused(p);
	if (needs_from)
		return xb_sv_is(op, "move") ? op_move(p, from->text, path->text) : op_copy(p, from->text, path->text);
	r = resolve(p, path->text, &at);
	if (r < 0)
		return r;
	if (xb_sv_is(op, "add"))
		return put_copy(p, &at, value);
	if (xb_sv_is(op, "replace"))
		return op_replace(p, &at, value);
	if (xb_sv_is(op, "test"))
		return op_test(p, &at, value);
	return is_remove ? op_remove(p, &at) : refused(p);
}

int xb_patch_json(struct xb_arena *a, struct xb_tree **target, const struct xb_tree *operations, struct xb_status *reterr)
{
	struct patch p = { .a = a, .root = *target, .reterr = reterr };
	int r;

	if (operations->type != XB_JSON_ARRAY)
		return xb_status_bad_request(reterr, "json: cannot unmarshal %s into Go value of type jsonpatch.Patch", xb_scalar_json_type(operations));
	if (operations->count > OPERATIONS_MAX) {
		xb_status_set(reterr, 413, "RequestEntityTooLarge",
			      "Request entity too large: The allowed maximum operations in a JSON patch is %d, got %u", OPERATIONS_MAX,
			      operations->count);
		return -EINVAL;
	}
	xb_tree_each(operation, operations) {
		if (operation->type != XB_JSON_OBJECT)
			return xb_status_bad_request(reterr, "json: cannot unmarshal %s into Go value of type jsonpatch.Operation",
						     xb_scalar_json_type(operation));
		r = apply(&p, operation);
		if (r < 0)
			return r;
	}
	*target = p.root;
	return 0;
}
