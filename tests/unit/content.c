/* SPDX-License-Identifier: Apache-2.0 */
/* content.c - tests of the digest of a file whose segments come from many
 * threads.
 */
#include "config.h"

#include "pack/content.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define BLOCK 512u
#define SEGMENTS 300u
#define THREADS 4u

static uint8_t bytes[SEGMENTS * BLOCK];
static struct content_piece pieces[SEGMENTS];

/* What is to happen to each segment. */
struct file {
	size_t size;
	const char *kinds; /* 'd': data, 'h': hole, over and over */
	struct content_parts *c;
};

static bool is_hole(const struct file *f, uint32_t i)
{
	return f->kinds[i % strlen(f->kinds)] == 'h';
}

static void fill(const struct file *f)
{
	unsigned int seed = 5;

	for (size_t i = 0; i < f->size; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = is_hole(f, (uint32_t)(i / BLOCK))
				   ? 0
				   : (uint8_t)(seed >> 16);
	}
}

/* Where the next thread begins. */
struct share {
	struct file *f;
	uint32_t first;
};

static void *offer_share(void *arg)
{
	const struct share *s = arg;
	struct content_parts *c = s->f->c;

	/* Backwards, so that hardly any comes in its turn. */
	for (uint32_t i = content_n_blocks(c); i-- > 0;) {
		if (i % THREADS != s->first || is_hole(s->f, i))
			continue;
		pieces[i].i = i;
		pieces[i].p = bytes + (size_t)i * BLOCK;
		content_offer(c, &pieces[i]);
	}
	return NULL;
}

static void check_file(size_t size, const char *kinds)
{
	struct file f = { .size = size, .kinds = kinds };
	struct share shares[THREADS];
	pthread_t threads[THREADS];
	uint8_t want[SHA256_LEN];

	fill(&f);
	f.c = content_new(size, BLOCK, NULL);
	for (uint32_t i = 0; i < THREADS; i++) {
		shares[i] = (struct share){ &f, i };
		assert_int_equal(pthread_create(&threads[i], NULL, offer_share,
						&shares[i]),
				 0);
	}
	for (uint32_t i = 0; i < content_n_blocks(f.c); i++)
		if (is_hole(&f, i))
			content_add_hole(f.c);
		else
			content_add_stored(f.c);
	content_wait_hashed(f.c, content_n_blocks(f.c) - 1);
	sha256_of(bytes, size, want);
	assert_memory_equal(f.c->sha256, want, sizeof(want));
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	content_unref(f.c);
}

static void segments_are_hashed_in_their_order_whoever_has_them(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		check_file(sizeof(bytes), "d");
		check_file(sizeof(bytes) - 100, "d");
		check_file(1, "d");
		check_file(BLOCK + 1, "d");
	}
}

static void holes_count_as_zeros_wherever_they_are(void **state)
{
	static const char *const kinds[] = { "h", "hd", "dh", "hhhdd",
					     "ddhhh" };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		check_file(sizeof(bytes), kinds[i]);
		check_file(sizeof(bytes) - BLOCK - 7, kinds[i]);
	}
}

static void the_first_segments_are_hashed_before_the_last_are_known(
	void **state)
{
	struct content_parts *c = content_new(3 * BLOCK, BLOCK, NULL);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		pieces[i].i = i;
		pieces[i].p = bytes;
		content_offer(c, &pieces[i]);
		content_wait_hashed(c, i);
	}
	/* A file that changed is left like that. */
	content_unref(c);
}

static void the_last_segment_may_be_shorter(void **state)
{
	struct content_parts *c = content_new(3 * BLOCK - 1, BLOCK, NULL);

	(void)state;
	assert_int_equal(content_n_blocks(c), 3);
	assert_int_equal(content_len(c, 0), BLOCK);
	assert_int_equal(content_len(c, 1), BLOCK);
	assert_int_equal(content_len(c, 2), BLOCK - 1);
	content_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			segments_are_hashed_in_their_order_whoever_has_them),
		cmocka_unit_test(holes_count_as_zeros_wherever_they_are),
		cmocka_unit_test(
			the_first_segments_are_hashed_before_the_last_are_known),
		cmocka_unit_test(the_last_segment_may_be_shorter),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
