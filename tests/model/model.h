/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - what an archive must show: versions of files that were packed, and
 * which of them were deleted.
 *
 * It knows nothing of shards, logs and stores.  All times are microseconds;
 * those of the archive's words (created_at, until) are by the clocks of who
 * said them, those of when something was acknowledged are true.
 */
#ifndef DESFS_TESTS_MODEL_H
#define DESFS_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_UID_MAX 32
#define MODEL_FILE_MAX 5200u /* bytes */

struct model_version {
	char uid[MODEL_UID_MAX];
	int64_t created_at;
	uint64_t seed; /* of its bytes */
	uint32_t size;
	int64_t acked;
	bool may_return; /* was packed in spite of its being deleted */
	bool is_allowed; /* by who packed it, though its name was deleted */
	bool may_go;     /* its name was deleted, and nobody allowed it */
};

struct model_erasure {
	char uid[MODEL_UID_MAX];
	bool is_until;
	int64_t time;
	int64_t acked; /* MODEL_NEVER: nobody knows whether it was asked for */
	int64_t withdrawn;
};

#define MODEL_NEVER INT64_MAX
#define MODEL_ALWAYS (INT64_MAX - 1) /* later than all that ever was */

/* A zeroed one is valid and empty. */
struct model {
	struct model_version *versions; /* in the order they were packed */
	size_t n, cap;
	struct model_erasure *erasures;
	size_t n_erasures, cap_erasures;
};

void model_release(struct model *m);

/* Both were acknowledged. */
void model_pack(struct model *m, const struct model_version *v);
void model_erase(struct model *m, const struct model_erasure *e);
/* Nobody knows what has become of the erasures of a uid. */
void model_doubt(struct model *m, const char *uid);
/* Of any. */
bool model_has_doubt(const struct model *m);
/* What is open of the erasures of a uid was taken back. */
void model_withdraw(struct model *m, const char *uid, int64_t acked);

enum model_answer {
	MODEL_SHOWN,  /* it must be read, byte by byte */
	MODEL_HIDDEN, /* it must not be read */
	MODEL_EITHER, /* but if it is read then byte by byte */
};

/* Of a reader who may not yet know what was acknowledged after since. */
enum model_answer model_ask(const struct model *m,
			    const struct model_version *v, int64_t since);

/* The version of uid and created_at; NULL: there was never such a one. */
const struct model_version *model_find(const struct model *m, const char *uid,
				       size_t uid_len, int64_t created_at);
/* What is left of a uid is deleted, for good. */
bool model_is_gone(const struct model *m, const char *uid);
/* The latest created_at of a uid; INT64_MIN: none. */
int64_t model_latest(const struct model *m, const char *uid);
/* Versions up to it are deleted; INT64_MIN: none are. */
int64_t model_until(const struct model *m, const char *uid);

/* Its name may have been deleted, or surely was. */
bool model_is_erased(const struct model *m, const char *uid, bool surely);

/* The bytes of a version; they begin with MODEL_MARK_LEN that no other seed
 * has.
 */
#define MODEL_MARK_LEN 16u
void model_bytes(const struct model_version *v, uint8_t *ret);

#endif
