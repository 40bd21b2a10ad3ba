/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - where objects live: a directory, an S3 bucket, a web server.
 *
 * A store is opened from a URL (a path, file:///path, s3://bucket/prefix,
 * https://host/path, zone://FILE) and is safe to use from many threads. Objects
 * are named by keys with '/' between parts; keys never start with it and have
 * no empty, "." or ".." part.  Messages name the key; the caller need not add
 * it.
 */
#ifndef DESFS_STORE_STORE_H
#define DESFS_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store;
struct store_settings;

/* Keys below STORE_TMP "/" are the store's own and not listed. */
#define STORE_TMP "tmp"

/* Below it are objects of which each says by its name alone what one run has
 * for itself.  Servers that let a second one be made lose that one again.
 */
#define STORE_LOCKS "_locks"

/* What identifies the state of an object: seen at first contact, expected ever
 * after.
 */
struct object_info {
	uint64_t size; /* bytes */
	char tag[64];  /* opaque; "" when unknown */
};

/* RC_NOENT when there is no such place; a remote one is opened without a
 * request, and says so when it is first read.  set may be NULL: all defaults;
 * what it points to must live as long as the store.
 */
enum rc store_open(struct store **ret, const char *url,
		   const struct store_settings *set,
		   struct err *err) MUST_CHECK;
void store_close(struct store *st);

/* For messages: the URL as given. */
const char *store_url(const struct store *st);

/* True when a read costs a request, so that reads are to be few and large. */
bool store_is_remote(const struct store *st);

/* Bytes to read of an object's end when it is not known how many are needed. */
size_t store_tail_window(const struct store *st);

/* True when a list may lack keys that were made minutes ago.  Then what follows
 * from not having seen something has to wait that many microseconds; see
 * purge.h.
 */
#define STORE_LISTS_LAG_US (INT64_C(15) * 60 * 1000000)
bool store_lists_lag(const struct store *st);

/* The n_bits its zones are made for; 0: any. */
unsigned int store_n_bits(const struct store *st);

/* The place it is: the URL and what else decides where that leads. */
const char *store_location(const struct store *st);

/* The last max bytes of an object (all of it when it is smaller) appended to
 * ret, with its size and tag: one request.
 */
enum rc store_read_tail(struct store *st, const char *key, size_t max,
			struct buf *ret, struct object_info *ret_info,
			struct err *err) MUST_CHECK;

/* Exactly len bytes at off.  expect is what store_read_tail gave, or NULL.  A
 * shorter object is RC_CORRUPT, a changed one RC_CHANGED.
 */
enum rc store_read(struct store *st, const char *key,
		   const struct object_info *expect, uint64_t off, void *buf,
		   size_t len, struct err *err) MUST_CHECK;

/* The same for what nobody waits for yet: others go first. */
enum rc store_read_ahead(struct store *st, const char *key,
			 const struct object_info *expect, uint64_t off,
			 void *buf, size_t len, struct err *err) MUST_CHECK;

/* Whether what was read is what it should be: RC_OK, or RC_CORRUPT with a
 * message.  info is that of store_read_tail_checked, else NULL.
 */
typedef enum rc store_check_fn(void *arg, const void *p, size_t len,
			       const struct object_info *info, struct err *err);

/* The same as without "checked"; where an object has mirrors, one whose bytes
 * pass the check.
 */
enum rc store_read_tail_checked(struct store *st, const char *key, size_t max,
				struct buf *ret, struct object_info *ret_info,
				store_check_fn *check, void *arg,
				struct err *err) MUST_CHECK;
enum rc store_read_checked(struct store *st, const char *key,
			   const struct object_info *expect, uint64_t off,
			   void *buf, size_t len, store_check_fn *check,
			   void *arg, struct err *err) MUST_CHECK;

/* A whole small object appended to ret; more than max bytes is RC_LIMIT. */
enum rc store_read_all(struct store *st, const char *key, size_t max,
		       struct buf *ret, struct err *err) MUST_CHECK;

/* Called for each key in bytewise order; anything but RC_OK ends the list with
 * that result.
 */
typedef enum rc store_list_fn(void *arg, const char *key, uint64_t size,
			      struct err *err);

/* Keys that begin with prefix and come after start_after (NULL: all). */
enum rc store_list(struct store *st, const char *prefix,
		   const char *start_after, store_list_fn *fn, void *arg,
		   struct err *err) MUST_CHECK;

/* The object will not be read any more: hold nothing that keeps its bytes from
 * going when it is removed.
 */
void store_let_go(struct store *st, const char *key);

/* Counted since open, for gates and .des/stats.  Calls, and what became of them
 * on the wire where there is one.
 */
struct store_counters {
	uint64_t reads, bytes_read, lists;
	/* Requests as sent, retries among them: by kind, */
	uint64_t get, get_list, put, post, del, head;
	/* and what they met. */
	uint64_t retries, timeouts, throttled; /* 503 and 429 */
	uint64_t bad_replies; /* wrong range, length, tag, not HTTP */
	uint64_t wire_bytes_in, wire_bytes_out;
};
void store_count(struct store *st, struct store_counters *ret);

/* Versions of the libraries that reach remote stores, for --version, in room of
 * the calling thread's.
 */
const char *store_libraries(void);

/* How one store of a zone does, for .des/stats.  Strings are borrowed for the
 * call.
 */
struct store_zone {
	const char *zone, *store; /* their names in the zone file */
	const char *url;
	unsigned int number; /* in the zone's order; 0: preferred */
	const char *state;   /* "closed": used; "open": left alone; "half-open":
				being tried */
	uint64_t wait_ms;    /* until it may be tried; 0 unless open */
	uint64_t requests;   /* calls, whatever became of them */
	uint64_t failures;   /* those it did not answer */
	uint64_t damaged;    /* those for objects it has not, or not whole */
	uint64_t failovers;  /* those it answered in place of one before it */
	uint64_t latency_us; /* of answers, on average over the last ones */
};
typedef void store_zone_fn(void *arg, const struct store_zone *z);
/* Zones in the order of their file, the stores of each in theirs; none for what
 * is no zone://FILE.
 */
void store_each_zone(struct store *st, store_zone_fn *fn, void *arg);

#endif
