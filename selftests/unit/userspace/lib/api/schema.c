/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "decode_fixture.h"
#include <stdio.h>

static void note_unknown(void *arg, const char *path)
{
	struct fixture *f = arg;

	xb_buf_addf(&f->said, "%s%s", f->said.n ? " " : "", path);
}

static const struct xb_type *type_of(const char *kind)
{
	const char *groups[] = { "", "discovery.k8s.io", "coordination.k8s.io" };
	const struct xb_kind *k = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(groups) && !k; i++)
		k = xb_kind_by_name(xb_sv(groups[i]), XB_SV("v1"), xb_sv(kind));
	assert_non_null(k);
	return k->type;
}

/* json as an object of that kind, written again; what to look at is the member reached by the path. */
static const char *decoded_(struct fixture *f, bool no_defaults, const char *kind, const char *json, const char *member)
{
	const struct xb_decode d = { .arena = f->a, .unknown = note_unknown, .arg = f, .no_defaults = no_defaults };
	struct xb_tree *n = xb_tree_parse(f->a, json);
	struct xb_sv path = xb_sv(member), name;

	xb_buf_clear(&f->said);
	xb_buf_clear(&f->out);
	if (xb_schema_decode(&d, type_of(kind), n, &f->status) < 0) {
		assert_int_equal(f->status.code, 400);
		assert_string_equal(f->status.reason, "BadRequest");
		return f->status.message;
	}
	while (path.n && n && xb_sv_split(&path, '/', &name))
		n = n->type == XB_JSON_ARRAY ? n->first : xb_tree_getsv(n, name);
	if (!n)
		return NULL;
	xb_tree_write(n, &f->out);
	return f->out.p;
}
#define decoded(f, kind, json, member) decoded_((f), false, (kind), (json), (member))

static void a_small_pod_gets_its_defaults(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(decoded(f, "Pod", "{\"spec\":{\"containers\":[{\"image\":\"nginx\",\"name\":\"c\",\"ports\":[{\"containerPort\":80}]}]},"
				    "\"metadata\":{\"name\":\"a\"},\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", ""),
			    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{\"image\":\"nginx\","
			    "\"name\":\"c\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}],\"resources\":{},"
			    "\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\"}],"
			    "\"dnsPolicy\":\"ClusterFirst\",\"restartPolicy\":\"Always\",\"schedulerName\":\"default-scheduler\","
			    "\"securityContext\":{},\"terminationGracePeriodSeconds\":30},\"status\":{}}");
	assert_string_equal(decoded_(f, true, "Pod", "{\"spec\":{}}", ""), "{\"metadata\":{},\"spec\":{\"containers\":[]},\"status\":{}}");
}

static void defaults_of_other_kinds(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(decoded(f, "Service", "{\"spec\":{\"ports\":[{\"port\":80}]}}", ""),
			    "{\"metadata\":{},\"spec\":{\"ports\":[{\"port\":80,\"protocol\":\"TCP\"}],"
			    "\"sessionAffinity\":\"None\",\"type\":\"ClusterIP\"},\"status\":{\"loadBalancer\":{}}}");
	assert_string_equal(decoded(f, "ReplicationController", "{\"spec\":{\"replicas\":null}}", ""),
			    "{\"metadata\":{},\"spec\":{\"replicas\":1},\"status\":{\"replicas\":0}}");
	assert_string_equal(decoded(f, "ReplicationController", "{\"spec\":{\"replicas\":0}}", "spec"), "{\"replicas\":0}");
	assert_string_equal(decoded(f, "Secret", "{}", "type"), "\"Opaque\"");
	assert_string_equal(decoded(f, "Namespace", "{}", "status/phase"), "\"Active\"");
	assert_string_equal(decoded(f, "EndpointSlice", "{\"ports\":[{}]}", ""),
			    "{\"addressType\":\"\",\"endpoints\":[],\"metadata\":{},\"ports\":[{\"name\":\"\",\"protocol\":\"TCP\"}]}");
	assert_string_equal(decoded(f, "Endpoints", "{\"subsets\":[{\"ports\":[{\"port\":1}]}]}", "subsets/0/ports"),
			    "[{\"port\":1,\"protocol\":\"TCP\"}]");
}

static void volumes_and_probes_get_theirs(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(decoded(f, "Pod", "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"secret\":{\"secretName\":\"s\"}}]}}", "spec/volumes/0/secret"),
			    "{\"defaultMode\":420,\"secretName\":\"s\"}");
	assert_string_equal(decoded(f, "Pod", "{\"spec\":{\"volumes\":[{\"hostPath\":{\"path\":\"/\"}}]}}", "spec/volumes/0/hostPath"),
			    "{\"path\":\"/\",\"type\":\"\"}");
	assert_string_equal(decoded(f, "Pod", "{\"spec\":{\"containers\":[{\"livenessProbe\":{\"httpGet\":{\"port\":\"web\"},\"periodSeconds\":0}}]}}",
				    "spec/containers/0/livenessProbe"),
			    "{\"failureThreshold\":3,\"httpGet\":{\"path\":\"/\",\"port\":\"web\",\"scheme\":\"HTTP\"},\"periodSeconds\":10,"
			    "\"successThreshold\":1,\"timeoutSeconds\":1}");
	assert_string_equal(decoded(f, "Pod", "{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"resourceFieldRef\":{\"resource\":\"r\"}}}]}]}}",
				    "spec/containers/0/env/0/valueFrom/resourceFieldRef"),
			    "{\"divisor\":\"0\",\"resource\":\"r\"}");
}

static void empty_values_stay_only_where_they_say_something(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(decoded(f, "Pod", "{\"metadata\":{\"labels\":{},\"name\":\"\",\"finalizers\":[]},\"spec\":{\"hostNetwork\":false,"
				    "\"nodeName\":\"\",\"restartPolicy\":\"\",\"automountServiceAccountToken\":false,\"priority\":0,"
				    "\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}}", ""),
			    "{\"metadata\":{},\"spec\":{\"automountServiceAccountToken\":false,\"containers\":[],\"dnsPolicy\":\"ClusterFirst\","
			    "\"priority\":0,\"restartPolicy\":\"Always\",\"schedulerName\":\"default-scheduler\",\"securityContext\":{},"
			    "\"terminationGracePeriodSeconds\":30,\"volumes\":[{\"emptyDir\":{},\"name\":\"v\"}]},\"status\":{}}");
}

static void nulls_are_nothing(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(decoded(f, "ConfigMap", "{\"data\":{\"b\":null,\"a\":\"1\"},\"metadata\":{\"creationTimestamp\":null,\"labels\":null}}", ""),
			    "{\"data\":{\"a\":\"1\",\"b\":\"\"},\"metadata\":{}}");
	assert_string_equal(decoded_(f, true, "Pod", "{\"spec\":{\"containers\":[null],\"imagePullSecrets\":[null]}}", "spec"),
			    "{\"containers\":[{\"name\":\"\",\"resources\":{}}],\"imagePullSecrets\":[{}]}");
	assert_string_equal(decoded_(f, true, "Pod", "{\"metadata\":{\"finalizers\":[null,\"a\"]}}", "metadata"), "{\"finalizers\":[\"\",\"a\"]}");
}

static void unknown_fields_are_named_and_dropped(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(decoded_(f, true, "Pod", "{\"specc\":1,\"spec\":{\"containers\":[{\"name\":\"a\"},{\"imagee\":{\"x\":1},\"name\":\"b\"}],\"Volumes\":[]}}", "spec"),
			    "{\"containers\":[{\"name\":\"a\",\"resources\":{}},{\"name\":\"b\",\"resources\":{}}]}");
	assert_string_equal(f->said.p, "specc spec.containers[1].imagee spec.Volumes");
}

static void scalars_become_canonical(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(decoded(f, "Pod", "{\"spec\":{\"overhead\":{\"memory\":\"1024Mi\",\"cpu\":0.5,\"a\":\"1e3\",\"b\":1}}}", "spec/overhead"),
			    "{\"a\":\"1e3\",\"b\":\"1\",\"cpu\":\"500m\",\"memory\":\"1Gi\"}");
	assert_string_equal(decoded(f, "Pod", "{\"metadata\":{\"creationTimestamp\":\"2024-02-29T23:30:00.75-01:00\"}}", "metadata"),
			    "{\"creationTimestamp\":\"2024-03-01T00:30:00Z\"}");
	assert_string_equal(decoded(f, "Lease", "{\"spec\":{\"renewTime\":\"2024-01-01T00:00:00Z\",\"leaseTransitions\":-0}}", "spec"),
			    "{\"leaseTransitions\":0,\"renewTime\":\"2024-01-01T00:00:00.000000Z\"}");
	assert_string_equal(decoded(f, "Secret", "{\"data\":{\"a\":\"aGk=\",\"b\":\"aG\\nk=\\n\",\"c\":\"aGl=\",\"d\":\"aR==\",\"e\":\"\"}}", "data"),
			    "{\"a\":\"aGk=\",\"b\":\"aGk=\",\"c\":\"aGk=\",\"d\":\"aQ==\",\"e\":\"\"}");
	assert_string_equal(decoded(f, "Service", "{\"spec\":{\"ports\":[{\"targetPort\":\"web\",\"port\":1}]}}", "spec/ports/0/targetPort"), "\"web\"");
}

static void wrong_types_are_refused_in_gos_words(void **state)
{
	static const struct {
		const char *kind, *json, *message;
	} cases[] = {
		{ "Pod", "{\"spec\":{\"containers\":\"none\"}}",
		  "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container" },
		{ "Pod", "{\"spec\":{\"containers\":[\"x\"]}}",
		  "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container" },
		{ "Pod", "{\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":\"eighty\"}]}]}}",
		  "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32" },
		{ "Pod", "{\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":1.5}]}]}}",
		  "json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32" },
		{ "Pod", "{\"spec\":{\"terminationGracePeriodSeconds\":9223372036854775808}}",
		  "json: cannot unmarshal number 9223372036854775808 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64" },
		{ "Pod", "{\"metadata\":{\"labels\":{\"a\":1}}}",
		  "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string" },
		{ "Pod", "{\"metadata\":{\"labels\":[]}}",
		  "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string" },
		{ "Pod", "{\"metadata\":[]}", "json: cannot unmarshal array into Go struct field Pod.metadata of type v1.ObjectMeta" },
		{ "Pod", "{\"spec\":{\"hostNetwork\":\"true\"}}",
		  "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool" },
		{ "Pod", "[]", "json: cannot unmarshal array into Go value of type v1.Pod" },
		{ "Pod", "{\"spec\":{\"overhead\":{\"cpu\":\"lots\"}}}",
		  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'" },
		{ "Pod", "{\"spec\":{\"overhead\":{\"cpu\":\"1Kk\"}}}", "unable to parse quantity's suffix" },
		{ "Pod", "{\"spec\":{\"overhead\":{\"cpu\":true}}}",
		  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'" },
		{ "Pod", "{\"metadata\":{\"creationTimestamp\":\"x\"}}",
		  "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"" },
		{ "Pod", "{\"metadata\":{\"creationTimestamp\":\"2024-01-01 00:00:00Z\"}}",
		  "parsing time \"2024-01-01 00:00:00Z\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \" 00:00:00Z\" as \"T\"" },
		{ "Pod", "{\"metadata\":{\"creationTimestamp\":5}}", "json: cannot unmarshal number into Go value of type string" },
		{ "Service", "{\"spec\":{\"ports\":[{\"targetPort\":true}]}}", "json: cannot unmarshal bool into Go value of type int32" },
		{ "Service", "{\"spec\":{\"ports\":[{\"targetPort\":1.5}]}}", "json: cannot unmarshal number 1.5 into Go value of type int32" },
		{ "Secret", "{\"data\":{\"a\":\"!!\"}}", "illegal base64 data at input byte 0" },
		{ "Secret", "{\"data\":{\"a\":\"aGk\"}}", "illegal base64 data at input byte 0" },
		{ "Secret", "{\"data\":{\"a\":\"aGkK=\"}}", "illegal base64 data at input byte 4" },
		{ "Secret", "{\"data\":{\"a\":\"aGk=aGk=\"}}", "illegal base64 data at input byte 4" },
		{ "Secret", "{\"data\":{\"a\":[1]}}", "json: cannot unmarshal array into Go struct field Secret.data of type []uint8" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(decoded(f, cases[i].kind, cases[i].json, ""), cases[i].message);
}

/* What was decoded once is not changed by decoding it again. */
static void decoding_is_idempotent(void **state)
{
	struct fixture *f = *state;
	char *once;

	decoded(f, "Node", "{\"status\":{\"capacity\":{\"pods\":110,\"cpu\":\"2000m\"}},\"spec\":{\"taints\":[{\"key\":\"k\",\"effect\":\"NoSchedule\"}]}}", "");
	once = xb_buf_steal(&f->out);
	assert_string_equal(decoded(f, "Node", once, ""), once);
	assert_non_null(strstr(once, "\"capacity\":{\"cpu\":\"2\",\"pods\":\"110\"}"));
	assert_non_null(strstr(once, "\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":0}}"));
	free(once);
}

static void an_object_of_many_members_is_still_found_by_name(void **state)
{
	struct fixture *f = *state;
	const struct xb_decode d = { .arena = f->a };
	struct xb_tree *n = xb_tree_parse(f->a, "{\"data\":{}}");
	struct xb_tree *data = xb_tree_get(n, "data");

	for (int i = 999; i >= 0; i--)
		xb_tree_set(data, xb_sv(xb_arena_printf(f->a, "k%03d", i)), xb_tree_str(f->a, XB_SV("v")));
	assert_int_equal(xb_schema_decode(&d, type_of("ConfigMap"), n, NULL), 0);
	assert_int_equal(data->count, 1000);
	assert_true(xb_sv_is(data->first->key, "k000"));
	assert_true(xb_sv_is(data->last->key, "k999"));
	for (int i = 0; i < 1000; i++)
		assert_true(xb_sv_is(xb_tree_get(data, xb_arena_printf(f->a, "k%03d", i))->text, "v"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_small_pod_gets_its_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(defaults_of_other_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(volumes_and_probes_get_theirs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(empty_values_stay_only_where_they_say_something, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nulls_are_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_fields_are_named_and_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scalars_become_canonical, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_types_are_refused_in_gos_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(decoding_is_idempotent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_object_of_many_members_is_still_found_by_name, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
