/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_DESCRIBE_H
#define XB_DESCRIBE_H
/*
 * What types and fields are for, a sentence each, for those that people look up: "kubectl explain" shows them.
 */

/*
 * type and field as in xb/schema.h; field "" is the type itself. Fields that mean the same wherever they stand ("spec",
 * "apiVersion") are found for any type. Static text, or NULL when there is none. Any thread.
 */
const char *xb_describe(const char *type, const char *field);

#endif
