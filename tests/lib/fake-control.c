/* SPDX-License-Identifier: Apache-2.0 */
/* fake-control.c - what tests see of the test server, and how they steer it.
 *
 *	PUT /_fake/rules     the rules from now on, see fake-rule.h
 *	GET /_fake/rules     how often each was used
 *	GET /_fake/count     requests by kind since the last reset, and more
 *	PUT /_fake/reset     all counts 0, the log empty
 *	PUT /_fake/bucket/NAME[?versioned]
 *	PUT /_fake/clock/N   the server's clock is N seconds ahead from now on
 *
 * None of these is logged or counted.  A line of the log, written before the
 * reply is:
 *	N KIND METHOD TARGET RANGE STATUS BYTES WRONG
 * with - for what is absent; WRONG is * when a rule was applied.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake-s3.h"

static void set_rules(struct fake_request *rq)
{
	const char *bad = "";

	if (fake_rules_set(&rq->fake->rules, buf_str(&rq->body), &bad))
		fake_reply_text(rq->reply, 200, "text/plain", "");
	else
		fake_reply_text(rq->reply, 400, "text/plain", bad);
}

static void print_rules(struct fake_request *rq)
{
	struct buf b = { 0 };

	buf_init(&b, 1 << 20);
	fake_rules_print(rq->fake->rules, &b);
	fake_reply_text(rq->reply, 200, "text/plain", buf_str(&b));
	buf_release(&b);
}

static void print_counts(struct fake_request *rq)
{
	const struct fake *f = rq->fake;
	struct buf b = { 0 };
	uint64_t total = 0;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < N_KINDS; i++) {
		buf_printf(&b, "%s %" PRIu64 "\n",
			   fake_kind_name((enum fake_kind)i), f->counts[i]);
		total += f->counts[i];
	}
	buf_printf(&b, "TOTAL %" PRIu64 "\n", total);
	buf_printf(&b, "BYTES_OUT %" PRIu64 "\nBYTES_IN %" PRIu64 "\n",
		   f->bytes_out, f->bytes_in);
	buf_printf(&b, "CONNECTIONS %u\nCONNECTIONS_MAX %u\n", f->connections,
		   f->connections_max);
	buf_printf(&b, "IN_FLIGHT_MAX %u\n", f->in_flight_max);
	fake_reply_text(rq->reply, 200, "text/plain", buf_str(&b));
	buf_release(&b);
}

static void reset(struct fake *f)
{
	memset(f->counts, 0, sizeof(f->counts));
	f->bytes_out = f->bytes_in = 0;
	f->connections = f->connections_open;
	f->connections_max = f->connections_open;
	f->in_flight_max = f->in_flight;
	if (f->log)
		(void)!ftruncate(fileno(f->log), 0);
}

static void make_bucket(struct fake_request *rq, const char *name)
{
	struct fake_bucket *b = fake_bucket_new(&rq->fake->buckets, name);

	if (fake_query(rq, "versioned"))
		b->is_versioned = true;
	fake_reply_text(rq->reply, 200, "text/plain", "");
}

bool fake_control(struct fake_request *rq)
{
	static const char top[] = "/_fake/", bucket[] = "bucket/";
	static const char clock[] = "clock/";
	bool is_put = !strcmp(rq->method, "PUT");
	const char *what;

	if (strncmp(rq->path, top, sizeof(top) - 1) != 0)
		return false;
	what = rq->path + sizeof(top) - 1;
	fake_reply_text(rq->reply, 404, "text/plain", "no such control\n");
	if (!strcmp(what, "rules") && is_put) {
		set_rules(rq);
	} else if (!strcmp(what, "rules")) {
		print_rules(rq);
	} else if (!strcmp(what, "count")) {
		print_counts(rq);
	} else if (!strcmp(what, "reset") && is_put) {
		reset(rq->fake);
		fake_reply_text(rq->reply, 200, "text/plain", "");
	} else if (!strncmp(what, bucket, sizeof(bucket) - 1) && is_put) {
		make_bucket(rq, what + sizeof(bucket) - 1);
	} else if (!strncmp(what, clock, sizeof(clock) - 1) && is_put) {
		rq->fake->clock =
			(int)strtol(what + sizeof(clock) - 1, NULL, 10);
		fake_reply_text(rq->reply, 200, "text/plain", "");
	}
	return true;
}

void fake_log(struct fake_request *rq)
{
	struct fake *f = rq->fake;
	const struct fake_reply *rp = rq->reply;
	const char *range = fake_header(rq, "Range");
	uint64_t total = 0;

	f->counts[rq->kind]++;
	f->bytes_in += rq->body.len;
	if (strcmp(rq->method, "HEAD") != 0)
		f->bytes_out += rp->len;
	for (int i = 0; i < N_KINDS; i++)
		total += f->counts[i];
	if (!f->log)
		return;
	fprintf(f->log, "%" PRIu64 " %s %s %s %s %u %" PRIu64 " %s\n", total,
		fake_kind_name(rq->kind), rq->method, rq->target,
		range ? range : "-", rq->fault.drop ? 0 : rp->status, rp->len,
		rq->fault.is_any ? "*" : "-");
	fflush(f->log);
}
