/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-write-backend.h - what the files of the zone store's writing half
 * share.
 *
 * Places are gone through in the order of the file: of a call that was cut
 * short the first ones have it, which are also those that readers prefer.
 */
#ifndef DESFS_STORE_STORE_ZONE_WRITE_BACKEND_H
#define DESFS_STORE_STORE_ZONE_WRITE_BACKEND_H

#include "store/store-zone-backend.h"

/* store-zone-write-upload.c */
uint64_t zone_upload_memory(const char *rest, const struct store_settings *set,
			    unsigned int n_uploads);
enum rc zone_upload_new(struct store *st, struct store_upload **ret,
			struct err *err) MUST_CHECK;
void zone_upload_set_slot(struct store_upload *up, uint32_t slot);
enum rc zone_upload_write(struct store_upload *up, const void *p, size_t len,
			  struct err *err) MUST_CHECK;
enum rc zone_upload_commit(struct store_upload *up, const char *key,
			   bool *ret_existed, struct err *err) MUST_CHECK;
void zone_upload_free(struct store_upload *up);

/* store-zone-write-run.c */
enum rc zone_run_begin(struct store *st, enum store_run_kind kind,
		       struct store_run **ret, struct err *err) MUST_CHECK;
void zone_run_end(struct store_run *run, bool is_committed);
enum rc zone_runs_alive(struct store *st, const struct store_run *own,
			unsigned int *ret, struct err *err) MUST_CHECK;
enum rc zone_runs_oldest(struct store *st, unsigned int kinds,
			 const struct store_run *own, int64_t *ret_us,
			 struct err *err) MUST_CHECK;
enum rc zone_idle_begin(struct store *st, struct store_idle **ret,
			struct err *err) MUST_CHECK;
void zone_idle_end(struct store_idle *idle);

/* store-zone-write-heal.c: give each place the descriptor and the log records
 * that only others have.  RC_EXISTS: they are of several archives.
 */
enum rc zone_heal(struct zone_store *zs, struct err *err) MUST_CHECK;

#endif
