/* SPDX-License-Identifier: Apache-2.0 */
/* verify-keys.c - the lists of several stores as one, page by page. */
#include "config.h"

#include "verify/verify-keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-made.h"

/* A store in memory that only lists: keys k/N for each N that a number divides.
 */
struct fake {
	unsigned int every, n;
	unsigned int n_lists, n_told;
	enum rc fails; /* instead of the second list */
};

static enum rc fake_list(void *arg, const char *prefix, const char *start_after,
			 store_list_fn *fn, void *fn_arg, struct err *err)
{
	struct fake *f = arg;

	assert_string_equal(prefix, "k/");
	if (f->n_lists++ && f->fails)
		return err_set(err, f->fails, "k/: it went away");
	for (unsigned int i = 0; i < f->n; i += f->every) {
		char key[32];

		snprintf(key, sizeof(key), "k/%05u", i);
		if (strcmp(key, start_after) <= 0)
			continue;
		f->n_told++;
		if (fn(fn_arg, key, i, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc web_list(void *arg, const char *prefix, const char *start_after,
			store_list_fn *fn, void *fn_arg, struct err *err)
{
	(void)arg;
	(void)prefix;
	(void)start_after;
	(void)fn;
	(void)fn_arg;
	return err_set(err, RC_UNSUPPORTED, "it cannot list");
}

static void no_close(void *arg)
{
	(void)arg;
}

static const struct store_made_ops fake_ops = { .list = fake_list,
						.close = no_close };
static const struct store_made_ops web_ops = { .list = web_list,
					       .close = no_close };

struct fixture {
	struct store *below;
	struct fake f[2];
	struct verify_place places[3];
};

static void begin(struct fixture *x, unsigned int every, unsigned int other,
		  unsigned int n)
{
	struct err err;

	*x = (struct fixture){ .below = NULL };
	assert_int_equal(store_open(&x->below, "/", NULL, &err), RC_OK);
	x->f[0] = (struct fake){ .every = every, .n = n };
	x->f[1] = (struct fake){ .every = other, .n = n };
	for (size_t i = 0; i < 2; i++)
		x->places[i].st = store_made_new(&fake_ops, &x->f[i], x->below);
	x->places[2].st = store_made_new(&web_ops, NULL, x->below);
}

static void end(struct fixture *x)
{
	for (size_t i = 0; i < 3; i++)
		store_close(x->places[i].st);
	store_close(x->below);
}

static uint64_t size_of(unsigned int i, unsigned int every)
{
	return i % every ? VERIFY_KEYS_MISSING : i;
}

static void all_keys_come_in_order(void **state)
{
	static const size_t pages[] = { 1, 2, 7, 1000 };

	(void)state;
	for (size_t p = 0; p < ARRAY_LEN(pages); p++) {
		struct verify_keys *k;
		struct fixture x;
		unsigned int i = 0;

		begin(&x, 2, 3, 100);
		k = verify_keys_new_paged(x.places, 3, "k/", pages[p]);
		while (verify_keys_next(k)) {
			char key[32];

			while (i % 2 && i % 3)
				i++;
			snprintf(key, sizeof(key), "k/%05u", i);
			assert_string_equal(verify_keys_key(k), key);
			assert_true(verify_keys_sizes(k)[0] == size_of(i, 2));
			assert_true(verify_keys_sizes(k)[1] == size_of(i, 3));
			assert_true(verify_keys_sizes(k)[2] ==
				    VERIFY_KEYS_UNKNOWN);
			i++;
		}
		assert_int_equal(i, 100);
		verify_keys_free(k);
		end(&x);
	}
}

static void few_keys_take_one_list(void **state)
{
	struct verify_keys *k;
	struct fixture x;

	(void)state;
	begin(&x, 1, 1, 100);
	k = verify_keys_new(x.places, 2, "k/");
	while (verify_keys_next(k))
		;
	verify_keys_free(k);
	assert_int_equal(x.f[0].n_lists, 1);
	assert_int_equal(x.f[1].n_lists, 1);
	end(&x);
}

static void no_more_is_listed_than_a_page(void **state)
{
	struct verify_keys *k;
	struct fixture x;

	(void)state;
	begin(&x, 1, 1, 1000);
	k = verify_keys_new_paged(x.places, 2, "k/", 10);
	for (int i = 0; i < 15; i++)
		assert_true(verify_keys_next(k));
	assert_int_equal(x.f[0].n_told, 22);
	verify_keys_free(k);
	end(&x);
}

static void who_fails_is_away_and_not_believed(void **state)
{
	struct verify_keys *k;
	struct fixture x;
	unsigned int n = 0;

	(void)state;
	begin(&x, 1, 1, 100);
	x.f[1].fails = RC_TIMEOUT;
	k = verify_keys_new_paged(x.places, 2, "k/", 10);
	while (verify_keys_next(k)) {
		assert_true(verify_keys_sizes(k)[1] ==
			    (n < 10 ? n : VERIFY_KEYS_UNKNOWN));
		n++;
	}
	assert_int_equal(n, 100);
	assert_true(x.places[1].is_away);
	assert_string_equal(x.places[1].why.msg, "k/: it went away");
	assert_false(x.places[0].is_away);
	verify_keys_free(k);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys_come_in_order),
		cmocka_unit_test(few_keys_take_one_list),
		cmocka_unit_test(no_more_is_listed_than_a_page),
		cmocka_unit_test(who_fails_is_away_and_not_believed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
