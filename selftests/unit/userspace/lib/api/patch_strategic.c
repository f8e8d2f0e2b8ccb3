/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "xb/patch.h"

struct given {
	const char *target, *patch, *result;
};

static void check(struct xb_arena *a, const char *kind, const struct given *cases, size_t n)
{
	const struct xb_type *t = xb_kind_by_name(XB_SV(""), XB_SV("v1"), xb_sv(kind))->type;

	for (size_t i = 0; i < n; i++) {
		struct xb_tree *target = xb_tree_parse(a, cases[i].target);
		_cleanup_status_ struct xb_status status = {};
		const char *result;

		if (xb_patch_strategic(a, t, &target, xb_tree_parse(a, cases[i].patch), &status) == 0)
			result = written(a, target);
		else
			result = xb_arena_printf(a, "%d %s: %s", status.code, status.reason, status.message);
		if (strcmp(result, cases[i].result))
			fail_msg("%s on %s\ngives %s\nnot   %s", cases[i].patch, cases[i].target, result, cases[i].result);
	}
}
#define CHECK(state, kind, ...) \
	check(*(state), kind, (const struct given[]){ __VA_ARGS__ }, ARRAY_SIZE(((const struct given[]){ __VA_ARGS__ })))
#define PODS(containers) "{\"spec\":{\"containers\":[" containers "]}}"

static void objects_and_scalars(void **state)
{
	CHECK(state, "Pod",
	      { "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}}", "{\"metadata\":{\"labels\":{\"a\":null,\"c\":\"3\"}}}",
		"{\"metadata\":{\"labels\":{\"b\":\"2\",\"c\":\"3\"}}}" },
	      { "{\"spec\":{\"nodeName\":\"a\"}}", "{\"spec\":{\"nodeName\":\"b\",\"priority\":1}}", "{\"spec\":{\"nodeName\":\"b\",\"priority\":1}}" },
	      { "{}", "{\"metadata\":{\"labels\":{\"a\":null,\"b\":\"1\"}}}", "{\"metadata\":{\"labels\":{\"b\":\"1\"}}}" },
	      { "{\"metadata\":{\"labels\":{\"a\":\"1\"}}}", "{\"metadata\":null}", "{}" },
	      { "{\"metadata\":1}", "{\"metadata\":{\"name\":\"a\"}}", "{\"metadata\":{\"name\":\"a\"}}" },
	      { "{\"spec\":{\"securityContext\":{\"runAsUser\":1}}}", "{\"spec\":{\"securityContext\":{\"$patch\":\"replace\",\"runAsGroup\":2}}}",
		"{\"spec\":{\"securityContext\":{\"runAsGroup\":2}}}" },
	      { "{\"spec\":{\"securityContext\":{\"runAsUser\":1}}}", "{\"spec\":{\"securityContext\":{\"$patch\":\"delete\"}}}",
		"{\"spec\":{\"securityContext\":{}}}" },
	      { "{\"spec\":{}}", "{\"spec\":{\"securityContext\":{\"$patch\":\"delete\"}}}", "{\"spec\":{}}" });
}

static void lists_by_merge_key(void **state)
{
	CHECK(state, "Pod",
	      { PODS("{\"image\":\"i\",\"name\":\"a\"},{\"name\":\"b\"}"), PODS("{\"name\":\"b\",\"image\":\"j\"}"),
		PODS("{\"image\":\"i\",\"name\":\"a\"},{\"name\":\"b\",\"image\":\"j\"}") },
	      { PODS("{\"name\":\"a\"},{\"name\":\"b\"}"), PODS("{\"name\":\"c\",\"image\":null}"), PODS("{\"name\":\"c\"},{\"name\":\"a\"},{\"name\":\"b\"}") },
	      { PODS("{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}"), PODS("{\"name\":\"b\",\"$patch\":\"delete\"}"), PODS("{\"name\":\"a\"},{\"name\":\"c\"}") },
	      { PODS("{\"name\":\"a\"}"), PODS("{\"$patch\":\"replace\"},{\"name\":\"x\"}"), "{\"spec\":{\"containers\":[{\"name\":\"x\"}]}}" },
	      { PODS("{\"name\":\"a\"}"), PODS("{\"$patch\":\"replace\"}"), PODS("") },
	      { PODS("{\"name\":\"a\",\"ports\":[{\"containerPort\":80},{\"containerPort\":81}]}"),
		PODS("{\"name\":\"a\",\"ports\":[{\"containerPort\":81,\"name\":\"x\"}]}"),
		PODS("{\"name\":\"a\",\"ports\":[{\"containerPort\":80},{\"containerPort\":81,\"name\":\"x\"}]}") },
	      { PODS("{\"name\":\"a\",\"args\":[\"x\",\"y\"]}"), PODS("{\"name\":\"a\",\"args\":[\"z\"]}"), PODS("{\"name\":\"a\",\"args\":[\"z\"]}") },
	      { "{\"spec\":{}}", PODS("{\"name\":\"a\",\"image\":null},{\"name\":\"b\",\"$patch\":\"delete\"}"), PODS("{\"name\":\"a\"}") },
	      { PODS("{\"name\":\"a\"}"), PODS(""), PODS("{\"name\":\"a\"}") });
}

static void lists_that_cannot_be_merged(void **state)
{
	CHECK(state, "Pod",
	      { PODS("{\"name\":\"a\"}"), PODS("{\"image\":\"nginx\",\"ports\":[{\"containerPort\":80}]}"),
		"500 : map: map[image:nginx ports:[map[containerPort:80]]] does not contain declared merge key: name" },
	      { PODS("{\"name\":\"a\"}"), PODS("{\"$patch\":\"delete\"}"), "500 : map: map[$patch:delete] does not contain declared merge key: name" },
	      { PODS("{\"name\":\"a\"}"), PODS("{\"name\":\"a\",\"$patch\":\"sing\"}"), "500 : unknown patch type: sing in map: map[name:a $patch:sing]" },
	      { PODS("{\"name\":\"a\"}"), PODS("{\"name\":\"a\",\"$patch\":\"merge\"}"), "500 : merging lists cannot yet be specified in the patch" },
	      { PODS("{\"name\":\"a\"}"), PODS("1"), "500 : list element types are not identical: [[map[name:a]] [1]]" },
	      { PODS("{\"name\":\"a\"}"), PODS("[]"), "422 Invalid: the server rejected our request due to an error in our request" },
	      { "{\"spec\":{\"nodeName\":\"a\"}}", "{\"spec\":{\"$patch\":1}}", "500 : unknown patch type: 1 in map: map[$patch:1]" },
	      { "{}", "[]", "400 BadRequest: json: cannot unmarshal array into Go value of type map[string]interface {}" });
}

static void lists_of_primitives(void **state)
{
#define META(list) "{\"metadata\":{\"finalizers\":[" list "]}}"
	CHECK(state, "Pod",
	      { META("\"a\",\"b\""), META("\"c\",\"b\",\"c\""), META("\"c\",\"a\",\"b\"") },
	      { META("\"a\",\"b\""), "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\",\"x\"]}}", META("\"b\"") },
	      { META("\"a\",\"b\""), "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\"],\"finalizers\":[\"c\"]}}", META("\"c\",\"b\"") },
	      { "{\"metadata\":{}}", "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\"]}}", "{\"metadata\":{}}" },
	      { "{\"metadata\":{}}", "{\"metadata\":{\"$deleteFromPrimitiveList\":[\"a\"]}}", "400 BadRequest: invalid patch format of primitive list" });
}

static void element_order(void **state)
{
#define ORDER(order, containers) "{\"spec\":{\"$setElementOrder/containers\":[" order "]" containers "}}"
	CHECK(state, "Pod",
	      { PODS("{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}"), ORDER("{\"name\":\"c\"},{\"name\":\"a\"}", ""),
		PODS("{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"a\"}") },
	      { PODS("{\"name\":\"a\"},{\"name\":\"b\"}"), ORDER("{\"name\":\"b\"},{\"name\":\"a\"},{\"name\":\"n\"}", ",\"containers\":[{\"name\":\"n\",\"image\":\"i\"}]"),
		PODS("{\"name\":\"b\"},{\"name\":\"a\"},{\"name\":\"n\",\"image\":\"i\"}") },
	      { PODS("{\"name\":\"a\"},{\"name\":\"server\"},{\"name\":\"b\"}"),
		ORDER("{\"name\":\"a\"},{\"name\":\"b\"}", ",\"containers\":[{\"name\":\"b\",\"image\":\"i\"}]"),
		PODS("{\"name\":\"a\"},{\"name\":\"server\"},{\"name\":\"b\",\"image\":\"i\"}") },
	      { PODS("{\"name\":\"a\"},{\"name\":\"b\"}"), ORDER("{\"name\":\"b\"}", ",\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"}]"), PODS("{\"name\":\"b\"}") },
	      { "{\"spec\":{}}", ORDER("{\"name\":\"a\"}", ",\"containers\":[{\"name\":\"a\"}]"), PODS("{\"name\":\"a\"}") },
	      { "{\"spec\":{}}", ORDER("{\"name\":\"a\"}", ""), "{\"spec\":{}}" },
	      { "{\"spec\":{\"containers\":[{\"name\":\"a\"}],\"nodeName\":\"n\"}}",
		"{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"i\"}],\"$setElementOrder/containers\":[{\"name\":\"a\"}],\"nodeName\":null}}",
		PODS("{\"name\":\"a\",\"image\":\"i\"}") },
	      { "{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"]}}", "{\"metadata\":{\"$setElementOrder/finalizers\":[\"c\",\"b\",\"a\"]}}",
		"{\"metadata\":{\"finalizers\":[\"c\",\"b\",\"a\"]}}" },
	      { PODS("{\"name\":\"a\"}"), ORDER("{\"name\":\"a\"}", ",\"containers\":[{\"name\":\"z\"}]"),
		"500 : The order in patch list:\n[map[name:z]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n" },
	      { PODS("{\"name\":\"a\"}"), "{\"spec\":{\"$setElementOrder/containers\":1}}", "400 BadRequest: invalid patch format of setElementOrder list" },
	      { PODS("{\"name\":\"a\"}"), ORDER("{}", ""), "500 : map: map[] does not contain declared merge key: name" });
}

static void retain_keys(void **state)
{
#define VOLUMES(volume) "{\"spec\":{\"volumes\":[" volume "]}}"
	CHECK(state, "Pod",
	      { VOLUMES("{\"name\":\"v\",\"emptyDir\":{}}"), VOLUMES("{\"$retainKeys\":[\"name\",\"hostPath\"],\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}"),
		VOLUMES("{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}") },
	      { VOLUMES("{\"name\":\"v\",\"emptyDir\":{}}"), VOLUMES("{\"$retainKeys\":[\"name\"],\"name\":\"v\",\"emptyDir\":null}"), VOLUMES("{\"name\":\"v\"}") },
	      { VOLUMES("{\"name\":\"v\"}"), VOLUMES("{\"$retainKeys\":[\"name\"],\"name\":\"v\",\"emptyDir\":{}}"),
		"400 BadRequest: invalid patch format of retainKeys" },
	      { VOLUMES("{\"name\":\"v\"}"), VOLUMES("{\"$retainKeys\":1,\"name\":\"v\"}"), "400 BadRequest: invalid patch format of retainKeys" },
	      { VOLUMES(""), VOLUMES("{\"$retainKeys\":[\"name\"],\"name\":\"v\"}"), VOLUMES("{\"name\":\"v\"}") });
}

static void services_merge_ports_by_port(void **state)
{
	CHECK(state, "Service",
	      { "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":80}]}}", "{\"spec\":{\"ports\":[{\"name\":\"http\",\"port\":80},{\"name\":\"https\",\"port\":443}]}}",
		"{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":80,\"name\":\"http\"},{\"name\":\"https\",\"port\":443}]}}" },
	      { "{\"spec\":{\"type\":\"ClusterIP\"}}", "{\"spec\":{\"type\":\"NodePort\"}}", "{\"spec\":{\"type\":\"NodePort\"}}" });
}

static void a_whole_object_is_replaced(void **state)
{
	CHECK(state, "ConfigMap",
	      { "{\"data\":{\"a\":\"1\"}}", "{\"$patch\":\"replace\",\"data\":{\"b\":\"2\"}}", "{\"data\":{\"b\":\"2\"}}" },
	      { "{\"data\":{\"a\":\"1\"}}", "{\"$patch\":\"delete\"}", "{}" });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(objects_and_scalars, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_by_merge_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_that_cannot_be_merged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_of_primitives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(element_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(retain_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(services_merge_ports_by_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_whole_object_is_replaced, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
