/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_PRIORITYCLASS_H
#define REGISTRY_PRIORITYCLASS_H
/* The classes that every cluster has (scheduling's SystemPriorityClasses). */
#include "strategy.h"

struct system_priority_class {
	const char *name, *description;
	int64_t value;
};
extern const struct system_priority_class system_priority_classes[]; /* ends with {} */

#endif
