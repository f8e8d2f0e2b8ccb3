/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/volumes/binder_edit.h"
#include "xb/arena.h"

static struct xb_tree *parse(struct xb_arena *a, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	struct xb_tree *tree = NULL;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	assert_int_equal(xb_tree_read(a, xb_sv(copy), NULL, &tree), 0);
	return tree;
}

#define VOLUME "{'metadata':{'name':'v'},'spec':{'accessModes':['RWO'],'capacity':{'storage':'2Gi'}}}"
#define NOTES(text) "'annotations':{" text "}"
#define COMPLETE "'pv.kubernetes.io/bind-completed':'yes'"
#define OURS "'pv.kubernetes.io/bound-by-controller':'yes'"
#define ASKED "'volume.beta.kubernetes.io/storage-provisioner':'p','volume.kubernetes.io/storage-provisioner':'p'"

static const struct {
	binder_edit *edit;
	const char *text, *message, *volume, *claim;
	const char *expected;           /* of what is not NULL there; NULL: nothing changes */
	bool of_claim;
} rows[] = {
	{ binder_unreserve, NULL, NULL, "{'metadata':{" NOTES(OURS) "},'spec':{'claimRef':{'name':'c','uid':'u'}}}", NULL, "{'metadata':{},'spec':{}}", false },
	{ binder_unreserve, NULL, NULL, "{'metadata':{" NOTES("'a':'b'," OURS) "},'spec':{'claimRef':{'name':'c','uid':'u'}}}", NULL,
	  "{'metadata':{" NOTES("'a':'b'") "},'spec':{}}", false },
	{ binder_unreserve, NULL, NULL, "{'metadata':{},'spec':{'claimRef':{'name':'c','uid':'u'}}}", NULL, "{'metadata':{},'spec':{'claimRef':{'name':'c'}}}", false },
	{ binder_unreserve, NULL, NULL, "{'metadata':{},'spec':{'claimRef':{'name':'c'}}}", NULL, NULL, false },
	{ binder_volume_phase, "Available", NULL, "{}", NULL, "{'status':{'phase':'Available'}}", false },
	{ binder_volume_phase, "Failed", "why", "{'status':{'phase':'Released'}}", NULL, "{'status':{'phase':'Failed','message':'why'}}", false },
	{ binder_volume_phase, "Available", NULL, "{'status':{'phase':'Failed','message':'why'}}", NULL, "{'status':{'phase':'Available'}}", false },
	{ binder_volume_phase, "Failed", "other", "{'status':{'phase':'Failed','message':'why'}}", NULL, NULL, false },
	{ binder_name_volume, NULL, NULL, VOLUME, "{'metadata':{},'spec':{}}", "{'metadata':{" NOTES(OURS "," COMPLETE) "},'spec':{'volumeName':'v'}}", true },
	{ binder_name_volume, NULL, NULL, VOLUME, "{'metadata':{},'spec':{'volumeName':'v'}}", "{'metadata':{" NOTES(COMPLETE) "},'spec':{'volumeName':'v'}}", true },
	{ binder_name_volume, NULL, NULL, VOLUME, "{'metadata':{" NOTES(COMPLETE) "},'spec':{'volumeName':'v'}}", NULL, true },
	{ binder_claim_bound, NULL, NULL, VOLUME, "{'status':{'phase':'Pending'}}", "{'status':{'phase':'Bound','accessModes':['RWO'],'capacity':{'storage':'2Gi'}}}", true },
	{ binder_claim_bound, NULL, NULL, VOLUME, "{'status':{'phase':'Bound','accessModes':['RWO'],'capacity':{'storage':'1Gi'}}}", NULL, true },
	{ binder_claim_bound, NULL, NULL, VOLUME, "{'status':{'phase':'Bound','accessModes':['ROX'],'capacity':{'storage':'1Gi'}}}",
	  "{'status':{'phase':'Bound','accessModes':['RWO'],'capacity':{'storage':'1Gi'}}}", true },
	{ binder_claim_phase, "Lost", NULL, NULL, "{'status':{'phase':'Bound','accessModes':['RWO'],'capacity':{'storage':'1Gi'}}}", "{'status':{'phase':'Lost'}}", true },
	{ binder_claim_phase, "Pending", NULL, NULL, "{'status':{'phase':'Pending'}}", NULL, true },
	{ binder_claim_phase, "Pending", NULL, NULL, "{'status':{'phase':'Pending','capacity':{}}}", "{'status':{'phase':'Pending'}}", true },
	{ binder_set_class, "s", NULL, NULL, "{'spec':{}}", "{'spec':{'storageClassName':'s'}}", true },
	{ binder_set_provisioner, "p", NULL, NULL, "{'metadata':{}}", "{'metadata':{" NOTES(ASKED) "}}", true },
	{ binder_set_provisioner, "p", NULL, NULL, "{'metadata':{" NOTES(ASKED) "}}", NULL, true },
	{ binder_unselect_node, NULL, NULL, NULL, "{'metadata':{" NOTES("'volume.kubernetes.io/selected-node':'n'") "}}", "{'metadata':{}}", true },
	{ binder_unselect_node, NULL, NULL, NULL, "{'metadata':{}}", NULL, true },
};

static void each_changes_what_is_not_so(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
		struct binder_pair p = { .arena = a, .text = rows[i].text, .message = rows[i].message };
		const char *before = rows[i].of_claim ? rows[i].claim : rows[i].volume;
		struct xb_tree *expected = parse(a, rows[i].expected ? rows[i].expected : before);

		p.volume = rows[i].volume ? parse(a, rows[i].volume) : NULL;
		p.claim = rows[i].claim ? parse(a, rows[i].claim) : NULL;
		assert_int_equal(rows[i].edit(&p), rows[i].expected ? 1 : 0);
		assert_true(xb_tree_equal(rows[i].of_claim ? p.claim : p.volume, expected));
		assert_int_equal(rows[i].edit(&p), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_changes_what_is_not_so) };

	return cmocka_run_group_tests_name("control/controllers/volumes/binder_edit", tests, NULL, NULL);
}
