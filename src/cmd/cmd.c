/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.c - the table of commands. */
#include "config.h"

#include "cmd/cmd.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

extern const struct cmd cmd_bench, cmd_cache, cmd_cat, cmd_check_conf,
	cmd_convert, cmd_erasures, cmd_export, cmd_extract, cmd_get, cmd_help,
	cmd_ls, cmd_mount, cmd_publish, cmd_reap, cmd_rebuild, cmd_repack,
	cmd_route, cmd_stat, cmd_tombstone, cmd_top, cmd_umount, cmd_verify,
	cmd_version;

/* clang-format off */
const struct cmd *const cmd_table[] = {
	&cmd_mount, &cmd_umount, &cmd_top,
	&cmd_ls, &cmd_cat, &cmd_stat, &cmd_extract, &cmd_get, &cmd_export,
	&cmd_tombstone, &cmd_verify, &cmd_repack, &cmd_reap,
	&cmd_erasures, &cmd_rebuild, &cmd_publish, &cmd_convert,
	&cmd_check_conf, &cmd_cache, &cmd_bench,
	&cmd_route, &cmd_version, &cmd_help,
	NULL,
};
/* clang-format on */

/* More than this many letters wrong is another word. */
#define LIKE_MAX 3u
#define NAME_MAX_LEN 16u

const struct cmd *cmd_by_name(const char *name)
{
	for (size_t i = 0; cmd_table[i]; i++) {
		if (!strcmp(cmd_table[i]->name, name))
			return cmd_table[i];
	}
	return NULL;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Letters to insert, delete or change (Levenshtein 1966); b is short. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_LEN + 1];
	size_t n = strlen(b);

	for (size_t i = 0; i <= n; i++)
		row[i] = (unsigned int)i;
	for (size_t j = 1; a[j - 1]; j++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)j;
		for (size_t i = 1; i <= n; i++) {
			unsigned int change = diagonal + (a[j - 1] != b[i - 1]);

			diagonal = row[i];
			row[i] = least(change, least(row[i], row[i - 1]) + 1);
		}
	}
	return row[n];
}

const struct cmd *cmd_like(const char *name)
{
	const struct cmd *best = NULL;
	unsigned int best_distance = LIKE_MAX;

	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; cmd_table[i]; i++) {
		const char *candidate = cmd_table[i]->name;
		unsigned int d = distance(name, candidate);

		/* Half of a short word may be wrong, not all of it. */
		if (d >= best_distance || 2 * d > strlen(candidate))
			continue;
		best = cmd_table[i];
		best_distance = d;
	}
	return best;
}

void cmd_print_help(FILE *to, const struct cmd *cmd)
{
	CLEANUP_FREE char *program = xasprintf("desfs %s", cmd->name);
	CLEANUP_FREE char *summary =
		xasprintf("\n%c%s; see desfs-%s(1).", cmd->summary[0] & ~0x20,
			  cmd->summary + 1, cmd->name);

	opt_print_help(to, program, cmd->usage, summary, cmd->opts,
		       cmd->n_opts);
}

void cmd_print_overview(FILE *to)
{
	fprintf(to, "\nCommands:\n");
	for (size_t i = 0; cmd_table[i]; i++)
		fprintf(to, "  %-12s%s\n", cmd_table[i]->name,
			cmd_table[i]->summary);
	fprintf(to, "\n'desfs help COMMAND' tells more of one; desfs-pack "
		    "makes archives.\n");
}
