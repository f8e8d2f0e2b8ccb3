/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Against a runtime that answers what the test says, when it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "../../../../../userspace/kubelet/images/inner.h"
#include "../../../../../userspace/kubelet/runtime/ops.h"
#include "xb/file.h"
#include "xb/time.h"

/* --- the runtime */
struct asked {
	struct runtime_call call;
	enum runtime_rpc rpc;
	char image[128], user[64];
	runtime_done done;
	void *arg;
	bool over;
};
static struct asked asked[64];
static unsigned n_asked;

static int note_call(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done done,
		     void *arg, struct runtime_call **ret_call)
{
	struct asked *a = &asked[n_asked++];

	assert_true(n_asked < ARRAY_SIZE(asked));
	*a = (struct asked){ .call = { rt }, .rpc = rpc, .done = done, .arg = arg };
	if (rpc == RPC_PULL_IMAGE) {
		const Runtime__V1__PullImageRequest *q = (const Runtime__V1__PullImageRequest *)request;

		snprintf(a->image, sizeof(a->image), "%s", q->image->image);
		snprintf(a->user, sizeof(a->user), "%s", q->auth ? q->auth->username : "-");
	} else if (rpc == RPC_IMAGE_STATUS) {
		snprintf(a->image, sizeof(a->image), "%s", ((const Runtime__V1__ImageStatusRequest *)request)->image->image);
	} else if (rpc == RPC_REMOVE_IMAGE) {
		snprintf(a->image, sizeof(a->image), "%s", ((const Runtime__V1__RemoveImageRequest *)request)->image->image);
	}
	if (ret_call)
		*ret_call = &a->call;
	return 0;
}

static void note_cancel(struct runtime_call *call)
{
	container_of(call, struct asked, call)->over = true;
}

static const struct runtime_ops ops = { .call = note_call, .cancel = note_cancel };
static struct runtime runtime = { .ops = &ops };

static struct asked *waiting(enum runtime_rpc rpc)
{
	for (unsigned k = 0; k < n_asked; k++)
		if (asked[k].rpc == rpc && !asked[k].over)
			return &asked[k];
	return NULL;
}

static void answer(enum runtime_rpc rpc, int code, const char *message, const ProtobufCMessage *reply)
{
	struct asked *a = waiting(rpc);

	assert_non_null(a);
	a->over = true;
	a->done(a->arg, code, message, reply);
}

static void answer_status(const char *id, uint64_t size)
{
	Runtime__V1__ImageStatusResponse r = RUNTIME__V1__IMAGE_STATUS_RESPONSE__INIT;
	Runtime__V1__Image m = RUNTIME__V1__IMAGE__INIT;

	m.id = (char *)id;
	m.size = size;
	m.username = "www";
	r.image = id ? &m : NULL;
	answer(RPC_IMAGE_STATUS, XB_GRPC_OK, "", &r.base);
}

static void answer_pull(const char *id)
{
	Runtime__V1__PullImageResponse r = RUNTIME__V1__PULL_IMAGE_RESPONSE__INIT;

	r.image_ref = (char *)id;
	answer(RPC_PULL_IMAGE, XB_GRPC_OK, "", &r.base);
}

/* --- the rest of the kubelet */
static struct xb_json *secrets;
int objects_get(const struct objects *o, enum objects_kind kind, const char *namespace_, const char *name, struct xb_jv *ret,
		const char **ret_why)
{
	struct xb_jv v = xb_jv_get(xb_json_root(secrets), name);

	assert_string_equal(namespace_, "ns");
	if (!strcmp(name, "unknown-yet"))
		return -EAGAIN;
	*ret = v;
	return xb_jv_is(v) ? 0 : -ENOENT;
}

static struct xb_buf events, changes, used;
static void note_event(void *arg, const char *uid, const char *container, bool warning, const char *reason, const char *text)
{
	xb_buf_addf(&events, "%s %s %s %s: %s\n", uid, container ? container : "-", warning ? "W" : "N", reason, text);
}

static void note_change(void *arg, const char *uid)
{
	xb_buf_addf(&changes, "%s ", uid);
}

static bool is_used(void *arg, const char *image)
{
	return used.p && strstr(used.p, image);
}

struct outcome {
	unsigned called;
	char ref[64], user[64], reason[64], why[512];
};
static void note_outcome(void *arg, const struct spec_image *image, const char *reason, const char *why)
{
	struct outcome *o = arg;

	o->called++;
	snprintf(o->ref, sizeof(o->ref), "%s", image ? image->ref : "");
	snprintf(o->user, sizeof(o->user), "%s", image && image->username ? image->username : "");
	snprintf(o->reason, sizeof(o->reason), "%s", reason ? reason : "");
	snprintf(o->why, sizeof(o->why), "%s", why ? why : "");
}

static uv_loop_t loop;
static struct images *images;
static struct xb_json *pod;

static int setup(void **state)
{
	const struct images_config c = {
		.loop = &loop, .runtime = &runtime, .max_parallel_pulls = 1, .gc_high_percent = 85, .gc_low_percent = 80,
		.event = note_event, .changed = note_change, .in_use = is_used, .sandbox_image = "pause:1",
	};

	n_asked = 0;
	uv_loop_init(&loop);
	return images_new(&c, &images);
}

static int teardown(void **state)
{
	images = images_free(images);
	pod = xb_json_unref(pod);
	secrets = xb_json_unref(secrets);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		;
	xb_buf_done(&events);
	xb_buf_done(&changes);
	xb_buf_done(&used);
	return uv_loop_close(&loop);
}

static void ensure(const char *image, const char *policy, const char *more, struct outcome *o)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_json_unref(pod);
	xb_buf_addf(&text, "{\"metadata\":{\"uid\":\"u1\",\"namespace\":\"ns\"},\"spec\":{%s\"containers\":[{\"name\":\"web\",\"image\":\"%s\""
		    ",\"imagePullPolicy\":\"%s\"}]}}", more, image, policy);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &pod, NULL), 0);
	*o = (struct outcome){};
	assert_int_equal(images_ensure(images, xb_json_root(pod), xb_jv_at(xb_jv_path(xb_json_root(pod), "spec", "containers"), 0), note_outcome, o), 0);
	assert_int_equal(o->called, 0);
}

static void turn(void)
{
	for (unsigned k = 0; k < 3; k++) {
		uv_update_time(&loop);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

static void told(const char *want)
{
	assert_string_equal(events.p ? events.p : "", want);
	xb_buf_clear(&events);
}

/* --- what is seen */
static void present_is_not_pulled(void **state)
{
	struct outcome o;

	ensure("web", "IfNotPresent", "", &o);
	assert_string_equal(waiting(RPC_IMAGE_STATUS)->image, "web:latest");
	answer_status("sha256:1", 9);
	turn();
	assert_int_equal(o.called, 1);
	assert_string_equal(o.ref, "sha256:1");
	assert_string_equal(o.user, "www");
	assert_null(waiting(RPC_PULL_IMAGE));
	told("u1 web N Pulled: Container image \"web\" already present on machine\n");
}

static void absent_is_pulled(void **state)
{
	struct outcome o;

	ensure("web:1", "", "", &o);
	answer_status(NULL, 0);
	told("u1 web N Pulling: Pulling image \"web:1\"\n");
	assert_string_equal(waiting(RPC_PULL_IMAGE)->user, "-");
	answer_pull("sha256:2");
	assert_string_equal(waiting(RPC_IMAGE_STATUS)->image, "sha256:2");
	answer_status("sha256:2", 4711);
	turn();
	assert_string_equal(o.ref, "sha256:2");
	assert_non_null(strstr(events.p, "u1 web N Pulled: Successfully pulled image \"web:1\" in "));
	assert_non_null(strstr(events.p, " including waiting). Image size: 4711 bytes.\n"));
}

static void always_and_never(void **state)
{
	struct outcome o;

	ensure("web", "Always", "", &o);
	assert_null(waiting(RPC_IMAGE_STATUS));
	assert_non_null(waiting(RPC_PULL_IMAGE));
	answer_pull("sha256:2");
	answer_status("sha256:2", 1);
	turn();
	xb_buf_clear(&events);

	ensure("web", "Never", "", &o);
	answer_status(NULL, 0);
	turn();
	assert_string_equal(o.reason, "ErrImageNeverPull");
	assert_string_equal(o.why, "Container image \"web\" is not present with pull policy of Never");
	told("u1 web W ErrImageNeverPull: Container image \"web\" is not present with pull policy of Never\n"
	     "u1 web W Failed: Error: ErrImageNeverPull\n");
}

static void bad_names_are_told(void **state)
{
	struct outcome o;

	ensure("web:", "Always", "", &o);
	turn();
	assert_string_equal(o.reason, "InvalidImageName");
	assert_string_equal(o.why, "Failed to apply default image tag \"web:\": couldn't parse image name \"web:\": invalid reference format");
	told("u1 web W InspectFailed: Failed to apply default image tag \"web:\": couldn't parse image name \"web:\": invalid reference format\n"
	     "u1 web W Failed: Error: InvalidImageName\n");
	ensure("web", "Never", "", &o);
	answer(RPC_IMAGE_STATUS, XB_GRPC_UNAVAILABLE, "gone", NULL);
	turn();
	assert_string_equal(o.reason, "ImageInspectError");
	assert_string_equal(o.why, "Failed to inspect image \"web\": rpc error: code = Unavailable desc = gone");
}

static void failures_back_off(void **state)
{
	struct outcome o;

	ensure("web", "Always", "", &o);
	answer(RPC_PULL_IMAGE, XB_GRPC_NOT_FOUND, "no such thing", NULL);
	turn();
	assert_string_equal(o.reason, "ErrImagePull");
	assert_string_equal(o.why, "rpc error: code = NotFound desc = no such thing");
	told("u1 web N Pulling: Pulling image \"web\"\nu1 web W Failed: Failed to pull image \"web\": rpc error: code = NotFound desc = no such thing\n"
	     "u1 web W Failed: Error: ErrImagePull\n");

	ensure("web", "Always", "", &o);
	turn();
	assert_string_equal(o.reason, "ImagePullBackOff");
	assert_string_equal(o.why, "Back-off pulling image \"web\": ErrImagePull: rpc error: code = NotFound desc = no such thing");
	told("u1 web N BackOff: Back-off pulling image \"web\"\nu1 web W Failed: Error: ImagePullBackOff\n");
	assert_int_equal(images->backoffs.v[0].delay_ms, 10000);

	/* its time is over: the pod is told, and tries again */
	images->backoffs.v[0].since_ms -= 10000;
	backoffs_tell(&images->backoff_timer);
	assert_string_equal(changes.p, "u1 ");
	ensure("web", "Always", "", &o);
	answer(RPC_PULL_IMAGE, XB_GRPC_UNKNOWN, "RegistryUnavailable: try later", NULL);
	turn();
	assert_string_equal(o.reason, "RegistryUnavailable");
	assert_string_equal(o.why, "image pull failed for web because the registry is unavailable: try later");
	assert_int_equal(images->backoffs.v[0].delay_ms, 20000);
	images->backoffs.v[0].delay_ms = 200000;
	images->backoffs.v[0].since_ms -= 200000;
	ensure("web", "Always", "", &o);
	answer(RPC_PULL_IMAGE, XB_GRPC_UNKNOWN, "x", NULL);
	turn();
	assert_int_equal(images->backoffs.v[0].delay_ms, 300000);
	images_forget(images, "u1");
	assert_int_equal(images->backoffs.n, 0);
}

static void secrets_are_tried_in_turn(void **state)
{
	char own[] = "/tmp/xb-images-XXXXXX";
	struct outcome o;

	/* the node's own, which come last: {"auths":{"r.test/web":{"auth":"Yzpj"}}} */
	close(mkstemp(own));
	assert_int_equal(xb_file_write(own, XB_SV("{\"auths\":{\"r.test/web\":{\"auth\":\"Yzpj\"}}}"), 0600), 0);
	images->config.credentials = own;

	/* {"r.test":{"auth":"YTph"}} and {"r.test":{"auth":"YjpiCg=="},"other.test":{"auth":"Yzpj"}} */
	assert_int_equal(xb_json_parse(XB_SV("{\"one\":{\"type\":\"kubernetes.io/dockercfg\",\"data\":{\".dockercfg\":"
		"\"eyJyLnRlc3QiOnsiYXV0aCI6IllUcGgifX0=\"}},\"two\":{\"type\":\"kubernetes.io/dockercfg\",\"data\":{\".dockercfg\":"
		"\"eyJyLnRlc3QiOnsiYXV0aCI6IllqcGlDZz09In0sIm90aGVyLnRlc3QiOnsiYXV0aCI6Ill6cGoifX0=\"}}}"), NULL, &secrets, NULL), 0);
	ensure("r.test/web", "Always", "\"imagePullSecrets\":[{\"name\":\"one\"},{\"name\":\"gone\"},{\"name\":\"two\"}],", &o);
	told("u1 - W FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (gone); attempting to pull the image may not "
	     "succeed.\nu1 web N Pulling: Pulling image \"r.test/web\"\n");
	assert_string_equal(waiting(RPC_PULL_IMAGE)->user, "a");
	answer(RPC_PULL_IMAGE, XB_GRPC_UNKNOWN, "401 for a", NULL);
	assert_string_equal(waiting(RPC_PULL_IMAGE)->user, "b");
	answer(RPC_PULL_IMAGE, XB_GRPC_UNKNOWN, "401 for b", NULL);
	assert_string_equal(waiting(RPC_PULL_IMAGE)->user, "c");
	answer(RPC_PULL_IMAGE, XB_GRPC_UNKNOWN, "401 for c", NULL);
	assert_null(waiting(RPC_PULL_IMAGE));
	turn();
	assert_string_equal(o.why, "[401 for a, 401 for b, 401 for c]");

	images_forget(images, "u1");
	assert_int_equal(xb_file_write(own, XB_SV("["), 0600), 0);
	ensure("r.test/web", "Always", "", &o);
	turn();
	assert_string_equal(o.why, "config.json: is not a JSON object");
	unlink(own);

	images_forget(images, "u1");
	ensure("r.test/web", "Always", "\"imagePullSecrets\":[{\"name\":\"unknown-yet\"}],", &o);
	turn();
	assert_int_equal(o.called, 1);
	assert_string_equal(o.reason, "");
	assert_string_equal(o.ref, "");
}

static void pulls_wait_for_a_place(void **state)
{
	struct outcome a, b, c;

	ensure("a", "Always", "", &a);
	ensure("b", "Always", "", &b);
	ensure("c", "Always", "", &c);
	assert_string_equal(waiting(RPC_PULL_IMAGE)->image, "a:latest");
	answer(RPC_PULL_IMAGE, XB_GRPC_UNKNOWN, "x", NULL);
	assert_string_equal(waiting(RPC_PULL_IMAGE)->image, "b:latest");
	images_forget(images, "u1");
	turn();
	answer_pull("sha256:b");
	answer_status("sha256:b", 1);
	turn();
	assert_int_equal(b.called + c.called, 0);
	assert_null(waiting(RPC_PULL_IMAGE));
	assert_null(images->requests);
}

static void note_freed(void *arg, int error, uint64_t freed)
{
	*(uint64_t *)arg = freed;
}

/* --- what there is, and what goes */
static void list(void)
{
	static char *tags[] = { "big:1", "old:1", "pause:1", "used:1" };
	static char *digests[] = { "big@sha256:9" };
	Runtime__V1__ListImagesResponse r = RUNTIME__V1__LIST_IMAGES_RESPONSE__INIT;
	Runtime__V1__Image m[5], *all[5];

	for (unsigned k = 0; k < 5; k++) {
		runtime__v1__image__init(&m[k]);
		all[k] = &m[k];
		m[k].id = (char *[]){ "sha256:b", "sha256:o", "sha256:p", "sha256:u", "sha256:pinned" }[k];
		m[k].size = (uint64_t[]){ 1000, 10, 20, 30, 5 }[k];
		m[k].repo_tags = &tags[k];
		m[k].n_repo_tags = k < 4;
	}
	m[0].repo_digests = digests;
	m[0].n_repo_digests = 1;
	m[4].pinned = true;
	r.images = all;
	r.n_images = 5;
	answer(RPC_LIST_IMAGES, XB_GRPC_OK, "", &r.base);
}

static void status_lists_the_largest(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);

	list();
	images_write_status(images, 2, &w);
	assert_int_equal(xb_jw_finish(&w), 0);
	assert_string_equal(out.p, "[{\"names\":[\"big@sha256:9\",\"big:1\"],\"sizeBytes\":1000},{\"names\":[\"used:1\"],\"sizeBytes\":30}]");
}

static void unused_images_go(void **state)
{
	uint64_t freed = 0;

	xb_buf_adds(&used, "sha256:u");
	list();
	images->records.v[0].used_ms = xb_time_ms();
	assert_int_equal(images_collect(images, true, note_freed, &freed), 0);
	assert_int_equal(images_collect(images, true, note_freed, &freed), -EALREADY);
	list();
	assert_string_equal(waiting(RPC_REMOVE_IMAGE)->image, "sha256:o");
	answer(RPC_REMOVE_IMAGE, XB_GRPC_OK, "", NULL);
	assert_string_equal(waiting(RPC_REMOVE_IMAGE)->image, "sha256:b");
	answer(RPC_REMOVE_IMAGE, XB_GRPC_UNKNOWN, "in use after all", NULL);
	assert_null(waiting(RPC_REMOVE_IMAGE));
	assert_int_equal(freed, 10);
}

static void images_go_when_the_disk_is_full(void **state)
{
	Runtime__V1__ImageFsInfoResponse r = RUNTIME__V1__IMAGE_FS_INFO_RESPONSE__INIT;
	Runtime__V1__FilesystemIdentifier id = RUNTIME__V1__FILESYSTEM_IDENTIFIER__INIT;
	Runtime__V1__FilesystemUsage usage = RUNTIME__V1__FILESYSTEM_USAGE__INIT, *all = &usage;
	uint64_t freed = 77;

	id.mountpoint = "/";
	usage.fs_id = &id;
	r.image_filesystems = &all;
	r.n_image_filesystems = 1;
	list();
	answer(RPC_IMAGE_FS_INFO, XB_GRPC_OK, "", &r.base);
	assert_string_equal(images_folder(images), "/");
	images->config.gc_high_percent = 101;
	assert_int_equal(images_collect(images, false, note_freed, &freed), 0);
	list();
	answer(RPC_IMAGE_FS_INFO, XB_GRPC_OK, "", &r.base);
	assert_null(waiting(RPC_REMOVE_IMAGE));
	assert_int_equal(freed, 0);

	images->config.gc_high_percent = images->config.gc_low_percent = 0;
	images->config.gc_min_age_ms = 1000000;
	assert_int_equal(images_collect(images, false, note_freed, &freed), 0);
	list();
	answer(RPC_IMAGE_FS_INFO, XB_GRPC_OK, "", &r.base);
	assert_null(waiting(RPC_REMOVE_IMAGE)); /* all too young */
	images->config.gc_min_age_ms = 0;
	assert_int_equal(images_collect(images, false, note_freed, &freed), 0);
	list();
	answer(RPC_IMAGE_FS_INFO, XB_GRPC_OK, "", &r.base);
	assert_non_null(waiting(RPC_REMOVE_IMAGE));
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		test(present_is_not_pulled), test(absent_is_pulled), test(always_and_never), test(bad_names_are_told),
		test(failures_back_off), test(secrets_are_tried_in_turn), test(pulls_wait_for_a_place),
		test(status_lists_the_largest), test(unused_images_go), test(images_go_when_the_disk_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
