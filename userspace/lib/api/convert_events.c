/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* events.k8s.io/v1's Event to core/v1's, which is stored, and back: the same fields under other names. */
#include "types.h"

struct rename {
	const char *served, *stored;
};
static const struct rename renames[] = {
	{ "regarding", "involvedObject" },
	{ "note", "message" },
	{ "reportingController", "reportingComponent" },
	{ "deprecatedSource", "source" },
	{ "deprecatedFirstTimestamp", "firstTimestamp" },
	{ "deprecatedLastTimestamp", "lastTimestamp" },
	{ "deprecatedCount", "count" },
};

static void rename_member(struct xb_tree *object, const char *from, const char *to)
{
	struct xb_tree *n = xb_tree_get(object, from);

	if (!n)
		return;
	xb_tree_remove(n);
	xb_tree_set(object, xb_sv(to), n);
}

static int to_stored(struct xb_arena *a, struct xb_tree *object)
{
	for (unsigned i = 0; i < ARRAY_SIZE(renames); i++)
		rename_member(object, renames[i].served, renames[i].stored);
	return 0;
}

static int from_stored(struct xb_arena *a, struct xb_tree *object)
{
	for (unsigned i = 0; i < ARRAY_SIZE(renames); i++)
		rename_member(object, renames[i].stored, renames[i].served);
	return 0;
}

const struct xb_conversion xb_conversion_events_event = { to_stored, from_stored };
