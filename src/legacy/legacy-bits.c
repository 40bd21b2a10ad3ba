/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-bits.c - sets of possible n_bits, made smaller by each name. */
#include "config.h"

#include "legacy/legacy-bits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

static uint32_t bit(unsigned int n)
{
	return UINT32_C(1) << n;
}

void legacy_bits_init(struct legacy_bits *b)
{
	*b = (struct legacy_bits){ 0 };
	for (unsigned int n = LEGACY_BITS_MIN; n <= LEGACY_BITS_MAX; n++)
		b->possible |= bit(n);
}

void legacy_bits_name(struct legacy_bits *b, const struct legacy_name *name,
		      struct span key)
{
	if (name->kind != LEGACY_NAME_SHARD && name->kind != LEGACY_NAME_META) {
		b->n_others += legacy_name_is_shard(name);
		return;
	}
	b->n_names++;
	for (unsigned int n = LEGACY_BITS_MIN; n <= LEGACY_BITS_MAX; n++) {
		if (!(b->possible & bit(n)) ||
		    legacy_name_slot_fits(name->slot, name->hex_width, n))
			continue;
		b->possible &= ~bit(n);
		snprintf(b->excluded_by[n], LEGACY_BITS_KEY, "%.*s",
			 (int)(key.len < LEGACY_BITS_KEY ? key.len
							 : LEGACY_BITS_KEY),
			 key.p);
	}
}

static unsigned int smallest(uint32_t set)
{
	return set ? (unsigned int)__builtin_ctz(set) : 0;
}

static unsigned int largest(uint32_t set)
{
	return set ? 31 - (unsigned int)__builtin_clz(set) : 0;
}

/* Two names that together exclude all, as far as two do. */
static enum rc set_contradiction(const struct legacy_bits *b, struct err *err)
{
	const char *one = b->excluded_by[LEGACY_BITS_MIN];
	const char *other = b->excluded_by[LEGACY_BITS_MAX];

	for (unsigned int n = LEGACY_BITS_MIN; n <= LEGACY_BITS_MAX; n++) {
		if (strcmp(b->excluded_by[n], one) != 0)
			other = b->excluded_by[n];
	}
	return err_set(err, RC_CORRUPT,
		       "no n_bits from %d to %d explains the names of all "
		       "shards, such as %s and %s",
		       LEGACY_BITS_MIN, LEGACY_BITS_MAX, one, other);
}

enum rc legacy_bits_get(const struct legacy_bits *b, unsigned int wanted,
			unsigned int *ret, struct err *err)
{
	if (wanted && (wanted < LEGACY_BITS_MIN || wanted > LEGACY_BITS_MAX))
		return err_set(err, RC_USAGE, "n_bits is %d to %d, not %u",
			       LEGACY_BITS_MIN, LEGACY_BITS_MAX, wanted);
	if (!b->possible)
		return set_contradiction(b, err);
	if (wanted && !(b->possible & bit(wanted)))
		return err_set(err, RC_USAGE,
			       "n_bits is not %u: with that there is no %s",
			       wanted, b->excluded_by[wanted]);
	*ret = wanted       ? wanted
	       : b->n_names ? smallest(b->possible)
			    : LEGACY_BITS_DEFAULT;
	return RC_OK;
}

bool legacy_bits_is_sure(const struct legacy_bits *b)
{
	uint32_t set = b->possible;

	return set && !(set & (set - 1));
}

void legacy_bits_text(const struct legacy_bits *b, char out[LEGACY_BITS_TEXT])
{
	uint32_t set = b->possible;
	char open[64] = "no other is possible";

	if (!b->possible) {
		struct err err;

		(void)!set_contradiction(b, &err);
		snprintf(out, LEGACY_BITS_TEXT, "%.*s", LEGACY_BITS_TEXT - 1,
			 err.msg);
		return;
	}
	if (!b->n_names && b->n_others) {
		snprintf(out, LEGACY_BITS_TEXT,
			 "containers of Datavision do without n_bits");
		return;
	}
	if (!b->n_names) {
		snprintf(out, LEGACY_BITS_TEXT,
			 "n_bits is %d: there is no shard, so it is the "
			 "default",
			 LEGACY_BITS_DEFAULT);
		return;
	}
	if (!legacy_bits_is_sure(b))
		snprintf(open, sizeof(open),
			 "the smallest, up to %u is possible", largest(set));
	snprintf(out, LEGACY_BITS_TEXT,
		 "n_bits is %u: from the names of %" PRIu64 " objects; %s",
		 smallest(set), b->n_names, open);
}
