/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "xb/patch.h"

static void applies(struct xb_arena *a, const char *kind, const char *live, const char *config, const char *last, const char *owned,
		    const char *wanted)
{
	const struct xb_type *t = xb_kind_by_name(XB_SV(""), XB_SV("v1"), xb_sv(kind))->type;
	const struct xb_tree *before = last ? xb_tree_parse(a, last) : NULL;
	struct xb_tree *object = xb_tree_parse(a, live);
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(xb_patch_apply(a, t, object, xb_tree_parse(a, config), before, xb_tree_parse(a, owned)), 0);
	xb_tree_write(object, &out);
	assert_string_equal(out.p, wanted);
}

/* Names of containers alone, to see their order. */
#define NAME(n) "{\"name\":\"" n "\"}"
#define POD(containers) "{\"spec\":{\"containers\":[" containers "]}}"

static void the_configuration_lies_over_the_object(void **state)
{
	applies(*state, "ConfigMap", "{\"data\":{\"a\":\"1\",\"b\":\"1\"}}", "{\"data\":{\"b\":\"2\",\"c\":\"3\"}}", NULL, "{}",
		"{\"data\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}");
	applies(*state, "Pod", "{\"spec\":{\"containers\":null}}", "{\"spec\":{\"containers\":null}}", NULL, "{}", "{\"spec\":{\"containers\":null}}");
	applies(*state, "ConfigMap", "{}", "{\"data\":{\"a\":\"1\"}}", NULL, "{}", "{\"data\":{\"a\":\"1\"}}");
	applies(*state, "Pod", "{\"spec\":{\"nodeSelector\":{\"a\":\"b\"}}}", "{\"spec\":{\"nodeSelector\":{\"c\":\"d\"}}}", NULL, "{}",
		"{\"spec\":{\"nodeSelector\":{\"c\":\"d\"}}}");
	applies(*state, "PersistentVolume", "{\"spec\":{\"claimRef\":{\"uid\":\"u\"}}}", "{\"spec\":{\"claimRef\":{\"name\":\"c\"}}}", NULL, "{}",
		"{\"spec\":{\"claimRef\":{\"uid\":\"u\",\"name\":\"c\"}}}");
	applies(*state, "Event", "{\"involvedObject\":{\"uid\":\"u\"}}", "{\"involvedObject\":{\"name\":\"c\"}}", NULL, "{}",
		"{\"involvedObject\":{\"name\":\"c\"}}");
	applies(*state, "Pod", POD("{\"name\":\"x\",\"image\":\"1\",\"args\":[\"a\",\"b\"]}"), POD("{\"name\":\"x\",\"args\":[\"c\"]}"), NULL, "{}",
		POD("{\"name\":\"x\",\"image\":\"1\",\"args\":[\"c\"]}"));
}

static void elements_keep_their_places(void **state)
{
	applies(*state, "Pod", POD(NAME("x")), POD(NAME("y")), NULL, "{}", POD(NAME("x") "," NAME("y")));
	applies(*state, "Pod", POD(NAME("a") "," NAME("b") "," NAME("c")), POD(NAME("c") "," NAME("a")), NULL, "{}",
		POD(NAME("b") "," NAME("c") "," NAME("a")));
	applies(*state, "Pod", POD(NAME("a") "," NAME("b")), POD(NAME("x") "," NAME("b") "," NAME("y")), NULL, "{}",
		POD(NAME("a") "," NAME("x") "," NAME("b") "," NAME("y")));
	applies(*state, "Pod", POD(NAME("a") "," NAME("z")), POD(NAME("a") "," NAME("b")), NULL, "{}",
		POD(NAME("a") "," NAME("z") "," NAME("b")));
	applies(*state, "ConfigMap", "{\"metadata\":{\"finalizers\":[\"a\"]}}", "{\"metadata\":{\"finalizers\":[\"b\"]}}", NULL, "{}",
		"{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}");
}

#define F_DATA(names) "{\"f:data\":{" names "}}"
#define K(n, fields) "\"k:{\\\"name\\\":\\\"" n "\\\"}\":" fields
#define F_POD(elements) "{\"f:spec\":{\"f:containers\":{" elements "}}}"

static void what_nobody_wants_any_more_goes(void **state)
{
	/* b is no longer applied; c is another's */
	applies(*state, "ConfigMap", "{\"data\":{\"a\":\"1\",\"b\":\"1\",\"c\":\"1\"}}", "{\"data\":{\"a\":\"1\"}}",
		F_DATA("\"f:a\":{},\"f:b\":{}"), F_DATA("\"f:a\":{},\"f:c\":{}"), "{\"data\":{\"a\":\"1\",\"c\":\"1\"}}");
	/* b is no longer applied, but another owns it too */
	applies(*state, "ConfigMap", "{\"data\":{\"a\":\"1\",\"b\":\"1\"}}", "{\"data\":{\"a\":\"1\"}}",
		F_DATA("\"f:a\":{},\"f:b\":{}"), F_DATA("\"f:a\":{},\"f:b\":{}"), "{\"data\":{\"a\":\"1\",\"b\":\"1\"}}");
	/* d was never applied by us */
	applies(*state, "ConfigMap", "{\"data\":{\"a\":\"1\",\"d\":\"1\"}}", "{\"data\":{\"a\":\"1\"}}",
		F_DATA("\"f:a\":{}"), F_DATA("\"f:a\":{}"), "{\"data\":{\"a\":\"1\",\"d\":\"1\"}}");
	/* all of it */
	applies(*state, "ConfigMap", "{\"data\":{\"a\":\"1\"},\"immutable\":true}", "{}", F_DATA("\"f:a\":{}"), "{}", "{\"immutable\":true}");
	/* an element goes with what was defaulted in it */
	applies(*state, "Pod", POD("{\"name\":\"x\",\"imagePullPolicy\":\"Always\"}," NAME("y")), POD(NAME("y")),
		F_POD(K("x", "{\".\":{},\"f:name\":{}}") "," K("y", "{\".\":{},\"f:name\":{}}")), F_POD(K("y", "{\".\":{},\"f:name\":{}}")),
		POD(NAME("y")));
	/* an element stays while another owns it; our field in it goes */
	applies(*state, "Pod", POD("{\"name\":\"x\",\"image\":\"1\"}"), "{}", F_POD(K("x", "{\".\":{},\"f:image\":{},\"f:name\":{}}")),
		F_POD(K("x", "{\".\":{},\"f:name\":{}}")), POD(NAME("x")));
	/* an element of which we owned a field only is not ours to remove */
	applies(*state, "Pod", POD("{\"name\":\"x\",\"image\":\"1\"}," NAME("y")), "{}", F_POD(K("x", "{\"f:image\":{}}")),
		F_POD(K("y", "{}")), POD(NAME("x") "," NAME("y")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_configuration_lies_over_the_object, set_up, tear_down),
		cmocka_unit_test_setup_teardown(elements_keep_their_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_wants_any_more_goes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
