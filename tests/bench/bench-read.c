/* SPDX-License-Identifier: Apache-2.0 */
/* bench-read.c - read files as a program would and print how long it took.
 *
 *	bench-read all DIR                      every file, in readdir order
 *	bench-read random -l LIST [-n N] [-t THREADS] [-s SEED] DIR
 *	bench-read stat -l LIST [-n N] [-t THREADS] [-s SEED] DIR
 *	bench-read pread [-n N] [-s SEED] FILE  4 KiB at random places
 *
 * LIST holds paths relative to DIR, each ended by a NUL byte, so that no walk
 * of DIR warms what is measured.  The result is one line of JSON; seconds is
 * wall time and cpu the user and system time of this process alone.
 * Uses the C library only, so that it compiles by itself.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE (128 * 1024)
#define PREAD_SIZE 4096
#define MAX_THREADS 256
#define MAX_DEPTH 2048

/* What one thread has read. */
struct tally {
	uint64_t *ns; /* latency of each file */
	size_t n;
	size_t cap;
	uint64_t bytes;
	uint64_t errors;
	char *buf;
};

struct request {
	const char *mode;
	const char *target;
	const char *list;
	size_t n;
	size_t threads;
	uint64_t seed;
};

/* The files of a random run; fixed before the threads start, but for next. */
struct picks {
	int dirfd;
	char **paths;
	size_t n;
	bool only_stat;
	atomic_size_t next;
};

struct worker {
	pthread_t thread;
	struct picks *picks;
	struct tally tally;
};

static void die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

static void die(const char *fmt, ...)
{
	va_list ap;

	fputs("bench-read: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static void *must_alloc(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n ? n : 1, size);

	if (!p)
		die("out of memory");
	return p;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* splitmix64: small, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void tally_init(struct tally *t)
{
	*t = (struct tally){ .buf = must_alloc(NULL, READ_SIZE, 1) };
}

static void tally_free(struct tally *t)
{
	free(t->ns);
	free(t->buf);
}

static void tally_add(struct tally *t, uint64_t ns)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 4096;
		t->ns = must_alloc(t->ns, t->cap, sizeof(*t->ns));
	}
	t->ns[t->n++] = ns;
}

static void tally_error(struct tally *t, const char *path)
{
	if (t->errors++ < 3)
		fprintf(stderr, "bench-read: %s: %s\n", path, strerror(errno));
}

/* Open, read to the end, close: the latency that is counted. */
static void read_file(struct tally *t, int dirfd, const char *path)
{
	uint64_t start = now_ns();
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t got;

	if (fd < 0) {
		tally_error(t, path);
		return;
	}
	while ((got = read(fd, t->buf, READ_SIZE)) > 0)
		t->bytes += (uint64_t)got;
	if (got < 0)
		tally_error(t, path);
	close(fd);
	if (got == 0)
		tally_add(t, now_ns() - start);
}

static void stat_file(struct tally *t, int dirfd, const char *path)
{
	uint64_t start = now_ns();
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW)) {
		tally_error(t, path);
		return;
	}
	t->bytes += (uint64_t)st.st_size;
	tally_add(t, now_ns() - start);
}

static DIR *open_dir(struct tally *t, int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		tally_error(t, path);
		if (fd >= 0)
			close(fd);
	}
	return dir;
}

static unsigned char entry_type(int dirfd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return DT_UNKNOWN;
	return IFTODT(st.st_mode);
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Depth first with a stack of its own, each directory in readdir order. */
static void read_tree(struct tally *t, const char *root)
{
	DIR **stack = must_alloc(NULL, MAX_DEPTH, sizeof(DIR *));
	size_t depth = 0;
	struct dirent *e;
	int fd;

	stack[depth] = open_dir(t, AT_FDCWD, root);
	if (stack[depth])
		depth++;
	while (depth) {
		errno = 0;
		e = readdir(stack[depth - 1]);
		if (!e) {
			if (errno)
				tally_error(t, "readdir");
			closedir(stack[--depth]);
			continue;
		}
		if (is_dot(e->d_name))
			continue;
		fd = dirfd(stack[depth - 1]);
		switch (entry_type(fd, e)) {
		case DT_REG: read_file(t, fd, e->d_name); break;
		case DT_DIR:
			if (depth == MAX_DEPTH)
				die("deeper than %d directories", MAX_DEPTH);
			stack[depth] = open_dir(t, fd, e->d_name);
			if (stack[depth])
				depth++;
			break;
		default: break;
		}
	}
	free(stack);
}

static char *slurp(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len = 0, cap = 0, got;

	if (!f)
		die("%s: %s", path, strerror(errno));
	do {
		if (len == cap) {
			cap = cap ? cap * 2 : 1 << 20;
			text = must_alloc(text, cap, 1);
		}
		got = fread(text + len, 1, cap - len, f);
		len += got;
	} while (got);
	if (ferror(f))
		die("%s: cannot read", path);
	fclose(f);
	*ret_len = len;
	return text;
}

/* Split at NUL bytes and bring n paths, chosen by the seed, to the front. */
static void pick(struct picks *p, char *text, size_t len, size_t n,
		 uint64_t seed)
{
	size_t count = 0;
	size_t i = 0;

	if (!len || text[len - 1])
		die("the list is empty or does not end with a NUL byte");
	for (i = 0; i < len; i++)
		count += !text[i];
	p->paths = must_alloc(NULL, count, sizeof(*p->paths));
	for (i = 0; i < count; i++) {
		p->paths[i] = text;
		text += strlen(text) + 1;
	}
	p->n = n < count ? n : count;
	for (i = 0; i < p->n; i++) {
		size_t j = i + (size_t)(next_random(&seed) % (count - i));
		char *swap = p->paths[i];

		p->paths[i] = p->paths[j];
		p->paths[j] = swap;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	size_t i;

	for (;;) {
		i = atomic_fetch_add(&w->picks->next, 1);
		if (i >= w->picks->n)
			return NULL;
		if (w->picks->only_stat)
			stat_file(&w->tally, w->picks->dirfd,
				  w->picks->paths[i]);
		else
			read_file(&w->tally, w->picks->dirfd,
				  w->picks->paths[i]);
	}
}

static void tally_merge(struct tally *into, const struct tally *from)
{
	for (size_t i = 0; i < from->n; i++)
		tally_add(into, from->ns[i]);
	into->bytes += from->bytes;
	into->errors += from->errors;
}

static void read_picks(struct tally *t, struct picks *p, size_t threads)
{
	struct worker *w = must_alloc(NULL, threads, sizeof(*w));
	int e;

	for (size_t i = 0; i < threads; i++) {
		w[i].picks = p;
		tally_init(&w[i].tally);
		e = pthread_create(&w[i].thread, NULL, work, &w[i]);
		if (e)
			die("cannot start a thread: %s", strerror(e));
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(w[i].thread, NULL);
		tally_merge(t, &w[i].tally);
		tally_free(&w[i].tally);
	}
	free(w);
}

static void read_places(struct tally *t, int fd, size_t n, uint64_t seed)
{
	struct stat st;
	uint64_t places, start;
	off_t off;

	if (fstat(fd, &st))
		die("fstat: %s", strerror(errno));
	places = (uint64_t)st.st_size / PREAD_SIZE;
	if (!places)
		die("the file is smaller than %d bytes", PREAD_SIZE);
	for (size_t i = 0; i < n; i++) {
		off = (off_t)(next_random(&seed) % places * PREAD_SIZE);
		start = now_ns();
		if (pread(fd, t->buf, PREAD_SIZE, off) != PREAD_SIZE) {
			tally_error(t, "pread");
			continue;
		}
		tally_add(t, now_ns() - start);
		t->bytes += PREAD_SIZE;
	}
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The nearest rank, so that p99 is a latency that occurred. */
static double percentile_us(const struct tally *t, unsigned int p)
{
	size_t rank;

	if (!t->n)
		return 0;
	rank = (t->n * p + 99) / 100;
	return (double)t->ns[rank ? rank - 1 : 0] / 1000;
}

static double cpu_seconds(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void report(struct tally *t, uint64_t ns, double cpu)
{
	if (t->n)
		qsort(t->ns, t->n, sizeof(*t->ns), compare_ns);
	printf("{\"files\": %zu, \"bytes\": %llu, \"errors\": %llu, "
	       "\"seconds\": %.6f, \"cpu\": %.6f, "
	       "\"p50_us\": %.1f, \"p99_us\": %.1f}\n",
	       t->n, (unsigned long long)t->bytes,
	       (unsigned long long)t->errors, (double)ns / 1e9, cpu,
	       percentile_us(t, 50), percentile_us(t, 99));
}

static int open_target(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void run_random(struct tally *t, const struct request *r, bool only_stat)
{
	struct picks p = { .dirfd = -1, .only_stat = only_stat };
	size_t len;
	char *text;
	uint64_t start;
	double cpu;

	if (!r->list)
		die("%s needs -l LIST", r->mode);
	text = slurp(r->list, &len);
	pick(&p, text, len, r->n, r->seed);
	p.dirfd = open_target(r->target, O_DIRECTORY);
	cpu = cpu_seconds();
	start = now_ns();
	read_picks(t, &p, r->threads);
	report(t, now_ns() - start, cpu_seconds() - cpu);
	close(p.dirfd);
	free(p.paths);
	free(text);
}

static void run_pread(struct tally *t, const struct request *r)
{
	int fd = open_target(r->target, 0);
	double cpu = cpu_seconds();
	uint64_t start = now_ns();

	read_places(t, fd, r->n, r->seed);
	report(t, now_ns() - start, cpu_seconds() - cpu);
	close(fd);
}

static void run_all(struct tally *t, const struct request *r)
{
	double cpu = cpu_seconds();
	uint64_t start = now_ns();

	read_tree(t, r->target);
	report(t, now_ns() - start, cpu_seconds() - cpu);
}

static uint64_t number(const char *text, uint64_t max)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || end == text || v > max)
		die("not a number up to %llu: %s", (unsigned long long)max,
		    text);
	return v;
}

static void parse(struct request *r, int argc, char **argv)
{
	int c;

	if (argc < 3)
		die("usage: bench-read all|random|stat|pread [-l LIST] [-n N] "
		    "[-t THREADS] [-s SEED] PATH");
	r->mode = argv[1];
	optind = 2;
	while ((c = getopt(argc, argv, "l:n:t:s:")) != -1) {
		if (c == 'l')
			r->list = optarg;
		else if (c == 'n')
			r->n = number(optarg, 1 << 30);
		else if (c == 't')
			r->threads = number(optarg, MAX_THREADS);
		else if (c == 's')
			r->seed = number(optarg, UINT64_MAX);
		else
			exit(2);
	}
	if (optind + 1 != argc || !r->threads)
		die("one path and at least one thread, please");
	r->target = argv[optind];
}

int main(int argc, char **argv)
{
	struct request r = { .n = 5000, .threads = 1, .seed = 1 };
	struct tally t;
	int status;

	parse(&r, argc, argv);
	tally_init(&t);
	if (!strcmp(r.mode, "all"))
		run_all(&t, &r);
	else if (!strcmp(r.mode, "random"))
		run_random(&t, &r, false);
	else if (!strcmp(r.mode, "stat"))
		run_random(&t, &r, true);
	else if (!strcmp(r.mode, "pread"))
		run_pread(&t, &r);
	else
		die("not a mode: %s", r.mode);
	status = t.errors ? 1 : 0;
	tally_free(&t);
	return status;
}
