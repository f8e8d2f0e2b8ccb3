/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a runtime answers, as the reason why the node is not ready. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/node/inner.h"
#include "../../../../../userspace/kubelet/runtime/ops.h"
#include "xb/time.h"

static runtime_done done;
static void *done_arg;
static enum runtime_rpc asked;
static struct runtime_call call;
static unsigned syncs;

static int note_call(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done d,
		     void *arg, struct runtime_call **ret_call)
{
	asked = rpc;
	done = d;
	done_arg = arg;
	*ret_call = &call;
	return 0;
}

static const struct runtime_ops ops = { .call = note_call };
static struct runtime runtime = { .ops = &ops };
static struct node node;

void node_sync(struct node *n)
{
	syncs++;
}

static int setup(void **state)
{
	node = (struct node){ .config = { .runtime = &runtime } };
	syncs = 0;
	return 0;
}

static int teardown(void **state)
{
	free(node.fault);
	free(node.runtime_version);
	return 0;
}

static void answer_version(void)
{
	Runtime__V1__VersionResponse v = RUNTIME__V1__VERSION_RESPONSE__INIT;

	assert_int_equal(asked, RPC_VERSION);
	v.runtime_name = "containerd";
	v.runtime_version = "1.6.20";
	done(done_arg, XB_GRPC_OK, "", &v.base);
}

/* NULL: it says nothing of the network. */
static void answer_status(bool runtime_ready, const char *network_fault)
{
	Runtime__V1__RuntimeCondition ready = RUNTIME__V1__RUNTIME_CONDITION__INIT, network = RUNTIME__V1__RUNTIME_CONDITION__INIT;
	Runtime__V1__RuntimeCondition *both[] = { &ready, &network };
	Runtime__V1__RuntimeStatus status = RUNTIME__V1__RUNTIME_STATUS__INIT;
	Runtime__V1__StatusResponse r = RUNTIME__V1__STATUS_RESPONSE__INIT;

	assert_int_equal(asked, RPC_STATUS);
	ready.type = "RuntimeReady";
	ready.status = runtime_ready;
	ready.reason = "ShimGone";
	ready.message = "no shim";
	network.type = "NetworkReady";
	network.status = network_fault && !*network_fault;
	network.reason = "NetworkPluginNotReady";
	network.message = (char *)network_fault;
	status.conditions = both;
	status.n_conditions = network_fault ? 2 : 1;
	r.status = &status;
	done(done_arg, XB_GRPC_OK, "", &r.base);
}

static void fail_call(void)
{
	done(done_arg, XB_GRPC_UNAVAILABLE, "gone", NULL);
}

static void conditions_are_read(void **state)
{
	look(&node);
	answer_version();
	assert_string_equal(node.runtime_version, "containerd://1.6.20");
	assert_false(node.looked);
	answer_status(true, "");
	assert_true(node.looked);
	assert_null(node.fault);
	look(&node);
	answer_status(true, "cni plugin not initialized");
	assert_string_equal(node.fault, "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
			    "message:cni plugin not initialized");
	look(&node);
	answer_status(false, NULL);
	assert_string_equal(node.fault, "[container runtime not ready: RuntimeReady=false reason:ShimGone message:no shim, "
			    "container runtime network not ready: NetworkReady=false reason: message:]");
	look(&node);
	answer_status(true, "");
	assert_null(node.fault);
	assert_int_equal(syncs, 4);
}

static void one_that_never_answered(void **state)
{
	look(&node);
	fail_call();
	fail_call();
	assert_string_equal(node.fault, "container runtime status check may not have completed yet");
	assert_int_equal(syncs, 1);
	look(&node);
	assert_int_equal(asked, RPC_VERSION);
}

static void one_that_is_away_is_waited_for(void **state)
{
	look(&node);
	answer_version();
	answer_status(true, "");
	look(&node);
	fail_call();
	assert_null(node.fault);
	node.answered_ms = xb_time_ms() - 30000;
	look(&node);
	fail_call();
	assert_string_equal(node.fault, "container runtime is down");
	look(&node);
	answer_status(true, "");
	assert_null(node.fault);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		test(conditions_are_read), test(one_that_never_answered), test(one_that_is_away_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
