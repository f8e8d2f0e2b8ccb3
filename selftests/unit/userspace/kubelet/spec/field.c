/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

static const char pod[] =
	"{'metadata':{'name':'web','namespace':'shop','uid':'u-1','labels':{'tier':'front','app':'web'},"
	"'annotations':{'example.com/note':'two\\nlines \\\"quoted\\\"','plain':'\\u00e9'}},"
	"'spec':{'nodeName':'node-1','serviceAccountName':'default','containers':["
	"{'name':'c','resources':{'requests':{'cpu':'250m','memory':'64Mi'},'limits':{'cpu':'1500m','hugepages-2Mi':'4Mi'}}},"
	"{'name':'d'}],'initContainers':[{'name':'i','resources':{'limits':{'memory':'1Gi','cpu':'0'}}}]}}";

static const struct {
	const char *path, *value;       /* after a '!': the fault, in upstream's words */
} fields[] = {
	{ "metadata.name", "web" },
	{ "metadata.namespace", "shop" },
	{ "metadata.uid", "u-1" },
	{ "metadata.labels['app']", "web" },
	{ "metadata.labels['none']", "" },
	{ "metadata.annotations['example.com/note']", "two\nlines \"quoted\"" },
	{ "metadata.labels", "app=\"web\"\ntier=\"front\"" },
	{ "metadata.annotations", "example.com/note=\"two\\nlines \\\"quoted\\\"\"\nplain=\"\xc3\xa9\"" },
	{ "spec.nodeName", "node-1" },
	{ "spec.serviceAccountName", "default" },
	{ "status.podIP", "10.244.1.7" },
	{ "status.podIPs", "10.244.1.7,fd00:244::7" },
	{ "status.hostIP", "192.168.0.5" },
	{ "status.hostIPs", "192.168.0.5,fd00::5" },
	{ "status.phase", "!unsupported fieldPath: status.phase" },
	{ "", "!unsupported fieldPath: " },
	{ "metadata.labels[app]", "!unsupported fieldPath: metadata.labels[app]" },
	{ "metadata.labels['app'", "!unsupported fieldPath: metadata.labels['app'" },
	{ "metadata.labels[']", "!unsupported fieldPath: metadata.labels[']" },
	{ "metadata.name['x']", "!fieldPath \"metadata.name\" does not support subscript" },
	{ "metadata.labels['a b']", "!invalid key subscript in metadata.labels: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
};

static void check(const char *what, const char *value, int r, const char *why, const struct xb_buf *out)
{
	bool fault = *value == '!';
	const char *got = r ? why : out->p ?: "";

	if (r != (fault ? -EINVAL : 0) || strcmp(got, value + fault))
		fail_msg("%s: %d %s, not %s", what, r, got, value);
}

static void test_fields(void **state)
{
	_cleanup_given_ struct given g = given(pod);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		_cleanup_buf_ struct xb_buf out = {};
		_cleanup_free_ char *why = NULL;
		int r = spec_field(&g.in, xb_sv(fields[i].path), &out, &why);

		check(fields[i].path, fields[i].value, r, why, &out);
	}
}

static const struct {
	const char *ref, *value;
} resources[] = {
	{ "{'resource':'limits.cpu'}", "2" },                                       /* rounded up */
	{ "{'resource':'limits.cpu','divisor':'1m'}", "1500" },
	{ "{'resource':'requests.cpu','divisor':'100m'}", "3" },
	{ "{'resource':'requests.cpu','divisor':'0'}", "1" },                       /* as unset */
	{ "{'resource':'requests.memory'}", "67108864" },
	{ "{'resource':'requests.memory','divisor':'1Mi'}", "64" },
	{ "{'resource':'requests.memory','divisor':'1k'}", "67109" },
	{ "{'resource':'limits.hugepages-2Mi','divisor':'1Mi'}", "4" },
	{ "{'resource':'limits.memory'}", "7000000000" },                           /* of the node */
	{ "{'resource':'limits.ephemeral-storage'}", "90000000000" },
	{ "{'resource':'requests.ephemeral-storage'}", "0" },
	{ "{'resource':'limits.cpu','containerName':'d','divisor':'1m'}", "3920" },
	{ "{'resource':'limits.cpu','containerName':'i','divisor':'1m'}", "3920" }, /* 0 is none */
	{ "{'resource':'limits.memory','containerName':'i','divisor':'1Gi'}", "1" },
	{ "{'resource':'limits.memory','containerName':'z'}", "!container z not found" },
	{ "{'resource':'limits.pods'}", "!unsupported container resource : limits.pods" },
	{ "{'resource':'memory'}", "!unsupported container resource : memory" },
	{ "{}", "!unsupported container resource : " },
};

static void test_resources(void **state)
{
	_cleanup_given_ struct given g = given(pod);

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *ref = parse(resources[i].ref);
		_cleanup_buf_ struct xb_buf out = {};
		_cleanup_free_ char *why = NULL;
		int r = spec_resource(&g.in, xb_json_root(ref), &out, &why);

		check(resources[i].ref, resources[i].value, r, why, &out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields), cmocka_unit_test(test_resources) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
