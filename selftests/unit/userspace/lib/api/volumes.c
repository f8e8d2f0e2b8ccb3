/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "xb/arena.h"
#include "xb/volumes.h"

/* JSON with ' for " */
static struct xb_json *parse(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	struct xb_json *d = NULL;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	assert_int_equal(xb_json_parse(xb_sv(copy), NULL, &d, NULL), 0);
	return d;
}
#define _cleanup_doc_ _cleanup_(xb_json_unrefp)

#define CLAIM(meta, spec) "{'metadata':{'namespace':'n','name':'c','uid':'u1'" meta "},'spec':{'storageClassName':'s','accessModes':['ReadWriteOnce']," \
	"'resources':{'requests':{'storage':'2Gi'}}" spec "}}"
#define VOLUME(meta, spec) "{'metadata':{'name':'v','labels':{'disk':'ssd'}" meta "},'spec':{" spec "},'status':{'phase':'Available'}}"
#define MODES "'accessModes':['ReadWriteOnce']"

static void volumes_fit_claims(void **state)
{
	static const struct {
		const char *claim, *volume, *misfit;
		bool may_have;
	} rows[] = {
		{ CLAIM("", ""), VOLUME("", "'storageClassName':'s','capacity':{'storage':'2Gi'}," MODES), NULL, true },
		{ CLAIM("", ""), VOLUME("", "'storageClassName':'s','capacity':{'storage':'2Gi'},'accessModes':['ReadOnlyMany','ReadWriteOnce']"), NULL, true },
		{ CLAIM("", ""), VOLUME(",'deletionTimestamp':'x'", "'storageClassName':'s','capacity':{'storage':'2Gi'}," MODES), "the volume is marked for deletion", false },
		{ CLAIM("", ""), VOLUME("", "'storageClassName':'s','capacity':{'storage':'2G'}," MODES), "requested PV is too small", false },
		{ CLAIM("", ""), VOLUME("", "'capacity':{'storage':'2Gi'}," MODES), "storageClassName does not match", false },
		{ CLAIM(",'annotations':{'volume.beta.kubernetes.io/storage-class':'o'}", ""), VOLUME("", "'storageClassName':'o','capacity':{'storage':'2Gi'}," MODES), NULL, true },
		{ CLAIM("", ""), VOLUME("", "'storageClassName':'s','volumeMode':'Block','capacity':{'storage':'2Gi'}," MODES), "incompatible volumeMode", false },
		{ CLAIM("", ",'volumeMode':'Filesystem'"), VOLUME("", "'storageClassName':'s','capacity':{'storage':'2Gi'}," MODES), NULL, true },
		{ CLAIM("", ""), VOLUME("", "'storageClassName':'s','capacity':{'storage':'2Gi'},'accessModes':['ReadOnlyMany']"), "incompatible accessMode", false },
		{ CLAIM("", ",'selector':{'matchLabels':{'disk':'ssd'}}"), VOLUME("", "'storageClassName':'s','capacity':{'storage':'2Gi'}," MODES), NULL, true },
		{ CLAIM("", ",'selector':{'matchLabels':{'disk':'hdd'}}"), VOLUME("", "'storageClassName':'s','capacity':{'storage':'2Gi'}," MODES), NULL, false },
		{ CLAIM("", ""), VOLUME("", "'storageClassName':'s','claimRef':{'namespace':'n','name':'d'},'capacity':{'storage':'2Gi'}," MODES), NULL, false },
		{ CLAIM("", ""), VOLUME("", "'claimRef':{'namespace':'n','name':'c'},'capacity':{'storage':'2Gi'}," MODES), "storageClassName does not match", true },
		{ CLAIM("", ""), VOLUME("", "'claimRef':{'namespace':'n','name':'c','uid':'u1'},'capacity':{'storage':'2Gi'}," MODES), "storageClassName does not match", true },
		{ CLAIM("", ""), VOLUME("", "'claimRef':{'namespace':'n','name':'c','uid':'u2'},'capacity':{'storage':'2Gi'}," MODES), "storageClassName does not match", false },
		{ CLAIM("", ""), VOLUME("", "'claimRef':{'namespace':'n','name':'c'},'capacity':{'storage':'1Gi'}," MODES), "requested PV is too small", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_doc_ struct xb_json *claim = parse(rows[i].claim), *volume = parse(rows[i].volume);
		_cleanup_claim_ struct xb_claim c = {};

		assert_int_equal(xb_claim_read(xb_json_root(claim), &c), 0);
		if (rows[i].misfit)
			assert_string_equal(xb_claim_misfit(&c, xb_json_root(volume)), rows[i].misfit);
		else
			assert_null(xb_claim_misfit(&c, xb_json_root(volume)));
		assert_int_equal(xb_claim_may_have(&c, xb_json_root(volume)), rows[i].may_have);
	}
}

static void ranks(void **state)
{
	/* the better ones first */
	static const char *const volumes[] = {
		"{'metadata':{'name':'z'},'spec':{'claimRef':{'namespace':'n','name':'c'},'capacity':{'storage':'9Gi'}}}",
		"{'metadata':{'name':'y'},'spec':{'capacity':{'storage':'5Gi'}," MODES "}}",
		"{'metadata':{'name':'a'},'spec':{'capacity':{'storage':'6Gi'}," MODES "}}",
		"{'metadata':{'name':'b'},'spec':{'capacity':{'storage':'6Gi'}," MODES "}}",
		"{'metadata':{'name':'x'},'spec':{'capacity':{'storage':'2Gi'},'accessModes':['ReadWriteOnce','ReadWriteMany']}}",
	};
	_cleanup_doc_ struct xb_json *claim = parse(CLAIM("", ""));
	_cleanup_claim_ struct xb_claim c = {};

	assert_int_equal(xb_claim_read(xb_json_root(claim), &c), 0);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(volumes); i++) {
		_cleanup_doc_ struct xb_json *a = parse(volumes[i]), *b = parse(volumes[i + 1]);
		struct xb_volume_rank x = xb_claim_rank(&c, xb_json_root(a)), y = xb_claim_rank(&c, xb_json_root(b));

		assert_true(xb_volume_rank_cmp(&x, &y) < 0);
		assert_true(xb_volume_rank_cmp(&y, &x) > 0);
	}
}

static void pods_mean_claims(void **state)
{
	_cleanup_doc_ struct xb_json *pod = parse("{'metadata':{'name':'p','uid':'u'},'spec':{'volumes':[{'name':'a','persistentVolumeClaim':{'claimName':'c'}},"
						   "{'name':'b','ephemeral':{}},{'name':'d','emptyDir':{}}]}}");
	_cleanup_doc_ struct xb_json *own = parse("{'metadata':{'ownerReferences':[{'uid':'u','controller':true}]}}"), *foreign = parse("{}");
	struct xb_jv volumes = xb_jv_path(xb_json_root(pod), "spec", "volumes");
	_cleanup_buf_ struct xb_buf name = {};
	bool ephemeral;

	assert_true(xb_pod_claim(xb_json_root(pod), xb_jv_at(volumes, 0), &name, &ephemeral));
	assert_string_equal(name.p, "c");
	assert_false(ephemeral);
	assert_true(xb_pod_claim(xb_json_root(pod), xb_jv_at(volumes, 1), &name, &ephemeral));
	assert_string_equal(name.p, "p-b");
	assert_true(ephemeral);
	assert_false(xb_pod_claim(xb_json_root(pod), xb_jv_at(volumes, 2), &name, &ephemeral));
	assert_true(xb_claim_is_of_pod(xb_json_root(own), xb_json_root(pod)));
	assert_false(xb_claim_is_of_pod(xb_json_root(foreign), xb_json_root(pod)));
}

static void reservations(void **state)
{
#define REF "'claimRef':{'kind':'PersistentVolumeClaim','apiVersion':'v1','name':'c','namespace':'n','uid':'u1','resourceVersion':'7'}"
	static const struct {
		const char *volume, *expected; /* NULL: nothing changes */
	} rows[] = {
		{ "{'metadata':{},'spec':{}}", "{'metadata':{'annotations':{'pv.kubernetes.io/bound-by-controller':'yes'}},'spec':{" REF "}}" },
		{ "{'metadata':{},'spec':{'claimRef':{'namespace':'n','name':'c'}}}", "{'metadata':{},'spec':{" REF "}}" },
		{ "{'metadata':{},'spec':{'claimRef':{'namespace':'n','name':'c','uid':'u1'}}}", NULL },
		{ "{'metadata':{},'spec':{'claimRef':{'namespace':'n','name':'c','uid':'u0'}}}",
		  "{'metadata':{'annotations':{'pv.kubernetes.io/bound-by-controller':'yes'}},'spec':{" REF "}}" },
	};
	_cleanup_doc_ struct xb_json *claim = parse("{'metadata':{'namespace':'n','name':'c','uid':'u1','resourceVersion':'7'}}");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
		_cleanup_doc_ struct xb_json *volume = parse(rows[i].volume);
		_cleanup_doc_ struct xb_json *expected = parse(rows[i].expected ? rows[i].expected : rows[i].volume);
		struct xb_tree *tree = xb_tree_from(a, xb_json_root(volume), NULL, NULL);

		assert_int_equal(xb_volume_reserve(a, tree, xb_tree_from(a, xb_json_root(claim), NULL, NULL)), rows[i].expected ? 1 : 0);
		assert_true(xb_tree_equal(tree, xb_tree_from(a, xb_json_root(expected), NULL, NULL)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volumes_fit_claims), cmocka_unit_test(ranks), cmocka_unit_test(pods_mean_claims),
		cmocka_unit_test(reservations),
	};

	return cmocka_run_group_tests_name("lib/api/volumes", tests, NULL, NULL);
}
