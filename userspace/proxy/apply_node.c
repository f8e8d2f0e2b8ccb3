/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "apply_state.h"
#include "xb/plan_node.h"

int apply_set_node(struct apply *a, const struct xb_plan_node *node)
{
	struct xb_node *at = a->tables->t[TABLE_NODE].mem, want;

	xb_plan_node_record(node, &want);
	if (!memcmp(at, &want, sizeof(want)))
		return 0;
	*at = want;
	return 1;
}
