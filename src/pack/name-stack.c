/* SPDX-License-Identifier: Apache-2.0 */
/* name-stack.c - the names of directories that a walker is to enter. */
#include "config.h"

#include "pack/name-stack.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define SPLIT_MAX (64u << 10) /* bytes taken from the end of a range */

void name_stack_init(struct name_stack *s, const char *spool_dir, size_t memory)
{
	spool_init(&s->spool, spool_dir, memory);
}

void name_stack_release(struct name_stack *s)
{
	spool_release(&s->spool);
}

struct name_range name_stack_begin(const struct name_stack *s)
{
	uint64_t at = spool_len(&s->spool);

	return (struct name_range){ .begin = at, .next = at, .end = at };
}

enum rc name_stack_add(struct name_stack *s, struct name_range *r,
		       const char *names, size_t len, struct err *err)
{
	enum rc rc = spool_append(&s->spool, names, len, err);

	if (!rc)
		r->end = spool_len(&s->spool);
	return rc;
}

/* The length of the first name left, with its NUL; ret is where it is. */
static enum rc peek(const struct name_stack *s, const struct name_range *r,
		    char ret[NAME_STACK_BYTES], size_t *ret_len,
		    struct err *err)
{
	uint64_t left = r->end - r->next;
	const char *nul = NULL;

	/* Nearly all are short; some file systems have longer ones. */
	for (size_t max = NAME_MAX + 1; !nul && max <= NAME_STACK_BYTES;
	     max *= 4) {
		size_t n = left < max ? (size_t)left : max;

		if (spool_read(&s->spool, r->next, ret, n, err))
			return err->rc;
		nul = memchr(ret, '\0', n);
	}
	if (!nul)
		return err_set(err, RC_IO, "temporary data are damaged");
	*ret_len = (size_t)(nul + 1 - ret);
	return RC_OK;
}

enum rc name_stack_take(const struct name_stack *s, struct name_range *r,
			char ret[NAME_STACK_BYTES], struct err *err)
{
	size_t len = 0;
	enum rc rc = peek(s, r, ret, &len, err);

	if (!rc)
		r->next += len;
	return rc;
}

enum rc name_stack_is_single(const struct name_stack *s,
			     const struct name_range *r, bool *ret,
			     struct err *err)
{
	char name[NAME_STACK_BYTES];
	size_t len = 0;
	enum rc rc = peek(s, r, name, &len, err);

	if (!rc)
		*ret = r->next + len == r->end;
	return rc;
}

/* Where to cut n bytes of names, at or after from if that leaves something. */
static size_t cut(const char *names, size_t n, size_t from)
{
	const char *nul = memchr(names + from, '\0', n - from);

	if (!nul || nul + 1 == names + n)
		nul = memrchr(names, '\0', n - 1);
	return nul ? (size_t)(nul + 1 - names) : 0;
}

enum rc name_stack_split(const struct name_stack *s, struct name_range *r,
			 char **ret, size_t *ret_len, struct err *err)
{
	uint64_t left = r->end - r->next;
	CLEANUP_FREE char *names = NULL;
	size_t n, at;

	/* Two names at least, so that one of them is whole. */
	if (left <= (uint64_t)4 * NAME_STACK_BYTES)
		n = (size_t)left;
	else
		n = left / 2 < SPLIT_MAX ? (size_t)(left / 2) : SPLIT_MAX;
	names = xcalloc(1, n);
	if (spool_read(&s->spool, r->end - n, names, n, err))
		return err->rc;
	at = cut(names, n, n == left ? n / 2 : 0);
	memmove(names, names + at, n - at);
	*ret = STEAL_PTR(names);
	*ret_len = n - at;
	r->end -= n - at;
	return RC_OK;
}

void name_stack_end(struct name_stack *s, const struct name_range *r)
{
	spool_cut(&s->spool, r->begin);
}
