/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"

static void the_node_that_has_the_image_is_better(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	static const char with[] = "'allocatable':{'cpu':'4','memory':'8Gi','pods':'110'},'images':[{'names':['reg/app:latest'],'sizeBytes':900000000}]";

	cluster_init(&k);
	cluster_node(&k, "without", "", "", "");
	cluster_node(&k, "with", "", "", with);
	for (int i = 0; i < 8; i++)
		assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", "'containers':[{'image':'reg/app'}]")), "with");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_node_that_has_the_image_is_better),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/image_locality", tests, NULL, NULL);
}
