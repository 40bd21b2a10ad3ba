/* SPDX-License-Identifier: Apache-2.0 */
/* fault-shim.c - system calls that fail, fall short, or find a file changed
 * just before them, by rules; for LD_PRELOAD, see fault.sh.
 *
 * Each line of the file $FAULT_SHIM is a rule:
 *
 *	CALL GLOB [nth=N | from=N] errno=NAME | short=N | run=COMMAND
 *
 * CALL: open read stat readdir readlink listxattr fsync write rename rename2
 * link unlink unshare create mkdir; each stands for all calls of its kind,
 * rename2 for those with flags, which come before rename, create for an open
 * that may make a file, after open.  change is any of create, write, fsync,
 * rename, link, unlink and mkdir; of a rule that does nothing the file of what
 * was applied counts them.  GLOB (fnmatch(3), '*' matches slashes)
 * is of the path, which is resolved where a descriptor is given; the second
 * path of renames and links; of unshare the working directory.  nth: only that
 * one of the calls that match; from: that one and all later ones.  run: of the
 * shell, before the call, in the directory that the thread works in.  What is
 * applied is appended to the file $FAULT_SHIM.used, a line each.
 */
#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RULES_MAX 64
#define PATH_BYTES (2 * PATH_MAX)

struct rule {
	char call[16], glob[512], run[1024], text[1600];
	unsigned long nth, from, seen;
	long n_short; /* -1: whole */
	int error;
};

static struct rule rules[RULES_MAX];
static size_t n_rules;
static char used_path[PATH_MAX];
static __thread int inside;

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EIO", EIO },       { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT },
	{ "EACCES", EACCES }, { "EPERM", EPERM },   { "ENOENT", ENOENT },
	{ "EINVAL", EINVAL }, { "EMFILE", EMFILE }, { "ESTALE", ESTALE },
	{ "EROFS", EROFS },   { "ENOMEM", ENOMEM },
};

static void give_up(const char *why, const char *what)
{
	fprintf(stderr, "fault-shim: %s: %s\n", why, what);
	_exit(98);
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (!strcmp(errors[i].name, name))
			return errors[i].number;
	}
	give_up("no such error", name);
	return 0;
}

static void parse(struct rule *r, char *line)
{
	char *word, *save = NULL;
	char *run = strstr(line, " run=");

	snprintf(r->text, sizeof(r->text), "%s", line);
	r->n_short = -1;
	if (run) {
		*run = '\0';
		snprintf(r->run, sizeof(r->run), "%s", run + 5);
	}
	word = strtok_r(line, " ", &save);
	snprintf(r->call, sizeof(r->call), "%s", word ? word : "");
	word = strtok_r(NULL, " ", &save);
	snprintf(r->glob, sizeof(r->glob), "%s", word ? word : "");
	while ((word = strtok_r(NULL, " ", &save))) {
		if (!strncmp(word, "nth=", 4))
			r->nth = strtoul(word + 4, NULL, 10);
		else if (!strncmp(word, "from=", 5))
			r->from = strtoul(word + 5, NULL, 10);
		else if (!strncmp(word, "short=", 6))
			r->n_short = strtol(word + 6, NULL, 10);
		else if (!strncmp(word, "errno=", 6))
			r->error = error_number(word + 6);
		else
			give_up("no such word", word);
	}
}

__attribute__((constructor)) static void load(void)
{
	const char *path = getenv("FAULT_SHIM");
	char line[1600];
	FILE *f;

	if (!path)
		return;
	inside++;
	f = fopen(path, "re");
	if (!f)
		give_up("rules", path);
	snprintf(used_path, sizeof(used_path), "%s.used", path);
	while (n_rules < RULES_MAX && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			parse(&rules[n_rules++], line);
	}
	fclose(f);
	inside--;
}

#define REAL(name)                     \
	static __typeof__(name) *real; \
	if (!real)                     \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

/* The place that a descriptor, or a name below one, stands for. */
static void path_of(int dir, const char *name, char out[PATH_BYTES])
{
	char link[64];
	long n = 0;

	if (name && !strncmp(name, "/proc/self/fd/", 14)) {
		char *rest = NULL;

		dir = (int)strtol(name + 14, &rest, 10);
		name = *rest == '/' ? rest + 1 : NULL;
	}
	if (name && *name == '/') {
		snprintf(out, PATH_BYTES, "%s", name);
		return;
	}
	if (dir == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/thread-self/cwd");
	else
		snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", dir);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX);
	if (n < 0)
		n = 0;
	out[n] = '\0';
	if (name && *name)
		snprintf(out + n, (size_t)(PATH_BYTES - n), "/%s", name);
}

static void note(const struct rule *r, const char *path)
{
	char line[PATH_BYTES + 2048];
	int fd, n;

	n = snprintf(line, sizeof(line), "%s: %s\n", r->text, path);
	fd = (int)syscall(SYS_openat, AT_FDCWD, used_path,
			  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || syscall(SYS_write, fd, line, (size_t)n) != n)
		give_up("cannot write", used_path);
	syscall(SYS_close, fd);
}

static void run(const char *command)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)command,
			       NULL };
	char *env[512];
	size_t n = 0;
	int status = 0;
	pid_t pid;

	for (char **e = environ; *e && n < 511; e++) {
		if (strncmp(*e, "LD_PRELOAD=", 11) != 0)
			env[n++] = *e;
	}
	env[n] = NULL;
	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, env))
		give_up("cannot run", command);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		give_up("command failed", command);
}

static int is_change(const char *call)
{
	static const char *const all[] = { "create", "write", "fsync",
					   "rename", "link",  "unlink",
					   "mkdir" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (!strcmp(all[i], call))
			return 1;
	}
	return 0;
}

static int is_meant(const struct rule *r, const char *call)
{
	return !strcmp(r->call, call) ||
	       (!strcmp(r->call, "change") && is_change(call));
}

static volatile int n_met; /* whether there was any call */

/* What is to happen to this call: an error number, or 0. */
static int meet(const char *call, int dir, const char *name, size_t *len)
{
	char path[PATH_BYTES];
	int error = 0, saved = errno, known = 0;

	n_met = 1;
	if (inside || !n_rules)
		return 0;
	inside++;
	for (size_t i = 0; i < n_rules; i++) {
		struct rule *r = &rules[i];
		unsigned long n;

		if (!is_meant(r, call))
			continue;
		if (!known)
			path_of(dir, name, path);
		known = 1;
		if (fnmatch(r->glob, path, 0))
			continue;
		n = __atomic_add_fetch(&r->seen, 1, __ATOMIC_SEQ_CST);
		if ((r->nth && n != r->nth) || (r->from && n < r->from))
			continue;
		note(r, path);
		if (*r->run)
			run(r->run);
		if (len && r->n_short >= 0 && *len > (size_t)r->n_short)
			*len = (size_t)r->n_short;
		if (r->error)
			error = r->error;
	}
	inside--;
	errno = error ? error : saved;
	return error;
}

/* --- open ------------------------------------------------------------------
 */

static mode_t mode_of(int flags, va_list ap)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE
		       ? va_arg(ap, mode_t)
		       : 0;
}

static int meet_open(int dir, const char *name, int flags)
{
	return meet("open", dir, name, NULL) ||
	       ((flags & O_CREAT) && meet("create", dir, name, NULL));
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	REAL(open);
	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return meet_open(AT_FDCWD, path, flags) ? -1 : real(path, flags, mode);
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list ap;
	mode_t mode;

	REAL(openat);
	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return meet_open(dir, name, flags) ? -1 : real(dir, name, flags, mode);
}

int __openat_2(int dir, const char *name, int flags);
int __openat_2(int dir, const char *name, int flags)
{
	return openat(dir, name, flags);
}

/* --- reading and writing ---------------------------------------------------
 */

ssize_t read(int fd, void *p, size_t len)
{
	REAL(read);
	return meet("read", fd, NULL, &len) ? -1 : real(fd, p, len);
}

ssize_t __read_chk(int fd, void *p, size_t len, size_t size);
ssize_t __read_chk(int fd, void *p, size_t len, size_t size)
{
	if (len > size)
		abort();
	return read(fd, p, len);
}

ssize_t pread(int fd, void *p, size_t len, off_t off)
{
	REAL(pread);
	return meet("read", fd, NULL, &len) ? -1 : real(fd, p, len, off);
}

ssize_t __pread_chk(int fd, void *p, size_t len, off_t off, size_t size);
ssize_t __pread_chk(int fd, void *p, size_t len, off_t off, size_t size)
{
	if (len > size)
		abort();
	return pread(fd, p, len, off);
}

ssize_t write(int fd, const void *p, size_t len)
{
	REAL(write);
	return meet("write", fd, NULL, &len) ? -1 : real(fd, p, len);
}

ssize_t pwrite(int fd, const void *p, size_t len, off_t off)
{
	REAL(pwrite);
	return meet("write", fd, NULL, &len) ? -1 : real(fd, p, len, off);
}

int fsync(int fd)
{
	REAL(fsync);
	return meet("fsync", fd, NULL, NULL) ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(fdatasync);
	return meet("fsync", fd, NULL, NULL) ? -1 : real(fd);
}

/* --- looking ---------------------------------------------------------------
 */

int stat(const char *path, struct stat *st)
{
	REAL(stat);
	return meet("stat", AT_FDCWD, path, NULL) ? -1 : real(path, st);
}

int lstat(const char *path, struct stat *st)
{
	REAL(lstat);
	return meet("stat", AT_FDCWD, path, NULL) ? -1 : real(path, st);
}

int fstat(int fd, struct stat *st)
{
	REAL(fstat);
	return meet("stat", fd, NULL, NULL) ? -1 : real(fd, st);
}

/* What fstat was before glibc 2.33; sanitizers still call it. */
int __fxstat(int version, int fd, struct stat *st);

int __fxstat(int version, int fd, struct stat *st)
{
	REAL(__fxstat);
	return meet("stat", fd, NULL, NULL) ? -1 : real(version, fd, st);
}

int fstatat(int dir, const char *name, struct stat *st, int flags)
{
	REAL(fstatat);
	return meet("stat", dir, name, NULL) ? -1 : real(dir, name, st, flags);
}

int statx(int dir, const char *name, int flags, unsigned int mask,
	  struct statx *st)
{
	REAL(statx);
	return meet("stat", dir, name, NULL) ? -1
					     : real(dir, name, flags, mask, st);
}

struct dirent *readdir(DIR *d)
{
	REAL(readdir);
	return meet("readdir", dirfd(d), NULL, NULL) ? NULL : real(d);
}

ssize_t getdents64(int fd, void *p, size_t len)
{
	REAL(getdents64);
	return meet("readdir", fd, NULL, NULL) ? -1 : real(fd, p, len);
}

ssize_t readlinkat(int dir, const char *name, char *p, size_t len)
{
	REAL(readlinkat);
	return meet("readlink", dir, name, NULL) ? -1 : real(dir, name, p, len);
}

ssize_t __readlinkat_chk(int dir, const char *name, char *p, size_t len,
			 size_t size);
ssize_t __readlinkat_chk(int dir, const char *name, char *p, size_t len,
			 size_t size)
{
	if (len > size)
		abort();
	return readlinkat(dir, name, p, len);
}

ssize_t llistxattr(const char *path, char *p, size_t len)
{
	REAL(llistxattr);
	return meet("listxattr", AT_FDCWD, path, NULL) ? -1
						       : real(path, p, len);
}

ssize_t flistxattr(int fd, char *p, size_t len)
{
	REAL(flistxattr);
	return meet("listxattr", fd, NULL, NULL) ? -1 : real(fd, p, len);
}

int unshare(int flags)
{
	REAL(unshare);
	return meet("unshare", AT_FDCWD, NULL, NULL) ? -1 : real(flags);
}

/* --- names -----------------------------------------------------------------
 */

int rename(const char *from, const char *to)
{
	REAL(rename);
	return meet("rename", AT_FDCWD, to, NULL) ? -1 : real(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	REAL(renameat);
	return meet("rename", to_dir, to, NULL)
		       ? -1
		       : real(from_dir, from, to_dir, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned int flags)
{
	REAL(renameat2);
	return (flags && meet("rename2", to_dir, to, NULL)) ||
			       meet("rename", to_dir, to, NULL)
		       ? -1
		       : real(from_dir, from, to_dir, to, flags);
}

/* ASan makes the directory of its reports before it can serve anybody, so
 * before the first call of another kind a directory is its own.
 */
extern void __asan_init(void) __attribute__((weak));

static int is_begun(void)
{
	return !__asan_init || n_met;
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	if (is_begun() && meet("mkdir", dir, name, NULL))
		return -1;
	return (int)syscall(SYS_mkdirat, dir, name, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to,
	   int flags)
{
	REAL(linkat);
	return meet("link", to_dir, to, NULL)
		       ? -1
		       : real(from_dir, from, to_dir, to, flags);
}

int unlink(const char *path)
{
	REAL(unlink);
	return meet("unlink", AT_FDCWD, path, NULL) ? -1 : real(path);
}

int unlinkat(int dir, const char *name, int flags)
{
	REAL(unlinkat);
	return meet("unlink", dir, name, NULL) ? -1 : real(dir, name, flags);
}
