/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "store.h"

void store_print(struct printer *p, const char *path, const struct store_report *r)
{
	print_string(p, "path", path);
	print_number(p, "revision", r->revision);
	print_number(p, "compacted", r->compacted);
	print_number(p, "keys", r->keys);
	print_number(p, "bytes", r->bytes);
	print_number(p, "rows", r->rows);
	print_number(p, "parts", r->parts);
	print_number(p, "fileBytes", r->file_bytes);
	print_group(p, "kinds");
	for (size_t i = 0; i < r->n_kinds; i++)
		print_number(p, r->kinds[i].name, r->kinds[i].keys);
	print_group_end(p);
	print_string(p, "check", "ok");
}
