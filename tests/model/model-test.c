/* SPDX-License-Identifier: Apache-2.0 */
/* model-test.c - random sequences of all that is done to an archive, against a
 * model of what it must show.
 *
 *	MODEL_SEQUENCES=N   how many
 *	MODEL_SECONDS=N     no longer than that (0: no limit)
 *	MODEL_OPS=N         operations in each (50)
 *	MODEL_SEED=N        number of the first (1)
 *	MODEL_JOBS=N        processes (as many as there are processors)
 *	MODEL_REPLAY=TEXT   this one alone, as printed when it failed;
 *	MODEL_DUMP=1        and then what is in the store
 *	MODEL_TRACE=1       print a digest of what each sequence comes to
 */
#include "config.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "regressions.h"
#include "sequence.h"

/* As many as take a minute of one processor. */
#define SEQUENCES 2000u
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
		return SEQUENCES / 100;
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

/* --- many ----------------------------------------------------------------- */

#define JOBS_MAX 64u

struct many {
	uint64_t first, n, n_ops;
	time_t end; /* by the monotonic clock; 0: none */
	unsigned int n_jobs;
	pid_t pids[JOBS_MAX];
	/* Shared by the processes: what each has done. */
	uint64_t *n_done;
};

static time_t seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Every n_jobs-th sequence. */
static bool check_share(const struct many *m, unsigned int job)
{
	static struct sequence s;

	for (uint64_t i = m->first + job; i < m->first + m->n; i += m->n_jobs) {
		if (m->end && seconds_now() >= m->end)
			return true;
		snprintf(dying, sizeof(dying),
			 "# died in MODEL_SEED=%" PRIu64 "\n", i);
		sequence_random(&s, i, m->n_ops);
		if (!check(&s)) {
			printf("# it was MODEL_SEED=%" PRIu64 "\n", i);
			return false;
		}
		m->n_done[job]++;
	}
	return true;
}

static pid_t start_share(const struct many *m, unsigned int job)
{
	pid_t pid = fork();
	bool is_ok;

	if (pid < 0)
		abort();
	if (pid)
		return pid;
	is_ok = check_share(m, job);
	exit(!is_ok);
}

/* Before this process has threads.  What one process does, another cannot see:
 * an archive is in memory.
 */
static void start_many(struct many *m)
{
	m->n_done =
		mmap(NULL, sizeof(*m->n_done) * JOBS_MAX,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->n_done == MAP_FAILED)
		abort();
	fflush(stdout);
	for (unsigned int i = 0; i < m->n_jobs; i++)
		m->pids[i] = start_share(m, i);
}

static bool await_many(struct many *m, uint64_t *ret_done)
{
	bool is_ok = true;

	*ret_done = 0;
	for (unsigned int i = 0; i < m->n_jobs; i++) {
		int status = 1;

		is_ok &= waitpid(m->pids[i], &status, 0) == m->pids[i] &&
			 !status;
		*ret_done += m->n_done[i];
	}
	munmap(m->n_done, sizeof(*m->n_done) * JOBS_MAX);
	return is_ok;
}

static unsigned int usual_jobs(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : (unsigned int)n;
}

static struct many ask_many(void)
{
	uint64_t seconds = number_of("MODEL_SECONDS", 0);
	uint64_t jobs = number_of("MODEL_JOBS", usual_jobs());
	struct many m = { .first = number_of("MODEL_SEED", 1),
			  .n = number_of("MODEL_SEQUENCES", usual_number()),
			  .n_ops = number_of("MODEL_OPS", OPS) };

	if (m.n_ops > SEQUENCE_MAX)
		m.n_ops = SEQUENCE_MAX;
	m.n_jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : (unsigned)jobs;
	if (seconds)
		m.end = seconds_now() + (time_t)seconds;
	return m;
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
	struct many m = ask_many();
	const char *text = getenv("MODEL_REPLAY");
	uint64_t n_done = 0;
	char name[128];
	bool is_ok, is_many_ok;

	/* What one sequence used the next can have, and only one thread runs
	 * at a time.
	 */
	mallopt(M_ARENA_MAX, 1);
	/* What is freed is joined at once, as what is near is faster. */
	mallopt(M_MXFAST, 0);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	signal(SIGABRT, tell_seed);
	signal(SIGSEGV, tell_seed);
	if (text) {
		printf("1..1\n");
		is_ok = tell(replay(text), 1, "the sequence given");
		return !is_ok;
	}
	printf("1..%zu\n", n_regressions + 1);
	fflush(stdout);
	start_many(&m);
	is_ok = check_regressions();
	is_many_ok = await_many(&m, &n_done);
	snprintf(name, sizeof(name),
		 "%" PRIu64 " sequences of %" PRIu64
		 " operations show what the model says",
		 n_done, m.n_ops);
	is_ok &= tell(is_many_ok && n_done, n_regressions + 1, name);
	return !is_ok;
}
