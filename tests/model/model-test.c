/* SPDX-License-Identifier: Apache-2.0 */
/* model-test.c - random sequences of all that is done to an archive, against a
 * model of what it must show.
 *
 *	MODEL_SEQUENCES=N   how many (default: as many as take a minute)
 *	MODEL_OPS=N         operations in each (50)
 *	MODEL_SEED=N        number of the first (1)
 *	MODEL_REPLAY=TEXT   this one alone, as printed when it failed;
 *	MODEL_DUMP=1        and then what is in the store
 */
#include "config.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "regressions.h"
#include "sequence.h"

/* As many as take a minute. */
#define SEQUENCES 500u
#define OPS 50u

/* A program under a sanitizer takes ten times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SLOW true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SLOW true
#else
#define IS_SLOW false
#endif
#else
#define IS_SLOW false
#endif

static char dying[64];

/* Which one it was that the program died of. */
static void tell_seed(int sig)
{
	(void)!write(STDOUT_FILENO, dying, strlen(dying));
	signal(sig, SIG_DFL);
	raise(sig);
}

static uint64_t number_of(const char *name, uint64_t usual)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : usual;
}

static uint64_t usual_number(void)
{
	const char *sizes = getenv("TEST_SIZES");
	bool is_tenth = sizes && !strcmp(sizes, "tenth");

	if (IS_SLOW)
		return SEQUENCES / 40;
	return is_tenth ? SEQUENCES / 10 : SEQUENCES;
}

static bool check(struct sequence *s)
{
	char why[1024] = "";
	const char *failure = sequence_run(s, why, sizeof(why));

	if (!failure)
		return true;
	printf("# %s\n# shrinking\n", why);
	fflush(stdout);
	sequence_shrink(s, failure);
	if (!sequence_run(s, why, sizeof(why)))
		snprintf(why, sizeof(why), "it does not fail again");
	printf("# %zu operations: %s\n# MODEL_REPLAY='", s->n, why);
	sequence_print(s);
	printf("# '\n");
	return false;
}

static bool replay(const char *text)
{
	static struct sequence s;
	char why[1024] = "";

	if (!sequence_parse(text, &s)) {
		printf("# not a sequence: %s\n", text);
		return false;
	}
	if (getenv("MODEL_SHRINK"))
		return check(&s);
	if (!sequence_run(&s, why, sizeof(why)))
		return true;
	printf("# %s\n", why);
	return false;
}

static bool check_many(uint64_t first, uint64_t n, size_t n_ops)
{
	static struct sequence s;

	for (uint64_t i = first; i < first + n; i++) {
		snprintf(dying, sizeof(dying),
			 "# died in MODEL_SEED=%" PRIu64 "\n", i);
		sequence_random(&s, i, n_ops);
		if (!check(&s)) {
			printf("# it was MODEL_SEED=%" PRIu64 "\n", i);
			return false;
		}
	}
	return true;
}

static bool tell(bool is_ok, size_t number, const char *name)
{
	printf("%sok %zu - %s\n", is_ok ? "" : "not ", number, name);
	fflush(stdout);
	return is_ok;
}

static bool check_regressions(void)
{
	bool is_ok = true;

	for (size_t i = 0; i < n_regressions; i++)
		is_ok &= tell(replay(regressions[i].text), i + 1,
			      regressions[i].name);
	return is_ok;
}

int main(void)
{
	uint64_t n = number_of("MODEL_SEQUENCES", usual_number());
	uint64_t n_ops = number_of("MODEL_OPS", OPS);
	const char *text = getenv("MODEL_REPLAY");
	char name[128];
	bool is_ok;

	signal(SIGABRT, tell_seed);
	signal(SIGSEGV, tell_seed);
	if (n_ops > SEQUENCE_MAX)
		n_ops = SEQUENCE_MAX;
	if (text) {
		printf("1..1\n");
		is_ok = tell(replay(text), 1, "the sequence given");
		return !is_ok;
	}
	printf("1..%zu\n", n_regressions + 1);
	fflush(stdout);
	is_ok = check_regressions();
	snprintf(name, sizeof(name),
		 "%" PRIu64 " sequences of %" PRIu64
		 " operations show what the model says",
		 n, n_ops);
	is_ok &= tell(check_many(number_of("MODEL_SEED", 1), n, n_ops),
		      n_regressions + 1, name);
	return !is_ok;
}
