/* SPDX-License-Identifier: Apache-2.0 */
/* sorter.h - more records than memory holds, in order of their keys.
 *
 * Records have a partition, a key and a value, all three compared bytewise, in
 * this order; so the order of adding does not matter.  They are kept in memory
 * up to a bound, then written to a nameless temporary file as sorted runs that
 * are merged on reading.
 *
 * One thread adds, or several, each through a feed of its own.  When all have
 * ended, one calls sorter_finish.  Then each partition may be read by a thread
 * of its own, more than once.
 */
#ifndef DESFS_BASE_SORTER_H
#define DESFS_BASE_SORTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct sorter;
struct sorter_reader;

/* dir is where temporary files go; borrowed.  bound: bytes of memory. */
struct sorter *sorter_new(const char *dir, size_t bound,
			  uint32_t n_partitions) MUST_CHECK;
/* The same with n_feeds feeds, which share the memory. */
struct sorter *sorter_new_shared(const char *dir, size_t bound,
				 uint32_t n_partitions,
				 unsigned int n_feeds) MUST_CHECK;
void sorter_free(struct sorter *s);

enum rc sorter_add(struct sorter *s, uint32_t partition, struct span key,
		   struct span value, struct err *err) MUST_CHECK;
enum rc sorter_add_to(struct sorter *s, unsigned int feed, uint32_t partition,
		      struct span key, struct span value,
		      struct err *err) MUST_CHECK;

/* The feed has ended: do what would be left to sorter_finish in the feed's own
 * thread.  May be left out.
 */
void sorter_end_feed(struct sorter *s, unsigned int feed);
enum rc sorter_finish(struct sorter *s, struct err *err) MUST_CHECK;

/* Bytes written to temporary files. */
uint64_t sorter_spilled(const struct sorter *s);

enum rc sorter_read(const struct sorter *s, uint32_t partition,
		    struct sorter_reader **ret, struct err *err) MUST_CHECK;
/* The spans are valid until the next call.  RC_NOENT at the end. */
enum rc sorter_next(struct sorter_reader *r, struct span *ret_key,
		    struct span *ret_value, struct err *err) MUST_CHECK;
void sorter_reader_free(struct sorter_reader *r);

#endif
