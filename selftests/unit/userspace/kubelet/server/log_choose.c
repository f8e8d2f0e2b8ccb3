/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/server/log_choose.h"

static void chosen(void **state)
{
	static const struct { const char *status; bool previous; const char *id, *why; } t[] = {
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"containerID\":\"containerd://1\",\"state\":{\"running\":{}}}]}", false, "1", NULL },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"running\":{}}}]}", true, NULL,
		  "previous terminated container \"c\" in pod \"p\" not found" },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"running\":{}},\"lastState\":{\"terminated\":{\"containerID\":\"containerd://0\"}}}]}",
		  true, "0", NULL },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"terminated\":{\"containerID\":\"containerd://2\"}}}]}", false, "2", NULL },
		{ "{\"initContainerStatuses\":[{\"name\":\"c\",\"state\":{\"terminated\":{\"containerID\":\"2\"}}}]}", false, "2", NULL },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"terminated\":{}}}]}", false, NULL, "container \"c\" in pod \"p\" is terminated" },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}},"
		  "\"lastState\":{\"terminated\":{\"containerID\":\"containerd://3\"}}}]}", false, "3", NULL },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\"}}}]}", false, NULL,
		  "container \"c\" in pod \"p\" is waiting to start: ContainerCreating" },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]}", false, NULL,
		  "container \"c\" in pod \"p\" is waiting to start: image can't be pulled" },
		{ "{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\"}}}]}", false, NULL,
		  "container \"c\" in pod \"p\" is waiting to start: trying and failing to pull image" },
		{ "{\"containerStatuses\":[{\"name\":\"c\"}]}", false, NULL, "container \"c\" in pod \"p\" is waiting to start - no logs yet" },
		{ "{\"containerStatuses\":[{\"name\":\"d\"}]}", false, NULL, "container \"c\" in pod \"p\" is not available" },
		{ "{}", true, NULL, "container \"c\" in pod \"p\" is not available" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct xb_buf why = {};
		struct xb_json *doc;
		char *id = NULL;
		int r;

		assert_int_equal(xb_json_parse(xb_sv(t[i].status), NULL, &doc, NULL), 0);
		r = log_choose(xb_json_root(doc), "p", "c", t[i].previous, &id, &why);
		assert_int_equal(r, t[i].id ? 0 : -ENOENT);
		if (t[i].id)
			assert_string_equal(id, t[i].id);
		else
			assert_string_equal(why.p, t[i].why);
		free(id);
		xb_buf_done(&why);
		xb_json_unref(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(chosen) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
