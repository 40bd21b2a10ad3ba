/* SPDX-License-Identifier: Apache-2.0 */
/* verify-file.h - the file of desfs verify --report: all that was found, as one
 * JSON document, which a run that was stopped goes on with.
 *
 * While the run goes on the file is called FILE.part; it is renamed when it is
 * whole.  Format: desfs-verify(1), REPORT.  For one thread.
 *
 * A write that fails is told by verify_file_end, as with stdio.
 */
#ifndef DESFS_CMD_VERIFY_FILE_H
#define DESFS_CMD_VERIFY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "verify/verify.h"

/* What is verified, and how: a run goes on with another's report only if all
 * of it is the same.
 */
struct verify_call {
	const char *const *targets;
	size_t n_targets;
	bool deep;
	const char *sample, *since; /* as given; NULL: not */
	/* Chosen by the run, or taken over from the report it goes on with: */
	uint64_t seed;
	int64_t since_time, started; /* microseconds */
};

struct verify_file;

/* With resume what FILE.part has of whole shards is kept and added to totals;
 * call then has the choices of the run before.  Without one this is as without
 * resume.
 */
enum rc verify_file_open(const char *path, bool resume,
			 struct verify_call *call, struct verify_totals *totals,
			 struct verify_file **ret, struct err *err) MUST_CHECK;

/* Shards that were looked at before, all targets together. */
uint64_t verify_file_n_done(const struct verify_file *f);
bool verify_file_is_done(const struct verify_file *f, int target,
			 const char *store, const char *key);

void verify_file_finding(struct verify_file *f, int target,
			 const struct finding *finding);
void verify_file_shard(struct verify_file *f, int target,
		       const struct verify_shard_result *s);
/* A target could not be verified. */
void verify_file_error(struct verify_file *f, int target, const char *text);

/* The last row and the name. */
enum rc verify_file_end(struct verify_file *f, const struct verify_totals *t,
			struct err *err) MUST_CHECK;
/* Frees; what is not ended stays for resume.  Takes NULL. */
void verify_file_free(struct verify_file *f);

#endif
