/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>

#include "needed.h"
#include "xb/str.h"
#include "xb/why.h"
#include "../xalloc.h"

/* Where the dynamic linker of this host looks, by what it told this program. A new string. */
static char *find_object(const char *name)
{
	void *self = dlopen(NULL, RTLD_NOW);
	_cleanup_free_ Dl_serinfo *paths = NULL;
	Dl_serinfo size;
	char *found = NULL;

	if (!self || dlinfo(self, RTLD_DI_SERINFOSIZE, &size))
		return NULL;
	paths = xalloc(malloc(size.dls_size));
	if (dlinfo(self, RTLD_DI_SERINFOSIZE, paths) || dlinfo(self, RTLD_DI_SERINFO, paths))
		return NULL;
	for (unsigned i = 0; !found && i < paths->dls_cnt; i++) {
		found = xprintf("%s/%s", paths->dls_serpath[i].dls_name, name);
		if (access(found, R_OK) < 0) {
			free(found);
			found = NULL;
		}
	}
	dlclose(self);
	return found;
}

static int give_needed(Elf *elf, Elf_Scn *section, const GElf_Shdr *h, const char *path,
		       int (*each)(void *arg, const char *path), void *arg, char **reterr_why)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Dyn entry;
	int r = 0;

	for (int i = 0; !r && data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *name = entry.d_tag == DT_NEEDED ? elf_strptr(elf, h->sh_link, entry.d_un.d_val) : NULL;
		_cleanup_free_ char *object = name ? find_object(name) : NULL;

		if (name && !object)
			return xb_why(reterr_why, -ENOENT, "'%s' needs %s, which is nowhere on this host", path, name);
		r = object ? each(arg, object) : 0;
	}
	return r;
}

static int give_interpreter(Elf *elf, int (*each)(void *arg, const char *path), void *arg)
{
	GElf_Phdr h;
	size_t n, size;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (size_t i = 0; i < n && gelf_getphdr(elf, (int)i, &h); i++) {
		const char *image = elf_rawfile(elf, &size);

		if (h.p_type == PT_INTERP && image && h.p_filesz && h.p_offset < size && h.p_filesz <= size - h.p_offset &&
		    !image[h.p_offset + h.p_filesz - 1])
			return each(arg, image + h.p_offset);
	}
	return 0;
}

static int read_elf(Elf *elf, const char *path, int (*each)(void *arg, const char *path), void *arg, char **reterr_why)
{
	Elf_Scn *section = NULL;
	GElf_Shdr h;
	int r = give_interpreter(elf, each, arg);

	while (!r && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &h) && h.sh_type == SHT_DYNAMIC)
			r = give_needed(elf, section, &h, path, each, arg, reterr_why);
	return r;
}

int needed_each(const char *path, int (*each)(void *arg, const char *path), void *arg, char **reterr_why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = NULL;
	int r = 0;

	if (fd < 0)
		return xb_why(reterr_why, -errno, "cannot open '%s': %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		r = read_elf(elf, path, each, arg, reterr_why);
	elf_end(elf);
	return r;
}
