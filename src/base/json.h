/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - JSON documents: bounded, checked while they are read, written in one
 * form.
 *
 * Values come from json_parse or from a json_new function and are freed with
 * json_free.  What a getter returns is borrowed from the value it was got
 * from.  Getters take an object and the name of a member; a member that is
 * missing, of another type or out of range is RC_CORRUPT, with a message that
 * names it.  Setters hand over the value they are given.  Numbers are
 * integers of 63 bits and a sign.  Memory that is out aborts.
 */
#ifndef DESFS_BASE_JSON_H
#define DESFS_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* jansson's; opaque outside this room. */
struct json_t;

#define JSON_INT_MAX ((uint64_t)INT64_MAX)

/* Parse exactly one document of at most max bytes.  RC_LIMIT: more bytes;
 * RC_CORRUPT: not JSON, a name twice in an object, or text after the document,
 * with line and column.
 */
enum rc json_parse(const void *p, size_t len, size_t max, struct json_t **ret,
		   struct err *err) MUST_CHECK;
void json_free(struct json_t *j);
void json_free_p(struct json_t **j);
#define CLEANUP_JSON __attribute__((cleanup(json_free_p)))

bool json_has(const struct json_t *obj, const char *name) MUST_CHECK;
bool json_is_obj(const struct json_t *j) MUST_CHECK;

enum rc json_get_u64(const struct json_t *obj, const char *name, uint64_t max,
		     uint64_t *ret, struct err *err) MUST_CHECK;
enum rc json_get_i64(const struct json_t *obj, const char *name, int64_t min,
		     int64_t max, int64_t *ret, struct err *err) MUST_CHECK;
enum rc json_get_bool(const struct json_t *obj, const char *name, bool *ret,
		      struct err *err) MUST_CHECK;
/* At most max bytes. */
enum rc json_get_str(const struct json_t *obj, const char *name, size_t max,
		     const char **ret, struct err *err) MUST_CHECK;
/* Exactly n bytes written as lower-case hex. */
enum rc json_get_hex(const struct json_t *obj, const char *name, void *out,
		     size_t n, struct err *err) MUST_CHECK;
/* Any bytes, at most max, written with percent.h; *ret is to be freed and has a
 * NUL behind its bytes.
 */
enum rc json_get_bytes(const struct json_t *obj, const char *name, size_t max,
		       char **ret, size_t *ret_len, struct err *err) MUST_CHECK;
/* A point in time, in microseconds, written exactly as timestamp_format does.
 */
enum rc json_get_time(const struct json_t *obj, const char *name, int64_t *ret,
		      struct err *err) MUST_CHECK;
enum rc json_get_obj(const struct json_t *obj, const char *name,
		     struct json_t **ret, struct err *err) MUST_CHECK;
/* At most max elements, to be got with json_at. */
enum rc json_get_array(const struct json_t *obj, const char *name, size_t max,
		       struct json_t **ret, size_t *ret_n,
		       struct err *err) MUST_CHECK;
struct json_t *json_at(const struct json_t *array, size_t i);
/* The text of a string; NULL for all else. */
const char *json_text(const struct json_t *j);

struct json_t *json_new_obj(void) MUST_CHECK;
struct json_t *json_new_array(void) MUST_CHECK;
struct json_t *json_new_str(const char *s) MUST_CHECK; /* UTF-8 */
/* v is at most JSON_INT_MAX. */
void json_set_u64(struct json_t *obj, const char *name, uint64_t v);
void json_set_i64(struct json_t *obj, const char *name, int64_t v);
void json_set_bool(struct json_t *obj, const char *name, bool v);
/* s is UTF-8; text that may not be goes through json_set_bytes. */
void json_set_str(struct json_t *obj, const char *name, const char *s);
void json_set_hex(struct json_t *obj, const char *name, const void *p,
		  size_t n);
void json_set_bytes(struct json_t *obj, const char *name, const void *p,
		    size_t len);
void json_set_time(struct json_t *obj, const char *name, int64_t us);
void json_set(struct json_t *obj, const char *name, struct json_t *v);
void json_add(struct json_t *array, struct json_t *v);
void json_add_str(struct json_t *array, const char *s);
void json_unset(struct json_t *obj, const char *name);

/* Append the canonical form: no blanks, members in the order of their names'
 * bytes, no newline at the end.
 */
void json_write(const struct json_t *j, struct buf *out);

/* Append the canonical form of the object as it would be with an array as its
 * member name, up to and including the '[', and from the ']' on.  The object
 * has no such member, and name needs no escapes.
 */
void json_write_around(const struct json_t *obj, const char *name,
		       struct buf *before, struct buf *after);

#endif
