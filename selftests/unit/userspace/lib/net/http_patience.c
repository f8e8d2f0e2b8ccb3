/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http2_fixture.h"

#define PATIENT_MS 400          /* as the contract has it */
#define QUIET_MS 300

static double now_ms(void)
{
	return uv_hrtime() / 1e6;
}

static void beat(struct client *c, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		expect_body(c, get(c, "/beat"), "/beat");
}

static void rest(struct client *c, double ms)
{
	for (double began = now_ms(); now_ms() < began + ms;)
		turn(c);
}

/* Who asks again at once waits for answers, and not for his clock. */
static void pause_between(struct client *c)
{
	rest(c, PATIENT_MS / 4);
}

/* One that was prompt, however many come. */
static void make_patient(struct client *c)
{
	double began = now_ms();

	for (beat(c, 1); !f.waited; beat(c, 1))
		pause_between(c);
	assert_true(now_ms() - began >= QUIET_MS + PATIENT_MS - 2);
	f.waited = 0;
}

static double time_of(struct client *c, const char *path)
{
	double before = now_ms();

	expect_body(c, get(c, path), path);
	return now_ms() - before;
}

static void assert_patient(struct client *c)
{
	unsigned waited = f.waited;

	pause_between(c);
	assert_true(time_of(c, "/beat") >= PATIENT_MS - 1);
	assert_int_equal(f.waited, waited + 1);
}

static void assert_prompt(struct client *c)
{
	unsigned waited = f.waited;

	beat(c, 1);
	assert_int_equal(f.waited, waited);
}

static void heartbeats_wait_for_each_other(void **state)
{
	_cleanup_(client_done) struct client a = {}, b = {};
	int32_t first, second;
	double began;

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&a, 0);
	make_patient(&a);
	dial(&b, 0);
	make_patient(&b);
	began = now_ms();
	first = get(&a, "/beat");
	while (now_ms() < began + PATIENT_MS / 4)
		turn(&a);
	assert_int_equal(f.waited, 0);
	second = get(&b, "/beat");
	say(&b);
	wait_for(&a, f.waited);
	assert_true(now_ms() >= began + PATIENT_MS - 1);
	/* the one that came later had its turn together with the other */
	wait_for(&a, f.waited == 2);
	expect_body(&a, first, "/beat");
	expect_body(&b, second, "/beat");
	assert_patient(&a);
}

static void another_request_makes_it_prompt(void **state)
{
	_cleanup_(client_done) struct client c = {};

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&c, 0);
	make_patient(&c);
	assert_true(time_of(&c, "/x") >= PATIENT_MS - 1);
	assert_prompt(&c);
	make_patient(&c);
	assert_patient(&c);
}

static void heartbeats_among_others_do_not_wait(void **state)
{
	_cleanup_(client_done) struct client c = {};
	double began = now_ms();

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&c, 0);
	while (now_ms() < began + 2 * QUIET_MS) {
		beat(&c, 5);
		expect_body(&c, get(&c, "/x"), "/x");
		rest(&c, QUIET_MS / 20);
	}
	assert_int_equal(f.waited, 0);
}

static void one_that_waits_for_each_answer_is_prompt(void **state)
{
	_cleanup_(client_done) struct client c = {};

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&c, 0);
	make_patient(&c);
	assert_true(time_of(&c, "/beat") >= PATIENT_MS - 1);
	for (unsigned i = 0; i < 5; i++)
		assert_true(time_of(&c, "/beat") < PATIENT_MS / 2);
	/* and is tried again: it may have become another */
	rest(&c, QUIET_MS);
	beat(&c, 1);
	assert_patient(&c);
	assert_patient(&c);
}

static void one_that_is_still_served_makes_it_prompt(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t later;

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&c, 0);
	make_patient(&c);
	later = get(&c, "/later");
	wait_for(&c, f.n_kept);
	/* on another thread that is known with the answer */
	if (!f.io_threads)
		assert_prompt(&c);
	xb_http_respond(f.kept[0], 200, NULL, XB_SV("at last"));
	expect_body(&c, later, "at last");
	assert_prompt(&c);
}

static void an_event_of_a_watch_makes_it_prompt(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t watch;

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&c, 0);
	watch = get(&c, "/watch");
	wait_for(&c, f.n_kept);
	make_patient(&c);
	xb_http_stream_write(f.kept[0], XB_SV("event"));
	wait_for(&c, reply_of(&c, watch)->body.n);
	assert_prompt(&c);
	make_patient(&c);
	assert_patient(&c);
	xb_http_stream_end(f.kept[0]);
	expect_body(&c, watch, "event");
	assert_prompt(&c);
}

static void a_client_that_leaves_is_noticed(void **state)
{
	_cleanup_(client_done) struct client ends = {}, resets = {};
	struct linger at_once = { .l_onoff = 1 };
	int32_t watch;

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&ends, 0);
	make_patient(&ends);
	dial(&resets, 0);
	watch = get(&resets, "/watch");
	wait_for(&resets, f.n_kept);
	make_patient(&resets);
	assert_int_equal(reply_of(&resets, watch)->body.n, 0);
	shutdown(ends.fd, SHUT_RDWR);
	setsockopt(resets.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(TAKE_FD(resets.fd));
	wait_for(&ends, !connections() && f.closed == 1);
}

static void idle_ones_are_closed(void **state)
{
	_cleanup_(client_done) struct client c = {};

	start((struct xb_http_config){ .quiet_ms = QUIET_MS, .idle_seconds = 1 });
	dial(&c, 0);
	make_patient(&c);
	wait_for(&c, c.goaway && c.closed);
	assert_int_equal(c.goaway_error, NGHTTP2_NO_ERROR);
}

static void nothing_wakes_the_loop_when_nothing_comes(void **state)
{
	_cleanup_(client_done) struct client c = {};

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&c, 0);
	make_patient(&c);
	uv_timer_stop(&f.tick);
	uv_update_time(&f.loop);
	/* the next is to look whether it is idle */
	assert_true(uv_backend_timeout(&f.loop) < 0 || uv_backend_timeout(&f.loop) > 9000);
	uv_timer_start(&f.tick, on_tick, 2, 2);
}

static void the_server_stops(void **state)
{
	_cleanup_(client_done) struct client c = {};

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	dial(&c, 0);
	make_patient(&c);
	xb_http_server_shutdown(f.server, 10000, on_done, NULL);
	wait_for(&c, c.goaway && c.closed);
	shutdown(c.fd, SHUT_WR);
	wait_for(&c, f.done);
}

static void many_at_a_time(void **state)
{
	enum { CLIENTS = 150 };
	static struct client c[CLIENTS];
	int32_t ids[CLIENTS];
	double began;

	start((struct xb_http_config){ .quiet_ms = QUIET_MS });
	for (int i = 0; i < CLIENTS; i++) {
		c[i] = (struct client){};
		dial(&c[i], 0);
		beat(&c[i], 1);
	}
	rest(&c[0], QUIET_MS);
	for (int i = 0; i < CLIENTS; i++) {
		ids[i] = get(&c[i], "/beat");
		say(&c[i]);
	}
	for (int i = 0; i < CLIENTS; i++)
		expect_body(&c[i], ids[i], "/beat");
	f.waited = 0;
	began = now_ms();
	for (int i = 0; i < CLIENTS; i++) {
		ids[i] = get(&c[i], "/beat");
		say(&c[i]);
	}
	wait_for(&c[0], f.waited);
	assert_true(now_ms() >= began + PATIENT_MS - 1);
	wait_for(&c[0], f.waited == CLIENTS);
	for (int i = 0; i < CLIENTS; i++) {
		expect_body(&c[i], ids[i], "/beat");
		client_done(&c[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(heartbeats_wait_for_each_other), t(another_request_makes_it_prompt), t(heartbeats_among_others_do_not_wait),
		t(one_that_waits_for_each_answer_is_prompt),
		t(one_that_is_still_served_makes_it_prompt),
		t(an_event_of_a_watch_makes_it_prompt), t(a_client_that_leaves_is_noticed), t_slow(idle_ones_are_closed),
		{ "nothing_wakes_the_loop_when_nothing_comes", nothing_wakes_the_loop_when_nothing_comes, setup, teardown, NULL },
		t(the_server_stops), t(many_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
