/* SPDX-License-Identifier: Apache-2.0 */
/* verify-data.c - tests of files of a shard read back and hashed. */
#include "config.h"

#include "verify/verify-data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "base/compiler.h"
#include "verify/index-walk.h"
#include "shard/route.h"
#include "store/store.h"
#include "unit.h"

#define TEXTS 256u /* as many as wait for others */
#define BLOCKS 30u /* more than are kept */
#define NO_FILE UINT64_MAX

#define OK(call) assert_int_equal(call, RC_OK)

/* Texts that share a block, and larger files with blocks of their own, of
 * several blocks every third.
 */
static void make(struct archive *a)
{
	static struct archive_entry entries[TEXTS + BLOCKS];
	static char names[TEXTS + BLOCKS][16];

	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		snprintf(names[i], sizeof(names[i]), "f%03zu", i);
		entries[i] = (struct archive_entry){ .uid = names[i],
						     .type = ENTRY_REG };
		if (i < TEXTS)
			entries[i].content = names[i];
		else
			entries[i].size = i % 3 ? 500 + i : 9000 + i;
	}
	archive_begin(a, ROUTE_PARENT);
	archive_add(a, 0, 1, entries, ARRAY_LEN(entries));
}

static void tell_nobody(void *arg, const struct finding *f)
{
	(void)arg;
	(void)f;
}

/* Look at all files of the shard; number wrong of them has another hash than
 * it should, and the last bytes of number far lie behind its block.  Returns
 * what there is to be told.
 */
static uint64_t look(const struct raw_shard *s, uint64_t wrong, uint64_t far,
		     bool *ret_whole)
{
	const struct verify_options nobody = { .fn = tell_nobody };
	struct verify_report report = { .key = s->key };
	struct verify_data *d = verify_data_new(s, &report);
	struct verify_totals totals = { 0 };
	struct index_walk walk;
	struct index_leaf leaf;
	uint64_t n = 0;
	struct err err;

	*ret_whole = true;
	index_walk_init(&walk, s);
	while (!index_walk_next(&walk, &leaf, &err)) {
		for (uint32_t i = 0; i < page_count(leaf.page); i++) {
			const struct block_ref *refs;
			struct block_ref *owned;
			struct entry e;

			page_entry(leaf.page, i, &e);
			if (e.type != ENTRY_REG)
				continue;
			OK(raw_shard_refs(s, &e, &refs, &owned, &err));
			e.sha256[3] ^= n == wrong;
			if (n++ == far)
				e.content.tail_off += 1u << 24;
			*ret_whole &= verify_data_later(d, &e, refs);
			free(owned);
		}
	}
	index_walk_release(&walk);
	*ret_whole &= verify_data_end(d);
	verify_data_free(d);
	assert_int_equal(n, TEXTS + BLOCKS);
	verify_report_tell(&report, &nobody, &totals);
	return totals.damage;
}

static void files_that_wait_are_hashed_all_the_same(void **state)
{
	struct store *st = NULL;
	struct raw_shard s;
	struct archive a;
	struct err err;
	bool whole;
	char *path;

	(void)state;
	make(&a);
	path = archive_shard_path(&a, 0);
	OK(store_open(&st, a.dir, NULL, &err));
	OK(raw_shard_open(&s, st, path + strlen(a.dir) + 1, &err));
	assert_int_equal(look(&s, NO_FILE, NO_FILE, &whole), 0);
	assert_true(whole);
	for (uint64_t i = 0; i < TEXTS + BLOCKS; i++) {
		assert_int_equal(look(&s, i, NO_FILE, &whole), 1);
		assert_false(whole);
		if (i % 16)
			continue;
		assert_int_equal(look(&s, NO_FILE, i, &whole), 1);
		assert_false(whole);
	}
	store_close(st);
	free(path);
	archive_end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_wait_are_hashed_all_the_same),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
