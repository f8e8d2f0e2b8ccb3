/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Slices of a Service whose copies are behind, or that was made anew by the same name. */
#include "../loop_fixture.h"

#define SLICES "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices"
#define LABELS "\"labels\":{\"kubernetes.io/service-name\":\"web\",\"endpointslice.kubernetes.io/managed-by\":\"endpointslice-controller.k8s.io\"}"

static const char service[] = "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u2\",\"resourceVersion\":\"5\"},\"spec\":{\"clusterIP\":\"10.0.0.1\","
			      "\"ipFamilies\":[\"IPv4\"],\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80,\"targetPort\":80,\"protocol\":\"TCP\"}]}}";

static const char *slice(const char *owner, const char *version)
{
	static char text[1024];

	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"web-x\",\"namespace\":\"ns\",\"uid\":\"e1\",\"resourceVersion\":\"%s\"," LABELS ",\"ownerReferences\":[{"
		 "\"apiVersion\":\"v1\",\"kind\":\"Service\",\"name\":\"web\",\"uid\":\"%s\",\"controller\":true}]},\"addressType\":\"IPv4\",\"endpoints\":[],"
		 "\"ports\":[]}", version, owner);
	return text;
}

static unsigned made(void)
{
	unsigned n = 0;

	for (const char *at = t.log.p; at && (at = strstr(at, "POST " SLICES "\n")); at++)
		n++;
	return n;
}

static void start(const char *slices)
{
	copy_is("endpointslices", slices);
	copy_is("services", service);
	start_loop("--controllers=endpointslice-controller");
}

static void one_whose_making_got_no_answer_is_looked_for(void **state)
{
	static char list[2048];

	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"20\"},\"items\":[%s]}", slice("u2", "12"));
	really(SLICES "?labelSelector=kubernetes.io%2Fservice-name%3Dweb%2Cendpointslice.kubernetes.io%2Fmanaged-by%3Dendpointslice-controller.k8s.io", list);
	t.code = 0;
	start(NULL);
	run_until(&t.f.loop, made() == 1);
	run_until(&t.f.loop, t.reads == 1);
	t.code = 200;
	settle();
	assert_int_equal(made(), 1);
	show("endpointslices", "ADDED", slice("u2", "12"));
	settle();
	assert_int_equal(t.writes, 1);
}

/* Its predecessor's are not written to. */
static void one_made_anew_has_slices_of_its_own(void **state)
{
	t.reply = "{\"metadata\":{\"name\":\"web-y\",\"namespace\":\"ns\",\"uid\":\"e2\",\"resourceVersion\":\"11\"}}";
	start(slice("u1", "4"));
	run_until(&t.f.loop, made() == 1);
	settle();
	assert_int_equal(made(), 1);
	assert_null(strstr(t.log.p, "PATCH " SLICES "/web-x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_whose_making_got_no_answer_is_looked_for),
		TEST(one_made_anew_has_slices_of_its_own),
	};

	return cmocka_run_group_tests_name("control/controllers/services/endpointslice", tests, NULL, NULL);
}
