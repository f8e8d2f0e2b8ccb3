/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

static const struct spec_image image = { .ref = "sha256:abc", .has_uid = true, .uid = 101 };
static Runtime__V1__KeyValue var = { .key = "NAME", .value = "world" };
static Runtime__V1__KeyValue *env[] = { &var };
static Runtime__V1__Mount mount = { .container_path = "/data", .host_path = "/var/lib/x" };
static Runtime__V1__Mount *mounts[] = { &mount };

static Runtime__V1__ContainerConfig *container(struct given *g)
{
	Runtime__V1__ContainerConfig *c = NULL;
	char *why = NULL;

	if (spec_container(&g->in, 3, &image, env, 1, mounts, 1, g->arena, &c, &why))
		fail_msg("%s", why);
	return c;
}

static void test_identity(void **state)
{
	_cleanup_given_ struct given g = given(
		"{'metadata':{'name':'web','namespace':'shop','uid':'u-1','deletionGracePeriodSeconds':5},'spec':{'terminationGracePeriodSeconds':30,'containers':["
		"{'name':'c','image':'nginx:1','terminationMessagePath':'/dev/termination-log','terminationMessagePolicy':'File',"
		"'ports':[{'containerPort':80}],'lifecycle':{'preStop':{'sleep':{'seconds':1}}}}]}}");
	Runtime__V1__ContainerConfig *c = container(&g);
	_cleanup_buf_ struct xb_buf text = {};

	assert_string_equal(c->metadata->name, "c");
	assert_int_equal(c->metadata->attempt, 3);
	assert_string_equal(c->image->image, "sha256:abc");
	assert_string_equal(c->image->user_specified_image, "nginx:1");
	assert_string_equal(c->log_path, "c/3.log");
	add_pairs(&text, c->labels, c->n_labels);
	assert_string_equal(text.p, "io.kubernetes.container.name=c io.kubernetes.pod.name=web io.kubernetes.pod.namespace=shop io.kubernetes.pod.uid=u-1");
	xb_buf_clear(&text);
	add_pairs(&text, c->annotations + 1, c->n_annotations - 1);
	assert_string_equal(text.p,
		"io.kubernetes.container.restartCount=3 io.kubernetes.container.terminationMessagePath=/dev/termination-log "
		"io.kubernetes.container.terminationMessagePolicy=File io.kubernetes.pod.terminationGracePeriod=30 "
		"io.kubernetes.pod.deletionGracePeriod=5 io.kubernetes.container.preStopHandler={\"sleep\":{\"seconds\":1}} "
		"io.kubernetes.container.ports=[{\"containerPort\":80}]");
	assert_string_equal(c->annotations[0]->key, "io.kubernetes.container.hash");
	assert_int_equal(strtoull(c->annotations[0]->value, NULL, 16), spec_hash(g.in.container));
}

static void test_process(void **state)
{
	_cleanup_given_ struct given g = given(POD("",
		",'command':['/bin/sh','-c','echo $(NAME) $$(NAME) $NAME'],'args':['$(NAME)','$(NONE)',''],'workingDir':'/srv/$(NAME)','tty':true,'stdin':true,'stdinOnce':true"));
	Runtime__V1__ContainerConfig *c = container(&g);
	_cleanup_buf_ struct xb_buf text = {};

	add_list(&text, c->command, c->n_command);
	assert_string_equal(text.p, "/bin/sh -c echo world $(NAME) $NAME");
	xb_buf_clear(&text);
	add_list(&text, c->args, c->n_args);
	assert_string_equal(text.p, "world $(NONE) ");
	assert_string_equal(c->working_dir, "/srv/$(NAME)"); /* only command and args are expanded */
	assert_true(c->tty && c->stdin && c->stdin_once);
	assert_int_equal(c->n_envs, 1);
	assert_ptr_equal(c->envs[0], &var);
	assert_ptr_equal(c->mounts[0], &mount);
	assert_int_equal(c->n_mounts, 1);
}

static void test_linux(void **state)
{
	_cleanup_given_ struct given g = given(POD("", ",'resources':{'limits':{'cpu':'1','memory':'1Gi'},'requests':{'cpu':'1','memory':'1Gi'}}"));
	const Runtime__V1__ContainerConfig *c = container(&g);

	assert_int_equal(c->linux_config->resources->cpu_shares, 1024);
	assert_int_equal(c->linux_config->resources->memory_limit_in_bytes, 1 << 30);
	assert_int_equal(c->linux_config->resources->oom_score_adj, -997);
	assert_int_equal(c->linux_config->security_context->run_as_user->value, 101);
	assert_false(c->tty || c->stdin || c->stdin_once);
	assert_int_equal(c->n_devices + c->n_command + c->n_args, 0);
}

static void test_refused(void **state)
{
	_cleanup_given_ struct given g = given(POD("'securityContext':{'runAsNonRoot':true},", ""));
	Runtime__V1__ContainerConfig *c = NULL;
	_cleanup_free_ char *why = NULL;

	assert_int_equal(spec_container(&g.in, 0, &(struct spec_image){ .ref = "x" }, NULL, 0, NULL, 0, g.arena, &c, &why), -EACCES);
	assert_string_equal(why, "container has runAsNonRoot and image will run as root (pod: \"web_shop(u-1)\", container: c)");
	assert_null(c);
}

static void test_no_memory(void **state)
{
	_cleanup_given_ struct given g = given(POD("", ",'command':['a','$(NAME)'],'resources':{'limits':{'hugepages-2Mi':'4Mi'}},'securityContext':{'capabilities':{'add':['X']}}"));

	for (size_t limit = 1; limit < 8192; limit += 16) {
		_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(limit);
		Runtime__V1__ContainerConfig *c = NULL;
		int r = spec_container(&g.in, 0, &image, env, 1, mounts, 1, a, &c, NULL);

		assert_int_equal(r, c ? 0 : -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity), cmocka_unit_test(test_process), cmocka_unit_test(test_linux),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
