/* SPDX-License-Identifier: Apache-2.0 */
/* flips.c - a damaged archive gives right bytes or an error, and verify sees
 * it.
 *
 * A small tree is packed; then, again and again, one bit of some object is
 * flipped or its end is cut off, all files are read by the calls the mount
 * uses, and what was read is compared with what was packed.  The damage is the
 * same in each run of the test.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "unit.h"

#include "../fuzz/same.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/filter.h"
#include "pack/pack.h"
#include "pack/report.h"
#include "verify/verify.h"
#include "volume/volume.h"

#define N_FLIPS 2000u
#define N_CUTS 200u
#define FILES_MAX 64u
#define OBJECTS_MAX 32u
#define PIECE 7000u /* what is read at once; blocks have 4096 bytes */

static char dir[] = "/tmp/desfs-flips-XXXXXX";
static char source[64], archive[64];

/* What was packed, as the undamaged archive shows it. */
struct file {
	char *path;
	struct volume_entry ve;
	uint8_t *bytes; /* ve.e.size of them, for regular files */
	size_t n_children;
};

/* An object of the archive as it was. */
struct object {
	char *key, *path;
	uint8_t *bytes;
	size_t len;
};

static struct file files[FILES_MAX];
static size_t n_files;
static struct object objects[OBJECTS_MAX];
static size_t n_objects;
static struct volume *whole;

/* xorshift64, George Marsaglia, 2003 */
static uint64_t seed = 88172645463325252u;

static size_t pick(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static void must(enum rc rc, const struct err *err)
{
	if (rc)
		fail_msg("%s", err->msg);
}

/* --- the tree and its archive --------------------------------------------- */

static char *below(const char *parent, const char *name)
{
	return *parent ? xasprintf("%s/%s", parent, name) : xstrdup(name);
}

/* Half text that compresses, half noise that does not. */
static void make_file(const char *name, size_t size, size_t hole)
{
	CLEANUP_FREE char *path = below(source, name);
	CLEANUP_FREE uint8_t *p = xcalloc(1, size + 1);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);

	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(i < size / 2 ? i / 9 % 26 + 'a' : pick(256));
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, size, (off_t)hole), size);
	close(fd);
}

static void make_dir(const char *name)
{
	CLEANUP_FREE char *path = below(source, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_links(void)
{
	CLEANUP_FREE char *from = below(source, "a/f3");
	CLEANUP_FREE char *hard = below(source, "b/hard");
	CLEANUP_FREE char *soft = below(source, "b/soft");
	CLEANUP_FREE char *fifo = below(source, "b/fifo");

	assert_int_equal(link(from, hard), 0);
	assert_int_equal(symlink("../a/f3", soft), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	/* Not all file systems have them. */
	if (setxattr(from, "user.origin", "here", 4, 0))
		assert_true(errno == ENOTSUP);
}

static void make_tree(void)
{
	static const char *const dirs[] = { "a", "b", "b/c", "empty" };
	static const size_t sizes[] = { 0,    1,    40,   300,  900,
					4096, 5000, 8192, 12345 };
	char name[32];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		make_dir(dirs[i]);
	for (size_t d = 0; d < 3; d++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			snprintf(name, sizeof(name), "%s/f%zu", dirs[d], i);
			make_file(name, sizes[i] / (d + 1), 0);
		}
	}
	make_file("top", 500, 0);
	make_file("b/sparse", 3000, 70000);
	make_links();
}

static void run_pack(void)
{
	char *sources[] = { source };
	const struct report_options o = { .progress = PROGRESS_NEVER };
	struct pack_options opts = {
		.sources = sources,
		.n_sources = 1,
		.archive = archive,
		.route = PACK_ANY_ROUTE,
		.created = CREATED_TIME,
		.created_at = INT64_C(1795219200000000),
		.codec = CODEC_ZSTD,
		.level = 3,
		.sizes = { .group = 4096, .large = 4096 },
		.max_shard = 1u << 30,
		.jobs = 1,
		.open_shards = 1,
		.spool = dir,
	};
	struct filter *filter = filter_new();
	struct report *report = report_new(&o);
	struct err err = { 0 };

	opts.filter = filter;
	must(pack_run(&opts, report, &err), &err);
	report_free(report);
	filter_free(filter);
}

static uint8_t *read_whole(const char *path, size_t *ret_len)
{
	CLEANUP_FD int fd = open(path, O_RDONLY);
	struct stat st;
	uint8_t *p;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*ret_len = (size_t)st.st_size;
	p = xcalloc(1, *ret_len + 1);
	assert_int_equal(read(fd, p, *ret_len), *ret_len);
	return p;
}

static int add_object(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	struct object *o = &objects[n_objects];

	(void)st;
	(void)ftw;
	if (flag != FTW_F || strstr(path, "/tmp/desfs-flips-") != path ||
	    strstr(path + strlen(archive), "/tmp/"))
		return 0;
	assert_true(n_objects < OBJECTS_MAX);
	o->path = xstrdup(path);
	o->key = xstrdup(path + strlen(archive) + 1);
	o->bytes = read_whole(path, &o->len);
	assert_int_equal(chmod(path, 0600), 0);
	n_objects++;
	return 0;
}

/* --- reading all of it ---------------------------------------------------- */

/* One pass over the archive, and what is damaged in it. */
struct pass {
	struct volume *v;
	const struct object *damaged; /* NULL: nothing */
	bool is_first;                /* note what there is */
	size_t n_errors;
};

/* What was done to the archive, for messages. */
static char damage[256] = "nothing";

#define FAIL(fmt, ...) fail_msg("%s: " fmt, damage, __VA_ARGS__)

/* What went wrong must name what was damaged. */
static void note_error(struct pass *p, const char *path, const struct err *err)
{
	if (!p->damaged || !strstr(err->msg, p->damaged->key))
		FAIL("%s: %s", path, err->msg);
	p->n_errors++;
}

static struct file *find_file(const char *path)
{
	for (size_t i = 0; i < n_files; i++)
		if (!strcmp(files[i].path, path))
			return &files[i];
	return NULL;
}

/* Where the blocks are is no matter of the reader's. */
static bool same_file(const struct entry *a, const struct entry *b)
{
	return !entry_compare(a, b) && same_attributes(a, b) &&
	       a->has_hash == b->has_hash &&
	       !memcmp(a->sha256, b->sha256, ENTRY_HASH_LEN);
}

static void check_same(const struct file *f, const struct entry *e)
{
	if (!same_file(&f->ve.e, e))
		FAIL("%s: attributes differ", f->path);
}

static void check_bytes(struct pass *p, const struct file *f,
			const struct volume_entry *ve)
{
	uint8_t buf[PIECE];
	struct err err = { 0 };
	size_t n = 0;

	for (uint64_t off = 0; off < ve->e.size; off += n) {
		n = 0;
		if (volume_read(p->v, ve, off, buf, sizeof(buf), &n, &err)) {
			note_error(p, f->path, &err);
			return;
		}
		if (!n || n > f->ve.e.size - off ||
		    memcmp(buf, f->bytes + off, n))
			FAIL("%s: wrong bytes at %llu", f->path,
			     (unsigned long long)off);
	}
}

/* Names of a directory, as readdir gave them. */
struct names {
	struct pass *pass;
	const char *dir;
	char *v[FILES_MAX];
	size_t n;
};

static bool note_name(void *arg, struct span name,
		      const struct volume_entry *ve, uint64_t next_cookie)
{
	struct names *l = arg;
	CLEANUP_FREE char *text = xmemdup0(name.p, name.len);
	CLEANUP_FREE char *path = below(l->dir, text);
	const struct file *f = find_file(path);

	(void)next_cookie;
	assert_true(l->n < FILES_MAX);
	if (!l->pass->is_first) {
		if (!f)
			FAIL("%s: there was no such file", path);
		check_same(f, &ve->e);
	}
	l->v[l->n++] = STEAL_PTR(text);
	return true;
}

/* The entry becomes the file's. */
static struct file *add_file(const char *path, const struct volume_entry *ve)
{
	struct file *f = &files[n_files++];
	CLEANUP_FREE char *from = below(source, path);
	size_t len = 0;

	assert_true(n_files <= FILES_MAX);
	f->path = xstrdup(path);
	f->ve = *ve;
	if (ve->e.type != ENTRY_REG)
		return f;
	f->bytes = read_whole(from, &len);
	assert_int_equal(len, ve->e.size);
	return f;
}

static void walk(struct pass *p, const char *path, struct volume_entry *ve);

static void walk_name(struct pass *p, const char *parent,
		      const struct volume_entry *in, const char *name)
{
	CLEANUP_FREE char *path = below(parent, name);
	struct volume_entry ve;
	struct err err = { 0 };

	if (volume_lookup(p->v, in, span_of(name, strlen(name)), &ve, &err))
		note_error(p, path, &err);
	else
		walk(p, path, &ve);
}

static void walk_dir(struct pass *p, struct file *f,
		     const struct volume_entry *ve)
{
	struct names l = { .pass = p, .dir = f->path };
	struct err err = { 0 };

	if (volume_readdir(p->v, ve, 0, note_name, &l, &err))
		note_error(p, f->path, &err);
	else if (p->is_first)
		f->n_children = l.n;
	else if (l.n != f->n_children)
		FAIL("%s: %zu names, not %zu", f->path, l.n, f->n_children);
	for (size_t i = 0; i < l.n; i++) {
		walk_name(p, f->path, ve, l.v[i]);
		free(l.v[i]);
	}
}

/* Takes over ve. */
static void walk(struct pass *p, const char *path, struct volume_entry *ve)
{
	struct file *f = p->is_first ? add_file(path, ve) : find_file(path);

	if (!f) {
		FAIL("%s: there was no such file", path);
		return;
	}
	check_same(f, &ve->e);
	if (ve->e.type == ENTRY_DIR)
		walk_dir(p, f, ve);
	else if (ve->e.type == ENTRY_REG)
		check_bytes(p, f, ve);
	if (!p->is_first)
		volume_entry_release(ve);
}

static void walk_all(struct pass *p, enum volume_verify verify)
{
	const struct volume_options opts = { .verify = verify };
	struct volume_entry root;
	struct err err = { 0 };

	if (volume_open(&p->v, archive, &opts, &err)) {
		note_error(p, "volume", &err);
		return;
	}
	if (volume_root(p->v, &root, &err))
		note_error(p, "root", &err);
	else
		walk(p, "", &root);
	if (!p->is_first)
		volume_close(p->v);
}

/* --- verify --------------------------------------------------------------- */

struct search {
	const struct object *damaged;
	size_t n_named, n_damage;
};

static void note_finding(void *arg, const struct finding *f)
{
	struct search *s = arg;
	CLEANUP_FREE char *text = xasprintf("%s: %s", f->key, f->text);

	if (f->kind != FINDING_DAMAGE)
		return;
	s->n_damage++;
	s->n_named += s->damaged && strstr(text, s->damaged->key);
}

static void verify_finds(const struct object *damaged)
{
	struct search s = { .damaged = damaged };
	const struct verify_options opts = { .deep = true,
					     .fn = note_finding,
					     .arg = &s };
	struct verify_totals totals = { 0 };
	struct err err = { 0 };

	if (verify_archive(archive, &opts, &totals, &err)) {
		if (!damaged || !strstr(err.msg, damaged->key))
			FAIL("verify: %s", err.msg);
		return;
	}
	if (!damaged)
		assert_int_equal(s.n_damage, 0);
	else if (!s.n_named)
		FAIL("verify has %zu findings, none names it", s.n_damage);
}

/* --- damage --------------------------------------------------------------- */

/* The object whose key begins so. */
static const struct object *find_object(const char *prefix)
{
	size_t i = 0;

	while (i < n_objects &&
	       strncmp(objects[i].key, prefix, strlen(prefix)) != 0)
		i++;
	assert_true(i < n_objects);
	return &objects[i];
}

/* Any byte of the archive, but the small objects more often than it is their
 * turn.  The newline at their end costs nothing: it is left out.
 */
static const struct object *pick_byte(size_t *ret_at)
{
	size_t total = 0, at, turn = pick(16);
	const struct object *small;

	for (size_t i = 0; i < n_objects; i++)
		total += objects[i].len;
	at = pick(total);
	if (turn < 4) {
		small = find_object(turn ? "log/" : "desfs.json");
		*ret_at = pick(small->len - 1);
		return small;
	}
	for (size_t i = 0; i < n_objects; i++) {
		const struct object *o = &objects[i];

		if (at < o->len) {
			bool is_newline = at == o->len - 1 &&
					  strstr(o->key, ".json");

			*ret_at = is_newline ? at - 1 : at;
			return o;
		}
		at -= o->len;
	}
	abort();
}

static void write_object(const struct object *o, size_t len, size_t at,
			 uint8_t flip)
{
	CLEANUP_FREE uint8_t *p = xmemdup0(o->bytes, o->len);
	CLEANUP_FD int fd = open(o->path, O_WRONLY | O_CREAT, 0600);

	p[at] ^= flip;
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, o->len, 0), o->len);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
}

static void restore(const struct object *o)
{
	write_object(o, o->len, 0, 0);
}

static void look(const struct object *damaged, size_t round)
{
	struct pass p = { .damaged = damaged };

	walk_all(&p, round % 2 ? VERIFY_CRC : VERIFY_BLOCK);
	verify_finds(damaged);
}

static void a_flipped_bit_never_gives_wrong_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FLIPS; i++) {
		size_t at = 0;
		const struct object *o = pick_byte(&at);
		unsigned int bit = (unsigned int)pick(8);

		snprintf(damage, sizeof(damage), "%s, byte %zu, bit %u", o->key,
			 at, bit);
		write_object(o, o->len, at, (uint8_t)(1u << bit));
		look(o, i);
		restore(o);
	}
}

static void a_lost_end_never_gives_wrong_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CUTS; i++) {
		size_t at = 0;
		const struct object *o = pick_byte(&at);

		snprintf(damage, sizeof(damage), "%s, cut to %zu", o->key, at);
		write_object(o, at, 0, 0);
		look(o, i);
		restore(o);
	}
}

static void a_shard_that_is_gone_is_an_error(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < n_objects; i++) {
		struct pass p = { .damaged = &objects[i] };
		const char *dot = strrchr(objects[i].key, '.');

		if (!dot || strcmp(dot, ".des"))
			continue;
		snprintf(damage, sizeof(damage), "%s, gone", objects[i].key);
		assert_int_equal(unlink(objects[i].path), 0);
		walk_all(&p, VERIFY_CRC);
		assert_true(p.n_errors > 0);
		verify_finds(&objects[i]);
		restore(&objects[i]);
		n++;
	}
	assert_true(n > 1);
}

static void all_is_well_in_the_end(void **state)
{
	struct pass p = { .damaged = NULL };

	(void)state;
	walk_all(&p, VERIFY_FILE);
	verify_finds(NULL);
}

static int set_up(void **state)
{
	struct pass p = { .is_first = true };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(source, sizeof(source), "%s/source", dir);
	snprintf(archive, sizeof(archive), "%s/archive", dir);
	assert_int_equal(mkdir(source, 0755), 0);
	make_tree();
	run_pack();
	assert_int_equal(nftw(archive, add_object, 16, FTW_PHYS), 0);
	walk_all(&p, VERIFY_FILE);
	whole = p.v;
	/* 28 files, three other kinds, the root and four directories. */
	assert_int_equal(n_files, 28 + 1 + 3 + 5);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_files; i++) {
		volume_entry_release(&files[i].ve);
		free(files[i].path);
		free(files[i].bytes);
	}
	volume_close(whole);
	for (size_t i = 0; i < n_objects; i++) {
		free(objects[i].key);
		free(objects[i].path);
		free(objects[i].bytes);
	}
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flipped_bit_never_gives_wrong_bytes),
		cmocka_unit_test(a_lost_end_never_gives_wrong_bytes),
		cmocka_unit_test(a_shard_that_is_gone_is_an_error),
		cmocka_unit_test(all_is_well_in_the_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
