/* SPDX-License-Identifier: Apache-2.0 */
/* volume-old.c - tests of nodes that outlive the shards they are in. */
#include "config.h"

#include "volume/volume.h"

#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "base/cleanup.h"
#include "shard/route.h"
#include "unit.h"

#define N_FILES 400u

static struct archive a;
static struct volume *v;
static struct err err;
static char uids[N_FILES][8];
static struct archive_entry entries[N_FILES + 1];

/* A directory of files; those whose number fn is true for are left out. */
static size_t make(bool (*is_left_out)(unsigned int i))
{
	size_t n = 0;

	entries[n++] = (struct archive_entry){ .uid = "d", .type = ENTRY_DIR };
	for (unsigned int i = 0; i < N_FILES; i++) {
		if (is_left_out && is_left_out(i))
			continue;
		snprintf(uids[i], sizeof(uids[i]), "d/%03u", i);
		entries[n++] = (struct archive_entry){ .uid = uids[i],
						       .type = ENTRY_REG,
						       .content = uids[i] };
	}
	return n;
}

static bool is_third(unsigned int i)
{
	return i % 3 == 0;
}

static bool is_third_or_fifth(unsigned int i)
{
	return i % 3 == 0 || i % 5 == 0;
}

static bool is_any(unsigned int i)
{
	(void)i;
	return true;
}

static void begin_with(const struct volume_options *opts)
{
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 1, entries, make(NULL));
	if (volume_open(&v, a.dir, opts, &err))
		fail_msg("%s", err.msg);
}

static void begin(void)
{
	begin_with(NULL);
}

static void end(void)
{
	volume_close(v);
	archive_end(&a);
}

static void repack(unsigned int revision, bool (*is_left_out)(unsigned int i),
		   bool purge)
{
	const struct archive_run run = { .revision = revision,
					 .second = 1,
					 .entries = entries,
					 .n = make(is_left_out) };

	archive_repack(&a, &run, purge);
}

static void refresh(bool settle)
{
	bool changed = false;

	if (volume_refresh(v, &changed, &err) ||
	    (settle && volume_settle(v, &err)))
		fail_msg("%s", err.msg);
	assert_true(changed);
	assert_int_equal(volume_is_settled(v), settle);
}

static struct volume_entry hold(unsigned int i)
{
	struct volume_entry ve;
	char uid[8];

	snprintf(uid, sizeof(uid), "d/%03u", i);
	if (volume_resolve(v, span_of(uid, strlen(uid)), &ve, &err))
		fail_msg("%s", err.msg);
	return ve;
}

static void assert_reads(const struct volume_entry *ve, unsigned int i)
{
	char text[16], want[8];
	size_t n = 0;

	snprintf(want, sizeof(want), "d/%03u", i);
	if (volume_read(v, ve, 0, text, sizeof(text), &n, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(text, want, n);
}

/* By its node, which fails with rc. */
static void assert_got(struct volume_node node, unsigned int i, enum rc want)
{
	struct volume_entry ve;
	enum rc rc = volume_get(v, node, &ve, &err);

	if (rc && !want)
		fail_msg("%u: %s", i, err.msg);
	assert_int_equal(rc, want);
	if (rc)
		return;
	assert_reads(&ve, i);
	volume_entry_release(&ve);
}

struct held {
	struct volume_entry ve[N_FILES];
};
static struct held held;

static void hold_all(void)
{
	for (unsigned int i = 0; i < N_FILES; i++)
		held.ve[i] = hold(i);
}

static void release_all(void)
{
	for (unsigned int i = 0; i < N_FILES; i++)
		volume_entry_release(&held.ve[i]);
}

static void nodes_are_followed_into_the_next_revision(void **state)
{
	(void)state;
	begin();
	hold_all();
	repack(1, is_third, true);
	refresh(true);
	for (unsigned int i = 0; i < N_FILES; i++) {
		uint64_t ino = volume_ino(v, &held.ve[i]);

		assert_got(held.ve[i].node, i,
			   is_third(i) ? RC_CHANGED : RC_OK);
		if (!is_third(i)) {
			struct volume_entry now = hold(i);

			assert_int_equal(volume_ino(v, &now), ino);
			assert_int_not_equal(now.node.shard,
					     held.ve[i].node.shard);
			assert_reads(&held.ve[i], i);
			volume_entry_release(&now);
		}
	}
	release_all();
	end();
}

static void chains_of_repacks_are_followed(void **state)
{
	(void)state;
	begin();
	hold_all();
	repack(1, is_third, true);
	refresh(true);
	repack(2, is_third_or_fifth, true);
	refresh(true);
	for (unsigned int i = 0; i < N_FILES; i++)
		assert_got(held.ve[i].node, i,
			   is_third_or_fifth(i) ? RC_CHANGED : RC_OK);
	release_all();
	end();
}

static void a_replaced_shard_is_left_before_it_is_removed(void **state)
{
	struct volume_entry ve;

	(void)state;
	begin();
	hold_all();
	repack(1, is_third, false);
	refresh(false);
	for (unsigned int i = 0; i < N_FILES; i++)
		assert_got(held.ve[i].node, i,
			   is_third(i) ? RC_DELETED : RC_OK);
	assert_int_equal(volume_get(v, held.ve[1].node, &ve, &err), RC_OK);
	assert_int_not_equal(ve.node.shard, held.ve[1].node.shard);
	volume_entry_release(&ve);
	release_all();
	end();
}

/* Nobody refreshes: who misses the shard finds out. */
static void a_reader_finds_what_took_the_place_of_its_shard(void **state)
{
	/* Nothing stays in memory. */
	const struct volume_options opts = { .block_cache = 1,
					     .page_cache = 1 };
	struct volume_entry ve = { 0 };

	(void)state;
	begin_with(&opts);
	ve = hold(1);
	repack(1, is_third, true);
	assert_reads(&ve, 1);
	volume_entry_release(&ve);
	ve = hold(2);
	assert_reads(&ve, 2);
	volume_entry_release(&ve);
	assert_int_equal(volume_resolve(v, span_of("d/003", 5), &ve, &err),
			 RC_NOENT);
	end();
}

struct lost {
	unsigned int n;
};

static void add_lost(void *arg, struct volume_node node, uint64_t n)
{
	struct lost *l = arg;

	(void)node;
	l->n += (unsigned int)n;
}

static void nodes_of_nothing_are_told_once(void **state)
{
	struct lost l = { 0 };

	(void)state;
	begin();
	repack(1, is_third, false);
	refresh(true);
	volume_lost(v, add_lost, &l);
	assert_int_equal(l.n, (N_FILES + 2) / 3);
	volume_lost(v, add_lost, &l);
	assert_int_equal(l.n, (N_FILES + 2) / 3);
	end();
}

struct aliases {
	struct volume_node node;
	unsigned int n;
};

static void add_alias(void *arg, struct volume_node node)
{
	struct aliases *al = arg;

	al->node = node;
	al->n++;
}

static void a_node_has_the_ones_before_it_for_aliases(void **state)
{
	struct aliases al = { .n = 0 };
	struct volume_entry ve, now;

	(void)state;
	begin();
	ve = hold(7);
	repack(1, is_third, true);
	refresh(true);
	now = hold(7);
	volume_aliases(v, now.node, add_alias, &al);
	assert_int_equal(al.n, 1);
	assert_int_equal(al.node.shard, ve.node.shard);
	assert_int_equal(al.node.ordinal, ve.node.ordinal);
	volume_entry_release(&ve);
	volume_entry_release(&now);
	end();
}

struct names {
	unsigned int n, limit;
	uint64_t cookie;
};

static bool count_name(void *arg, struct span name,
		       const struct volume_entry *ve, uint64_t next)
{
	struct names *n = arg;

	(void)name;
	(void)ve;
	n->cookie = next;
	return ++n->n != n->limit;
}

static void a_list_goes_on_in_the_next_revision(void **state)
{
	struct names n = { .limit = 101 };
	struct volume_entry dir;

	(void)state;
	begin();
	if (volume_resolve(v, span_of("d", 1), &dir, &err) ||
	    volume_readdir(v, &dir, 0, count_name, &n, &err))
		fail_msg("%s", err.msg);
	repack(1, is_third, true);
	refresh(true);
	n.limit = 0;
	/* After 000 ... 100 those of 101 ... 399 that are left. */
	if (volume_readdir(v, &dir, n.cookie, count_name, &n, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(n.n, 101 + 299 - 100);
	volume_entry_release(&dir);
	end();
}

/* What pack compares with: all of it once, in order. */
static void a_scan_goes_on_in_the_next_revision(void **state)
{
	const struct volume_options opts = { .block_cache = 1,
					     .page_cache = 1 };
	struct volume_scan *scan = NULL;
	struct volume_entry ve;
	char last[8] = "";
	unsigned int n = 0;
	uint32_t slot = route_slot(ROUTE_PARENT, ARCHIVE_N_BITS, "d/000", 5);
	enum rc rc;

	(void)state;
	begin_with(&opts);
	if (volume_scan_slot(v, slot, &scan, &err))
		fail_msg("%s", err.msg);
	for (rc = volume_scan_next(scan, &ve, &err); !rc;
	     rc = volume_scan_next(scan, &ve, &err)) {
		char name[8];

		snprintf(name, sizeof(name), "%.*s", (int)ve.e.name.len,
			 ve.e.name.p);
		assert_true(strcmp(last, name) < 0);
		memcpy(last, name, sizeof(last));
		volume_entry_release(&ve);
		if (++n == 100)
			repack(1, is_third, true);
	}
	assert_int_equal(rc, RC_NOENT);
	assert_string_equal(last, "398");
	assert_true(n < N_FILES);
	volume_scan_free(scan);
	end();
}

static void all_of_a_shard_may_go(void **state)
{
	struct lost l = { 0 };

	(void)state;
	begin();
	hold_all();
	repack(1, is_any, true);
	refresh(true);
	volume_lost(v, add_lost, &l);
	assert_true(l.n >= N_FILES);
	for (unsigned int i = 0; i < N_FILES; i++)
		assert_got(held.ve[i].node, i, RC_CHANGED);
	release_all();
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_are_followed_into_the_next_revision),
		cmocka_unit_test(chains_of_repacks_are_followed),
		cmocka_unit_test(a_replaced_shard_is_left_before_it_is_removed),
		cmocka_unit_test(
			a_reader_finds_what_took_the_place_of_its_shard),
		cmocka_unit_test(nodes_of_nothing_are_told_once),
		cmocka_unit_test(a_node_has_the_ones_before_it_for_aliases),
		cmocka_unit_test(a_list_goes_on_in_the_next_revision),
		cmocka_unit_test(a_scan_goes_on_in_the_next_revision),
		cmocka_unit_test(all_of_a_shard_may_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
