/* SPDX-License-Identifier: Apache-2.0 */
/* sequence.c - operations one after the other, as numbers and as text. */
#include "config.h"

#include "sequence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "ops.h"

#define FULL_CHECK_EVERY 10u
#define FAULT_AT_MAX 40u

static unsigned int random_kind(uint64_t *random)
{
	unsigned int all = 0, at, i = 0;

	for (size_t k = 0; k < n_op_kinds; k++)
		all += op_kinds[k].weight;
	at = (unsigned int)(random_next(random) % all);
	while (at >= op_kinds[i].weight)
		at -= op_kinds[i++].weight;
	return i;
}

void sequence_random(struct sequence *s, uint64_t seed, size_t n_ops)
{
	uint64_t random = seed;
	/* In some sequences nothing fails, or nobody works beside another. */
	bool has_faults, has_pairs;

	*s = (struct sequence){ .seed = random_next(&random), .n = n_ops };
	has_faults = random_next(&random) % 4;
	has_pairs = random_next(&random) % 2;
	for (size_t i = 0; i < n_ops; i++) {
		struct op *op = &s->ops[i];

		op->kind = random_kind(&random);
		op->a = (uint32_t)random_next(&random);
		op->b = (uint32_t)random_next(&random);
		op->c = (uint32_t)random_next(&random);
		op->actor = random_next(&random) % WORLD_ACTORS;
		if (random_next(&random) % 6 == 0 && has_faults) {
			op->fault = 1 + random_next(&random) % 4;
			op->fault_at = random_next(&random) % FAULT_AT_MAX;
		}
		op->with_next = random_next(&random) % 4 == 0 && has_pairs;
	}
}

/* How many run at once from op i on. */
static size_t n_together(const struct sequence *s, size_t i)
{
	return i + 1 < s->n && s->ops[i].with_next &&
			       s->ops[i].actor != s->ops[i + 1].actor
		       ? 2
		       : 1;
}

const char *sequence_run(const struct sequence *s, char *why, size_t size)
{
	struct world *w = world_new(s->seed);
	size_t n;
	const char *failure;

	for (size_t i = 0; i < s->n && !w->has_failed; i += n) {
		n = n_together(s, i);
		world_step(w, &s->ops[i], n);
		if (!w->has_failed)
			world_check(w, i % FULL_CHECK_EVERY == 0);
		if (w->has_failed)
			snprintf(why, size, "after operation %zu (%s%s%s): %s",
				 i, op_kinds[s->ops[i].kind].name,
				 n > 1 ? " with " : "",
				 n > 1 ? op_kinds[s->ops[i + 1].kind].name : "",
				 w->why);
	}
	if (!w->has_failed) {
		world_check_end(w);
		if (w->has_failed)
			snprintf(why, size, "at the end: %s", w->why);
	}
	failure = w->failure;
	if (failure && getenv("MODEL_DUMP"))
		world_dump(w);
	if (getenv("MODEL_TRACE"))
		world_trace(w);
	world_free(w);
	return failure;
}

static bool fails(const struct sequence *s, const char *failure)
{
	char why[1024];

	return sequence_run(s, why, sizeof(why)) == failure;
}

/* Leave out chunks, larger ones first. */
static bool drop_some(struct sequence *s, const char *failure)
{
	bool is_smaller = false;

	for (size_t len = s->n / 2; len; len /= 2) {
		for (size_t i = 0; i + len <= s->n;) {
			struct sequence less = *s;

			less.n -= len;
			memmove(less.ops + i, less.ops + i + len,
				(less.n - i) * sizeof(*less.ops));
			if (fails(&less, failure)) {
				*s = less;
				is_smaller = true;
			} else {
				i++;
			}
		}
	}
	return is_smaller;
}

static bool try_op(struct sequence *s, size_t i, struct op op,
		   const char *failure)
{
	struct sequence other = *s;

	if (!memcmp(&op, &s->ops[i], sizeof(op)))
		return false;
	other.ops[i] = op;
	if (!fails(&other, failure))
		return false;
	*s = other;
	return true;
}

static bool simplify_some(struct sequence *s, const char *failure)
{
	bool is_simpler = false;

	for (size_t i = 0; i < s->n; i++) {
		struct op op = s->ops[i];

		op.with_next = false;
		is_simpler |= try_op(s, i, op, failure);
		op = s->ops[i];
		op.fault = 0;
		op.fault_at = 0;
		is_simpler |= try_op(s, i, op, failure);
		op = s->ops[i];
		op.c = 0;
		is_simpler |= try_op(s, i, op, failure);
		op = s->ops[i];
		op.b = 0;
		is_simpler |= try_op(s, i, op, failure);
		op = s->ops[i];
		op.a = 0;
		is_simpler |= try_op(s, i, op, failure);
	}
	return is_simpler;
}

void sequence_shrink(struct sequence *s, const char *failure)
{
	bool goes_on = true;

	while (goes_on) {
		goes_on = drop_some(s, failure);
		goes_on |= simplify_some(s, failure);
	}
}

void sequence_print(const struct sequence *s)
{
	printf("%" PRIx64, s->seed);
	for (size_t i = 0; i < s->n; i++) {
		const struct op *op = &s->ops[i];

		printf(" %s%s/%x/%x/%x/%x/%x/%x", op->with_next ? "+" : "",
		       op_kinds[op->kind].name, op->actor, op->a, op->b, op->c,
		       op->fault, op->fault_at);
	}
	printf("\n");
}

static bool parse_number(const char **p, char before, uint64_t *ret)
{
	char *end;

	if (before && *(*p)++ != before)
		return false;
	*ret = strtoull(*p, &end, 16);
	if (end == *p)
		return false;
	*p = end;
	return true;
}

static bool parse_op(const char **p, struct op *ret)
{
	uint64_t v[6];
	size_t len;

	while (**p == ' ')
		(*p)++;
	ret->with_next = **p == '+';
	*p += ret->with_next;
	len = strcspn(*p, "/");
	for (ret->kind = 0; ret->kind < n_op_kinds; ret->kind++) {
		if (strlen(op_kinds[ret->kind].name) == len &&
		    !memcmp(op_kinds[ret->kind].name, *p, len))
			break;
	}
	*p += len;
	for (size_t i = 0; i < 6; i++) {
		if (!**p || !parse_number(p, '/', &v[i]))
			return false;
	}
	ret->actor = v[0] % WORLD_ACTORS;
	ret->a = (uint32_t)v[1];
	ret->b = (uint32_t)v[2];
	ret->c = (uint32_t)v[3];
	ret->fault = v[4] % 5;
	ret->fault_at = (uint32_t)v[5];
	return ret->kind < n_op_kinds;
}

bool sequence_parse(const char *text, struct sequence *ret)
{
	*ret = (struct sequence){ 0 };
	if (!parse_number(&text, '\0', &ret->seed))
		return false;
	while (*text && ret->n < SEQUENCE_MAX) {
		if (!parse_op(&text, &ret->ops[ret->n++]))
			return false;
		text += strspn(text, " \n");
	}
	return !*text;
}
