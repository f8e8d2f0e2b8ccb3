/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "log_choose.h"

static struct xb_jv status_of(struct xb_jv status, const char *container)
{
	static const char *const lists[] = { "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(status, lists[i])); xb_jit_next(&it);)
			if (xb_jv_streq(xb_jv_get(it.value, "name"), xb_sv(container)))
				return it.value;
	return (struct xb_jv){};
}

static void say_waiting(struct xb_jv waiting, struct xb_buf *why)
{
	struct xb_jv reason = xb_jv_get(waiting, "reason");

	if (xb_jv_streq(reason, XB_SV("ErrImagePull")))
		xb_buf_adds(why, "is waiting to start: image can't be pulled");
	else if (xb_jv_streq(reason, XB_SV("ImagePullBackOff")))
		xb_buf_adds(why, "is waiting to start: trying and failing to pull image");
	else
		xb_buf_addf(why, "is waiting to start: %.*s", XB_SV_ARG(xb_jv_text(reason)));
}

int log_choose(struct xb_jv status, const char *pod, const char *container, bool previous, char **ret_id, struct xb_buf *why)
{
	struct xb_jv s = status_of(status, container), state = xb_jv_get(s, "state");
	struct xb_jv last = xb_jv_path(s, "lastState", "terminated"), ended = xb_jv_get(state, "terminated");
	struct xb_jv last_id = xb_jv_get(last, "containerID"), id = {};
	_cleanup_free_ char *text = NULL;
	char *behind;

	if (previous)
		id = last_id;
	else if (xb_jv_is(xb_jv_get(state, "running")))
		id = xb_jv_get(s, "containerID");
	else
		id = xb_jv_text(xb_jv_get(ended, "containerID")).n ? xb_jv_get(ended, "containerID") : last_id;
	if (!xb_jv_text(id).n) {
		xb_buf_addf(why, "%scontainer \"%s\" in pod \"%s\" ", previous && xb_jv_is(s) ? "previous terminated " : "", container, pod);
		if (!xb_jv_is(s))
			xb_buf_adds(why, "is not available");
		else if (previous)
			xb_buf_adds(why, "not found");
		else if (xb_jv_is(ended) || xb_jv_is(last))
			xb_buf_adds(why, "is terminated");
		else if (xb_jv_is(xb_jv_get(state, "waiting")))
			say_waiting(xb_jv_get(state, "waiting"), why);
		else
			xb_buf_adds(why, "is waiting to start - no logs yet");
		return why->err ? why->err : -ENOENT;
	}
	text = xb_jv_dup(id);
	if (!text)
		return -ENOMEM;
	behind = strstr(text, "://");
	*ret_id = strdup(behind ? behind + 3 : text);
	return *ret_id ? 0 : -ENOMEM;
}
