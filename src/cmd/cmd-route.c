/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-route.c - desfs route: where a file lives, by arithmetic. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/human.h"
#include "base/opt-rows.h"
#include "base/timestamp.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "shard/route.h"

#define N_BITS_UID 8u
#define N_BITS_PARENT 4u

struct route_options {
	unsigned int n_bits; /* 0: the default of the route */
	unsigned int route;
	unsigned int format;
	bool json;
};

static const char *const kinds[] = { "uid", "parent", NULL };

static const struct opt route_opts[] = {
	{ .name = "n-bits",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = ROUTE_BITS_MIN,
	  .max = ROUTE_BITS_MAX,
	  .offset = offsetof(struct route_options, n_bits),
	  .help = "there are 2^N slots [8; 4 with --route parent]" },
	{ .name = "route",
	  .arg = "uid|parent",
	  .kind = OPT_CHOICE,
	  .choices = kinds,
	  .offset = offsetof(struct route_options, route),
	  .help = "hash the uid, or the directory it is in [uid]" },
	{ .name = "format",
	  .arg = "3|2",
	  .kind = OPT_UINT,
	  .min = 2,
	  .max = 3,
	  .offset = offsetof(struct route_options, format),
	  .help = "format of the archive [3]" },
	OPT_ROW_JSON(struct route_options, json, "print one JSON object"),
};

static void print_uid(const char *uid)
{
	CLEANUP_BUF struct buf b = { .max = 16u << 20 };

	if (isatty(STDOUT_FILENO))
		name_escape(&b, uid, strlen(uid));
	else
		buf_append_str(&b, uid);
	printf("uid: %s\n", buf_str(&b));
}

static void print_json(const char *uid, const struct route *r)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	json_row_begin(&b);
	json_row_str(&b, "uid", uid);
	json_row_str(&b, "day", r->day);
	json_row_u64(&b, "slot", r->slot);
	json_row_str(&b, "hex", r->hex);
	json_row_str(&b, "key", r->key);
	json_row_end(&b, stdout);
}

static enum rc route_run(const void *options, int argc, char **argv,
			 struct err *err)
{
	const struct route_options *o = options;
	struct timestamp created_at = timestamp_from_us(clock_wall_us());
	unsigned int n_bits = o->n_bits;
	struct route r;
	enum rc rc = RC_OK;

	if (!n_bits)
		n_bits = o->route == ROUTE_PARENT ? N_BITS_PARENT : N_BITS_UID;
	if (argc > 1)
		rc = timestamp_parse(argv[1], &created_at, err);
	if (!rc)
		rc = locate_shard((enum route_format)o->format,
				  (enum route_kind)o->route, n_bits, argv[0],
				  strlen(argv[0]), &created_at, &r, err);
	if (rc)
		return rc;
	if (o->json) {
		print_json(argv[0], &r);
		return RC_OK;
	}
	print_uid(argv[0]);
	printf("day: %s\nslot: %u\nhex: %s\nkey: %s\n", r.day, r.slot, r.hex,
	       r.key);
	return RC_OK;
}

static const struct route_options route_defaults = { .format = ROUTE_V3 };

const struct cmd cmd_route = {
	.name = "route",
	.usage = "[OPTION]... [--] UID [CREATED_AT]",
	.summary = "print the day, slot and key of a file",
	.opts = route_opts,
	.n_opts = ARRAY_LEN(route_opts),
	.defaults = &route_defaults,
	.options_size = sizeof(route_defaults),
	.min_args = 1,
	.max_args = 2,
	.run = route_run,
};
