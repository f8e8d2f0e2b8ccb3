/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* events.k8s.io/v1: the other version of core/v1's Event (convert_events.c). */
#include "rows.h"

#define PACKAGE "io.k8s.api.events.v1"

TYPE(events_event, "Event",
	STR("action", 6),
	STR("apiVersion", 0),
	INT32("deprecatedCount", 15),
	TIME("deprecatedFirstTimestamp", 13),
	TIME("deprecatedLastTimestamp", 14),
	OBJ("deprecatedSource", 12, event_source),
	MICRO_TIME("eventTime", 2, IS(REQUIRED)),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	STR("note", 10),
	STR("reason", 7),
	OBJ("regarding", 8, object_reference),
	OBJ("related", 9, object_reference, IS(POINTER)),
	STR("reportingController", 4),
	STR("reportingInstance", 5),
	OBJ("series", 3, events_event_series, IS(POINTER)),
	STR("type", 11));

TYPE(events_event_series, "EventSeries",
	INT32("count", 1, IS(REQUIRED)),
	MICRO_TIME("lastObservedTime", 2, IS(REQUIRED)));
