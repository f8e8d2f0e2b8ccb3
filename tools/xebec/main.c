/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "command.h"
#include "xb/why.h"

static const struct command *const commands[] = {
	&up_command,
	&down_command,
	&status_command,
	&kubeconfig_command,
	&exec_command,
	&supervise_command,
	&containerd_command,
	&images_build_demo_command,
	&images_import_command,
	&images_serve_command,
	&store_snapshot_command,
	&store_restore_command,
	&store_status_command,
	&services_command,
	&backends_command,
	&flows_command,
	&drops_command,
	&check_command,
	&explain_command,
	&map_command,
	&top_command,
};

static const char *verb_of(const struct command *c)
{
	return c->verb ? c->verb : "";
}

static bool is_word(const struct xb_flag *f)
{
	return f->type == XB_FLAG_ARGUMENT || f->type == XB_FLAG_WORDS || f->type == XB_FLAG_REST;
}

/* "xebec store snapshot FILE" */
static void add_usage(const struct command *c, struct xb_buf *out)
{
	xb_buf_addf(out, "xebec %s%s%s", c->object, c->verb ? " " : "", verb_of(c));
	for (size_t i = 0; i < c->n_rows; i++)
		if (is_word(&c->rows[i]))
			xb_buf_addf(out, " %s", c->rows[i].name);
}

static int print_help(const struct command *c)
{
	_cleanup_buf_ struct xb_buf usage = {}, text = {};

	add_usage(c, &usage);
	if (!usage.err)
		xb_flags_help(c->rows, c->n_rows, usage.p, c->purpose, &text);
	if (usage.err || text.err)
		return -ENOMEM;
	return fputs(text.p, stdout) < 0 ? -EIO : 0;
}

static int check_arguments(const struct command *c, const void *options, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf usage = {};

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct xb_flag *f = &c->rows[i];

		if (!is_word(f) || f->name[0] == '[' || *(const char *const *)((const char *)options + f->offset))
			continue;
		add_usage(c, &usage);
		return usage.err ? usage.err : xb_why(reterr_why, -EINVAL, "%s is missing: %s", f->name, usage.p);
	}
	return 0;
}

/* As a command's run; 1: what it found is bad, and was printed. */
static int run_parsed(const struct command *c, const void *options, char **reterr_why)
{
	const struct common *common = options;
	_cleanup_(print_done) struct printer p = {};
	int r;

	if (common->help)
		return print_help(c);
	r = check_arguments(c, options, reterr_why);
	if (r)
		return r;
	print_begin(&p, common->output);
	r = c->run(options, &p, reterr_why);
	if (!r)
		r = print_end(&p);
	return r ? r : p.bad;
}

static int run(const struct command *c, int argc, char **argv)
{
	_cleanup_free_ void *options = calloc(1, c->options_size);
	_cleanup_free_ char *why = NULL;
	int r = options ? 0 : -ENOMEM;

	if (!r)
		r = xb_flags_parse(c->rows, c->n_rows, argc, argv, options, &why);
	if (!r)
		r = run_parsed(c, options, &why);
	if (options)
		xb_flags_done(c->rows, c->n_rows, options);
	if (r < 0)
		fprintf(stderr, "xebec: %s\n", why ? why : strerror(-r));
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* All, or those of one object. */
static void list(FILE *out, const char *object)
{
	fprintf(out, "usage: xebec %s [--help]\n\n", object ? object : "OBJECT VERB");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!object || !strcmp(commands[i]->object, object))
			fprintf(out, "  %-10s %-10s  %s\n", commands[i]->object, verb_of(commands[i]), commands[i]->summary);
}

static bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

int main(int argc, char **argv)
{
	const char *object = NULL;

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		const struct command *c = commands[i];

		if (strcmp(argv[1], c->object))
			continue;
		object = c->object;
		if (!c->verb)
			return run(c, argc - 1, argv + 1);
		if (argc > 2 && !strcmp(argv[2], c->verb))
			return run(c, argc - 2, argv + 2);
	}
	if (argc < 2 || is_help(argv[object && argc > 2 ? 2 : 1])) {
		list(stdout, object);
		return EXIT_SUCCESS;
	}
	if (!object)
		fprintf(stderr, "xebec: there is no \"%s\"\n", argv[1]);
	else if (argc > 2)
		fprintf(stderr, "xebec: %s has no \"%s\"\n", object, argv[2]);
	list(stderr, object);
	return EXIT_FAILURE;
}
