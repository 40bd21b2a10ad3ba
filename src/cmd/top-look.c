/* SPDX-License-Identifier: Apache-2.0 */
/* top-look.c - one look at the counters of a mount. */
#include "config.h"

#include "cmd/top-look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

#define STATS_MAX (4u << 20)
#define REQUESTS_MAX (64u << 10)
#define KINDS_MAX 64

const struct look_cache look_caches[] = {
	{ "block cache", "block_cache", "volume_block_hits",
	  "volume_block_misses" },
	{ "index pages", "index_pages", "volume_page_hits",
	  "volume_page_misses" },
	{ "disk cache", "disk_cache", "volume_disk_hits",
	  "volume_disk_misses" },
	{ "index cache", "index_cache", "volume_index_hits",
	  "volume_index_misses" },
};
const size_t look_n_caches = ARRAY_LEN(look_caches);

static enum rc read_text(const char *dir, const char *file, size_t max,
			 char **ret, struct err *err)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", dir, file);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE char *text = NULL;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, RC_NOENT,
			       "%s: not there; is the name of the control "
			       "directory another?",
			       path);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	text = xcalloc(1, max + 1);
	n = io_read(fd, text, max);
	if (n < 0)
		return err_set_errno(err, errno, "%s", path);
	*ret = STEAL_PTR(text);
	return RC_OK;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static struct look_kind *kind_of(struct look *l, const char *name, size_t len)
{
	struct look_kind *k;

	for (size_t i = 0; i < l->n_kinds; i++) {
		k = &l->kinds[i];
		if (strlen(k->name) == len && !memcmp(k->name, name, len))
			return k;
	}
	if (len >= sizeof(k->name) || l->n_kinds == KINDS_MAX)
		return NULL;
	l->kinds = mem_grow(l->kinds, &l->cap_kinds, l->n_kinds + 1,
			    sizeof(*l->kinds));
	k = &l->kinds[l->n_kinds++];
	memset(k, 0, sizeof(*k));
	memcpy(k->name, name, len);
	return k;
}

/* "bucket_1280", "bucket_inf", "max_us", "sum_us" of a kind. */
static void set_latency(struct latency_counts *c, const char *what,
			uint64_t value)
{
	if (begins(what, "bucket_inf")) {
		c->n[LATENCY_BUCKETS - 1] = value;
		c->total += value;
	} else if (begins(what, "bucket_")) {
		uint64_t ns = strtoull(what + strlen("bucket_"), NULL, 10);

		c->n[latency_bucket(ns)] += value;
		c->total += value;
	} else if (!strcmp(what, "max_us")) {
		c->max_ns = value * 1000;
	} else if (!strcmp(what, "sum_us")) {
		c->sum_ns = value * 1000;
	}
}

static void add_counter(struct look *l, const char *name, uint64_t value)
{
	static const char fuse[] = "fuse_", latency[] = "latency_";
	struct look_kind *k;

	l->all = mem_grow(l->all, &l->cap, l->n + 1, sizeof(*l->all));
	l->all[l->n++] = (struct look_counter){ name, value };
	if (begins(name, fuse) && strcmp(name, "fuse_messages")) {
		k = kind_of(l, name + strlen(fuse),
			    strlen(name + strlen(fuse)));
		if (k)
			k->n = value;
	} else if (begins(name, latency)) {
		const char *kind = name + strlen(latency);
		size_t len = strcspn(kind, "_");

		k = kind[len] ? kind_of(l, kind, len) : NULL;
		if (k) {
			k->is_message = true;
			set_latency(&k->took, kind + len + 1, value);
		}
	}
}

/* Not every counter of that group counts messages. */
static void drop_others(struct look *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_kinds; i++) {
		if (l->kinds[i].is_message ||
		    !strcmp(l->kinds[i].name, "forget"))
			l->kinds[n++] = l->kinds[i];
	}
	l->n_kinds = n;
}

/* Lines of a name, a blank and a number; what is no such line is passed over.
 */
static void parse(struct look *l)
{
	char *line = l->text;

	while (*line) {
		size_t len = strcspn(line, "\n");
		char *next = line + len + !!line[len];
		char *blank;

		line[len] = '\0';
		blank = strchr(line, ' ');
		if (blank && blank > line && blank[1] >= '0' &&
		    blank[1] <= '9') {
			*blank = '\0';
			add_counter(l, line, strtoull(blank + 1, NULL, 10));
		}
		line = next;
	}
}

/* "age message node pid", the oldest first, after a line of heads.  What came
 * within this millisecond may be our own question.
 */
static void find_oldest(const char *text, struct look_oldest *ret)
{
	const char *line = strchr(text, '\n');
	char *end;
	uint64_t age;
	size_t len;

	if (!line)
		return;
	age = strtoull(line + 1, &end, 10);
	end += *end == ' ';
	len = strcspn(end, " \n");
	if (!age || !len || len >= sizeof(ret->kind) || end[len] != ' ')
		return;
	memcpy(ret->kind, end, len);
	ret->age_ms = age;
	ret->node = strtoull(end + len, &end, 16);
	ret->pid = strtol(end, NULL, 10);
}

enum rc look_take(const char *path, struct look **ret, struct err *err)
{
	struct look *l = xcalloc(1, sizeof(*l));
	CLEANUP_FREE char *requests = NULL;
	struct err ignored;

	if (read_text(path, "stats", STATS_MAX, &l->text, err)) {
		look_free(l);
		return err->rc;
	}
	l->at = clock_mono_ns();
	parse(l);
	drop_others(l);
	if (look_value(l, "requests_now") &&
	    !read_text(path, "requests", REQUESTS_MAX, &requests, &ignored))
		find_oldest(requests, &l->oldest);
	*ret = l;
	return RC_OK;
}

void look_free(struct look *l)
{
	if (!l)
		return;
	free(l->text);
	free(l->all);
	free(l->kinds);
	free(l);
}

uint64_t look_value(const struct look *l, const char *name)
{
	for (size_t i = 0; l && i < l->n; i++) {
		if (!strcmp(l->all[i].name, name))
			return l->all[i].value;
	}
	return 0;
}

const struct look_kind *look_kind(const struct look *l, const char *name)
{
	for (size_t i = 0; l && i < l->n_kinds; i++) {
		if (!strcmp(l->kinds[i].name, name))
			return &l->kinds[i];
	}
	return NULL;
}

/* Less than before: another daemon, whose counters began anew. */
uint64_t look_grown(const struct look *now, const struct look *before,
		    const char *name)
{
	uint64_t v = look_value(now, name), old = look_value(before, name);

	return v >= old ? v - old : v;
}

double look_seconds(const struct look *now, const struct look *before)
{
	if (!before)
		return 0;
	if (now->at < before->at + CLOCK_NS_PER_MS)
		return 1e-3;
	return (double)(now->at - before->at) / CLOCK_NS_PER_SEC;
}

double look_ratio(const struct look *now, const struct look *before,
		  const char *hits, const char *misses)
{
	double h = (double)look_grown(now, before, hits);
	double all = h + (double)look_grown(now, before, misses);

	return all > 0 ? 100 * h / all : -1;
}
