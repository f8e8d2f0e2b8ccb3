/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_WORKLOAD_FIXTURE_H
#define TEST_WORKLOAD_FIXTURE_H
/* Objects of apps/v1 that make pods of a template; the file says which KIND, a literal, before it includes this. */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'apps/v1','kind':'" KIND "','metadata':{'name':'d','namespace':'n'},'spec':{" spec "}}"
#define TEMPLATE "'template':{'metadata':{'labels':{'app':'x'}},'spec':{'containers':[{'name':'c','image':'nginx:1.14'}]}}"
#define SELECTOR "'selector':{'matchLabels':{'app':'x'}}"

/* spec.selector is what it was at creation. */
static inline void check_selector_stays(void)
{
	struct xb_tree *object = created(OBJECT(SELECTOR "," TEMPLATE));

	assert_string_equal(fault_of_update(object, "{'spec':{'selector':{'matchLabels':{'z':'z'}},'template':{'metadata':{'labels':{'z':'z'}}}}}"),
		"spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"app\":\"x\", \"z\":\"z\"}, "
		"MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable");
}

#endif
