/* SPDX-License-Identifier: Apache-2.0 */
/* fake-rule.h - what the test server shall do wrong, as lines of text.
 *
 *	MATCH... ACTION...
 *
 * MATCH, all of them must hold; none matches every request:
 *	method=NAME kind=KIND      kinds as in the log
 *	key=GLOB query=GLOB        of object's key (web: path), of raw query
 *	range=GLOB                 of the Range header
 *	nth=N from=N every=N count=N   of the requests that matched so far
 *	p=0.25 seed=N              by chance, the same for the same seed
 * ACTION; rules that match add up, the later ones win:
 *	status=N [code=NAME] [retry-after=TEXT]  in place of the operation
 *	redirect=URL               with status=N, 307 without
 *	expired skewed denied      S3's errors of that name
 *	applied                    with these: the operation is done all the
 *same drop=fin drop=rst drop=garbage  instead of a reply latency=MS before the
 *reply stall-after=N [stall=MS]   N bytes of the body, then a pause (for ever)
 *	reset-after=N cut-after=N  N bytes of the body, then RST or FIN
 *	trickle=N                  bytes each 100 ms
 *	overlong=N                 N bytes behind the end
 *	longer=N shorter=N         other bytes than asked for, in a valid reply
 *	full                       200 and all of it in place of a range
 *	content-range=TEXT         another header; "none" is none
 *	shift=N                    the range N bytes further, honestly told
 *	etag=TEXT                  another tag, whatever If-Match says; "none"
 *	flip=N flip-object=N       a bit of byte N of the body, of the object;
 *	                           negative: from its end
 *	xml=bad|cut|empty|html|entity|deep|huge   in place of any XML
 *	endless=same|grow          truncated lists: the same page and token
 *	                           again, or new keys for ever
 * %XX stands for a byte that is not printed.
 */
#ifndef FAKE_RULE_H
#define FAKE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum fake_drop { DROP_NONE, DROP_FIN, DROP_RST, DROP_GARBAGE };

#define FAKE_NEVER UINT64_MAX

/* Zeroed by fake_fault_init, not by memset. */
struct fake_fault {
	bool is_any;
	unsigned int status;
	char code[64], retry_after[64], redirect[256];
	bool applied, full;
	enum fake_drop drop;
	uint64_t latency, stall; /* ms */
	uint64_t stall_after, reset_after, cut_after;
	uint64_t trickle, overlong;
	int64_t longer, shift;
	char content_range[96], etag[64], xml[16], endless[16];
	bool has_flip, has_flip_object;
	int64_t flip, flip_object;
};

struct fake_rule;
struct fake_request;

void fake_fault_init(struct fake_fault *f);
/* The reply is made up; the operation, if done at all, has no say. */
bool fake_fault_replaces(const struct fake_fault *f);

/* In place of the old rules.  False: *ret_bad is the line that is no rule. */
bool fake_rules_set(struct fake_rule **rules, const char *text,
		    const char **ret_bad);
void fake_rules_free(struct fake_rule *rules);
/* Count the request in and collect what shall happen to it. */
void fake_rules_match(struct fake_rule *rules, struct fake_request *rq);
/* The rules, each behind how often it was used. */
void fake_rules_print(const struct fake_rule *rules, struct buf *out);

#endif
