/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_API_ROWS_H
#define XB_API_ROWS_H
/*
 * How the tables of types are written. A row names its field and its number in protobuf (0: not a field there) and then,
 * where it has them: IN(number of the embedded message), IS(flags), OR(default as JSON), KEYS(patch merge key, list map
 * keys). Rows stand in the order of their names (a test checks it).
 */
#include "types.h"

#define ROW(name_, number_, kind_, shape_, type_, ...) \
	{ .name = name_, .name_len = sizeof(name_) - 1, .number = number_, .kind = kind_, .shape = shape_, .type = type_, __VA_ARGS__ }
#define TYPE_(id, name_, atomic_, ...) \
	static const struct xb_field id##_fields[] = { __VA_ARGS__ }; \
	const struct xb_type xb_type_##id = { .name = name_, .package = PACKAGE, .fields = id##_fields, \
					      .n_fields = ARRAY_SIZE(id##_fields), .atomic = atomic_ }
#define TYPE(id, name, ...) TYPE_(id, name, false, __VA_ARGS__)
#define ATOMIC_TYPE(id, name, ...) TYPE_(id, name, true, __VA_ARGS__) /* x-kubernetes-map-type: atomic */

#define IN(n) .embedded = n
#define IS(...) .flags = __VA_ARGS__
#define OR(json) .fallback = json
#define KEYS(merge, map) .merge_key = merge, .map_keys = map

#define REQUIRED XB_F_REQUIRED
#define POINTER XB_F_POINTER
#define MERGE XB_F_MERGE
#define RETAIN_KEYS XB_F_RETAIN_KEYS
#define REPLACE XB_F_REPLACE
#define ATOMIC XB_F_ATOMIC
#define GRANULAR XB_F_GRANULAR
#define LIST_SET XB_F_LIST_SET
#define LIST_MAP XB_F_LIST_MAP

#define STR(name, number, ...) ROW(name, number, XB_T_STRING, XB_ONE, NULL, __VA_ARGS__)
#define BOOL(name, number, ...) ROW(name, number, XB_T_BOOL, XB_ONE, NULL, __VA_ARGS__)
#define INT32(name, number, ...) ROW(name, number, XB_T_INT32, XB_ONE, NULL, __VA_ARGS__)
#define INT64(name, number, ...) ROW(name, number, XB_T_INT64, XB_ONE, NULL, __VA_ARGS__)
#define BYTES(name, number, ...) ROW(name, number, XB_T_BYTES, XB_ONE, NULL, __VA_ARGS__)
#define TIME(name, number, ...) ROW(name, number, XB_T_TIME, XB_ONE, NULL, __VA_ARGS__)
#define MICRO_TIME(name, number, ...) ROW(name, number, XB_T_MICRO_TIME, XB_ONE, NULL, __VA_ARGS__)
#define QUANTITY(name, number, ...) ROW(name, number, XB_T_QUANTITY, XB_ONE, NULL, __VA_ARGS__)
#define INT_OR_STR(name, number, ...) ROW(name, number, XB_T_INT_OR_STRING, XB_ONE, NULL, __VA_ARGS__)
#define ANY(name, number, ...) ROW(name, number, XB_T_ANY, XB_ONE, NULL, __VA_ARGS__)
#define OBJ(name, number, id, ...) ROW(name, number, XB_T_OBJECT, XB_ONE, &xb_type_##id, __VA_ARGS__)
#define LIST(name, number, id, ...) ROW(name, number, XB_T_OBJECT, XB_LIST, &xb_type_##id, __VA_ARGS__)
#define STR_LIST(name, number, ...) ROW(name, number, XB_T_STRING, XB_LIST, NULL, __VA_ARGS__)
#define INT32_LIST(name, number, ...) ROW(name, number, XB_T_INT32, XB_LIST, NULL, __VA_ARGS__)
#define INT64_LIST(name, number, ...) ROW(name, number, XB_T_INT64, XB_LIST, NULL, __VA_ARGS__)
#define STR_MAP(name, number, ...) ROW(name, number, XB_T_STRING, XB_MAP, NULL, __VA_ARGS__)
#define STRINGS_MAP(name, number, ...) ROW(name, number, XB_T_STRINGS, XB_MAP, NULL, __VA_ARGS__)
#define TIME_MAP(name, number, ...) ROW(name, number, XB_T_TIME, XB_MAP, NULL, __VA_ARGS__)
#define BYTES_MAP(name, number, ...) ROW(name, number, XB_T_BYTES, XB_MAP, NULL, __VA_ARGS__)
#define QUANTITY_MAP(name, number, ...) ROW(name, number, XB_T_QUANTITY, XB_MAP, NULL, __VA_ARGS__)

#endif
