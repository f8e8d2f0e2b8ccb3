/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#include "xb/arena.h"
#include "xb/file.h"
#include "xb/trim.h"

#define FIRST_MS        (30 * 1000)
#define EVERY_MS        (5 * 60 * 1000)
#define PAGEMAP_FILE    (1ULL << 61)    /* Documentation/admin-guide/mm/pagemap.rst: a page of the file, not a private copy of it */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGES_AT_ONCE   512U

struct xb_trimmer {
	uv_timer_t timer;
};

struct walk {
	int pagemap;
	size_t page;
};

static bool is_clean(uint64_t entry)
{
	return (entry & (PAGEMAP_FILE | PAGEMAP_PRESENT)) == (PAGEMAP_FILE | PAGEMAP_PRESENT);
}

static void release_clean(const struct walk *w, uintptr_t begin, const uint64_t *entries, size_t n)
{
	for (size_t i = 0, end; i < n; i = end + 1) {
		for (end = i; end < n && is_clean(entries[end]); end++)
			;
		if (end > i)
			madvise((void *)(begin + i * w->page), (end - i) * w->page, MADV_DONTNEED);
	}
}

/* Nobody but a debugger writes to these, so what is the file's page when it is looked at is so still when it is given back. */
static void release_segment(const struct walk *w, uintptr_t begin, uintptr_t end)
{
	uint64_t entries[PAGES_AT_ONCE];

	for (begin -= begin % w->page; begin < end; begin += sizeof(entries) / sizeof(*entries) * w->page) {
		size_t pages = MIN((end - begin + w->page - 1) / w->page, PAGES_AT_ONCE);
		ssize_t n = pread(w->pagemap, entries, pages * sizeof(*entries), begin / w->page * sizeof(*entries));

		if (n <= 0)
			return;
		release_clean(w, begin, entries, n / sizeof(*entries));
	}
}

/* Called under the loader's lock: none of the mappings comes or goes meanwhile. */
static int release_object(struct dl_phdr_info *o, size_t size, void *arg)
{
	for (size_t i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &o->dlpi_phdr[i];

		if (h->p_type == PT_LOAD && !(h->p_flags & PF_W))
			release_segment(arg, o->dlpi_addr + h->p_vaddr, o->dlpi_addr + h->p_vaddr + h->p_memsz);
	}
	return 0;
}

void xb_trim(void)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct walk w = { .pagemap = fd, .page = (size_t)sysconf(_SC_PAGESIZE) };

	while (xb_arena_trim())
		;
	malloc_trim(0);
	if (fd >= 0)
		dl_iterate_phdr(release_object, &w);
}

static void on_timer(uv_timer_t *timer)
{
	xb_trim();
}

int xb_trimmer_new(uv_loop_t *loop, struct xb_trimmer **ret)
{
	struct xb_trimmer *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	uv_timer_init(loop, &t->timer);
	t->timer.data = t;
	uv_timer_start(&t->timer, on_timer, FIRST_MS, EVERY_MS);
	*ret = t;
	return 0;
}

static void closed(uv_handle_t *h)
{
	free(h->data);
}

struct xb_trimmer *xb_trimmer_free(struct xb_trimmer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->timer, closed);
	return NULL;
}
