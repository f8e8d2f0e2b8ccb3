/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define POD(spec, rest) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{" spec "}" rest "}"
#define CONTAINER(more) "{'name':'c','image':'i'" more "}"

/* A pod as the store has it. */
static struct xb_tree *stored(const char *json)
{
	struct xb_tree *pod = created(json);

	xb_tree_setc(xb_tree_get(pod, "metadata"), "resourceVersion", xb_tree_str(arena, XB_SV("1")));
	return pod;
}

/* What a write to the part says, the object sent being the old one after a merge patch. */
static const char *write_part(const char *sub, const struct xb_tree *old, const char *patch, struct xb_tree **ret)
{
	const struct xb_subresource part = { .name = sub };
	struct xb_tree *object = xb_tree_copy(arena, old), *sent = xb_tree_copy(arena, old);
	struct xb_field_errors e = { .arena = arena };
	struct write w = write_of(old);

	w.sub = &part;
	assert_int_equal(xb_patch_merge(arena, &sent, xb_tree_parse(arena, quoted(patch))), 0);
	decoded(sent);
	strategy_part_of(&w)->merge(&w, object, sent);
	pod_strategy.validate(&w, object, &e);
	strategy_part_of(&w)->validate(&w, object, old, &e);
	*ret = object;
	return causes_of(&w, &e);
}

static const char *resize(const struct xb_tree *old, const char *patch)
{
	struct xb_tree *object;

	return write_part("resize", old, patch, &object);
}

static const char *debug(const struct xb_tree *old, const char *containers)
{
	struct xb_tree *object;

	return write_part("ephemeralcontainers", old, xb_arena_printf(arena, "{'spec':{'ephemeralContainers':[%s]}}", containers), &object);
}

static void parts_are_found(void **state)
{
	struct write w = write_of(created(POD("'containers':[" CONTAINER("") "]", "")));

	assert_null(strategy_part_of(&w));
	w.sub = &(const struct xb_subresource){ .name = "status" };
	assert_null(strategy_part_of(&w));
}

static void ephemeral_containers_are_added(void **state)
{
	struct xb_tree *pod = stored(POD("'containers':[" CONTAINER("") "]", "")), *object;

	assert_string_equal(write_part("ephemeralcontainers", pod,
		"{'spec':{'nodeName':'x','ephemeralContainers':[{'name':'e','image':'b','targetContainerName':'c'}]}}", &object), "");
	assert_string_equal(text_of(xb_tree_path(object, "spec", "nodeName")), "");
	assert_string_equal(text_of(xb_tree_path(object, "spec", "ephemeralContainers")->first),
		"{'image':'b','name':'e','resources':{},'targetContainerName':'c','terminationMessagePath':'/dev/termination-log',"
		"'terminationMessagePolicy':'File','imagePullPolicy':'Always'}");
	pod = object;
	assert_string_equal(debug(pod, ""), "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be removed\n");
	assert_string_equal(debug(pod, "{'name':'e','image':'z'}"),
			    "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be changed\n");
	assert_string_equal(debug(pod, "{'name':'f','image':'z'},{'name':'e','image':'b','targetContainerName':'c'}"), "");
	pod = stored(POD("'containers':[" CONTAINER("") "]", ",'status':{}"));
	xb_tree_setc(xb_tree_get(pod, "metadata"), "annotations", xb_tree_parse(arena, "{\"kubernetes.io/config.mirror\":\"x\"}"));
	assert_string_equal(debug(pod, "{'name':'f','image':'z'}"), "[]: Forbidden: static pods do not support ephemeral containers");
}

static void ephemeral_containers_do_not_last(void **state)
{
	static const struct example examples[] = {
		{ "{'name':'c','image':'i'}", "spec.ephemeralContainers[0].name: Duplicate value: \"c\"" },
		{ "{'name':'e','image':'i','targetContainerName':'x'}", "spec.ephemeralContainers[0].targetContainerName: Not found: \"x\"" },
		{ "{'name':'e','image':'i','resources':{'limits':{'cpu':'1'}}}",
		  "spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container" },
		{ "{'name':'e','image':'i','lifecycle':{},'ports':[{'containerPort':1}]}",
		  "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container\n"
		  "spec.ephemeralContainers[0].lifecycle: Forbidden: cannot be set for an Ephemeral Container" },
		{ "{'name':'e','image':'i','volumeMounts':[{'name':'v','mountPath':'/','subPath':'x'}]}",
		  "spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container" },
		{ "{'name':'e'}", "spec.ephemeralContainers[0].image: Required value" },
		{ "{'name':'e','image':'i','securityContext':{'privileged':true}}",
		  "spec.ephemeralContainers[0].securityContext.privileged: Forbidden: disallowed by cluster policy" },
	};
	struct xb_tree *pod = stored(POD("'volumes':[{'name':'v'}],'containers':[" CONTAINER("") "]", ""));

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		assert_string_equal(debug(pod, examples[i].object), examples[i].comes_to);
}

#define SIZED CONTAINER(",'resources':{'requests':{'cpu':'1','memory':'1Gi'},'limits':{'memory':'2Gi'}}")
#define TO(resources) "{'spec':{'containers':[" CONTAINER(",'resources':{" resources "}") "]}}"

static void resources_change_and_nothing_else(void **state)
{
	struct xb_tree *pod = stored(POD("'containers':[" SIZED "],'initContainers':[{'name':'i','image':'i'}]", "")), *object;

	assert_string_equal(write_part("resize", pod, "{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'x','resources':"
				       "{'requests':{'cpu':'2','memory':'1Gi'},'limits':{'memory':'3Gi'}}}]}}", &object), "");
	assert_string_equal(text_of(xb_tree_get(xb_tree_path(object, "spec", "containers")->first, "resources")),
			    "{'limits':{'memory':'3Gi'},'requests':{'cpu':'2','memory':'1Gi'}}");
	assert_string_equal(text_of(xb_tree_get(xb_tree_path(object, "spec", "containers")->first, "image")), "'i'");
	assert_string_equal(resize(pod, TO("'requests':{'cpu':'1','memory':'1Gi'},'limits':{'memory':'2Gi','cpu':'1'}")), "");
	assert_string_equal(resize(pod, TO("'requests':{'memory':'1Gi'},'limits':{'memory':'2Gi'}")),
			    "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed");
	assert_string_equal(resize(pod, TO("'requests':{'cpu':'1','memory':'1Gi'}")),
			    "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed");
	assert_string_equal(resize(pod, TO("'requests':{'cpu':'1','memory':'1Gi'},'limits':{'memory':'1536Mi'}")),
			    "spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer");
	assert_string_equal(resize(pod, "{'spec':{'containers':[" CONTAINER(",'resizePolicy':[{'resourceName':'memory','restartPolicy':'RestartContainer'}],"
				   "'resources':{'requests':{'cpu':'1','memory':'1Gi'},'limits':{'memory':'1536Mi'}}") "]}}"), "");
	assert_string_equal(resize(pod, TO("'requests':{'cpu':'1','memory':'1Gi','ephemeral-storage':'1'},'limits':{'memory':'2Gi'}")),
			    "spec: Forbidden: only cpu and memory resources are mutable");
	assert_string_equal(resize(pod, "{'spec':{'initContainers':[{'name':'i','image':'i','resources':{'requests':{'cpu':'1'}}}]}}"),
			    "spec: Forbidden: resources for non-sidecar init containers are immutable");
}

static void some_pods_are_never_resized(void **state)
{
	struct xb_tree *pod = stored(POD("'os':{'name':'windows'},'containers':[" SIZED "]", ""));

	assert_string_equal(resize(pod, "{}"), "[]: Forbidden: windows pods cannot be resized");
	pod = stored(POD("'resources':{'requests':{'cpu':'2'}},'containers':[" SIZED "]", ""));
	assert_string_equal(resize(pod, "{}"), "[]: Forbidden: pods with pod-level resources cannot be resized");
	pod = stored(POD("'containers':[" SIZED "]", ""));
	assert_string_equal(resize(pod, TO("'requests':{'cpu':'1','memory':'2Gi'},'limits':{'memory':'2Gi','cpu':'1'}")),
			    "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing");
	xb_tree_setc(pod, "status", xb_tree_parse(arena, "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"running\":{}}}]}"));
	assert_string_equal(resize(pod, "{}"), "spec: Forbidden: Pod running on node without support for resize");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_found),
		cmocka_unit_test(ephemeral_containers_are_added),
		cmocka_unit_test(ephemeral_containers_do_not_last),
		cmocka_unit_test(resources_change_and_nothing_else),
		cmocka_unit_test(some_pods_are_never_resized),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
