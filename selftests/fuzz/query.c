/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A query, in which "continue" is a token, and the same bytes as a token. What is refused has a message; a token that is
 * read is written and read again as the same.
 */
#include <stdint.h>

#include "../../control/apiserver/query.h"
#include "../../control/apiserver/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool refused(int r, const struct xb_status *status)
{
	must(!r == !status->code && (!r || status->message));
	return r;
}

static void check_token(struct xb_arena *a, struct xb_sv text)
{
	_cleanup_status_ struct xb_status status = {};
	struct token once, twice;

	if (refused(token_read(a, text, &once, &status), &status))
		return;
	must(once.start.n && once.revision);
	must(!token_read(a, token_write(a, &once), &twice, &status));
	must(twice.revision == once.revision && twice.left == MAX(once.left, (int64_t)-1) && xb_sv_eq(twice.start, once.start));
}

static void check_query(struct xb_arena *a, struct xb_sv text)
{
	_cleanup_status_ struct xb_status status = {}, list = {}, write = {}, version = {};
	uint64_t revision;
	struct query q;

	if (refused(query_parse(a, text, &q, &status), &status))
		return;
	must(q.n_dry_run <= ARRAY_SIZE(q.dry_run));
	refused(query_check_list(a, &q, &list), &list);
	refused(query_check_write(a, &q, "CreateOptions", &write), &write);
	refused(query_revision(q.resource_version, true, &revision, &version), &version);
	if (q.continue_.n)
		check_token(a, q.continue_);
	must(!q.label_selector.n || query_value(a, text, "labelSelector").p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	const struct xb_sv text = { (const char *)bytes, n };

	check_query(a, text);
	check_token(a, text);
	return 0;
}
