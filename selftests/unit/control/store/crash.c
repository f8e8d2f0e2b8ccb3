/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kill -9 under load, many times. A child opens the store, compares it with a ledger in shared memory, which outlives it,
 * and then writes with many writers at once; it notes in the ledger each write the store has acknowledged. It ends
 * only by being killed, sometimes while it still opens. Between lives nobody closes the store.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "fixture.h"

#define LIVES 100
#define WRITERS 24
#define KEYS 300
#define MOST 2000000

struct entry {
	int key, n; /* n < 0: deleted */
};
static struct ledger {
	_Atomic uint64_t acked_count;
	uint64_t acked[MOST];          /* revisions, in the order of acknowledgement */
	struct entry writes[MOST];     /* by revision, noted at the acknowledgement */
	struct entry events[MOST];     /* by revision, from the history */
	_Atomic uint64_t resume;       /* the watch client's last resourceVersion */
	/* The world by its events: revision << 20 | n, n is 0 when there is no such key. One word, so a kill leaves it whole. */
	_Atomic uint64_t model[KEYS];
	_Atomic int life_ready;        /* opened and verified */
	char failure[256];
	unsigned opened;
	uint64_t compacted;
} *ledger;

#define DEMAND(condition, ...) \
	do { \
		if (!(condition)) { \
			snprintf(ledger->failure, sizeof(ledger->failure), __VA_ARGS__); \
			_exit(1); \
		} \
	} while (0)

static int key_of(const struct store_object *o)
{
	return atoi(strrchr(o->key, '/') + 1);
}

static int model_n(int key)
{
	return ledger->model[key] & 0xfffff;
}

static void resume_watch(struct store *s)
{
	const struct store_event *e;
	struct store_watch *w;
	int r = store_watch_new(s, "pods/", ledger->resume, NULL, NULL, &w);

	DEMAND(!r, "watch from %" PRIu64 ": %d, compacted %" PRIu64, ledger->resume, r, store_compacted(s));
	while ((e = store_watch_next(w))) {
		int key = key_of(e->object), n = fixture_n(e->object);
		int was = model_n(key);
		bool deleted = e->type == STORE_DELETED, seen = ledger->model[key] >> 20 == e->revision;

		/* no write of this test ever fails, so the history has no gaps */
		DEMAND(e->revision == ledger->resume + 1, "event %" PRIu64 " after %" PRIu64, e->revision, ledger->resume);
		DEMAND(seen || !was == (e->type == STORE_ADDED), "event %" PRIu64 " of type %d", e->revision, e->type);
		DEMAND(seen || !was || fixture_n(e->previous) == was, "event %" PRIu64 ": previous", e->revision);
		ledger->events[e->revision] = (struct entry){ key, deleted ? -n : n };
		ledger->model[key] = e->revision << 20 | (deleted ? 0 : n);
		ledger->resume = e->revision;
	}
	DEMAND(!store_watch_error(w), "watch error %d", store_watch_error(w));
	store_watch_free(w);
}

static void verify(struct store *s)
{
	uint64_t compacted = store_compacted(s);
	struct store_walk *walk;
	struct store_object *o;
	int keys = 0, expected = 0;

	resume_watch(s);
	DEMAND(store_revision(s) == ledger->resume, "revision %" PRIu64 " but events to %" PRIu64,
	       store_revision(s), ledger->resume);
	for (uint64_t i = 0; i < ledger->acked_count; i++) {
		uint64_t r = ledger->acked[i];

		DEMAND(r <= ledger->resume, "acknowledged revision %" PRIu64 " is lost", r);
		DEMAND(!memcmp(&ledger->events[r], &ledger->writes[r], sizeof(ledger->events[r])), "revision %" PRIu64 " changed", r);
	}
	DEMAND(!store_walk_new(s, "", NULL, 0, &walk), "walk");
	while ((o = store_walk_next(walk))) {
		DEMAND(model_n(key_of(o)) == fixture_n(o), "key %s is not as its events say", o->key);
		keys++;
	}
	store_walk_free(walk);
	for (int i = 0; i < KEYS; i++)
		expected += model_n(i) > 0;
	DEMAND(keys == expected, "%d keys, events say %d", keys, expected);
	ledger->compacted = MAX(ledger->compacted, compacted);
}

struct writer {
	struct store *s;
	struct entry now;
	unsigned *seed;
};

static void go_on(struct writer *w);

static void acked(void *arg, int error, struct store_object *o)
{
	struct writer *w = arg;
	uint64_t n = ledger->acked_count;

	DEMAND(!error, "write failed: %d", error);
	DEMAND(o->revision < MOST, "ledger is full");
	ledger->writes[o->revision] = w->now;
	ledger->acked[n] = o->revision;
	ledger->acked_count = n + 1;
	go_on(w);
}

static void go_on(struct writer *w)
{
	static char buf[4096];
	int n = 1 + rand_r(w->seed) % 1000000, r;
	/* of some lengths only, so that there are parts; one with a number of its own, now and then */
	int pad = rand_r(w->seed) % 8 ? 20 : rand_r(w->seed) % 16 * 200 + 1;
	int length = snprintf(buf, sizeof(buf), "{\"metadata\":{\"resourceVersion\":\"\"},\"n\":%d,\"pad\":\"%0*d\"}", n, pad,
			      rand_r(w->seed) % 4 ? 0 : n);
	const struct store_value v = {
		.bytes = { buf, length },
		.hole = FIXTURE_HOLE,
		.n_spans = 1,
		.spans = { { strrchr(buf, ':') + 1 - buf, buf + length - 1 - (strrchr(buf, ':') + 1) } },
	};
	struct store_object *head;
	char key[32];

	w->now = (struct entry){ rand_r(w->seed) % KEYS, n };
	snprintf(key, sizeof(key), "pods/ns%d/%d", w->now.key % 7, w->now.key);
	head = store_head(w->s, key);
	if (head && rand_r(w->seed) % 4 == 0) {
		w->now.n = -n;
		r = store_delete(w->s, key, head->revision, &v, acked, w);
	} else {
		r = store_put(w->s, key, head ? head->revision : 0, &v, acked, w);
	}
	DEMAND(!r, "write refused: %d", r);
}

static void live(const char *dir, unsigned seed, bool last)
{
	static struct writer writers[WRITERS];
	char *why = NULL;
	/* more than the fastest disk takes in one life, and far less than all lives write */
	struct store_config config = { .data_dir = dir, .history_bytes = 16 << 20 };
	struct store *s;
	uv_loop_t loop;
	int r;

	uv_loop_init(&loop);
	config.loop = &loop;
	r = store_open(&config, &s, &why);
	DEMAND(!r, "open: %d: %s", r, why ? why : "");
	verify(s);
	DEMAND(!store_relax(s, "pods/ns3/") && !store_relax(s, "pods/ns5/"), "relax");
	ledger->opened++;
	ledger->life_ready = 1;
	if (last)
		raise(SIGKILL);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .s = s, .seed = &seed };
		go_on(&writers[i]);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	_exit(0);
}

static void one_life(const struct fixture *f, unsigned seed, bool last)
{
	bool early = !last && rand_r(&seed) % 5 == 0;
	pid_t pid;
	int status;

	ledger->life_ready = 0;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		live(f->dir, seed, last);
	while (!early && !ledger->life_ready && !ledger->failure[0])
		usleep(500);
	usleep(rand_r(&seed) % (early ? 8000 : 60000));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (ledger->failure[0])
		fail_msg("%s", ledger->failure);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_kill(void **state)
{
	struct fixture f;

	fixture_init(&f);
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(ledger, MAP_FAILED);
	ledger->resume = 1;
	for (unsigned i = 0; i <= LIVES; i++)
		one_life(&f, 1 + i, i == LIVES);
	print_message("%u lives verified, %" PRIu64 " writes acknowledged, %" PRIu64 " committed, compacted to %" PRIu64 "\n",
		      ledger->opened, ledger->acked_count, ledger->resume - 1, ledger->compacted);
	assert_true(ledger->acked_count > LIVES);
	munmap(ledger, sizeof(*ledger));
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kill) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
