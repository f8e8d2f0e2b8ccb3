/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define VOL(volume) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{'containers':[{'name':'c','image':'i'}],'volumes':[" volume "]}}"

static void sources(void **state)
{
	static const struct example examples[] = {
		{ VOL("{'name':'v'}"), "" },
		{ VOL("{'emptyDir':{}}"), "spec.volumes[0].name: Required value" },
		{ VOL("{'name':'v','emptyDir':{},'hostPath':{'path':'/x'}}"), "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type" },
		{ VOL("{'name':'v','emptyDir':{}},{'name':'v','emptyDir':{}}"), "spec.volumes[1].name: Duplicate value: \"v\"" },
		{ VOL("{'name':'v','emptyDir':{'sizeLimit':'-1'}}"), "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity" },
		{ VOL("{'name':'v','hostPath':{}}"), "spec.volumes[0].hostPath.path: Required value" },
		{ VOL("{'name':'v','hostPath':{'path':'/a/../b','type':'x'}}"),
		  "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'\n"
		  "spec.volumes[0].hostPath.type: Unsupported value: \"x\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"" },
		{ VOL("{'name':'v','secret':{}}"), "spec.volumes[0].secret.secretName: Required value" },
		{ VOL("{'name':'v','configMap':{'name':'c','defaultMode':512,'items':[{'key':'k','path':'..x'},{'path':'/y'}]}}"),
		  "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive\n"
		  "spec.volumes[0].configMap.items[0].path: Invalid value: \"..x\": must not start with '..'\n"
		  "spec.volumes[0].configMap.items[1].key: Required value\n"
		  "spec.volumes[0].configMap.items[1].path: Invalid value: \"/y\": must be a relative path" },
		{ VOL("{'name':'v','nfs':{'server':'s','path':'x'}}"), "spec.volumes[0].nfs.path: Invalid value: \"x\": must be an absolute path" },
		{ VOL("{'name':'v','persistentVolumeClaim':{}}"), "spec.volumes[0].persistentVolumeClaim.claimName: Required value" },
		{ VOL("{'name':'v','ephemeral':{}}"), "spec.volumes[0].ephemeral.volumeClaimTemplate: Required value" },
		{ VOL("{'name':'v','downwardAPI':{'items':[{'path':'a'}]}}"), "spec.volumes[0].downwardAPI[0]: Required value: one of fieldRef and resourceFieldRef is required" },
		{ VOL("{'name':'v','downwardAPI':{'items':[{'path':'a','fieldRef':{'fieldPath':'metadata.labels'}},{'path':'b','resourceFieldRef':{'resource':'limits.cpu'}}]}}"),
		  "spec.volumes[0].downwardAPI[1].resourceFieldRef.containerName: Required value" },
		{ VOL("{'name':'v','projected':{'sources':[{'serviceAccountToken':{'path':'t','expirationSeconds':60}},{'secret':{}}]}}"),
		  "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes\n"
		  "spec.volumes[0].projected.sources[1].secret.name: Required value" },
	};

	EACH_CREATE(examples);
}

/* A volume that is not well cannot be mounted. */
static void mounts_want_good_volumes(void **state)
{
	assert_string_equal(fault_of("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{'volumes':[{'name':'v','secret':{}}],"
		"'containers':[{'name':'c','image':'i','volumeMounts':[{'name':'v','mountPath':'/v'}]}]}}"),
		"spec.volumes[0].secret.secretName: Required value\nspec.containers[0].volumeMounts[0].name: Not found: \"v\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sources, setup, teardown),
		cmocka_unit_test_setup_teardown(mounts_want_good_volumes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
