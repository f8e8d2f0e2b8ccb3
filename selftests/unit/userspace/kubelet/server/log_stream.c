/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include "../../../../../userspace/kubelet/server/log_stream.h"
#include "xb/time.h"

#define T "2024-01-02T03:04:05Z stdout F "

static struct {
	uv_loop_t loop;
	uv_timer_t wake;
	char folder[64], path[96], rotated[96];
	struct log_stream *stream;
	struct xb_buf text;
	bool running, slow, ended, speaks; /* speaks: it writes once more before it is seen to be over */
	int error;
	unsigned texts;
} f;

static bool on_text(void *arg, struct xb_sv text)
{
	f.texts++;
	xb_buf_addsv(&f.text, text);
	return !f.slow;
}

static void add_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void add(const char *text)
{
	add_to(f.path, text);
}

static bool is_running(void *arg)
{
	if (f.speaks)
		add(T "last\n");
	f.speaks = false;
	return f.running;
}

static void on_ended(void *arg, int error)
{
	f.ended = true;
	f.error = error;
}

static void on_wake(uv_timer_t *t)
{
}

static bool until(bool (*is)(void))
{
	int64_t end = xb_time_ms() + 5000;

	while (!is() && xb_time_ms() < end)
		uv_run(&f.loop, UV_RUN_ONCE);
	return is();
}

static bool ended(void)
{
	return f.ended;
}

static const char *wanted_text;
static bool has_text(void)
{
	return f.text.p && xb_sv_is(xb_buf_sv(&f.text), wanted_text);
}

static bool shows(const char *text)
{
	wanted_text = text;
	return until(has_text);
}

static void start(struct log_wanted w)
{
	struct log_stream_config c = { .loop = &f.loop, .path = f.path, .wanted = w, .text = on_text, .running = is_running,
				       .ended = on_ended };

	assert_int_equal(log_stream_new(&c, &f.stream), 0);
}

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	strcpy(f.folder, "/tmp/xebec-log-stream-XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	snprintf(f.path, sizeof(f.path), "%s/0.log", f.folder);
	snprintf(f.rotated, sizeof(f.rotated), "%s/0.log.1", f.folder);
	uv_loop_init(&f.loop);
	uv_timer_init(&f.loop, &f.wake);
	uv_timer_start(&f.wake, on_wake, 20, 20);
	f.running = true;
	return 0;
}

static int teardown(void **state)
{
	uv_close((uv_handle_t *)&f.wake, NULL);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f.loop), 0);
	xb_buf_done(&f.text);
	unlink(f.path);
	unlink(f.rotated);
	rmdir(f.folder);
	return 0;
}

static const struct log_wanted all = { .tail_lines = -1, .limit_bytes = -1 };
static const struct log_wanted follow = { .follow = true, .tail_lines = -1, .limit_bytes = -1 };

static void what_is_there(void **state)
{
	add(T "a\nno line of the runtime\n" T "b\n");
	start(all);
	assert_true(until(ended));
	assert_int_equal(f.error, 0);
	assert_true(shows("a\nb\n"));
}

static void the_last_lines(void **state)
{
	add(T "a\n" T "b\n" T "c\n");
	start((struct log_wanted){ .tail_lines = 2, .limit_bytes = -1 });
	assert_true(until(ended));
	assert_true(shows("b\nc\n"));
}

static void no_more_than_wanted(void **state)
{
	add(T "abcdef\n");
	start((struct log_wanted){ .follow = true, .tail_lines = -1, .limit_bytes = 3 });
	assert_true(until(ended));
	assert_int_equal(f.error, 0);
	assert_true(shows("abc"));
}

static void not_there(void **state)
{
	f.running = false;
	start(all);
	assert_true(until(ended));
	assert_int_equal(f.error, -ENOENT);
}

static void a_link_is_not_followed(void **state)
{
	assert_int_equal(symlink("/etc/passwd", f.path), 0);
	start(all);
	assert_true(until(ended));
	assert_int_equal(f.error, -ELOOP);
}

static void as_it_is_written(void **state)
{
	add(T "a\n");
	start(follow);
	assert_true(shows("a\n"));
	add(T "b");
	add("c\n" T "d\n");
	assert_true(shows("a\nbc\nd\n"));
	assert_false(f.ended);
	add(T "last\n");
	f.running = false;
	assert_true(until(ended));
	assert_true(shows("a\nbc\nd\nlast\n"));
}

static void until_its_last_word(void **state)
{
	add(T "a\n");
	f.running = false;
	f.speaks = true;
	start(follow);
	assert_true(until(ended));
	assert_true(shows("a\nlast\n"));
}

static void over_a_rotation(void **state)
{
	add(T "a\n");
	start(follow);
	assert_true(shows("a\n"));
	assert_int_equal(rename(f.path, f.rotated), 0);
	add(T "b\n");
	assert_true(shows("a\nb\n"));
	f.running = false;
	assert_true(until(ended));
	assert_int_equal(f.error, 0);
}

static void while_it_is_rotated(void **state)
{
	start(all);
	for (unsigned i = 0; i < 20; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_false(f.ended);
	/* whole at once: a file found between its making and its first line has nothing to show */
	add_to(f.rotated, T "a\n");
	assert_int_equal(rename(f.rotated, f.path), 0);
	assert_true(until(ended));
	assert_int_equal(f.error, 0);
	assert_true(shows("a\n"));
}

static void a_slow_client(void **state)
{
	for (unsigned i = 0; i < 5000; i++)
		add(T "0123456789012345678901234567890123456789\n");
	f.slow = true;
	start(all);
	for (unsigned i = 0; i < 20; i++)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(f.texts, 1);
	assert_true(f.text.n < 65536);
	f.slow = false;
	log_stream_resume(f.stream);
	assert_true(until(ended));
	assert_int_equal(f.text.n, 5000 * 41);
}

static void cancelled(void **state)
{
	add(T "a\n");
	start(follow);
	log_stream_cancel(f.stream); /* while the first read is on the pool */
	start(follow);
	assert_true(shows("a\n"));
	log_stream_cancel(f.stream);
	log_stream_cancel(NULL);
	assert_false(f.ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(no_more_than_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_is_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(as_it_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(until_its_last_word, setup, teardown),
		cmocka_unit_test_setup_teardown(over_a_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(while_it_is_rotated, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_client, setup, teardown),
		cmocka_unit_test_setup_teardown(cancelled, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
