/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <sys/stat.h>

#include "log_stream.h"

#define CHUNK      65536
#define LOOK_MS    200  /* between two looks whether the container is over, while somebody follows */
#define MISSES_MAX 10   /* looks for a file that is being rotated: it is not there for a moment */

struct log_stream {
	struct log_stream_config c;
	char *path;
	int fd;
	int64_t offset;
	struct log_printer printer;
	struct xb_buf pending;          /* the beginning of a line whose end was not read yet */
	struct xb_buf out;
	bool busy;                      /* a job is on the pool */
	bool again;                     /* something happened meanwhile */
	bool cancelled, waiting;        /* waiting: for the client */
	bool last_look;                 /* the container was over before this read began */
	bool blind;                     /* nothing tells of changes: look at the file itself */
	unsigned misses;
	int error;
	uv_work_t job;
	char *chunk;
	ssize_t got;
	bool rotated;                   /* the path is another file by now */
	uv_fs_event_t watch;
	uv_timer_t look;
	unsigned handles;
};

static void free_now(struct log_stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	xb_buf_done(&s->pending);
	xb_buf_done(&s->out);
	free(s->chunk);
	free(s->path);
	free(s);
}

static void on_closed(uv_handle_t *h)
{
	struct log_stream *s = h->data;

	if (!--s->handles)
		free_now(s);
}

static void dispose(struct log_stream *s)
{
	uv_close((uv_handle_t *)&s->watch, on_closed);
	uv_close((uv_handle_t *)&s->look, on_closed);
}

static void end(struct log_stream *s, int error)
{
	void (*ended)(void *, int) = s->c.ended;
	void *arg = s->c.arg;

	dispose(s);
	ended(arg, error);
}

/* --- on the pool --- */

static int open_log(struct log_stream *s)
{
	struct stat st;

	s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (s->fd < 0)
		return -errno;
	if (fstat(s->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return s->c.wanted.tail_lines >= 0 ? log_tail(s->fd, s->c.wanted.tail_lines, &s->offset) : 0;
}

static void read_chunk(uv_work_t *w)
{
	struct log_stream *s = w->data;
	struct stat here, there;

	s->error = s->fd < 0 ? open_log(s) : 0;
	if (s->error)
		return;
	s->got = pread(s->fd, s->chunk, CHUNK, s->offset);
	s->rotated = !s->got && !fstat(s->fd, &here) && !stat(s->path, &there) && here.st_ino != there.st_ino;
	/* what was written to the old file before the new one was there */
	if (s->rotated)
		s->got = pread(s->fd, s->chunk, CHUNK, s->offset);
	if (s->got < 0)
		s->error = -errno;
}

/* --- on the loop --- */

static void read_more(struct log_stream *s);

/* False: there will be nothing more to show. */
static bool print_lines(struct log_stream *s)
{
	struct log_line line;
	struct xb_sv rest, text;
	const char *newline;

	xb_buf_add(&s->pending, s->chunk, (size_t)s->got);
	rest = xb_buf_sv(&s->pending);
	while (rest.n && (newline = memchr(rest.p, '\n', rest.n))) {
		text = (struct xb_sv){ rest.p, (size_t)(newline - rest.p) };
		rest = (struct xb_sv){ newline + 1, rest.n - text.n - 1 };
		if (!log_line_parse(text, &line) && !log_print(&s->printer, &line, &s->out))
			return false;
	}
	/* no runtime writes lines that long: not one of its log, so that memory stays bounded */
	if (rest.n > 4 * CHUNK)
		rest.n = 0;
	if (rest.n)
		memmove(s->pending.p, rest.p, rest.n);
	s->pending.n = rest.n;
	return true;
}

static void go_to_new_file(struct log_stream *s)
{
	close(TAKE_FD(s->fd));
	s->offset = 0;
	s->misses = 0;
	s->pending.n = 0;
	s->c.wanted.tail_lines = -1;
}

/* Nothing more is there for now. */
static void at_end(struct log_stream *s)
{
	if (s->rotated && s->c.wanted.follow) {
		go_to_new_file(s);
		read_more(s);
	} else if (!s->c.wanted.follow || s->last_look) {
		end(s, 0);
	} else if (!s->c.running(s->c.arg)) {
		s->last_look = true; /* what it wrote between the read and its end */
		read_more(s);
	} else if (s->again) {
		read_more(s);
	}
}

static void on_look(uv_timer_t *t);

static bool may_come(struct log_stream *s)
{
	if (s->error != -ENOENT || s->misses++ >= MISSES_MAX || !s->c.running(s->c.arg))
		return false;
	if (!uv_is_active((uv_handle_t *)&s->look))
		uv_timer_start(&s->look, on_look, LOOK_MS, LOOK_MS);
	return true;
}

static void on_read(uv_work_t *w, int status)
{
	struct log_stream *s = w->data;
	bool more;

	s->busy = false;
	if (s->cancelled) {
		dispose(s);
		return;
	}
	if (s->error) {
		if (!may_come(s))
			end(s, s->error);
		return;
	}
	if (!s->got) {
		at_end(s);
		return;
	}
	s->offset += s->got;
	more = print_lines(s);
	if (s->pending.err || s->out.err) {
		end(s, -ENOMEM);
		return;
	}
	s->waiting = s->out.n && !s->c.text(s->c.arg, xb_buf_sv(&s->out));
	xb_buf_clear(&s->out);
	if (!more)
		end(s, 0);
	else
		read_more(s);
}

static void read_more(struct log_stream *s)
{
	if (s->busy)
		s->again = true;
	if (s->busy || s->waiting)
		return;
	s->again = false;
	s->busy = !uv_queue_work(s->c.loop, &s->job, read_chunk, on_read);
}

static void on_change(uv_fs_event_t *h, const char *name, int events, int status)
{
	read_more(h->data);
}

static void on_look(uv_timer_t *t)
{
	struct log_stream *s = t->data;

	if (s->blind || s->fd < 0 || !s->c.running(s->c.arg))
		read_more(s);
}

static void watch_file(struct log_stream *s)
{
	_cleanup_free_ char *folder = strdup(s->path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash)
		*slash = '\0';
	s->blind = !slash || uv_fs_event_start(&s->watch, on_change, folder, 0);
	uv_timer_start(&s->look, on_look, LOOK_MS, LOOK_MS);
}

int log_stream_new(const struct log_stream_config *c, struct log_stream **ret)
{
	struct log_stream *s = calloc(1, sizeof(*s));

	if (s)
		*s = (struct log_stream){ .c = *c, .path = strdup(c->path), .fd = -1, .chunk = malloc(CHUNK), .handles = 2 };
	if (!s || !s->path || !s->chunk) {
		if (s)
			free_now(s);
		return -ENOMEM;
	}
	s->printer.wanted = &s->c.wanted;
	s->job.data = s->watch.data = s->look.data = s;
	uv_fs_event_init(c->loop, &s->watch);
	uv_timer_init(c->loop, &s->look);
	if (c->wanted.follow)
		watch_file(s);
	read_more(s);
	*ret = s;
	return 0;
}

void log_stream_resume(struct log_stream *s)
{
	s->waiting = false;
	read_more(s);
}

void log_stream_cancel(struct log_stream *s)
{
	if (!s)
		return;
	s->cancelled = true;
	if (!s->busy)
		dispose(s);
}
