/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-erasures.c - desfs erasures: how deletions stand, and the proof of them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/human.h"
#include "base/opt-rows.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/entry-text.h"
#include "cmd/json-row.h"
#include "cmd/open-log.h"
#include "cmd/repack-options.h"
#include "cmd/tell.h"
#include "conf/conf-opts.h"
#include "repack/erasure-list.h"
#include "repack/erasure-verify.h"
#include "repack/tombstone-name.h"
#include "volume/oplog-state.h"

struct erasures_options {
	bool json, all;
	int64_t margin; /* seconds */
	unsigned int jobs;
	const char *uid, *salt, *until, *created_at;
	struct conf conf;
};

#define AT(field) .offset = offsetof(struct erasures_options, field)

static const struct opt erasures_opts[] = {
	{ .name = "all",
	  .kind = OPT_FLAG,
	  AT(all),
	  .help = "also list receipts of what is done" },
	{ .name = "margin",
	  .arg = "T",
	  .kind = OPT_CALLBACK,
	  AT(margin),
	  .fn = parse_grace,
	  .help = "in danger so long before the deadline: seconds, or with s, m, h or d [12h]" },
	{ .name = "uid",
	  .arg = "UID",
	  .kind = OPT_STRING,
	  AT(uid),
	  .help = "verify: find the receipts of UID, and whether it is gone" },
	{ .name = "salt",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(salt),
	  .help = "verify: a salt that is not in the archive any more" },
	{ .name = "until",
	  .arg = "T",
	  .kind = OPT_STRING,
	  AT(until),
	  .help = "verify: all versions up to T were deleted [any]" },
	{ .name = "created-at",
	  .arg = "T",
	  .kind = OPT_STRING,
	  AT(created_at),
	  .help = "verify: the version of T alone was deleted [any]" },
	OPT_ROW_JOBS(struct erasures_options, jobs,
		     "look into N shards at once [one a processor]"),
	OPT_ROW_JSON(struct erasures_options, json,
		     "print one JSON object for each erasure"),
	CONF_OPTS(struct erasures_options, conf)
};

struct erasures {
	const struct erasures_options *o;
	struct open_log l;
	uint64_t n_findings;
};

static unsigned int jobs_of(const struct erasures_options *o)
{
	return o->jobs ? o->jobs : workers_n_cpus();
}

/* --- the list ------------------------------------------------------------- */

static void row_words(struct buf *b, const struct erasure_words *w)
{
	json_row_str(b, "reason", erasure_reason_text(w->reason));
	if (w->by)
		json_row_str(b, "by", w->by);
	if (w->ticket)
		json_row_str(b, "ticket", w->ticket);
}

static void row_erasure(const struct erasure_event *e)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	const struct erasure *of = e->erasure->erasure;
	const struct tombstone *doc = &e->erasure->doc->doc;

	json_row_begin_kind(&b, "erasure");
	json_row_hex(&b, "id", of->id, ERASURE_ID_LEN);
	json_row_str(&b, "state", erasure_state_text(e->status.state));
	json_row_bytes(&b, "path", of->uid, of->uid_len);
	json_row_time(&b, of->range == ERASURE_ONE ? "created_at" : "until",
		      of->time);
	row_words(&b, &doc->words);
	json_row_time(&b, "asked", doc->time);
	json_row_time(&b, "deadline", e->status.deadline);
	json_row_i64(&b, "age_seconds", e->status.age / CLOCK_US_PER_SEC);
	json_row_time(&b, "pending_until", e->status.pending_until);
	json_row_bool(&b, "in_danger", e->status.is_in_danger);
	if (e->hold)
		json_row_str(&b, "hold", e->hold->key);
	if (e->problem)
		json_row_str(&b, "problem", e->problem);
	json_row_end(&b, stdout);
}

/* "3h 20m" */
static void print_age(struct buf *b, int64_t us)
{
	int64_t minutes = us / CLOCK_US_PER_SEC / 60;

	if (minutes >= 60)
		buf_printf(b, "%" PRId64 "h ", minutes / 60);
	buf_printf(b, "%" PRId64 "m", minutes % 60);
}

/* How old it is nobody knows then. */
static bool is_of_future(const struct erasure_event *e)
{
	return e->status.is_in_danger &&
	       e->erasure->doc->doc.time > clock_wall_us() + CLOCK_SKEW_US;
}

static void print_erasure(void *arg, const struct erasure_event *e)
{
	const struct erasures *c = arg;
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	const struct erasure *of = e->erasure->erasure;
	char deadline[TIMESTAMP_TEXT], id[HEX_TEXT(ERASURE_ID_LEN)];

	if (c->o->json) {
		row_erasure(e);
		return;
	}
	hex_encode(of->id, sizeof(of->id), id);
	timestamp_format(e->status.deadline, deadline);
	buf_printf(&b, "%s  %-8s  ", id, erasure_state_text(e->status.state));
	print_age(&b, e->status.age);
	buf_printf(&b, " old, deadline %s%s%s  ", deadline,
		   e->status.is_in_danger ? ", IN DANGER" : "",
		   is_of_future(e) ? ", as it is dated in the future: a clock "
				     "was wrong"
				   : "");
	name_escape(&b, of->uid, of->uid_len);
	if (e->hold) {
		buf_append_str(&b, "  held by ");
		text_escape(&b, e->hold->key, strlen(e->hold->key));
		if (!e->hold->matter)
			buf_append_str(&b, ", which is not understood and so "
					   "holds everything");
	}
	if (e->problem) {
		buf_append_str(&b, "  ");
		text_escape(&b, e->problem, strlen(e->problem));
	}
	printf("%s\n", buf_str(&b));
}

static void print_receipt(const struct erasures *c, const struct receipt *r)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char asked[TIMESTAMP_TEXT], id[HEX_TEXT(ERASURE_ID_LEN)];

	if (c->o->json) {
		json_row_begin_kind(&b, "receipt");
		json_row_hex(&b, "id", r->id, ERASURE_ID_LEN);
		json_row_bool(&b, "final", receipt_is_final(r));
		row_words(&b, &r->words);
		json_row_time(&b, "asked", r->asked);
		json_row_time(&b, "hidden", r->hidden);
		json_row_u64(&b, "replaced", r->n_replaced);
		json_row_u64(&b, "purged", r->n_purged);
		json_row_end(&b, stdout);
		return;
	}
	hex_encode(r->id, sizeof(r->id), id);
	timestamp_format(r->asked, asked);
	printf("%s  %-8s  asked %s, in %u shards\n", id,
	       receipt_is_final(r) ? "receipt" : "pending", asked,
	       r->n_replaced);
}

static enum rc list(struct erasures *c, struct err *err)
{
	const struct erasure_list_options opts = { .store = c->l.st,
						   .jobs = jobs_of(c->o),
						   .margin = c->o->margin *
							     CLOCK_US_PER_SEC,
						   .fn = print_erasure,
						   .arg = c };
	const struct oplog_state *state;
	struct erasure_counts n;

	if (erasure_list(c->l.log, &opts, &n, err))
		return err->rc;
	state = oplog_state(c->l.log);
	for (size_t i = 0; c->o->all && i < oplog_state_n_receipts(state);
	     i++) {
		const struct receipt *r = oplog_state_receipt(state, i);

		if (receipt_is_final(r))
			print_receipt(c, r);
	}
	if (!n.in_danger)
		return RC_OK;
	return err_set(err, RC_PARTIAL,
		       "%" PRIu64 " erasures are in danger of missing their 48 "
		       "hours",
		       n.in_danger);
}

/* --- verify --------------------------------------------------------------- */

static void print_finding(void *arg, const char *text)
{
	struct erasures *c = arg;
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	c->n_findings++;
	if (c->o->json) {
		json_row_begin_kind(&b, "finding");
		json_row_str(&b, "text", text);
		json_row_end(&b, stdout);
		return;
	}
	text_escape(&b, text, strlen(text));
	printf("%s\n", buf_str(&b));
}

static void print_match(void *arg, const struct receipt *r)
{
	print_receipt(arg, r);
}

static enum rc read_salt(const char *path, uint8_t salt[RECEIPT_SALT_LEN],
			 struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t more;

	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	if (read(fd, salt, RECEIPT_SALT_LEN) != RECEIPT_SALT_LEN ||
	    read(fd, &more, 1))
		return err_set(err, RC_USAGE, "%s: not a salt of %d bytes",
			       path, RECEIPT_SALT_LEN);
	return RC_OK;
}

static enum rc verify_uid(struct erasures *c, struct err *err)
{
	const struct erasures_options *o = c->o;
	struct erasure_subject s = { .uid = span_of(o->uid, strlen(o->uid)),
				     .is_until = !o->created_at,
				     .is_one = !o->until,
				     .from = INT64_MIN,
				     .to = INT64_MAX,
				     .jobs = jobs_of(o) };
	const char *text = o->created_at ? o->created_at : o->until;
	uint8_t salt[RECEIPT_SALT_LEN];
	struct tombstone_time t;
	size_t n = 0;

	if (text && tombstone_time_parse(text, &t, err))
		return err->rc;
	if (text) {
		s.from = t.from;
		s.to = t.to;
	}
	if (o->salt && read_salt(o->salt, salt, err))
		return err->rc;
	if (o->salt)
		s.salt = salt;
	if (erasure_verify_subject(c->l.log, c->l.st, &s, print_match,
				   print_finding, c, &n, err))
		return err->rc;
	return n ? RC_OK
		 : err_set(err, RC_NOENT,
			   "no receipt is of that name and these versions");
}

static enum rc verify(struct erasures *c, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	struct erasure_verified v;

	if (erasure_verify(c->l.log, c->l.st, print_finding, c, &v, err))
		return err->rc;
	if (c->o->uid && verify_uid(c, err))
		return err->rc;
	if (c->o->json) {
		json_row_begin_kind(&b, "total");
		json_row_u64(&b, "records", v.records);
		json_row_u64(&b, "links", v.links);
		json_row_u64(&b, "receipts", v.receipts);
		json_row_u64(&b, "final", v.final);
		json_row_u64(&b, "findings", c->n_findings);
		json_row_end(&b, stdout);
	} else {
		printf("%" PRIu64 " log records, %" PRIu64 " receipts, %" PRIu64
		       " of them final: %s\n",
		       v.records, v.receipts, v.final,
		       c->n_findings ? "NOT AS THEY SAY" : "all is so");
	}
	return c->n_findings ? err_set(err, RC_CORRUPT, "%" PRIu64 " findings",
				       c->n_findings)
			     : RC_OK;
}

/* --- forget --------------------------------------------------------------- */

static enum rc forget(struct erasures *c, int argc, char **argv,
		      struct err *err)
{
	uint8_t id[ERASURE_ID_LEN];
	bool changed;

	if (oplog_read(c->l.log, c->l.st, &changed, err))
		return err->rc;
	for (int i = 0; i < argc; i++) {
		if (!hex_decode(argv[i], strlen(argv[i]), id, sizeof(id)))
			return err_set(err, RC_USAGE,
				       "%s: not the id of an erasure", argv[i]);
	}
	for (int i = 0; i < argc; i++) {
		if (!hex_decode(argv[i], strlen(argv[i]), id, sizeof(id)) ||
		    erasure_forget(c->l.log, c->l.st, id, err))
			return err->rc;
		printf("%s: its salt is gone\n", argv[i]);
	}
	return RC_OK;
}

/* --- the command ---------------------------------------------------------- */

enum word { WORD_LIST, WORD_VERIFY, WORD_FORGET };

static enum word word_of(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], "verify"))
		return WORD_VERIFY;
	if (argc > 1 && !strcmp(argv[0], "forget"))
		return WORD_FORGET;
	return WORD_LIST;
}

static enum rc check_args(const struct erasures_options *o, enum word word,
			  int argc, struct err *err)
{
	if (word != WORD_FORGET && argc != (word == WORD_LIST ? 1 : 2))
		return err_set(err, RC_USAGE, "one archive is needed");
	if (word == WORD_FORGET && argc < 3)
		return err_set(err, RC_USAGE, "no erasure is named");
	if (o->uid && word != WORD_VERIFY)
		return err_set(err, RC_USAGE, "--uid is for verify");
	if ((o->salt || o->until || o->created_at) && !o->uid)
		return err_set(err, RC_USAGE,
			       "--salt, --until and --created-at need --uid");
	if (o->until && o->created_at)
		return err_set(err, RC_USAGE,
			       "--until and --created-at exclude each other");
	return RC_OK;
}

static enum rc erasures_run(const void *options, int argc, char **argv,
			    struct err *err)
{
	struct erasures c = { .o = options };
	enum word word = word_of(argc, argv);
	enum rc rc = check_args(c.o, word, argc, err);

	if (!rc)
		rc = open_log(&c.l, argv[word != WORD_LIST], &c.o->conf,
			      word == WORD_FORGET, err);
	if (rc)
		return rc;
	switch (word) {
	case WORD_LIST: rc = list(&c, err); break;
	case WORD_VERIFY: rc = verify(&c, err); break;
	case WORD_FORGET: rc = forget(&c, argc - 2, argv + 2, err); break;
	}
	close_log(&c.l);
	return rc;
}

static const struct erasures_options erasures_defaults = {
	.margin = ERASURE_MARGIN / CLOCK_US_PER_SEC,
	.conf = CONF_INIT,
};

const struct cmd cmd_erasures = {
	.name = "erasures",
	.usage = "[OPTION]... [verify|forget] ARCHIVE [ID]...",
	.summary = "show how deletions stand, verify their receipts",
	.opts = erasures_opts,
	.n_opts = ARRAY_LEN(erasures_opts),
	.defaults = &erasures_defaults,
	.options_size = sizeof(erasures_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = erasures_run,
};
